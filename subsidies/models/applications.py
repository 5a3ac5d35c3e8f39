"""Applications (申请): from the village to the county, with papers, public notice and objections."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from households.models import Resident
from subsidies.models.enrolments import seen_by
from subsidies.policies import catalogue


class ApplicationState(models.TextChoices):
    """Where an application waits, and how it ended."""

    DRAFT = "draft", "填写中"
    RETURNED = "returned", "已退回"
    VILLAGE = "village", "待村级评议"
    NOTICE = "notice", "公示"
    TOWNSHIP = "township", "待乡镇初审"
    COUNTY = "county", "待县级确认"
    CONFIRMED = "confirmed", "已确认"
    REFUSED = "refused", "不予确认"
    WITHDRAWN = "withdrawn", "已撤销"


OPEN_STATES = ("draft", "returned", "village", "notice", "township", "county")
# Every step forward or back that there is; services/applications.py takes no other.
TRANSITIONS = {
    "draft": {"submit": "village", "withdraw": "withdrawn"},
    "returned": {"submit": "village", "withdraw": "withdrawn"},
    # Without a public notice the village's review leads to the township at once.
    "village": {"pass": "notice", "pass_without_notice": "township", "return": "returned"},
    "notice": {"pass": "township", "return": "returned"},
    "township": {"pass": "county", "return": "returned"},
    "county": {"pass": "confirmed", "return": "returned", "refuse": "refused"},
}


class ApplicationQuerySet(RegionScopedQuerySet):
    """Applications, seen by whoever sees the village that the person lives in now."""

    region_path = "resident__village__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        return seen_by(scoped, user) if getattr(user, "scope_path", "") else scoped

    def open(self):
        """Not yet decided."""
        return self.filter(state__in=OPEN_STATES)

    def for_list(self):
        """With the person, household and village."""
        return self.select_related("resident__household", "resident__village")


class Application(models.Model):
    """One person's application for one policy."""

    policy_code = models.CharField("政策", max_length=30, choices=catalogue.choices)
    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="申请人", related_name="applications"
    )
    grade = models.CharField("等级或学段", max_length=20, blank=True, default="")
    applied_on = models.DateField("申请日期")
    state = models.CharField(
        "状态", max_length=10, choices=ApplicationState, default=ApplicationState.DRAFT
    )
    # Facts that no record shows, {what: the words confirmed}; the reviewer answers for them.
    attested = models.JSONField("证明事项", default=dict, blank=True)
    note = models.CharField("申请说明", max_length=500, blank=True, default="")
    by_rule = models.BooleanField("按条件查到", default=True)  # else entered by hand
    start_month = models.DateField("起始年月", null=True, blank=True)  # by the rule, once submitted
    version = models.ForeignKey(
        "subsidies.PolicyVersion",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="政策版本",
        related_name="+",
    )
    # Criteria, values and outcome when it was last sent on; see eligibility/explaining.as_record().
    decision = models.JSONField("核查结果", default=dict, blank=True)
    waiting_since = models.DateTimeField("等待自", null=True, blank=True)
    submitted_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name="经办人", related_name="+"
    )  # fmt: skip
    village_passed_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name="村级评议", related_name="+"
    )  # fmt: skip
    township_passed_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name="乡镇初审", related_name="+"
    )  # fmt: skip
    county_passed_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, blank=True, verbose_name="县级确认", related_name="+"
    )  # fmt: skip
    row_version = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="登记人", related_name="+"
    )
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = ApplicationQuerySet.as_manager()

    class Personal:
        personal = ("policy_code", "resident", "grade", "attested", "note", "decision")
        other = (
            "id", "applied_on", "state", "by_rule", "start_month", "version", "waiting_since",
            "submitted_by", "village_passed_by", "township_passed_by", "county_passed_by",
            "row_version", "created_by", "created_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "申请"
        ordering = ["resident__village__path", "resident__household__number", "resident", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy_code", "resident"],
                condition=Q(state__in=OPEN_STATES),
                name="%(app_label)s_%(class)s_one_open",
                violation_error_message="这位居民的同一申请还在办理，不能再申请一次。",
            ),
            models.CheckConstraint(
                condition=Q(state__in=ApplicationState.values),
                name="%(app_label)s_%(class)s_state_known",
            ),
            # Nobody passes their own, and nobody passes two steps.
            models.CheckConstraint(
                condition=(
                    Q(village_passed_by__isnull=True) | ~Q(village_passed_by=F("submitted_by"))
                )
                & (
                    Q(township_passed_by__isnull=True)
                    | (
                        ~Q(township_passed_by=F("submitted_by"))
                        & ~Q(township_passed_by=F("village_passed_by"))
                    )
                )
                & (
                    Q(county_passed_by__isnull=True)
                    | (
                        ~Q(county_passed_by=F("submitted_by"))
                        & ~Q(county_passed_by=F("village_passed_by"))
                        & ~Q(county_passed_by=F("township_passed_by"))
                    )
                ),
                name="%(app_label)s_%(class)s_nobody_passes_twice",
                violation_error_message="不能审核自己经办或审核过的申请。",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed")
                | Q(
                    submitted_by__isnull=False,
                    village_passed_by__isnull=False,
                    township_passed_by__isnull=False,
                    county_passed_by__isnull=False,
                    start_month__isnull=False,
                ),
                name="%(app_label)s_%(class)s_confirmed_by_all",
            ),
        ]
        indexes = [models.Index(fields=["state", "policy_code"])]

    def __str__(self):
        return self.resident.name

    def get_absolute_url(self):
        return reverse("subsidies:application-detail", args=[self.pk])

    @property
    def policy(self) -> catalogue.Policy:
        """The policy as shipped."""
        return catalogue.policy(self.policy_code)


