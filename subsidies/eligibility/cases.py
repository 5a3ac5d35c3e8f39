"""One person's case as a page and a letter tell it: verdict, criteria, from when, and how much."""

from dataclasses import dataclass
from datetime import date

from fpadmin.ui.templatetags.ui import date_cn, money
from households import selectors
from households.models import Resident
from households.special.dates_ahead import birthday
from subsidies.eligibility.explaining import Case, Outcome, explain
from subsidies.eligibility.facts import criteria_of
from subsidies.eligibility.masking import is_left_open, shown_to
from subsidies.eligibility.months import start_month
from subsidies.eligibility.predicates import Facts, predicate, wife_birth_date
from subsidies.eligibility.questions import Question
from subsidies.models import Application, Enrolment
from subsidies.policies.book import PolicyBook, documents_in, policy_book
from subsidies.policies.catalogue import ENDS, STARTS, Policy
from subsidies.policies.terms import rates_words
from subsidies.rolls.ends import month_words

# How a criterion stands; CHECK: what decides may not be told to who asks.
YES, NO, PROOF, CHECK = "yes", "no", "proof", "check"
ORDER = (NO, PROOF, CHECK, YES)
ELSEWHERE = "配偶登记在别处，由镇（街道）核对"
# Criteria whose value tells of the spouse alone.
_OF_SPOUSE = ("spouse_hukou", "wife_age")
UNITS = {
    "person": "个人",
    "couple": "夫妻一份，记在妻子名下，单亲的记在本人名下",
    "family": "一户一份，记在户主名下",
    "child": "记在子女名下，按父母的情况核对",
}
_EVERY = {"month": "每月", "year": "每年", "once": "一次性"}
_TIES = {"couple": "配偶", "family": "同户的", "child": "父母"}


@dataclass(frozen=True)
class Line:
    """One criterion as it is shown."""

    state: str
    text: str
    value: str
    basis: str

    @property
    def is_no(self) -> bool:
        return self.state == NO


@dataclass(frozen=True)
class Ahead:
    """The day on which an age is reached that alone is missing, and from when how much is then paid."""

    day: date
    start: date
    amount: str


@dataclass(frozen=True)
class Told:
    """A case with what the page says of it. `through` is "" where the person's own facts decide."""

    case: Case
    question: Question
    lines: list[Line]
    ahead: Ahead | None
    through: str
    enrolment: Enrolment | None
    application: Application | None
    rates: list[tuple[str, str]]

    @property
    def policy(self) -> Policy:
        return self.question.policy

    @property
    def missing(self) -> list[Line]:
        """The criteria that do not hold."""
        return [line for line in self.lines if line.is_no]

    @property
    def open(self) -> list[Line]:
        """The criteria that a paper or the township has to show."""
        return [line for line in self.lines if line.state in (PROOF, CHECK)]

    @property
    def outcome(self) -> str:
        """YES, NO, or PROOF where everything that records show holds."""
        return NO if self.missing else PROOF if self.open else YES

    @property
    def title(self) -> str:
        """2018年度不符合：8项条件中1项不满足"""
        when, whole = self.period, f"{len(self.lines)}项条件"
        if self.outcome == NO:
            return f"{when}不符合：{whole}中{len(self.missing)}项不满足"
        if self.outcome == PROOF:
            return (
                f"{when}待证明：{whole}中{len(self.open)}项要凭材料或由镇（街道）核对，其余都满足"
            )
        return f"{when}符合：{whole}都满足"

    @property
    def period(self) -> str:
        """2018年度 where the year's end was asked, else the day."""
        day = self.question.day
        if (day.month, day.day) == (12, 31) and self.case.rule.starts == "year":
            return f"{day.year}年度"
        return f"{date_cn(day)}"

    @property
    def terms(self) -> str:
        return f"{STARTS[self.case.rule.starts]}，{ENDS[self.case.rule.ends]}"

    @property
    def documents(self) -> list[str]:
        """What the rule rests on, one document a line."""
        return documents_in(self.case.rule.document)

    @property
    def unit(self) -> str:
        return UNITS[self.policy.who]

    @property
    def children(self) -> str:
        """The living children in words; "" where the facts are another's."""
        facts = self.case.facts
        return children_words(facts) if facts["resident_id"] == self.case.resident.pk else ""

    @property
    def start(self) -> str:
        """From when how much, for who qualifies now and applies on the day."""
        month = start_month(self.case.rule, held_on=self.question.day, applied_on=self.question.day)
        return f"从{month_words(month)}起{amount_words(self.question.book, self.case, month)}"


