"""What a county changed of the catalogue, each with a from-date and a document; and what-if notes."""

from django.db import models
from django.db.models import Q

from fpadmin.scoping import RegionScopedQuerySet, below
from subsidies.policies import catalogue

NOTICE_DAYS = 7  # unconfirmed default: no source states the length of the public notice


class PolicyRowQuerySet(RegionScopedQuerySet):
    """Rows of a place: seen by whoever sees the place, and by those below it, for whom they hold."""

    region_path = "region__path"

    def visible_to(self, user):
        path = getattr(user, "scope_path", "")
        if not path:
            return self.none()
        steps = path.split(".")[:-1]
        above = [".".join(steps[: n + 1]) + "." for n in range(len(steps))]
        return self.filter(below(path, "region__path") | Q(region__path__in=above))


class PolicyRow(models.Model):
    """Base of what a county sets of a policy for a place from a day on: followed by another, never edited."""

    policy_code = models.CharField("政策", max_length=30)
    region = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="适用区划", related_name="+"
    )
    from_on = models.DateField("生效日期")
    document = models.CharField("依据文件", max_length=100)
    article = models.CharField("条款", max_length=60, blank=True, default="")
    set_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,  # a system job, such as the demonstration
        blank=True,
        verbose_name="设定人",
        related_name="+",
    )
    set_at = models.DateTimeField("设定时间", auto_now_add=True)
    # A scheduled row that was taken back before its day; nothing was decided by it.
    cancelled_at = models.DateTimeField("取消时间", null=True, blank=True)

    objects = PolicyRowQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def policy(self) -> catalogue.Policy:
        """The policy as shipped."""
        return catalogue.policy(self.policy_code)


class PolicyVersion(PolicyRow):
    """A policy's rule in a place from a day on: whole, so that two versions can be compared."""

    is_on = models.BooleanField("启用", default=True)
    criteria = models.JSONField("条件", default=list)  # as the catalogue writes them
    starts = models.CharField("起发", max_length=12)
    ends = models.CharField("止发", max_length=20)
    shares = models.JSONField("负担比例", default=dict, blank=True)  # payer → per cent as text
    notice_days = models.PositiveSmallIntegerField("公示（工作日）", default=NOTICE_DAYS)

    class Personal:
        personal = ()
        other = (
            "id", "policy_code", "region", "from_on", "document", "article", "set_by", "set_at",
            "cancelled_at", "is_on", "criteria", "starts", "ends", "shares", "notice_days",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "政策版本"
        ordering = ["policy_code", "region__path", "from_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy_code", "region", "from_on"],
                condition=Q(cancelled_at__isnull=True),
                name="%(app_label)s_%(class)s_one_per_day",
                violation_error_message="这个地方同一天已有一个版本，请改用别的生效日期。",
            ),
            models.CheckConstraint(
                condition=Q(starts__in=list(catalogue.STARTS), ends__in=list(catalogue.ENDS)),
                name="%(app_label)s_%(class)s_known_terms",
            ),
            models.CheckConstraint(
                condition=Q(notice_days__lte=60), name="%(app_label)s_%(class)s_notice_sensible"
            ),
        ]

    def __str__(self):
        return f"{catalogue.name_of(self.policy_code)} {self.from_on}"


class PolicyRate(PolicyRow):
    """What a policy pays in a place from a day on, in yuan per cycle; `grade` where it has grades."""

    grade = models.CharField("等级或学段", max_length=20, blank=True, default="")
    amount = models.DecimalField("标准（元）", max_digits=12, decimal_places=2)

    class Personal:
        personal = ()
        other = (
            "id", "policy_code", "region", "from_on", "document", "article", "set_by", "set_at",
            "cancelled_at", "grade", "amount",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "政策标准"
        ordering = ["policy_code", "region__path", "grade", "from_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy_code", "region", "grade", "from_on"],
                condition=Q(cancelled_at__isnull=True),
                name="%(app_label)s_%(class)s_one_per_day",
                violation_error_message="这个地方同一天已有一个标准，请改用别的生效日期。",
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=0),
                name="%(app_label)s_%(class)s_not_negative",
                violation_error_message="标准不能是负数。",
            ),
        ]

    def __str__(self):
        return f"{catalogue.name_of(self.policy_code)} {self.amount}元 {self.from_on}"


