"""The movements of funds (资金流水): list over all funds, the table of one, export."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import listing
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import (
    NOWRAP,
    NOWRAP_WIDE,
    NUMERIC,
    WIDE,
    DayColumn,
    NameColumn,
    Table,
    TimeColumn,
)
from fpadmin.ui.templatetags.ui import money
from subsidies.funds.fund_list import offices_of, policies_of, years_of
from subsidies.models import ENTRY_KINDS, FundAccount, FundEntry
from subsidies.policies import catalogue

KEY = "fund-entries"
KINDS = [(key, words) for key, (words, *_) in ENTRY_KINDS.items()]


def entries(asked: Asked) -> QuerySet:
    """Movements of every fund that the user may see, newest first."""
    return for_list(FundEntry.objects.visible_to(asked.user))


def for_list(rows: QuerySet) -> QuerySet:
    """With fund, office, batch and who wrote it down; newest first."""
    return rows.select_related("fund__office", "batch", "by").order_by("-pk")


class EntryFilter(FilterSet):
    """Conditions on the movements of one fund."""

    kind = django_filters.ChoiceFilter(label="事项", choices=KINDS, empty_label="全部")


class EntryListFilter(EntryFilter):
    """Conditions on the movements of every fund: office, policy and year together are one fund."""

    office = NamedFilter(
        label="单位", field_name="fund__office", empty_label="全部",
        queryset=lambda request: offices_of(request.user),
    )  # fmt: skip
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="fund__policy_code", choices=(), empty_label="全部"
    )
    year = django_filters.ChoiceFilter(
        label="年度", field_name="fund__year", choices=(), empty_label="全部"
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["policy"].extra["choices"] = policies_of(self.request.user)
        self.filters["year"].extra["choices"] = years_of(self.request.user)


class EntryTable(Table):
    """One movement of one fund a row."""

    kind = NameColumn()
    happened_on = DayColumn()
    accounts = tables.Column("从→到", accessor="source", attrs=NOWRAP)
    amount = tables.Column(attrs=NUMERIC)
    payer = tables.Column(attrs=NOWRAP)
    document = tables.Column(attrs=WIDE)
    batch = tables.Column(
        "批次", accessor="batch__number", attrs=NOWRAP,
        linkify=lambda record: record.batch.get_absolute_url() if record.batch_id else None,
    )  # fmt: skip
    note = tables.Column(attrs=WIDE)
    by = tables.Column("登记人", accessor="by__name", attrs=NOWRAP)
    at = TimeColumn(attrs=NOWRAP_WIDE)

    class Meta:
        model = FundEntry
        fields = (
            "kind", "happened_on", "accounts", "amount", "payer", "document", "batch", "note", "by",
            "at",
        )  # fmt: skip

    def render_accounts(self, record):
        return accounts_words(record.source, record.target)

    def render_amount(self, value):
        return money(value)


class EntryListTable(EntryTable):
    """The same over every fund."""

    policy = tables.Column(
        "政策", accessor="fund__policy_code",
        linkify=lambda record: reverse("subsidies:fund-detail", args=[record.fund_id]),
    )  # fmt: skip
    office = tables.Column("单位", accessor="fund__office__name", attrs=NOWRAP)
    year = tables.Column("年度", accessor="fund__year", attrs=NOWRAP)

    class Meta:
        model = FundEntry
        fields = (
            "kind", "happened_on", "policy", "office", "year", "accounts", "amount", "payer",
            "document", "batch", "note", "by", "at",
        )  # fmt: skip
        sequence = fields

    def render_policy(self, value):
        return catalogue.name_of(value)


def accounts_words(source: str, target: str) -> str:
    """待发→已发"""
    return f"{FundAccount(source).label}→{FundAccount(target).label}"


COLUMNS = (
    ListColumn(
        "kind", "事项", ("kind",), fixed=True, width=14, write=lambda kind: ENTRY_KINDS[kind][0]
    ),
    ListColumn("happened_on", "日期", ("happened_on",), kind="date"),
    ListColumn("policy", "政策", ("fund__policy_code",), width=34, write=catalogue.name_of),
    ListColumn("office", "单位", ("fund__office__name",), width=16),
    ListColumn("year", "年度", ("fund__year",), kind="number", width=8),
    ListColumn("accounts", "从→到", ("source", "target"), width=14, write=accounts_words),
    ListColumn("amount", "金额（元）", ("amount",), kind="money", width=16),
    ListColumn("payer", "来源", ("payer",), width=10),
    ListColumn("document", "凭证或文件", ("document",), width=30),
    ListColumn("batch", "批次", ("batch__number",), width=22),
    ListColumn("note", "说明", ("note",), shown=False, width=30),
    ListColumn("by", "登记人", ("by__name",)),
    ListColumn("at", "登记时间", ("at",), kind="time", width=18),
)  # fmt: skip


def load() -> None:
    """Register the list. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="资金流水",
            unit="笔",
            permission=Permission.PAYMENT_VIEW,
            url_name="subsidies:fund-entry-list",
            queryset=entries,
            table_class=EntryListTable,
            filter_class=EntryListFilter,
            columns=COLUMNS,
            name_of=lambda row: f"{row.get_kind_display()}　{row.amount}",
            place_of=lambda row: row.fund.office.name,
        )
    )
