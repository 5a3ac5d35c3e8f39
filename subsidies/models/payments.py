"""Payments: batches that only move forward, and their lines, one live one per person, policy and month.

What may follow what stands in BATCH_TRANSITIONS and LINE_TRANSITIONS; triggers of both databases take
nothing else, and keep a line as it is once its batch has left the draft.
"""

from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, FloatField, OuterRef, Q
from django.db.models.lookups import Exact, GreaterThan, LessThan
from django.urls import reverse

from fpadmin.crypto import DigestField, EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from households.models import Resident
from subsidies.models.enrolments import Enrolment, seen_by
from subsidies.models.policies import PolicyRow, PolicyVersion
from subsidies.policies import catalogue
from subsidies.policies.seeing import sees_sensitive

MONTHS = 12


class BatchState(models.TextChoices):
    """Where a batch stands; security review calls the same steps by these names."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "待核对"
    CHECKED = "checked", "待批准"
    APPROVED = "approved", "已批准"
    SEALED = "sealed", "已生成银行文件"
    SENT = "sent", "已送银行"
    PARTLY_RETURNED = "partly_returned", "部分回盘"
    RECONCILED = "reconciled", "已对平"
    CLOSED = "closed", "已结清"
    VOID = "void", "已作废"


BATCH_TRANSITIONS = {
    "draft": {"submit": "submitted", "void": "void"},
    "submitted": {"check": "checked", "return": "draft", "void": "void"},
    "checked": {"approve": "approved", "return": "draft", "void": "void"},
    "approved": {"seal": "sealed", "void": "void"},
    "sealed": {"send": "sent", "void": "void"},
    "sent": {"post": "partly_returned", "reconcile": "reconciled"},
    "partly_returned": {"reconcile": "reconciled"},
    # A line may come back from the bank after everything agreed (退票, late success).
    "reconciled": {"close": "closed"},
}
# Nobody has frozen anything yet.
OPEN_BATCHES = ("draft", "submitted", "checked")
# Money is promised or gone.
BOUND_BATCHES = ("approved", "sealed", "sent", "partly_returned", "reconciled", "closed")
# With the bank, or back from it.
SENT_BATCHES = ("sent", "partly_returned", "reconciled", "closed")


class LineState(models.TextChoices):
    """What became of one payment."""

    PLANNED = "planned", "待发"
    HELD = "held", "暂缓"
    INSTRUCTED = "instructed", "银行处理中"
    PAID = "paid", "已入账"
    FAILED = "failed", "失败"
    RETURNED = "returned", "退票"
    UNKNOWN = "unknown", "结果不明"
    RECALL_ASKED = "recall_asked", "追回中"
    RECOVERED = "recovered", "已追回"
    VOID = "void", "已作废"


LINE_TRANSITIONS = {
    "planned": ("held", "instructed", "void"),
    "held": ("planned", "void"),
    "instructed": ("paid", "failed", "returned", "unknown"),
    "unknown": ("paid", "failed", "returned"),
    # The bank says late that it went through; never where it was paid again (one_live_month_*).
    "failed": ("paid",),
    "paid": ("returned", "recall_asked"),
    "recall_asked": ("paid", "recovered"),
}
# Money is on its way to the person or has arrived: no other line may pay the same months.
LIVE_STATES = ("planned", "instructed", "paid", "unknown", "recall_asked", "recovered")
# Arrived, and perhaps asked back since.
PAID_STATES = ("paid", "recall_asked", "recovered")
# Did not arrive: may be paid again, once, by a line of a re-issue.
REISSUED_STATES = ("failed", "returned")


class PaymentPersons(PolicyRow):
    """How many different people a payment needs in a place from a day on: three, or two."""

    policy_code = None
    persons = models.PositiveSmallIntegerField("经手人数", default=3)

    class Personal:
        personal = ()
        other = (
            "id", "region", "from_on", "document", "article", "set_by", "set_at", "cancelled_at",
            "persons",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "发放经手人数"
        ordering = ["region__path", "from_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "from_on"],
                condition=Q(cancelled_at__isnull=True),
                name="%(app_label)s_%(class)s_one_per_day",
                violation_error_message="这个地方同一天已有一条规定，请改用别的生效日期。",
            ),
            models.CheckConstraint(
                condition=Q(persons__in=[2, 3]), name="%(app_label)s_%(class)s_two_or_three"
            ),
        ]

    def __str__(self):
        return f"{self.region_id} {self.persons} {self.from_on}"


def _who(label: str) -> models.ForeignKey:
    return models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name=label, related_name="+"
    )


def _when(label: str) -> models.DateTimeField:
    return models.DateTimeField(label, null=True, blank=True)


def _together(*names: str) -> Q:
    """Who did something and when it was done stand together, or neither."""
    both = Q()
    for name in names:
        none = Q(**{f"{name}_by__isnull": True, f"{name}_at__isnull": True})
        both &= none | Q(**{f"{name}_by__isnull": False, f"{name}_at__isnull": False})
    return both


def _not_the_same(one: str, other: str) -> Q:
    return Q(**{f"{one}__isnull": True}) | Q(**{f"{other}__isnull": True}) | ~Q(**{one: F(other)})


class PaymentBatchQuerySet(RegionScopedQuerySet):
    """Batches, seen by whoever sees the office that pays."""

    region_path = "office__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        if not getattr(user, "scope_path", "") or sees_sensitive(user):
            return scoped
        return scoped.exclude(policy_code__in=catalogue.sensitive_codes())


class PaymentBatch(models.Model):
    """One payment of one policy by one township: who is paid how much for which months.

    Count, total and digest are of the lines that were not held when it was submitted (is_agreed); a line
    held after it was approved stays in them, and out of the bank's file.
    """

    class Kind(models.TextChoices):
        REGULAR = "regular", "发放"
        REISSUE = "reissue", "补发"
        HISTORY = "history", "历史发放"  # paid before this system, imported

    number = models.CharField("批次号", max_length=40, unique=True)
    office = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="发放单位", related_name="+"
    )
    policy_code = models.CharField("政策", max_length=30, choices=catalogue.choices)
    kind = models.CharField("类别", max_length=8, choices=Kind, default=Kind.REGULAR)
    year = models.PositiveSmallIntegerField("享受年度")  # of the policy's own benefit year
    from_month = models.DateField("起")  # the months paid, within the benefit year
    to_month = models.DateField("止")
    pay_year = models.PositiveSmallIntegerField("发放年度")  # the calendar year that counts it
    # One grade, stage or pension batch alone; "" for everybody.
    part = models.CharField("范围", max_length=40, blank=True, default="")
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="原批次",
        related_name="reissues",
    )
    state = models.CharField("状态", max_length=16, choices=BatchState, default=BatchState.DRAFT)
    persons = models.PositiveSmallIntegerField("经手人数", default=3)
    # The rule that the lines were made by.
    version = models.ForeignKey(
        PolicyVersion,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="政策版本",
        related_name="+",
    )
    shares = models.JSONField("负担比例", default=dict, blank=True)  # payer → per cent as text
    count = models.PositiveIntegerField("笔数", default=0)
    total = models.DecimalField("金额（元）", max_digits=14, decimal_places=2, default=0)
    sha256 = models.CharField("校验码", max_length=64, blank=True, default="")
    note = models.CharField("说明", max_length=300, blank=True, default="")
    made_by = _who("经办人")
    made_at = _when("登记时间")
    submitted_by = _who("提交人")
    submitted_at = _when("提交时间")
    checked_by = _who("核对人")
    checked_at = _when("核对时间")
    approved_by = _who("批准人")
    approved_at = _when("批准时间")
    sealed_by = _who("生成文件人")
    sealed_at = _when("生成文件时间")
    sent_by = _who("送银行人")
    sent_at = _when("送银行时间")
    closed_by = _who("结清人")
    closed_at = _when("结清时间")
    voided_by = _who("作废人")
    voided_at = _when("作废时间")
    row_version = models.PositiveIntegerField(default=0)

    objects = PaymentBatchQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "number", "office", "policy_code", "kind", "year", "from_month", "to_month",
            "pay_year", "part", "parent", "state", "persons", "version", "shares", "count", "total",
            "sha256", "note", "made_by", "made_at", "submitted_by", "submitted_at", "checked_by",
            "checked_at", "approved_by", "approved_at", "sealed_by", "sealed_at", "sent_by",
            "sent_at", "closed_by", "closed_at", "voided_by", "voided_at", "row_version",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "发放批次"
        ordering = ["-pay_year", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=BatchState.values),
                name="%(app_label)s_%(class)s_state_known",
            ),
            models.CheckConstraint(
                condition=Q(persons__in=[2, 3]), name="%(app_label)s_%(class)s_two_or_three"
            ),
            models.CheckConstraint(
                condition=Q(to_month__gte=F("from_month")),
                name="%(app_label)s_%(class)s_months_ordered",
            ),
            models.CheckConstraint(
                condition=_together(
                    "made", "submitted", "checked", "approved", "sealed", "sent", "closed", "voided"
                ),
                name="%(app_label)s_%(class)s_who_and_when",
            ),
            # What was imported of the past had its own signatures on paper.
            models.CheckConstraint(
                condition=Q(kind="history", state__in=["closed", "void"])
                | (~Q(kind="history") & Q(made_by__isnull=False)),
                name="%(app_label)s_%(class)s_made_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(kind="history")
                | Q(state__in=["draft", "void"])
                | (Q(submitted_by__isnull=False) & ~Q(sha256="") & Q(count__gt=0)),
                name="%(app_label)s_%(class)s_submitted_whole",
            ),
            models.CheckConstraint(
                condition=Q(kind="history")
                | ~Q(state__in=["checked", *BOUND_BATCHES])
                | Q(checked_by__isnull=False),
                name="%(app_label)s_%(class)s_checked_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(kind="history")
                | ~Q(state__in=BOUND_BATCHES)
                | Q(approved_by__isnull=False),
                name="%(app_label)s_%(class)s_approved_by_somebody",
            ),
            # Who made or submitted it neither checks nor approves it.
            models.CheckConstraint(
                condition=_not_the_same("checked_by", "made_by")
                & _not_the_same("checked_by", "submitted_by")
                & _not_the_same("approved_by", "made_by")
                & _not_the_same("approved_by", "submitted_by"),
                name="%(app_label)s_%(class)s_maker_is_not_approver",
                violation_error_message="不能核对或批准自己经办的批次。",
            ),
            models.CheckConstraint(
                condition=Q(persons=2) | _not_the_same("approved_by", "checked_by"),
                name="%(app_label)s_%(class)s_three_people",
                violation_error_message="核对人和批准人不能是同一人。",
            ),
        ]
        indexes = [models.Index(fields=["policy_code", "pay_year", "office"])]

    def __str__(self):
        return self.number

    def get_absolute_url(self):
        return reverse("subsidies:batch-detail", args=[self.pk])

    @property
    def policy(self) -> catalogue.Policy:
        """The policy as shipped."""
        return catalogue.policy(self.policy_code)


class PaymentLineQuerySet(RegionScopedQuerySet):
    """Lines, seen by whoever sees the village they were made in; those of sensitive policies by fewer."""

    region_path = "village__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        if not getattr(user, "scope_path", ""):
            return scoped
        return seen_by(scoped, user, "beneficiary")

    def for_list(self):
        """With the batch, the person and the village."""
        return self.select_related("batch", "beneficiary", "village")


def agree(one, other) -> Q:
    """Two amounts equal to the fen: SQLite keeps them as binary fractions, so never asked for with =."""
    difference = ExpressionWrapper(one - other, output_field=FloatField())
    return Q(GreaterThan(difference, -0.005)) & Q(LessThan(difference, 0.005))


def pays_month(number: int) -> Q:
    """Lines that pay the benefit year's month `number`, 0 to 11."""
    return Q(Exact(F("months").bitand(1 << number), 1 << number))


