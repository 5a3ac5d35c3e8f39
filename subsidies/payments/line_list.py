"""The lines of batches (发放明细) as lists: pages, exports, held and released one by one or many at once.

Two of them, as of the rolls: who is paid by a sensitive policy tells of a child's death or illness.
"""

from functools import partial

import django_filters
import django_tables2 as tables
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.identity import mask_account
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.listing import BANK, HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NUMERIC, WIDE, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, money, status_tag
from fpadmin.ui.templatetags.ui import mask_account as masked
from households import searches, selectors
from households.filters import SearchFilter
from households.models import Resident
from subsidies.forms.batches import HoldManyForm
from subsidies.models import BatchState, LineState, PaymentBatch, PaymentLine
from subsidies.payments import changes
from subsidies.payments.changes import with_changes
from subsidies.payments.counted import COUNTED
from subsidies.payments.steps import locked
from subsidies.policies import catalogue
from subsidies.policies.terms import grades_of
from subsidies.services.payments import hold_line, release_line

KEY, SENSITIVE_KEY = "payment-lines", "payment-lines-sensitive"
URLS = {KEY: "subsidies:line-list", SENSITIVE_KEY: "subsidies:line-sensitive-list"}
TITLES = {KEY: "发放明细", SENSITIVE_KEY: "发放明细（特别扶助）"}
TAGS = {
    LineState.PLANNED: "wait", LineState.HELD: "warn", LineState.INSTRUCTED: "run",
    LineState.PAID: "ok", LineState.FAILED: "bad", LineState.RETURNED: "bad",
    LineState.UNKNOWN: "warn", LineState.RECALL_ASKED: "run", LineState.RECOVERED: "ok",
    LineState.VOID: "off",
}  # fmt: skip
YES = [("true", "是")]
MOST = 200
HOLDING = (BatchState.DRAFT, BatchState.APPROVED)


def key_of(policy_code: str) -> str:
    """Which of the two lists shows the lines of this policy."""
    return SENSITIVE_KEY if catalogue.policy(policy_code).sensitive else KEY


def lines_url(batch: PaymentBatch, **conditions) -> str:
    """The list of a batch's lines under these conditions."""
    query = "&".join(f"{k}={v}" for k, v in {"batch": batch.pk, **conditions}.items() if v)
    return f"{reverse(URLS[key_of(batch.policy_code)])}?{query}"


def lines(asked: Asked, *, sensitive: bool) -> QuerySet:
    """The lines that the user may see, with what changed about them."""
    hidden = catalogue.sensitive_codes()
    own = Q(policy_code__in=hidden) if sensitive else ~Q(policy_code__in=hidden)
    found = PaymentLine.objects.visible_to(asked.user).filter(own).for_list()
    return with_changes(found).order_by("-batch", "line_no", "pk")


