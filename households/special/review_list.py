"""Archives that something happened to: the desk of reviews, and who is reminded of them."""

from datetime import timedelta

import django_filters
import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import listing, todos
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from fpadmin.ui.todos import Todo, TodoSource
from households import selectors
from households.models import ArchiveReview

WAITING = "待复核"
DAYS_UNTIL_REVIEWER = 10  # a task nobody took in so many days is told to the reviewer


def reviews(asked: Asked) -> QuerySet:
    """Reviews of the archives that the user may see."""
    return ArchiveReview.objects.visible_to(asked.user).select_related(
        "family__household__village", "decided_by"
    )


class ReviewFilter(FilterSet):
    """Conditions of the desk. Without 状态 those that wait show."""

    state = django_filters.ChoiceFilter(
        label="状态",
        choices=[*ArchiveReview.Decision.choices, ("all", "全部")],
        method="by_state",
        empty_label=WAITING,
    )
    village = django_filters.ModelChoiceFilter(
        label="村（社区）",
        field_name="family__household__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    late = django_filters.ChoiceFilter(
        label=f"超过{DAYS_UNTIL_REVIEWER}天",
        choices=[("true", "是"), ("false", "否")],
        method="by_late",
        empty_label="全部",
    )

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("state") else queryset.filter(decision="")

    def by_state(self, queryset, name, value):
        return queryset if value == "all" else queryset.filter(decision=value)

    def by_late(self, queryset, name, value):
        late = _late(self.request.day)
        return queryset.filter(late) if value == "true" else queryset.exclude(late)


class ReviewTable(Table):
    """One happening a row; the family leads to the archive, where it is decided."""

    family = NameColumn(
        "家庭", linkify=("households:special-family-detail", {"pk": tables.A("family_id")})
    )
    cause = tables.Column(attrs=NOWRAP)
    finding = tables.Column(attrs=WIDE)
    found_on = DayColumn()
    decision = tables.Column(empty_values=(None,), attrs=NOWRAP)
    note = tables.Column()
    decided_by = tables.Column("处理人", accessor="decided_by__name", attrs=NOWRAP)
    acts = tables.Column("操作", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = ArchiveReview
        fields = (
            "family", "cause", "finding", "found_on", "decision", "note", "decided_by", "acts",
        )  # fmt: skip

    def render_decision(self, record):
        if not record.decision:
            return status_tag("wait", WAITING)
        return status_tag("ok", record.get_decision_display())

    def render_acts(self, record):
        if record.decision or not self.request.user.may(Permission.SPECIAL_EDIT):
            return NOTHING
        return format_html(
            '<a class="btn btn-plain btn-sm" href="{}" aria-label="处理：{}　{}">处理</a>',
            reverse("households:special-review-decide", args=[record.pk]),
            record.family,
            record.cause,
        )


def waiting_for(user, day) -> list[Todo]:
    """For the clerk all that wait; for the reviewer those that have waited too long."""
    waiting = ArchiveReview.objects.visible_to(user).filter(decision="")
    desk = reverse("households:special-review-list")
    if user.may(Permission.SPECIAL_EDIT):
        return [Todo("特殊家庭档案待复核", waiting.count(), desk, "warn", WAITING, act="去复核")]
    late = waiting.filter(_late(day)).count()
    return [
        Todo(
            f"特殊家庭档案超过{DAYS_UNTIL_REVIEWER}天未复核",
            late,
            f"{desk}?late=true",
            "bad",
            "逾期",
            act="去查看",
        )
    ]


def _late(day) -> Q:
    return Q(found_on__lt=day - timedelta(days=DAYS_UNTIL_REVIEWER))


COLUMNS = (
    ListColumn(
        "family",
        "家庭",
        ("family__household__village__name", "family__household__number"),
        fixed=True,
        width=24,
        write=lambda village, number: f"{village}　{number}户",
    ),
    ListColumn("cause", "起因", ("cause",)),
    ListColumn("finding", "复核情况", ("finding",), sensitive=HEALTH, width=50),
    ListColumn("found_on", "发现日期", ("found_on",), kind="date"),
    ListColumn(
        "decision",
        "处理结果",
        ("decision",),
        write=lambda d: ArchiveReview.Decision(d).label if d else WAITING,
    ),
    ListColumn("note", "处理说明", ("note",), width=30),
    ListColumn("decided_by", "处理人", ("decided_by__name",)),
    ListColumn("acts", "操作", (), fixed=True, in_file=False),
)


def load() -> None:
    """Register the desk and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key="special-reviews",
            title="档案复核",
            unit="件",
            permission=Permission.SPECIAL_LIST,
            url_name="households:special-review-list",
            queryset=reviews,
            table_class=ReviewTable,
            filter_class=ReviewFilter,
            columns=COLUMNS,
            name_of=lambda row: f"{row.family}　{row.cause}",
            place_of=lambda row: row.family.household.village.name,
        )
    )
    todos.register(TodoSource("special-reviews", Permission.SPECIAL_LIST, waiting_for, order=33))
