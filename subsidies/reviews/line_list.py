"""The lines of reviews as lists: pages, exports, and what may be done with many.

Two of them, as of the rolls: the review of a sensitive policy tells of a child's death or illness.
"""

from collections.abc import Callable
from datetime import date
from functools import partial

import django_filters
import django_tables2 as tables
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.identity import mask_id_number
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, WIDE, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, mask_id, status_tag
from households import selectors
from subsidies.forms.reviews import DOING, NoteManyForm
from subsidies.models import (
    AnnualReview,
    Application,
    EnrolmentChange,
    ExitReason,
    ReviewDecision,
    ReviewFinding,
    ReviewLine,
)
from subsidies.policies import catalogue
from subsidies.reviews.decisions import DECISIONS, needs_words
from subsidies.rolls.roll_list import month_dash
from subsidies.services.reviews import CLOSED, decide_line

KEY, SENSITIVE_KEY = "review-lines", "review-lines-sensitive"
URLS = {KEY: "subsidies:review-line-list", SENSITIVE_KEY: "subsidies:review-line-sensitive-list"}
TAGS = {
    ReviewFinding.STAYS: "ok", ReviewFinding.ENDS: "bad", ReviewFinding.MOVES: "warn",
    ReviewFinding.MISSING: "wait",
}  # fmt: skip
OPEN, DONE = "open", "done"
MOST = 500
NO_REASON = "没有查出退出原因，请逐个处理并选择原因。"


def key_of(policy_code: str) -> str:
    """Which of the two lists shows the lines of this policy."""
    return SENSITIVE_KEY if catalogue.policy(policy_code).sensitive else KEY


def lines_url(review: AnnualReview, **conditions: str) -> str:
    """The list of a review's lines under these conditions."""
    query = "&".join(f"{k}={v}" for k, v in {"review": review.pk, **conditions}.items() if v)
    return f"{reverse(URLS[key_of(review.policy_code)])}?{query}"


def lines(asked: Asked, *, sensitive: bool) -> QuerySet:
    """The lines that the user may see."""
    hidden = catalogue.sensitive_codes()
    own = Q(policy_code__in=hidden) if sensitive else ~Q(policy_code__in=hidden)
    found = ReviewLine.objects.visible_to(asked.user).filter(own)
    return found.select_related(
        "resident__household", "resident__village", "review", "enrolment", "change"
    )


class LineFilter(FilterSet):
    """Conditions of the list; the address names the review."""

    review = django_filters.ChoiceFilter(label="年审", choices=[], empty_label="全部")
    finding = django_filters.ChoiceFilter(
        label="核查结果", choices=ReviewFinding.choices, empty_label="全部"
    )
    reason = django_filters.ChoiceFilter(
        label="退出原因", choices=ExitReason.choices, empty_label="全部"
    )
    village = NamedFilter(
        label="村（社区）",
        field_name="resident__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(
        label="处理", choices=[(OPEN, "未处理"), (DONE, "已处理"), *ReviewDecision.choices],
        method="by_state", empty_label="全部",
    )  # fmt: skip

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        reviews = AnnualReview.objects.visible_to(request.user).select_related("region")
        self.form.fields["review"].choices = [
            (str(one.pk), f"{one}　{one.region.name}") for one in reviews
        ]

    def by_state(self, queryset, name, value):
        if value in (OPEN, DONE):
            return queryset.filter(decision="") if value == OPEN else queryset.exclude(decision="")
        return queryset.filter(decision=value)


