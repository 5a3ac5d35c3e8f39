"""Care for special families: cards, priority services, checks, contracts, insurance, aid, rounds, papers."""

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.crypto import EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from households.models.contacts import ContactRecord, FamilyContact
from households.models.people import Resident
from households.models.special_families import FamilyScopedQuerySet, SpecialFamily


class PriorityKind(models.TextChoices):
    """The six priorities at hospitals (六优先, national notice of 2018-01-29)."""

    REGISTRATION = "挂号", "优先挂号"
    TREATMENT = "就诊", "优先就诊"
    REFERRAL = "转诊", "优先转诊"
    MEDICINE = "取药", "优先取药"
    PAYMENT = "收费", "优先收费"
    COMBINED = "综合诊疗", "优先综合诊疗"


class DocumentKind(models.TextChoices):
    """Papers of an archive. Those of HEALTH_DOCUMENTS open to the smallest circle only."""

    CERTIFICATE = "certificate", "独生子女父母光荣证"
    DEATH = "death", "死亡证明"
    DISABILITY = "disability", "残疾证或鉴定书"
    IDENTITY = "identity", "身份证或户口簿"
    MARRIAGE = "marriage", "结婚证或离婚证"
    APPLICATION = "application", "申请表、审批表"
    CONTRACT = "contract", "签约协议"
    RECEIPT = "receipt", "慰问签收单"
    PHOTO = "photo", "照片"
    OTHER = "other", "其他材料"


HEALTH_DOCUMENTS = (DocumentKind.DEATH, DocumentKind.DISABILITY)


class MedicalCardQuerySet(FamilyScopedQuerySet):
    """Cards, seen by whoever sees the archive."""

    def valid_on(self, day):
        """Issued by `day`, not ended on it, and good on it: the day it expires is its last."""
        return self.filter(
            Q(issued_on__isnull=True) | Q(issued_on__lte=day),
            Q(ended_on__isnull=True) | Q(ended_on__gt=day),
            Q(expires_on__isnull=True) | Q(expires_on__gte=day),
        )


class MedicalCard(models.Model):
    """A 方便就医卡, of one member or, where nobody is named, of the family."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="medical_cards"
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, null=True, blank=True, verbose_name="持卡人", related_name="+"
    )
    number = models.CharField("就医卡号", max_length=40)
    issued_on = models.DateField("发卡日期", null=True, blank=True)  # unknown counts as always
    expires_on = models.DateField("有效期至", null=True, blank=True)
    ended_on = models.DateField("停用日期", null=True, blank=True)
    end_reason = models.CharField("停用原因", max_length=100, blank=True, default="")

    objects = MedicalCardQuerySet.as_manager()

    class Personal:
        personal = ("family", "resident", "number")
        other = ("id", "issued_on", "expires_on", "ended_on", "end_reason")

    class Meta:
        verbose_name = verbose_name_plural = "就医卡"
        ordering = ["family", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["family", "number"],
                name="%(app_label)s_%(class)s_once",
                violation_error_message="这一户已登记过这个卡号。",
            ),
            models.CheckConstraint(
                condition=~Q(number=""), name="%(app_label)s_%(class)s_has_number"
            ),
            models.CheckConstraint(
                condition=Q(issued_on__isnull=True)
                | (
                    (Q(expires_on__isnull=True) | Q(expires_on__gte=F("issued_on")))
                    & (Q(ended_on__isnull=True) | Q(ended_on__gte=F("issued_on")))
                ),
                name="%(app_label)s_%(class)s_dates_ordered",
                violation_error_message="有效期和停用日期不能早于发卡日期。",
            ),
        ]

    def __str__(self):
        return self.number

    def get_absolute_url(self):
        return reverse("households:special-family-detail", args=[self.family_id])


class PriorityService(models.Model):
    """One use of a priority at a hospital."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="priority_services"
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, null=True, blank=True, verbose_name="就医人", related_name="+"
    )
    kind = models.CharField("优先项目", max_length=4, choices=PriorityKind)
    hospital = models.CharField("医院", max_length=100)
    used_on = models.DateField("使用日期")
    note = models.CharField("情况", max_length=200, blank=True, default="")
    recorded_on = models.DateField("登记日期")
    recorded_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, verbose_name="登记人", related_name="+"
    )

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "resident", "kind", "hospital", "note")
        other = ("id", "used_on", "recorded_on", "recorded_by")

    class Meta:
        verbose_name = verbose_name_plural = "六优先使用"
        ordering = ["-used_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=PriorityKind.values), name="%(app_label)s_%(class)s_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(used_on__lte=F("recorded_on")),
                name="%(app_label)s_%(class)s_not_ahead",
                violation_error_message="使用日期不能晚于今天。",
            ),
        ]
        indexes = [models.Index(fields=["used_on"])]  # uses of a period


