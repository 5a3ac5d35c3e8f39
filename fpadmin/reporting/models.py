"""A return as it was made: a numbered version of the figures of one region and period."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from fpadmin.scoping import RegionScopedQuerySet


class ReturnVersionQuerySet(RegionScopedQuerySet):
    """Versions, seen by whoever sees their region."""

    region_path = "region__path"


class ReturnVersion(models.Model):
    """The figures of one return, frozen when made. A later run adds a version and changes none."""

    code = models.CharField("报表", max_length=40)
    region = models.ForeignKey("accounts.Region", models.PROTECT, verbose_name="单位")
    period = models.CharField("期间", max_length=7)
    version = models.PositiveSmallIntegerField("版次")
    as_of = models.DateField("数据截至")
    content = models.JSONField("内容")  # the Sheet of rendering.py as JSON
    sha256 = models.CharField("摘要", max_length=64)
    made_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, verbose_name="生成人")
    made_at = models.DateTimeField("生成时间", auto_now_add=True)

    objects = ReturnVersionQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "code", "region", "period", "version", "as_of", "content", "sha256", "made_by", "made_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "报表版本"
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "region", "period", "version"],
                name="%(app_label)s_%(class)s_one_per_version",
            ),
            models.CheckConstraint(
                condition=Q(version__gte=1), name="%(app_label)s_%(class)s_version_from_1"
            ),
        ]

    def __str__(self):
        return f"{self.code} {self.period} 第{self.version}版"

    def get_absolute_url(self):
        return reverse("reporting:version-detail", args=[self.pk])