class ApplicationPartQuerySet(RegionScopedQuerySet):
    """What belongs to an application: seen by whoever sees it."""

    region_path = "application__resident__village__path"

    def visible_to(self, user):
        applications = Application.objects.visible_to(user).order_by()
        return self.filter(application__in=applications.values("pk"))


class ApplicationStep(models.Model):
    """One step of an application: who did what, when, and why it was sent back."""

    application = models.ForeignKey(
        Application, models.PROTECT, verbose_name="申请", related_name="steps"
    )
    action = models.CharField("动作", max_length=20)  # a key of TRANSITIONS, or create
    from_state = models.CharField("原状态", max_length=10, blank=True, default="")
    to_state = models.CharField("新状态", max_length=10)
    reason = models.CharField("意见", max_length=300, blank=True, default="")
    by = models.ForeignKey("accounts.User", models.PROTECT, verbose_name="办理人", related_name="+")
    at = models.DateTimeField("办理时间")

    objects = ApplicationPartQuerySet.as_manager()

    class Personal:
        personal = ("application", "reason")
        other = ("id", "action", "from_state", "to_state", "by", "at")

    class Meta:
        verbose_name = verbose_name_plural = "申请步骤"
        ordering = ["application", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(action__in=["return", "refuse"]) | ~Q(reason=""),
                name="%(app_label)s_%(class)s_sent_back_with_a_reason",
                violation_error_message="退回要写明原因。",
            ),
        ]

    def __str__(self):
        return f"{self.application_id} {self.action}"


class ApplicationPaper(models.Model):
    """A paper that proves an application: a sealed file, see fpadmin.sealed."""

    class Kind(models.TextChoices):
        IDENTITY = "identity", "身份证、户口簿"
        MARRIAGE = "marriage", "婚姻状况证明"
        CERTIFICATE = "certificate", "独生子女证"
        PROOF = "proof", "证明材料"
        PANEL = "panel", "村级评议表"
        OTHER = "other", "其他"

    application = models.ForeignKey(
        Application, models.PROTECT, verbose_name="申请", related_name="papers"
    )
    kind = models.CharField("材料类别", max_length=12, choices=Kind)
    title = models.CharField("名称", max_length=80)
    file = models.CharField("存放名", max_length=120, editable=False)
    content_type = models.CharField("格式", max_length=60, editable=False)
    size = models.PositiveIntegerField("大小（字节）", editable=False)
    sha256 = models.CharField("校验码", max_length=64, editable=False)
    uploaded_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="上传人", related_name="+"
    )
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    removed_at = models.DateTimeField("删除时间", null=True, blank=True)

    objects = ApplicationPartQuerySet.as_manager()

    class Personal:
        personal = ("application", "kind", "title", "sha256")
        other = ("id", "file", "content_type", "size", "uploaded_by", "uploaded_at", "removed_at")

    class Meta:
        verbose_name = verbose_name_plural = "申请材料"
        ordering = ["kind", "pk"]

    def __str__(self):
        return self.title


class NoticeQuerySet(RegionScopedQuerySet):
    """Notices, seen by whoever sees their village; those of sensitive policies by fewer, as seen_by()."""

    region_path = "village__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        if not getattr(user, "scope_path", ""):
            return scoped
        seen = Application.objects.visible_to(user).order_by().values("pk")
        return scoped.filter(
            Exists(NoticeLine.objects.filter(notice=OuterRef("pk"), application__in=seen))
        )


