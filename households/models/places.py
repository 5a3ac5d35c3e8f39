"""Villages merged or divided: what was moved where, and from which day."""

from django.db import models

from fpadmin.scoping import RegionScopedQuerySet


class VillageChangeQuerySet(RegionScopedQuerySet):
    """Changes, seen by whoever sees the village that took the people in."""

    region_path = "target__path"


class VillageChange(models.Model):
    """One operation of 合村并居: whole villages, or groups of one, became part of another village."""

    target = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="并入的村（社区）", related_name="+"
    )
    # Codes of the villages or groups that moved, as they were.
    sources = models.JSONField("调整的区划", default=list)
    happened_on = models.DateField("生效日期")
    document = models.CharField("批准文件", max_length=100)
    households = models.PositiveIntegerField("户数")
    residents = models.PositiveIntegerField("人数")
    renumbered = models.PositiveIntegerField("改户编号", default=0)
    made_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, verbose_name="办理人", related_name="+"
    )
    made_at = models.DateTimeField("办理时间", auto_now_add=True)

    objects = VillageChangeQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "target", "sources", "happened_on", "document", "households", "residents",
            "renumbered", "made_by", "made_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "区划调整"
        ordering = ["-id"]

    def __str__(self):
        return f"{self.happened_on}调整到{self.target}"
