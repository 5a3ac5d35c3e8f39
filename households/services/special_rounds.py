"""Rounds of visits for a festival (节日慰问): the list of families, who goes, and what was done."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.models import (
    CareRound,
    Channel,
    ContactRecord,
    FamilyContact,
    Purpose,
    RoundVisit,
    SpecialFamily,
)
from households.services.scope import require_visible
from households.services.special_contacts import record_contact, void_contact_record
from households.special import rounds

# So long may whoever ticked take it back; after that the keeper of the archives alone.
UNTICK_DAYS = 7
DAYS_AHEAD = 366

EVENT_TYPES = {
    "special.round_made": "制定慰问活动",
    "special.round_refreshed": "更新慰问名单",
    "special.round_visitors": "安排慰问人",
    "special.round_left_out": "不列入慰问",
    "special.round_taken_in": "重新列入慰问",
    "special.round_ticked": "登记慰问",
    "special.round_unticked": "撤回慰问登记",
}
CHANGE_LABELS = {"visits": "慰问户数", "came": "新列入", "went": "移出", "linked": "原有记录"}


class DayTaken(RuleViolation):
    """The contact's `record` of that day says something else than this visit."""

    def __init__(self, message: str, *, record: ContactRecord):
        super().__init__(message, field="happened_on")
        self.record = record


@transaction.atomic
def make_round(
    *,
    by,
    township: Region,
    name: str,
    starts_on: date,
    due_on: date,
    gift: str = "",
    amount: Decimal | None = None,
    today: date,
) -> CareRound:
    """A round with every family of the township whose archive is open on its first day.

    Each with a proposed visitor; see rounds.proposed_visitors(). Refuses a second round of the name,
    one without a family, one that brings nothing, and one that begins more than a year ahead.
    """
    Region.objects.select_for_update(no_key=True).get(pk=township.pk)
    if starts_on > today + timedelta(days=DAYS_AHEAD):
        raise RuleViolation("开始日期在一年以后，请核对年份。", field="starts_on")
    if due_on < starts_on:
        raise RuleViolation("完成期限不能早于开始日期。", field="due_on")
    if not gift and amount is None:
        raise RuleViolation("请填写慰问品或慰问金，至少一项。", field="gift")
    if amount is not None and amount <= 0:
        raise RuleViolation("慰问金要大于0。", field="amount")
    known = CareRound.objects.filter(region=township, name=name).first()
    if known:
        raise RuleViolation(
            f"“{name}”已经制定过（{known.starts_on}开始）。请打开那一次，或改用别的名称。",
            field="name",
        )
    families = SpecialFamily.objects.within(township).open_on(starts_on).order_by("pk")
    if not families.exists():
        raise RuleViolation(f"{starts_on}没有在管的特殊家庭档案，没有可慰问的家庭。")
    care_round = CareRound.objects.create(
        region=township,
        name=name,
        starts_on=starts_on,
        due_on=due_on,
        gift=gift,
        amount=amount,
        made_by=by,
    )
    count = _add(care_round, families)
    require_visible(CareRound.objects.visible_to(by), care_round)
    _record_round("special.round_made", care_round, by, {"visits": ["", count]})
    return care_round


@transaction.atomic
def refresh_round(*, by, care_round: CareRound, today: date) -> tuple[int, int]:
    """Take in families whose archive was opened since, drop unvisited ones that are closed or gone.

    As of today, or the round's last day where that is over. Who was visited or left out stays. Visitors
    who are contacts no longer are proposed anew. Returns how many came and went.
    """
    care_round = _locked_round(care_round)
    day = max(care_round.starts_on, min(today, care_round.due_on))
    wanted = SpecialFamily.objects.within(care_round.region).open_on(day).order_by("pk")
    gone = care_round.visits.to_visit().exclude(family__in=wanted.order_by().values("pk"))
    dropped, _ = gone.delete()
    listed = care_round.visits.order_by().values("family")
    added = _add(care_round, wanted.filter(closed_on__isnull=True).exclude(pk__in=listed))
    # Held: who ticks one off meanwhile says who went, and that stays.
    to_visit = care_round.visits.to_visit().select_for_update(of=("self",))
    stale = list(to_visit.filter(contact__ended_on__isnull=False))
    visitors = rounds.proposed_visitors([visit.family_id for visit in stale])
    for visit in stale:
        visit.contact = visitors.get(visit.family_id)
    RoundVisit.objects.bulk_update(stale, ["contact"])
    require_visible(CareRound.objects.visible_to(by), care_round)
    _record_round(
        "special.round_refreshed", care_round, by, {"came": ["", added], "went": ["", dropped]}
    )
    return added, dropped


