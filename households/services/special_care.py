"""Care of special families: cards, priorities, checks, contracts, insurance, aid, anniversaries.

Cards and contracts end and stay on record. The other tables keep no history: a row that should not
be is removed, and the audit trail says that it was, when and why.
"""

from collections.abc import Callable
from copy import copy
from datetime import date
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.models import (
    AidReceived,
    Anniversary,
    DoctorContract,
    FamilyParent,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    PriorityService,
    Resident,
    SpecialFamily,
)
from households.services.scope import require_visible
from households.special.holding import locked_family

EVENT_TYPES = {
    "special.care_recorded": "登记就医与照护",
    "special.care_corrected": "更正就医与照护",
    "special.care_removed": "删除就医与照护的登记",
    "special.check_recorded": "登记健康体检",
    "special.card_ended": "停用就医卡",
    "special.contract_ended": "终止家庭医生签约",
}
CHANGE_LABELS = {"reason": "原因"}
CLOSED = "这份档案已经结案，不能再登记。"


class RemoveReason(models.TextChoices):
    """Why a row is removed: chosen, so that the audit trail holds nobody's particulars."""

    MISTAKE = "mistake", "登记错误"
    DOUBLE = "double", "重复登记"
    WRONG_FAMILY = "wrong_family", "登记到了别的家庭"
    ASKED = "asked", "家庭要求去掉"


CareRow = (
    MedicalCard
    | PriorityService
    | HealthCheck
    | DoctorContract
    | NursingInsurance
    | AidReceived
    | Anniversary
)


@transaction.atomic
def record_care(
    *, by, model: type[CareRow], family: SpecialFamily, values: dict[str, Any], today: date
) -> CareRow:
    """A new row of any of the tables, with `values` of its fields.

    Refuses a day ahead, a holder who is not of the family, a card number that another family of the
    township has, a second card or contract of one person side by side, and anything new in a closed
    archive.
    """
    family = locked_family(family)
    if family.closed_on:
        raise RuleViolation(CLOSED)
    row = model(family=family, **values)
    if hasattr(row, "recorded_on"):
        row.recorded_on, row.recorded_by = today, by
    _RULES[model](row, today)
    _save(row)
    _record("special.care_recorded", row, by, _days_of(row))
    return row


@transaction.atomic
def correct_care(*, by, row: CareRow, values: dict[str, Any], today: date) -> CareRow:
    """Correct a row; the same is refused as of a new one. `values` may leave fields out."""
    locked_family(row.family)
    row = type(row).objects.select_related("family__household__village").get(pk=row.pk)
    before = copy(row)
    for name, value in values.items():
        setattr(row, name, value)
    if hasattr(row, "ended_on") and row.ended_on:
        raise RuleViolation("已经停用或终止，不能再更正。")
    _RULES[type(row)](row, today)
    _save(row, values)
    _record("special.care_corrected", row, by, log.changes_between(before, row, values))
    return row


@transaction.atomic
def remove_care(*, by, row: CareRow, reason: str) -> None:
    """Delete a row that should not be. Cards and contracts are refused: they end."""
    if isinstance(row, MedicalCard | DoctorContract):
        raise RuleViolation("就医卡和签约不能删除，请停用或终止。")
    locked_family(row.family)
    row = type(row).objects.select_related("family__household__village").get(pk=row.pk)
    require_visible(type(row).objects.visible_to(by), row)
    gone = {name: [new, old] for name, (old, new) in _days_of(row).items()}
    log.record(
        "special.care_removed",
        by=by,
        target=row,
        region_path=row.family.household.village.path,
        changes={"reason": ["", RemoveReason(reason).label], **gone},
    )
    row.delete()


@transaction.atomic
def record_checks(
    *, by, parents: list[FamilyParent], checked_on: date, hospital: str, today: date
) -> dict[int, str]:
    """The yearly check of many parents on one day at one hospital.

    Whoever cannot is left out: {pk of the FamilyParent: reason}.
    """
    if checked_on > today:
        raise RuleViolation("体检日期不能晚于今天。", field="checked_on")
    families = SpecialFamily.objects.filter(pk__in=[one.family_id for one in parents])
    list(families.order_by("pk").select_for_update(of=("self",)).values_list("pk"))
    refused = check_refusals(parents, checked_on)
    rows = [
        HealthCheck(
            family=one.family,
            resident=one.resident,
            checked_on=checked_on,
            hospital=hospital,
            recorded_on=today,
            recorded_by=by,
        )
        for one in parents
        if one.pk not in refused
    ]
    HealthCheck.objects.bulk_create(rows)
    mine = HealthCheck.objects.visible_to(by).filter(pk__in=[row.pk for row in rows])
    if mine.count() != len(rows):
        raise RuleViolation("所选的家庭有的不在您的区划内，没有保存。")
    log.record_many(
        (
            log.Entry(
                "special.check_recorded",
                target_type=row._meta.label_lower,
                target_id=str(row.pk),
                region_path=row.family.household.village.path,
                changes=_days_of(row),
            )
            for row in rows
        ),
        by=by,
    )
    return refused


