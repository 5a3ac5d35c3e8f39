"""Which policy and day a page is asked for, and which policies it may offer to whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.core.exceptions import ValidationError

from fpadmin.ui.listing import Asked
from subsidies.eligibility.explaining import ATTESTED
from subsidies.eligibility.months import usual_day
from subsidies.forms.eligibility import AsOfField
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, policy_book
from subsidies.policies.catalogue import Policy
from subsidies.policies.seeing import codes_for

NOT_ON = "（未启用）"


@dataclass(frozen=True)
class Question:
    """One policy on one day, for somebody whose region has the path."""

    code: str
    day: date
    path: str
    book: PolicyBook

    @property
    def policy(self) -> Policy:
        return catalogue.policy(self.code)

    @property
    def query(self) -> str:
        """The same question as part of an address."""
        return urlencode({"policy": self.code, "as_of": self.day.isoformat()})

    @property
    def proofs(self) -> list[str]:
        """What no record shows, by the place's rule: whoever meets the rest is a candidate."""
        criteria = self.book.rule(self.code, self.path).criteria
        return [str(one.params) for one in criteria if one.key == ATTESTED]

    @property
    def is_on(self) -> bool:
        """Whether the place, or any below it, has switched the policy on by the day."""
        return self.code in self.book.on_codes_within(self.path)


def offered(user, book: PolicyBook, path: str = "") -> list[tuple[str, str]]:
    """(code, words) of the policies that may be named to the user: the place's own first.

    Closed ones take in nobody, so nobody is looked for.
    """
    codes = [code for code in codes_for(user) if not catalogue.policy(code).closed]
    on = set(book.on_codes_within(path or user.scope_path))
    named = [(code, catalogue.name_of(code)) for code in codes if code in on]
    return named + [(code, catalogue.name_of(code) + NOT_ON) for code in codes if code not in on]


def question_of(asked: Asked) -> Question | None:
    """The list's policy and day: those of the address, else the first policy and its usual day.

    None where the policy may not be named to the user, or the day is none.
    """
    path = getattr(asked.user, "scope_path", "")
    code = asked.GET.get("policy") or first_code(asked)
    known = [one for one in codes_for(asked.user) if not catalogue.policy(one).closed]
    if not path or code not in known:
        return None
    day = day_of(asked.GET.get("as_of", ""), code, asked.day)
    return None if day is None else Question(code, day, path, policy_book(day))


def first_code(asked: Asked) -> str:
    """The policy that is shown where none was asked for."""
    return offered(asked.user, policy_book(asked.day))[0][0]


def question_about(
    path: str, asked: Mapping[str, str], choices: list[tuple[str, str]], today: date
) -> Question:
    """One person's policy and day, of those who live in the place of `path`.

    What cannot be understood falls back to the first policy and its usual day.
    """
    codes = [code for code, _ in choices]
    code = asked.get("policy", "")
    code = code if code in codes else codes[0]
    day = day_of(asked.get("as_of", ""), code, today) or usual_day(code, today)
    return Question(code, day, path, policy_book(day))


def day_of(text: str, code: str, today: date) -> date | None:
    """The day that was typed, the policy's usual one where none was; None where it is none."""
    field = AsOfField(required=False)
    try:
        return field.clean(text) or usual_day(code, today)
    except ValidationError:
        return None
