"""The yearly review (年审): every enrolment of a township and policy tested again, and who is missing."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from fpadmin.scoping import RegionScopedQuerySet
from households.models import Resident
from subsidies.models.applications import Application
from subsidies.models.enrolments import Enrolment, EnrolmentChange, ExitReason, seen_by
from subsidies.policies import catalogue
from subsidies.policies.seeing import sees_sensitive


class ReviewFinding(models.TextChoices):
    """What the test of one line says."""

    STAYS = "stays", "继续享受"
    ENDS = "ends", "应退出"
    MOVES = "moves", "应转入另一政策"
    MISSING = "missing", "符合条件未在册"


class ReviewDecision(models.TextChoices):
    """What somebody decided of it."""

    KEPT = "kept", "继续享受"
    END_PROPOSED = "end_proposed", "已提出退出"
    MOVE_PROPOSED = "move_proposed", "已提出转入"
    APPLIED = "applied", "已转申请"
    LEFT_OUT = "left_out", "不办理"


class AnnualReviewQuerySet(RegionScopedQuerySet):
    """Reviews, seen by whoever sees the region; those of sensitive policies by who sees the rolls."""

    region_path = "region__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        if not getattr(user, "scope_path", "") or sees_sensitive(user):
            return scoped
        return scoped.exclude(policy_code__in=catalogue.sensitive_codes())


class AnnualReview(models.Model):
    """One township's review of one policy for one year, made as of a day; made anew until it is closed."""

    region = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="乡镇（街道）", related_name="+"
    )
    policy_code = models.CharField("政策", max_length=30, choices=catalogue.choices)
    year = models.PositiveSmallIntegerField("年度")
    as_of = models.DateField("核查时点")
    made_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="生成人", related_name="+"
    )
    made_at = models.DateTimeField("生成时间")
    closed_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="办结人",
        related_name="+",
    )
    closed_at = models.DateTimeField("办结时间", null=True, blank=True)

    objects = AnnualReviewQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "region", "policy_code", "year", "as_of", "made_by", "made_at", "closed_by",
            "closed_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "年审"
        ordering = ["-year", "policy_code", "region__path"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "policy_code", "year"], name="%(app_label)s_%(class)s_one_a_year"
            ),
        ]

    def __str__(self):
        return f"{self.year}年度{catalogue.name_of(self.policy_code)}"

    def get_absolute_url(self):
        return reverse("subsidies:review-detail", args=[self.pk])


class ReviewLineQuerySet(RegionScopedQuerySet):
    """Lines, seen by whoever sees the village that the person lives in now."""

    region_path = "resident__village__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        return seen_by(scoped, user) if getattr(user, "scope_path", "") else scoped


class ReviewLine(models.Model):
    """One person of a review: what the test found, with the values, and what somebody decided."""

    review = models.ForeignKey(
        AnnualReview, models.CASCADE, verbose_name="年审", related_name="lines"
    )
    policy_code = models.CharField("政策", max_length=30)  # the review's, for seen_by()
    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="对象", related_name="review_lines"
    )
    enrolment = models.ForeignKey(
        Enrolment,
        models.PROTECT,
        null=True,  # somebody who is missing
        blank=True,
        verbose_name="在册记录",
        related_name="review_lines",
    )
    finding = models.CharField("核查结果", max_length=10, choices=ReviewFinding)
    reason = models.CharField("退出原因", max_length=6, choices=ExitReason, blank=True, default="")
    detail = models.CharField("核查情况", max_length=300, blank=True, default="")
    month = models.DateField(
        "最后发放年月", null=True, blank=True
    )  # of an end: the last month paid
    decision = models.CharField(
        "处理", max_length=14, choices=ReviewDecision, blank=True, default=""
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
    note = models.CharField("处理说明", max_length=200, blank=True, default="")
    change = models.ForeignKey(
        EnrolmentChange,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="在册变动",
        related_name="+",
    )
    application = models.ForeignKey(
        Application, models.PROTECT, null=True, blank=True, verbose_name="申请", related_name="+"
    )

    objects = ReviewLineQuerySet.as_manager()

    class Personal:
        personal = ("policy_code", "resident", "enrolment", "finding", "reason", "detail", "note")
        other = (
            "id", "review", "month", "decision", "decided_by", "decided_at", "change", "application",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "年审对象"
        ordering = ["review", "resident__village__path", "resident__household__number", "resident"]
        constraints = [
            models.UniqueConstraint(
                fields=["review", "resident"], name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(decision="") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="%(app_label)s_%(class)s_decided_by_somebody",
            ),
        ]
        indexes = [models.Index(fields=["review", "finding", "decision"])]

    def __str__(self):
        return self.resident.name
