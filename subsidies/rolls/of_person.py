"""What people draw, beside each other: for the page of a person, of a household, of a special family."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Q

from fpadmin.dates import month_end
from fpadmin.ui.templatetags.ui import status_tag
from households.models import FamilyParent, Resident, SpecialFamily
from households.special import benefits
from households.special.benefits import BenefitRow
from subsidies.conflicts import paid_ever
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.rolls import states
from subsidies.rolls.rates import rate_case


@dataclass(frozen=True)
class Benefit:
    """One line of a roll as pages show it. `rate` is None where none is fixed."""

    enrolment: Enrolment
    state: str
    rate: Decimal | None
    conflicts: tuple[str, ...] = ()  # what speaks against it, where somebody asked

    @property
    def name(self) -> str:
        """What the policy is called."""
        return catalogue.name_of(self.enrolment.policy_code)

    @property
    def is_current(self) -> bool:
        """Whether it lasts, suspended or not."""
        return self.state not in (states.ENDED, states.COMING)

    @property
    def tag(self):
        """Its state as the look shows it."""
        return status_tag(states.TAGS[self.state], states.WORDS[self.state])

    @property
    def cycle(self) -> str:
        """月, 年 or 次."""
        return catalogue.CYCLES[catalogue.policy(self.enrolment.policy_code).cycle]


def benefits_of_people(user, resident_ids: Collection[int], day: date) -> list[Benefit]:
    """Everything that these people draw or drew, as far as `user` may know, current ones first.

    In a fixed number of queries. The enrolments come with resident, household and village.
    """
    lines = Enrolment.objects.visible_to(user).for_list().filter(resident__in=list(resident_ids))
    return _benefits(lines.filter(paid_ever()), day)


def of_special_family(family: SpecialFamily, day: date) -> list[BenefitRow]:
    """What the parents of an archive and their household draw or drew, for the archive's page.

    Whoever may open the archive may know: it tells the same.
    """
    parents = FamilyParent.objects.filter(family=family).in_term_on(day).values("resident")
    people = Resident.objects.filter(
        Q(pk__in=parents) | Q(household=family.household_id, departed_on__isnull=True)
    )
    lines = Enrolment.objects.for_list().filter(paid_ever(), resident__in=people.values("pk"))
    return [
        BenefitRow(
            one.name,
            one.enrolment.start_month,
            _last_day(one.enrolment.end_month),
            one.rate if one.is_current else None,
            _note(one),
        )
        for one in _benefits(lines, day)
    ]


def _benefits(lines, day: date) -> list[Benefit]:
    found = states.with_state(lines, day).annotate(rate=rate_case(policy_book(day), day))
    rows = [Benefit(line, line.state, line.rate) for line in found]
    return sorted(rows, key=lambda one: (not one.is_current, one.enrolment.start_month))


def _last_day(month: date | None) -> date | None:
    return month and month_end(month.year, month.month)


def _note(one: Benefit) -> str:
    words = [one.enrolment.resident.name]
    if one.state != states.ACTIVE:
        words.append(states.WORDS[one.state])
    if one.rate is not None and one.is_current:
        words.append(f"每{one.cycle}")
    return "　".join(words)


def load() -> None:
    """Tell the archives of special families. Called once, by ready()."""
    benefits.register("enrolments", of_special_family)
