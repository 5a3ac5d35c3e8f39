"""Forms by which somebody comes onto the books: 迁入 and 流入, new to the system or known from before."""

from crispy_forms.layout import HTML, Div, Field
from django import forms

from fpadmin.identity import ETHNIC_GROUPS, InvalidIdNumber, parse_id_number
from fpadmin.ui.forms import FlexibleDateField
from households import rules, selectors
from households.forms.base import (
    NOT_IN_FORM,
    choose,
    filled_from_number,
    helper,
    section,
    third,
)
from households.forms.events.base import EventForm, ask_when_left, day_and_note
from households.forms.residents import EXISTING, NEW, clean_place_code, read_back, taken_message
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
from households.services import ID_NUMBER_TAKEN, NewHousehold

READING = (
    '<div id="id-number-reading" aria-live="polite">'
    '{% include "households/_id_number.html" with reading=form.reading only %}</div>'
)
OF_PERSON = ("birth_date", "sex", "marital")


class ArrivalForm(EventForm):
    """Base of 迁入 and 流入: who comes (`resident` if known and departed), and into which household.

    A number that belongs to somebody who left is that person again: a new spell, not a new record.
    """

    aliases = {"relations": "relation", "household": "number", "existing": "id_number"}
    word = ""

    id_number = forms.CharField(
        label="公民身份号码",
        max_length=40,
        required=False,
        help_text="16岁以下没有号码可以不填；离册又回来的人填号码和姓名就行",
    )
    name = forms.CharField(label="姓名", max_length=50)
    birth_date = FlexibleDateField(label="出生日期", help_text="有号码时由号码填入")
    sex = forms.ChoiceField(label="性别", choices=Sex.choices, widget=forms.RadioSelect)
    ethnicity = forms.ChoiceField(
        label="民族",
        choices=choose([(n, ethnic_group_word(n)) for n in ETHNIC_GROUPS]),
        required=False,
        initial="汉",
    )
    marital = forms.ChoiceField(label="婚姻状况", choices=choose(Marital.choices))
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
    residence = forms.ChoiceField(
        label="居住状态", choices=Residence.choices, initial=Residence.PERMANENT
    )
    hukou_region_code = forms.CharField(
        label="户籍地代码", max_length=20, required=False, help_text="流入人口要填，至少6位"
    )

    def __init__(self, data=None, *, household=None, resident=None, **kwargs):
        if resident is None:
            data = filled_from_number(data, kwargs["today"])
        super().__init__(data, household=household, **kwargs)
        self.known = resident
        self.existing = resident or self._typed_again()
        self.fields["happened_on"].label = f"{self.word}日期"
        self.fields["note"].label = "从哪里来"
        self.fields["village"].queryset = selectors.villages_of(self.user, self.today)
        sections = [section(self.word, *day_and_note())]
        if resident:
            for name in ("id_number", "name", "ethnicity", *OF_PERSON):
                del self.fields[name]
            self.fields["hukou"].initial = resident.hukou
            self.fields["relation"].initial = resident.relation
            self._offer_former_household()
        else:
            for name in OF_PERSON if self.existing else ():
                self.fields[name].required = False  # the record says so already
            ask_when_left(self.fields["id_number"], "#id-number-reading", "id_number")
            sections.append(
                section(
                    "人",
                    Div(Field("id_number"), HTML(READING), css_class="fp-c3"),
                    third("name"),
                    *map(third, ("birth_date", "sex", "ethnicity", "marital")),
                )
            )
        names = ["household_choice", "village", "number", "group", "address"]
        if household:
            for name in names:
                del self.fields[name]
            names = []
        names += ["relation", "hukou", "residence", "hukou_region_code"]
        if self.kind == EventKind.INFLOW:
            del self.fields["residence"]
            self.fields["hukou_region_code"].required = True
            names.remove("residence")
        sections.append(section("登记在", *map(third, names)))
        self.helper = helper(*sections)

    def _offer_former_household(self) -> None:
        """Back to where the person left, the commonest case, if the user may choose its village."""
        home = self.known.household
        if self.fields["village"].queryset.filter(pk=home.village_id).exists():
            self.fields["village"].initial = home.village_id
            self.fields["number"].initial = home.number
            self.fields["number"].help_text = "已填离册前的户，去别的户就改"

    @property
    def reading(self) -> dict:
        """The number as typed, read back; the field's own message says what is wrong with it."""
        typed = self.data.get("id_number", "") if self.is_bound else ""
        reading = read_back(typed, user=self.user, today=self.today)
        return {key: reading[key] for key in reading if key not in ("error", "holder")}

    def clean_id_number(self):
        number = self.clean_number_of("id_number")
        if not number:
            return number
        holder = selectors.registered_with(self.user, number)
        if holder and self.existing is None:
            raise forms.ValidationError(taken_message(holder))
        return number

    def _typed_again(self) -> Resident | None:
        """Whoever the typed number belongs to and who left."""
        try:
            number = parse_id_number(self.data.get("id_number", ""), today=self.today)
        except InvalidIdNumber:
            return None
        return selectors.departed_with(number.number)

    def clean_hukou_region_code(self):
        return clean_place_code(self.cleaned_data["hukou_region_code"])

    def clean(self):
        values = super().clean()
        if self.known is None:
            self._clean_person(values)
        self._clean_household(values)
        if values.get("residence") == Residence.INFLOW and not values.get("hukou_region_code"):
            self.add_error("hukou_region_code", "流入人口要填户籍地代码，至少6位。")
        return values

    def _clean_person(self, values) -> None:
        if self.existing:
            self._clean_returning(values)
            return
        number, born = values.get("id_number"), values.get("birth_date")
        if number:
            parsed = parse_id_number(number, today=self.today)
            self.note_findings(rules.id_number_findings(parsed, born, values.get("sex")))
        elif born and "id_number" not in self.errors and rules.id_number_missing(born, self.today):
            self.add_error("id_number", "满16岁的居民要填公民身份号码。")
        self.note_findings(rules.date_findings({"birth_date": born}, self.today))

    def _clean_returning(self, values) -> None:
        """Somebody known from before: only who also knows the name learns that there is one."""
        who = self.existing
        seen = selectors.sight_of(self.user)(who)
        if "name" not in self.errors and values["name"] != who.name:
            message = f"这个号码登记的是{who.name}，请核对姓名。" if seen else ID_NUMBER_TAKEN
            self.add_error("name" if seen else "id_number", message)
        where = f"（{who.village.name}{who.household}）" if seen else ""
        self.notices.append(
            f"{who.name}已于{who.departed_on}离册{where}，这次接着原来的记录登记，不新建一份。"
        )

    def _clean_household(self, values) -> None:
        if self.household:
            values["household"] = self.household
            return
        village, number = values.get("village"), values.get("number")
        if not (village and number):
            return
        if values.get("household_choice") == NEW:
            group = None
            known = Household.objects.visible_to(self.user)
            if known.filter(village=village, number=number).exists():
                self.add_error("number", f"{village.name}已有户编号{number}，请改用别的编号。")
            if values.get("group"):
                group = selectors.find_group(village, values["group"])
                if group is None:
                    self.add_error("group", f"{village.name}没有小组“{values['group']}”，请核对。")
            values["household"] = NewHousehold(village, group, number, values.get("address", ""))
            return
        found = selectors.household_numbered(self.user, village, number)
        if found is None:
            self.add_error("number", f"{village.name}没有户编号{number}。请核对，或选“新立一户”。")
        else:
            values["household"] = found

    def values(self):
        cleaned = self.cleaned_data
        names = ["relation", "hukou", "hukou_region_code"]
        if self.existing is None:
            names += ["name", "birth_date", "sex", "ethnicity", "marital", "id_number"]
        person = {name: cleaned[name] for name in names}
        person["residence"] = cleaned.get("residence", Residence.INFLOW)
        values = {"household": cleaned["household"], "person": person}
        return values | ({"existing": self.existing} if self.existing else {})


class MoveInForm(ArrivalForm):
    """迁入."""

    kind = EventKind.MOVE_IN
    word = "迁入"


class InflowForm(ArrivalForm):
    """流入: lives here, the hukou stays elsewhere."""

    kind = EventKind.INFLOW
    word = "流入"
