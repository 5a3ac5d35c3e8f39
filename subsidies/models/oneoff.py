"""What single policies need beside a roll: wages and pensions, exam points, village workers' pay."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from subsidies.models.enrolments import Enrolment, EnrolmentPartQuerySet
from subsidies.models.policies import PolicyRow


class AverageWage(PolicyRow):
    """The average annual wage of a city's employees in one year (在岗职工年平均工资)."""

    policy_code = None
    year = models.PositiveSmallIntegerField("年度")
    amount = models.DecimalField("年平均工资（元）", max_digits=12, decimal_places=2)

    class Personal:
        personal = ()
        other = (
            "id", "region", "from_on", "document", "article", "set_by", "set_at", "cancelled_at",
            "year", "amount",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "年平均工资"
        ordering = ["region__path", "year", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "year"],
                condition=Q(cancelled_at__isnull=True),
                name="%(app_label)s_%(class)s_one_per_year",
                violation_error_message="这个地方这一年已有平均工资。",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0), name="%(app_label)s_%(class)s_something"
            ),
        ]

    def __str__(self):
        return f"{self.region_id} {self.year} {self.amount}"


class PensionCase(models.Model):
    """What the pension of one enrolled person rests on: when retired, who pays, in which batch."""

    class Payer(models.TextChoices):
        EMPLOYER = "employer", "单位发放"
        FINANCE = "finance", "财政发放（关停改破）"
        INSURANCE = "insurance", "社保统筹发放"  # the office checks the identity, and pays nothing

    enrolment = models.OneToOneField(
        Enrolment, models.PROTECT, verbose_name="在册对象", related_name="pension_case"
    )
    retired_month = models.DateField("退休年月")
    payer = models.CharField("发放渠道", max_length=10, choices=Payer)
    employer = models.CharField("原单位", max_length=100, blank=True, default="")
    part = models.CharField("批次", max_length=40, blank=True, default="")  # 第七批
    identity_checked_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="身份核对人",
        related_name="+",
    )
    identity_checked_on = models.DateField("身份核对日期", null=True, blank=True)
    row_version = models.PositiveIntegerField(default=0)

    objects = EnrolmentPartQuerySet.as_manager()

    class Personal:
        personal = ("enrolment", "retired_month", "payer", "employer")
        other = ("id", "part", "identity_checked_by", "identity_checked_on", "row_version")

    class Meta:
        verbose_name = verbose_name_plural = "养老补助情况"
        ordering = ["enrolment"]
        constraints = [
            models.CheckConstraint(
                condition=Q(identity_checked_by__isnull=True, identity_checked_on__isnull=True)
                | Q(identity_checked_by__isnull=False, identity_checked_on__isnull=False),
                name="%(app_label)s_%(class)s_checked_by_somebody",
            ),
        ]

    def __str__(self):
        return f"{self.enrolment_id} {self.retired_month:%Y-%m}"


class ExamPoints(models.Model):
    """Points that a child was given in an exam (升学加分): the highest alone, never two of one exam."""

    class Exam(models.TextChoices):
        SENIOR = "senior", "中考（州市一级中学，10分）"
        SENIOR_COUNTY = "senior_county", "中考（县内其他高中，20分）"
        COLLEGE = "college", "高考（省内高校，20分）"

    enrolment = models.OneToOneField(
        Enrolment, models.PROTECT, verbose_name="在册对象", related_name="exam_points"
    )
    exam = models.CharField("考试", max_length=13, choices=Exam)
    year = models.PositiveSmallIntegerField("年度")
    points = models.PositiveSmallIntegerField("加分")
    school = models.CharField("学校或准考证", max_length=60, blank=True, default="")
    recorded_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="登记人", related_name="+"
    )
    recorded_at = models.DateTimeField("登记时间")
    row_version = models.PositiveIntegerField(default=0)

    objects = EnrolmentPartQuerySet.as_manager()

    class Personal:
        personal = ("enrolment", "school")
        other = ("id", "exam", "year", "points", "recorded_by", "recorded_at", "row_version")

    class Meta:
        verbose_name = verbose_name_plural = "升学加分"
        ordering = ["-year", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(exam="senior", points=10)
                | Q(exam__in=["senior_county", "college"], points=20),
                name="%(app_label)s_%(class)s_points_of_the_exam",
            ),
        ]

    def __str__(self):
        return f"{self.enrolment_id} {self.points}"