class Notice(models.Model):
    """A public notice (公示) of one village and policy: put up, waited out, taken down."""

    village = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="村（社区）", related_name="+"
    )
    policy_code = models.CharField("政策", max_length=30, choices=catalogue.choices)
    posted_on = models.DateField("公示起")  # working days count from the day after
    days = models.PositiveSmallIntegerField("公示（工作日）")
    ends_on = models.DateField("公示止")  # the last working day; it may go on from the day after
    place = models.CharField("张贴地点", max_length=100, blank=True, default="")
    # Where objections are taken: an office's line, printed on the sheet; never a person's own.
    phone = models.CharField("异议受理电话", max_length=20, default="")
    closed_on = models.DateField("结束日期", null=True, blank=True)
    # The photo of the board, a sealed file; "" while there is none.
    photo = models.CharField("照片存放名", max_length=120, blank=True, default="", editable=False)
    photo_type = models.CharField("照片格式", max_length=60, blank=True, default="", editable=False)
    posted_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="张贴人", related_name="+"
    )
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = NoticeQuerySet.as_manager()

    class Personal:
        personal = ("policy_code",)
        other = (
            "id", "village", "posted_on", "days", "ends_on", "place", "phone", "closed_on", "photo",
            "photo_type", "posted_by", "created_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "公示"
        ordering = ["-posted_on", "village__path", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_on__gte=F("posted_on"), days__gte=1),
                name="%(app_label)s_%(class)s_has_a_term",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gt=F("ends_on")),
                name="%(app_label)s_%(class)s_waited_out",
                violation_error_message="公示期还没有满，不能结束公示。",
            ),
        ]

    def __str__(self):
        return f"{self.village.name} {self.posted_on}"

    def get_absolute_url(self):
        return reverse("subsidies:notice-detail", args=[self.pk])


class NoticePartQuerySet(RegionScopedQuerySet):
    """What belongs to a notice: seen by whoever sees the application."""

    region_path = "application__resident__village__path"

    def visible_to(self, user):
        applications = Application.objects.visible_to(user).order_by()
        return self.filter(application__in=applications.values("pk"))


class NoticeLine(models.Model):
    """An application on a notice; one that was taken off (an objection upheld, sent back) stays here."""

    notice = models.ForeignKey(Notice, models.PROTECT, verbose_name="公示", related_name="lines")
    application = models.ForeignKey(
        Application, models.PROTECT, verbose_name="申请", related_name="notice_lines"
    )
    removed_on = models.DateField("撤下日期", null=True, blank=True)

    objects = NoticePartQuerySet.as_manager()

    class Personal:
        personal = ("application",)
        other = ("id", "notice", "removed_on")

    class Meta:
        verbose_name = verbose_name_plural = "公示对象"
        ordering = ["notice", "application"]
        constraints = [
            models.UniqueConstraint(
                fields=["application"],
                condition=Q(removed_on__isnull=True),
                name="%(app_label)s_%(class)s_on_one_notice",
            ),
        ]

    def __str__(self):
        return f"{self.notice_id} {self.application_id}"


class Objection(models.Model):
    """What somebody held against an application on a notice, and what came of it."""

    class Outcome(models.TextChoices):
        UPHELD = "upheld", "成立，退回申请"
        DISMISSED = "dismissed", "不成立"

    application = models.ForeignKey(
        Application, models.PROTECT, verbose_name="申请", related_name="objections"
    )
    notice = models.ForeignKey(
        Notice, models.PROTECT, verbose_name="公示", related_name="objections"
    )
    raised_on = models.DateField("提出日期")
    raised_by = EncryptedCharField("提出人", blank=True, default="")  # may be anonymous
    content = models.CharField("异议内容", max_length=500)
    recorded_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="登记人", related_name="+"
    )
    outcome = models.CharField("处理结果", max_length=10, choices=Outcome, blank=True, default="")
    finding = models.CharField("核实情况", max_length=500, blank=True, default="")
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="处理人",
        related_name="+",
    )
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)

    objects = NoticePartQuerySet.as_manager()

    class Personal:
        personal = ("application", "raised_by", "content", "finding")
        other = (
            "id", "notice", "raised_on", "recorded_by", "outcome", "decided_by", "decided_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "异议"
        ordering = ["-raised_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", decided_by__isnull=True, decided_at__isnull=True)
                | (
                    ~Q(outcome="")
                    & ~Q(finding="")
                    & Q(decided_by__isnull=False, decided_at__isnull=False)
                ),
                name="%(app_label)s_%(class)s_decided_by_somebody",
            ),
        ]

    def __str__(self):
        return self.content
