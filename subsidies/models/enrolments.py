"""Who is on the rolls (在册对象), from which month to which, and what is proposed about them."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from fpadmin.scoping import RegionScopedQuerySet
from households.models import FamilyParent, Resident, SpecialFamily
from subsidies.policies import catalogue
from subsidies.policies.seeing import sees_sensitive


class ExitReason(models.TextChoices):
    """Why an enrolment ended, in the words of the workbook."""

    DEATH = "死亡", "死亡"
    CHILDREN = "子女数变更", "子女数变更"
    HUKOU = "户口性质变更", "户口性质变更"
    MOVED = "迁出", "迁出"
    AGE = "年满", "年满"
    TWICE = "重复享受", "重复享受"
    WAIVED = "主动放弃", "主动放弃"
    OTHER = "其他", "其他"


def seen_by(queryset, user, resident: str = "resident"):
    """Without the rows that tell of a child's death or illness, for who may not know of it.

    Whoever sees_sensitive() sees all; a family's current contact sees its own. `resident` is the way
    to the beneficiary.
    """
    if sees_sensitive(user):
        return queryset
    own = FamilyParent.objects.filter(
        resident=OuterRef(resident),
        ended_on__isnull=True,
        family__in=SpecialFamily.objects.visible_to(user).order_by().values("pk"),
    )
    return queryset.filter(~Q(policy_code__in=catalogue.sensitive_codes()) | Exists(own))


def active_on(day, prefix: str = "") -> Q:
    """Enrolments that hold on `day`: from the start month through the last month paid."""
    month = day.replace(day=1)
    lasting = Q(**{f"{prefix}end_month__isnull": True}) | Q(**{f"{prefix}end_month__gte": month})
    return lasting & Q(**{f"{prefix}start_month__lte": month})


class EnrolmentQuerySet(RegionScopedQuerySet):
    """Enrolments, seen by whoever sees the village that the beneficiary lives in now."""

    region_path = "resident__village__path"

    def visible_to(self, user):
        scoped = super().visible_to(user)
        return seen_by(scoped, user) if getattr(user, "scope_path", "") else scoped

    def active_on(self, day):
        """On the rolls on `day`, suspended ones too; see active_on()."""
        return self.filter(active_on(day))

    def for_list(self):
        """With the person, household and village."""
        return self.select_related("resident__household", "resident__village")


class Enrolment(models.Model):
    """One line of a policy's roll. Months are their first days; end_month is the last month paid."""

    policy_code = models.CharField("政策", max_length=30, choices=catalogue.choices)
    # By the policy's `who`: the person, the wife (else the single parent), the head, the child.
    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="享受人", related_name="enrolments"
    )
    grade = models.CharField("等级或学段", max_length=20, blank=True, default="")
    start_month = models.DateField("起始年月")
    end_month = models.DateField("退出年月", null=True, blank=True)
    end_reason = models.CharField(
        "退出原因", max_length=6, choices=ExitReason, blank=True, default=""
    )
    application = models.OneToOneField(
        "subsidies.Application",
        models.PROTECT,
        null=True,  # imported, or moved over from another policy
        blank=True,
        verbose_name="申请",
        related_name="enrolment",
    )
    moved_from = models.OneToOneField(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="由此转入",
        related_name="moved_to",
    )
    # The rule the decision was made with; empty for what came in by import.
    version = models.ForeignKey(
        "subsidies.PolicyVersion",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="政策版本",
        related_name="+",
    )
    decision = models.JSONField("认定依据", default=dict, blank=True)  # see explaining.as_record()
    row_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = EnrolmentQuerySet.as_manager()

    class Personal:
        personal = ("policy_code", "resident", "grade", "end_reason", "decision")
        other = (
            "id", "start_month", "end_month", "application", "moved_from", "version", "row_version",
            "created_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "在册对象"
        ordering = ["resident__village__path", "resident__household__number", "resident", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["policy_code", "resident", "start_month"],
                name="%(app_label)s_%(class)s_one_per_start",
                violation_error_message="这位居民在同一政策、同一起始年月已有在册记录。",
            ),
            models.UniqueConstraint(
                fields=["policy_code", "resident"],
                condition=Q(end_month__isnull=True),
                name="%(app_label)s_%(class)s_one_open",
                violation_error_message="这位居民已经在册，不能重复登记。",
            ),
            # An end before the start: approved, and then never paid.
            models.CheckConstraint(
                condition=Q(end_month__isnull=True, end_reason="")
                | Q(end_month__isnull=False, end_reason__in=ExitReason.values),
                name="%(app_label)s_%(class)s_ended_with_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["policy_code", "start_month", "end_month"]),
        ]

    def __str__(self):
        return self.resident.name

    def get_absolute_url(self):
        return reverse("subsidies:enrolment-detail", args=[self.pk])

    @property
    def policy(self) -> catalogue.Policy:
        """The policy as shipped."""
        return catalogue.policy(self.policy_code)


class EnrolmentPartQuerySet(RegionScopedQuerySet):
    """What belongs to an enrolment: seen by whoever sees it."""

    region_path = "enrolment__resident__village__path"

    def visible_to(self, user):
        enrolments = Enrolment.objects.visible_to(user).order_by()
        return self.filter(enrolment__in=enrolments.values("pk"))


class Suspension(models.Model):
    """Months in which an enrolment is not paid (暂停); no recalculation lifts it, only somebody does."""

    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, verbose_name="在册对象", related_name="suspensions"
    )
    from_month = models.DateField("暂停起")
    until_month = models.DateField("暂停止", null=True, blank=True)  # the last month not paid
    reason = models.CharField("暂停原因", max_length=200)

    objects = EnrolmentPartQuerySet.as_manager()

    class Personal:
        personal = ("enrolment", "reason")
        other = ("id", "from_month", "until_month")

    class Meta:
        verbose_name = verbose_name_plural = "暂停"
        ordering = ["enrolment", "from_month"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment"],
                condition=Q(until_month__isnull=True),
                name="%(app_label)s_%(class)s_one_open",
                violation_error_message="已经暂停，不用再次暂停。",
            ),
            models.CheckConstraint(
                condition=Q(until_month__isnull=True) | Q(until_month__gte=F("from_month")),
                name="%(app_label)s_%(class)s_dates_ordered",
            ),
        ]

    def __str__(self):
        return f"{self.enrolment_id} {self.from_month:%Y-%m}"


