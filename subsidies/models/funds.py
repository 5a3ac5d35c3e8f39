"""The money of a township, policy and year (资金台账): double entry, append-only.

A row of FundEntry moves an amount from one account to another, so every row balances by itself. Fund
keeps what the rows come to; allotted = free + reserved + paid - recovered always, held by a CHECK.
"""

from django.db import models
from django.db.models import F, Q

from fpadmin.scoping import RegionScopedQuerySet
from subsidies.models.payments import (
    LIVE_STATES,
    OPEN_BATCHES,
    LineState,
    PaymentBatch,
    PaymentLine,
    agree,
)
from subsidies.policies import catalogue
from subsidies.policies.seeing import sees_sensitive


class FundAccount(models.TextChoices):
    """Where money stands. What came from outside and what came back stand against the others."""

    SOURCE = "source", "拨入"
    FREE = "free", "可用"
    RESERVED = "reserved", "待发"
    PAID = "paid", "已发"
    RECOVERED = "recovered", "追回"


# What kinds of entry there are: label, from which account, to which.
ENTRY_KINDS = {
    "receive": ("资金到账", "source", "free"),
    "give_back": ("交回资金", "free", "source"),
    "reserve": ("批准占用", "free", "reserved"),
    "release": ("退回可用", "reserved", "free"),
    "pay": ("银行入账", "reserved", "paid"),
    "unpay": ("退票冲回", "paid", "free"),
    # A failed line that the bank paid after all: its money was released before.
    "pay_late": ("迟到入账", "free", "paid"),
    "recover": ("追回入账", "recovered", "free"),
}


class FundQuerySet(RegionScopedQuerySet):
    """Funds, seen by whoever sees the office."""

    region_path = "office__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        if not getattr(user, "scope_path", "") or sees_sensitive(user):
            return scoped
        return scoped.exclude(policy_code__in=catalogue.sensitive_codes())


class Fund(models.Model):
    """One policy's money of one township in one calendar year."""

    office = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="单位", related_name="+"
    )
    policy_code = models.CharField("政策", max_length=30, choices=catalogue.choices)
    year = models.PositiveSmallIntegerField("年度")
    budget = models.DecimalField(
        "预算（元）", max_digits=14, decimal_places=2, null=True, blank=True
    )
    budget_document = models.CharField("预算文件", max_length=100, blank=True, default="")
    allotted = models.DecimalField("到账（元）", max_digits=14, decimal_places=2, default=0)
    free = models.DecimalField("可用（元）", max_digits=14, decimal_places=2, default=0)
    reserved = models.DecimalField("待发（元）", max_digits=14, decimal_places=2, default=0)
    paid = models.DecimalField("已发（元）", max_digits=14, decimal_places=2, default=0)
    recovered = models.DecimalField("追回（元）", max_digits=14, decimal_places=2, default=0)
    row_version = models.PositiveIntegerField(default=0)

    objects = FundQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "office", "policy_code", "year", "budget", "budget_document", "allotted", "free",
            "reserved", "paid", "recovered", "row_version",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "资金"
        ordering = ["-year", "office__path", "policy_code"]
        constraints = [
            models.UniqueConstraint(
                fields=["office", "policy_code", "year"], name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    free__gte=0, reserved__gte=0, paid__gte=0, recovered__gte=0, allotted__gte=0
                ),
                name="%(app_label)s_%(class)s_never_below_nothing",
            ),
            models.CheckConstraint(
                condition=agree(
                    F("allotted"), F("free") + F("reserved") + F("paid") - F("recovered")
                ),
                name="%(app_label)s_%(class)s_balances",
            ),
            models.CheckConstraint(
                condition=Q(budget__isnull=True) | Q(budget__gte=0),
                name="%(app_label)s_%(class)s_budget_not_negative",
            ),
        ]

    def __str__(self):
        return f"{catalogue.name_of(self.policy_code)} {self.year}"

    @property
    def policy(self) -> catalogue.Policy:
        """The policy as shipped."""
        return catalogue.policy(self.policy_code)


class FundPartQuerySet(RegionScopedQuerySet):
    """What belongs to a fund: seen by whoever sees it."""

    region_path = "fund__office__path"

    def visible_to(self, user):
        return self.filter(fund__in=Fund.objects.visible_to(user).order_by().values("pk"))


class FundEntry(models.Model):
    """One movement of money between two accounts of a fund. Never changed, never deleted."""

    fund = models.ForeignKey(Fund, models.PROTECT, verbose_name="资金", related_name="entries")
    kind = models.CharField(
        "事项", max_length=10, choices=[(key, words[0]) for key, words in ENTRY_KINDS.items()]
    )
    source = models.CharField("转出", max_length=10, choices=FundAccount)
    target = models.CharField("转入", max_length=10, choices=FundAccount)
    amount = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)
    # Who sent it (中央, 省, …), of what came in or went back.
    payer = models.CharField("来源", max_length=10, blank=True, default="")
    document = models.CharField("凭证或文件", max_length=100, blank=True, default="")
    happened_on = models.DateField("日期")
    batch = models.ForeignKey(
        PaymentBatch,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="批次",
        related_name="fund_entries",
    )
    recovery = models.ForeignKey(
        "subsidies.Recovery",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="追回",
        related_name="fund_entries",
    )
    note = models.CharField("说明", max_length=200, blank=True, default="")
    by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="登记人",
        related_name="+",
    )
    at = models.DateTimeField("登记时间")

    objects = FundPartQuerySet.as_manager()

    class Personal:
        personal = ("recovery",)
        other = (
            "id", "fund", "kind", "source", "target", "amount", "payer", "document", "happened_on",
            "batch", "note", "by", "at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "资金流水"
        ordering = ["fund", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0) & ~Q(source=F("target")),
                name="%(app_label)s_%(class)s_moves_something",
            ),
            models.CheckConstraint(
                condition=Q(
                    *(
                        Q(kind=kind, source=source, target=target)
                        for kind, (_, source, target) in ENTRY_KINDS.items()
                    ),
                    _connector=Q.OR,
                ),
                name="%(app_label)s_%(class)s_known_kind",
            ),
            # A batch takes its money once.
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(kind="reserve"),
                name="%(app_label)s_%(class)s_reserved_once",
            ),
        ]

    def __str__(self):
        return f"{self.fund_id} {self.kind} {self.amount}"


