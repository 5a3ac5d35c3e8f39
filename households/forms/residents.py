"""What a clerk types about a resident."""

from datetime import date

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field
from django import forms
from django.urls import reverse
from django.utils.html import format_html

from fpadmin.identity import (
    ETHNIC_GROUP_SET,
    ETHNIC_GROUPS,
    PROVINCES,
    InvalidIdNumber,
    half_width,
    parse_id_number,
)
from fpadmin.ui.forms import FlexibleDateField
from households import rules, selectors
from households.forms.base import (
    CLEAR,
    GRADES,
    NOT_IN_FORM,
    RegistryForm,
    choose,
    filled_from_number,
    helper,
    section,
    third,
    whole,
)
from households.models import (
    EventKind,
    Household,
    Hukou,
    Marital,
    Relation,
    Residence,
    Resident,
    Sex,
)
from households.presenters import ethnic_group_word
from households.services import (
    ID_NUMBER_TAKEN,
    REVEALABLE,
    SECOND_HEAD,
    Change,
    NewHousehold,
)

READING = (
    '<div id="id-number-reading" aria-live="polite">'
    '{% include "households/_id_number.html" with reading=form.reading only %}</div>'
)
EXISTING, NEW = "existing", "new"
CHANGED, CORRECTED = "changed", "corrected"
BORN = "出生"
NOT_A_BIRTH = "在这里登记不计入出生，也不写生育史。新生儿"
ENTRY_REASONS = [BORN, "迁入", "流入", "返回", "补登"]
CHANGE_REASONS = ["迁移", "流出", "返回", "婚姻", "分户", "并户", "户口性质变更", "其他"]


def taken_message(holder: selectors.Registered) -> str:
    """Who holds a number: named inside the user's region only."""
    if holder.resident is None:
        return ID_NUMBER_TAKEN
    who = holder.resident
    if who.departed_on:
        return (
            f"这个号码登记的是{who.name}，已于{who.departed_on}离册。"
            "回来的请登记迁入或流入，接着原来的记录，不要新建。"
        )
    return f"这个号码已登记：{who.name}，{who.village.name}{who.household}。"


def read_back(typed: str, *, user, today: date, shown=None) -> dict:
    """What the page shows under an ID number: its four parts, its age, and who holds it already."""
    if not typed:
        return {}
    reading = {"parts": rules.id_number_parts(typed, today, selectors.area_name(typed))}
    try:
        number = parse_id_number(typed, today=today)
    except InvalidIdNumber as error:
        return reading | {"error": f"公民身份号码{error}"}
    holder = selectors.registered_with(user, number.number, except_pk=shown.pk if shown else None)
    return reading | {"number": number, "holder": holder, "day": today}


def clean_place_code(text: str) -> str:
    """Digits of a place's code, six at least, whose first two are a province; blank stays blank."""
    code = half_width(text).replace(" ", "")
    if code and not (code.isascii() and code.isdigit() and len(code) >= 6):
        raise forms.ValidationError(f"户籍地代码应是6位以上数字，现在是“{code}”。")
    if code and code[:2] not in PROVINCES:
        raise forms.ValidationError(f"户籍地代码前两位{code[:2]}不是省级代码，请核对。")
    return code


def _relative(name: str, css: str) -> Div:
    """The number of a relative, with a line below that says who that is."""
    return Div(
        Field(name), HTML(f'<div id="{name}-found" aria-live="polite"></div>'), css_class=css
    )


