"""What keeps somebody off a roll: already on it, in person, as a couple or household; or one it excludes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from django.db.models import F, Q

from households.models import Marital, Resident
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook
from subsidies.policies.seeing import sees_sensitive
from subsidies.rolls.ends import month_words

# A couple whom death parted drew together: the line of the one counts for the other.
PAIRED = (Marital.FIRST, Marital.REMARRIED, Marital.RESUMED, Marital.WIDOWED)
OWN, SPOUSE, HOUSEHOLD = "own", "spouse", "household"
_TIES = {OWN: "", SPOUSE: "配偶", HOUSEHOLD: "同户的"}
UNNAMED = "本人、配偶或同户的人正在享受另一项不能同时享受的待遇，请由镇办核对"


@dataclass(frozen=True)
class Line:
    """One enrolment as far as a conflict needs it."""

    pk: int
    policy_code: str
    resident_id: int
    name: str
    start_month: date
    end_month: date | None

    def lasts_in(self, month: date) -> bool:
        """Whether it holds in `month` or later."""
        return self.end_month is None or self.end_month >= month


@dataclass
class Unit:
    """Somebody with whoever may stand on a roll for them, {resident: own, spouse or household}."""

    path: str
    people: dict[int, str] = field(default_factory=dict)

    def standing(self, who: str) -> set[int]:
        """Those who count as one where a policy has one line per `who`."""
        wide = {"couple": (OWN, SPOUSE), "family": (OWN, SPOUSE, HOUSEHOLD)}.get(who, (OWN,))
        return {pk for pk, tie in self.people.items() if tie in wide}

    def in_order(self) -> list[int]:
        """Oneself first, then the spouse, then the household."""
        ties = list(_TIES)
        return sorted(self.people, key=lambda pk: (ties.index(self.people[pk]), pk))


def conflicts_of(
    resident: Resident,
    policy_code: str,
    day: date,
    book: PolicyBook,
    *,
    user=None,
    exclusions: bool = True,
) -> list[str]:
    """Why `resident` may not be on the policy's roll from the month of `day` on; [] where nothing is.

    A `user` who may not know of sensitive policies is told nothing that rests on one: that something
    hidden speaks against it would tell which. Without a user such a one counts and is not named.
    Without `exclusions` only the policy's own roll counts.
    """
    pair = resident.pk, policy_code
    found = conflicts_of_many([pair], day, book, user=user, exclusions=exclusions)
    return found.get(pair, [])


def conflicts_of_many(
    pairs: Iterable[tuple[int, str]],
    day: date,
    book: PolicyBook,
    *,
    user=None,
    exclusions: bool = True,
) -> dict[tuple[int, str], list[str]]:
    """conflicts_of() for many (resident's key, policy), in a fixed number of queries."""
    pairs = list(dict.fromkeys(pairs))
    known = _Known.of({resident for resident, _ in pairs}, day, book, user)
    found = {pair: known.words(*pair, exclusions=exclusions) for pair in pairs}
    return {pair: words for pair, words in found.items() if words}


def conflicts_of_lines(
    lines: Iterable[Enrolment], day: date, book: PolicyBook, *, user=None
) -> dict[int, list[str]]:
    """By key, what speaks against lines that stand on a roll, from the month of `day` on."""
    lines = list(lines)
    known = _Known.of({line.resident_id for line in lines}, day, book, user)
    found = {
        line.pk: known.words(line.resident_id, line.policy_code, besides=line.pk) for line in lines
    }
    return {pk: words for pk, words in found.items() if words}


@dataclass(frozen=True)
class _Known:
    """Units of people with the lines that may speak against them from `month` on."""

    units: Mapping[int, Unit]
    lines: Mapping[int, list[Line]]
    month: date
    book: PolicyBook
    names_all: bool  # sensitive policies too
    keeps_quiet: bool  # of sensitive policies, even that there is one

    @classmethod
    def of(cls, residents: set[int], day: date, book: PolicyBook, user) -> "_Known":
        units, month = units_of(residents), day.replace(day=1)
        people = {pk for unit in units.values() for pk in unit.people}
        named = user is not None and sees_sensitive(user)
        quiet = user is not None and not named
        return cls(units, _lines(people, month), month, book, named, quiet)

    def words(
        self, resident: int, code: str, *, exclusions: bool = True, besides: int | None = None
    ) -> list[str]:
        """What speaks against the person on the policy's roll; the line `besides` doesn't."""
        unit = self.units.get(resident)
        if unit is None:
            return []
        drawn = [
            line for pk in unit.in_order() for line in self.lines.get(pk, ()) if line.pk != besides
        ]
        words = self._same_roll(unit, code, drawn)
        return words + self._excluded(unit, code, drawn) if exclusions else words

    def _same_roll(self, unit: Unit, code: str, drawn: list[Line]) -> list[str]:
        policy = catalogue.policy(code)
        standing = unit.standing(policy.who)
        return [
            _same(line, unit.people[line.resident_id], policy, line.lasts_in(self.month))
            for line in drawn
            if line.policy_code == code
            and line.resident_id in standing
            and (policy.cycle == "once" or line.lasts_in(self.month))
        ]

    def _excluded(self, unit: Unit, code: str, drawn: list[Line]) -> list[str]:
        words, hidden = [], False
        own = unit.standing(catalogue.policy(code).who)
        for line in drawn:
            other = catalogue.policy(line.policy_code)
            if other.code == code or not line.lasts_in(self.month):
                continue
            if line.resident_id not in own | unit.standing(other.who):
                continue
            if not self._exclude(code, other.code, unit.path):
                continue
            if self.names_all or not other.sensitive:
                words.append(_other(line, unit.people[line.resident_id]))
            else:
                hidden = not self.keeps_quiet
        return words + [UNNAMED] if hidden else words

    def _exclude(self, one: str, other: str, path: str) -> bool:
        """By the matrix, or because the one takes over from the other: never both in a month."""
        if one == catalogue.policy(other).moves_to or other == catalogue.policy(one).moves_to:
            return True
        return self.book.excludes(one, other, path) or self.book.excludes(other, one, path)


def units_of(residents: Iterable[int]) -> dict[int, Unit]:
    """Each with spouse and household as the registry has them now."""
    residents = set(residents)
    own = Resident.objects.filter(pk__in=residents).order_by()
    units, spouses, homes = {}, {}, defaultdict(set)
    for pk, spouse, marital, household, path in own.values_list(
        "pk", "spouse", "marital", "household", "village__path"
    ):
        units[pk] = Unit(path)
        homes[household].add(pk)
        if spouse and marital in PAIRED:
            spouses.setdefault(pk, set()).add(spouse)
    paired = Resident.objects.filter(spouse__in=residents, marital__in=PAIRED).order_by()
    for pk, spouse in paired.values_list("pk", "spouse"):
        spouses.setdefault(spouse, set()).add(pk)
    members = Resident.objects.filter(household__in=homes, merged_into__isnull=True).order_by()
    for pk, household in members.values_list("pk", "household"):
        for one in homes[household]:
            units[one].people[pk] = HOUSEHOLD
    for one, unit in units.items():
        unit.people |= dict.fromkeys(spouses.get(one, ()), SPOUSE)
        unit.people[one] = OWN
    return units


def paid_ever() -> Q:
    """Lines that hold for a month at least; one that ends before it starts was never paid."""
    return Q(end_month__isnull=True) | Q(end_month__gte=F("start_month"))


def _lines(people: set[int], month: date) -> Mapping[int, list[Line]]:
    """By person, the lines that hold in `month` or later, and what is paid only once."""
    once = [code for code, one in catalogue.policies().items() if one.cycle == "once"]
    rows = Enrolment.objects.filter(paid_ever(), resident__in=people).filter(
        Q(end_month__isnull=True) | Q(end_month__gte=month) | Q(policy_code__in=once)
    )
    found = defaultdict(list)
    for row in rows.order_by("start_month", "pk").values_list(
        "pk", "policy_code", "resident", "resident__name", "start_month", "end_month"
    ):
        line = Line(*row)
        found[line.resident_id].append(line)
    return found


def _same(line: Line, tie: str, policy: catalogue.Policy, lasts: bool) -> str:
    since = month_words(line.start_month)
    if not lasts:
        return f"{_TIES[tie]}{line.name}已享受过“{policy.name}”（{since}），只发一次"
    one = {SPOUSE: "夫妻只登记一份", HOUSEHOLD: "一户只登记一份"}.get(tie, "不能重复登记")
    return f"{_TIES[tie]}{line.name}已在“{policy.name}”在册（{since}起），{one}"


def _other(line: Line, tie: str) -> str:
    name, since = catalogue.name_of(line.policy_code), month_words(line.start_month)
    return f"{_TIES[tie]}{line.name}正在享受“{name}”（{since}起），两项不能同时享受"
