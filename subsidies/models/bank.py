"""What goes to the bank and what comes back: layouts, files, and answers that fit no line."""

from django.db import models
from django.db.models import Q

from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from subsidies.models.payments import BatchPartQuerySet, PaymentBatch, PaymentLine
from subsidies.models.policies import PolicyRowQuerySet


class BankLayout(models.Model):
    """How one bank wants its file: columns as data, in order, in a format and an encoding.

    `columns` is a list of {"field": …, "heading": …}; subsidies/bank_files/layouts.py names the fields.
    """

    class Format(models.TextChoices):
        TEXT = "text", "文本"
        XLSX = "xlsx", "Excel"

    class Encoding(models.TextChoices):
        GBK = "gbk", "GBK"
        GB18030 = "gb18030", "GB18030"
        UTF8 = "utf-8", "UTF-8"

    region = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="适用区划", related_name="+"
    )
    name = models.CharField("名称", max_length=60)
    format = models.CharField("格式", max_length=4, choices=Format, default=Format.XLSX)
    encoding = models.CharField("编码", max_length=8, choices=Encoding, default=Encoding.GBK)
    separator = models.CharField("分隔符", max_length=3, default=",", blank=True)
    has_heading = models.BooleanField("首行写列名", default=True)
    has_totals = models.BooleanField("末行写合计", default=False)
    columns = models.JSONField("列", default=list)
    is_active = models.BooleanField("在用", default=True)
    row_version = models.PositiveIntegerField(default=0)
    set_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="设定人",
        related_name="+",
    )
    set_at = models.DateTimeField("设定时间", auto_now=True)

    objects = PolicyRowQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "region", "name", "format", "encoding", "separator", "has_heading", "has_totals",
            "columns", "is_active", "row_version", "set_by", "set_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "银行文件格式"
        ordering = ["region__path", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "name"],
                name="%(app_label)s_%(class)s_named_once",
                violation_error_message="已有同名的格式，请换一个名称。",
            ),
        ]

    def __str__(self):
        return self.name


class BankFile(models.Model):
    """The file of one batch: kept sealed, with what makes it again byte for byte.

    sha256, size, count and total are of the content that the bank opens.
    """

    batch = models.OneToOneField(
        PaymentBatch, models.PROTECT, verbose_name="批次", related_name="bank_file"
    )
    layout = models.JSONField("格式", default=dict)  # the layout as it was
    name = models.CharField("文件名", max_length=120)
    file = models.CharField("存放名", max_length=120, editable=False)
    sha256 = models.CharField("校验码", max_length=64)
    size = models.PositiveIntegerField("大小（字节）")
    count = models.PositiveIntegerField("笔数")
    total = models.DecimalField("金额（元）", max_digits=14, decimal_places=2)
    made_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="生成人",
        related_name="+",
    )
    made_at = models.DateTimeField("生成时间")

    objects = BatchPartQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "batch", "layout", "name", "file", "sha256", "size", "count", "total", "made_by",
            "made_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "银行文件"
        ordering = ["-pk"]

    def __str__(self):
        return self.name


class ReturnExceptionQuerySet(RegionScopedQuerySet):
    """Answers that fit no line, seen by whoever sees the office that brought them in."""

    region_path = "office__path"

    def open(self):
        """Nobody has seen to it yet."""
        return self.filter(resolution="")


class ReturnException(models.Model):
    """A row of the bank's answer that was not posted: to be seen to by somebody (回盘异常)."""

    class Problem(models.TextChoices):
        NO_BATCH = "no_batch", "没有这个批次"
        NOT_SENT = "not_sent", "批次没有送银行"
        NO_LINE = "no_line", "批次里没有这个序号"
        NAME = "name", "户名与发放时不同"
        ACCOUNT = "account", "账号与发放时不同"
        AMOUNT = "amount", "金额与发放时不同"
        TWO_OUTCOMES = "two_outcomes", "同一笔有两种结果"
        LATE_SUCCESS = "late_success", "报失败后又入账"
        LATE_FAILURE = "late_failure", "报入账后又失败"

    class Resolution(models.TextChoices):
        PAID = "paid", "确认入账"
        FAILED = "failed", "确认失败"
        RECALLED = "recalled", "转追回"
        IGNORED = "ignored", "核实后不处理"

    office = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="单位", related_name="+"
    )
    batch = models.ForeignKey(
        PaymentBatch,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="批次",
        related_name="exceptions",
    )
    line = models.ForeignKey(
        PaymentLine,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="发放明细",
        related_name="exceptions",
    )
    problem = models.CharField("问题", max_length=12, choices=Problem)
    batch_no = models.CharField("批次号", max_length=40)
    line_no = models.IntegerField("序号")
    name = models.CharField("户名", max_length=50, blank=True, default="")
    account = EncryptedCharField("账号", blank=True, default="")
    amount = models.DecimalField("金额（元）", max_digits=12, decimal_places=2)
    result = models.CharField("处理结果", max_length=2)
    reason = models.CharField("失败原因", max_length=200, blank=True, default="")
    paid_on = models.DateField("入账日期", null=True, blank=True)
    # Of the whole row: the same file again brings no second exception.
    row_digest = models.CharField("行校验码", max_length=64)
    created_at = models.DateTimeField("导入时间", auto_now_add=True)
    resolution = models.CharField("处理", max_length=8, choices=Resolution, blank=True, default="")
    note = models.CharField("处理说明", max_length=200, blank=True, default="")
    resolved_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="处理人",
        related_name="+",
    )
    resolved_at = models.DateTimeField("处理时间", null=True, blank=True)

    objects = ReturnExceptionQuerySet.as_manager()

    class Personal:
        personal = ("line", "name", "account", "amount", "reason", "note", "row_digest")
        other = (
            "id", "office", "batch", "problem", "batch_no", "line_no", "result", "paid_on",
            "created_at", "resolution", "resolved_by", "resolved_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "回盘异常"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["office", "row_digest"], name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(resolution="", resolved_by__isnull=True, resolved_at__isnull=True)
                | (
                    ~Q(resolution="")
                    & ~Q(note="")
                    & Q(resolved_by__isnull=False, resolved_at__isnull=False)
                ),
                name="%(app_label)s_%(class)s_resolved_by_somebody",
            ),
        ]

    def __str__(self):
        return f"{self.batch_no}-{self.line_no}"
