"""Birth histories: the children a woman, or a single father, has borne or adopted."""

from django.db import models
from django.db.models import F, Q

from fpadmin.crypto import DigestField, EncryptedCharField
from fpadmin.scoping import RegionScopedQuerySet, below
from households.models.enums import DisabilityGrade, Origin, Sex, Survival
from households.models.people import Resident, living


class ChildRecordQuerySet(RegionScopedQuerySet):
    """A birth history is seen by whoever sees its mother, or its father where no mother is here."""

    def visible_to(self, user):
        path = getattr(user, "scope_path", "")
        if not path:
            return self.none()
        return self.filter(
            below(path, "mother__village__path")
            | (Q(mother__isnull=True) & below(path, "father__village__path"))
        )

    def living_on(self, day):
        """Children alive on `day`; see living()."""
        return self.filter(living(day))


class ChildRecord(models.Model):
    """A line of a woman's birth history, or of a single father's: a child borne or adopted."""

    mother = models.ForeignKey(
        Resident, models.PROTECT, null=True, blank=True, verbose_name="母亲", related_name="births"
    )
    mother_id_number = EncryptedCharField("母亲公民身份号码", blank=True, default="")
    mother_id_number_digest = DigestField(default="")
    father = models.ForeignKey(
        Resident,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="父亲",
        related_name="fathered",
    )
    father_id_number = EncryptedCharField("父亲公民身份号码", blank=True, default="")
    father_id_number_digest = DigestField(default="")
    child = models.ForeignKey(
        Resident,
        models.SET_NULL,
        null=True,
        blank=True,
        verbose_name="子女",
        related_name="birth_records",
    )
    child_name = models.CharField("子女姓名", max_length=50, blank=True, default="")
    child_id_number = EncryptedCharField("子女公民身份号码", blank=True, default="")
    child_id_number_digest = DigestField(default="")
    sex = models.CharField("性别", max_length=1, choices=Sex)
    birth_date = models.DateField("出生日期")
    order = models.PositiveSmallIntegerField("孩次")
    origin = models.CharField("生育方式", max_length=2, choices=Origin, default=Origin.BORN)
    within_policy = models.BooleanField("符合政策")
    hospital = models.CharField("出生医院", max_length=100, blank=True, default="")
    birth_certificate_no = models.CharField(
        "出生医学证明编号", max_length=40, blank=True, default=""
    )
    survival = models.CharField("存活状况", max_length=2, choices=Survival, default=Survival.ALIVE)
    death_date = models.DateField("子女死亡日期", null=True, blank=True)
    disability_grade = models.CharField(
        "伤残等级", max_length=2, choices=DisabilityGrade, blank=True, default=""
    )
    disability_date = models.DateField("伤残鉴定日期", null=True, blank=True)
    row_version = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField("登记时间", auto_now_add=True)

    objects = ChildRecordQuerySet.as_manager()

    class Personal:
        personal = (
            "mother", "mother_id_number", "mother_id_number_digest", "father", "father_id_number",
            "father_id_number_digest", "child", "child_name", "child_id_number",
            "child_id_number_digest", "sex", "birth_date", "order", "origin", "within_policy", "hospital",
            "birth_certificate_no", "survival", "death_date", "disability_grade", "disability_date",
        )  # fmt: skip
        other = ("id", "row_version", "created_at")

    class Meta:
        verbose_name = verbose_name_plural = "生育史"
        ordering = ["mother", "father", "order"]
        constraints = [
            # The digest names the mother whether or not she is registered here.
            models.UniqueConstraint(
                fields=["mother_id_number_digest", "order"],
                condition=~Q(mother_id_number_digest=""),
                name="%(app_label)s_%(class)s_one_per_mother_and_order",
                violation_error_message="这位母亲已有同一孩次的记录。",
            ),
            models.UniqueConstraint(
                fields=["mother", "order"],
                condition=Q(mother__isnull=False),
                name="%(app_label)s_%(class)s_one_per_registered_mother_and_order",
                violation_error_message="这位母亲已有同一孩次的记录。",
            ),
            models.UniqueConstraint(
                fields=["father_id_number_digest", "order"],
                condition=Q(mother_id_number_digest="", mother__isnull=True)
                & ~Q(father_id_number_digest=""),
                name="%(app_label)s_%(class)s_one_per_single_father_and_order",
                violation_error_message="这位父亲已有同一孩次的记录。",
            ),
            models.CheckConstraint(
                condition=Q(mother__isnull=False) | Q(father__isnull=False),
                name="%(app_label)s_%(class)s_has_parent_here",
                violation_error_message="父母至少一方要在本系统登记。",
            ),
            models.CheckConstraint(
                condition=Q(order__gte=1, order__lte=15),
                name="%(app_label)s_%(class)s_order_1_to_15",
                violation_error_message="孩次应在1到15之间。",
            ),
            models.CheckConstraint(
                condition=Q(survival=Survival.ALIVE, death_date__isnull=True)
                | Q(survival=Survival.DEAD, death_date__isnull=False),
                name="%(app_label)s_%(class)s_dead_means_date",
                violation_error_message="存活状况为死亡时填写子女死亡日期，存活时不填。",
            ),
            models.CheckConstraint(
                condition=Q(death_date__isnull=True) | Q(death_date__gte=F("birth_date")),
                name="%(app_label)s_%(class)s_death_after_birth",
                violation_error_message="子女死亡日期不能早于出生日期。",
            ),
            models.CheckConstraint(
                condition=Q(sex__in=Sex.values), name="%(app_label)s_%(class)s_sex_known"
            ),
            models.CheckConstraint(
                condition=Q(origin__in=Origin.values), name="%(app_label)s_%(class)s_origin_known"
            ),
            models.CheckConstraint(
                condition=Q(survival__in=Survival.values),
                name="%(app_label)s_%(class)s_survival_known",
            ),
            models.CheckConstraint(
                condition=Q(disability_grade__in=["", *DisabilityGrade.values]),
                name="%(app_label)s_%(class)s_disability_grade_known",
            ),
        ]
        indexes = [
            models.Index(fields=["birth_date"]),  # births of a period
            models.Index(
                fields=["mother", "father"],
                condition=Q(death_date__isnull=False) | ~Q(disability_grade=""),
                name="childrecord_special",
            ),  # parents whose family may be a special one
            models.Index(
                fields=["child_id_number_digest"],
                condition=Q(child__isnull=True) & ~Q(child_id_number_digest=""),
                name="childrecord_open_child",
            ),  # links that wait for the child to be registered
        ]

    def __str__(self):
        return self.child_name or "未取名"
