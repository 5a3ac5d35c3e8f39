"""People seen after they were paid: recorded, corrected on the day, and money that did not come looked into.

A found death proposes the end of what the person draws and never ends anything: somebody else decides.
"""

from datetime import date, datetime

from django.db import transaction

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.models import Resident
from households.services.scope import require_visible
from subsidies.meetings import standing, waiting
from subsidies.models import Enrolment, EnrolmentChange, ExitReason, Meeting, PaymentLine
from subsidies.rolls import limits
from subsidies.rolls.ends import end_month
from subsidies.services import enrolments

EVENT_TYPES = {
    "meeting.recorded": "登记见面核实",
    "meeting.corrected": "更正见面核实",
    "meeting.settled": "查实资金未收到",
    "meeting.printed": "打印见面记录表",
}
CHANGE_LABELS = {"fields": "字段"}
NOBODY_WAITS = "这位居民没有等待见面核实的发放。"
JUST_SEEN = "{name}已经登记了这位居民的见面，请重新打开查看。"
OWN_DAY = "只能在登记当天由登记人更正。以后情况有变，请再登记一次见面。"
DECIDED = "根据这次见面提出的退出已经审核，不能再改。请联系镇办核实。"
SETTLED = "这条记录不用查实，或者刚才已由他人查实。"


@transaction.atomic
def record_meeting(
    *,
    by,
    resident: Resident,
    met_on: date,
    is_alive: bool,
    died_on: date | None = None,
    delivered: str = "",
    difficulties: str = "",
    note: str = "",
    instead_of: int | None = None,
    today: date,
    now: datetime,
) -> Meeting:
    """One meeting that answers for every payment of the person that waits and `by` may know of.

    Only for money that had come by that day. Where nothing waits it takes the place of the person's
    last meeting, which `instead_of` names: else somebody has just recorded it. Of somebody found dead
    it proposes the end of each line that still runs.
    """
    lines = _held_lines(by, resident)
    earlier = None
    open_ones = [line for line in lines if line.meeting_id is None]
    if not open_ones:
        earlier = _last_meeting(lines)
        if earlier and earlier.pk != instead_of:
            raise RuleViolation(JUST_SEEN.format(name=earlier.met_by.name))
        open_ones = [line for line in lines if earlier and line.meeting_id == earlier.pk]
    if not open_ones:
        raise RuleViolation(NOBODY_WAITS)
    _check_days(resident, met_on, is_alive, died_on, today)
    _check_delivered(is_alive, delivered)
    answered = [line for line in open_ones if line.paid_on <= met_on]
    if not answered or (earlier and met_on < earlier.met_on):
        _refuse_early(min(one.paid_on for one in open_ones), earlier)
    meeting = Meeting.objects.create(
        resident=resident, village=answered[-1].village, met_on=met_on, is_alive=is_alive,
        died_on=died_on, delivered=delivered, difficulties=difficulties, note=note, met_by=by,
        recorded_at=now,
    )  # fmt: skip
    PaymentLine.objects.filter(pk__in=[line.pk for line in answered]).update(meeting=meeting)
    if earlier:
        _replace(earlier, meeting)
    require_visible(Meeting.objects.visible_to(by), meeting)
    if not is_alive:
        _propose_ends(by, meeting, now)
    _record("meeting.recorded", meeting, by, count=len(answered))
    return meeting


@transaction.atomic
def correct_meeting(
    *,
    by,
    meeting: Meeting,
    row_version: int,
    met_on: date,
    is_alive: bool,
    died_on: date | None = None,
    delivered: str = "",
    difficulties: str = "",
    note: str = "",
    today: date,
    now: datetime,
) -> Meeting:
    """What was recorded today, by who recorded it, as it should have been.

    What the first record had proposed is taken back, and proposed anew where it still holds.
    """
    claim(meeting, row_version)
    meeting = Meeting.objects.select_related("resident", "village").get(pk=meeting.pk)
    if not standing.may_correct(by, meeting, today):
        raise RuleViolation(OWN_DAY)
    _check_days(meeting.resident, met_on, is_alive, died_on, today)
    _check_delivered(is_alive, delivered)
    latest = max(meeting.lines.values_list("paid_on", flat=True))
    if met_on < latest:
        _refuse_early(latest)
    values = {
        "met_on": met_on, "is_alive": is_alive, "died_on": died_on, "delivered": delivered,
        "difficulties": difficulties, "note": note,
    }  # fmt: skip
    changed = [name for name, value in values.items() if getattr(meeting, name) != value]
    for name in changed:
        setattr(meeting, name, values[name])
    meeting.save(update_fields=changed)
    if {"met_on", "is_alive", "died_on"} & set(changed):
        _take_back_ends(by, meeting, now)
        if not is_alive:
            _propose_ends(by, meeting, now)
    _record("meeting.corrected", meeting, by, {"fields": changed})
    return meeting


