"""Special families (计划生育特殊家庭): the archive, its parents, and the office's rules of care.

Who may see one: whoever keeps archives in the region, and the family's current contacts. Nobody else.
"""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from households.models.people import Household, Resident

# The office's rule until it sets one of its own: 3 contacts, one contact a month, 2 visits a year
# (博西办发〔2018〕16号); archives from the mother's 35th year (禄脿街道, report of 2018).
CONTACTS_REQUIRED, CONTACTS_PER_MONTH, VISITS_PER_YEAR = 3, 1, 2
ARCHIVE_AGE, OVERDUE_DAYS = 35, 10


class FamilyKind(models.TextChoices):
    """Why a family has an archive."""

    DEATH = "死亡", "独生子女死亡"
    DISABILITY = "伤残", "独生子女伤残"
    COMPLICATION = "手术并发症", "手术并发症"


class ContactKind(models.TextChoices):
    """What a contact is in the office or village."""

    LEADER = "街道领导", "街道领导"
    VILLAGE = "村居干部", "村居干部"
    DOCTOR = "家庭医生", "家庭医生"
    WORKER = "计生专干", "计生专干"
    VOLUNTEER = "志愿者", "志愿者"


class CloseReason(models.TextChoices):
    """Why an archive was closed."""

    NEW_CHILD = "new_child", "再生育或收养"
    RECOVERED = "recovered", "子女康复"
    MOVED = "moved", "迁出"
    DIED = "died", "父母均已去世"
    MISTAKE = "mistake", "不符合条件"
    OTHER = "other", "其他"


def archive_open(day) -> Q:
    """For SpecialFamily: open on `day`; one that is closed on it is open no longer."""
    return Q(Q(closed_on__isnull=True) | Q(closed_on__gt=day), opened_on__lte=day)


def in_term(day) -> Q:
    """A term of started_on and ended_on in force on `day`: half-open, so no longer on ended_on."""
    return Q(Q(ended_on__isnull=True) | Q(ended_on__gt=day), started_on__lte=day)


class SpecialFamilyQuerySet(RegionScopedQuerySet):
    """Archives, seen by the office's keepers of them and by the family's current contacts."""

    region_path = "household__village__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        if not getattr(user, "scope_path", "") or user.may(Permission.SPECIAL_LIST):
            return scoped
        if not user.may(Permission.SPECIAL_VIEW):
            return scoped.none()
        terms = self.model._meta.get_field("contacts").related_model.objects
        return scoped.filter(
            Exists(terms.filter(family=OuterRef("pk"), person__user=user, ended_on__isnull=True))
        )

    def open_on(self, day):
        """Archives open on `day`, see archive_open()."""
        return self.filter(archive_open(day))


class SpecialFamily(models.Model):
    """One archive (一户一档). Half-open: open from opened_on and no longer on closed_on."""

    household = models.ForeignKey(
        Household, models.PROTECT, verbose_name="家庭", related_name="special_families"
    )
    kind = models.CharField("家庭类型", max_length=5, choices=FamilyKind)
    opened_on = models.DateField("建档日期")
    closed_on = models.DateField("结案日期", null=True, blank=True)
    close_reason = models.CharField(
        "结案原因", max_length=10, choices=CloseReason, blank=True, default=""
    )
    close_note = models.CharField("结案说明", max_length=200, blank=True, default="")
    difficulties = models.CharField("主要困难", max_length=500, blank=True, default="")
    needs = models.CharField("主要需求", max_length=500, blank=True, default="")
    # The smallest circle: shown on a click of its own, recorded.
    cause_of_death = EncryptedCharField("子女死亡原因", blank=True, default="")
    health_note = EncryptedCharField("健康情况", blank=True, default="")
    row_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = SpecialFamilyQuerySet.as_manager()

    class Personal:
        personal = (
            "household", "kind", "close_reason", "close_note", "difficulties", "needs",
            "cause_of_death", "health_note",
        )  # fmt: skip
        other = ("id", "opened_on", "closed_on", "row_version", "created_at")

    class Meta:
        verbose_name = verbose_name_plural = "特殊家庭档案"
        ordering = ["household__village__path", "household__number", "opened_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["household"],
                condition=Q(closed_on__isnull=True),
                name="%(app_label)s_%(class)s_one_open",
                violation_error_message="这一户已有在管的特殊家庭档案。",
            ),
            models.UniqueConstraint(
                fields=["household", "opened_on"],
                name="%(app_label)s_%(class)s_one_per_day",
                violation_error_message="这一户在同一天已经建过档案。",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=FamilyKind.values), name="%(app_label)s_%(class)s_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True, close_reason="")
                | Q(closed_on__isnull=False, close_reason__in=CloseReason.values),
                name="%(app_label)s_%(class)s_closed_with_a_reason",
                violation_error_message="结案要写明原因。",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="%(app_label)s_%(class)s_dates_ordered",
                violation_error_message="结案日期不能早于建档日期。",
            ),
        ]

    def __str__(self):
        return f"{self.household.village.name}　{self.household}"

    def get_absolute_url(self):
        return reverse("households:special-family-detail", args=[self.pk])


