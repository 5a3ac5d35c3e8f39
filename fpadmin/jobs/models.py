"""The ledger of background runs. The row is the truth; a message on the broker only carries its id."""

from django.db import models
from django.db.models import Case, Q, When
from django.urls import reverse

from fpadmin.fields import BytewiseCharField
from fpadmin.scoping import RegionScopedQuerySet


class JobQuerySet(RegionScopedQuerySet):
    """Jobs, seen by whoever sees the region that they were asked for."""

    region_path = "region_path"

    def open(self):
        return self.filter(state__in=OPEN_STATES)

    def mine_first(self, user):
        """What the user asked for before everybody else's, each with the newest first."""
        mine = Case(When(requested_by=user, then=0), default=1)
        return self.select_related("requested_by").order_by(mine, "-pk")

    def lost(self, now):
        """Running past their lease: the worker is gone or stuck."""
        return self.filter(state=Job.State.RUNNING, lease_until__lt=now)


class Job(models.Model):
    """One run of one kind of work, asked for by a person or by the schedule."""

    class State(models.TextChoices):
        QUEUED = "queued", "排队"
        RUNNING = "running", "进行中"
        DONE = "done", "已完成"
        FAILED = "failed", "失败"
        CANCELLED = "cancelled", "已取消"
        DEAD = "dead", "多次失败"

    kind = models.CharField("任务", max_length=60)
    # Two requests for the same thing share one open job.
    key = models.CharField("去重键", max_length=200)
    title = models.CharField("名称", max_length=200)
    params = models.JSONField("参数", default=dict)  # ids and dates, never personal data
    state = models.CharField("状态", max_length=10, choices=State, default=State.QUEUED)
    # Of a running job: taken back after this. Of a queued one: its message is not sent again before.
    lease_until = models.DateTimeField("租约至", null=True, blank=True)
    # Rises with every taking; a write with an older fence is refused.
    fence = models.PositiveIntegerField("栅栏号", default=0)
    attempts = models.PositiveSmallIntegerField("次数", default=0)
    cancel_requested = models.BooleanField("已要求取消", default=False)
    progress = models.PositiveIntegerField("进度", default=0)
    total = models.PositiveIntegerField("总数", default=0)
    step = models.CharField("步骤", max_length=100, blank=True, default="")
    result = models.JSONField("结果", default=dict)
    result_file = models.CharField("结果文件", max_length=200, blank=True, default="")
    result_name = models.CharField("文件名", max_length=200, blank=True, default="")
    result_sha256 = models.CharField(max_length=64, blank=True, default="")
    error = models.TextField("错误", blank=True, default="")
    requested_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="发起人",
        related_name="jobs",
    )
    region_path = BytewiseCharField("区划路径", max_length=80)
    created_at = models.DateTimeField("创建时间", auto_now_add=True)
    started_at = models.DateTimeField("开始时间", null=True, blank=True)
    finished_at = models.DateTimeField("结束时间", null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "kind", "key", "title", "params", "state", "lease_until", "fence", "attempts",
            "cancel_requested", "progress", "total", "step", "result", "result_file", "result_name",
            "result_sha256", "error", "requested_by", "region_path", "created_at", "started_at",
            "finished_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "后台任务"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["key"],
                condition=Q(state__in=["queued", "running"]),
                name="%(app_label)s_%(class)s_one_open_per_key",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running", "done", "failed", "cancelled", "dead"]),
                name="%(app_label)s_%(class)s_state_known",
            ),
        ]
        indexes = [models.Index(fields=["state", "lease_until"])]  # the sweeper

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("jobs:job-detail", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def can_be_retried(self) -> bool:
        return self.state in RETRIED_STATES


OPEN_STATES = (Job.State.QUEUED, Job.State.RUNNING)
RETRIED_STATES = (Job.State.FAILED, Job.State.DEAD, Job.State.CANCELLED)
