"""Contacts of special families: who they are, their terms, what they recorded, and what follows."""

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from fpadmin.crypto import DigestField, EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet
from households.models.special_families import (
    ContactKind,
    FamilyScopedQuerySet,
    SpecialFamily,
    in_term,
)


class Channel(models.TextChoices):
    """How a family was reached."""

    HOME = "入户", "入户"
    PHONE = "电话", "电话"
    WECHAT = "微信", "微信"
    OTHER = "其他", "其他"


class Purpose(models.TextChoices):
    """What a contact was for."""

    ROUTINE = "日常联系", "日常联系"
    FESTIVAL = "节日慰问", "节日慰问"
    ILLNESS = "生病探望", "生病探望"
    EMERGENCY = "紧急帮扶", "紧急帮扶"


VISITS = (Purpose.FESTIVAL, Purpose.ILLNESS, Purpose.EMERGENCY)  # what counts as 走访慰问


class NeedKind(models.TextChoices):
    """What a family asked for."""

    MEDICAL = "就医", "就医"
    NURSING = "护理", "护理"
    ELDERLY = "养老", "养老"
    HOUSING = "住房", "住房"
    COMFORT = "精神慰藉", "精神慰藉"
    MONEY = "经济", "经济"
    OTHER = "其他", "其他"


class ContactPersonQuerySet(RegionScopedQuerySet):
    """People who contact families, seen by whoever sees their region."""

    region_path = "region__path"


class ContactPerson(models.Model):
    """Somebody who contacts families: a leader, a village cadre, a doctor; with an account or without.

    The account alone opens the archives of the families whose contact this person is.
    """

    region = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="乡镇（街道）", related_name="+"
    )
    name = models.CharField("姓名", max_length=50)
    post = models.CharField("单位职务", max_length=60, blank=True, default="")
    phone = EncryptedCharField("联系电话", blank=True, default="")
    phone_digest = DigestField(default="")
    kind = models.CharField("类别", max_length=4, choices=ContactKind)
    user = models.ForeignKey(
        "accounts.User",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name="账号",
        related_name="+",
    )
    left_on = models.DateField("离岗日期", null=True, blank=True)
    row_version = models.PositiveIntegerField(default=0)

    objects = ContactPersonQuerySet.as_manager()

    class Personal:
        personal = ("name", "phone", "phone_digest")
        other = ("id", "region", "post", "kind", "user", "left_on", "row_version")

    class Meta:
        verbose_name = verbose_name_plural = "联系人"
        ordering = ["region__path", "name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["region", "name", "phone_digest"],
                name="%(app_label)s_%(class)s_once",
                violation_error_message="已有同名、同电话的联系人。",
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(user__isnull=False),
                name="%(app_label)s_%(class)s_one_per_account",
                violation_error_message="这个账号已经是另一位联系人的账号。",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ContactKind.values), name="%(app_label)s_%(class)s_kind_known"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="%(app_label)s_%(class)s_has_name"),
        ]

    def __str__(self):
        return self.name


class FamilyContactQuerySet(FamilyScopedQuerySet):
    """Terms of contacts, seen by whoever sees the archive."""

    def in_term_on(self, day):
        """Contacts of `day` for counting: on the day of a hand-over the new one."""
        return self.filter(in_term(day))

    def who_may_record_on(self, day):
        """Contacts who may have met the family on `day`: on the day of a hand-over both."""
        return self.filter(Q(ended_on__isnull=True) | Q(ended_on__gte=day), started_on__lte=day)