@transaction.atomic
def end_card(*, by, card: MedicalCard, ended_on: date, reason: str, today: date) -> MedicalCard:
    """The card counts no longer from `ended_on`. Refuses a day ahead, or before it was issued."""
    locked_family(card.family)
    card = MedicalCard.objects.select_related("family__household__village").get(pk=card.pk)
    if card.ended_on:
        raise RuleViolation(f"这张卡已于{card.ended_on}停用。")
    if ended_on > today:
        raise RuleViolation("停用日期不能晚于今天。", field="ended_on")
    if card.issued_on and ended_on < card.issued_on:
        raise RuleViolation(f"停用日期不能早于发卡日期{card.issued_on}。", field="ended_on")
    card.ended_on, card.end_reason = ended_on, reason
    card.save(update_fields=["ended_on", "end_reason"])
    _record("special.card_ended", card, by, {"ended_on": ["", str(ended_on)]})
    return card


@transaction.atomic
def replace_card(
    *, by, card: MedicalCard, number: str, day: date, expires_on: date | None, today: date
) -> MedicalCard:
    """End the card on `day` and issue another to the same holder on that day."""
    end_card(by=by, card=card, ended_on=day, reason="换卡", today=today)
    values = {
        "resident": card.resident,
        "number": number,
        "issued_on": day,
        "expires_on": expires_on,
    }
    return record_care(by=by, model=MedicalCard, family=card.family, values=values, today=today)


@transaction.atomic
def end_contract(*, by, contract: DoctorContract, ended_on: date, today: date) -> DoctorContract:
    """The contract is in force no longer on `ended_on`. Refuses a day ahead, or outside its term."""
    locked_family(contract.family)
    contract = DoctorContract.objects.select_related("family__household__village").get(
        pk=contract.pk
    )
    if contract.ended_on:
        raise RuleViolation(f"这份签约已于{contract.ended_on}终止。")
    if ended_on > today:
        raise RuleViolation("终止日期不能晚于今天。", field="ended_on")
    if not contract.signed_on <= ended_on <= contract.until:
        raise RuleViolation(
            f"终止日期要在签约期间（{contract.signed_on}至{contract.until}）。", field="ended_on"
        )
    contract.ended_on = ended_on
    contract.save(update_fields=["ended_on"])
    _record("special.contract_ended", contract, by, {"ended_on": ["", str(ended_on)]})
    return contract


def check_refusals(parents: list[FamilyParent], day: date) -> dict[int, str]:
    """Which of these parents cannot have a check recorded on `day`, and why: one query."""
    done = set(
        HealthCheck.objects.filter(
            resident__in=[one.resident_id for one in parents], checked_on=day
        ).values_list("resident", flat=True)
    )
    reasons = {}
    for one in parents:
        died = one.resident.death_date
        if one.resident_id in done:
            reasons[one.pk] = f"{day}的体检已经登记"
        elif died and died < day:
            reasons[one.pk] = f"已于{died}去世"
        elif day < one.resident.birth_date:
            reasons[one.pk] = "体检日期早于出生日期"
    return reasons


def _refuse_card(card: MedicalCard, today: date) -> None:
    _refuse_stranger(card, "持卡人")
    _refuse_ahead(card, "issued_on", "发卡日期", today)
    if card.issued_on and card.expires_on and card.expires_on < card.issued_on:
        raise RuleViolation(f"有效期不能早于发卡日期{card.issued_on}。", field="expires_on")
    village = card.family.household.village
    # Two clerks of one township issue in turn: the same number is not given twice.
    Region.objects.select_for_update(no_key=True).get(pk=village.parent_id)
    same = MedicalCard.objects.filter(number=card.number).exclude(pk=card.pk)
    if same.filter(family=card.family_id).exists():
        raise RuleViolation(f"这一户已登记过就医卡{card.number}。", field="number")
    elsewhere = same.filter(
        ended_on__isnull=True, family__household__village__parent=village.parent
    )
    if elsewhere.exists():
        raise RuleViolation(
            f"就医卡{card.number}在本乡镇（街道）已登记给另一户。请核对卡号。", field="number"
        )
    _refuse_second_card(card, today)


def _refuse_second_card(card: MedicalCard, today: date) -> None:
    """A holder, or the family where nobody is named, has one card that is good today."""
    if card.expires_on and card.expires_on < today:
        return
    valid = MedicalCard.objects.valid_on(today).filter(
        family=card.family_id, resident=card.resident_id
    )
    if card.pk and valid.filter(pk=card.pk).exists():
        return  # a correction of what was good before; workbooks bring such cards side by side
    other = valid.exclude(pk=card.pk).first()
    if other:
        holder = card.resident.name if card.resident else "这一户"
        raise RuleViolation(
            f"{holder}已有有效的就医卡{other.number}。要换新卡，请在那张卡上点“换卡”；"
            "那张卡不用了，请先点“停用”。",
            field="number",
        )