class PaymentLine(models.Model):
    """One payment to one person. Name, account and amount are as they were when the batch was made.

    `slot` is what may be paid once: the benefit year, `once` for what is paid once in a life, or
    `once:高中` for a stage that is. `months` has a bit for each month of the benefit year it pays;
    what is paid by the year or once has the first bit alone; 0 is the rest of months already paid.
    """

    class Kind(models.TextChoices):
        CURRENT = "current", "本期"
        ARREARS = "arrears", "补发以前年度"

    batch = models.ForeignKey(
        PaymentBatch, models.PROTECT, verbose_name="批次", related_name="lines"
    )
    line_no = models.PositiveIntegerField("序号")
    state = models.CharField("状态", max_length=12, choices=LineState, default=LineState.PLANNED)
    kind = models.CharField("类别", max_length=7, choices=Kind, default=Kind.CURRENT)
    policy_code = models.CharField("政策", max_length=30, choices=catalogue.choices)
    slot = models.CharField("享受期", max_length=20)
    year = models.PositiveSmallIntegerField("享受年度")
    months = models.PositiveSmallIntegerField("月份", default=1)
    month_count = models.PositiveSmallIntegerField("月数", default=12)
    # Empty of what was paid before this system.
    enrolment = models.ForeignKey(
        Enrolment,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="在册对象",
        related_name="payments",
    )
    # The person; of a couple or family the head; the child.
    beneficiary = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="领款人", related_name="payments"
    )
    village = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="村（社区）", related_name="+"
    )
    household_no = models.CharField("户编号", max_length=30, blank=True, default="")
    grade = models.CharField("等级或学段", max_length=20, blank=True, default="")
    name = models.CharField("户名", max_length=50)  # whose account it is
    bank = models.CharField("开户行", max_length=60, blank=True, default="")
    account = EncryptedCharField("账号", blank=True, default="")
    account_digest = DigestField(default="")
    gross = models.DecimalField("应发（元）", max_digits=12, decimal_places=2)
    deduction = models.DecimalField("抵扣（元）", max_digits=12, decimal_places=2, default=0)
    amount = models.DecimalField("实发（元）", max_digits=12, decimal_places=2)
    # Version, months and rates that the amount was worked out from.
    basis = models.JSONField("计算依据", default=dict, blank=True)
    # In the list that was submitted: what count, total and digest of the batch speak of.
    is_agreed = models.BooleanField("已列入", default=False)
    # Why it stays out of this batch; what the office has to look at first.
    hold_reason = models.CharField("暂缓原因", max_length=200, blank=True, default="")
    reissue_of = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="补发自",
        related_name="reissued_by",
    )
    paid_on = models.DateField("入账日期", null=True, blank=True)
    failed_reason = models.CharField("失败原因", max_length=200, blank=True, default="")
    answered_at = models.DateTimeField("回盘时间", null=True, blank=True)
    # The bank said so after another line had paid it again: to be asked back.
    late_paid_on = models.DateField("迟到入账日期", null=True, blank=True)
    village_told_at = models.DateTimeField("发给村里更正时间", null=True, blank=True)
    see_by = models.DateField("见面核实期限", null=True, blank=True)
    meeting = models.ForeignKey(
        "subsidies.Meeting",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="见面核实",
        related_name="lines",
    )

    objects = PaymentLineQuerySet.as_manager()

    class Personal:
        personal = (
            "policy_code", "enrolment", "beneficiary", "household_no", "grade", "name", "bank",
            "account", "account_digest", "gross", "deduction", "amount", "basis", "hold_reason",
            "failed_reason", "meeting",
        )  # fmt: skip
        other = (
            "id", "batch", "line_no", "state", "is_agreed", "kind", "slot", "year", "months", "month_count",
            "village", "reissue_of", "paid_on", "answered_at", "late_paid_on", "village_told_at",
            "see_by",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "发放明细"
        ordering = ["batch", "line_no"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "line_no"], name="%(app_label)s_%(class)s_number_once"
            ),
            *(
                models.UniqueConstraint(
                    fields=["policy_code", "beneficiary", "slot"],
                    condition=Q(state__in=LIVE_STATES) & pays_month(number),
                    name=f"one_live_month_{number + 1}",
                    violation_error_message="这个人的这个月已经发过，或者正在发放。",
                )
                for number in range(MONTHS)
            ),
            models.UniqueConstraint(
                fields=["reissue_of"],
                condition=~Q(state="void"),
                name="%(app_label)s_%(class)s_reissued_once",
                violation_error_message="这一笔已经补发过。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=LineState.values),
                name="%(app_label)s_%(class)s_state_known",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, deduction__gte=0)
                & agree(F("gross"), F("amount") + F("deduction")),
                name="%(app_label)s_%(class)s_amounts_agree",
            ),
            models.CheckConstraint(
                condition=Q(months__lt=1 << MONTHS), name="%(app_label)s_%(class)s_months_known"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=PAID_STATES) | Q(paid_on__isnull=False),
                name="%(app_label)s_%(class)s_paid_on_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["village", "state"]),
            models.Index(
                fields=["see_by"],
                condition=Q(meeting__isnull=True, see_by__isnull=False),
                name="line_to_be_seen",
            ),
        ]

    def __str__(self):
        return f"{self.batch_id}-{self.line_no}"

    @property
    def policy(self) -> catalogue.Policy:
        """The policy as shipped."""
        return catalogue.policy(self.policy_code)


