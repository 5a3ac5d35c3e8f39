"""What a pension rests on: facts of the retirement, the identity check, the batch (第七批) it goes with."""

from collections.abc import Sequence
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models import F

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.services.scope import require_visible
from subsidies.models import Enrolment, PensionCase
from subsidies.oneoff.pensions import BOUND, CODE, NO_CASE, batch_refusals, bound_people

EVENT_TYPES = {
    "pension.case_set": "登记养老补助情况",
    "pension.identity_checked": "核对养老补助对象身份",
    "pension.put_in_batch": "养老补助放入批次",
}
OLDEST = date(1973, 1, 1)


@transaction.atomic
def set_case(
    *,
    by,
    enrolment: Enrolment,
    row_version: int,
    retired_month: date,
    payer: str,
    employer: str = "",
    part: str = "",
    today: date,
) -> PensionCase:
    """The month of retirement, who pays, the former employer and the batch.

    `row_version` is that of the facts that the form was opened on, 0 where there were none. Refuses a
    line of another policy, a month to come, an employer left out where the employer pays, and any
    change once the payment was approved.
    """
    _require_pension(enrolment, by)
    values = {
        "retired_month": retired_month.replace(day=1), "payer": payer,
        "employer": employer.strip(), "part": part.strip(),
    }  # fmt: skip
    if payer not in PensionCase.Payer.values:
        raise ValueError(f"unknown payer {payer!r}; known: {PensionCase.Payer.values}")
    if not OLDEST <= values["retired_month"] <= today:
        raise RuleViolation("退休年月不能早于1973年，也不能晚于本月。", field="retired_month")
    if payer == PensionCase.Payer.EMPLOYER and not values["employer"]:
        raise RuleViolation("由单位发放的，要写明原单位。", field="employer")
    if bound_people([enrolment]):
        raise RuleViolation(BOUND)
    case = PensionCase.objects.filter(enrolment=enrolment).first()
    if case is None:
        changed = sorted(name for name, value in values.items() if value)
        case = _created(enrolment, values)
    else:
        claim(case, row_version)
        changed = sorted(name for name, value in values.items() if getattr(case, name) != value)
        for name, value in values.items():
            setattr(case, name, value)
        case.save(update_fields=list(values))
        case.refresh_from_db()
    _record("pension.case_set", enrolment, by, {"fields": changed})
    return case


@transaction.atomic
def check_identity(
    *, by, enrolment: Enrolment, row_version: int, checked_on: date, today: date
) -> PensionCase:
    """That `by` saw on that day who the person is: the office's whole work where the insurance pays.

    Refuses where no facts stand, a day to come, one before the retirement, and one before the last check.
    """
    _require_pension(enrolment, by)
    case = PensionCase.objects.filter(enrolment=enrolment).first()
    if case is None:
        raise RuleViolation(NO_CASE)
    if checked_on > today:
        raise RuleViolation(
            f"核对日期{checked_on}在今天（{today}）之后，请核对。", field="checked_on"
        )
    if checked_on < case.retired_month:
        raise RuleViolation("核对日期不能早于退休年月。", field="checked_on")
    if case.identity_checked_on and checked_on < case.identity_checked_on:
        raise RuleViolation(
            f"已有{case.identity_checked_on}的核对记录，不能登记更早的。", field="checked_on"
        )
    claim(case, row_version)
    before = case.identity_checked_on
    case.identity_checked_by, case.identity_checked_on = by, checked_on
    case.save(update_fields=["identity_checked_by", "identity_checked_on"])
    case.refresh_from_db()
    changes = {"identity_checked_on": [str(before) if before else "", str(checked_on)]}
    _record("pension.identity_checked", enrolment, by, changes)
    return case


@transaction.atomic
def put_in_batch(*, by, enrolments: Sequence[Enrolment], part: str) -> dict[int, str]:
    """Put many into a batch by name; returns {enrolment: why not} of those left as they were."""
    part = part.strip()
    if not part:
        raise RuleViolation("请填写批次，例如第七批。", field="part")
    cases = PensionCase.objects.visible_to(by).select_for_update(of=("self",))
    held = {case.enrolment_id: case for case in cases.filter(enrolment__in=enrolments)}
    refused = batch_refusals(enrolments, part)
    for one in enrolments:
        if one.pk not in held:
            refused.setdefault(one.pk, NO_CASE)
    moved = [one for one in enrolments if one.pk not in refused]
    keys = [held[one.pk].pk for one in moved]
    PensionCase.objects.filter(pk__in=keys).update(part=part, row_version=F("row_version") + 1)
    for one in moved:
        _record("pension.put_in_batch", one, by, {"part": [held[one.pk].part, part]})
    return refused


def _created(enrolment: Enrolment, values: dict) -> PensionCase:
    try:
        with transaction.atomic():
            return PensionCase.objects.create(enrolment=enrolment, **values)
    except IntegrityError:
        raise RuleViolation("刚刚有别人登记过，请重新打开查看。") from None


def _require_pension(enrolment: Enrolment, by) -> None:
    if enrolment.policy_code != CODE:
        raise RuleViolation("这条记录不是一次性养老补助。")
    require_visible(Enrolment.objects.visible_to(by), enrolment)


def _record(type_: str, enrolment: Enrolment, by, changes: dict) -> None:
    path = enrolment.resident.village.path
    log.record(type_, by=by, target=enrolment, region_path=path, changes=changes)
