"""One uploaded workbook and what the check found in it."""

import json

from django.db import models
from django.db.models import Q
from django.urls import reverse

from fpadmin.crypto import EncryptedCharField
from fpadmin.imports.layouts import Layout
from fpadmin.scoping import RegionScopedQuerySet

MAPPABLE = ("wrong_template", "missing_column", "doubled_column")  # codes of a file not read
RETURNED_AT_ONCE = 20_000  # rows; above, a job makes the returned file


class HeadingLayoutQuerySet(RegionScopedQuerySet):
    """Learnt layouts, seen by whoever sees the office that taught them."""

    region_path = "office__path"


class HeadingLayout(models.Model):
    """How an office reads the headings and words of another department's files (layouts.Layout).

    Never edited: a change retires it and makes the next, so that a batch keeps what it was read by.
    """

    office = models.ForeignKey("accounts.Region", models.PROTECT, verbose_name="单位")
    kind = models.CharField("类别", max_length=40)
    name = models.CharField("名称", max_length=30)
    fingerprint = models.CharField("表头摘要", max_length=64)
    columns = models.JSONField("列")  # normal heading → column key
    fixed = models.JSONField("固定值")  # column key → value
    words = models.JSONField("代码的意思")  # column key → theirs → ours
    made_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="设置人", related_name="+"
    )
    made_at = models.DateTimeField("设置时间", auto_now_add=True)
    retired_at = models.DateTimeField("停用时间", null=True, blank=True)

    objects = HeadingLayoutQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "office", "kind", "name", "fingerprint", "columns", "fixed", "words", "made_by",
            "made_at", "retired_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "列的对应"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["office", "kind", "fingerprint"],
                condition=Q(retired_at__isnull=True),
                name="%(app_label)s_%(class)s_one_in_use",
            ),
        ]

    def __str__(self):
        return self.name

    def as_layout(self) -> Layout:
        """What the reader reads by."""
        return Layout(self.columns, self.fixed, self.words)


class ImportBatchQuerySet(RegionScopedQuerySet):
    """Batches, seen by whoever sees the office that they belong to."""

    region_path = "office__path"


