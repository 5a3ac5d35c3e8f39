"""The yearly review: made, decided line by line or in batches, closed. Nothing ends by the review itself."""

from collections.abc import Collection
from datetime import date, datetime

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.services.scope import require_visible
from subsidies.models import (
    AnnualReview,
    EnrolmentChange,
    ReviewDecision,
    ReviewFinding,
    ReviewLine,
)
from subsidies.policies.book import policy_book
from subsidies.reviews.decisions import DECISIONS, needs_words
from subsidies.reviews.testing import Tested, test_roll
from subsidies.services.applications import create_application
from subsidies.services.enrolments import propose_change

EVENT_TYPES = {
    "review.made": "生成年审",
    "review.decided": "处理年审对象",
    "review.closed": "办结年审",
}
CHANGE_LABELS = {"year": "年度", "decision": "处理结果"}
CLOSED = "这次年审已经办结，不能再改。"
# Decisions that only say something; made anew, a review asks again where its finding changed.
_SAID = (ReviewDecision.KEPT, ReviewDecision.LEFT_OUT)


@transaction.atomic
def make_review(
    *, by, region: Region, policy_code: str, year: int, today: date, now: datetime
) -> AnnualReview:
    """Test the township's roll as of the end of the year; made again, it keeps what was decided.

    A decision that only says something (kept, left out) is asked for again where the test finds otherwise
    now; one that started something stays. Refuses a closed review and a year that hasn't begun.
    """
    if year > today.year:
        raise RuleViolation(f"{year}年还没有开始，不能年审。", field="year")
    as_of = date(year, 12, 31)
    try:
        with transaction.atomic():
            review, _ = AnnualReview.objects.get_or_create(
                region=region, policy_code=policy_code, year=year,
                defaults={"as_of": as_of, "made_by": by, "made_at": now},
            )  # fmt: skip
    except IntegrityError:
        raise RuleViolation("别人正在生成这次年审，请稍后再看。") from None
    review = AnnualReview.objects.select_for_update().get(pk=review.pk)
    require_visible(AnnualReview.objects.visible_to(by), review)
    if review.closed_at:
        raise RuleViolation(CLOSED)
    review.as_of, review.made_by, review.made_at = as_of, by, now
    review.save(update_fields=["as_of", "made_by", "made_at"])
    results = {
        one.resident_id: one for one in test_roll(policy_code, region, as_of, policy_book(as_of))
    }
    kept = _settle(review, results)
    ReviewLine.objects.bulk_create(
        (
            ReviewLine(review=review, policy_code=policy_code, **_columns(one))
            for pk, one in results.items()
            if pk not in kept
        ),
        batch_size=500,
    )
    log.record(
        "review.made", by=by, target=review, region_path=region.path, changes={"year": year},
        count=len(results),
    )  # fmt: skip
    return review


def _settle(review: AnnualReview, results: dict[int, Tested]) -> set[int]:
    """Drop the lines that the test has to write anew; the people whose decided lines stay."""
    review.lines.filter(decision="").delete()
    again, kept = [], set()
    for line in review.lines.all():
        now = results.get(line.resident_id)
        same = now is not None and now.finding == line.finding and now.reason == line.reason
        if line.decision in _SAID and not same:
            again.append(line.pk)
        else:
            kept.add(line.resident_id)
    review.lines.filter(pk__in=again).delete()
    return kept


def _columns(one: Tested) -> dict:
    return {
        "resident_id": one.resident_id,
        "enrolment_id": one.enrolment_id,
        "finding": one.finding,
        "reason": one.reason,
        "detail": one.detail,
        "month": one.month,
    }


@transaction.atomic
def decide_line(
    *,
    by,
    line: ReviewLine,
    decision: str,
    note: str = "",
    month: date | None = None,
    reason: str = "",
    today: date,
    now: datetime,
) -> ReviewLine:
    """Say what is done about one person, and begin it: a proposal for the reviewer, or an application.

    `month` and `reason` change what the test proposed. To keep somebody whom the test says to end, to end
    one it lets stay, and to leave somebody out, need words. Refuses what was decided already, and
    whatever the proposal or application refuses.
    """
    line = _held(line)
    require_visible(ReviewLine.objects.visible_to(by), line)
    if line.review.closed_at:
        raise RuleViolation(CLOSED)
    if line.decision:
        raise RuleViolation(f"{line.resident.name}已经处理过了。")
    if decision not in DECISIONS[line.finding]:
        raise RuleViolation("这个核查结果不能这样处理。", field="decision")
    note = note.strip()
    if not note and needs_words(line, decision):
        raise RuleViolation("请写明理由。", field="note")
    if decision in (ReviewDecision.END_PROPOSED, ReviewDecision.MOVE_PROPOSED):
        moves = decision == ReviewDecision.MOVE_PROPOSED
        line.change = propose_change(
            by=by,
            enrolment=line.enrolment,
            kind=EnrolmentChange.Kind.MOVE if moves else EnrolmentChange.Kind.END,
            month=month or line.month or now.date().replace(day=1),
            end_reason=reason or line.reason,
            note=(note or f"{line.review.year}年度年审：{line.detail}")[:300],
            now=now,
        )
    elif decision == ReviewDecision.APPLIED:
        line.application = create_application(
            by=by, resident=line.resident, policy_code=line.policy_code, applied_on=today,
            today=today, now=now,
        )  # fmt: skip
    line.decision, line.note = decision, note
    line.decided_by, line.decided_at = by, now
    line.save()
    log.record(
        "review.decided", by=by, target=line, region_path=line.resident.village.path,
        changes={"decision": ["", decision]},
    )  # fmt: skip
    return line


@transaction.atomic
def confirm_stays(*, by, review: AnnualReview, pks: Collection[int] | None, now: datetime) -> int:
    """Confirm in one act those whom the test lets stay: all of them, or the chosen lines."""
    review = AnnualReview.objects.select_for_update().get(pk=review.pk)
    require_visible(AnnualReview.objects.visible_to(by), review)
    if review.closed_at:
        raise RuleViolation(CLOSED)
    lines = ReviewLine.objects.visible_to(by).filter(
        review=review, finding=ReviewFinding.STAYS, decision=""
    )
    if pks is not None:
        lines = lines.filter(pk__in=pks)
    number = ReviewLine.objects.filter(pk__in=lines.order_by().values("pk")).update(
        decision=ReviewDecision.KEPT, decided_by=by, decided_at=now
    )
    log.record(
        "review.decided", by=by, target=review, region_path=review.region.path,
        changes={"decision": ["", ReviewDecision.KEPT.value]}, count=number,
    )  # fmt: skip
    return number


@transaction.atomic
def close_review(*, by, review: AnnualReview, now: datetime) -> AnnualReview:
    """Close it once every line is decided."""
    review = AnnualReview.objects.select_for_update().get(pk=review.pk)
    require_visible(AnnualReview.objects.visible_to(by), review)
    if review.closed_at:
        raise RuleViolation(CLOSED)
    open_lines = review.lines.filter(decision="").count()
    if open_lines:
        raise RuleViolation(f"还有{open_lines}人没有处理，处理完才能办结。")
    review.closed_by, review.closed_at = by, now
    review.save(update_fields=["closed_by", "closed_at"])
    log.record("review.closed", by=by, target=review, region_path=review.region.path)
    return review


def _held(line: ReviewLine) -> ReviewLine:
    ReviewLine.objects.select_for_update().values_list("pk").get(pk=line.pk)
    return ReviewLine.objects.select_related("review", "resident__village", "enrolment").get(
        pk=line.pk
    )
