"""Which policy and place the look-ahead and the what-if are asked for, and what they may offer to whom.

Both look at one township or village: that takes well under a second, where a county takes many. Who
stands above the townships chooses one of them.
"""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from fpadmin.accounts.models import Region
from fpadmin.ui.listing import Asked
from subsidies.outlook.ahead import months_of
from subsidies.policies import catalogue
from subsidies.policies.book import policy_books
from subsidies.policies.catalogue import Policy
from subsidies.policies.seeing import codes_for

HEADS = {"person": "人", "couple": "对", "family": "户", "child": "人"}


@dataclass(frozen=True)
class Wanted:
    """One policy; `region` is the township or village, None while none is chosen."""

    code: str
    region: Region | None

    @property
    def policy(self) -> Policy:
        return catalogue.policy(self.code)

    @property
    def path(self) -> str:
        return self.region.path if self.region else ""

    @property
    def unit(self) -> str:
        """What the policy's units are counted in."""
        return HEADS[self.policy.who]


def offered(user, today: date) -> list[tuple[str, str]]:
    """(code, name) of the policies in force in the user's place, or to be within the twelve months."""
    path = getattr(user, "scope_path", "")
    if not path:
        return []
    books = policy_books([today, months_of(today)[-1]]).values()
    on = {code for book in books for code in book.on_codes_within(path)}
    return [
        (code, catalogue.name_of(code))
        for code in codes_for(user)
        if code in on and not catalogue.policy(code).closed
    ]


def townships_of(user, today: date) -> QuerySet[Region]:
    """The townships to choose from; none for who stands in one."""
    regions = Region.objects.visible_to(user).valid_on(today).order_by("code")
    level = Region.Level.TOWNSHIP
    return regions.filter(level=level) if user.region.level < level else regions.none()


def wanted(asked: Asked) -> Wanted | None:
    """What the address asks for; the first policy that is offered where it names none.

    None where the policy isn't offered. A place that isn't the user's is no place.
    """
    codes = [code for code, _ in offered(asked.user, asked.day)]
    code = asked.GET.get("policy") or (codes[0] if codes else "")
    return Wanted(code, place_of(asked)) if code in codes else None


def place_of(asked: Asked) -> Region | None:
    """The village that is asked for, else the township, else the user's own place where it is one."""
    regions = Region.objects.visible_to(asked.user)
    for name, level in (("village", Region.Level.VILLAGE), ("town", Region.Level.TOWNSHIP)):
        key = asked.GET.get(name, "")
        if key:
            known = key.isascii() and key.isdigit() and len(key) < 18
            return regions.filter(pk=key, level=level).first() if known else None
    own = asked.user.region
    return own if own.level >= Region.Level.TOWNSHIP else None