class ImportBatch(models.Model):
    """A workbook from upload to the registry. The file itself is kept encrypted until purged."""

    class State(models.TextChoices):
        CHECKING = "checking", "检查中"
        CHECKED = "checked", "待确认"
        UNREADABLE = "unreadable", "不能读取"
        COMMITTING = "committing", "写入中"
        COMMITTED = "committed", "已完成"
        DISCARDED = "discarded", "已放弃"
        UNDOING = "undoing", "撤销中"
        UNDONE = "undone", "已撤销"

    kind = models.CharField("类别", max_length=40)
    office = models.ForeignKey("accounts.Region", models.PROTECT, verbose_name="单位")
    file_name = models.CharField("文件名", max_length=200)
    file = models.CharField("保存的文件", max_length=200, blank=True, default="")
    sha256 = models.CharField("文件摘要", max_length=64)
    size = models.PositiveIntegerField("字节数")
    # The day from which a changed household or hukou counts.
    changed_on = models.DateField("变动日期")
    good_rows_only = models.BooleanField("只导入正确的行", default=False)
    state = models.CharField("状态", max_length=12, choices=State, default=State.CHECKING)
    rows = models.PositiveIntegerField("行数", default=0)
    created = models.PositiveIntegerField("新增", default=0)
    updated = models.PositiveIntegerField("更新", default=0)
    unchanged = models.PositiveIntegerField("无变化", default=0)
    refused = models.PositiveIntegerField("错误行", default=0)
    skipped = models.PositiveIntegerField("跳过", default=0)
    errors = models.PositiveIntegerField("错误", default=0)
    warnings = models.PositiveIntegerField("提示", default=0)
    failure = models.TextField("不能读取的原因", blank=True, default="")
    failure_code = models.CharField("原因代码", max_length=40, blank=True, default="")
    # What its headings look like (outline.packed), where an office may say which column is which.
    outline = EncryptedCharField("表头", blank=True, default="")
    layout = models.ForeignKey(
        "imports.HeadingLayout",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="列的对应",
        related_name="batches",
    )
    uploaded_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        verbose_name="上传人",
        related_name="import_batches",
    )
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    checked_at = models.DateTimeField("检查时间", null=True, blank=True)
    committed_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="确认人",
        related_name="+",
    )
    committed_at = models.DateTimeField("写入时间", null=True, blank=True)
    undone_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="撤销人",
        related_name="+",
    )
    undone_at = models.DateTimeField("撤销时间", null=True, blank=True)

    objects = ImportBatchQuerySet.as_manager()

    class Personal:
        personal = ("file", "outline")
        other = (
            "id", "kind", "office", "file_name", "sha256", "size", "changed_on", "good_rows_only",
            "state", "rows", "created", "updated", "unchanged", "refused", "skipped", "errors",
            "warnings", "failure", "failure_code", "layout", "uploaded_by", "uploaded_at", "checked_at",
            "committed_by", "committed_at", "undone_by", "undone_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "数据导入"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "checking", "checked", "unreadable", "committing", "committed", "discarded",
                        "undoing", "undone",
                    ]
                ),
                name="%(app_label)s_%(class)s_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="undone", undone_at__isnull=False)
                | (~Q(state="undone") & Q(undone_at__isnull=True)),
                name="%(app_label)s_%(class)s_undone_means_time",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["sha256"])]  # has this very file come before?

    def __str__(self):
        return self.file_name

    def get_absolute_url(self):
        return reverse("imports:batch-detail", args=[self.pk])

    @property
    def can_be_checked_again(self) -> bool:
        return self.state in CHECKED_AGAIN_STATES and bool(self.file)

    @property
    def can_be_discarded(self) -> bool:
        return self.state in DISCARDED_STATES

    @property
    def is_large(self) -> bool:
        """Whether its returned file takes longer than a page may."""
        return self.rows > RETURNED_AT_ONCE

    def move(self, old: str, new: str, **values) -> bool:
        """Change the stored state, unless somebody else did so before; return whether it moved."""
        here = ImportBatch.objects.filter(pk=self.pk, state=old)
        return bool(here.update(state=new, **values))

    def read_by(self) -> dict[str, Layout]:
        """The learnt layout by which the check read it, for reading it again in the same way."""
        return {self.layout.fingerprint: self.layout.as_layout()} if self.layout else {}

    def drop_findings(self) -> None:
        """Delete what the check found."""
        ImportBatch.objects.filter(pk=self.pk).update(outline="")
        self.doubts.all().delete()
        self.issues.all().delete()
        self.changes.all().delete()


CHECKED_AGAIN_STATES = (ImportBatch.State.CHECKED, ImportBatch.State.UNREADABLE)
DISCARDED_STATES = (ImportBatch.State.CHECKING, *CHECKED_AGAIN_STATES)


class ImportIssue(models.Model):
    """One problem of one cell. The value is stored masked where it identifies somebody."""

    class Severity(models.TextChoices):
        ERROR = "error", "错误"
        WARNING = "warning", "提示"

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="issues")
    severity = models.CharField("性质", max_length=7, choices=Severity)
    row = models.PositiveIntegerField("行")  # as Excel numbers it; 0 for the sheet as a whole
    column = models.CharField("列", max_length=100)  # the template's heading
    cell = models.CharField("位置", max_length=12, blank=True, default="")
    code = models.CharField("代码", max_length=40)
    value = models.CharField("填写内容", max_length=200, blank=True, default="")
    message = models.CharField("问题和改法", max_length=300)

    class Personal:
        personal = ("value", "message")
        other = ("id", "batch", "severity", "row", "column", "cell", "code")

    class Meta:
        verbose_name = verbose_name_plural = "导入问题"
        ordering = ["row", "id"]
        indexes = [models.Index(fields=["batch", "severity", "row"])]  # the preview's pages


