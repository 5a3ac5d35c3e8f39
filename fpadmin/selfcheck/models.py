"""What the last check found, so that whoever can mend it sees it with the page that mends it."""

from django.db import models

from fpadmin.scoping import RegionScopedQuerySet


class OpenFindingQuerySet(RegionScopedQuerySet):
    """Findings, seen by whoever sees the place they concern; those without a place by nobody."""

    region_path = "region_path"

    def everywhere_for(self, user):
        """For counts only: the findings of the user's region, and those that have no place."""
        return self.visible_to(user) | self.filter(region_path="")


class OpenFinding(models.Model):
    """One record that broke one rule when the data were last checked. Gone once it is mended."""

    rule = models.CharField("规则", max_length=10)
    text = models.CharField("问题", max_length=200)
    target = models.CharField("对象", max_length=60, blank=True, default="")
    target_id = models.CharField("对象编号", max_length=40, blank=True, default="")
    region_path = models.CharField("区划", max_length=100, blank=True, default="")
    first_seen_at = models.DateTimeField("首次发现")
    seen_at = models.DateTimeField("最近核对")

    objects = OpenFindingQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "rule", "text", "target", "target_id", "region_path", "first_seen_at", "seen_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "自检问题"
        ordering = ["first_seen_at", "rule", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "text"], name="%(app_label)s_%(class)s_once_per_rule"
            )
        ]
        indexes = [models.Index(fields=["region_path"])]  # a township's findings

    def __str__(self):
        return self.text
