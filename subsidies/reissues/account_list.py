"""Accounts to be mended (账户更正): a task of the village once it is told, a list for the office.

No policy and no sum stand here: the list asks for an account, and who is paid by what concerns fewer.
"""

import django_filters
import django_tables2 as tables
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.identity import mask_account
from fpadmin.ui import acts, listing, todos
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import BANK, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import NOTHING, status_tag
from fpadmin.ui.templatetags.ui import mask_account as masked
from fpadmin.ui.todos import Todo, TodoSource
from households import selectors
from households.models import ChangeRequest
from subsidies.models import PaymentBatch, PaymentLine
from subsidies.payments.steps import locked
from subsidies.reissues.choosing import wrong_accounts
from subsidies.reissues.reasons import PLAIN, fault_of
from subsidies.services.reissues import tell_village

KEY = "wrong-accounts"
TOLD = [("yes", "已发给村里"), ("no", "还没有发")]
ALREADY_TOLD = "已经发给村里了。"


def accounts(asked: Asked) -> QuerySet:
    """Lines whose account waits to be mended: a village's worker sees those that it was told of."""
    found = _visible(asked.user)
    waiting = ChangeRequest.objects.waiting().filter(resident=OuterRef("beneficiary"))
    return (
        found.for_list()
        .annotate(is_proposed=Exists(waiting))
        .order_by("village__path", "household_no", "pk")
    )


def _visible(user) -> QuerySet:
    found = wrong_accounts(PaymentLine.objects.visible_to(user))
    return (
        found if user.may(Permission.PAYMENT_MAKE) else found.filter(village_told_at__isnull=False)
    )


class AccountFilter(FilterSet):
    """Conditions of the list."""

    village = NamedFilter(
        label="村（社区）",
        field_name="village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    told = django_filters.ChoiceFilter(
        label="发给村里", choices=TOLD, method="by_told", empty_label="全部"
    )

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        if not request.user.may(Permission.PAYMENT_MAKE):
            del self.form.fields["told"]  # a village sees only what it was told of

    def by_told(self, queryset, name, value):
        return queryset.filter(village_told_at__isnull=value == "no")


class AccountTable(Table):
    """One account a row; the last cell leads to where it is mended."""

    name = NameColumn(
        "户名", accessor="name",
        linkify=lambda record: reverse(
            "households:resident-detail", args=[record.beneficiary_id]
        ),
    )  # fmt: skip
    village = tables.Column("村（社区）", accessor="village__name", attrs=NOWRAP)
    household = tables.Column("户编号", accessor="household_no")
    bank = tables.Column("开户行")
    account = tables.Column("账号", attrs=NOWRAP, empty_values=())
    reason = tables.Column("银行退回原因", accessor="failed_reason", attrs=WIDE)
    what = tables.Column("怎么办", accessor="failed_reason", attrs=WIDE)
    answered = DayColumn("退回日期", accessor="answered_at", attrs=NOWRAP)
    told = DayColumn("发给村里", accessor="village_told_at", attrs=NOWRAP)
    acts = tables.Column("操作", accessor="pk", attrs=NOWRAP_WIDE)

    class Meta:
        model = PaymentLine
        fields = (
            "name", "village", "household", "bank", "account", "reason", "what", "answered", "told",
            "acts",
        )  # fmt: skip

    def called(self, record):
        return record.name

    def render_account(self, record):
        return masked(record.account)

    def render_what(self, value):
        return PLAIN[fault_of(value)]

    def render_acts(self, record):
        user = self.request.user
        if record.is_proposed:
            return status_tag("wait", "已提出，待受理")
        if not record.beneficiary.village_id or not _is_here(user, record):
            return NOTHING
        if user.may(Permission.REQUEST_MAKE):
            url = reverse("households:resident-propose", args=[record.beneficiary_id, "edit"])
        else:
            url = reverse("households:resident-edit", args=[record.beneficiary_id])
        return format_html(
            '<a class="btn btn-plain btn-sm" href="{}" aria-label="更正账户：{}">更正</a>',
            url, record.name,
        )  # fmt: skip