class ImportChange(models.Model):
    """One field of one known record that the workbook changes, for the preview (masked)."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="changes")
    row = models.PositiveIntegerField("行")
    target = models.CharField("记录", max_length=100)
    place = models.CharField("家庭", max_length=100, blank=True, default="")
    target_id = models.BigIntegerField(null=True)
    field = models.CharField("字段", max_length=100)
    old = models.CharField("原值", max_length=200, blank=True, default="")
    new = models.CharField("新值", max_length=200, blank=True, default="")

    class Personal:
        personal = ("target", "place", "old", "new")
        other = ("id", "batch", "row", "target_id", "field")

    class Meta:
        verbose_name = verbose_name_plural = "导入变更"
        ordering = ["row", "id"]
        indexes = [models.Index(fields=["batch", "row"])]  # the preview's pages


class ImportDoubt(models.Model):
    """A row that may mean a known record, and what somebody decided; kept when checked again."""

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="doubts")
    row = models.PositiveIntegerField("行")
    target_id = models.BigIntegerField("记录")
    name = models.CharField("名称", max_length=100)
    reason = models.CharField("相同之处", max_length=60)
    sides = EncryptedCharField("对照")  # JSON [[heading, file, registry]], masked
    decision = models.CharField("决定", max_length=4, blank=True, default="")
    decided_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, verbose_name="决定人", related_name="+"
    )
    decided_at = models.DateTimeField("决定时间", null=True)

    class Personal:
        personal = ("name", "sides")
        other = (
            "id", "batch", "row", "target_id", "reason", "decision", "decided_by", "decided_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "可能已登记的行"
        ordering = ["row"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "row"], name="%(app_label)s_%(class)s_one_per_row"
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_at__isnull=True)
                | Q(decision__in=["same", "new", "skip"], decided_at__isnull=False),
                name="%(app_label)s_%(class)s_decided_means_time",
            ),
        ]

    @property
    def pairs(self) -> list[list[str]]:
        """[heading, what the file says, what the registry says]."""
        return json.loads(self.sides)


class ImportEffect(models.Model):
    """What writing a batch did to some rows of one table, kept so that it can be undone.

    `created`: the keys object_id to other_id are new. `changed`: the row object_id had other
    values in `columns`; without columns it is as it was left, only its version rose. `linked`: one
    link of the row object_id was set to the row other_id. `removed`: the row object_id was deleted.
    """

    class Action(models.TextChoices):
        CREATED = "created", "新增"
        CHANGED = "changed", "修改"
        LINKED = "linked", "关联"
        REMOVED = "removed", "删除"

    batch = models.ForeignKey(ImportBatch, models.CASCADE, related_name="effects", db_index=False)
    action = models.CharField("做法", max_length=7, choices=Action)
    model = models.CharField("记录类别", max_length=60)
    object_id = models.BigIntegerField("记录")
    other_id = models.BigIntegerField("另一记录", null=True)
    # The row_version that the import left; null where the table has none.
    version = models.PositiveIntegerField("版本", null=True)
    columns = models.CharField("字段", max_length=800, blank=True, default="")  # ,name,note,
    kept = EncryptedCharField("原值和新值", blank=True, default="")  # JSON {column: [old, new]}

    class Personal:
        personal = ("kept",)
        other = ("id", "batch", "action", "model", "object_id", "other_id", "version", "columns")

    class Meta:
        verbose_name = verbose_name_plural = "导入的改动"
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(action__in=["created", "changed", "linked", "removed"]),
                name="%(app_label)s_%(class)s_action_known",
            ),
            models.CheckConstraint(
                condition=Q(action__in=["changed", "removed"], other_id__isnull=True)
                | Q(action="created", other_id__isnull=False, other_id__gte=models.F("object_id"))
                | Q(action="linked", other_id__isnull=False),
                name="%(app_label)s_%(class)s_other_fits_action",
            ),
        ]
        indexes = [
            # What the batch did to one row, and to one table.
            models.Index(fields=["batch", "model", "action", "object_id"]),
            # Which batches changed a row.
            models.Index(fields=["model", "object_id"]),
        ]
