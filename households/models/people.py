"""Households, residents, and where each has been registered."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.urls import reverse

from fpadmin.crypto import DigestField, EncryptedCharField, digest
from fpadmin.fields import BytewiseCharField
from fpadmin.identity import normalise_id_number
from fpadmin.scoping import RegionScopedQuerySet
from households.models.enums import DisabilityGrade, Hukou, Marital, Relation, Residence, Sex

# What the residents' list filters and sorts by, kept in its indexes.
LISTED = (
    "death_date", "departed_on", "merged_into", "sex", "residence", "hukou", "marital",
    "disability_grade", "only_child_cert_no", "household", "id",
)  # fmt: skip


def living(day, person: str = "") -> Q:
    """Born by `day` and not dead on it: a death date on or before the day is dead.

    `person` is the way to the columns, such as "resident__".
    """
    alive = Q(**{f"{person}death_date__isnull": True}) | Q(**{f"{person}death_date__gt": day})
    return alive & Q(**{f"{person}birth_date__lte": day})


def registered(day, person: str = "") -> Q:
    """living(), and on our books: not departed by `day`.

    Good for today. Who was on the books on a past day only the spells can say.
    """
    here = Q(**{f"{person}departed_on__isnull": True}) | Q(**{f"{person}departed_on__gt": day})
    return living(day, person) & here


class HouseholdQuerySet(RegionScopedQuerySet):
    """Households, seen by whoever sees their village."""

    region_path = "village__path"

    def for_list(self, day):
        """With village, group, the living head's name and the number of living members on `day`."""
        head = Resident.objects.registered_on(day).filter(
            household=models.OuterRef("pk"), relation=Relation.HEAD
        )
        members = Resident.objects.registered_on(day).filter(household=models.OuterRef("pk"))
        counted = members.order_by().values("household").annotate(number=models.Count("pk"))
        # Subqueries, which only the rows of the page pay for; a join would count everybody first.
        return self.select_related("village", "group").annotate(
            head_name=models.Subquery(head.order_by("pk").values("name")[:1]),
            member_count=Coalesce(models.Subquery(counted.values("number")), 0),
        )


class Household(models.Model):
    """A registered household (户): a number within a village."""

    village = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="村（社区）", related_name="households"
    )
    group = models.ForeignKey(
        "accounts.Region",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="小组",
        related_name="+",
    )
    number = BytewiseCharField("户编号", max_length=30)
    address = models.CharField("地址", max_length=200, blank=True, default="")
    row_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = HouseholdQuerySet.as_manager()

    class Personal:
        personal = ("address",)
        other = ("id", "village", "group", "number", "row_version", "created_at")

    class Meta:
        verbose_name = verbose_name_plural = "家庭"
        ordering = ["village__path", "number"]
        indexes = [
            models.Index(fields=["number"]),  # a county's households by number, and its filter
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["village", "number"],
                name="%(app_label)s_%(class)s_number_unique_in_village",
                violation_error_message="本村已有这个户编号。",
            ),
            models.CheckConstraint(
                condition=~Q(number=""), name="%(app_label)s_%(class)s_has_number"
            ),
        ]

    def __str__(self):
        return f"{self.number}户"

    def get_absolute_url(self):
        return reverse("households:household-detail", args=[self.pk])


class LowIncomeSpell(models.Model):
    """A time during which the household drew 低保. Half-open: in force from start, no longer on end."""

    household = models.ForeignKey(Household, models.CASCADE, related_name="low_income_spells")
    started_on = models.DateField("起", null=True, blank=True)  # unknown counts as always
    ended_on = models.DateField("止", null=True, blank=True)

    class Personal:
        personal = ()
        other = ("id", "household", "started_on", "ended_on")

    class Meta:
        verbose_name = verbose_name_plural = "低保"
        constraints = [
            models.UniqueConstraint(
                fields=["household"],
                condition=Q(ended_on__isnull=True),
                name="%(app_label)s_%(class)s_one_open",
            ),
            models.CheckConstraint(
                condition=Q(started_on__isnull=True)
                | Q(ended_on__isnull=True)
                | Q(ended_on__gt=F("started_on")),
                name="%(app_label)s_%(class)s_dates_ordered",
            ),
        ]