class StipendSheetQuerySet(RegionScopedQuerySet):
    """Sheets, seen by whoever sees the office."""

    region_path = "office__path"


class StipendSheet(models.Model):
    """The year's pay of a township's village workers (宣传员岗位补贴), after an appraisal."""

    class State(models.TextChoices):
        DRAFT = "draft", "填写中"
        SUBMITTED = "submitted", "待批准"
        APPROVED = "approved", "已批准"
        PAID = "paid", "已发放"

    office = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="单位", related_name="+"
    )
    year = models.PositiveSmallIntegerField("年度")
    monthly = models.DecimalField("月标准（元）", max_digits=8, decimal_places=2)
    document = models.CharField("依据文件", max_length=100, blank=True, default="")
    state = models.CharField("状态", max_length=9, choices=State, default=State.DRAFT)
    made_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="经办人",
        related_name="+",
    )
    approved_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="批准人",
        related_name="+",
    )
    approved_at = models.DateTimeField("批准时间", null=True, blank=True)
    paid_on = models.DateField("发放日期", null=True, blank=True)
    returned_note = models.CharField("退回原因", max_length=200, blank=True, default="")
    row_version = models.PositiveIntegerField(default=0)

    objects = StipendSheetQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "office", "year", "monthly", "document", "state", "made_by", "approved_by",
            "approved_at", "paid_on", "returned_note", "row_version",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "宣传员岗位补贴"
        ordering = ["-year", "office__path"]
        constraints = [
            models.UniqueConstraint(
                fields=["office", "year"],
                name="%(app_label)s_%(class)s_once",
                violation_error_message="这一年的补贴表已经建过。",
            ),
            models.CheckConstraint(
                condition=Q(monthly__gt=0), name="%(app_label)s_%(class)s_something"
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("made_by")),
                name="%(app_label)s_%(class)s_two_people",
                violation_error_message="不能批准自己经办的补贴表。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "submitted"], approved_by__isnull=True)
                | Q(state__in=["approved", "paid"], approved_by__isnull=False),
                name="%(app_label)s_%(class)s_approved_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="paid") | Q(paid_on__isnull=False),
                name="%(app_label)s_%(class)s_paid_on_a_day",
            ),
        ]

    def __str__(self):
        return f"{self.year}年宣传员岗位补贴"

    def get_absolute_url(self):
        return reverse("subsidies:stipend-detail", args=[self.pk])


class StipendLineQuerySet(RegionScopedQuerySet):
    """Lines, seen by whoever sees the office's sheet."""

    region_path = "sheet__office__path"


class StipendLine(models.Model):
    """One worker's year: months in post, the appraisal, and what is paid."""

    class Appraisal(models.TextChoices):
        GOOD = "good", "优秀"
        PASSED = "passed", "合格"
        FAILED = "failed", "不合格"

    sheet = models.ForeignKey(
        StipendSheet, models.CASCADE, verbose_name="补贴表", related_name="lines"
    )
    village = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="村（社区）", related_name="+"
    )
    name = models.CharField("姓名", max_length=50)
    months = models.PositiveSmallIntegerField("在岗月数", default=12)
    appraisal = models.CharField("考核", max_length=6, choices=Appraisal, default=Appraisal.PASSED)
    amount = models.DecimalField("金额（元）", max_digits=10, decimal_places=2)
    bank = models.CharField("开户行", max_length=60, blank=True, default="")
    account = EncryptedCharField("账号", blank=True, default="")
    note = models.CharField("说明", max_length=200, blank=True, default="")

    objects = StipendLineQuerySet.as_manager()

    class Personal:
        personal = ("name", "appraisal", "amount", "bank", "account", "note")
        other = ("id", "sheet", "village", "months")

    class Meta:
        verbose_name = verbose_name_plural = "岗位补贴明细"
        ordering = ["sheet", "village__path", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(months__lte=12, amount__gte=0),
                name="%(app_label)s_%(class)s_sensible",
            ),
            models.UniqueConstraint(
                fields=["sheet", "village", "name"], name="%(app_label)s_%(class)s_once"
            ),
        ]

    def __str__(self):
        return self.name