class RecoveryQuerySet(RegionScopedQuerySet):
    """What is asked back, seen by whoever sees the payment."""

    region_path = "line__village__path"

    def visible_to(self, user):
        return self.filter(line__in=PaymentLine.objects.visible_to(user).order_by().values("pk"))


class Recovery(models.Model):
    """Money paid that is to come back (追回): asked for by one person, agreed by another, tracked to zero."""

    class Reason(models.TextChoices):
        OVERPAID = "overpaid", "多发"
        LATE_SUCCESS = "late_success", "补发后原笔又入账"
        WRONG_PERSON = "wrong_person", "发错人"

    class State(models.TextChoices):
        PROPOSED = "proposed", "待审核"
        OPEN = "open", "追回中"
        SETTLED = "settled", "已追回"
        REFUSED = "refused", "不追回"

    line = models.ForeignKey(
        PaymentLine, models.PROTECT, verbose_name="发放明细", related_name="recoveries"
    )
    reason = models.CharField("原因", max_length=12, choices=Reason)
    amount = models.DecimalField("应追回（元）", max_digits=12, decimal_places=2)
    settled = models.DecimalField("已追回（元）", max_digits=12, decimal_places=2, default=0)
    state = models.CharField("状态", max_length=8, choices=State, default=State.PROPOSED)
    # Whether later payments of the same policy are cut until it is back; else it is repaid.
    by_deduction = models.BooleanField("从以后发放中抵扣", default=False)
    note = models.CharField("说明", max_length=300)
    proposed_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="提出人", related_name="+"
    )
    proposed_at = models.DateTimeField("提出时间")
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="审核人",
        related_name="+",
    )
    decided_at = models.DateTimeField("审核时间", null=True, blank=True)
    decision_note = models.CharField("审核说明", max_length=200, blank=True, default="")
    row_version = models.PositiveIntegerField(default=0)

    objects = RecoveryQuerySet.as_manager()

    class Personal:
        personal = ("line", "reason", "amount", "settled", "note", "decision_note")
        other = (
            "id", "state", "by_deduction", "proposed_by", "proposed_at", "decided_by", "decided_at",
            "row_version",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "追回"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["line"],
                condition=Q(state__in=["proposed", "open"]),
                name="%(app_label)s_%(class)s_one_open",
                violation_error_message="这一笔已经在追回。",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, settled__gte=0, settled__lte=F("amount")),
                name="%(app_label)s_%(class)s_down_to_zero",
            ),
            models.CheckConstraint(
                condition=~Q(state="settled") | Q(settled=F("amount")),
                name="%(app_label)s_%(class)s_settled_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="proposed", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(state="proposed") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="%(app_label)s_%(class)s_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("proposed_by")),
                name="%(app_label)s_%(class)s_two_people",
                violation_error_message="不能审核自己提出的追回。",
            ),
        ]

    def __str__(self):
        return f"{self.line_id} {self.amount}"


class RecoveryPartQuerySet(RegionScopedQuerySet):
    """What came back, seen by whoever sees the recovery."""

    region_path = "recovery__line__village__path"

    def visible_to(self, user):
        return self.filter(recovery__in=Recovery.objects.visible_to(user).order_by().values("pk"))


class RecoveryPart(models.Model):
    """One sum that came back: repaid, or kept out of a later line once that line was paid."""

    recovery = models.ForeignKey(
        Recovery, models.PROTECT, verbose_name="追回", related_name="parts"
    )
    # The later line that was cut; empty where it was repaid.
    line = models.ForeignKey(
        "subsidies.PaymentLine",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="抵扣明细",
        related_name="deductions",
    )
    amount = models.DecimalField("金额（元）", max_digits=12, decimal_places=2)
    happened_on = models.DateField("日期")
    # A deduction counts once its line is paid, and not where it failed.
    counts = models.BooleanField("已生效", default=True)
    document = models.CharField("凭证", max_length=100, blank=True, default="")
    by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="登记人",
        related_name="+",
    )
    at = models.DateTimeField("登记时间")

    objects = RecoveryPartQuerySet.as_manager()

    class Personal:
        personal = ("recovery", "line", "amount")
        other = ("id", "happened_on", "counts", "document", "by", "at")

    class Meta:
        verbose_name = verbose_name_plural = "追回款"
        ordering = ["recovery", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="%(app_label)s_%(class)s_something"
            ),
            models.UniqueConstraint(
                fields=["recovery", "line"],
                condition=Q(line__isnull=False),
                name="%(app_label)s_%(class)s_once_per_line",
            ),
        ]

    def __str__(self):
        return f"{self.recovery_id} {self.amount}"


def still_cut(parts: str = "") -> Q:
    """Parts that a payment under way is cut by, `parts` being the way to them.

    A held line may still go while its batch is not with the bank: what it is cut by is not asked for
    elsewhere meanwhile, or it would come back twice.
    """
    line = f"{parts}line__"
    released = Q(**{
        f"{line}state": LineState.HELD, f"{line}batch__state__in": [*OPEN_BATCHES, "approved"],
    })  # fmt: skip
    return Q(**{f"{line}state__in": LIVE_STATES}) | released