class ResidentQuerySet(RegionScopedQuerySet):
    """Residents, seen by whoever sees the village they live in now."""

    region_path = "village__path"

    def living_on(self, day):
        """Alive on `day`; see living()."""
        return self.filter(living(day))

    def registered_on(self, day):
        """Alive and on our books today; see registered()."""
        return self.filter(registered(day))

    def with_id_number(self, number: str):
        """The person of a whole ID number, 15 or 18 characters, however it is typed."""
        return self.filter(id_number_digest=digest(normalise_id_number(number)))

    def for_list(self):
        """With household, group and village."""
        return self.select_related("household", "household__group", "village")


class Resident(models.Model):
    """A person and the current state. Past states stand in Residency, written by the same service."""

    name = BytewiseCharField("姓名", max_length=50)
    name_initials = BytewiseCharField(
        "拼音首字母", max_length=50, blank=True, default="", editable=False
    )
    id_number = EncryptedCharField("公民身份号码", blank=True, default="")
    # Null, not blank, where there is no number yet, so that it can be unique.
    id_number_digest = DigestField(null=True, unique=True)
    sex = models.CharField("性别", max_length=1, choices=Sex)
    birth_date = models.DateField("出生日期")
    death_date = models.DateField("死亡日期", null=True, blank=True)
    ethnicity = models.CharField("民族", max_length=20, blank=True, default="")
    household = models.ForeignKey(
        Household, models.PROTECT, verbose_name="家庭", related_name="members"
    )
    village = models.ForeignKey(
        "accounts.Region", models.PROTECT, verbose_name="村（社区）", related_name="residents"
    )
    relation = models.CharField("与户主关系", max_length=4, choices=Relation)
    hukou = models.CharField("户口性质", max_length=3, choices=Hukou)
    residence = models.CharField("居住状态", max_length=2, choices=Residence)
    hukou_region_code = models.CharField("户籍地代码", max_length=14, blank=True, default="")
    marital = models.CharField("婚姻状况", max_length=2, choices=Marital)
    first_marriage_date = models.DateField("初婚日期", null=True, blank=True)
    # The last spouse and the parents, living or dead. The number is kept whether or not the
    # person is registered here; the link follows as soon as one is.
    spouse = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, verbose_name="配偶", related_name="+"
    )
    spouse_id_number = EncryptedCharField("配偶公民身份号码", blank=True, default="")
    spouse_id_number_digest = DigestField(default="")
    father = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name="父亲",
        related_name="children_fathered",
    )
    father_id_number = EncryptedCharField("父亲公民身份号码", blank=True, default="")
    father_id_number_digest = DigestField(default="")
    mother = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name="母亲",
        related_name="children_borne",
    )
    mother_id_number = EncryptedCharField("母亲公民身份号码", blank=True, default="")
    mother_id_number_digest = DigestField(default="")
    education = models.CharField("文化程度", max_length=20, blank=True, default="")
    employment = models.CharField("就业状况", max_length=20, blank=True, default="")
    phone = EncryptedCharField("联系电话", blank=True, default="")
    phone_digest = DigestField(default="")
    only_child_cert_no = models.CharField("独生子女证号", max_length=40, blank=True, default="")
    only_child_cert_date = models.DateField("领证日期", null=True, blank=True)
    disability_grade = models.CharField(
        "残疾等级", max_length=2, choices=DisabilityGrade, blank=True, default=""
    )
    bank = models.CharField("开户行", max_length=60, blank=True, default="")
    bank_account = EncryptedCharField("银行账号", blank=True, default="")
    bank_account_digest = DigestField(default="")
    note = models.CharField("备注", max_length=500, blank=True, default="")
    # From this day no longer on our books: moved away, struck off, or merged into another record.
    # Household, village and the rest then say where the last spell was.
    departed_on = models.DateField("离册日期", null=True, blank=True)
    merged_into = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="并入的居民",
        related_name="merged_records",
    )
    # Rises with every edit; a form that was opened on an older one shows both versions.
    row_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)
    updated_at = models.DateTimeField("更新时间", auto_now=True)

    objects = ResidentQuerySet.as_manager()

    class Personal:
        personal = (
            "name", "name_initials", "id_number", "id_number_digest", "sex", "birth_date", "death_date",
            "ethnicity", "marital", "first_marriage_date", "spouse", "spouse_id_number",
            "spouse_id_number_digest", "father", "father_id_number", "father_id_number_digest",
            "mother", "mother_id_number", "mother_id_number_digest", "education", "employment", "phone",
            "phone_digest", "only_child_cert_no", "only_child_cert_date", "disability_grade", "bank",
            "bank_account", "bank_account_digest", "note",
        )  # fmt: skip
        other = (
            "id", "household", "village", "relation", "hukou", "residence", "hukou_region_code",
            "departed_on", "merged_into", "row_version", "created_at", "updated_at",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "居民"
        # Their household stands in the same village, so this is its order too.
        ordering = ["village__path", "household__number", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(death_date__isnull=True) | Q(death_date__gte=F("birth_date")),
                name="%(app_label)s_%(class)s_death_after_birth",
                violation_error_message="死亡日期不能早于出生日期。",
            ),
            models.CheckConstraint(
                condition=Q(sex__in=Sex.values), name="%(app_label)s_%(class)s_sex_known"
            ),
            models.CheckConstraint(
                condition=Q(relation__in=Relation.values),
                name="%(app_label)s_%(class)s_relation_known",
            ),
            models.CheckConstraint(
                condition=Q(hukou__in=Hukou.values), name="%(app_label)s_%(class)s_hukou_known"
            ),
            models.CheckConstraint(
                condition=Q(residence__in=Residence.values),
                name="%(app_label)s_%(class)s_residence_known",
            ),
            models.CheckConstraint(
                condition=Q(marital__in=Marital.values),
                name="%(app_label)s_%(class)s_marital_known",
            ),
            models.CheckConstraint(
                condition=Q(disability_grade__in=["", *DisabilityGrade.values]),
                name="%(app_label)s_%(class)s_disability_grade_known",
            ),
            models.UniqueConstraint(
                fields=["household"],
                condition=Q(
                    relation=Relation.HEAD, death_date__isnull=True, departed_on__isnull=True
                ),
                name="%(app_label)s_%(class)s_one_living_head",
                violation_error_message="本户已有户主，每户只能有一位。",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="%(app_label)s_%(class)s_has_name"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True)
                | (Q(departed_on__isnull=False) & ~Q(merged_into=F("pk"))),
                name="%(app_label)s_%(class)s_merged_has_departed",
            ),
            models.CheckConstraint(
                condition=Q(spouse__isnull=True) | ~Q(spouse=F("pk")),
                name="%(app_label)s_%(class)s_not_own_spouse",
            ),
        ]
        indexes = [
            models.Index(
                fields=["village", "birth_date"], include=LISTED, name="resident_list"
            ),  # pages and counts of the list under any filter, without touching the table
            # The same for values that few have: of a million, only they are looked at.
            models.Index(
                fields=["village", "birth_date"],
                include=LISTED,
                condition=Q(
                    marital__in=[
                        Marital.REMARRIED,
                        Marital.RESUMED,
                        Marital.WIDOWED,
                        Marital.DIVORCED,
                    ]
                ),
                name="resident_list_marital",
            ),
            models.Index(
                fields=["village", "birth_date"],
                include=LISTED,
                condition=Q(residence__in=[Residence.INFLOW, Residence.OUTFLOW]),
                name="resident_list_residence",
            ),
            models.Index(
                fields=["village", "birth_date"],
                include=LISTED,
                condition=~Q(only_child_cert_no=""),
                name="resident_list_certificate",
            ),
            models.Index(
                fields=["village", "birth_date"],
                include=LISTED,
                condition=~Q(disability_grade=""),
                name="resident_list_disability",
            ),
            models.Index(fields=["name", "id"]),  # whoever has exactly the name of an imported row
            models.Index(fields=["name_initials", "name", "id"]),  # the list by name, and initials
            models.Index(fields=["birth_date"]),  # the list by age, age filters
            models.Index(fields=["created_at"]),  # the list by time of registration
            models.Index(
                fields=["death_date"], condition=Q(death_date__isnull=False), name="resident_deaths"
            ),  # deaths of a period
            models.Index(
                fields=["spouse_id_number_digest"],
                condition=Q(spouse__isnull=True) & ~Q(spouse_id_number_digest=""),
                name="resident_open_spouse",
            ),  # links that wait for the person to be registered
            models.Index(
                fields=["father_id_number_digest"],
                condition=Q(father__isnull=True) & ~Q(father_id_number_digest=""),
                name="resident_open_father",
            ),
            models.Index(
                fields=["mother_id_number_digest"],
                condition=Q(mother__isnull=True) & ~Q(mother_id_number_digest=""),
                name="resident_open_mother",
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("households:resident-detail", args=[self.pk])

    def is_living_on(self, day) -> bool:
        """living() of this one person."""
        return self.birth_date <= day and (self.death_date is None or self.death_date > day)

    def is_registered_on(self, day) -> bool:
        """registered() of this one person."""
        return self.is_living_on(day) and (self.departed_on is None or self.departed_on > day)


class ResidencyQuerySet(RegionScopedQuerySet):
    """Spells, seen by whoever sees the village they were in."""

    region_path = "village__path"

    def in_force_on(self, day):
        """Spells that hold on `day`; an unknown start counts as always."""
        return self.filter(
            Q(started_on__isnull=True) | Q(started_on__lte=day),
            Q(ended_on__isnull=True) | Q(ended_on__gt=day),
        )

    def living_on(self, day):
        """In force on `day`, of somebody living that day: who is counted as population."""
        return self.in_force_on(day).filter(living(day, "resident__"))


class Residency(models.Model):
    """A spell of one person in one household with one status: the only answer to "as at a past date".

    Half-open: in force from started_on (unknown counts as always) and no longer on ended_on. A
    death doesn't close a spell; the death date alone says who is living.
    """

    resident = models.ForeignKey(Resident, models.CASCADE, related_name="residencies")
    household = models.ForeignKey(Household, models.PROTECT, related_name="residencies")
    village = models.ForeignKey("accounts.Region", models.PROTECT, related_name="+")
    relation = models.CharField("与户主关系", max_length=4, choices=Relation)
    residence = models.CharField("居住状态", max_length=2, choices=Residence)
    hukou = models.CharField("户口性质", max_length=3, choices=Hukou)
    hukou_region_code = models.CharField("户籍地代码", max_length=14, blank=True, default="")
    started_on = models.DateField("起", null=True, blank=True)
    ended_on = models.DateField("止", null=True, blank=True)
    reason = models.CharField("原因", max_length=20, blank=True, default="")
    # The life events that began and ended it; imports and corrections leave them empty.
    opened_by = models.ForeignKey(
        "households.LifeEvent",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="opened_spells",
    )
    closed_by = models.ForeignKey(
        "households.LifeEvent",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="closed_spells",
    )

    objects = ResidencyQuerySet.as_manager()

    class Personal:
        personal = ()
        other = (
            "id", "resident", "household", "village", "relation", "residence", "hukou",
            "hukou_region_code", "started_on", "ended_on", "reason", "opened_by", "closed_by",
        )  # fmt: skip

    class Meta:
        verbose_name = verbose_name_plural = "在册经历"
        ordering = ["resident", F("started_on").asc(nulls_first=True)]
        constraints = [
            models.UniqueConstraint(
                fields=["resident"],
                condition=Q(ended_on__isnull=True),
                name="%(app_label)s_%(class)s_one_open",
            ),
            models.UniqueConstraint(
                fields=["resident"],
                condition=Q(started_on__isnull=True),
                name="%(app_label)s_%(class)s_one_unknown_start",
            ),
            models.UniqueConstraint(
                fields=["resident", "started_on"], name="%(app_label)s_%(class)s_one_per_start"
            ),
            models.CheckConstraint(
                condition=Q(started_on__isnull=True)
                | Q(ended_on__isnull=True)
                | Q(ended_on__gt=F("started_on")),
                name="%(app_label)s_%(class)s_dates_ordered",
            ),
            models.CheckConstraint(
                condition=Q(relation__in=Relation.values),
                name="%(app_label)s_%(class)s_relation_known",
            ),
            models.CheckConstraint(
                condition=Q(residence__in=Residence.values),
                name="%(app_label)s_%(class)s_residence_known",
            ),
            models.CheckConstraint(
                condition=Q(hukou__in=Hukou.values), name="%(app_label)s_%(class)s_hukou_known"
            ),
        ]
        indexes = [models.Index(fields=["village", "started_on"])]  # a village as of a day

    def __str__(self):
        return self.resident.name
