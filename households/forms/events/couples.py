"""Forms of what happens to a couple: a marriage, the birth of a child."""

from crispy_forms.layout import HTML, Div, Field
from django import forms
from django.urls import reverse
from django.utils.html import format_html

from fpadmin.accounts.permissions import Permission
from fpadmin.dates import age_on
from fpadmin.identity import InvalidIdNumber, parse_id_number
from households import rules, selectors
from households.forms.base import choose, filled_from_number, half, helper, section, third
from households.forms.events.base import (
    AUTOMATIC,
    EventForm,
    ask_when_left,
    day_and_note,
    person_label,
)
from households.forms.residents import taken_message
from households.life_events import kinship
from households.life_events.kinds import OFFER_MARRIAGE_FROM
from households.life_events.plan import living_members, same_child
from households.life_events.planners import MARRIED
from households.models import (
    EventKind,
    Hukou,
    Marital,
    Origin,
    Relation,
    Residence,
    Resident,
    Sex,
    Survival,
)

STAYS, SPOUSE_MOVES, RESIDENT_MOVES = "", "spouse", "resident"
BY_SPOUSE, BY_NUMBER, UNKNOWN = "spouse", "number", "unknown"
UNREGISTERED = (
    "配偶没有在您的区划登记，这次只改{name}一个人的婚姻状况；配偶迁来时另登记迁入，会自动关联。"
)


def _read_back(name: str, css: str) -> Div:
    """A number with a line below that says whose it is."""
    return Div(
        Field(name), HTML(f'<div id="{name}-found" aria-live="polite"></div>'), css_class=css
    )