class FamilyContact(models.Model):
    """A person's term as a family's contact. Current is who has no ended_on: terms never end ahead."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="contacts"
    )
    person = models.ForeignKey(
        ContactPerson, models.PROTECT, verbose_name="联系人", related_name="terms"
    )
    started_on = models.DateField("起")
    ended_on = models.DateField("止", null=True, blank=True)
    end_reason = models.CharField("结束原因", max_length=100, blank=True, default="")
    follows = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, verbose_name="接替", related_name="successor"
    )

    objects = FamilyContactQuerySet.as_manager()

    class Personal:
        personal = ("family", "person")
        other = ("id", "started_on", "ended_on", "end_reason", "follows")

    class Meta:
        verbose_name = verbose_name_plural = "特殊家庭联系人"
        ordering = ["family", "started_on", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["family", "person"],
                condition=Q(ended_on__isnull=True),
                name="%(app_label)s_%(class)s_one_current",
                violation_error_message="此人已经是这一户的联系人。",
            ),
            models.UniqueConstraint(
                fields=["family", "person", "started_on"],
                name="%(app_label)s_%(class)s_one_per_start",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=F("started_on")),
                name="%(app_label)s_%(class)s_dates_ordered",
            ),
        ]

    def __str__(self):
        return f"{self.person.name}（{self.term}）"

    def get_absolute_url(self):
        return reverse("households:special-family-detail", args=[self.family_id])

    @property
    def term(self) -> str:
        """The term in words."""
        return f"{self.started_on}至{self.ended_on or '今'}"


class ContactRecordQuerySet(FamilyScopedQuerySet):
    """The log, seen by whoever sees the archive."""

    family_path = "contact__family"

    def counted(self):
        """Without those taken back."""
        return self.filter(voided_at__isnull=True)


class ContactRecord(models.Model):
    """One contact with a family (联系记录). Within the contact's term: a trigger holds it."""

    contact = models.ForeignKey(
        FamilyContact, models.PROTECT, verbose_name="联系人", related_name="records"
    )
    happened_on = models.DateField("联系日期")
    channel = models.CharField("联系方式", max_length=2, choices=Channel)
    purpose = models.CharField("类别", max_length=4, choices=Purpose, default=Purpose.ROUTINE)
    request = models.CharField("诉求", max_length=500, blank=True, default="")
    outcome = models.CharField("办理情况", max_length=500, blank=True, default="")
    recorded_on = models.DateField("登记日期")  # by the calendar of the office
    recorded_by = models.ForeignKey(
        "accounts.User", models.PROTECT, null=True, verbose_name="登记人", related_name="+"
    )
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    row_version = models.PositiveIntegerField(default=0)
    voided_at = models.DateTimeField("作废时间", null=True, blank=True)
    voided_by = models.ForeignKey(
        "accounts.User",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="作废人",
        related_name="+",
    )
    void_reason = models.CharField("作废原因", max_length=200, blank=True, default="")

    objects = ContactRecordQuerySet.as_manager()

    class Personal:
        personal = ("contact", "request", "outcome", "void_reason")
        other = (
            "id", "happened_on", "channel", "purpose", "recorded_on", "recorded_by", "created_at",
            "row_version", "voided_at", "voided_by",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "联系记录"
        ordering = ["-happened_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["contact", "happened_on"],
                condition=Q(voided_at__isnull=True),
                name="%(app_label)s_%(class)s_once_a_day",
                violation_error_message="这位联系人当天已有一条联系记录，请改那一条。",
            ),
            models.CheckConstraint(
                condition=Q(happened_on__lte=F("recorded_on")),
                name="%(app_label)s_%(class)s_not_ahead",
                violation_error_message="联系日期不能晚于今天。",
            ),
            models.CheckConstraint(
                condition=Q(channel__in=Channel.values),
                name="%(app_label)s_%(class)s_channel_known",
            ),
            models.CheckConstraint(
                condition=Q(purpose__in=Purpose.values),
                name="%(app_label)s_%(class)s_purpose_known",
            ),
            models.CheckConstraint(
                condition=Q(voided_at__isnull=True, voided_by__isnull=True, void_reason="")
                | (Q(voided_at__isnull=False, voided_by__isnull=False) & ~Q(void_reason="")),
                name="%(app_label)s_%(class)s_voided_with_a_reason",
            ),
        ]
        indexes = [models.Index(fields=["happened_on"])]  # contacts of a period

    def __str__(self):
        return f"{self.happened_on} {self.channel}"


class FollowUp(models.Model):
    """A need that somebody sees to until it is closed (需求跟办)."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="follow_ups"
    )
    record = models.ForeignKey(
        ContactRecord,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="联系记录",
        related_name="follow_ups",
    )
    kind = models.CharField("需求类别", max_length=4, choices=NeedKind)
    need = models.CharField("需求", max_length=500)
    owner = models.ForeignKey(
        ContactPerson, models.PROTECT, verbose_name="负责人", related_name="follow_ups"
    )
    opened_on = models.DateField("提出日期")
    due_on = models.DateField("办结期限")
    closed_on = models.DateField("办结日期", null=True, blank=True)
    outcome = models.CharField("办理结果", max_length=500, blank=True, default="")
    row_version = models.PositiveIntegerField(default=0)

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "record", "kind", "need", "outcome")
        other = ("id", "owner", "opened_on", "due_on", "closed_on", "row_version")

    class Meta:
        verbose_name = verbose_name_plural = "需求跟办"
        ordering = [F("closed_on").asc(nulls_first=True), "due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=NeedKind.values), name="%(app_label)s_%(class)s_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("opened_on")),
                name="%(app_label)s_%(class)s_due_after_opening",
                violation_error_message="办结期限不能早于提出日期。",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True, outcome="")
                | (Q(closed_on__gte=F("opened_on")) & ~Q(outcome="")),
                name="%(app_label)s_%(class)s_closed_with_an_outcome",
                violation_error_message="办结要写明办理结果，办结日期不能早于提出日期。",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_on"], condition=Q(closed_on__isnull=True), name="followup_open"
            ),  # what is due
        ]

    def __str__(self):
        return self.need


class MissedMonth(models.Model):
    """Why a family was not contacted in a month that is over. The month stays missed."""

    family = models.ForeignKey(
        SpecialFamily, models.PROTECT, verbose_name="特殊家庭档案", related_name="missed_months"
    )
    month = models.DateField("月份")  # its first day
    reason = models.CharField("未联系的原因", max_length=200)
    noted_by = models.ForeignKey(
        "accounts.User", models.PROTECT, verbose_name="说明人", related_name="+"
    )
    noted_at = models.DateTimeField("说明时间", auto_now_add=True)

    objects = FamilyScopedQuerySet.as_manager()

    class Personal:
        personal = ("family", "reason")
        other = ("id", "month", "noted_by", "noted_at")

    class Meta:
        verbose_name = verbose_name_plural = "漏联系说明"
        constraints = [
            models.UniqueConstraint(
                fields=["family", "month"], name="%(app_label)s_%(class)s_once"
            ),
            models.CheckConstraint(
                condition=~Q(reason=""), name="%(app_label)s_%(class)s_has_reason"
            ),
        ]