class LineFilter(SearchFilter):
    """Conditions of the list; the address names the batch."""

    sensitive = False

    batch = django_filters.ChoiceFilter(label="批次", choices=[], empty_label="全部")
    # A policy and a year of all batches together: 发放花名册.
    policy = django_filters.ChoiceFilter(
        label="政策", field_name="policy_code", choices=[], empty_label="全部"
    )
    pay_year = django_filters.ChoiceFilter(
        label="发放年度", field_name="batch__pay_year", choices=[], empty_label="全部"
    )
    village = NamedFilter(
        label="村（社区）",
        field_name="village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    state = django_filters.ChoiceFilter(label="状态", choices=LineState.choices, empty_label="全部")
    counted = django_filters.ChoiceFilter(
        label="批次中",
        choices=[(key, words) for key, (words, _) in COUNTED.items()],
        method="by_counted",
        empty_label="全部",
    )
    changed = django_filters.ChoiceFilter(
        label="已变动", choices=YES, method="by_changed", empty_label="不限"
    )
    grade = django_filters.ChoiceFilter(label="等级或学段", choices=[], empty_label="全部")
    kind = django_filters.ChoiceFilter(
        label="类别", choices=PaymentLine.Kind.choices, empty_label="全部"
    )

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        hidden = catalogue.sensitive_codes()
        batches = PaymentBatch.objects.visible_to(request.user)
        batches = batches.filter(policy_code__in=hidden) if self.sensitive else batches.exclude(
            policy_code__in=hidden
        )  # fmt: skip
        known = list(batches.values_list("pk", "number", "policy_code", "pay_year"))
        codes, years = {code for *_, code, _ in known}, {year for *_, year in known}
        choices = {
            "batch": [(str(pk), number) for pk, number, *_ in known],
            "policy": [(code, name) for code, name in catalogue.choices() if code in codes],
            "pay_year": [(str(year), f"{year}年") for year in sorted(years, reverse=True)],
        }
        for name, found in choices.items():
            self.form.fields[name].choices = found
        grades = {
            grade
            for one in catalogue.policies().values()
            if one.sensitive == self.sensitive
            for grade in grades_of(one)
            if grade
        }
        self.form.fields["grade"].choices = [(grade, grade) for grade in sorted(grades)]

    def found(self, queryset, search: searches.Search):
        people = Resident.objects.visible_to(self.request.user).filter(search.matches())
        return queryset.filter(beneficiary__in=people.values("pk"))

    def by_counted(self, queryset, name, value):
        return queryset.filter(COUNTED[value][1])

    def by_changed(self, queryset, name, value):
        return queryset.exclude(change="")


class SensitiveLineFilter(LineFilter):
    """The same of sensitive policies."""

    sensitive = True


class LineTable(Table):
    """One payment a row, in the order of the batch."""

    numbered = False

    line_no = tables.Column(
        "序号", attrs={"td": {"class": "fp-num fp-2nd"}, "th": {"class": "fp-num"}}
    )
    name = NameColumn(
        "户名", linkify=lambda record: reverse(
            "households:resident-detail", args=[record.beneficiary_id]
        ),
    )  # fmt: skip
    village = tables.Column(
        "村（社区）", accessor="village__name", attrs=NOWRAP, orderable=True,
        order_by=("village__path", "line_no"),
    )  # fmt: skip
    household = tables.Column("户编号", accessor="household_no", orderable=True)
    account = tables.Column("账号", attrs=NOWRAP, empty_values=())
    bank = tables.Column("开户行")
    grade = tables.Column()
    kind = tables.Column("类别", attrs=NOWRAP)
    months = tables.Column("月数", accessor="month_count", attrs=NOWRAP)
    gross = tables.Column("应发（元）", attrs=NUMERIC)
    deduction = tables.Column("抵扣（元）", attrs=NUMERIC)
    amount = tables.Column("实发（元）", attrs=NUMERIC, orderable=True)
    basis = tables.Column("计算依据", attrs=WIDE)
    state = tables.Column("状态", attrs=NOWRAP)
    reason = tables.Column("原因", accessor="hold_reason", attrs=WIDE, empty_values=())
    paid_on = tables.Column("入账日期", attrs=NOWRAP)
    policy = tables.Column("政策", accessor="policy_code", attrs=WIDE)
    year = tables.Column("享受年度", attrs=NOWRAP)
    batch = tables.Column("批次", accessor="batch__number", attrs=NOWRAP)
    acts = tables.Column("操作", accessor="pk", attrs=NOWRAP)

    class Meta:
        model = PaymentLine
        fields = (
            "line_no", "name", "village", "household", "account", "bank", "grade", "kind", "months",
            "gross", "deduction", "amount", "basis", "state", "reason", "paid_on", "policy", "year",
            "batch", "acts",
        )  # fmt: skip

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.day = dates.today()

    def called(self, record):
        return f"第{record.line_no}笔"

    def render_account(self, value):
        return masked(value) if value else "没有账号"

    def render_months(self, record):
        return months_words(record.policy_code, record.month_count, record.months)

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_year(self, value):
        return f"{value}年"

    def render_gross(self, value):
        return money(value)

    def render_deduction(self, value):
        return money(value) if value else "0"

    def render_amount(self, value):
        return money(value)

    def render_basis(self, value):
        return basis_words(value) or NOTHING

    def render_state(self, record):
        return status_tag(TAGS[record.state], record.get_state_display())

    def render_reason(self, record):
        return reason_words(record, self.day) or NOTHING

    def render_acts(self, record):
        act = act_of(record, self.request.user)
        if record.state == LineState.PAID and self.request.user.may(Permission.PAYMENT_MAKE):
            return format_html(
                '<a class="btn btn-plain btn-sm" href="{}" aria-label="追回：{}">追回</a>',
                reverse("subsidies:recovery-create", args=[record.pk]), record.name,
            )  # fmt: skip
        if not act:
            return NOTHING
        return format_html(
            '<a class="btn btn-plain btn-sm" href="{}" aria-label="{}：{}">{}</a>',
            reverse(f"subsidies:line-{act}", args=[record.pk]), ACT_WORDS[act], record.name,
            ACT_WORDS[act],
        )  # fmt: skip


ACT_WORDS = {"hold": "暂缓", "release": "恢复"}


def act_of(line: PaymentLine, user) -> str:
    """What the user may do with the line now: hold, release, or "" for nothing."""
    if not user.may(Permission.PAYMENT_MAKE) or line.batch.state not in HOLDING:
        return ""
    if line.state == LineState.PLANNED:
        return "hold"
    if line.state == LineState.HELD and (line.batch.state == BatchState.DRAFT or line.is_agreed):
        return "release" if line.account_digest else ""
    return ""


def reason_words(line: PaymentLine, today) -> str:
    """Why it is held, failed or to be looked at; the line carries with_changes()."""
    change = changes.words(line.change, line.died_at, line.batch.approved_at, today)
    return "；".join(filter(None, (line.hold_reason, line.failed_reason, change)))


def months_words(code: str, number: int, bits: int) -> str:
    """6个月; 全年 or 一次性 of what is not paid by the month; 补差 of months that were paid before."""
    cycle = catalogue.policy(code).cycle
    if not bits:
        return "补差"
    if cycle == "month":
        return f"{number}个月"
    return "一次性" if cycle == "once" else "全年"


def basis_words(basis: dict) -> str:
    """The rates that the amount is the sum of: 6×450.00＋6×590.00; of history, what the file said."""
    parts = [
        f"{number}×{rate}" if number > 1 else str(rate)
        for _, number, rate in basis.get("rates", ())
    ]
    return "＋".join(parts) or basis.get("note", "")


def columns(kind: str) -> tuple[ListColumn, ...]:
    """The columns; `kind` is what the very names tell: HEALTH of a sensitive policy."""
    return (
        ListColumn("line_no", "序号", ("line_no",), kind="number", fixed=True, width=8),
        ListColumn("name", "户名", ("name", "beneficiary_id"), fixed=True, sensitive=kind),
        ListColumn("village", "村（社区）", ("village__name",), width=16),
        ListColumn("household", "户编号", ("household_no",), kind="code", width=10),
        ListColumn(
            "account", "账号", ("account",), kind="code", mask=mask_account, sensitive=BANK, width=24
        ),
        ListColumn("bank", "开户行", ("bank",), shown=False, width=20),
        ListColumn("grade", "等级或学段", ("grade",), shown=False),
        ListColumn(
            "kind", "类别", ("kind",), shown=False, write=lambda one: PaymentLine.Kind(one).label
        ),
        ListColumn("months", "月数", ("policy_code", "month_count", "months"), write=months_words),
        ListColumn("gross", "应发（元）", ("gross",), kind="number", shown=False),
        ListColumn("deduction", "抵扣（元）", ("deduction",), kind="number", shown=False),
        ListColumn("amount", "实发（元）", ("amount",), kind="number"),
        ListColumn("basis", "计算依据", ("basis",), write=basis_words, width=26),
        ListColumn("state", "状态", ("state",), write=lambda one: LineState(one).label),
        ListColumn(
            "reason", "原因",
            ("hold_reason", "failed_reason", "change", "died_at", "batch__approved_at"),
            write=_reason_in_file, width=34,
        ),
        ListColumn("paid_on", "入账日期", ("paid_on",), kind="date", shown=False),
        ListColumn(
            "policy", "政策", ("policy_code",), shown=False, write=catalogue.name_of, width=30
        ),
        ListColumn("year", "享受年度", ("year",), kind="number", shown=False),
        ListColumn("batch", "批次", ("batch__number",), shown=False, width=20),
        ListColumn(
            "acts", "操作", ("is_agreed", "account_digest", "batch__state"), fixed=True,
            in_file=False,
        ),
    )  # fmt: skip


def _reason_in_file(hold: str, failed: str, change: str, died_at, approved_at) -> str:
    found = changes.words(change, died_at, approved_at, dates.today())
    return "；".join(filter(None, (hold, failed, found)))


def _check(act: str):
    """The check of an act: what cannot be held or released, of rows in hand."""

    def check(rows: list[PaymentLine], *, by, values, day) -> dict[int, str]:
        words = {
            "hold": "这一笔现在不能暂缓：只有草稿或已批准批次里待发的可以。",
            "release": "这一笔现在不能恢复：没有暂缓，没有账号，或者批次已经往下办。",
        }[act]
        return {row.pk: words for row in rows if act_of(row, by) != act}

    return check


@transaction.atomic
def _hold_rows(rows: list[PaymentLine], *, by, values, day) -> dict[int, str]:
    return _each(rows, lambda row: hold_line(by=by, line=row, now=dates.now(), **values))


@transaction.atomic
def _release_rows(rows: list[PaymentLine], *, by, values, day) -> dict[int, str]:
    return _each(rows, lambda row: release_line(by=by, line=row, now=dates.now()))


def _each(rows: list[PaymentLine], act) -> dict[int, str]:
    refused = {}
    # All of them before the first is recorded: others hold a batch and then the audit chain.
    for batch in sorted({row.batch for row in rows}, key=lambda batch: batch.pk):
        locked(batch)
    for row in sorted(rows, key=lambda row: (row.batch_id, row.pk)):
        try:
            act(row)
        except RuleViolation as violation:
            refused[row.pk] = violation.message
    return refused


def load() -> None:
    """Register both lists and their acts. Called once, by ready()."""
    for key, filter_class in ((KEY, LineFilter), (SENSITIVE_KEY, SensitiveLineFilter)):
        sensitive = key == SENSITIVE_KEY
        listing.register(
            ListSpec(
                key=key,
                title=TITLES[key],
                unit="笔",
                permission=Permission.PAYMENT_VIEW,
                url_name=URLS[key],
                queryset=partial(lines, sensitive=sensitive),
                table_class=LineTable,
                filter_class=filter_class,
                columns=columns(HEALTH if sensitive else ""),
                name_of=lambda row: row.name,
                place_of=lambda row: f"{row.village.name}　{row.household_no}　{row.amount}元",
            )
        )
        searches.register_list(key, URLS[key], filter_class)
        acts.register(
            Act(
                key, "hold", "暂缓发放", Permission.PAYMENT_MAKE, form=HoldManyForm, most=MOST,
                check=_check("hold"), apply=_hold_rows, effect="暂缓发放，这一批不发，", order=10,
            )
        )  # fmt: skip
        acts.register(
            Act(
                key, "release", "恢复发放", Permission.PAYMENT_MAKE, most=MOST,
                check=_check("release"), apply=_release_rows, effect="恢复发放", order=20,
            )
        )  # fmt: skip
        acts.register(
            Act(
                key, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
                takes_key=True, order=80,
            )
        )  # fmt: skip
