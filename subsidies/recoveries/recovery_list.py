"""Recoveries (追回) as a list: who owes what, what is back, what waits to be decided."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, NUMERIC, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import money, status_tag
from fpadmin.ui.todos import Todo, TodoSource
from households import selectors
from subsidies.models import Recovery
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for
from subsidies.recoveries.owed import left_of

KEY = "recoveries"
State = Recovery.State
UNSETTLED = (State.PROPOSED, State.OPEN)
TAGS = {State.PROPOSED: "wait", State.OPEN: "run", State.SETTLED: "ok", State.REFUSED: "off"}
HOW = {True: "抵扣", False: "退还"}


def recoveries(asked: Asked) -> QuerySet:
    """Those that the user may see, newest first."""
    return Recovery.objects.visible_to(asked.user).select_related(
        "line__beneficiary", "line__village", "line__batch", "proposed_by", "decided_by"
    )


class RecoveryFilter(FilterSet):
    """Conditions of the list. Without 状态 those that are not done with show."""

    state = django_filters.ChoiceFilter(
        label="状态", choices=[*State.choices, ("all", "全部")], method="by_state",
        empty_label="没有办完的",
    )  # fmt: skip
    reason = django_filters.ChoiceFilter(
        label="原因", choices=Recovery.Reason.choices, empty_label="全部"
    )
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="line__policy_code", choices=[], empty_label="全部"
    )
    village = NamedFilter(
        label="村（社区）",
        field_name="line__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        self.form.fields["policy"].choices = [
            (code, catalogue.name_of(code)) for code in codes_for(request.user)
        ]

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        if self.form.cleaned_data.get("state"):
            return queryset
        return queryset.filter(state__in=UNSETTLED)

    def by_state(self, queryset, name, value):
        return queryset if value == "all" else queryset.filter(state=value)


class RecoveryTable(Table):
    """One recovery a row; the name leads to it."""

    name = NameColumn(
        "户名", accessor="line__name",
        linkify=lambda record: reverse("subsidies:recovery-detail", args=[record.pk]),
    )  # fmt: skip
    village = tables.Column("村（社区）", accessor="line__village__name", attrs=NOWRAP)
    policy = tables.Column("政策", accessor="line__policy_code")
    year = tables.Column("享受年度", accessor="line__year", attrs=NOWRAP)
    reason = tables.Column(attrs=NOWRAP)
    amount = tables.Column(attrs=NUMERIC)
    settled = tables.Column(attrs=NUMERIC)
    left = tables.Column("还差（元）", accessor="pk", attrs=NUMERIC)
    how = tables.Column("方式", accessor="by_deduction", attrs=NOWRAP)
    proposed_by = tables.Column("提出人", accessor="proposed_by__name", attrs=NOWRAP)
    proposed_at = TimeColumn(attrs=NOWRAP_WIDE)
    state = tables.Column("状态", attrs=NOWRAP)

    class Meta:
        model = Recovery
        fields = (
            "name", "village", "policy", "year", "reason", "amount", "settled", "left", "how",
            "proposed_by", "proposed_at", "state",
        )  # fmt: skip

    def called(self, record):
        return record.line.name

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_amount(self, value):
        return money(value)

    render_settled = render_amount

    def render_left(self, record):
        return money(left_of(record))

    def render_how(self, value):
        return HOW[value]

    def render_state(self, record):
        return state_tag(record)


def state_tag(recovery: Recovery):
    """The state as the look shows it."""
    return status_tag(TAGS[recovery.state], recovery.get_state_display())


def to_decide(user) -> QuerySet:
    """What somebody else proposed and nobody decided."""
    waiting = Recovery.objects.visible_to(user).filter(state=State.PROPOSED)
    return waiting.exclude(proposed_by=user)


def todos_of(user, day) -> list[Todo]:
    """For whoever decides what waits; for whoever asks money back what is open."""
    page = reverse("subsidies:recovery-list")
    found = [
        Todo("追回待审核", to_decide(user).count(), f"{page}?state=proposed", "wait", "待审核",
             act="去审核"),
    ]  # fmt: skip
    if user.may(Permission.PAYMENT_FUND):
        open_ones = Recovery.objects.visible_to(user).filter(state=State.OPEN)
        found.append(
            Todo("追回没有到账", open_ones.count(), f"{page}?state=open", "run", "追回中",
                 act="去查看")
        )  # fmt: skip
    return found


COLUMNS = (
    ListColumn("name", "户名", ("line__name",), fixed=True, sensitive=HEALTH),
    ListColumn("village", "村（社区）", ("line__village__name",), width=16),
    ListColumn("policy", "政策", ("line__policy_code",), write=catalogue.name_of, width=30),
    ListColumn("year", "享受年度", ("line__year",), kind="number"),
    ListColumn("reason", "原因", ("reason",), write=lambda one: Recovery.Reason(one).label, width=20),
    ListColumn("amount", "应追回（元）", ("amount",), kind="money"),
    ListColumn("settled", "已追回（元）", ("settled",), kind="money"),
    ListColumn(
        "left", "还差（元）", ("amount", "settled"), kind="money",
        write=lambda amount, settled: amount - settled,
    ),
    ListColumn("how", "方式", ("by_deduction",), write=HOW.get),
    ListColumn("proposed_by", "提出人", ("proposed_by__name",)),
    ListColumn("proposed_at", "提出时间", ("proposed_at",), kind="time", shown=False, width=18),
    ListColumn("state", "状态", ("state",), write=lambda one: State(one).label),
)  # fmt: skip


def load() -> None:
    """Register the list and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="追回",
            unit="笔",
            permission=Permission.PAYMENT_VIEW,
            url_name="subsidies:recovery-list",
            queryset=recoveries,
            table_class=RecoveryTable,
            filter_class=RecoveryFilter,
            columns=COLUMNS,
            name_of=lambda row: row.line.name,
            place_of=lambda row: row.line.village.name,
        )
    )
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
    todos.register(TodoSource(KEY, Permission.PAYMENT_CHECK, todos_of, order=48))