class HealthCheck(models.Model):
    """A yearly health check (免费健康体检) of one parent. What it found is for the smallest circle."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="health_checks"
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="体检人", related_name="health_checks"
    )
    checked_on = models.DateField("体检日期")
    hospital = models.CharField("体检机构", max_length=100, blank=True, default="")
    result = EncryptedCharField("体检结果", blank=True, default="")
    recorded_on = models.DateField("登记日期")
    recorded_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, verbose_name="登记人", related_name="+"
    )

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "resident", "hospital", "result")
        other = ("id", "checked_on", "recorded_on", "recorded_by")

    class Meta:
        verbose_name = verbose_name_plural = "健康体检"
        ordering = ["-checked_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "checked_on"],
                name="%(app_label)s_%(class)s_once_a_day",
                violation_error_message="此人当天的体检已经登记。",
            ),
            models.CheckConstraint(
                condition=Q(checked_on__lte=F("recorded_on")),
                name="%(app_label)s_%(class)s_not_ahead",
                violation_error_message="体检日期不能晚于今天。",
            ),
        ]


class DoctorContract(models.Model):
    """A contract of a parent with a family doctor (家庭医生签约), in force from signed_on to until."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="doctor_contracts"
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, verbose_name="签约人", related_name="special_doctor_contracts"
    )
    institution = models.CharField("签约机构", max_length=100)
    doctor = models.CharField("家庭医生", max_length=50)
    signed_on = models.DateField("签约日期")
    until = models.DateField("到期日期")
    ended_on = models.DateField("提前终止日期", null=True, blank=True)

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "resident", "doctor")
        other = ("id", "institution", "signed_on", "until", "ended_on")

    class Meta:
        verbose_name = verbose_name_plural = "家庭医生签约"
        ordering = ["-signed_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "signed_on"],
                name="%(app_label)s_%(class)s_one_per_day",
                violation_error_message="此人当天的签约已经登记。",
            ),
            models.CheckConstraint(
                condition=Q(until__gte=F("signed_on"))
                & (Q(ended_on__isnull=True) | Q(ended_on__gte=F("signed_on"))),
                name="%(app_label)s_%(class)s_dates_ordered",
                violation_error_message="到期日期不能早于签约日期。",
            ),
        ]


class NursingInsurance(models.Model):
    """Hospital nursing insurance (住院护理保险) of a family. Unknown days count as always."""

    family = models.ForeignKey(
        SpecialFamily,
        models.PROTECT,
        verbose_name="特殊家庭档案",
        related_name="nursing_insurances",
    )
    insurer = models.CharField("保险公司", max_length=100, blank=True, default="")
    policy_number = models.CharField("保单号", max_length=60, blank=True, default="")
    starts_on = models.DateField("起保日期", null=True, blank=True)
    ends_on = models.DateField("到期日期", null=True, blank=True)

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "policy_number")
        other = ("id", "insurer", "starts_on", "ends_on")

    class Meta:
        verbose_name = verbose_name_plural = "住院护理保险"
        ordering = [F("starts_on").desc(nulls_last=True), "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True)
                | Q(ends_on__isnull=True)
                | Q(ends_on__gte=F("starts_on")),
                name="%(app_label)s_%(class)s_dates_ordered",
                violation_error_message="到期日期不能早于起保日期。",
            ),
        ]

    def __str__(self):
        return self.insurer or self._meta.verbose_name

    def get_absolute_url(self):
        return reverse("households:special-family-detail", args=[self.family_id])


class AidReceived(models.Model):
    """A benefit or aid that the family received and no other room of the product records."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="aids"
    )
    resident = models.ForeignKey(
        Resident, models.PROTECT, null=True, blank=True, verbose_name="受助人", related_name="+"
    )
    name = models.CharField("待遇或救助", max_length=100)
    amount = models.DecimalField(
        "金额（元）", max_digits=12, decimal_places=2, null=True, blank=True
    )
    received_on = models.DateField("享受日期")
    note = models.CharField("说明", max_length=200, blank=True, default="")

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "resident", "name", "amount", "note")
        other = ("id", "received_on")

    class Meta:
        verbose_name = verbose_name_plural = "享受待遇"
        ordering = ["-received_on", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=0),
                name="%(app_label)s_%(class)s_amount_positive",
                violation_error_message="金额要大于0。",
            ),
        ]


class Anniversary(models.Model):
    """A day of the year that the family asked the office to remember."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="anniversaries"
    )
    title = models.CharField("名称", max_length=60)
    month = models.PositiveSmallIntegerField("月")
    day = models.PositiveSmallIntegerField("日")
    note = models.CharField("注意事项", max_length=200, blank=True, default="")

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "title", "month", "day", "note")
        other = ("id",)

    class Meta:
        verbose_name = verbose_name_plural = "纪念日"
        ordering = ["month", "day", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(month__range=(1, 12), day__range=(1, 31)),
                name="%(app_label)s_%(class)s_day_of_the_year",
            ),
        ]


class CareRoundQuerySet(RegionScopedQuerySet):
    """Rounds, seen by the township's keepers of archives; by a contact those that visit own families."""

    region_path = "region__path"

    def visible_to(self, user):
        if getattr(user, "scope_path", "") and user.may(Permission.SPECIAL_LIST):
            return super().visible_to(user)
        visits = self.model._meta.get_field("visits").related_model.objects
        return self.filter(Exists(visits.visible_to(user).filter(round=OuterRef("pk"))))


