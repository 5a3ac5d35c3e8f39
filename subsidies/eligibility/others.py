"""The other policies of a person, spouse, household and children on one page: drawn, open to them, or not."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from households.models import ChildRecord, Resident, registered
from subsidies.conflicts import conflicts_of_many
from subsidies.eligibility.explaining import ATTESTED, tested
from subsidies.eligibility.facts import criteria_of
from subsidies.eligibility.predicates import EXCLUDES, predicate, words
from subsidies.eligibility.questions import Question
from subsidies.models import Application, Enrolment, Suspension
from subsidies.policies import catalogue
from subsidies.policies.catalogue import Policy
from subsidies.policies.seeing import codes_for
from subsidies.rolls.ends import month_words

PERSON, COUPLE, FAMILY, CHILD = "person", "couple", "family", "child"
DRAWN, SUSPENDED, APPLIED, CLASH, OPEN, PROOF, NO = range(7)
TAGS = {
    DRAWN: ("ok", "在享"), SUSPENDED: ("warn", "已暂停"), APPLIED: ("run", "办理中"),
    CLASH: ("warn", "有冲突"), OPEN: ("ok", "可以申请"), PROOF: ("wait", "待证明"),
    NO: ("off", "不符合"),
}  # fmt: skip


@dataclass(frozen=True)
class Unit:
    """Somebody, a couple or a household that a policy is about. `resident` is asked, `people` decide."""

    label: str
    resident: Resident
    people: tuple[int, ...]
    standing: frozenset[int]  # whose enrolment counts as theirs


@dataclass(frozen=True)
class Other:
    """One policy of one unit: how it stands, and why."""

    who: str
    policy: Policy
    state: int
    hint: str
    resident: Resident

    @property
    def kind(self) -> str:
        return TAGS[self.state][0]

    @property
    def word(self) -> str:
        return TAGS[self.state][1]


@dataclass(frozen=True)
class Around:
    """What the page tells of the people around: their policies, and what is drawn against the rules."""

    items: list[Other]
    clashes: list[str]
    drawn: list[str]  # what the person himself draws, by name

    @property
    def standing(self) -> list[Other]:
        """Those that are drawn, applied for, or open to somebody."""
        return [one for one in self.items if one.state != NO]

    @property
    def not_met(self) -> list[Other]:
        """Those whose conditions nobody meets."""
        return [one for one in self.items if one.state == NO]

    @property
    def tells_sensitive(self) -> bool:
        """Whether a policy shows that tells of a child's death or illness.

        What waits for a proof tells nothing: it waits so for everybody.
        """
        return any(one.policy.sensitive and one.state not in (PROOF, NO) for one in self.items)


@dataclass(frozen=True)
class _People:
    """Whom the page is about, as far as the user sees them."""

    resident: Resident
    spouse: Resident | None
    members: list[Resident]
    children: list[Resident]
    parents: dict[int, tuple[int, ...]]  # of the children, and of the person himself

    def units(self, who: str) -> list[Unit]:
        """The units of policies of that kind."""
        own = self.resident
        couple = tuple(pk for pk in (own.pk, own.spouse_id) if pk)
        home = tuple(dict.fromkeys([own.pk, *(member.pk for member in self.members)]))
        if who == COUPLE:
            return [Unit("夫妻" if own.spouse_id else "", own, couple, frozenset(couple))]
        if who == FAMILY:
            return [Unit("本户", own, home, frozenset(home))]
        if who == CHILD:
            found = [own, *self.children] if own.pk in self.parents else self.children
            return [self._unit(one, self.parents[one.pk]) for one in found]
        pair = [own, self.spouse] if self.spouse else [own]
        return [self._unit(one, (one.pk,)) for one in pair]

    def _unit(self, one: Resident, people: tuple[int, ...]) -> Unit:
        tie = "" if one == self.resident else "配偶" if one == self.spouse else "子女"
        return Unit(f"{tie}{one.name}" if tie else "", one, people, frozenset([one.pk]))


def around(user, resident: Resident, question: Question) -> Around:
    """How the person, the spouse, the household and the children stand to every policy of the place.

    Policies that are on, and those that somebody draws. Without the one that the page is about, where
    it is the person's own. One query for each policy, a fixed number beside.
    """
    people = _people(user, resident, question.day)
    everybody = {p.pk: p for p in [resident, *people.members, *people.children]}
    if people.spouse:
        everybody[people.spouse.pk] = people.spouse
    drawn = _drawn(user, everybody, question.day)
    applied = set(
        Application.objects.visible_to(user).open().filter(resident__in=everybody).order_by()
        .values_list("resident", "policy_code")
    )  # fmt: skip
    known = codes_for(user)
    on = set(question.book.on_codes(resident.village.path)) | {code for _, code in drawn}
    cases: list[tuple[Unit, str]] = []
    for code in known:
        if code in on:
            policy = catalogue.policy(code)
            cases += [
                (unit, code) for unit in people.units(policy.who)
                if code != question.code or (policy.who == PERSON and unit.resident != resident)
            ]  # fmt: skip
    clashes = conflicts_of_many(
        [(unit.resident.pk, code) for unit, code in cases], question.day, question.book, user=user
    )
    outcomes = _outcomes(question, cases, everybody)
    items = [
        _other(unit, code, drawn, applied, clashes, outcomes[unit.resident.pk, code])
        for unit, code in cases
    ]
    told = {(pk, code) for unit, code in cases for pk in unit.standing}
    told |= {(resident.pk, question.code)}
    # What others of the household draw, whom no policy was looked at for.
    items += [
        _drawing(everybody[pk], f"同户{everybody[pk].name}", code, *drawn[pk, code])
        for pk, code in drawn
        if (pk, code) not in told and code in known
    ]
    return Around(
        items=sorted((one for one in items if one), key=lambda one: one.state),
        clashes=_clashes(question, everybody, drawn),
        drawn=[
            catalogue.name_of(code) for pk, code in drawn if pk == resident.pk and code in known
        ],
    )


def _people(user, resident: Resident, day: date) -> _People:
    seen = Resident.objects.visible_to(user).select_related("village", "household")
    spouse = seen.filter(registered(day), pk=resident.spouse_id or 0).first()
    members = list(seen.filter(registered(day), household=resident.household_id).order_by("pk"))
    pair = [resident.pk, *([spouse.pk] if spouse else [])]
    history = ChildRecord.objects.filter(
        Q(mother__in=pair) | Q(father__in=pair) | Q(child=resident.pk), child__isnull=False
    )
    parents = {
        child: tuple(pk for pk in both if pk)
        for child, *both in history.order_by().values_list("child", "mother", "father")
    }
    keys = [child for child in parents if child != resident.pk]
    children = list(seen.filter(registered(day), pk__in=keys).order_by("birth_date", "pk"))
    return _People(resident, spouse, members, children, parents)


def _drawn(
    user, people: Collection[int], day: date
) -> dict[tuple[int, str], tuple[Enrolment, bool]]:
    """(person, policy) → the line on the roll, and whether it is suspended."""
    lines = list(
        Enrolment.objects.visible_to(user).active_on(day).filter(resident__in=list(people))
        .order_by("start_month", "pk")
    )  # fmt: skip
    month = day.replace(day=1)
    still = Q(until_month__isnull=True) | Q(until_month__gte=month)
    stopped = set(
        Suspension.objects.filter(still, enrolment__in=lines, from_month__lte=month)
        .order_by().values_list("enrolment", flat=True)
    )  # fmt: skip
    return {(one.resident_id, one.policy_code): (one, one.pk in stopped) for one in lines}


def _outcomes(
    question: Question, cases, seen: Collection[int]
) -> dict[tuple[int, str], tuple[int, str]]:
    """(resident, policy) → OPEN, PROOF or NO, with the reason: one query a policy and place."""
    asked = defaultdict(list)
    for unit, code in cases:
        asked[code, unit.resident.village.path].append(unit)
    found = {}
    for (code, path), units in asked.items():
        rule = question.book.rule(code, path)
        # Conflicts are told in their own words.
        criteria = [one for one in criteria_of(rule) if one.key != EXCLUDES]
        ids = sorted({pk for unit in units for pk in unit.people})
        rows = tested(rule, criteria, question.day, ids)
        for unit in units:
            known = [rows[pk] for pk in unit.people if pk in rows]
            found[unit.resident.pk, code] = _best(criteria, known, question, seen)
    return found


def _best(criteria, rows, question: Question, seen: Collection[int]) -> tuple[int, str]:
    """Of whom all hold, else who comes nearest. Somebody out of sight has no values here."""
    if not rows:
        return NO, "没有登记"
    facts, holds = max(rows, key=lambda row: (all(row[1]), sum(row[1])))
    for criterion, hold in zip(criteria, holds, strict=True):
        if not hold and facts["resident_id"] not in seen:
            return NO, words(criterion)
        if not hold:
            if criterion.key == "dibao":
                return NO, "没有在享低保的登记"
            value = predicate(criterion).found(facts, criterion.params, question.day)
            return NO, f"{words(criterion)}：{value}"
    proofs = [one.params for one in criteria if one.key == ATTESTED]
    return (PROOF, "要证明：" + "、".join(proofs)) if proofs else (OPEN, "")


def _other(unit: Unit, code: str, drawn, applied, clashes, outcome) -> Other | None:
    policy = catalogue.policy(code)
    for pk in sorted(unit.standing):
        if (pk, code) in drawn:
            return _drawing(unit.resident, unit.label, code, *drawn[pk, code])
    if policy.closed:
        return None
    state, hint = outcome
    if any((pk, code) in applied for pk in unit.standing):
        state, hint = APPLIED, ""
    elif state != NO and (unit.resident.pk, code) in clashes:
        state, hint = CLASH, "；".join(clashes[unit.resident.pk, code])
    return Other(unit.label, policy, state, hint, unit.resident)


def _drawing(person: Resident, who: str, code: str, line: Enrolment, is_suspended: bool) -> Other:
    state = SUSPENDED if is_suspended else DRAWN
    hint = f"{month_words(line.start_month)}起"
    return Other(who, catalogue.policy(code), state, hint, person)


def _clashes(question: Question, people: dict[int, Resident], drawn) -> list[str]:
    """What somebody draws at the same time although one excludes the other."""
    by_person = defaultdict(list)
    for pk, code in drawn:
        by_person[pk].append(code)
    found = []
    for pk, codes in by_person.items():
        path = people[pk].village.path
        for at, one in enumerate(codes):
            for other in codes[at + 1 :]:
                book = question.book
                if book.excludes(one, other, path) or book.excludes(other, one, path):
                    names = "和".join(f"“{catalogue.name_of(code)}”" for code in (one, other))
                    found.append(f"{people[pk].name}同时在享{names}，这两项不能同时享受")
    return found