class ResidentForm(RegistryForm):
    """Register a resident in a known or new household, or edit one."""

    identifiers = (
        "id_number", "spouse_id_number", "father_id_number", "mother_id_number", "phone", "bank_account",
    )  # fmt: skip
    clearable = identifiers[1:]

    name = forms.CharField(label="姓名", max_length=50)
    id_number = forms.CharField(
        label="公民身份号码", max_length=40, required=False, help_text="16岁以下没有号码可以不填"
    )
    birth_date = FlexibleDateField(label="出生日期", help_text="有号码时由号码填入")
    sex = forms.ChoiceField(label="性别", choices=Sex.choices, widget=forms.RadioSelect)
    ethnicity = forms.ChoiceField(
        label="民族",
        choices=choose([(n, ethnic_group_word(n)) for n in ETHNIC_GROUPS]),
        required=False,
    )
    household_choice = forms.ChoiceField(
        label="家庭",
        choices=[(EXISTING, "加入已有家庭"), (NEW, "新立一户")],
        initial=EXISTING,
        widget=forms.RadioSelect,
    )
    village = forms.ModelChoiceField(label="村（社区）", queryset=None, empty_label=NOT_IN_FORM)
    number = forms.CharField(label="户编号", max_length=30)
    group = forms.CharField(
        label="小组", max_length=30, required=False, help_text="新立一户时填，如3组"
    )
    address = forms.CharField(
        label="地址", max_length=200, required=False, help_text="新立一户时填"
    )
    relation = forms.ChoiceField(label="与户主关系", choices=choose(Relation.choices))
    hukou = forms.ChoiceField(label="户口性质", choices=choose(Hukou.choices))
    residence = forms.ChoiceField(label="居住状态", choices=choose(Residence.choices))
    hukou_region_code = forms.CharField(
        label="户籍地代码", max_length=14, required=False, help_text="流入人口要填，至少6位"
    )
    marital = forms.ChoiceField(label="婚姻状况", choices=choose(Marital.choices))
    first_marriage_date = FlexibleDateField(
        label="初婚日期", required=False, help_text="可写20080630或2008年6月30日"
    )
    spouse_id_number = forms.CharField(
        label="配偶公民身份号码",
        max_length=40,
        required=False,
        help_text="丧偶、离婚的填最后一位配偶",
    )
    mother_id_number = forms.CharField(label="母亲公民身份号码", max_length=40, required=False)
    father_id_number = forms.CharField(
        label="父亲公民身份号码", max_length=40, required=False, help_text="父亲不详的不填"
    )
    education = forms.CharField(label="文化程度", max_length=20, required=False)
    employment = forms.CharField(label="就业状况", max_length=20, required=False)
    phone = forms.CharField(label="联系电话", max_length=30, required=False)
    only_child_cert_no = forms.CharField(label="独生子女证号", max_length=40, required=False)
    only_child_cert_date = FlexibleDateField(label="领证日期", required=False)
    disability_grade = forms.ChoiceField(label="残疾等级", choices=GRADES, required=False)
    bank = forms.CharField(label="开户行", max_length=60, required=False)
    bank_account = forms.CharField(label="银行账号", max_length=40, required=False)
    death_date = FlexibleDateField(label="死亡日期", required=False)
    note = forms.CharField(label="备注", max_length=500, required=False)
    change_kind = forms.ChoiceField(
        label="家庭、关系、户口或居住状态改了时",
        choices=[(CHANGED, "发生了变动"), (CORRECTED, "更正原来登记的错误")],
        initial=CHANGED,
        widget=forms.RadioSelect,
    )
    changed_on = FlexibleDateField(label="变动日期", required=False)
    change_reason = forms.ChoiceField(label="原因", required=False)

    def __init__(self, data=None, *, user, today, shown=None, **kwargs):
        super().__init__(
            filled_from_number(data, today), user=user, today=today, shown=shown, **kwargs
        )
        self.fields["village"].queryset = selectors.villages_of(user, today)
        if shown is None:
            del self.fields["change_kind"]
            self.fields["changed_on"].label = "在册起始日期"
            self.fields[
                "changed_on"
            ].help_text = "新生儿请从母亲的页面登记出生；补登的填实际日期；不清楚就留空，按一直在册"
            reasons = ENTRY_REASONS
        else:
            reasons = CHANGE_REASONS
        self._ask_when_left("id_number", "#id-number-reading", "id_number,resident")
        for name in ("spouse_id_number", "mother_id_number", "father_id_number"):
            self._ask_when_left(name, f"#{name}-found", name)
        self.fields["change_reason"].choices = choose([(r, r) for r in reasons], "不填")
        self.helper = self._helper()

    def _ask_when_left(self, name: str, target: str, parameters: str) -> None:
        """Read the number back as soon as the field is left; without scripts, after sending."""
        self.fields[name].widget.attrs |= {
            "autocomplete": "off",
            "hx-post": reverse("households:id-number-check"),
            "hx-trigger": "change",
            "hx-target": target,
            "hx-swap": "innerHTML",
            "hx-params": parameters,
        }

    def _helper(self) -> FormHelper:
        dates = [third("changed_on"), third("change_reason")]
        if self.shown is not None:
            dates.insert(0, third("change_kind"))
        return helper(
            section(
                "身份",
                third("name"),
                Div(
                    Field("id_number"),
                    HTML(READING),
                    css_class="fp-c3",
                ),
                third("birth_date"),
                third("sex"),
                third("ethnicity"),
            ),
            section(
                "家庭与居住",
                *map(
                    third, ("household_choice", "village", "number", "group", "address", "relation")
                ),
                *map(third, ("hukou", "residence", "hukou_region_code")),
                *dates,
            ),
            section(
                "婚姻与父母",
                third("marital"),
                third("first_marriage_date"),
                _relative("spouse_id_number", "fp-c2"),
                _relative("mother_id_number", "fp-c3"),
                _relative("father_id_number", "fp-c3"),
            ),
            section(
                "其他",
                *map(third, ("phone", "education", "employment", "only_child_cert_no")),
                *map(third, ("only_child_cert_date", "disability_grade", "bank", "bank_account")),
                *map(third, ("death_date",)),
                whole("note"),
            ),
        )

    @property
    def reading(self) -> dict:
        """The ID number as typed, read back; the field's own message says what is wrong with it."""
        typed = self.data.get("id_number", "") if self.is_bound else ""
        reading = read_back(typed, user=self.user, today=self.today, shown=self.shown)
        holder = reading.pop("holder", None)
        if holder and holder.resident and holder.resident.departed_on:
            reading["holder"] = holder  # not a dead end: the page leads to 迁入登记
        return {key: reading[key] for key in reading if key != "error"}

    def clean_id_number(self) -> str:
        number = self.clean_number_of("id_number")
        if number:
            holder = selectors.registered_with(
                self.user, number, except_pk=self.shown.pk if self.shown else None
            )
            if holder:
                raise forms.ValidationError(taken_message(holder))
        return number

    def clean_spouse_id_number(self):
        return self.clean_number_of("spouse_id_number")

    def clean_father_id_number(self):
        return self.clean_number_of("father_id_number")

    def clean_mother_id_number(self):
        return self.clean_number_of("mother_id_number")

    def clean_hukou_region_code(self):
        return clean_place_code(self.cleaned_data["hukou_region_code"])

    def clean_ethnicity(self):
        value = self.cleaned_data["ethnicity"]
        return value if value in ETHNIC_GROUP_SET else ""

    def clean(self):
        values = super().clean()
        number = values.get("id_number") or (self.shown.id_number if self.shown else "")
        birth_date, sex = values.get("birth_date"), values.get("sex")
        if number and "id_number" not in self.errors:
            parsed = parse_id_number(number, today=self.today)
            self.note_findings(rules.id_number_findings(parsed, birth_date, sex))
        elif (
            birth_date
            and not number
            and "id_number" not in self.errors
            and rules.id_number_missing(birth_date, values.get("death_date") or self.today)
        ):
            self.add_error("id_number", "满16岁的居民要填公民身份号码。")
        self.note_findings(rules.date_findings(values, self.today))
        if birth_date and sex and values.get("marital"):
            self.note_findings(
                rules.marriage_warnings(
                    sex, birth_date, values["marital"], values.get("first_marriage_date")
                )
            )
        self._clean_place(values)
        self._clean_relatives(values, number)
        self._note_birth(values)
        return values

    def _clean_place(self, values) -> None:
        inflow = values.get("residence") == Residence.INFLOW
        code_given = values.get("hukou_region_code") or "hukou_region_code" in self.errors
        if inflow and not code_given:
            self.add_error("hukou_region_code", "流入人口要填户籍地代码，至少6位。")
        village, number = values.get("village"), values.get("number")
        if not (village and number):
            return
        if values.get("household_choice") == NEW:
            values["household"] = NewHousehold(
                village,
                self._group(village, values.get("group", "")),
                number,
                values.get("address", ""),
            )
        else:
            values["household"] = selectors.household_numbered(self.user, village, number)
            if values["household"] is None:
                self.add_error(
                    "number", f"{village.name}没有户编号{number}。请核对，或选“新立一户”。"
                )
            else:
                values["number"] = values["household"].number  # the page shows whom it means
                self._refuse_second_head(values)
        changed = values.get("changed_on")
        if changed and changed > self.today:
            self.add_error("changed_on", "日期不能晚于今天。")
        born = values.get("birth_date")
        if changed and born and changed < born and "changed_on" not in self.errors:
            self.add_error("changed_on", "日期不能早于出生日期。")
        needs_day = self.shown and values.get("change_kind") == CHANGED and self.moves(values)
        if needs_day and not changed and "changed_on" not in self.errors:
            self.add_error("changed_on", "家庭、关系、户口或居住状态改了，要填变动日期。")

    def _refuse_second_head(self, values) -> None:
        """What the service refuses too; said before the page that shows everything once more."""
        dead = values.get("death_date") or (self.shown and self.shown.departed_on)
        if values.get("relation") != Relation.HEAD or dead:
            return
        head = selectors.head_of(values["household"], except_pk=self.shown and self.shown.pk)
        if head:
            self.add_error("relation", SECOND_HEAD.format(name=head.name))

    def _group(self, village, text):
        if not text:
            return None
        group = selectors.find_group(village, text)
        if group is None:
            self.add_error("group", f"{village.name}没有小组“{text}”，请核对。")
        return group

    def _clean_relatives(self, values, number: str) -> None:
        for name in ("spouse_id_number", "mother_id_number", "father_id_number"):
            typed = values.get(name)
            if not typed or typed == CLEAR:
                continue
            if typed == number:
                self.add_error(name, f"{self.fields[name].label}与本人号码相同，请核对。")
            elif selectors.in_scope(self.user, typed) is None:
                label = self.fields[name].label.removesuffix("公民身份号码")
                self.warnings.append(f"{label}的号码未在您的区划登记，登记后会自动关联。")

    def _note_birth(self, values) -> None:
        """Only the event counts as a birth and writes the birth history: the page leads there."""
        if self.shown is not None or values.get("change_reason") != BORN:
            return
        typed = values.get("mother_id_number") or values.get("father_id_number")
        parent = selectors.in_scope(self.user, typed) if typed else None
        if parent is None or parent.departed_on or parent.death_date:
            self.warnings.append(NOT_A_BIRTH + "请从母亲或父亲的页面登记出生。")
            return
        address = reverse("households:resident-event", args=[parent.pk, EventKind.BIRTH])
        self.warnings.append(
            format_html(
                '{}请到<a class="fp-inline" href="{}">{}的登记出生</a>。',
                NOT_A_BIRTH,
                address,
                parent.name,
            )
        )

    def moves(self, values) -> bool:
        """Whether anything that a spell holds differs from the record shown."""
        household = values.get("household")
        same = isinstance(household, Household) and household.pk == self.shown.household_id
        return not same or any(
            values.get(f, "") != getattr(self.shown, f)
            for f in ("relation", "hukou", "residence", "hukou_region_code")
        )

    def change(self) -> Change:
        corrected = self.cleaned_data.get("change_kind") == CORRECTED
        return Change(
            on=None if corrected else self.cleaned_data.get("changed_on"),
            reason="" if corrected else self.cleaned_data.get("change_reason", ""),
        )

    def values(self) -> dict:
        """Domain values for the services, identifiers as identifier_values() gives them."""
        skipped = {
            *self.identifiers, "household_choice", "village", "number", "group", "address", "household",
            "change_kind", "changed_on", "change_reason",
        }  # fmt: skip
        kept = {k: v for k, v in self.cleaned_data.items() if k not in skipped}
        return kept | self.identifier_values()

    @classmethod
    def initial_of(cls, resident: Resident) -> dict:
        """The form's initial values of a known resident; identifiers stay out."""
        plain = [n for n in cls.base_fields if hasattr(resident, n) and n not in cls.identifiers]
        values = {n: getattr(resident, n) for n in plain}
        return values | {
            "village": resident.village_id,
            "number": resident.household.number,
            "household_choice": EXISTING,
            "change_kind": CHANGED,
        }


class RevealForm(forms.Form):
    """Why somebody needs a number in clear."""

    REASONS = ["核对证件", "联系本人", "办理待遇", "报送上级", "其他"]
    field = forms.ChoiceField(choices=[(f, f) for f in REVEALABLE])
    reason = forms.ChoiceField(label="用途", choices=[(r, r) for r in REASONS])


class PersonSearchForm(forms.Form):
    """The personal conditions of a search; they travel by POST and stay in the session."""

    name = forms.CharField(max_length=50, required=False)
    id_number = forms.CharField(max_length=40, required=False)
    q = forms.CharField(max_length=50, required=False)