@transaction.atomic
def change_visitors(
    *, by, care_round: CareRound, chosen: Mapping[int, FamilyContact | None]
) -> int:
    """Who is to go: {key of the visit: a current contact of that family, or nobody}. Returns how many.

    What was ticked off meanwhile stays as it is.
    """
    care_round = _locked_round(care_round)
    changed = []
    visits = care_round.visits.visible_to(by).to_visit().select_for_update(of=("self",))
    for visit in visits.filter(pk__in=chosen):
        contact = chosen[visit.pk]
        if contact and (contact.family_id != visit.family_id or contact.ended_on):
            raise RuleViolation(f"{contact.person.name}现在不是这一户的联系人，请重新选择。")
        if visit.contact_id != (contact and contact.pk):
            visit.contact = contact
            changed.append(visit)
    RoundVisit.objects.bulk_update(changed, ["contact"])
    require_visible(CareRound.objects.visible_to(by), care_round)
    _record_round("special.round_visitors", care_round, by, {"visits": ["", len(changed)]})
    return len(changed)


@transaction.atomic
def leave_out(*, by, visit: RoundVisit, reason: str) -> RoundVisit:
    """The family is not visited this time, for `reason`; it counts no more among those to visit."""
    visit = _locked_visit(visit)
    _refuse_visited(visit)
    if not reason:
        raise RuleViolation("请写明这次不慰问的原因。", field="reason")
    visit.left_out = reason
    visit.save(update_fields=["left_out"])
    _record_visit("special.round_left_out", visit, by)
    return visit


@transaction.atomic
def take_in(*, by, visit: RoundVisit) -> RoundVisit:
    """The family that was left out is to be visited after all."""
    visit = _locked_visit(visit)
    if not visit.left_out:
        raise RuleViolation("这一户已经在慰问名单中。")
    visit.left_out = ""
    visit.save(update_fields=["left_out"])
    _record_visit("special.round_taken_in", visit, by)
    return visit


@transaction.atomic
def tick_off(
    *,
    by,
    visit: RoundVisit,
    contact: FamilyContact,
    happened_on: date,
    signed_by: str,
    today: date,
    note: str = "",
) -> RoundVisit:
    """The family was visited: writes the contact's record of the day, purpose 节日慰问, channel 入户.

    A record of that contact, day and purpose that is there already is linked instead. Refuses a family
    that is visited or left out, somebody else's contact, a day ahead or outside the term, and a record
    of that day with another purpose or of another round.
    """
    visit = _locked_visit(visit)
    _refuse_visited(visit)
    if visit.left_out:
        raise RuleViolation(f"这一户这次不慰问（{visit.left_out}）。请经办先重新列入名单。")
    if contact.family_id != visit.family_id:
        raise RuleViolation("慰问人不是这一户的联系人，请重新选择。", field="contact")
    if not signed_by:
        raise RuleViolation("请填写签收人。", field="signed_by")
    record = _record_of_that_day(visit, contact, happened_on)
    visit.linked = record is not None
    visit.record = record or record_contact(
        by=by,
        contact=contact,
        happened_on=happened_on,
        channel=Channel.HOME,
        purpose=Purpose.FESTIVAL,
        outcome=rounds.words_of(visit.round, note),
        today=today,
    )
    visit.contact, visit.signed_by, visit.note = contact, signed_by, note
    visit.ticked_on = today
    visit.save(update_fields=["record", "contact", "signed_by", "note", "linked", "ticked_on"])
    _record_visit(
        "special.round_ticked",
        visit,
        by,
        {"happened_on": ["", str(happened_on)], "linked": ["", visit.linked]},
    )
    return visit


