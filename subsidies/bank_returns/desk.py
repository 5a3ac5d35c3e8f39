"""The desk's list (回盘异常): page, export, and what of the bank's answers waits on the home page."""

import django_filters
import django_tables2 as tables
from django.db.models import Count, DateField, Exists, OuterRef, Q, QuerySet, Value
from django.urls import NoReverseMatch, reverse
from django.utils.timezone import localdate

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NUMERIC, WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import money, status_tag
from fpadmin.ui.todos import Todo, TodoSource
from subsidies.bank_returns.lines import ANSWERED_WITHIN, is_late
from subsidies.bank_returns.ways import WAITING
from subsidies.models import PaymentBatch, PaymentLine, ReturnException
from subsidies.notices.terms import changes
from subsidies.reissues.choosing import reissuable

KEY = "return-exceptions"
URL = "subsidies:exception-list"
Problem, Resolution = ReturnException.Problem, ReturnException.Resolution
OPEN, DONE = "open", "done"
MOST_BATCHES = 5


def exceptions_for(user) -> QuerySet:
    """Those of the user's offices, but none of a batch that the user may not know of."""
    batches = PaymentBatch.objects.visible_to(user).order_by().values("pk")
    seen = ReturnException.objects.visible_to(user)
    return seen.filter(Q(batch__isnull=True) | Q(batch__in=batches))


def exceptions(asked: Asked) -> QuerySet:
    """The list, those that wait longest first."""
    found = exceptions_for(asked.user).select_related("office", "batch", "line__village")
    day = Value(asked.day, output_field=DateField())
    return found.annotate(day=day).order_by("created_at", "pk")


def url_of(batch: PaymentBatch) -> str:
    """The list of those of one batch."""
    return f"{reverse(URL)}?batch={batch.pk}"


class ExceptionFilter(FilterSet):
    """Conditions of the desk. Without 状态 those that wait show."""

    problem = django_filters.ChoiceFilter(label="问题", choices=Problem.choices, empty_label="全部")
    batch = django_filters.ChoiceFilter(label="批次", choices=[], empty_label="全部")
    state = django_filters.ChoiceFilter(
        label="状态", choices=[(DONE, "已处理"), ("all", "全部")], method="by_state",
        empty_label="待核实",
    )  # fmt: skip

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        known = exceptions_for(request.user).filter(batch__isnull=False).order_by("-batch")
        self.form.fields["batch"].choices = known.values_list("batch", "batch__number").distinct()

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("state") else queryset.open()

    def by_state(self, queryset, name, value):
        return queryset.exclude(resolution="") if value == DONE else queryset


class ExceptionTable(Table):
    """One answer a row: what the bank said against what was sent."""

    name = NameColumn(
        "户名", linkify=lambda record: reverse("subsidies:exception-detail", args=[record.pk])
    )
    batch_no = tables.Column("批次号", attrs=NOWRAP)
    line_no = tables.Column("批次内序号", attrs=NUMERIC)
    problem = tables.Column("问题", attrs=NOWRAP)
    said = tables.Column("银行说", accessor="result", attrs=WIDE)
    sent = tables.Column("送银行时", accessor="line", empty_values=(), attrs=WIDE)
    village = tables.Column("村（社区）", accessor="line__village__name", attrs=NOWRAP)
    created_at = DayColumn("导入日期")
    age = tables.Column("已等", accessor="created_at", attrs=NOWRAP)
    state = tables.Column("状态", accessor="resolution", empty_values=(), attrs=NOWRAP)
    note = tables.Column("处理说明", attrs=WIDE)

    class Meta:
        model = ReturnException
        fields = (
            "name", "batch_no", "line_no", "problem", "said", "sent", "village", "created_at",
            "age", "state", "note",
        )  # fmt: skip

    def called(self, record):
        return record.name or f"{record.line_no}号"

    def render_problem(self, record):
        return record.get_problem_display()

    def render_said(self, record):
        return said(record.result, record.amount, record.paid_on, record.reason)

    def render_sent(self, record):
        return sent(record.line.name, record.line.amount) if record.line else "没有这一笔"

    def render_age(self, record):
        return age(record.created_at, record.day) if not record.resolution else "—"

    def render_state(self, record):
        return status_tag(*state_of(record.resolution))


