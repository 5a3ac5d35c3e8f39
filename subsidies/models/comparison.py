"""The comparison desk (比对核查): other departments' rosters, and where they differ from ours."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from fpadmin.crypto import DigestField, EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet, below
from households.models import Resident
from subsidies.models.enrolments import Enrolment, EnrolmentChange
from subsidies.policies import catalogue
from subsidies.policies.seeing import sees_sensitive


class RosterSource(models.TextChoices):
    """Whose list it is."""

    POLICE_DEATHS = "公安死亡注销", "公安死亡注销"
    POLICE_HUKOU = "公安户籍", "公安户籍"
    MARRIAGES = "民政婚姻登记", "民政婚姻登记"
    LOW_INCOME = "民政低保", "民政低保"
    INSURANCE = "社保待遇", "社保待遇"
    HOSPITAL_BIRTHS = "医院住院分娩", "医院住院分娩"


class RosterEntryQuerySet(RegionScopedQuerySet):
    """Lines, seen by the office that brought them in, and by whoever sees the person they are about."""

    region_path = "office__path"

    def visible_to(self, user):
        path = getattr(user, "scope_path", "")
        if not path:
            return self.none()
        return self.filter(below(path, "office__path") | below(path, "resident__village__path"))

    def of_office(self, region):
        """The lines that the offices of `region` brought in."""
        return self.filter(below(region.path, "office__path"))

    def new(self):
        """Not compared yet."""
        return self.filter(compared_at__isnull=True)


class RosterEntry(models.Model):
    """One line of another department's list: compared with ours, never merged into it."""

    office = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="导入单位", related_name="+"
    )
    source = models.CharField("来源", max_length=10, choices=RosterSource)
    name = models.CharField("姓名", max_length=50, blank=True, default="")
    id_number = EncryptedCharField("公民身份号码")
    id_number_digest = DigestField()
    event_date = models.DateField("事件日期", null=True, blank=True)
    detail = models.CharField("说明", max_length=500, blank=True, default="")
    resident = models.ForeignKey(
        Resident,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name="对应居民",
        related_name="roster_entries",
    )
    compared_at = models.DateTimeField("比对时间", null=True, blank=True)
    created_at = models.DateTimeField("导入时间", auto_now_add=True)

    objects = RosterEntryQuerySet.as_manager()

    class Personal:
        personal = ("name", "id_number", "id_number_digest", "event_date", "detail", "resident")
        other = ("id", "office", "source", "compared_at", "created_at")

    class Meta:
        verbose_name = verbose_name_plural = "外部名单"
        ordering = ["source", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["office", "source", "id_number_digest", "event_date"],
                condition=Q(event_date__isnull=False),
                name="%(app_label)s_%(class)s_once",
            ),
            models.UniqueConstraint(
                fields=["office", "source", "id_number_digest"],
                condition=Q(event_date__isnull=True),
                name="%(app_label)s_%(class)s_once_undated",
            ),
        ]
        indexes = [
            models.Index(fields=["id_number_digest"]),
            models.Index(
                fields=["office"], condition=Q(compared_at__isnull=True), name="rosterentry_new"
            ),
        ]

    def __str__(self):
        return self.source


class DifferenceQuerySet(RegionScopedQuerySet):
    """Differences, seen by whoever sees the village; those of sensitive policies by fewer."""

    region_path = "resident__village__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        if not getattr(user, "scope_path", "") or sees_sensitive(user):
            return scoped
        hidden = catalogue.sensitive_codes()
        other = Q(other_enrolment__isnull=True) | ~Q(other_enrolment__policy_code__in=hidden)
        return scoped.filter(other, ~Q(policy_code__in=hidden))

    def open(self):
        """The facts still differ, and nobody has judged."""
        return self.filter(verdict="", gone_on__isnull=True)

    def to_mend(self):
        """Judged to be our mistake, and not mended yet."""
        return self.filter(verdict=Difference.Verdict.RIGHT, gone_on__isnull=True)

    def closed(self):
        """Gone, or judged so that nothing is left to do."""
        return self.exclude(verdict__in=["", Difference.Verdict.RIGHT], gone_on__isnull=True)

    def for_list(self):
        """With the person, village and owner; what is wrong comes first."""
        return self.select_related("resident__household", "resident__village", "owner").order_by(
            "-kind", "resident__village__path", "resident__household__number", "pk"
        )


class Difference(models.Model):
    """One difference between a roster, or our own rolls, and what stands on a roll (错、重、漏)."""

    class Kind(models.TextChoices):
        WRONG = "wrong", "错"
        DOUBLE = "double", "重"
        MISSING = "missing", "漏"

    class Verdict(models.TextChoices):
        RIGHT = "right", "我方有误"  # closes into an action
        UNFOUNDED = "unfounded", "名单有误"
        SAME = "same", "核实无误"

    # What the difference is, so that the same one is found once: kind, rule, people, enrolments.
    key = models.CharField(max_length=120)
    kind = models.CharField("类别", max_length=8, choices=Kind)
    rule = models.CharField("规则", max_length=30)  # a key of comparison.rules.RULES
    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="居民", related_name="differences"
    )
    policy_code = models.CharField("政策", max_length=30, blank=True, default="")
    enrolment = models.ForeignKey(
        Enrolment,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="在册记录",
        related_name="differences",
    )
    other_enrolment = models.ForeignKey(
        Enrolment,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="另一在册记录",
        related_name="+",
    )
    entry = models.ForeignKey(
        RosterEntry,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="外部名单",
        related_name="+",
    )
    detail = models.CharField("差异", max_length=300)
    found_on = models.DateField("发现日期")
    # The facts no longer differ: closed by the next comparison, with nobody's verdict.
    gone_on = models.DateField("消除日期", null=True, blank=True)
    owner = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="承办人",
        related_name="+",
    )
    verdict = models.CharField("核实结论", max_length=10, choices=Verdict, blank=True, default="")
    proof = models.CharField("依据", max_length=300, blank=True, default="")
    action = models.CharField("处理", max_length=20, blank=True, default="")
    change = models.ForeignKey(
        EnrolmentChange,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="在册变动",
        related_name="+",
    )
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="处理人",
        related_name="+",
    )
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)

    objects = DifferenceQuerySet.as_manager()

    class Personal:
        personal = (
            "key", "rule", "resident", "policy_code", "enrolment", "other_enrolment", "entry", "detail",
            "proof",
        )  # fmt: skip
        other = (
            "id", "kind", "found_on", "gone_on", "owner", "verdict", "action", "change", "decided_by",
            "decided_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "比对差异"
        ordering = ["kind", "resident__village__path", "resident__household__number", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="%(app_label)s_%(class)s_once"),
            models.CheckConstraint(
                condition=Q(verdict="", decided_by__isnull=True, decided_at__isnull=True)
                | (
                    ~Q(verdict="")
                    & ~Q(proof="")
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
                name="%(app_label)s_%(class)s_verdict_with_proof",
                violation_error_message="写明核实结论和依据。",
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind"],
                condition=Q(verdict="", gone_on__isnull=True),
                name="difference_open",
            ),
        ]

    def __str__(self):
        return self.detail

    def get_absolute_url(self):
        return reverse("subsidies:difference-detail", args=[self.pk])
