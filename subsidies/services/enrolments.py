"""The rolls: who is put on one, and changes of a line, proposed by one person and decided by another.

Nothing here recalculates: a line ends, moves, is suspended or paid again because somebody said so.
"""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.models import Resident
from households.services.scope import require_visible
from subsidies.conflicts import conflicts_of, units_of
from subsidies.models import (
    Application,
    Enrolment,
    EnrolmentChange,
    ExitReason,
    PolicyVersion,
    Suspension,
)
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, policy_book
from subsidies.policies.seeing import sees_sensitive
from subsidies.rolls import limits
from subsidies.rolls.ends import end_month, first_of_month, month_before, month_words, next_month

EVENT_TYPES = {
    "enrolment.opened": "登记在册对象",
    "enrolment.change_proposed": "提出在册变动",
    "enrolment.change_accepted": "同意在册变动",
    "enrolment.change_refused": "退回在册变动",
    "enrolment.change_withdrawn": "撤回在册变动",
}
CHANGE_LABELS = {"fields": "字段"}
Kind, Decision = EnrolmentChange.Kind, EnrolmentChange.Decision
DECIDED = "这条变动已经处理过了。"
OWN = "不能审核自己提出的变动，请由他人审核。"


@transaction.atomic
def enrol(
    *,
    by,
    resident: Resident,
    policy_code: str,
    start_month: date,
    grade: str = "",
    application: Application | None = None,
    moved_from: Enrolment | None = None,
    version: PolicyVersion | None = None,
    decision: dict | None = None,
    book: PolicyBook | None = None,
) -> Enrolment:
    """Put `resident` on the policy's roll from `start_month` on.

    Refuses a policy that takes nobody in any more, somebody who died or was merged into another
    record before, a second line of the person (of the couple or household, where the policy has one for
    them), and a policy that excludes this one. A line that another moves into is bound by its own
    roll alone. Of somebody who has died since, the line ends as the rule says. `book` spares a bulk
    run the reading of the rules.
    """
    month = first_of_month(start_month)
    policy = catalogue.policy(policy_code)
    if policy.closed:
        raise RuleViolation(f"“{policy.name}”已经停止新增，不能再登记。", field="policy_code")
    resident = _held(resident)
    if resident.merged_into_id:
        raise RuleViolation("这份居民记录已经并入另一份，请到保留的那份办理。")
    if resident.death_date and first_of_month(resident.death_date) < month:
        raise RuleViolation(
            f"{resident.name}已于{resident.death_date}死亡，不能从{month_words(month)}起享受。",
            field="start_month",
        )
    book = book or policy_book(month)
    # Nobody gets on two rolls because the one is hidden from who writes.
    user = by if sees_sensitive(by) else None
    found = conflicts_of(
        resident, policy_code, month, book, user=user, exclusions=moved_from is None
    )
    if found:
        raise RuleViolation("；".join(found) + "。")
    ended = {}
    if resident.death_date:  # died while the application was on its way
        rule = book.rule(policy_code, resident.village.path)
        last = end_month(rule, resident.death_date)
        ended = {"end_month": last, "end_reason": ExitReason.DEATH}
    try:
        with transaction.atomic():
            enrolment = Enrolment.objects.create(
                policy_code=policy_code, resident=resident, start_month=month, grade=grade,
                application=application, moved_from=moved_from, version=version,
                decision=decision or {}, **ended,
            )  # fmt: skip
    except IntegrityError:
        raise RuleViolation(limits.TWICE_FROM) from None
    require_visible(Enrolment.objects.visible_to(by), enrolment)
    _record("enrolment.opened", enrolment, by, {"start_month": [None, str(month)]})
    return enrolment


@transaction.atomic
def propose_change(
    *,
    by,
    enrolment: Enrolment,
    kind: str,
    month: date,
    end_reason: str = "",
    note: str,
    now: datetime,
    never_paid: bool = False,
) -> EnrolmentChange:
    """Ask that a line end, move, be suspended or paid again; it stays as it is until somebody decides.

    `month` is the last month paid (END, MOVE), the first not paid (SUSPEND), or the first paid again
    (RESUME). With `never_paid` the month before the first ends a line of which nothing was paid; the
    month given then doesn't matter. Refuses a second proposal that waits, and whatever
    limits.refusal() names.
    """
    enrolment = _held_line(enrolment)
    month = limits.month_asked(enrolment, month, never_paid=never_paid)
    if kind == Kind.MOVE and not end_reason:
        end_reason = ExitReason.CHILDREN
    if enrolment.changes.filter(decision="").exists():
        raise RuleViolation(limits.WAITING)
    if not note.strip():
        raise RuleViolation("请写明依据或情况，审核人据此判断。", field="note")
    limits.refuse(enrolment, kind, month, end_reason, now, never_paid=never_paid)
    change = EnrolmentChange.objects.create(
        enrolment=enrolment, kind=kind, month=month, end_reason=end_reason, note=note.strip(),
        proposed_by=by, proposed_at=now,
    )  # fmt: skip
    require_visible(EnrolmentChange.objects.visible_to(by), change)
    _record_change("enrolment.change_proposed", change, by)
    return change