@transaction.atomic
def settle_meeting(*, by, meeting: Meeting, outcome: str, now: datetime) -> Meeting:
    """What came of money that the person hadn't received. Once; the meeting stays as it was."""
    if not outcome.strip():
        raise RuleViolation("请写明查实情况。", field="outcome")
    rows = Meeting.objects.not_received().filter(pk=meeting.pk)
    if not rows.update(outcome=outcome.strip(), settled_by=by, settled_at=now):
        raise RuleViolation(SETTLED)
    meeting.refresh_from_db()
    require_visible(Meeting.objects.visible_to(by), meeting)
    _record("meeting.settled", meeting, by)
    return meeting


def record_print(*, by, village, people: int) -> None:
    """That `by` had the sheet of a village printed, with so many names."""
    log.record("meeting.printed", by=by, target=village, region_path=village.path, count=people)


def _held_lines(by, resident: Resident) -> list[PaymentLine]:
    """What the person was paid and `by` may know of, locked, the latest payment last."""
    lines = waiting.to_see(by).filter(beneficiary=resident)
    held = lines.select_for_update(of=("self",)).select_related("village")
    return list(held.order_by("paid_on", "pk"))


def _last_meeting(lines: list[PaymentLine]) -> Meeting | None:
    known = {line.meeting_id for line in lines}
    return (
        Meeting.objects.filter(pk__in=known)
        .select_related("met_by")
        .order_by("met_on", "pk")
        .last()
    )


def _replace(earlier: Meeting, meeting: Meeting) -> None:
    """Unless somebody else's payments, of which `by` knows nothing, still rest on the earlier one."""
    if earlier.lines.exists():
        return
    for one in (Meeting.objects.filter(pk=earlier.pk), earlier.replaced.all()):
        one.update(replaced_by=meeting)


def _check_days(resident, met_on, is_alive, died_on, today) -> None:
    if met_on > today:
        raise RuleViolation("见面日期不能晚于今天。", field="met_on")
    if died_on is None:
        return
    if is_alive:
        raise RuleViolation("选了“健在”，就不能填死亡日期。", field="died_on")
    if died_on > met_on:
        raise RuleViolation("死亡日期不能晚于见面日期。", field="died_on")
    if died_on < resident.birth_date:
        raise RuleViolation("死亡日期不能早于出生日期。", field="died_on")


def _check_delivered(is_alive: bool, delivered: str) -> None:
    if is_alive and not delivered:
        raise RuleViolation("请选资金是否收到。", field="delivered")


def _refuse_early(paid_on: date, earlier: Meeting | None = None) -> None:
    if earlier:
        raise RuleViolation(f"{earlier.met_on}已经见面核实，这次的日期不能更早。", field="met_on")
    raise RuleViolation(f"见面日期不能早于资金到账日期{paid_on}。", field="met_on")


def _propose_ends(by, meeting: Meeting, now: datetime) -> None:
    """Ask that what the person draws end by the rule; what cannot be asked for shows on the page."""
    person = meeting.resident
    day = person.death_date or meeting.died_on or meeting.met_on
    lines = Enrolment.objects.visible_to(by).filter(resident=person).for_list().order_by("pk")
    found = limits.standings(lines, [day])
    when = f"死亡日期{meeting.died_on}" if meeting.died_on else "死亡日期待核实"
    for one in found.values():
        line, last = one.line, end_month(one.rule(day), day)
        if one.is_waiting or (line.end_month and line.end_month <= last):
            continue
        try:
            change = enrolments.propose_change(
                by=by, enrolment=line, kind=EnrolmentChange.Kind.END, month=last,
                end_reason=ExitReason.DEATH, note=f"{meeting.met_on}见面核实，已去世，{when}。",
                now=now, never_paid=last < line.start_month,
            )  # fmt: skip
        except RuleViolation:
            continue
        if meeting.change_id is None:
            meeting.change = change
            meeting.save(update_fields=["change"])


def _take_back_ends(by, meeting: Meeting, now: datetime) -> None:
    proposed = EnrolmentChange.objects.filter(
        enrolment__resident=meeting.resident, end_reason=ExitReason.DEATH, proposed_by=by,
        proposed_at__gte=meeting.recorded_at,
    ).exclude(decision=EnrolmentChange.Decision.WITHDRAWN)  # fmt: skip
    for change in proposed.order_by("pk"):
        if change.decision:
            raise RuleViolation(DECIDED)
        enrolments.withdraw_change(by=by, change=change, now=now)
    if meeting.change_id:
        meeting.change = None
        meeting.save(update_fields=["change"])


def _record(type_: str, meeting: Meeting, by, changes=None, count: int | None = None) -> None:
    log.record(
        type_, by=by, target=meeting, region_path=meeting.village.path, changes=changes or {},
        count=count,
    )  # fmt: skip
