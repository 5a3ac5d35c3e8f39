"""The desk of requests from villages: its list, what may be done with many, and what waits for whom."""

from datetime import timedelta

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, WIDE, DayColumn, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from fpadmin.ui.todos import Todo, TodoSource
from households import requests, selectors, services
from households.models import ChangeRequest

State = ChangeRequest.State
DAYS_TO_ANSWER = 30  # a request sent back is a task of the village for so long
TAGS = {
    State.SUBMITTED: "wait",
    State.ACCEPTED: "ok",
    State.REJECTED: "bad",
    State.WITHDRAWN: "off",
}


def all_requests(asked: Asked) -> QuerySet:
    """Requests of the user's region."""
    return ChangeRequest.objects.visible_to(asked.user).select_related(
        "village", "resident", "household", "requested_by", "decided_by"
    )


class RequestFilter(FilterSet):
    """Conditions of the desk. Without 状态 those that wait show."""

    state = django_filters.ChoiceFilter(
        label="状态", choices=[*State.choices, ("all", "全部")], method="by_state",
        empty_label=State.SUBMITTED.label,
    )  # fmt: skip
    kind = django_filters.ChoiceFilter(
        label="类别", choices=list(requests.KINDS.items()), empty_label="全部"
    )
    village = django_filters.ModelChoiceFilter(
        label="村（社区）",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("state") else queryset.waiting()

    def by_state(self, queryset, name, value):
        return queryset if value == "all" else queryset.filter(state=value)


class RequestTable(Table):
    """One request a row."""

    kind = NameColumn("申请", linkify=True)
    about = tables.Column("居民或家庭", accessor="pk")
    village = tables.Column("村（社区）", accessor="village__name", attrs=NOWRAP)
    happened_on = DayColumn()
    summary = tables.Column(attrs=WIDE)
    requested_by = tables.Column("填报人", accessor="requested_by__name", attrs=NOWRAP)
    requested_at = TimeColumn(orderable=True, attrs=NOWRAP_WIDE)
    state = tables.Column(attrs=NOWRAP)
    reason = tables.Column()

    class Meta:
        model = ChangeRequest
        fields = (
            "kind", "about", "village", "happened_on", "summary", "requested_by", "requested_at", "state",
            "reason",
        )  # fmt: skip

    def render_kind(self, value):
        return requests.label_of(value)

    def render_about(self, record):
        return about(record) or NOTHING

    def render_state(self, record):
        return state_tag(record)


def about(request: ChangeRequest) -> str:
    """Whom the request is about."""
    return str(request.resident or request.household or "")


def state_tag(request: ChangeRequest):
    """The request's state as the look shows it."""
    return status_tag(TAGS[request.state], request.get_state_display())


class RejectManyForm(forms.Form):
    """One reason for all that go back."""

    reason = forms.CharField(
        label="退回原因", max_length=200, help_text="写清哪里不对、怎么改，村级宣传员会看到。"
    )

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)


def decided_already(rows: list[ChangeRequest], *, by, values, day) -> dict[int, str]:
    """Requests that wait no more, and one's own."""
    reasons = {}
    for row in rows:
        if row.state != State.SUBMITTED:
            reasons[row.pk] = f"{row.get_state_display()}，不用再办"
        elif row.requested_by_id == by.pk:
            reasons[row.pk] = "本人提出的申请，要由别人处理"
    return reasons


def accept_rows(rows: list[ChangeRequest], *, by, values, day) -> dict[int, str]:
    """Accept them one after the other; see requests.accept_many."""
    return requests.accept_many(rows, by=by, now=timezone.now(), day=day)


def reject_rows(rows: list[ChangeRequest], *, by, values, day) -> dict[int, str]:
    """Send them all back for the same reason."""
    refused = {}
    for row in rows:
        try:
            services.reject_request(by=by, request=row, reason=values["reason"], now=timezone.now())
        except RuleViolation as violation:
            refused[row.pk] = violation.message
    return refused


def _called(row: ChangeRequest) -> str:
    day = f"（{row.happened_on}）" if row.happened_on else ""
    return f"{requests.label_of(row.kind)}　{about(row)}{day}　{row.summary}".strip()


def waiting_for(user, day) -> list[Todo]:
    """For a clerk what villages ask; for a propagandist what came back."""
    mine = ChangeRequest.objects.visible_to(user)
    desk = reverse("households:request-list")
    if user.may(Permission.REQUEST_DECIDE):
        count = mine.waiting().exclude(requested_by=user).count()
        return [Todo("村级申请待受理", count, desk, "wait", "待受理", act="去受理")]
    # What was asked again since waits no more for who asked.
    again = ChangeRequest.objects.filter(
        kind=OuterRef("kind"), village=OuterRef("village"), pk__gt=OuterRef("pk")
    ).filter(Q(resident=OuterRef("resident")) | Q(household=OuterRef("household")))
    late = day - timedelta(days=DAYS_TO_ANSWER)
    back = mine.filter(
        ~Exists(again), state=State.REJECTED, requested_by=user, decided_at__date__gte=late
    ).count()
    return [Todo("申请被退回", back, f"{desk}?state=rejected", "bad", "已退回", act="去看原因")]


COLUMNS = (
    ListColumn("kind", "申请", ("kind",), fixed=True, width=12, write=requests.label_of),
    ListColumn("about", "居民或家庭", ("resident__name", "household__number"),
        write=lambda name, number: name or number or ""),
    ListColumn("village", "村（社区）", ("village__name",), width=16),
    ListColumn("happened_on", "发生日期", ("happened_on",), kind="date"),
    ListColumn("summary", "要改动的内容", ("summary",), width=40),
    ListColumn("requested_by", "填报人", ("requested_by__name",)),
    ListColumn("requested_at", "填报时间", ("requested_at",), kind="time", width=18),
    ListColumn("state", "状态", ("state",), write=lambda state: State(state).label),
    ListColumn("reason", "退回原因", ("reason",), width=30),
)  # fmt: skip


def load() -> None:
    """Register the list, its acts and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key="requests",
            title="村级申请",
            unit="份",
            permission=Permission.REGISTRY_VIEW,
            url_name="households:request-list",
            queryset=all_requests,
            table_class=RequestTable,
            filter_class=RequestFilter,
            columns=COLUMNS,
            name_of=_called,
            place_of=lambda row: row.village.name,
        )
    )
    for act in (
        Act(
            "requests", "accept", "受理所选", Permission.REQUEST_DECIDE, apply=accept_rows,
            check=decided_already, effect="按村里填报的内容登记变动", most=200, order=10,
        ),
        Act(
            "requests", "reject", "退回所选", Permission.REQUEST_DECIDE, apply=reject_rows,
            check=decided_already, form=RejectManyForm, effect="退回村里重填", most=200, order=20,
        ),
    ):  # fmt: skip
        acts.register(act)
    todos.register(TodoSource("requests", Permission.REGISTRY_VIEW, waiting_for, order=30))