class LineTable(Table):
    """One person a row; the last cell leads to deciding."""

    name = NameColumn(
        "姓名", accessor="resident__name", orderable=True,
        order_by=("resident__name_initials", "resident__name"),
        linkify=lambda record: record.resident.get_absolute_url(),
    )  # fmt: skip
    id_number = tables.Column(
        "公民身份号码", accessor="resident__id_number", attrs=NOWRAP_WIDE, empty_values=()
    )
    village = tables.Column(
        "村（社区）", accessor="resident__village__name", attrs=NOWRAP, orderable=True,
        order_by=("resident__village__path", "resident__household__number"),
    )  # fmt: skip
    household = tables.Column("户编号", accessor="resident__household__number")
    finding = tables.Column("核查结果", attrs=NOWRAP)
    reason = tables.Column("原因", attrs=NOWRAP)
    detail = tables.Column(attrs=WIDE)
    month = tables.Column("最后发放", attrs=NOWRAP)
    decision = tables.Column("处理", attrs=NOWRAP, empty_values=())
    note = tables.Column()
    acts = tables.Column("操作", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = ReviewLine
        fields = (
            "name", "id_number", "village", "household", "finding", "reason", "detail", "month",
            "decision", "note", "acts",
        )  # fmt: skip

    def called(self, record):
        return record.resident.name

    def render_id_number(self, value):
        return mask_id(value)

    def render_finding(self, value, record):
        return status_tag(TAGS[record.finding], record.get_finding_display())

    def render_month(self, value):
        return month_dash(value)

    def render_decision(self, record):
        if not record.decision:
            return status_tag("wait", "未处理")
        return status_tag("ok", record.get_decision_display())

    def render_acts(self, record):
        user = self.request.user
        if record.decision or record.review.closed_at or not user.may(Permission.BENEFIT_EDIT):
            return NOTHING
        return format_html(
            '<a class="btn btn-plain btn-sm" href="{}" aria-label="处理：{}">处理</a>',
            reverse("subsidies:review-line-decide", args=[record.pk]),
            record.resident.name,
        )


def columns(kind: str) -> tuple[ListColumn, ...]:
    """The columns; `kind` is what the very names tell: HEALTH of a sensitive policy."""
    return (
        ListColumn("name", "姓名", ("resident__name",), fixed=True, sensitive=kind),
        ListColumn(
            "id_number", "公民身份号码", ("resident__id_number",), kind="code", mask=mask_id_number,
            width=22,
        ),
        ListColumn("village", "村（社区）", ("resident__village__name",), width=16),
        ListColumn("household", "户编号", ("resident__household__number",), kind="code", width=10),
        ListColumn(
            "finding", "核查结果", ("finding",), write=lambda one: ReviewFinding(one).label, width=16
        ),
        ListColumn("reason", "退出原因", ("reason",)),
        ListColumn("detail", "核查情况", ("detail",), width=50),
        ListColumn("month", "最后发放年月", ("month",), write=month_dash),
        ListColumn(
            "decision", "处理", ("decision",),
            write=lambda one: ReviewDecision(one).label if one else "未处理",
        ),
        ListColumn("note", "处理说明", ("note",), shown=False, width=30),
        ListColumn("acts", "操作", ("review__closed_at",), fixed=True, in_file=False),
    )  # fmt: skip


def _refusals(decision: str) -> Callable[..., dict[int, str]]:
    """The check of an act: lines that cannot be decided so, in a fixed number of queries."""

    def check(rows: list[ReviewLine], *, by, values, day) -> dict[int, str]:
        waiting = set(
            EnrolmentChange.objects.filter(
                enrolment__in=[row.enrolment_id for row in rows if row.enrolment_id], decision=""
            ).values_list("enrolment", flat=True)
        )
        applied = set(
            Application.objects.open()
            .filter(resident__in=[row.resident_id for row in rows])
            .values_list("resident", "policy_code")
        )
        reasons = {}
        for row in rows:
            if row.review.closed_at:
                reasons[row.pk] = CLOSED
            elif row.decision:
                reasons[row.pk] = "已经处理过了。"
            elif decision not in DECISIONS[row.finding]:
                reasons[row.pk] = f"核查结果是“{row.get_finding_display()}”，不能这样处理。"
            elif decision == ReviewDecision.END_PROPOSED and not row.reason:
                reasons[row.pk] = NO_REASON
            elif needs_words(row, decision) and not values.get("note", "").strip():
                reasons[row.pk] = "请写明理由。"
            elif row.enrolment_id in waiting and decision in _PROPOSING:
                reasons[row.pk] = "已有一条变动等待审核，请先处理。"
            elif decision == ReviewDecision.APPLIED and (
                (row.resident_id, row.policy_code) in applied
            ):
                reasons[row.pk] = "已有同一申请在办理。"
        return reasons

    return check


_PROPOSING = (ReviewDecision.END_PROPOSED, ReviewDecision.MOVE_PROPOSED)


def _decisions(decision: str) -> Callable[..., dict[int, str]]:
    @transaction.atomic
    def apply(rows: list[ReviewLine], *, by, values, day) -> dict[int, str]:
        refused = {}
        for row in rows:
            try:
                decide_line(
                    by=by, line=row, decision=decision, note=values.get("note", ""),
                    today=dates.today(), now=timezone.now(),
                )  # fmt: skip
            except RuleViolation as violation:
                refused[row.pk] = violation.message
        return refused

    return apply


def called(row: ReviewLine) -> str:
    """How a row is told on the page that confirms an act: with what will come of it."""
    parts = [row.resident.name, row.get_finding_display(), row.reason, month_words_of(row.month)]
    return "　".join(part for part in parts if part)


def month_words_of(month: date | None) -> str:
    """发到2018-12"""
    return f"发到{month_dash(month)}" if month else ""


def load() -> None:
    """Register the lists and their acts. Called once, by ready()."""
    for key in (KEY, SENSITIVE_KEY):
        sensitive = key == SENSITIVE_KEY
        listing.register(
            ListSpec(
                key=key,
                title="年审对象（特别扶助）" if sensitive else "年审对象",
                unit="人",
                permission=Permission.BENEFIT_ANNUAL,
                url_name=URLS[key],
                queryset=partial(lines, sensitive=sensitive),
                table_class=LineTable,
                filter_class=LineFilter,
                columns=columns(HEALTH if sensitive else ""),
                name_of=called,
                place_of=lambda row: f"{row.resident.village.name}　{row.resident.household}",
            )
        )
        acts.register(
            Act(
                key, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
                takes_key=True, order=80,
            )
        )  # fmt: skip
        for order, (decision, form, effect) in enumerate(
            (
                (ReviewDecision.KEPT, NoteManyForm, "确认继续享受"),
                (ReviewDecision.END_PROPOSED, NoteManyForm, "按核查的原因和年月提出退出"),
                (ReviewDecision.MOVE_PROPOSED, NoteManyForm, "提出转入另一政策"),
                (ReviewDecision.APPLIED, None, "登记申请，由村级评议起逐级办理"),
                (ReviewDecision.LEFT_OUT, NoteManyForm, "记为不办理"),
            ),
            start=10,
        ):  # fmt: skip
            acts.register(
                Act(
                    key, decision.value.replace("_", "-"), DOING[decision], Permission.BENEFIT_EDIT,
                    form=form, effect=effect, most=MOST, check=_refusals(decision),
                    apply=_decisions(decision), order=order,
                )
            )  # fmt: skip