class MarriageForm(EventForm):
    """结婚: with whom, and who moves to the other's household."""

    kind = EventKind.MARRIAGE
    aliases = {"relations": "new_head", "spouse": "spouse_id_number", "resident": None}

    spouse_id_number = forms.CharField(
        label="配偶公民身份号码", max_length=40, required=False, help_text="填完显示是谁"
    )
    mover = forms.ChoiceField(label="婚后", required=False, initial=STAYS, widget=forms.RadioSelect)
    relation = forms.ChoiceField(
        label="搬过去的人与那里户主的关系",
        choices=[(AUTOMATIC, "自动推算"), *Relation.choices],
        required=False,
    )

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        name = self.resident.name
        self.fields["happened_on"].label = "结婚日期"
        self.fields["mover"].choices = [
            (STAYS, "各在原户"),
            (SPOUSE_MOVES, f"配偶搬到{name}的户"),
            (RESIDENT_MOVES, f"{name}搬到配偶的户"),
        ]
        ask_when_left(
            self.fields["spouse_id_number"], "#spouse_id_number-found", "spouse_id_number"
        )
        here = self._possible_spouses()
        if here:
            self.fields["spouse_member"] = forms.ChoiceField(
                label="或从本户选",
                required=False,
                choices=choose(
                    [(str(m.pk), person_label(m, self.today)) for m in here], "不在本户"
                ),
            )
        self.spouse = self._typed_spouse(here) if self.is_bound else None
        self.left = self._left_behind()
        moving = [third("mover"), third("relation")]
        if self.left:
            self.fields["new_head"] = forms.ChoiceField(
                label="留下的人的新户主",
                required=False,
                help_text="户主搬走时要选",
                choices=[
                    ("", "不变"),
                    *((str(m.pk), person_label(m, self.today)) for m in self.left),
                ],
            )
            moving.append(third("new_head"))
        whom = [third("spouse_member")] if here else []
        self.helper = helper(
            section("结婚", *day_and_note()),
            section("和谁", _read_back("spouse_id_number", "fp-c3"), *whom),
            section("住到哪里", *moving),
        )

    def _possible_spouses(self) -> list[Resident]:
        return [
            m
            for m in self.residents
            if m.sex != self.resident.sex
            and m.marital not in MARRIED
            and age_on(m.birth_date, self.today) >= OFFER_MARRIAGE_FROM
        ]

    def _typed_spouse(self, here: list[Resident]) -> Resident | None:
        picked = self.data.get("spouse_member", "")
        if picked:
            return next((m for m in here if str(m.pk) == picked), None)
        try:
            number = parse_id_number(self.data.get("spouse_id_number", ""), today=self.today)
        except InvalidIdNumber:
            return None
        return selectors.in_scope(self.user, number.number)

    def _mover(self) -> Resident | None:
        return {SPOUSE_MOVES: self.spouse, RESIDENT_MOVES: self.resident}.get(
            self.data.get("mover", STAYS) if self.is_bound else RESIDENT_MOVES
        )

    def _left_behind(self) -> list[Resident]:
        """Who stays where a head might move away, for the choice of the next one."""
        mover = self._mover()
        if mover is None or mover.relation != Relation.HEAD:
            return []
        members = living_members(mover.household, self.today)
        return [m for m in members if m.pk != mover.pk]

    def clean_spouse_id_number(self):
        number = self.clean_number_of("spouse_id_number")
        if number and number == self.resident.id_number:
            raise forms.ValidationError("这是本人的号码，请填配偶的号码。")
        return number

    def clean(self):
        values = super().clean()
        number = values.get("spouse_id_number")
        if not (number or values.get("spouse_member") or "spouse_id_number" in self.errors):
            self.add_error("spouse_id_number", "请填配偶的公民身份号码。")
        if number and self.spouse is None:
            self.notices.append(UNREGISTERED.format(name=self.resident.name))
            if parse_id_number(number, today=self.today).sex == self.resident.sex:
                self.add_error("spouse_id_number", "结婚双方应为一男一女，请核对号码。")
            if values.get("mover") == SPOUSE_MOVES:
                self.add_error(
                    "mover",
                    "配偶没有在您的区划登记，不能直接搬户。请选“各在原户”，再给配偶登记迁入。",
                )
            elif values.get("mover") == RESIDENT_MOVES:
                self.add_error(
                    "mover", "配偶没有在您的区划登记。请选“各在原户”，人搬走的再登记迁出。"
                )
        mover = self._mover()
        if values.get("mover") and mover and self.left and not values.get("new_head"):
            names = "、".join(m.name for m in self.left)
            self.add_error("new_head", f"户主{mover.name}搬走后还有{names}，请选新户主。")
        return values

    def values(self):
        cleaned, mover = self.cleaned_data, self._mover()
        values = {"resident": self.resident, "mover": cleaned["mover"]}
        if self.spouse:
            values["spouse"] = self.spouse
        else:
            values["spouse_id_number"] = cleaned["spouse_id_number"]
        if mover and self.spouse:
            stayer = self.spouse if mover == self.resident else self.resident
            values["relation"] = cleaned["relation"] or kinship.relation_of_spouse(
                stayer.relation, mover.sex
            )
            head = next((m for m in self.left if str(m.pk) == cleaned.get("new_head")), None)
            values["relations"] = kinship.relations_to(head, self.left) if head else {}
        return values


