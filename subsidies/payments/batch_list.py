"""The list of batches (资金发放): page, export, what waits for whom on the home page and in the menu."""

import django_filters
import django_tables2 as tables
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NUMERIC, NameColumn, NumberColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, money, status_tag
from fpadmin.ui.todos import Todo, TodoSource
from subsidies.models import BatchState, PaymentBatch, ReturnException
from subsidies.payments.periods import year_words
from subsidies.payments.turns import TAGS, waiting_words, waits_for
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for

KEY = "payment-batches"
FIRST_YEAR = 2004
URL = "subsidies:batch-list"


def batches(asked: Asked) -> QuerySet:
    """The batches that the user may see, newest first."""
    questions = ReturnException.objects.open().filter(batch=OuterRef("pk"))
    found = PaymentBatch.objects.visible_to(asked.user).annotate(has_exceptions=Exists(questions))
    return found.select_related("office", "made_by").order_by("-pay_year", "-pk")


class BatchFilter(FilterSet):
    """Conditions of the list."""

    mine = django_filters.ChoiceFilter(
        label="等我办理", choices=[("true", "是")], method="by_mine", empty_label="不限"
    )
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="policy_code", choices=[], empty_label="全部"
    )
    state = django_filters.ChoiceFilter(
        label="状态", choices=BatchState.choices, empty_label="全部"
    )
    pay_year = django_filters.ChoiceFilter(label="发放年度", choices=[], empty_label="全部")
    kind = django_filters.ChoiceFilter(
        label="类别", choices=PaymentBatch.Kind.choices, empty_label="全部"
    )

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        self.form.fields["policy"].choices = [
            (code, catalogue.name_of(code)) for code in codes_for(request.user)
        ]
        years = range(request.day.year + 1, FIRST_YEAR - 1, -1)
        self.form.fields["pay_year"].choices = [(str(year), f"{year}年") for year in years]

    def by_mine(self, queryset, name, value):
        return queryset.filter(waits_for(self.request.user))


class BatchTable(Table):
    """One batch a row."""

    number = NameColumn(
        "批次号", linkify=lambda record: record.get_absolute_url(),
        attrs={"td": {"class": "fp-name fp-nowrap"}},
    )  # fmt: skip
    policy = tables.Column("政策", accessor="policy_code")
    year = tables.Column("享受年度", attrs=NOWRAP)
    months = tables.Column("月份", accessor="from_month", attrs=NOWRAP)
    kind = tables.Column("类别", attrs=NOWRAP)
    office = tables.Column("发放单位", accessor="office__name", attrs=NOWRAP)
    state = tables.Column("状态", attrs=NOWRAP)
    count = NumberColumn("笔数", empty_values=())
    total = tables.Column("金额（元）", attrs=NUMERIC, empty_values=())
    made_by = tables.Column("经办人", accessor="made_by__name", attrs=NOWRAP)
    waiting = tables.Column("等谁办", accessor="state", attrs=NOWRAP)
    pay_year = tables.Column("发放年度", attrs=NOWRAP)
    note = tables.Column("说明")

    class Meta:
        model = PaymentBatch
        fields = (
            "number", "policy", "year", "months", "kind", "office", "state", "count", "total",
            "made_by", "waiting", "pay_year", "note",
        )  # fmt: skip

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_year(self, record):
        return f"{record.year}年度"

    def render_months(self, record):
        return months_words(record.policy_code, record.from_month, record.to_month)

    def render_state(self, record):
        return state_tag(record)

    def render_count(self, record):
        # Nothing is agreed before it is submitted.
        return f"{record.count:,}" if record.sha256 or record.count else NOTHING

    def render_total(self, record):
        return money(record.total) if record.sha256 or record.count else NOTHING

    def render_waiting(self, record):
        return waiting_words(record.state, record.has_exceptions) or NOTHING

    def render_pay_year(self, value):
        return f"{value}年"


def state_tag(batch: PaymentBatch):
    """Where the batch stands."""
    return status_tag(TAGS[batch.state], batch.get_state_display())


def months_words(code: str, first, last) -> str:
    """Of what is paid by the month: 2018-01至2018-06; else 全年 or 一次性."""
    cycle = catalogue.policy(code).cycle
    if cycle != "month":
        return "一次性" if cycle == "once" else "全年"
    return f"{first:%Y-%m}至{last:%Y-%m}"


def title_of(batch: PaymentBatch) -> str:
    """What a batch is called on its pages: the policy and the year it is for."""
    policy = batch.policy
    kind = {"reissue": "补发", "history": "历史发放"}.get(batch.kind, "发放")
    part = f"（{batch.part}）" if batch.part else ""
    return f"{policy.name}{year_words(policy, batch.year)}{part}{kind}"


def waiting_count(user) -> int:
    """How many are the user's to see to: the number beside the menu's line."""
    return PaymentBatch.objects.visible_to(user).filter(waits_for(user)).count()


def waiting_for(user, day) -> list[Todo]:
    """The same on the home page."""
    url = f"{reverse(URL)}?mine=true"
    return [Todo("等我办理的发放批次", waiting_count(user), url, "wait", "待办理")]


COLUMNS = (
    ListColumn("number", "批次号", ("number",), kind="code", fixed=True, width=22),
    # Some policies tell of a child's death or illness: a file that names policies counts as health.
    ListColumn(
        "policy", "政策", ("policy_code",), sensitive=HEALTH, width=34, write=catalogue.name_of
    ),
    ListColumn("year", "享受年度", ("year",), kind="number"),
    ListColumn(
        "months", "月份", ("policy_code", "from_month", "to_month"), width=20, write=months_words
    ),
    ListColumn(
        "kind", "类别", ("kind",), shown=False, write=lambda one: PaymentBatch.Kind(one).label
    ),
    ListColumn("office", "发放单位", ("office__name",), shown=False, width=16),
    ListColumn("state", "状态", ("state",), write=lambda one: BatchState(one).label, width=14),
    ListColumn("count", "笔数", ("count", "sha256"), kind="number"),
    ListColumn("total", "金额（元）", ("total", "count", "sha256"), kind="number", width=14),
    ListColumn("made_by", "经办人", ("made_by__name",)),
    ListColumn("waiting", "等谁办", ("state", "has_exceptions"), write=waiting_words, width=36),
    ListColumn("pay_year", "发放年度", ("pay_year",), kind="number", shown=False),
    ListColumn("note", "说明", ("note",), shown=False, width=30),
)  # fmt: skip


def load() -> None:
    """Register the list and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="资金发放",
            unit="批",
            permission=Permission.PAYMENT_VIEW,
            url_name=URL,
            queryset=batches,
            table_class=BatchTable,
            filter_class=BatchFilter,
            columns=COLUMNS,
            name_of=lambda row: row.number,
            place_of=lambda row: row.office.name,
        )
    )
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
    todos.register(TodoSource(KEY, Permission.PAYMENT_VIEW, waiting_for, order=44))
