"""The audit trail: append-only, chained by a keyed hash, without foreign keys to what it tells of."""

from django.db import models
from django.db.models import Q

from fpadmin.fields import BytewiseCharField
from fpadmin.scoping import RegionScopedQuerySet, below


class AuditEventQuerySet(RegionScopedQuerySet):
    """Events, seen by the auditor of the region they belong to."""

    region_path = "region_path"

    def visible_to(self, user):
        """Events of the user's region and below, and those of the system itself, which have none."""
        path = getattr(user, "scope_path", "")
        return self.filter(below(path, "region_path") | Q(region_path="")) if path else self.none()

    def last_change_of(self, record):
        """The event of the last edit or import of `record`; None where there was none."""
        changed = Q(type__endswith="changed") | Q(type__endswith=".imported")
        target = {"target_type": record._meta.label_lower, "target_id": str(record.pk)}
        return self.filter(changed, **target).order_by("-pk").first()


class Result(models.TextChoices):
    """How what the event tells of came out."""

    OK = "ok", "成功"
    UNCHANGED = "unchanged", "没有变化"
    REFUSED = "refused", "被拒绝"
    CANCELLED = "cancelled", "已取消"
    FAILED = "failed", "失败"
    BROKEN = "broken", "发现改动"


class AppendOnly(Exception):
    """Events are never changed or deleted."""


class AuditEvent(models.Model):
    """Somebody did something to something, once.

    Names and numbers of residents never stand here: the target is a label and a key, changes of
    personal fields say only that they changed.
    """

    at = models.DateTimeField("时间")
    type = models.CharField("类型", max_length=60)
    actor_id = models.BigIntegerField("账号编号", null=True)
    actor = models.CharField("操作人", max_length=120)  # "姓名（登录名）" or "系统：作业名"
    role = models.CharField("角色", max_length=30, blank=True, default="")
    region_path = BytewiseCharField("区划路径", max_length=80, blank=True, default="")
    target_type = models.CharField("对象类型", max_length=60, blank=True, default="")
    target_id = models.CharField("对象编号", max_length=40, blank=True, default="")
    result = models.CharField("结果", max_length=20, default="ok")
    count = models.PositiveIntegerField("条数", null=True)
    changes = models.JSONField("变更", default=dict)
    address = models.GenericIPAddressField("来源地址", null=True)
    user_agent = models.CharField("终端", max_length=200, blank=True, default="")
    request_id = models.CharField("请求编号", max_length=36, blank=True, default="")
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = AuditEventQuerySet.as_manager()

    class Personal:
        personal = ("actor", "address", "user_agent")
        other = (
            "id", "at", "type", "actor_id", "role", "region_path", "target_type", "target_id",
            "result", "count", "changes", "request_id", "previous_hash", "hash",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "审计记录"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["target_type", "target_id"]),  # who looked at this record
            models.Index(fields=["region_path", "-id"]),  # the auditor's list
            # What somebody did of one kind since a moment: the limit of numbers shown in clear.
            models.Index(fields=["actor_id", "type", "at"]),
        ]

    def __str__(self):
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor} {self.type}"

    def save(self, *args, **kwargs):
        if self.pk is not None:
            raise AppendOnly("an audit event is never changed")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise AppendOnly("an audit event is never deleted")


class ChainHead(models.Model):
    """The one row that writers lock, so that two of them keep one chain."""

    last_hash = models.CharField(max_length=64)

    class Personal:
        personal = ()
        other = ("id", "last_hash")

    class Meta:
        verbose_name = verbose_name_plural = "审计链末端"