class BatchPartQuerySet(RegionScopedQuerySet):
    """What belongs to a batch: seen by whoever sees it."""

    region_path = "batch__office__path"

    def visible_to(self, user):
        return self.filter(batch__in=PaymentBatch.objects.visible_to(user).order_by().values("pk"))


class PaymentStep(models.Model):
    """One step of a batch: who, when, from where to where, and why where it went back."""

    batch = models.ForeignKey(
        PaymentBatch, models.PROTECT, verbose_name="批次", related_name="steps"
    )
    action = models.CharField("动作", max_length=12)
    from_state = models.CharField(
        "原状态", max_length=16, choices=BatchState, blank=True, default=""
    )
    to_state = models.CharField("新状态", max_length=16, choices=BatchState)
    note = models.CharField("说明", max_length=300, blank=True, default="")
    by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="办理人",
        related_name="+",
    )
    at = models.DateTimeField("时间")

    objects = BatchPartQuerySet.as_manager()

    class Personal:
        personal = ()
        other = ("id", "batch", "action", "from_state", "to_state", "note", "by", "at")

    class Meta:
        verbose_name = verbose_name_plural = "办理记录"
        ordering = ["batch", "pk"]

    def __str__(self):
        return f"{self.batch_id} {self.action}"


def arrived_late() -> Q:
    """Failed lines whose money arrived after all and has not come back since.

    They stay failed where something paid them again meanwhile; paid by one more they would be paid twice.
    """
    late = Q(state=LineState.FAILED, late_paid_on__isnull=False)
    return late & ~Q(recoveries__state="settled")


def arrived() -> Q:
    """Lines whose money reached somebody: also one that arrived after it was paid again."""
    return Q(state__in=PAID_STATES) | Q(late_paid_on__isnull=False)


def reissued() -> Exists:
    """Whether a line has been, or is being, paid again."""
    return Exists(PaymentLine.objects.filter(reissue_of=OuterRef("pk")).exclude(state="void"))