def tell(user, resident: Resident, question: Question, today: date) -> Told:
    """The case of `resident` as `user` may know it. In a fixed number of queries."""
    case = explain(resident, question.code, question.day, book=question.book)
    sees = selectors.sight_of(user)
    spouse = resident.spouse
    hidden = spouse is not None and not sees(spouse)
    enrolled = Enrolment.objects.visible_to(user).active_on(question.day)
    applied = Application.objects.visible_to(user).open()
    people = unit_people(resident, question.policy.who)
    through = ""
    if case.through.pk != resident.pk:
        name = case.through.name if sees(case.through) else "（登记在别处）"
        through = f"{_TIES[question.policy.who]}{name}"
    lines = [_line(outcome, hidden) for outcome in shown_to(user, case)]
    return Told(
        case=case,
        question=question,
        lines=sorted(lines, key=lambda line: ORDER.index(line.state)),
        ahead=_ahead(case, question) if len(case.failing) else None,
        through=through,
        enrolment=enrolled.filter(policy_code=question.code, resident__in=people)
        .select_related("resident").order_by("-start_month", "pk").first(),
        application=applied.filter(policy_code=question.code, resident__in=people)
        .select_related("resident").order_by("-pk").first(),
        rates=rates_words(question.policy, question.book, resident.village.path),
    )  # fmt: skip


def unit_people(resident: Resident, who: str):
    """Who counts as one with the person on a policy's roll."""
    if who == "couple" and resident.spouse_id:
        return [resident.pk, resident.spouse_id]
    if who == "family":
        members = Resident.objects.filter(household=resident.household_id, merged_into__isnull=True)
        return members.order_by().values("pk")
    return [resident.pk]


def children_words(facts: Facts) -> str:
    """两个女孩"""
    living, girls = facts["children_living"], facts["girls_living"]
    if not living:
        return "没有存活的子女" if facts["children_ever"] else "没有生育史"
    counted = {1: "一", 2: "两"}.get(living, str(living))
    if girls in (0, living):
        return f"{counted}个{'女孩' if girls else '男孩'}"
    return f"{counted}个，其中女孩{girls}个"


def amount_words(book: PolicyBook, case: Case, day: date) -> str:
    """每年960.00元; graded ones each; that there is no rate, where there is none."""
    policy, path = case.rule.policy, case.resident.village.path
    if policy.in_kind:
        return "享受（加分，不发钱）"
    every = _EVERY[policy.cycle]
    amounts = [(g, book.rate(policy.code, path, g, day)) for g in policy.grades or ("",)]
    known = [(grade, amount) for grade, amount in amounts if amount is not None]
    if not known:
        return "享受，标准由县级设定，现在还没有"
    return every + "、".join(f"{grade}{money(amount)}元" for grade, amount in known)


def reached_on(case: Case) -> date | None:
    """The first day on which every age that is missing is reached; None where anything else is missing."""
    days = []
    for criterion, outcome in zip(criteria_of(case.rule), case.criteria, strict=True):
        if outcome.holds is not False:
            continue
        low = criterion.params.get("min") if predicate(criterion).by_age else None
        born = _born(criterion.key, case.facts) if low is not None else None
        if born is None or birthday(born, low) <= case.day:
            return None
        days.append(birthday(born, low))
    return max(days, default=None)


def _ahead(case: Case, question: Question) -> Ahead | None:
    """Looked at again with the rule of that day: another age may be over by then."""
    day = reached_on(case)
    if day is None:
        return None
    book = policy_book(day)
    then = explain(case.resident, question.code, day, book=book)
    if not then.candidate:
        return None
    month = start_month(then.rule, held_on=day, applied_on=day)
    return Ahead(day, month, amount_words(book, then, max(day, month)))


def _born(key: str, facts: Facts) -> date | None:
    if key == "child_age":
        return facts["living_birth_date"] if facts["children_living"] == 1 else None
    return wife_birth_date(facts) if key == "wife_age" else facts["birth_date"]


def _line(outcome: Outcome, spouse_hidden: bool) -> Line:
    state = {True: YES, False: NO, None: PROOF}[outcome.holds]
    if is_left_open(outcome):
        state = CHECK
    hides = spouse_hidden and outcome.key in _OF_SPOUSE
    return Line(state, outcome.text, ELSEWHERE if hides else outcome.value, outcome.basis)