@transaction.atomic
def decide_change(
    *, by, change: EnrolmentChange, accept: bool, note: str = "", now: datetime
) -> EnrolmentChange:
    """Carry out what was proposed, or send it back with a reason.

    Refuses who proposed it, what is decided already, and, accepting, what has meanwhile become
    wrong. A move ends one line and begins the other with the next month, here and now: no gap, never
    both; a suspension goes over with it.
    """
    _held(change.enrolment.resident)
    enrolment = _held_line(change.enrolment)
    change = EnrolmentChange.objects.select_for_update().get(pk=change.pk)
    change.enrolment = enrolment
    if change.decision:
        raise RuleViolation(DECIDED)
    if change.proposed_by_id == by.pk:
        raise RuleViolation(OWN)
    if not accept and not note.strip():
        raise RuleViolation("退回要写明原因。", field="note")
    require_visible(EnrolmentChange.objects.visible_to(by), change)
    if accept:
        never_paid = change.month < enrolment.start_month
        limits.refuse(
            enrolment, change.kind, change.month, change.end_reason, now, never_paid=never_paid
        )
        _DOING[change.kind](by, enrolment, change)
    _decide(change, Decision.ACCEPTED if accept else Decision.REFUSED, by, note, now)
    _record_change(f"enrolment.change_{change.decision}", change, by)
    return change


@transaction.atomic
def withdraw_change(*, by, change: EnrolmentChange, now: datetime) -> EnrolmentChange:
    """Take back one's own proposal as long as nobody decided on it."""
    _held_line(change.enrolment)
    change = EnrolmentChange.objects.select_for_update().get(pk=change.pk)
    if change.decision:
        raise RuleViolation(DECIDED)
    if change.proposed_by_id != by.pk:
        raise RuleViolation("只能撤回本人提出的变动。")
    _decide(change, Decision.WITHDRAWN, by, "", now)
    _record_change("enrolment.change_withdrawn", change, by)
    return change


def _end(by, enrolment: Enrolment, change: EnrolmentChange) -> None:
    enrolment.end_month, enrolment.end_reason = change.month, change.end_reason
    _save(enrolment, "end_month", "end_reason")


def _move(by, enrolment: Enrolment, change: EnrolmentChange) -> None:
    _end(by, enrolment, change)
    follower = enrol(
        by=by,
        resident=enrolment.resident,
        policy_code=enrolment.policy.moves_to,
        start_month=next_month(change.month),
        moved_from=enrolment,
        **limits.decision_of(enrolment, next_month(change.month)),
    )
    waiting = enrolment.suspensions.filter(until_month__isnull=True).first()
    if waiting is None:
        return
    if waiting.from_month > change.month:
        waiting.enrolment = follower
        waiting.save(update_fields=["enrolment"])
        return
    waiting.until_month = change.month
    waiting.save(update_fields=["until_month"])
    Suspension.objects.create(
        enrolment=follower, from_month=follower.start_month, reason=waiting.reason
    )


def _suspend(by, enrolment: Enrolment, change: EnrolmentChange) -> None:
    Suspension.objects.create(
        enrolment=enrolment, from_month=change.month, reason=change.note[:200]
    )
    _save(enrolment)


def _resume(by, enrolment: Enrolment, change: EnrolmentChange) -> None:
    enrolment.suspensions.filter(until_month__isnull=True).update(
        until_month=month_before(change.month)
    )
    _save(enrolment)


_DOING = {Kind.END: _end, Kind.MOVE: _move, Kind.SUSPEND: _suspend, Kind.RESUME: _resume}


def _decide(change: EnrolmentChange, decision: str, by, note: str, now: datetime) -> None:
    change.decision, change.decided_by, change.decided_at = decision, by, now
    change.decision_note = note.strip()
    change.save(update_fields=["decision", "decided_by", "decided_at", "decision_note"])


def _held(resident: Resident) -> Resident:
    """The person, with whoever may stand on a roll in the same place, locked in the order of keys.

    So that husband and wife, or two of a household, are not put on one roll at the same time. People
    are taken before lines, as a merge of two records does.
    """
    people = units_of([resident.pk])[resident.pk].people
    held = Resident.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk")
    list(held.values_list("pk"))
    return Resident.objects.select_related("village", "household").get(pk=resident.pk)


def _held_line(enrolment: Enrolment) -> Enrolment:
    """The line as the last writer left it, locked."""
    Enrolment.objects.select_for_update().values_list("pk").get(pk=enrolment.pk)
    return Enrolment.objects.select_related("resident__village").get(pk=enrolment.pk)


def _save(enrolment: Enrolment, *fields: str) -> None:
    enrolment.row_version += 1  # the row is locked
    enrolment.save(update_fields=[*fields, "row_version"])


def _record(type_: str, enrolment: Enrolment, by, changes: dict) -> None:
    # Neither policy nor reason: both may tell of a child's death or illness.
    log.record(
        type_, by=by, target=enrolment, region_path=enrolment.resident.village.path, changes=changes
    )


def _record_change(type_: str, change: EnrolmentChange, by) -> None:
    changes = {"kind": change.kind, "month": str(change.month)}
    _record(type_, change.enrolment, by, changes)