class PolicyExclusion(PolicyRow):
    """Whether somebody on the roll of `other_code` may (not) come onto `policy_code`, from a day on."""

    other_code = models.CharField("另一政策", max_length=30)
    excluded = models.BooleanField("不能同时享受", default=True)

    class Personal:
        personal = ()
        other = (
            "id", "policy_code", "region", "from_on", "document", "article", "set_by", "set_at",
            "cancelled_at", "other_code", "excluded",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "政策互斥"
        ordering = ["policy_code", "other_code", "region__path", "from_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy_code", "other_code", "region", "from_on"],
                condition=Q(cancelled_at__isnull=True),
                name="%(app_label)s_%(class)s_one_per_day",
                violation_error_message="这个地方同一天已有一条规定，请改用别的生效日期。",
            ),
            models.CheckConstraint(
                condition=~Q(policy_code=models.F("other_code")),
                name="%(app_label)s_%(class)s_of_two_policies",
                violation_error_message="请选择两个不同的政策。",
            ),
        ]

    def __str__(self):
        return f"{self.policy_code}×{self.other_code} {self.from_on}"


class ReturnDeadline(PolicyRow):
    """By which day of the year a policy's return is due, from a year on."""

    month = models.PositiveSmallIntegerField("月")
    day = models.PositiveSmallIntegerField("日")

    class Personal:
        personal = ()
        other = (
            "id", "policy_code", "region", "from_on", "document", "article", "set_by", "set_at",
            "cancelled_at", "month", "day",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "上报期限"
        ordering = ["policy_code", "region__path", "from_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy_code", "region", "from_on"],
                condition=Q(cancelled_at__isnull=True),
                name="%(app_label)s_%(class)s_one_per_day",
            ),
            models.CheckConstraint(
                condition=Q(month__range=(1, 12), day__range=(1, 31)),
                name="%(app_label)s_%(class)s_a_day",
            ),
        ]

    def __str__(self):
        return f"{self.policy_code} {self.month:02d}-{self.day:02d}"


class WorkdayChange(models.Model):
    """A day that is a holiday or working day otherwise than the calendar says: entered once announced."""

    day = models.DateField("日期", unique=True)
    is_workday = models.BooleanField("上班")
    document = models.CharField("依据文件", max_length=100)
    set_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="设定人", related_name="+"
    )
    set_at = models.DateTimeField("设定时间", auto_now_add=True)

    class Personal:
        personal = ()
        other = ("id", "day", "is_workday", "document", "set_by", "set_at")

    class Meta:
        verbose_name = verbose_name_plural = "节假日调整"
        ordering = ["-day"]

    def __str__(self):
        return f"{self.day} {'上班' if self.is_workday else '放假'}"


class Scenario(models.Model):
    """A what-if kept as a note for the budget: what was changed on a copy, and what came out."""

    policy_code = models.CharField("政策", max_length=30)
    region = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="区划", related_name="+"
    )
    name = models.CharField("名称", max_length=60)
    as_of = models.DateField("测算时点")
    changes = models.JSONField("改动", default=dict)  # criteria, amounts on the copy
    figures = models.JSONField(
        "结果", default=dict
    )  # by village code: people and yuan, today and changed
    note = models.CharField("说明", max_length=500, blank=True, default="")
    made_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="测算人", related_name="+"
    )
    made_at = models.DateTimeField("测算时间", auto_now_add=True)

    objects = RegionScopedQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "policy_code", "region", "name", "as_of", "changes", "figures", "note", "made_by",
            "made_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "测算"
        ordering = ["-made_at", "-pk"]

    def __str__(self):
        return self.name
