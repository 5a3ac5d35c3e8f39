"""What was exported, by whom and why, who agreed, and where the file is while there is one."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet


class ExportQuerySet(RegionScopedQuerySet):
    """Exports: one's own, and for who approves those of the region."""

    region_path = "region__path"

    def visible_to(self, user):
        mine = Q(requested_by=user)
        if user.may(Permission.EXPORT_APPROVE):
            return self.filter(mine) | super().visible_to(user)
        return self.filter(mine)

    def to_decide(self, user):
        """What waits for a second person and may be decided by `user`."""
        waiting = self.filter(state=Export.State.WAITING).exclude(requested_by=user)
        return waiting.visible_to(user) if user.may(Permission.EXPORT_APPROVE) else self.none()

    def of_day(self, user, start, end):
        """What the user took between two instants without a second person, or is about to take.

        A run that ended badly gave nothing; when it is tried again it counts anew.
        """
        return self.filter(
            requested_by=user,
            needs_approval=False,
            requested_at__gte=start,
            requested_at__lt=end,
        ).exclude(job__state__in=("failed", "dead", "cancelled"))


class Export(models.Model):
    """One file of one list, a sheet or a pack, from the request to the day the file is deleted."""

    class State(models.TextChoices):
        WAITING = "waiting", "待审批"
        GRANTED = "granted", "生成中"
        REFUSED = "refused", "已退回"
        MADE = "made", "已生成"
        GONE = "gone", "已清除"

    class Scope(models.TextChoices):
        PAGE = "page", "本页"
        FOUND = "found", "查询结果"
        PICKED = "picked", "勾选的记录"

    class Purpose(models.TextChoices):
        CHECK = "check", "核对信息"
        VISIT = "visit", "入户走访"
        BENEFIT = "benefit", "办理待遇"
        REPORT = "report", "报送上级"
        INSPECTION = "inspect", "迎接检查"
        OTHER = "other", "其他"

    list_key = models.CharField("列表", max_length=40)
    # "" for a sheet of the list's columns, else a key of packs.PACKS, whose parts `columns` names.
    pack = models.CharField("资料包", max_length=40, blank=True, default="")
    title = models.CharField("表名", max_length=100)
    # Leads from the file to this row and to its audit events.
    trace = models.CharField("追溯编号", max_length=20, unique=True)
    region = models.ForeignKey("accounts.Region", models.PROTECT, verbose_name="单位")
    scope = models.CharField("范围", max_length=6, choices=Scope)
    # What listing.pack() made: it holds the names that were searched for.
    selection = EncryptedCharField("条件")
    columns = models.JSONField("列", default=list)
    rows = models.PositiveIntegerField("行数")
    has_bank = models.BooleanField("含账户", default=False)
    has_health = models.BooleanField("含健康信息", default=False)
    clear = models.BooleanField("完整号码", default=False)
    purpose = models.CharField("用途", max_length=10, choices=Purpose)
    note = EncryptedCharField("说明", blank=True, default="")
    needs_approval = models.BooleanField("需要审批", default=False)
    state = models.CharField("状态", max_length=10, choices=State)
    requested_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="申请人", related_name="exports"
    )
    requested_at = models.DateTimeField("申请时间")
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="审批人",
        related_name="+",
    )
    decided_at = models.DateTimeField("审批时间", null=True, blank=True)
    refusal = models.CharField("退回原因", max_length=200, blank=True, default="")
    job = models.ForeignKey(
        "jobs.Job", models.PROTECT, null=True, blank=True, verbose_name="任务", related_name="+"
    )
    file = models.CharField("保存的文件", max_length=200, blank=True, default="")
    file_name = models.CharField("文件名", max_length=200, blank=True, default="")
    size = models.PositiveBigIntegerField("字节数", default=0)
    sha256 = models.CharField("文件摘要", max_length=64, blank=True, default="")
    # Of the file; emptied as soon as it was shown.
    password = EncryptedCharField("密码", blank=True, default="")
    made_at = models.DateTimeField("生成时间", null=True, blank=True)
    downloads = models.PositiveIntegerField("下载次数", default=0)

    objects = ExportQuerySet.as_manager()

    class Personal:
        personal = ("selection", "note", "file", "password")
        other = (
            "id", "list_key", "pack", "title", "trace", "region", "scope", "columns", "rows", "has_bank",
            "has_health", "clear", "purpose", "needs_approval", "state", "requested_by",
            "requested_at", "decided_by", "decided_at", "refusal", "job", "file_name", "size",
            "sha256", "made_at", "downloads",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "导出"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "granted", "refused", "made", "gone"]),
                name="%(app_label)s_%(class)s_state_known",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=["page", "found", "picked"]),
                name="%(app_label)s_%(class)s_scope_known",
            ),
            models.CheckConstraint(
                condition=Q(
                    purpose__in=["check", "visit", "benefit", "report", "inspect", "other"]
                ),
                name="%(app_label)s_%(class)s_purpose_known",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("requested_by")),
                name="%(app_label)s_%(class)s_decided_by_somebody_else",
                violation_error_message="不能审批自己的导出。",
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True, decided_at__isnull=True)
                | Q(decided_by__isnull=False, decided_at__isnull=False),
                name="%(app_label)s_%(class)s_decided_by_and_at",
            ),
            models.CheckConstraint(
                condition=Q(needs_approval=False)
                | Q(state="waiting")
                | Q(decided_by__isnull=False),
                name="%(app_label)s_%(class)s_no_file_before_approval",
            ),
            models.CheckConstraint(
                condition=Q(state="made", made_at__isnull=False) & ~Q(file="") & ~Q(sha256="")
                | ~Q(state="made") & Q(file=""),
                name="%(app_label)s_%(class)s_made_means_file",
            ),
            models.CheckConstraint(
                condition=Q(rows__gt=0), name="%(app_label)s_%(class)s_has_rows"
            ),
        ]
        indexes = [
            models.Index(fields=["requested_by", "requested_at"]),  # the day's sum of a person
            models.Index(fields=["state", "made_at"]),  # what waits, and old files
        ]

    def __str__(self):
        return f"{self.title}（{self.get_scope_display()}）"

    def get_absolute_url(self):
        return reverse("exports:export-detail", args=[self.pk])

    def move(self, old: str, new: str, **values) -> bool:
        """Change the stored state, unless somebody else did so before; return whether it moved."""
        here = Export.objects.filter(pk=self.pk, state=old)
        return bool(here.update(state=new, **values))
