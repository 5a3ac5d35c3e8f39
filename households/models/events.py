"""Life events: what happened to people, when it happened and when it was reported."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from households.models.births import ChildRecord
from households.models.people import Household, Resident


class EventKind(models.TextChoices):
    """Kinds of life event. UNDO takes another event back."""

    BIRTH = "birth", "出生"
    DEATH = "death", "死亡"
    MARRIAGE = "marriage", "结婚"
    DIVORCE = "divorce", "离婚"
    MOVE_IN = "move_in", "迁入"
    MOVE_OUT = "move_out", "迁出"
    INFLOW = "inflow", "流入"
    OUTFLOW = "outflow", "流出"
    RETURN = "return", "返回"
    SPLIT = "split", "分户"
    MERGE = "merge", "并户"
    HEAD_CHANGE = "head_change", "变更户主"
    HOUSEHOLD_MOVE = "household_move", "户间变动"
    HUKOU_CHANGE = "hukou_change", "户口变更"
    CORRECTION = "correction", "身份更正"
    UNDO = "undo", "撤销"


class LifeEventQuerySet(RegionScopedQuerySet):
    """Events, seen by whoever sees the village in which they were recorded."""

    region_path = "village__path"

    def in_force(self):
        """Without those that were taken back, and without the taking back."""
        return self.filter(undone_by__isnull=True).exclude(kind=EventKind.UNDO)

    def for_list(self):
        """With the person, household, village and who recorded it."""
        return self.select_related("resident", "household", "village", "recorded_by", "undone_by")


class LifeEvent(models.Model):
    """One thing that happened, to one or several people. Never edited, never deleted.

    An event that was wrong is taken back by one of kind UNDO, which restores what it changed.
    """

    kind = models.CharField("类别", max_length=14, choices=EventKind)
    # Whom it is about; of a household event, the head or the first member it moves.
    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="居民", related_name="life_events"
    )
    household = models.ForeignKey(
        Household, models.PROTECT, verbose_name="家庭", related_name="life_events"
    )
    village = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="村（社区）", related_name="+"
    )
    # The birth history's line that a birth made.
    birth = models.ForeignKey(
        ChildRecord, models.SET_NULL, null=True, blank=True, related_name="life_events"
    )
    happened_on = models.DateField("发生日期")
    reported_on = models.DateField("报告日期")
    note = models.CharField("说明", max_length=200, blank=True, default="")
    undoes = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="undone_by"
    )
    recorded_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="登记人", null=True, related_name="+"
    )
    recorded_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = LifeEventQuerySet.as_manager()

    class Personal:
        personal = ("note",)
        other = (
            "id", "kind", "resident", "household", "village", "birth", "happened_on", "reported_on",
            "undoes", "recorded_by", "recorded_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "生命事件"
        ordering = ["-happened_on", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=EventKind.values), name="%(app_label)s_%(class)s_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(reported_on__gte=F("happened_on")),
                name="%(app_label)s_%(class)s_reported_after_it_happened",
                violation_error_message="报告日期不能早于发生日期。",
            ),
            models.CheckConstraint(
                condition=Q(kind=EventKind.UNDO, undoes__isnull=False)
                | (~Q(kind=EventKind.UNDO) & Q(undoes__isnull=True)),
                name="%(app_label)s_%(class)s_undo_names_its_event",
            ),
        ]
        indexes = [models.Index(fields=["village", "-happened_on", "-id"])]  # a village's ledger

    def __str__(self):
        return self.get_kind_display()

    def get_absolute_url(self):
        return reverse("households:event-detail", args=[self.pk])


class EventChange(models.Model):
    """What one event changed of one person: the fields before and after, so that it can be undone.

    `created` where the event itself brought the person into the registry.
    """

    event = models.ForeignKey(LifeEvent, models.PROTECT, related_name="people")
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="event_changes")
    created = models.BooleanField(default=False)
    # JSON objects {field: stored value}; identifiers are among them.
    before = EncryptedCharField("变动前")
    after = EncryptedCharField("变动后")

    class Personal:
        personal = ("before", "after")
        other = ("id", "event", "resident", "created")

    class Meta:
        verbose_name = verbose_name_plural = "事件影响"
        constraints = [
            models.UniqueConstraint(
                fields=["event", "resident"], name="%(app_label)s_%(class)s_one_per_person"
            )
        ]
