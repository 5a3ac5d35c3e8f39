"""Which decisions rest on a policy as it held: a change never reaches them, and never goes before them."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Q

from fpadmin.accounts.models import Region
from fpadmin.scoping import below
from subsidies.models import OPEN_STATES, Application, ApplicationState, Enrolment
from subsidies.models.enrolments import active_on

DECIDED_HERE = Q(application__isnull=False) | Q(moved_from__isnull=False) | Q(version__isnull=False)
DECIDED = (ApplicationState.CONFIRMED, ApplicationState.REFUSED)


@dataclass(frozen=True)
class Resting:
    """What stands on the earlier versions of a policy in a region, and stays as it was decided."""

    enrolled: int  # on the roll today
    decided: int  # applications confirmed or refused
    open: int  # applications that the next step tests again, by the rule of its day

    @property
    def is_empty(self) -> bool:
        return not (self.enrolled or self.decided or self.open)


def resting(code: str, region: Region, day: date) -> Resting:
    """The numbers of a region and everything below it."""
    applications = _applications(code, region)
    return Resting(
        _enrolments(code, region).filter(active_on(day)).count(),
        applications.filter(state__in=DECIDED).count(),
        applications.filter(state__in=OPEN_STATES).exclude(state=ApplicationState.DRAFT).count(),
    )


def decided_since(code: str, region: Region, day: date) -> int:
    """Decisions of this product that hold from `day`'s month on, or were made since.

    Enrolments that came in by an import were decided elsewhere, by no rule that stands here.
    """
    month = day.replace(day=1)
    enrolled = (
        _enrolments(code, region)
        .filter(DECIDED_HERE)
        .filter(Q(start_month__gte=month) | Q(application__steps__at__date__gte=day))
        .distinct()
    )
    refused = (
        _applications(code, region)
        .filter(state=ApplicationState.REFUSED)
        .filter(Q(applied_on__gte=day) | Q(steps__at__date__gte=day))
        .distinct()
    )
    return enrolled.count() + refused.count()


def enrolled_between(code: str, region: Region, grade: str, start: date, end: date) -> int:
    """Enrolments decided here that were on the roll from `start`'s month to before `end`."""
    lasting = Q(end_month__isnull=True) | Q(end_month__gte=start.replace(day=1))
    return (
        _enrolments(code, region)
        .filter(DECIDED_HERE, lasting, grade=grade, start_month__lt=end)
        .count()
    )


def _enrolments(code: str, region: Region):
    return Enrolment.objects.filter(
        below(region.path, "resident__village__path"), policy_code=code
    ).order_by()


def _applications(code: str, region: Region):
    return Application.objects.filter(
        below(region.path, "resident__village__path"), policy_code=code
    ).order_by()