@transaction.atomic
def untick(*, by, visit: RoundVisit, reason: str, now: datetime, today: date) -> RoundVisit:
    """Take a tick back: voids the record that it wrote; one that was there before stays.

    A contact may do so within UNTICK_DAYS, who keeps the archives at any time.
    """
    visit = _locked_visit(visit)
    if visit.record is None:
        raise RuleViolation("这一户还没有登记慰问。")
    if not reason:
        raise RuleViolation("请写明撤回的原因。", field="reason")
    if today > visit.ticked_on + timedelta(days=UNTICK_DAYS) and not by.may(
        Permission.SPECIAL_EDIT
    ):
        raise RuleViolation(f"登记已超过{UNTICK_DAYS}天，要撤回请联系镇办经办。")
    record, written_here = visit.record, not visit.linked
    visit.record, visit.ticked_on, visit.linked = None, None, False
    visit.signed_by = visit.note = ""
    visit.save(update_fields=["record", "ticked_on", "linked", "signed_by", "note"])
    if written_here and not record.voided_at:
        void_contact_record(by=by, record=record, reason=reason, now=now)
    _record_visit("special.round_unticked", visit, by, {"linked": ["", not written_here]})
    return visit


def _add(care_round: CareRound, families) -> int:
    keys = list(families.values_list("pk", flat=True))
    visitors = rounds.proposed_visitors(keys)
    RoundVisit.objects.bulk_create(
        RoundVisit(round=care_round, family_id=key, contact=visitors.get(key)) for key in keys
    )
    return len(keys)


def _record_of_that_day(
    visit: RoundVisit, contact: FamilyContact, day: date
) -> ContactRecord | None:
    """The contact's record of the day, if it can stand for this visit; what cannot is refused."""
    record = (
        ContactRecord.objects.counted()
        .select_for_update(of=("self",))
        .filter(contact=contact, happened_on=day)
        .first()
    )
    if record is None:
        return None
    name = contact.person.name
    if record.purpose != Purpose.FESTIVAL:
        raise DayTaken(
            f"{name}在{day}已有一条“{record.get_purpose_display()}”的联系记录。"
            f"请先把那一条的类别改为“{Purpose.FESTIVAL.label}”，或者核对日期。",
            record=record,
        )
    other = RoundVisit.objects.filter(record=record).select_related("round").first()
    if other:
        raise RuleViolation(
            f"{name}在{day}的慰问已登记在“{other.round.name}”。请核对日期或慰问人。",
            field="happened_on",
        )
    return record


def _refuse_visited(visit: RoundVisit) -> None:
    if visit.record:
        raise RuleViolation(
            f"{visit.record.contact.person.name}已在{visit.record.happened_on}慰问过这一户，"
            f"不用再登记。"
        )


def _locked_round(care_round: CareRound) -> CareRound:
    return (
        CareRound.objects.select_for_update(of=("self",))
        .select_related("region")
        .get(pk=care_round.pk)
    )


def _locked_visit(visit: RoundVisit) -> RoundVisit:
    # Locked alone, then read: a join made while waiting would miss the record that the other wrote.
    RoundVisit.objects.select_for_update().get(pk=visit.pk)
    return RoundVisit.objects.select_related(
        "round__region", "family__household__village", "record__contact__person"
    ).get(pk=visit.pk)


def _record_round(type_: str, care_round: CareRound, by, changes: dict) -> None:
    log.record(type_, by=by, target=care_round, region_path=care_round.region.path, changes=changes)


def _record_visit(type_: str, visit: RoundVisit, by, changes: dict | None = None) -> None:
    require_visible(RoundVisit.objects.visible_to(by), visit)
    log.record(
        type_,
        by=by,
        target=visit,
        region_path=visit.family.household.village.path,
        changes=changes or {},
    )