class BirthForm(EventForm):
    """出生: the child as a resident and as a line of the birth history of its parent."""

    kind = EventKind.BIRTH
    aliases = {"birth_date": "happened_on", "name": "child_name", "id_number": "child_id_number"}

    child_name = forms.CharField(
        label="孩子姓名", max_length=50, help_text="还没取名的先写小名，以后用身份更正"
    )
    sex = forms.ChoiceField(label="性别", choices=Sex.choices, widget=forms.RadioSelect)
    order = forms.IntegerField(
        label="孩次", min_value=1, max_value=15, help_text="按出生先后；双胞胎各占一个孩次"
    )
    child_id_number = forms.CharField(
        label="孩子公民身份号码", max_length=40, required=False, help_text="还没有可以不填"
    )
    hospital = forms.CharField(label="出生医院", max_length=100, required=False)
    birth_certificate_no = forms.CharField(label="出生医学证明编号", max_length=40, required=False)
    within_policy = forms.TypedChoiceField(
        label="符合政策",
        choices=[("yes", "是"), ("no", "否")],
        coerce=lambda v: v == "yes",
        widget=forms.RadioSelect,
    )
    other_parent = forms.ChoiceField(widget=forms.RadioSelect)
    other_id_number = forms.CharField(max_length=40, required=False)
    home = forms.ChoiceField(label="落在哪一户")
    relation = forms.ChoiceField(
        label="与户主关系", choices=[(AUTOMATIC, "自动推算"), *Relation.choices], required=False
    )
    hukou = forms.ChoiceField(label="户口性质", choices=Hukou.choices)
    residence = forms.ChoiceField(label="居住状态", choices=Residence.choices)

    def __init__(self, data=None, **kwargs):
        data = _filled_birth(data, kwargs["today"])
        super().__init__(data, **kwargs)
        parent = self.resident
        self.other_word = "父亲" if parent.sex == Sex.FEMALE else "母亲"
        self.spouse = parent.spouse if parent.marital in MARRIED else None
        seen = selectors.sight_of(self.user)
        if self.spouse and not seen(self.spouse):
            self.spouse = None
        self.births = selectors.births_of(self.user, [parent])
        self.homes = {str(parent.household_id): parent}
        if self.spouse and not self.spouse.departed_on and not self.spouse.death_date:
            self.homes.setdefault(str(self.spouse.household_id), self.spouse)
        self._prepare(parent)
        self.helper = helper(
            section(
                "孩子",
                *map(third, ("happened_on", "child_name", "sex", "order")),
                *map(third, ("child_id_number", "within_policy", "hospital")),
                third("birth_certificate_no"),
                third("note"),
            ),
            section(self.other_word, half("other_parent"), _read_back("other_id_number", "fp-c3")),
            section("登记在", *map(third, ("home", "relation", "hukou", "residence"))),
        )

    def _prepare(self, parent: Resident) -> None:
        fields, word = self.fields, self.other_word
        fields["happened_on"].label = "出生日期"
        fields["order"].initial = selectors.next_order(parent, self.births)
        fields["hukou"].initial, fields["residence"].initial = parent.hukou, parent.residence
        fields["home"].choices = [
            (key, f"{who.village.name}{who.household}（{who.name}）")
            for key, who in self.homes.items()
        ]
        choices = [(BY_NUMBER, f"填{word}的号码"), (UNKNOWN, f"{word}不详")]
        if self.spouse:
            choices.insert(0, (BY_SPOUSE, f"配偶{self.spouse.name}"))
        fields["other_parent"].choices = choices
        fields["other_parent"].label = f"孩子的{word}"
        fields["other_parent"].initial = choices[0][0]
        fields["other_id_number"].label = f"{word}公民身份号码"
        fields["other_id_number"].help_text = f"选“填{word}的号码”时填"

    def clean_child_id_number(self):
        number = self.clean_number_of("child_id_number")
        holder = number and selectors.registered_with(self.user, number)
        if holder:
            raise forms.ValidationError(taken_message(holder))
        return number

    def clean_other_id_number(self):
        if self.data.get("other_parent") != BY_NUMBER:
            return ""
        return self.clean_number_of("other_id_number")

    def clean(self):
        values = super().clean()
        born, number = values.get("happened_on"), values.get("child_id_number")
        if number:
            parsed = parse_id_number(number, today=self.today)
            for finding in rules.id_number_findings(parsed, born, values.get("sex")):
                field = self.aliases.get(finding.field, finding.field)
                if field not in self.errors:
                    self.add_error(field, finding.message)
        self._clean_other_parent(values, born)
        self._note_same_child(values)
        if born and values.get("order"):
            history = [(b.order, b.birth_date, b.origin == Origin.ADOPTED) for b in self.births]
            finding = rules.order_finding(values["order"], born, False, history)
            if finding:
                self.add_error("order", finding.message)
        return values

    def _note_same_child(self, values) -> None:
        """Where to look whether the child is registered already; the plan asks for it."""
        name, born, holder = (
            values.get("child_name"), values.get("happened_on"), self.homes.get(values.get("home"))
        )  # fmt: skip
        if not (name and born and holder):
            return
        same = same_child(self.resident, holder.household, name, born).visible_to(self.user)
        may_edit = self.user.may(Permission.REGISTRY_EDIT)
        history = reverse("households:birth-create", args=[self.resident.pk])
        for other in same.for_list():
            self.notices.append(
                format_html(
                    '已登记的：<a class="fp-inline" href="{}">{}，{}{}</a>。',
                    other.get_absolute_url(),
                    other.name,
                    other.village.name,
                    other.household,
                )
            )
            if may_edit:
                address = f"{history}?child={other.pk}"
                self.notices.append(
                    format_html(
                        '是同一人：<a class="fp-inline" href="{}">登记{}的生育史</a>。',
                        address,
                        self.resident.name,
                    )
                )

    def _clean_other_parent(self, values, born) -> None:
        """The other parent's number and birth date, by the choice that was made."""
        choice, number = values.get("other_parent"), values.get("other_id_number")
        self.other_number, person = "", None
        if choice == BY_SPOUSE and self.spouse:
            self.other_number, person = self.spouse.id_number, self.spouse
        elif choice == BY_NUMBER and number:
            self.other_number, person = number, parse_id_number(number, today=self.today)
            if person.sex == self.resident.sex:
                self.add_error("other_id_number", f"这个号码的性别是{person.sex}，请核对。")
        elif choice == BY_NUMBER and "other_id_number" not in self.errors:
            self.add_error(
                "other_id_number",
                f"请填{self.other_word}的公民身份号码，或选“{self.other_word}不详”。",
            )
        if born:  # together with whatever else is wrong, so that one correction is enough
            own, other = ("mother", "father")[:: 1 if self.resident.sex == Sex.FEMALE else -1]
            ages = {f"{own}_birth_date": self.resident.birth_date}
            ages |= {f"{other}_birth_date": person.birth_date} if person else {}
            for finding in rules.parent_findings(born, adopted=False, **ages):
                self.add_error("happened_on", finding.message)

    def values(self):
        cleaned, parent = self.cleaned_data, self.resident
        holder = self.homes[cleaned["home"]]
        own, other = ("mother", "father") if parent.sex == Sex.FEMALE else ("father", "mother")
        shared = {"sex": cleaned["sex"], "birth_date": cleaned["happened_on"]}
        inflow = cleaned["residence"] == Residence.INFLOW
        child = shared | {
            "name": cleaned["child_name"],
            "id_number": cleaned["child_id_number"],
            "ethnicity": parent.ethnicity,
            "marital": Marital.SINGLE,
            "relation": cleaned["relation"]
            or kinship.relation_of_child(holder.relation, cleaned["sex"]),
            "hukou": cleaned["hukou"],
            "residence": cleaned["residence"],
            "hukou_region_code": parent.hukou_region_code if inflow else "",
            f"{own}_id_number": parent.id_number,
            f"{other}_id_number": self.other_number,
        }
        birth = shared | {
            "child_name": cleaned["child_name"],
            "order": cleaned["order"],
            "origin": Origin.BORN,
            "within_policy": cleaned["within_policy"],
            "hospital": cleaned["hospital"],
            "birth_certificate_no": cleaned["birth_certificate_no"],
            "survival": Survival.ALIVE,
            "death_date": None,
            "disability_grade": "",
            "disability_date": None,
            f"{other}_id_number": self.other_number,
        }
        return {"parent": parent, "household": holder.household, "child": child, "birth": birth}


def _filled_birth(data, today):
    """Birth date and sex from the child's number where they were left blank."""
    if data is None or not data.get("child_id_number"):
        return data
    shown = data.copy()
    shown["birth_date"] = data.get("happened_on", "")
    shown = filled_from_number(shown, today, "child_id_number")
    shown["happened_on"] = shown["birth_date"]
    return shown
