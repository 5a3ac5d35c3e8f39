"""The list of notices: its table, its filter bar, its columns for files."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.ui import listing
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, DayColumn, NameColumn, NumberColumn, Table
from fpadmin.ui.templatetags.ui import status_tag
from households import selectors
from subsidies.models import Notice
from subsidies.notices import hanging, terms
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for
from subsidies.services.notices import CHANGE_LABELS, EVENT_TYPES

KEY = "notices"


def all_notices(asked: Asked) -> QuerySet:
    """Every notice of the user's region, the newest first."""
    return hanging.for_list(asked.user).select_related("village")


def policies_for(request) -> list[tuple[str, str]]:
    """The policies whose notices may be named to the user."""
    return [(code, catalogue.name_of(code)) for code in codes_for(request.user)]


class NoticeFilter(FilterSet):
    """Conditions on notices."""

    state = django_filters.ChoiceFilter(
        label="状态", choices=list(hanging.STATES.items()), method="by_state", empty_label="全部"
    )
    village = NamedFilter(
        label="村（社区）",
        queryset=lambda request: selectors.villages_of(request.user, dates.today()),
        empty_label="全部",
    )
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="policy_code", choices=catalogue.choices, empty_label="全部"
    )
    disputed = django_filters.ChoiceFilter(
        label="异议", choices=[("open", "有未处理的")], method="by_disputes", empty_label="全部"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["policy"].extra["choices"] = policies_for(self.request)

    def by_state(self, queryset, name, value):
        return queryset.filter(hanging.in_state(value, dates.today()))

    def by_disputes(self, queryset, name, value):
        return queryset.filter(disputes__gt=0)


class NoticeTable(Table):
    """One notice a row."""

    policy = NameColumn("政策", accessor="policy_code", linkify=True)
    village = tables.Column("村（社区）", accessor="village__name", attrs=NOWRAP)
    people = NumberColumn("人数", accessor="people")
    posted_on = DayColumn(orderable=True)
    ends_on = DayColumn(orderable=True)
    days = NumberColumn()
    state = tables.Column("状态", accessor="pk", attrs=NOWRAP)
    disputes = tables.Column("未处理异议", accessor="disputes", attrs=NOWRAP)
    photo = tables.Column("照片", empty_values=(), attrs=NOWRAP)
    closed_on = DayColumn()

    class Meta:
        model = Notice
        fields = (
            "policy", "village", "people", "posted_on", "ends_on", "days", "state", "disputes",
            "photo", "closed_on",
        )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._day, self._changes = dates.today(), None

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_state(self, record):
        if self._changes is None:
            self._changes = terms.changes()
        return status_tag(*hanging.tag_of(record, self._day, self._changes))

    def render_disputes(self, value):
        return status_tag("warn", f"{value}件") if value else 0

    def render_photo(self, record):
        return "有" if record.photo else "没有"


def _state_in_file(closed_on, ends_on) -> str:
    return hanging.STATES[
        hanging.state_of(Notice(closed_on=closed_on, ends_on=ends_on), dates.today())
    ]


COLUMNS = (
    ListColumn(
        "policy", "政策", ("policy_code",), fixed=True, width=30,
        write=lambda code: catalogue.name_of(code),
    ),
    ListColumn("village", "村（社区）", ("village__name",), width=16),
    ListColumn("people", "人数", ("people",), kind="number"),
    ListColumn("posted_on", "公示起", ("posted_on",), kind="date"),
    ListColumn("ends_on", "公示止", ("ends_on",), kind="date"),
    ListColumn("days", "公示（工作日）", ("days",), kind="number", shown=False),
    ListColumn("state", "状态", ("closed_on", "ends_on", "posted_on"),
               write=lambda closed_on, ends_on, _: _state_in_file(closed_on, ends_on)),
    ListColumn("disputes", "未处理异议", ("disputes",), kind="number"),
    ListColumn("photo", "照片", ("photo",), write=lambda name: "有" if name else "没有"),
    ListColumn("closed_on", "结束日期", ("closed_on",), kind="date", shown=False),
)  # fmt: skip


def load() -> None:
    """Register the list and the events of notices. Called once, by ready()."""
    register_types(EVENT_TYPES, CHANGE_LABELS)
    listing.register(
        ListSpec(
            key=KEY,
            title="公示",
            unit="份",
            permission=Permission.BENEFIT_VIEW,
            url_name="subsidies:notice-list",
            queryset=all_notices,
            table_class=NoticeTable,
            filter_class=NoticeFilter,
            columns=COLUMNS,
            name_of=lambda notice: catalogue.name_of(notice.policy_code),
            place_of=lambda notice: notice.village.name,
        )
    )
