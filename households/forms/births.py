"""What a clerk types about a birth."""

from datetime import date

from django import forms

from fpadmin.identity import parse_id_number
from fpadmin.ui.forms import FlexibleDateField
from households import rules, selectors
from households.forms.base import (
    CLEAR,
    GRADES,
    RegistryForm,
    filled_from_number,
    half,
    helper,
    section,
    third,
)
from households.models import ChildRecord, Origin, Resident, Sex, Survival


class BirthForm(RegistryForm):
    """A line of the birth history of the mother, or of the father where no mother is known."""

    identifiers = ("child_id_number", "father_id_number", "mother_id_number")
    clearable = identifiers

    child_name = forms.CharField(
        label="子女姓名", max_length=50, required=False, help_text="还没取名可以不填"
    )
    child_id_number = forms.CharField(label="子女公民身份号码", max_length=40, required=False)
    birth_date = FlexibleDateField(label="出生日期", help_text="有号码时由号码填入")
    sex = forms.ChoiceField(label="性别", choices=Sex.choices, widget=forms.RadioSelect)
    order = forms.IntegerField(
        label="孩次",
        min_value=1,
        max_value=15,
        help_text="按出生先后；双胞胎各占一个孩次",
    )
    origin = forms.ChoiceField(
        label="生育方式",
        choices=Origin.choices,
        initial=Origin.BORN,
        widget=forms.RadioSelect,
    )
    within_policy = forms.TypedChoiceField(
        label="符合政策",
        choices=[("yes", "是"), ("no", "否")],
        coerce=lambda v: v == "yes",
        widget=forms.RadioSelect,
    )
    father_id_number = forms.CharField(
        label="父亲公民身份号码", max_length=40, required=False, help_text="父亲不详的不填"
    )
    mother_id_number = forms.CharField(
        label="母亲公民身份号码", max_length=40, required=False, help_text="母亲不详的不填"
    )
    hospital = forms.CharField(label="出生医院", max_length=100, required=False)
    birth_certificate_no = forms.CharField(label="出生医学证明编号", max_length=40, required=False)
    survival = forms.ChoiceField(
        label="存活状况",
        choices=Survival.choices,
        initial=Survival.ALIVE,
        widget=forms.RadioSelect,
    )
    death_date = FlexibleDateField(label="子女死亡日期", required=False)
    disability_grade = forms.ChoiceField(label="伤残等级", choices=GRADES, required=False)
    disability_date = FlexibleDateField(label="伤残鉴定日期", required=False)

    def __init__(self, data=None, *, user, today, parent: Resident, shown=None, **kwargs):
        super().__init__(
            filled_from_number(data, today, "child_id_number"),
            user=user,
            today=today,
            shown=shown,
            **kwargs,
        )
        self.parent = parent
        own, other = (
            ("mother_id_number", "father_id_number")
            if parent.sex == Sex.FEMALE
            else ("father_id_number", "mother_id_number")
        )
        del self.fields[own]
        self.identifiers = ("child_id_number", other)
        self.helper = helper(
            section(
                "子女",
                *map(
                    third, ("child_name", "child_id_number", "birth_date", "sex", "order", "origin")
                ),
                third("within_policy"),
                half(other),
            ),
            section("出生", third("hospital"), third("birth_certificate_no")),
            section(
                "现状",
                *map(third, ("survival", "death_date")),
                *map(third, ("disability_grade", "disability_date")),
            ),
        )

    def clean_child_id_number(self):
        return self.clean_number_of("child_id_number")

    def clean_father_id_number(self):
        return self.clean_number_of("father_id_number")

    def clean_mother_id_number(self):
        return self.clean_number_of("mother_id_number")

    def clean(self):
        values = super().clean()
        number = values.get("child_id_number")
        if not number and self.shown:
            number = self.shown.child_id_number
        if number and number != CLEAR and "child_id_number" not in self.errors:
            parsed = parse_id_number(number, today=self.today)
            self.note_findings(
                rules.id_number_findings(parsed, values.get("birth_date"), values.get("sex"))
            )
        self.note_findings(rules.date_findings(values, self.today))
        if values.get("birth_date"):
            self._clean_parents(values, values["birth_date"])
        dead = values.get("survival") == Survival.DEAD
        if dead and not values.get("death_date") and "death_date" not in self.errors:
            self.add_error("death_date", "存活状况为死亡时要填子女死亡日期。")
        if values.get("death_date") and not dead:
            self.add_error("survival", "填了子女死亡日期，存活状况应为死亡。")
        return values

    def _clean_parents(self, values, born: date) -> None:
        mother = father = None
        if self.parent.sex == Sex.FEMALE:
            mother, father = self.parent, self._other(values.get("father_id_number"), Sex.MALE)
        else:
            father, mother = self.parent, self._other(values.get("mother_id_number"), Sex.FEMALE)
        adopted = values.get("origin") == Origin.ADOPTED
        self.note_findings(
            rules.parent_findings(
                born,
                adopted=adopted,
                mother_birth_date=mother.birth_date if mother else None,
                father_birth_date=father.birth_date if father else None,
            )
        )
        if isinstance(mother, Resident) and not adopted:
            self.note_findings(
                rules.birth_warnings(born, mother.marital, mother.first_marriage_date)
            )

    def _other(self, number: str | None, sex: str):
        """The other parent: the resident in scope, else what the number itself says."""
        if not number or number == CLEAR:
            return None
        field = "father_id_number" if sex == Sex.MALE else "mother_id_number"
        parsed = parse_id_number(number, today=self.today)
        if parsed.sex != sex:
            self.add_error(field, f"这个号码的性别是{parsed.sex}，请核对。")
        if number == self.parent.id_number:
            self.add_error(field, "与本页居民的号码相同，请核对。")
        return selectors.in_scope(self.user, number) or parsed

    def values(self) -> dict:
        kept = {k: v for k, v in self.cleaned_data.items() if not k.endswith("_id_number")}
        return kept | self.identifier_values()

    @classmethod
    def initial_of(cls, record: ChildRecord) -> dict:
        plain = [n for n in cls.base_fields if not n.endswith("_id_number")]
        values = {n: getattr(record, n) for n in plain}
        return values | {"within_policy": "yes" if record.within_policy else "no"}