def _is_here(user, record: PaymentLine) -> bool:
    """Whoever moved away is mended where they live now."""
    return record.beneficiary.village.path.startswith(user.scope_path)


def untold(rows: list[PaymentLine], *, by, values, day) -> dict[int, str]:
    """Lines that a village was told of already."""
    return {row.pk: ALREADY_TOLD for row in rows if row.village_told_at}


@transaction.atomic
def tell(rows: list[PaymentLine], *, by, values, day) -> dict[int, str]:
    """Tell the villages, batch by batch."""
    refused: dict[int, str] = {}
    batches = PaymentBatch.objects.visible_to(by).in_bulk({row.batch_id for row in rows})
    # All of them before the first is recorded: others hold a batch and then the audit chain.
    for _, batch in sorted(batches.items()):
        locked(batch)
    for pk, batch in sorted(batches.items()):
        chosen = {row.pk for row in rows if row.batch_id == pk}
        try:
            tell_village(by=by, batch=batch, lines=chosen, now=timezone.now())
        except RuleViolation as violation:
            refused |= dict.fromkeys(chosen, violation.message)
    return refused


def todos_of(user, day) -> list[Todo]:
    """For the village what it was told of; for the office what nobody was told of yet."""
    page = reverse("subsidies:account-list")
    found = _visible(user).order_by()
    if user.may(Permission.PAYMENT_MAKE):
        count = found.filter(village_told_at__isnull=True).count()
        return [
            Todo(
                "失败账户待发给村里更正", count, f"{page}?told=no", "warn", "待发给村里", act="去发"
            )
        ]
    return [
        Todo(
            "发放账户待更正", found.count(), page, "warn", "待更正",
            "银行没有发进去，请核实账号后提出更正。", "去更正",
        )
    ]  # fmt: skip


COLUMNS = (
    ListColumn("name", "户名", ("name", "beneficiary"), fixed=True, width=12),
    ListColumn("village", "村（社区）", ("village__name",), width=16),
    ListColumn("household", "户编号", ("household_no",), kind="code"),
    ListColumn("bank", "开户行", ("bank",), width=20),
    ListColumn(
        "account", "账号", ("account",), kind="code", mask=mask_account, sensitive=BANK, width=24
    ),
    ListColumn("reason", "银行退回原因", ("failed_reason",), width=30),
    ListColumn(
        "what", "怎么办", ("failed_reason",), write=lambda words: PLAIN[fault_of(words)], width=50
    ),
    ListColumn("answered", "退回日期", ("answered_at",), kind="date"),
    ListColumn("told", "发给村里", ("village_told_at",), kind="date"),
    ListColumn(
        "acts", "操作", ("beneficiary", "beneficiary__village__path"), fixed=True, in_file=False
    ),
)  # fmt: skip


def load() -> None:
    """Register the list, its act and what waits. Called once, by ready()."""
    listing.register(
        ListSpec(
            key=KEY,
            title="账户更正",
            unit="笔",
            permission=Permission.PAYMENT_VILLAGE,
            url_name="subsidies:account-list",
            queryset=accounts,
            table_class=AccountTable,
            filter_class=AccountFilter,
            columns=COLUMNS,
            name_of=lambda row: row.name,
            place_of=lambda row: row.village.name,
        )
    )
    acts.register(
        Act(
            KEY, "tell", "发给村里更正", Permission.PAYMENT_MAKE, apply=tell, check=untold,
            effect="成为所在村的待办事项", most=1000, order=10,
        )
    )  # fmt: skip
    acts.register(
        Act(
            KEY, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        )
    )  # fmt: skip
    todos.register(TodoSource(KEY, Permission.PAYMENT_VILLAGE, todos_of, order=47))
