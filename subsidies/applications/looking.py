"""What an application looks like today: criteria by the records, proof, papers, conflicts."""

from dataclasses import dataclass
from datetime import date

from households.models import ChildRecord, Relation, Resident, Sex
from subsidies.applications.papers import missing_papers
from subsidies.conflicts import conflicts_of
from subsidies.eligibility import explaining, months
from subsidies.eligibility.facts import MARRIED
from subsidies.eligibility.masking import is_left_open, shown_to
from subsidies.models import Application
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, Rule, policy_book, policy_books
from subsidies.policies.seeing import codes_for


@dataclass(frozen=True)
class Looked:
    """One application as of today. `criteria` and `conflicts` are in words that the asker may read."""

    case: explaining.Case
    criteria: list[explaining.Outcome]
    conflicts: list[str]
    missing: list[str]  # kinds of papers, in words

    @property
    def rule(self) -> Rule:
        return self.case.rule

    @property
    def failing(self) -> list[str]:
        """What the records contradict, in words."""
        return [told(one) for one in self.criteria if one.holds is False]

    @property
    def unproved(self) -> list[str]:
        """Facts that no record shows and nobody has confirmed yet."""
        return [one.text for one in self.criteria if one.holds is None and not is_left_open(one)]

    @property
    def is_meeting(self) -> bool:
        """Whether all holds that may be told; what is left open is the township's to look at."""
        return not self.failing and not self.unproved


def told(outcome: explaining.Outcome) -> str:
    """A criterion with what was found: 年满60周岁（1959-05-08出生，满59周岁）."""
    return f"{outcome.text}（{outcome.value}）" if outcome.value else outcome.text


def book_for(code: str, today: date) -> PolicyBook:
    """The rules by which an application is judged today: those of the day that is asked about."""
    return policy_book(months.usual_day(code, today))


def look(application: Application, today: date, *, user, book: PolicyBook | None = None) -> Looked:
    """The application judged anew by the records as they are, with the facts attested."""
    code = application.policy_code
    day = months.usual_day(code, today)
    book = book or policy_book(day)
    case = explaining.explain(
        application.resident, code, day, book=book, attested=application.attested
    )
    return Looked(
        case,
        shown_to(user, case),
        conflicts_of(application.resident, code, today, book, user=user),
        missing_papers(application, case.rule),
    )


def candidate_as(criteria: list[explaining.Outcome]) -> bool:
    """Whether nothing speaks against it of what is shown."""
    return all(one.holds is not False for one in criteria)


def already_on(user, resident: Resident, code: str, today: date) -> str:
    """Why nobody need apply: the policy is drawn already, by the person or for them; "" where it isn't."""
    return "；".join(
        conflicts_of(resident, code, today, book_for(code, today), user=user, exclusions=False)
    )


def start_month(application: Application, looked: Looked, *, user) -> date | None:
    """The first month of the benefit; None while the criteria don't hold, as far as `user` may know.

    Else the month that a step of theirs leaves behind would tell of a hidden roll.
    """
    if not looked.is_meeting:
        return None
    held_on = _held_on(user, application, looked.case)
    return months.start_month(looked.rule, held_on=held_on, applied_on=application.applied_on)


def facts_to_attest(rule: Rule) -> list[str]:
    """What nobody's records show and a paper must, by the rule of the place."""
    return [one.params for one in rule.criteria if one.key == explaining.ATTESTED]


def rules_offered(user, resident: Resident, today: date) -> list[Rule]:
    """The policies that `user` may apply for in the person's name: switched on there, and not closed."""
    days = {code: months.usual_day(code, today) for code in codes_for(user)}
    books = policy_books(set(days.values()))
    rules = [books[day].rule(code, resident.village.path) for code, day in days.items()]
    return [rule for rule in rules if rule.is_on and not rule.policy.closed]


def applicant_of(resident: Resident, policy: catalogue.Policy) -> Resident | None:
    """In whose name the policy is applied for: the wife, the living 户主; None where it is no child."""
    if policy.who == "couple":
        wife = resident.spouse if resident.sex == Sex.MALE else None
        there = wife and wife.sex == Sex.FEMALE and not (wife.death_date or wife.departed_on)
        return wife if there and resident.marital in MARRIED else resident
    if policy.who == "family" and resident.relation != Relation.HEAD:
        return explaining.head_of(resident)
    if policy.who == "child":
        return resident if ChildRecord.objects.filter(child=resident).exists() else None
    return resident


def in_whose_name(rule: Rule, applicant: Resident | None) -> str:
    """The same in words, for who asked in another's name."""
    name = rule.policy.name
    if applicant is None:
        return f"“{name}”按子女登记，这位居民不在任何人的生育史里。"
    unit = catalogue.WHO[rule.policy.who]
    return f"“{name}”按{unit}登记，请以{applicant.name}的名义申请。"


def _held_on(user, application: Application, case: explaining.Case) -> date:
    """The day as of which the criteria were seen to hold: that of the application, where they did then.

    So nobody loses months because the office took its time.
    """
    then = months.usual_day(application.policy_code, application.applied_on)
    if then == case.day:
        return application.applied_on
    earlier = explaining.explain(
        application.resident,
        application.policy_code,
        then,
        rule=case.rule,
        attested=application.attested,
    )
    held = all(one.holds or is_left_open(one) for one in shown_to(user, earlier))
    return application.applied_on if held else case.day
