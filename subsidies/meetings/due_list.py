"""The list of people to be seen: its table, its filter bar, its columns for files."""

import django_filters
import django_tables2 as tables
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils.html import format_html

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.identity import mask_phone
from fpadmin.ui import listing
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NUMERIC, WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, money, status_tag
from fpadmin.ui.templatetags.ui import mask_phone as phone_shown
from households import selectors
from households.models import Resident
from subsidies.meetings import waiting
from subsidies.notices import terms
from subsidies.policies import catalogue

KEY = "meetings-due"
OVERDUE = "overdue"


def all_people(asked: Asked) -> QuerySet:
    """Everybody of the user's region who was paid and not seen since."""
    return waiting.people(asked.user)


class DueFilter(FilterSet):
    """Conditions on the people to be seen; each asks of a payment that waits.

    None of them picks those whom a policy is paid that tells of a child's death or illness.
    """

    village = NamedFilter(
        label="村（社区）",
        queryset=lambda request: selectors.villages_of(request.user, dates.today()),
        method="by_village",
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(
        label="期限", choices=[(OVERDUE, "已逾期")], method="by_state", empty_label="全部"
    )
    policy = django_filters.ChoiceFilter(
        label="政策", choices=catalogue.choices, method="by_policy", empty_label="全部"
    )
    paid = django_filters.ChoiceFilter(
        label="到账年份", choices=[], method="by_year", empty_label="全部"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        user = self.request.user
        self.filters["policy"].extra["choices"] = [
            (code, one.name) for code, one in catalogue.policies().items() if not one.sensitive
        ]
        self.filters["paid"].extra["choices"] = [
            (str(year), f"{year}年") for year in waiting.years_of(user)
        ]

    def by_village(self, queryset, name, value):
        return self._with(queryset, village=value)

    def by_state(self, queryset, name, value):
        return self._with(queryset, see_by__lt=dates.today())

    def by_policy(self, queryset, name, value):
        return self._with(queryset, policy_code=value)

    def by_year(self, queryset, name, value):
        return self._with(queryset, paid_on__year=int(value))

    def _with(self, queryset, **conditions):
        lines = waiting.waiting(self.request.user).filter(**conditions)
        return queryset.filter(Exists(lines.filter(beneficiary=OuterRef("pk"))))


class DueTable(Table):
    """One person a row, however many payments wait."""

    name = NameColumn("姓名", accessor="name")
    village = tables.Column("村（社区）", accessor="village__name", attrs=NOWRAP)
    group = tables.Column("小组", accessor="household__group__name", attrs=NOWRAP)
    household = tables.Column("户编号", accessor="household__number")
    phone = tables.Column("手机", attrs=NOWRAP)
    what = tables.Column("发放项目", accessor="projects", attrs=WIDE)
    yuan = tables.Column("金额（元）", attrs=NUMERIC)
    paid_on = DayColumn("到账日期", accessor="paid_on")
    see_by = DayColumn("见面期限", accessor="see_by", orderable=True)
    state = tables.Column("状态", accessor="see_by", attrs=NOWRAP)

    class Meta:
        model = Resident
        fields = (
            "name", "village", "group", "household", "phone", "what", "yuan", "paid_on", "see_by",
            "state",
        )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._day, self._changes = dates.today(), None

    def render_name(self, record):
        address = reverse("subsidies:meeting-create", args=[record.pk])
        return format_html('<a href="{}">{}</a>', address, record.name)

    def render_phone(self, value):
        return phone_shown(value)

    def render_what(self, value):
        return waiting.projects_of(value) or NOTHING

    def render_yuan(self, value):
        return money(value)

    def render_state(self, value):
        if self._changes is None:
            self._changes = terms.changes()
        return status_tag(*waiting.due_tag(value, self._day, self._changes))


def _state_in_file(see_by) -> str:
    return "已逾期" if see_by < dates.today() else "待见面"


COLUMNS = (
    ListColumn("name", "姓名", ("name",), fixed=True),
    ListColumn("village", "村（社区）", ("village__name",), width=16),
    ListColumn("group", "小组", ("household__group__name",), width=10),
    ListColumn("household", "户编号", ("household__number",), kind="code", width=10),
    ListColumn("phone", "手机", ("phone",), kind="code", mask=mask_phone, width=14),
    ListColumn("what", "发放项目", ("projects",), width=40, write=waiting.projects_of),
    # The sum alone tells who draws what a policy without a name in files pays.
    ListColumn("yuan", "金额（元）", ("yuan",), kind="number", in_file=False),
    ListColumn("paid_on", "到账日期", ("paid_on",), kind="date"),
    ListColumn("see_by", "见面期限", ("see_by",), kind="date"),
    ListColumn("state", "状态", ("see_by",), write=_state_in_file),
)


def address() -> str:
    """The list's own page."""
    return reverse("subsidies:meeting-list")


def load() -> None:
    """Register the list. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="待见面核实",
            unit="人",
            permission=Permission.PAYMENT_VILLAGE,
            url_name="subsidies:meeting-list",
            queryset=all_people,
            table_class=DueTable,
            filter_class=DueFilter,
            columns=COLUMNS,
            place_of=lambda resident: resident.village.name,
            name_of=lambda resident: resident.name,
        )
    )
