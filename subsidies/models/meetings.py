"""Seeing people after the money came (见面核实): alive, difficulties, money received."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from fpadmin.scoping import RegionScopedQuerySet
from households.models import Resident
from subsidies.models.enrolments import EnrolmentChange
from subsidies.models.payments import PaymentLine


class MeetingQuerySet(RegionScopedQuerySet):
    """Meetings, seen by whoever sees the village and may know of one of the payments it was about."""

    region_path = "village__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        if not getattr(user, "scope_path", ""):
            return scoped
        lines = PaymentLine.objects.visible_to(user).filter(meeting__isnull=False).order_by()
        # An earlier meeting is told of with the one that took over its payments.
        known = Q(pk__in=lines.values("meeting")) | Q(replaced_by__in=lines.values("meeting"))
        return scoped.filter(known)

    def standing(self):
        """Those that no later meeting took the place of."""
        return self.filter(replaced_by__isnull=True)

    def not_received(self):
        """Who was seen says that the money didn't come, or cannot say; nobody has looked into it."""
        doubtful = [Meeting.Delivered.NO, Meeting.Delivered.UNCLEAR]
        return self.standing().filter(delivered__in=doubtful, settled_at__isnull=True)

    def deaths(self):
        """Found dead, and the registry doesn't know it yet."""
        return self.standing().filter(is_alive=False, resident__death_date__isnull=True)


class Meeting(models.Model):
    """One person seen after being paid; it answers for every payment that waited to be seen to."""

    class Delivered(models.TextChoices):
        YES = "yes", "已收到"
        NO = "no", "没有收到"
        UNCLEAR = "unclear", "说不清"

    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="领款人", related_name="meetings"
    )
    village = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="村（社区）", related_name="+"
    )
    met_on = models.DateField("见面日期")
    is_alive = models.BooleanField("健在", default=True)
    died_on = models.DateField("死亡日期", null=True, blank=True)
    delivered = models.CharField(
        "资金是否收到", max_length=7, choices=Delivered, blank=True, default=""
    )
    difficulties = models.CharField("困难和诉求", max_length=500, blank=True, default="")
    note = models.CharField("说明", max_length=300, blank=True, default="")
    # A death that was found proposes an end; somebody else decides.
    change = models.ForeignKey(
        EnrolmentChange,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="提出的退出",
        related_name="+",
    )
    met_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="核实人", related_name="+"
    )
    recorded_at = models.DateTimeField("登记时间")
    # The latest meeting of the person, which answers for the payments now.
    replaced_by = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="后一次见面",
        related_name="replaced",
    )
    # What came of money that was not received.
    outcome = models.CharField("查实情况", max_length=300, blank=True, default="")
    settled_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="查实人",
        related_name="+",
    )
    settled_at = models.DateTimeField("查实时间", null=True, blank=True)
    row_version = models.PositiveIntegerField(default=0)

    objects = MeetingQuerySet.as_manager()

    class Personal:
        personal = (
            "resident",
            "is_alive",
            "died_on",
            "delivered",
            "difficulties",
            "note",
            "change",
            "outcome",
        )
        other = (
            "id", "village", "met_on", "met_by", "recorded_at", "replaced_by", "settled_by",
            "settled_at", "row_version",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "见面核实"
        ordering = ["-met_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_alive=True, died_on__isnull=True) | Q(is_alive=False),
                name="%(app_label)s_%(class)s_death_of_the_dead",
            ),
            models.CheckConstraint(
                condition=Q(is_alive=False) | ~Q(delivered=""),
                name="%(app_label)s_%(class)s_asked_about_the_money",
            ),
            models.CheckConstraint(
                condition=Q(settled_by__isnull=True, settled_at__isnull=True, outcome="")
                | (Q(settled_by__isnull=False, settled_at__isnull=False) & ~Q(outcome="")),
                name="%(app_label)s_%(class)s_settled_with_an_outcome",
            ),
        ]

    def __str__(self):
        return f"{self.resident_id} {self.met_on}"

    def get_absolute_url(self):
        return reverse("subsidies:meeting-detail", args=[self.pk])
