"""What may be done with many lines of the rolls at once: propose that they end, pause, or go on."""

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.ui import acts
from fpadmin.ui.acts import Act
from subsidies.forms.enrolments import EndManyForm, ResumeManyForm, SuspendManyForm
from subsidies.models import Enrolment, EnrolmentChange
from subsidies.rolls import limits, roll_list
from subsidies.services.enrolments import propose_change

Kind = EnrolmentChange.Kind
MOST = 200


def _refusals(kind: str) -> Callable[..., dict[int, str]]:
    """The check of an act: lines of which such a change may not be, in the words of limits.refusal()."""

    def check(rows: list[Enrolment], *, by, values, day) -> dict[int, str]:
        now, month = timezone.now(), values["month"]
        reasons = {}
        for pk, standing in limits.standings(rows, [month]).items():
            if standing.is_waiting:
                reasons[pk] = limits.WAITING
                continue
            _, words = limits.refusal(standing, kind, month, values["end_reason"], now)
            if words:
                reasons[pk] = words
        return reasons

    return check


def _proposals(kind: str) -> Callable[..., dict[int, str]]:
    """The act: propose it for each; those refused after all are named."""

    @transaction.atomic
    def apply(rows: list[Enrolment], *, by, values, day) -> dict[int, str]:
        refused = {}
        for row in sorted(rows, key=lambda row: row.pk):  # as lines are locked elsewhere
            try:
                propose_change(by=by, enrolment=row, kind=kind, now=timezone.now(), **values)
            except RuleViolation as violation:
                refused[row.pk] = violation.message
        return refused

    return apply


def load() -> None:
    """Register the acts of both lists. Called once, by ready()."""
    for key in (roll_list.KEY, roll_list.SENSITIVE_KEY):
        for order, (kind, label, form, effect) in enumerate(
            (
                (Kind.END, "提出退出", EndManyForm, "提出退出，等审核人同意后生效，"),
                (Kind.SUSPEND, "提出暂停", SuspendManyForm, "提出暂停发放，等审核人同意后生效，"),
                (Kind.RESUME, "提出恢复", ResumeManyForm, "提出恢复发放，等审核人同意后生效，"),
            ),
            start=10,
        ):
            acts.register(
                Act(
                    key, kind, label, Permission.BENEFIT_EDIT, form=form, effect=effect, most=MOST,
                    check=_refusals(kind), apply=_proposals(kind), order=order,
                )
            )  # fmt: skip