class FamilyScopedQuerySet(RegionScopedQuerySet):
    """Base of everything that belongs to an archive: seen by whoever sees the archive."""

    family_path = "family"

    @property
    def region_path(self):
        return f"{self.family_path}__household__village__path"

    def visible_to(self, user):
        families = SpecialFamily.objects.visible_to(user).order_by()
        return self.filter(**{f"{self.family_path}__in": families.values("pk")})


class FamilyParentQuerySet(FamilyScopedQuerySet):
    """Parents, seen by whoever sees the archive."""

    def in_term_on(self, day):
        """Whom the archive was about on `day`."""
        return self.filter(in_term(day))


class FamilyParent(models.Model):
    """A parent whom the archive is about. Who they were on a past day, the terms say."""

    family = models.ForeignKey(SpecialFamily, models.PROTECT, related_name="parents")
    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="父母", related_name="special_archives"
    )
    started_on = models.DateField("起")
    ended_on = models.DateField("止", null=True, blank=True)

    objects = FamilyParentQuerySet.as_manager()

    class Personal:
        personal = ("family", "resident")
        other = ("id", "started_on", "ended_on")

    class Meta:
        verbose_name = verbose_name_plural = "特殊家庭父母"
        ordering = ["family", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["family", "resident"], name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="%(app_label)s_%(class)s_dates_ordered",
            ),
        ]

    def __str__(self):
        return self.resident.name

    def get_absolute_url(self):
        return reverse("households:special-family-detail", args=[self.family_id])


class CareRuleQuerySet(RegionScopedQuerySet):
    """Rules, seen by whoever sees their region."""

    region_path = "region__path"


class CareRule(models.Model):
    """What a region asks of its contacts from a day on; the nearest region above a village counts."""

    region = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="适用区划", related_name="+"
    )
    from_on = models.DateField("生效日期")
    contacts_required = models.PositiveSmallIntegerField("每户联系人数", default=CONTACTS_REQUIRED)
    kinds_required = models.JSONField("其中须有", default=list, blank=True)  # ContactKind values
    contacts_per_month = models.PositiveSmallIntegerField(
        "每月至少联系（次）", default=CONTACTS_PER_MONTH
    )
    visits_per_year = models.PositiveSmallIntegerField(
        "每年至少走访慰问（次）", default=VISITS_PER_YEAR
    )
    archive_age = models.PositiveSmallIntegerField("建档年龄（女方）", default=ARCHIVE_AGE)
    overdue_days = models.PositiveSmallIntegerField("逾期几天后报审核", default=OVERDUE_DAYS)
    # Printed on the card that a family gets; blank where the region above names one.
    hotline = models.CharField("服务电话", max_length=30, blank=True, default="")
    document = models.CharField("依据文件", max_length=100)
    set_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="设定人", related_name="+"
    )
    set_at = models.DateTimeField("设定时间", auto_now_add=True)

    objects = CareRuleQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "region", "from_on", "contacts_required", "kinds_required", "contacts_per_month",
            "visits_per_year", "archive_age", "overdue_days", "hotline", "document", "set_by", "set_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "特殊家庭联系要求"
        ordering = ["-from_on", "region__path"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "from_on"],
                name="%(app_label)s_%(class)s_one_per_day",
                violation_error_message="同一天已有一条要求，请改用别的生效日期。",
            ),
            models.CheckConstraint(
                condition=Q(contacts_required__range=(1, 9), contacts_per_month__range=(1, 9))
                & Q(visits_per_year__lte=99, archive_age__range=(18, 60), overdue_days__lte=90),
                name="%(app_label)s_%(class)s_sensible",
            ),
        ]

    def __str__(self):
        return f"{self.region.name} {self.from_on}"


class ArchiveReview(models.Model):
    """An archive that something happened to: somebody looks at it and decides, nothing goes by itself."""

    class Decision(models.TextChoices):
        KEPT = "kept", "档案不变"
        CHANGED = "changed", "已改档案"
        CLOSED = "closed", "已结案"

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="reviews"
    )
    cause = models.CharField("起因", max_length=100)
    finding = models.CharField("复核情况", max_length=500)
    resident = models.ForeignKey(
        Resident, models.PROTECT, null=True, blank=True, verbose_name="涉及居民", related_name="+"
    )
    event = models.ForeignKey(
        "households.LifeEvent",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="变动",
        related_name="+",
    )
    found_on = models.DateField("发现日期")
    decision = models.CharField("处理结果", max_length=10, choices=Decision, blank=True, default="")
    note = models.CharField("处理说明", max_length=200, blank=True, default="")
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="处理人",
        related_name="+",
    )
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "cause", "finding", "resident", "event", "note")
        other = ("id", "found_on", "decision", "decided_by", "decided_at")

    class Meta:
        verbose_name = verbose_name_plural = "特殊家庭复核"
        ordering = ["-found_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decision="", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(decision="") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="%(app_label)s_%(class)s_decided_by_somebody",
            ),
        ]
        indexes = [
            models.Index(
                fields=["family"], condition=Q(decision=""), name="archivereview_waiting"
            ),  # what waits for a decision
        ]

    def __str__(self):
        return self.cause
