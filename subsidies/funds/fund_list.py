"""The list of funds (资金台账): page, sums, export."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NameColumn, Table
from fpadmin.ui.templatetags.ui import money, status_tag
from subsidies.funds.sums import BALANCES, even
from subsidies.models import Fund
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for

KEY = "funds"
# A line of its own on a phone: millions take their room.
YUAN = {"th": {"class": "fp-num"}, "td": {"class": "fp-num fp-wide"}}


def funds(asked: Asked) -> QuerySet:
    """The funds that the user may see, newest year first."""
    return Fund.objects.visible_to(asked.user).select_related("office")


def offices_of(user) -> QuerySet:
    """The townships that the user sees: the offices that pay."""
    return Region.objects.visible_to(user).filter(level=Region.Level.TOWNSHIP).order_by("path")


class FundFilter(FilterSet):
    """Conditions of the list."""

    office = NamedFilter(
        label="单位", queryset=lambda request: offices_of(request.user), empty_label="全部"
    )
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="policy_code", choices=(), empty_label="全部"
    )
    year = django_filters.ChoiceFilter(label="年度", choices=(), empty_label="全部")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["policy"].extra["choices"] = policies_of(self.request.user)
        self.filters["year"].extra["choices"] = years_of(self.request.user)


def policies_of(user) -> list[tuple[str, str]]:
    """(code, name) of the policies that pay money and may be named to the user."""
    return [
        (code, catalogue.name_of(code))
        for code in codes_for(user)
        if not catalogue.policy(code).in_kind
    ]


def years_of(user) -> list[tuple[str, str]]:
    """The years of which the user sees a fund, newest first."""
    years = Fund.objects.visible_to(user).order_by("-year").values_list("year", flat=True)
    return [(str(year), f"{year}年度") for year in years.distinct()]


class FundTable(Table):
    """One fund a row."""

    policy = NameColumn(
        "政策", accessor="policy_code",
        linkify=lambda record: reverse("subsidies:fund-detail", args=[record.pk]),
    )  # fmt: skip
    office = tables.Column(
        "单位", accessor="office__name", attrs=NOWRAP, orderable=True,
        order_by=("office__path", "policy_code"),
    )  # fmt: skip
    year = tables.Column(attrs=NOWRAP, orderable=True)
    budget = tables.Column(attrs=YUAN)
    allotted = tables.Column(attrs=YUAN)
    free = tables.Column(attrs=YUAN)
    reserved = tables.Column(attrs=YUAN)
    paid = tables.Column(attrs=YUAN)
    recovered = tables.Column(attrs=YUAN)
    check = tables.Column("核对", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = Fund
        fields = ("policy", "office", "year", "budget", *BALANCES, "check")

    def called(self, record):
        return str(record)

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_budget(self, value):
        return money(value)

    render_allotted = render_free = render_reserved = render_paid = render_recovered = render_budget

    def render_check(self, record):
        return even_tag(even(record))


def even_tag(is_even: bool):
    """Whether the balances agree, as the look says it."""
    return status_tag("ok", "相符") if is_even else status_tag("bad", "不符")


COLUMNS = (
    ListColumn("policy", "政策", ("policy_code",), fixed=True, width=34, write=catalogue.name_of),
    ListColumn("office", "单位", ("office__name",), width=16),
    ListColumn("year", "年度", ("year",), kind="number", width=8),
    ListColumn("budget", "预算（元）", ("budget",), kind="money", width=16),
    ListColumn("allotted", "到账（元）", ("allotted",), kind="money", width=16),
    ListColumn("free", "可用（元）", ("free",), kind="money", width=16),
    ListColumn("reserved", "待发（元）", ("reserved",), kind="money", width=16),
    ListColumn("paid", "已发（元）", ("paid",), kind="money", width=16),
    ListColumn("recovered", "追回（元）", ("recovered",), kind="money", width=16),
    ListColumn("check", "核对", BALANCES, width=8, in_file=False),
)  # fmt: skip


def load() -> None:
    """Register the list. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="资金台账",
            unit="本",
            permission=Permission.PAYMENT_VIEW,
            url_name="subsidies:fund-list",
            queryset=funds,
            table_class=FundTable,
            filter_class=FundFilter,
            columns=COLUMNS,
            place_of=lambda row: row.office.name,
        )
    )
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
