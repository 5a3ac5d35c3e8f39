"""What villages propose and the township decides."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from households.models.events import LifeEvent
from households.models.people import Household, Resident


class ChangeRequestQuerySet(RegionScopedQuerySet):
    """Requests, seen by whoever sees the village that made them."""

    region_path = "village__path"

    def waiting(self):
        """Neither decided nor withdrawn."""
        return self.filter(state=ChangeRequest.State.SUBMITTED)


class ChangeRequest(models.Model):
    """A change that a village proposes: the form as it was filled in, and what became of it."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", "待受理"
        ACCEPTED = "accepted", "已受理"
        REJECTED = "rejected", "已退回"
        WITHDRAWN = "withdrawn", "已撤回"

    # A life event's kind, or "edit" for fields that move money or counts.
    kind = models.CharField("类别", max_length=14)
    village = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="村（社区）", related_name="+"
    )
    resident = models.ForeignKey(
        Resident,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="居民",
        related_name="requests",
    )
    household = models.ForeignKey(
        Household,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="家庭",
        related_name="requests",
    )
    # The posted form as JSON: it is filled in again when the township accepts.
    content = EncryptedCharField("填报内容")
    # What it would change, in words and with numbers covered, as the village saw it.
    summary = EncryptedCharField("要改动的内容", blank=True, default="")
    happened_on = models.DateField("发生日期", null=True, blank=True)
    state = models.CharField("状态", max_length=10, choices=State, default=State.SUBMITTED)
    requested_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="填报人", related_name="+"
    )
    requested_at = models.DateTimeField("填报时间", auto_now_add=True)
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="处理人",
        related_name="+",
    )
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)
    reason = models.CharField("退回原因", max_length=200, blank=True, default="")
    event = models.OneToOneField(
        LifeEvent, models.PROTECT, null=True, blank=True, related_name="request"
    )

    objects = ChangeRequestQuerySet.as_manager()

    class Personal:
        personal = ("content", "summary", "reason")
        other = (
            "id", "kind", "village", "resident", "household", "happened_on", "state",
            "requested_by", "requested_at", "decided_by", "decided_at", "event",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "村级申请"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["submitted", "accepted", "rejected", "withdrawn"]),
                name="%(app_label)s_%(class)s_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["submitted", "withdrawn"], decided_by__isnull=True)
                | Q(
                    state__in=["accepted", "rejected"],
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                ),
                name="%(app_label)s_%(class)s_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="%(app_label)s_%(class)s_not_decided_by_who_asked",
                violation_error_message="本人提出的申请，要由别人处理。",
            ),
            models.CheckConstraint(
                condition=~Q(state="rejected") | ~Q(reason=""),
                name="%(app_label)s_%(class)s_rejection_has_reason",
                violation_error_message="退回要写原因。",
            ),
        ]
        indexes = [models.Index(fields=["village", "state", "-id"])]  # the township's desk

    def __str__(self):
        return f"{self.pk}号申请"

    def get_absolute_url(self):
        return reverse("households:request-detail", args=[self.pk])
