"""The list of meetings held: its table, its filter bar, its columns for files."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.ui import listing
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import status_tag
from households import selectors
from subsidies.models import Meeting

KEY = "meetings-held"
DOUBT, DEAD, NEEDS = "doubt", "dead", "needs"
Delivered = Meeting.Delivered


def all_meetings(asked: Asked) -> QuerySet:
    """Every meeting that the user may know of and no later one took the place of."""
    held = Meeting.objects.visible_to(asked.user).standing()
    return held.select_related("resident__household", "village", "met_by")


class RecordFilter(FilterSet):
    """Conditions on meetings held."""

    state = django_filters.ChoiceFilter(
        label="情况",
        choices=[
            (DOUBT, "资金未收到，待查实"), (DEAD, "已去世，户籍未登记"), (NEEDS, "有困难和诉求"),
        ],
        method="by_state",
        empty_label="全部",
    )  # fmt: skip
    village = NamedFilter(
        label="村（社区）",
        queryset=lambda request: selectors.villages_of(request.user, dates.today()),
        empty_label="全部",
    )
    met_on = django_filters.DateFromToRangeFilter(label="见面日期")

    def by_state(self, queryset, name, value):
        if value == DOUBT:
            return queryset.not_received()
        return queryset.deaths() if value == DEAD else queryset.exclude(difficulties="")


class RecordTable(Table):
    """One meeting a row."""

    name = NameColumn(
        "姓名", accessor="resident__name", linkify=lambda record: record.get_absolute_url()
    )
    village = tables.Column("村（社区）", accessor="village__name", attrs=NOWRAP)
    household = tables.Column("户编号", accessor="resident__household__number")
    met_on = DayColumn(orderable=True)
    alive = tables.Column("是否健在", accessor="is_alive", attrs=NOWRAP)
    delivered = tables.Column("资金", accessor="delivered", empty_values=(), attrs=NOWRAP)
    difficulties = tables.Column(attrs=WIDE)
    met_by = tables.Column("核实人", accessor="met_by__name", attrs=NOWRAP)

    class Meta:
        model = Meeting
        fields = (
            "name", "village", "household", "met_on", "alive", "delivered", "difficulties", "met_by",
        )  # fmt: skip

    def render_alive(self, value):
        return "健在" if value else status_tag("bad", "已去世")

    def render_delivered(self, record):
        return delivered_tag(record)


def delivered_tag(meeting: Meeting):
    """Whether the money came, and whether somebody looked into it."""
    word = meeting.get_delivered_display() or "没有问"
    if meeting.delivered in ("", Delivered.YES):
        return status_tag("ok" if meeting.delivered else "off", word)
    if meeting.settled_at:
        return status_tag("off", f"{word}，已查实")
    return status_tag("warn", word)


COLUMNS = (
    ListColumn("name", "姓名", ("resident__name",), fixed=True),
    ListColumn("village", "村（社区）", ("village__name",), width=16),
    ListColumn("household", "户编号", ("resident__household__number",), kind="code", width=10),
    ListColumn("met_on", "见面日期", ("met_on",), kind="date"),
    ListColumn("alive", "是否健在", ("is_alive",), write=lambda yes: "健在" if yes else "已去世"),
    ListColumn(
        "delivered", "资金是否收到", ("delivered", "settled_at"), width=14,
        write=lambda value, _: Delivered(value).label if value else "",
    ),
    ListColumn("difficulties", "困难和诉求", ("difficulties",), width=40),
    ListColumn("met_by", "核实人", ("met_by__name",)),
)  # fmt: skip


def load() -> None:
    """Register the list. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="见面记录",
            unit="次",
            permission=Permission.PAYMENT_VILLAGE,
            url_name="subsidies:meeting-record-list",
            queryset=all_meetings,
            table_class=RecordTable,
            filter_class=RecordFilter,
            columns=COLUMNS,
            name_of=lambda meeting: meeting.resident.name,
            place_of=lambda meeting: meeting.village.name,
        )
    )
