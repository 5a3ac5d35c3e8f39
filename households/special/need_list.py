"""The list of needs that families raised (需求跟办): its conditions and columns."""

import django_filters
import django_tables2 as tables
from django.db.models import Case, F, QuerySet, Value, When
from django.urls import reverse
from django.utils.html import format_html, format_html_join

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import listing
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from households import selectors
from households.models import ContactPerson, FollowUp, NeedKind
from households.special import due
from households.special.archive_list import parent_names
from households.special.contact_log import with_owners

KEY = "special-needs"
CLOSED, EVERY = "closed", "all"
STATES = {
    "soon": "7天内到期",
    "overdue": "已逾期",
    "late": "逾期较久",
    "orphan": "负责人已交接",
    CLOSED: "已办结",
    EVERY: "全部",
}


def all_needs(asked: Asked) -> QuerySet:
    """Needs of the families that the user may see, what is due first on top."""
    return (
        with_owners(FollowUp.objects.visible_to(asked.user))
        .select_related("family__household__village", "owner")
        .annotate(
            names=parent_names("family"),
            is_overdue=Case(
                When(closed_on__isnull=True, due_on__lt=asked.day, then=Value(True)),
                default=Value(False),
            ),
        )
        .order_by(F("closed_on").asc(nulls_first=True), "due_on", "pk")
    )


def owners(request) -> QuerySet:
    """People who see to a need of a family that the user may see."""
    seen = FollowUp.objects.visible_to(request.user).values("owner")
    return ContactPerson.objects.filter(pk__in=seen).order_by("name", "pk")


class NeedFilter(FilterSet):
    """Conditions of the list. Without 状态 those that somebody sees to."""

    state = django_filters.ChoiceFilter(
        label="状态", choices=list(STATES.items()), method="by_state", empty_label="办理中"
    )
    mine = django_filters.ChoiceFilter(
        label="范围", choices=[("1", "我负责的")], method="by_mine", empty_label="全部"
    )
    owner = NamedFilter(label="负责人", queryset=owners, empty_label="全部")
    kind = django_filters.ChoiceFilter(label="类别", choices=NeedKind.choices, empty_label="全部")
    village = NamedFilter(
        label="村（社区）",
        field_name="family__household__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("state") else due.open_needs(queryset)

    def by_state(self, queryset, name, value):
        day = self.request.day
        found = {
            "soon": lambda: due.needs_due_soon(queryset, day),
            "overdue": lambda: due.overdue_needs(queryset, day),
            "late": lambda: due.late_needs(queryset, day),
            "orphan": lambda: due.open_needs(queryset).filter(owner_left=True),
            CLOSED: lambda: queryset.filter(closed_on__isnull=False),
        }
        return found[value]() if value in found else queryset

    def by_mine(self, queryset, name, value):
        return queryset.filter(owner__user=self.request.user)


class NeedTable(Table):
    """One need a row."""

    names = NameColumn(
        "家庭", linkify=lambda record: f"{record.family.get_absolute_url()}#needs", empty_values=()
    )
    village = tables.Column("村（社区）", accessor="family__household__village__name", attrs=NOWRAP)
    kind = tables.Column()
    need = tables.Column(attrs=WIDE)
    owner = tables.Column("负责人", accessor="owner__name")
    opened_on = DayColumn()
    due_on = DayColumn(orderable=True)
    state = tables.Column("状态", accessor="is_overdue", attrs=NOWRAP)
    closed_on = DayColumn()
    outcome = tables.Column(attrs=WIDE)
    act = tables.Column("办理", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = FollowUp
        fields = (
            "names", "village", "kind", "need", "owner", "opened_on", "due_on", "state", "closed_on",
            "outcome", "act",
        )  # fmt: skip

    def render_names(self, record):
        return record.names or record.family.household

    def render_kind(self, value):
        return value

    def render_owner(self, value, record):
        if record.owner_left and not record.closed_on:
            return format_html('{}<br><span class="fp-hint">已不是联系人，请转办</span>', value)
        return value

    def render_state(self, record):
        return state_tag(record)

    def render_act(self, record):
        if record.closed_on:
            return NOTHING
        acts = (("close", "办结"), ("pass", "转办"))
        return format_html_join(
            "　",
            '<a href="{}" aria-label="{}{}的需求">{}</a>',
            (
                (
                    reverse(f"households:special-need-{act}", args=[record.pk]),
                    word,
                    record.names,
                    word,
                )
                for act, word in acts
            ),
        )


def state_of(closed_on, is_overdue: bool) -> tuple[str, str]:
    """Kind and word of the need's status."""
    if closed_on:
        return "ok", "已办结"
    return ("bad", "已逾期") if is_overdue else ("run", "办理中")


def state_tag(need: FollowUp):
    """The need's state as the look shows it."""
    return status_tag(*state_of(need.closed_on, need.is_overdue))


# What a family asked for tells of illness and care: every file of it tells health.
COLUMNS = (
    ListColumn(
        "names", "家庭", ("names", "family__household__number"), fixed=True, width=18,
        sensitive=HEALTH, write=lambda names, number: names or number,
    ),
    ListColumn("village", "村（社区）", ("family__household__village__name",), width=16),
    ListColumn("kind", "类别", ("kind",), sensitive=HEALTH),
    ListColumn("need", "需求", ("need",), width=40, sensitive=HEALTH),
    ListColumn("owner", "负责人", ("owner__name", "owner_left", "closed_on"),
        write=lambda name, *_: name),
    ListColumn("opened_on", "提出日期", ("opened_on",), kind="date"),
    ListColumn("due_on", "办结期限", ("due_on",), kind="date"),
    ListColumn("state", "状态", ("closed_on", "is_overdue"), write=lambda *s: state_of(*s)[1]),
    ListColumn("closed_on", "办结日期", ("closed_on",), kind="date", shown=False),
    ListColumn("outcome", "办理结果", ("outcome",), width=30, shown=False, sensitive=HEALTH),
    ListColumn("act", "办理", ("closed_on",), in_file=False),
)  # fmt: skip


def load() -> None:
    """Register the list. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="需求跟办",
            unit="项",
            permission=Permission.SPECIAL_VIEW,
            url_name="households:special-need-list",
            queryset=all_needs,
            table_class=NeedTable,
            filter_class=NeedFilter,
            columns=COLUMNS,
            name_of=lambda row: f"{row.names}：{row.kind}",
            place_of=lambda row: row.family.household.village.name,
        )
    )