class CareRound(models.Model):
    """A round of visits for a festival (节日慰问), with a list of families to visit."""

    region = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="乡镇（街道）", related_name="+"
    )
    name = models.CharField("名称", max_length=40)
    starts_on = models.DateField("开始日期")
    due_on = models.DateField("完成期限")
    gift = models.CharField("慰问品", max_length=100, blank=True, default="")
    amount = models.DecimalField(
        "慰问金（元/户）", max_digits=10, decimal_places=2, null=True, blank=True
    )
    made_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="制定人", related_name="+"
    )
    made_at = models.DateTimeField("制定时间", auto_now_add=True)

    objects = CareRoundQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id",
            "region",
            "name",
            "starts_on",
            "due_on",
            "gift",
            "amount",
            "made_by",
            "made_at",
        )

    class Meta:
        verbose_name = verbose_name_plural = "慰问活动"
        ordering = ["-starts_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "name", "starts_on"],
                name="%(app_label)s_%(class)s_once",
                violation_error_message="已有同名、同日开始的慰问活动。",
            ),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("starts_on")),
                name="%(app_label)s_%(class)s_dates_ordered",
                violation_error_message="完成期限不能早于开始日期。",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=0),
                name="%(app_label)s_%(class)s_amount_positive",
                violation_error_message="慰问金要大于0。",
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("households:special-round-detail", args=[self.pk])


class RoundVisitQuerySet(FamilyScopedQuerySet):
    """Families on the lists of rounds, seen by whoever sees the archive."""

    def to_visit(self):
        """Not visited yet and not left out."""
        return self.filter(record__isnull=True, left_out="")

    def visited(self):
        """Ticked off."""
        return self.filter(record__isnull=False)


class RoundVisit(models.Model):
    """One family on the list of a round; ticked off by the contact record of the visit.

    `contact` is who is to go, or went. `linked`: the record was there before, and stays where the
    tick is taken back.
    """

    round = models.ForeignKey(
        CareRound, models.PROTECT, verbose_name="慰问活动", related_name="visits"
    )
    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="round_visits"
    )
    contact = models.ForeignKey(
        FamilyContact,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="慰问人",
        related_name="+",
    )
    record = models.OneToOneField(
        ContactRecord,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="联系记录",
        related_name="round_visit",
    )
    signed_by = models.CharField("签收人", max_length=50, blank=True, default="")
    note = models.CharField("情况", max_length=200, blank=True, default="")
    linked = models.BooleanField("原有联系记录", default=False)
    ticked_on = models.DateField("登记日期", null=True, blank=True)
    left_out = models.CharField("不慰问的原因", max_length=200, blank=True, default="")

    objects = RoundVisitQuerySet.as_manager()

    class Personal:
        personal = ("family", "contact", "record", "signed_by", "note", "left_out")
        other = ("id", "round", "linked", "ticked_on")

    class Meta:
        verbose_name = verbose_name_plural = "慰问名单"
        ordering = ["round", "family"]
        constraints = [
            models.UniqueConstraint(
                fields=["round", "family"], name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    record__isnull=True, ticked_on__isnull=True, linked=False, signed_by="", note=""
                )
                | Q(record__isnull=False, contact__isnull=False, ticked_on__isnull=False),
                name="%(app_label)s_%(class)s_ticked_with_a_record",
            ),
            models.CheckConstraint(
                condition=Q(left_out="") | Q(record__isnull=True),
                name="%(app_label)s_%(class)s_visited_or_left_out",
            ),
        ]


class FamilyDocument(models.Model):
    """A paper or photo of an archive: a sealed file, opened by who may see the archive."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="documents"
    )
    record = models.ForeignKey(
        ContactRecord,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="联系记录",
        related_name="documents",
    )
    kind = models.CharField("材料类别", max_length=12, choices=DocumentKind)
    title = models.CharField("名称", max_length=80)
    file = models.CharField("存放名", max_length=120, editable=False)  # see fpadmin.sealed
    content_type = models.CharField("格式", max_length=60, editable=False)
    size = models.PositiveIntegerField("大小（字节）", editable=False)
    sha256 = models.CharField("校验码", max_length=64, editable=False)
    uploaded_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="上传人", related_name="+"
    )
    uploaded_at = models.DateTimeField("上传时间", auto_now_add=True)
    removed_at = models.DateTimeField("删除时间", null=True, blank=True)
    removed_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="删除人",
        related_name="+",
    )
    remove_reason = models.CharField("删除原因", max_length=200, blank=True, default="")

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "record", "kind", "title", "sha256", "remove_reason")
        other = (
            "id", "file", "content_type", "size", "uploaded_by", "uploaded_at", "removed_at",
            "removed_by",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "档案材料"
        ordering = ["kind", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=DocumentKind.values),
                name="%(app_label)s_%(class)s_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True, removed_by__isnull=True, remove_reason="")
                | (Q(removed_at__isnull=False, removed_by__isnull=False) & ~Q(remove_reason="")),
                name="%(app_label)s_%(class)s_removed_with_a_reason",
            ),
        ]

    def __str__(self):
        return self.title