def said(result: str, amount, paid_on, reason: str) -> str:
    """What the bank answered, in one phrase."""
    more = f"{paid_on.isoformat()}入账" if paid_on else reason
    return "　".join(part for part in (result, f"{money(amount)}元", more) if part)


def sent(name: str | None, amount) -> str:
    """What went to the bank."""
    return f"{name}　{money(amount)}元" if name else "没有这一笔"


def age(created_at, day) -> str:
    """How long it waits."""
    days = (day - localdate(created_at)).days
    return f"{days}天" if days > 0 else "今天"


def state_of(resolution: str) -> tuple[str, str]:
    """Kind and word of its status tag."""
    return ("ok", Resolution(resolution).label) if resolution else ("warn", "待核实")


def waiting_for(user, day) -> list[Todo]:
    """What of the bank's answers waits for the clerk: exceptions, money to pay again, silence."""
    count = exceptions_for(user).open().count()
    found = [
        Todo(
            "银行回盘对不上的", count, reverse(URL), "bad", "待核实", "没有登记，等您核实", "去核实"
        )
    ]
    return found + _to_pay_again(user) + _without_an_answer(user, day)


def _to_pay_again(user) -> list[Todo]:
    failed = reissuable(PaymentLine.objects.visible_to(user)).order_by()
    rows = failed.values("batch", "batch__number").annotate(n=Count("pk")).order_by("-batch")
    return [
        Todo(
            f"失败待补发：批次{row['batch__number']}", row["n"],
            _first_of(("subsidies:reissue-create", "subsidies:batch-answers"), row["batch"]),
            "wait", "待补发", "失败和退票的", "去补发",
        )
        for row in rows[:MOST_BATCHES]
    ]  # fmt: skip


def _first_of(routes, key: int) -> str:
    for route in routes:
        try:
            return reverse(route, args=[key])
        except NoReverseMatch:
            continue
    return ""


def _without_an_answer(user, day) -> list[Todo]:
    waiting = PaymentLine.objects.filter(batch=OuterRef("pk"), state__in=WAITING)
    batches = PaymentBatch.objects.visible_to(user).filter(
        Exists(waiting), state__in=["sent", "partly_returned"]
    )
    changed = changes()
    late = [one for one in batches.order_by("sent_at") if is_late(one, day, changed)]
    late = late[:MOST_BATCHES]
    counts = dict(
        PaymentLine.objects.filter(batch__in=[one.pk for one in late], state__in=WAITING)
        .order_by()
        .values_list("batch")
        .annotate(n=Count("pk"))
    )
    return [
        Todo(
            f"银行没有回盘：批次{one.number}", counts[one.pk],
            reverse("subsidies:batch-answers", args=[one.pk]), "warn", "未回盘",
            f"送银行超过{ANSWERED_WITHIN}个工作日", "去查看",
        )
        for one in late
    ]  # fmt: skip


COLUMNS = (
    ListColumn("name", "户名", ("name",), fixed=True),
    ListColumn("batch_no", "批次号", ("batch_no",), kind="code", width=22),
    ListColumn("line_no", "批次内序号", ("line_no",), kind="number"),
    ListColumn("problem", "问题", ("problem",), write=lambda one: Problem(one).label, width=22),
    ListColumn("said", "银行说", ("result", "amount", "paid_on", "reason"), write=said, width=40),
    ListColumn("sent", "送银行时", ("line__name", "line__amount"), write=sent, width=26),
    ListColumn("village", "村（社区）", ("line__village__name",), shown=False, width=16),
    ListColumn("created_at", "导入日期", ("created_at",), kind="date", shown=False),
    ListColumn("age", "已等", ("created_at", "day"), write=age),
    ListColumn("state", "状态", ("resolution",), write=lambda one: state_of(one)[1], width=14),
    ListColumn("note", "处理说明", ("note",), shown=False, width=40),
)  # fmt: skip


def load() -> None:
    """Register the list and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="回盘异常",
            unit="条",
            permission=Permission.PAYMENT_VIEW,
            url_name=URL,
            queryset=exceptions,
            table_class=ExceptionTable,
            filter_class=ExceptionFilter,
            columns=COLUMNS,
            name_of=lambda row: f"{row.name}　{row.batch_no}第{row.line_no}号",
            place_of=lambda row: row.office.name,
        )
    )
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
    todos.register(TodoSource(KEY, Permission.PAYMENT_MAKE, waiting_for, order=45))
