"""Months of the ledger that a township has locked, and what was counted in them."""

from datetime import date

from django.db import models
from django.db.models import F, Q

from fpadmin.fields import BytewiseCharField
from fpadmin.scoping import RegionScopedQuerySet
from households.models.enums import Hukou, Residence, Sex
from households.models.people import Resident

HUKOU_CLASSES = (Hukou.AGRICULTURAL.value, Hukou.NON_AGRICULTURAL.value, Residence.INFLOW.value)


class LedgerLockQuerySet(RegionScopedQuerySet):
    """Locks, seen by whoever sees the township."""

    region_path = "township__path"

    def in_force(self):
        """Without those that were opened again."""
        return self.filter(unlocked_at__isnull=True)


class LedgerLock(models.Model):
    """A month that one township has closed: its figures are those of `version` until it is unlocked."""

    township = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="乡镇（街道）", related_name="+"
    )
    period = models.CharField("月份", max_length=7)
    starts_on = models.DateField("起")
    closes_on = models.DateField("止")  # its last day: that of the closing figures
    version = models.ForeignKey(
        "reporting.ReturnVersion", models.PROTECT, verbose_name="报表版本", related_name="+"
    )
    locked_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="锁定人", related_name="+"
    )
    locked_at = models.DateTimeField("锁定时间")
    unlocked_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="解锁人",
        related_name="+",
    )
    unlocked_at = models.DateTimeField("解锁时间", null=True, blank=True)
    unlock_reason = models.CharField("解锁原因", max_length=200, blank=True, default="")

    objects = LedgerLockQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "township", "period", "starts_on", "closes_on", "version", "locked_by", "locked_at",
            "unlocked_by", "unlocked_at", "unlock_reason",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "总人口账锁定"
        ordering = ["-closes_on", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["township", "period"],
                condition=Q(unlocked_at__isnull=True),
                name="%(app_label)s_%(class)s_locked_once",
            ),
            models.CheckConstraint(
                condition=Q(closes_on__gt=F("starts_on")),
                name="%(app_label)s_%(class)s_dates_ordered",
            ),
            models.CheckConstraint(
                condition=Q(unlocked_at__isnull=True, unlocked_by__isnull=True, unlock_reason="")
                | (Q(unlocked_at__isnull=False, unlocked_by__isnull=False) & ~Q(unlock_reason="")),
                name="%(app_label)s_%(class)s_unlocked_with_a_reason",
            ),
        ]

    def __str__(self):
        return f"{self.township.name} {self.period}"

    @property
    def label(self) -> str:
        """The month in words."""
        return f"{self.closes_on.year}年{self.closes_on.month}月"


def _class_known(field: str = "hukou_class") -> Q:
    return Q(**{f"{field}__in": HUKOU_CLASSES})


class LedgerMemberQuerySet(RegionScopedQuerySet):
    """People counted in locked closings, seen by whoever sees the village they were counted in."""

    region_path = "village__path"

    def counted_on(self, day: date):
        """Of the locked closing of `day`, a month's last."""
        return self.filter(
            Q(until__isnull=True) | Q(until__gt=day),
            since__lte=day,
        )


class LedgerMember(models.Model):
    """A person as counted in the locked closings from `since` up to before `until`.

    Both are last days of months. Whoever is counted alike month after month has one row.
    """

    township = models.ForeignKey("accounts.Region", models.PROTECT, related_name="+")
    resident = models.ForeignKey(Resident, models.PROTECT, related_name="ledger_members")
    village = models.ForeignKey("accounts.Region", models.PROTECT, related_name="+")
    sex = models.CharField("性别", max_length=1, choices=Sex)
    hukou_class = models.CharField("户口类别", max_length=3)
    since = models.DateField("自")
    until = models.DateField("至", null=True, blank=True)

    objects = LedgerMemberQuerySet.as_manager()

    class Personal:
        personal = ("resident", "sex")
        other = ("id", "township", "village", "hukou_class", "since", "until")

    class Meta:
        verbose_name = verbose_name_plural = "总人口账锁定的名册"
        constraints = [
            models.UniqueConstraint(
                fields=["township", "resident"],
                condition=Q(until__isnull=True),
                name="%(app_label)s_%(class)s_counted_once",
            ),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gt=F("since")),
                name="%(app_label)s_%(class)s_dates_ordered",
            ),
            models.CheckConstraint(
                condition=Q(sex__in=Sex.values), name="%(app_label)s_%(class)s_sex_known"
            ),
            models.CheckConstraint(
                condition=_class_known(), name="%(app_label)s_%(class)s_class_known"
            ),
        ]
        indexes = [
            models.Index(fields=["village", "since"]),  # a village's locked closing
            # whether somebody counted now stood there at the locked closing
            models.Index(fields=["resident", "village", "since"]),
        ]


class LedgerEntry(models.Model):
    """One record behind a figure of a locked month, as it stood when the month was locked.

    The keys of the person and household are plain numbers: what they lead to may be gone by now.
    """

    lock = models.ForeignKey(LedgerLock, models.PROTECT, related_name="entries")
    column = models.CharField("栏目", max_length=20)
    village = models.ForeignKey("accounts.Region", models.PROTECT, related_name="+")
    sex = models.CharField("性别", max_length=1, choices=Sex)
    hukou_class = models.CharField("户口类别", max_length=3)
    # For which cells it counts: the village's, that of its sex, that of its hukou class.
    of_village = models.BooleanField()
    of_sex = models.BooleanField()
    of_class = models.BooleanField()
    household_no = BytewiseCharField("户编号", max_length=30, blank=True, default="")
    name = models.CharField("姓名", max_length=50)
    resident_key = models.BigIntegerField(null=True, blank=True)
    household_key = models.BigIntegerField(null=True, blank=True)
    facts = models.JSONField(default=dict)  # what else the list said: heading → text

    class Personal:
        personal = ("name", "sex", "facts", "resident_key")
        other = (
            "id", "lock", "column", "village", "hukou_class", "of_village", "of_sex", "of_class",
            "household_no", "household_key",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "总人口账锁定的记录"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sex__in=Sex.values), name="%(app_label)s_%(class)s_sex_known"
            ),
            models.CheckConstraint(
                condition=_class_known(), name="%(app_label)s_%(class)s_class_known"
            ),
        ]
        indexes = [models.Index(fields=["lock", "column", "village"])]  # the list of one figure
