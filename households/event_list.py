"""The ledger of life events (变动台账): its table, its conditions, and what a file of it holds."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.forms import FlexibleDateField
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, DayColumn, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from households import selectors
from households.models import EventKind, LifeEvent

IN_FORCE, UNDONE = "有效", "已撤销"
KINDS = [(kind.value, kind.label) for kind in EventKind]


def events(asked: Asked) -> QuerySet:
    """Events recorded in the user's region."""
    return LifeEvent.objects.visible_to(asked.user).for_list()


class DayFilter(django_filters.DateFilter):
    """A day typed in any of the ways that offices write one."""

    field_class = FlexibleDateField


class EventFilter(FilterSet):
    """Conditions of the ledger. Without 状态 all events show, taken back or not."""

    kind = django_filters.ChoiceFilter(label="类别", choices=KINDS, empty_label="全部")
    village = django_filters.ModelChoiceFilter(
        label="村（社区）",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    happened_from = DayFilter(label="发生从", field_name="happened_on", lookup_expr="gte")
    happened_to = DayFilter(label="发生到", field_name="happened_on", lookup_expr="lte")
    reported_from = DayFilter(label="报告从", field_name="reported_on", lookup_expr="gte")
    reported_to = DayFilter(label="报告到", field_name="reported_on", lookup_expr="lte")
    undone = django_filters.ChoiceFilter(
        label="状态",
        choices=[("no", IN_FORCE), ("yes", UNDONE)],
        method="by_undone",
        empty_label="全部",
    )

    def by_undone(self, queryset, name, value):
        return queryset.in_force() if value == "no" else queryset.filter(undone_by__isnull=False)


class EventTable(Table):
    """One event a row; a link leads to what it changed."""

    kind = NameColumn("变动", linkify=True)
    who = tables.Column("居民", accessor="resident__name")
    village = tables.Column("村（社区）", accessor="village__name", attrs=NOWRAP)
    household = tables.Column("户编号", accessor="household__number")
    happened_on = DayColumn(orderable=True)
    reported_on = DayColumn(orderable=True)
    recorded_by = tables.Column("登记人", accessor="recorded_by__name")
    recorded_at = TimeColumn()
    state = tables.Column("状态", accessor="pk", attrs=NOWRAP)
    note = tables.Column("说明")

    class Meta:
        model = LifeEvent
        fields = (
            "kind", "who", "village", "household", "happened_on", "reported_on", "recorded_by",
            "recorded_at", "state", "note",
        )  # fmt: skip

    def render_kind(self, record):
        return record.get_kind_display()

    def render_state(self, record):
        if record.kind == EventKind.UNDO:
            return NOTHING
        undone = is_undone(record)
        return status_tag("off", UNDONE) if undone else status_tag("ok", IN_FORCE)


def is_undone(event: LifeEvent) -> bool:
    """Whether the event was taken back; `undone_by` is loaded."""
    return getattr(event, "undone_by", None) is not None


COLUMNS = (
    ListColumn(
        "kind", "变动", ("kind",), fixed=True, width=10, write=lambda kind: EventKind(kind).label
    ),
    ListColumn("who", "居民", ("resident__name",)),
    ListColumn("village", "村（社区）", ("village__name",), width=16),
    ListColumn("household", "户编号", ("household__number",), kind="code", width=10),
    ListColumn("happened_on", "发生日期", ("happened_on",), kind="date"),
    ListColumn("reported_on", "报告日期", ("reported_on",), kind="date"),
    ListColumn("recorded_by", "登记人", ("recorded_by__name",)),
    ListColumn("recorded_at", "登记时间", ("recorded_at",), kind="time", shown=False, width=18),
    ListColumn(
        "state", "状态", ("kind", "undone_by__id"), width=10,
        write=lambda kind, undo: "" if kind == EventKind.UNDO else UNDONE if undo else IN_FORCE,
    ),
    ListColumn("note", "说明", ("note",), shown=False, width=30),
)  # fmt: skip


def load() -> None:
    """Register the list and its acts. Called once, by ready()."""
    listing.register(
        ListSpec(
            key="events",
            title="变动台账",
            unit="次",
            permission=Permission.REGISTRY_VIEW,
            url_name="households:event-list",
            queryset=events,
            table_class=EventTable,
            filter_class=EventFilter,
            columns=COLUMNS,
            name_of=lambda event: f"{event.get_kind_display()}　{event.resident.name}",
            place_of=lambda event: f"{event.village.name}　{event.household}",
        )
    )
    acts.register(
        Act(
            "events", "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