class EnrolmentChange(models.Model):
    """What somebody proposes about an enrolment, and what another decided. Nothing happens in between."""

    class Kind(models.TextChoices):
        END = "end", "退出"
        MOVE = "move", "转入另一政策"
        SUSPEND = "suspend", "暂停发放"
        RESUME = "resume", "恢复发放"

    class Decision(models.TextChoices):
        ACCEPTED = "accepted", "同意"
        REFUSED = "refused", "退回"
        WITHDRAWN = "withdrawn", "撤回"

    enrolment = models.ForeignKey(
        Enrolment, models.PROTECT, verbose_name="在册对象", related_name="changes"
    )
    kind = models.CharField("事项", max_length=10, choices=Kind)
    # END, MOVE: the last month paid; SUSPEND: the first not paid; RESUME: the first paid again.
    month = models.DateField("年月")
    end_reason = models.CharField(
        "退出原因", max_length=6, choices=ExitReason, blank=True, default=""
    )
    note = models.CharField("说明", max_length=300)
    proposed_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="提出人", related_name="+"
    )
    proposed_at = models.DateTimeField("提出时间")
    decision = models.CharField("处理结果", max_length=10, choices=Decision, blank=True, default="")
    decided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="处理人",
        related_name="+",
    )
    decided_at = models.DateTimeField("处理时间", null=True, blank=True)
    decision_note = models.CharField("处理说明", max_length=200, blank=True, default="")

    objects = EnrolmentPartQuerySet.as_manager()

    class Personal:
        personal = ("enrolment", "end_reason", "note", "decision_note")
        other = (
            "id", "kind", "month", "proposed_by", "proposed_at", "decision", "decided_by", "decided_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "在册变动"
        ordering = ["-proposed_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment"],
                condition=Q(decision=""),
                name="%(app_label)s_%(class)s_one_waiting",
                violation_error_message="已有一条变动等待审核，请先处理。",
            ),
            models.CheckConstraint(
                condition=Q(decision="", decided_by__isnull=True, decided_at__isnull=True)
                | (~Q(decision="") & Q(decided_by__isnull=False, decided_at__isnull=False)),
                name="%(app_label)s_%(class)s_decided_by_somebody",
            ),
            # Nobody passes their own; taking it back is another matter.
            models.CheckConstraint(
                condition=~Q(decision__in=["accepted", "refused"])
                | ~Q(decided_by=F("proposed_by")),
                name="%(app_label)s_%(class)s_two_people",
                violation_error_message="不能审核自己提出的变动。",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["end", "move"], end_reason__in=ExitReason.values)
                | Q(kind__in=["suspend", "resume"], end_reason=""),
                name="%(app_label)s_%(class)s_end_with_a_reason",
            ),
        ]

    def __str__(self):
        return f"{self.enrolment_id} {self.kind}"