def _refuse_priority(use: PriorityService, today: date) -> None:
    _refuse_stranger(use, "就医人")
    _refuse_ahead(use, "used_on", "使用日期", today)


def _refuse_check(check: HealthCheck, today: date) -> None:
    _refuse_no_parent(check, "体检人")
    _refuse_ahead(check, "checked_on", "体检日期", today)
    same = HealthCheck.objects.filter(resident=check.resident, checked_on=check.checked_on)
    if same.exclude(pk=check.pk).exists():
        raise RuleViolation(
            f"{check.resident.name}在{check.checked_on}的体检已经登记。", field="checked_on"
        )


def _refuse_contract(contract: DoctorContract, today: date) -> None:
    _refuse_no_parent(contract, "签约人")
    _refuse_ahead(contract, "signed_on", "签约日期", today)
    if contract.until < contract.signed_on:
        raise RuleViolation(f"到期日期不能早于签约日期{contract.signed_on}。", field="until")
    # Contracts of one person never run side by side; on the day that one is ended another may begin.
    other = (
        DoctorContract.objects.filter(resident=contract.resident, until__gte=contract.signed_on)
        .filter(Q(ended_on__isnull=True) | Q(ended_on__gt=contract.signed_on))
        .filter(signed_on__lte=contract.until)
        .exclude(pk=contract.pk)
        .annotate(last=Coalesce("ended_on", "until"))
        .first()
    )
    if other:
        raise RuleViolation(
            f"{contract.resident.name}在{other.signed_on}至{other.last}已有家庭医生签约。"
            "请先终止那一份，或改日期。",
            field="signed_on",
        )


def _refuse_insurance(insurance: NursingInsurance, today: date) -> None:
    start, end = insurance.starts_on, insurance.ends_on
    if not (insurance.insurer or insurance.policy_number):
        raise RuleViolation("请填写保险公司或保单号。", field="insurer")
    if start and end and end < start:
        raise RuleViolation(f"到期日期不能早于起保日期{start}。", field="ends_on")


def _refuse_aid(aid: AidReceived, today: date) -> None:
    _refuse_stranger(aid, "受助人")
    _refuse_ahead(aid, "received_on", "享受日期", today)
    if aid.amount is not None and aid.amount <= 0:
        raise RuleViolation("金额要大于0。", field="amount")


def _refuse_anniversary(anniversary: Anniversary, today: date) -> None:
    try:
        date(2000, anniversary.month, anniversary.day)  # a leap year: 2月29日 is a day
    except ValueError:
        raise RuleViolation(
            f"没有{anniversary.month}月{anniversary.day}日这一天。", field="day"
        ) from None


_RULES: dict[type[CareRow], Callable[[Any, date], None]] = {
    MedicalCard: _refuse_card,
    PriorityService: _refuse_priority,
    HealthCheck: _refuse_check,
    DoctorContract: _refuse_contract,
    NursingInsurance: _refuse_insurance,
    AidReceived: _refuse_aid,
    Anniversary: _refuse_anniversary,
}


def _refuse_ahead(row: CareRow, name: str, label: str, today: date) -> None:
    day, recorded_on = getattr(row, name), getattr(row, "recorded_on", today)
    if day and day > today:
        raise RuleViolation(f"{label}不能晚于今天。", field=name)
    if day and day > recorded_on:
        raise RuleViolation(f"{label}不能晚于登记日期{recorded_on}。", field=name)


def _refuse_stranger(row: CareRow, label: str) -> None:
    """Nobody but a parent of the archive or a member of its household."""
    if row.resident_id is None:
        return
    related = Q(household=row.family.household_id) | Q(special_archives__family=row.family_id)
    if not Resident.objects.filter(related, pk=row.resident_id).exists():
        raise RuleViolation(f"{label}{row.resident.name}不是这一家的人。", field="resident")


def _refuse_no_parent(row: CareRow, label: str) -> None:
    if not FamilyParent.objects.filter(family=row.family_id, resident=row.resident_id).exists():
        raise RuleViolation(f"{label}{row.resident.name}不是这份档案的父母。", field="resident")


def _save(row: CareRow, values: dict[str, Any] | None = None) -> None:
    """Save; somebody else's save of the same card, check or contract a moment ago is told as that."""
    try:
        with transaction.atomic():
            row.save(update_fields=list(values) if values is not None else None)
    except IntegrityError as error:
        if "unique" in str(error).lower():
            raise RuleViolation("刚刚已有人登记过同样的内容，请刷新后核对。") from None
        raise


def _days_of(row: CareRow) -> dict[str, list[str]]:
    """The row's own day, which says nothing of the person; a day of remembrance is left out."""
    names = ("issued_on", "used_on", "checked_on", "signed_on", "starts_on", "received_on")
    return {name: ["", str(getattr(row, name))] for name in names if getattr(row, name, None)}


def _record(type_: str, row: CareRow, by, changes: dict) -> None:
    require_visible(type(row).objects.visible_to(by), row)
    log.record(
        type_,
        by=by,
        target=row,
        region_path=row.family.household.village.path,
        changes=changes,
    )
