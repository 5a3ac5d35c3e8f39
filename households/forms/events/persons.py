"""Forms of what happens to one person: death, divorce, a correction of who they are."""

from django import forms

from fpadmin.identity import parse_id_number
from fpadmin.ui.forms import FlexibleDateField
from households import rules, selectors
from households.forms.base import half, helper, section, third
from households.forms.events.base import EventForm, day_and_note
from households.forms.events.members import TABLE, MembersForm
from households.forms.residents import taken_message
from households.life_events import kinship
from households.life_events.plan import living_members
from households.models import EventKind, Relation, Sex


class DeathForm(MembersForm):
    """死亡, and the new head where it was the head."""

    kind = EventKind.DEATH
    has_ticks = False

    def __init__(self, data=None, **kwargs):
        resident = kwargs["resident"]
        others = len(living_members(resident.household, kwargs["today"])) > 1
        self.has_relations = resident.relation == Relation.HEAD and others
        super().__init__(data, **kwargs)
        self.fields["happened_on"].label = "死亡日期"
        self.fields["note"].help_text = "如原因、证明编号"
        sections = [section("死亡", *day_and_note())]
        if self.has_relations:
            self.add_new_head(
                help_text=f"{resident.name}是户主，其他人的关系按新户主推算", required=True
            )
            sections.append(section("家里其他人", third("new_head"), TABLE))
        self.helper = helper(*sections)

    def table_members(self):
        return [m for m in self.residents if m.pk != self.resident.pk]

    def clean(self):
        values = super().clean()
        if self.has_relations:
            self.require_new_head([self.resident])
        return values

    def values(self):
        relations = self.relations_of_staying([self.resident]) if self.has_relations else {}
        return {"resident": self.resident, "relations": relations}


class DivorceForm(EventForm):
    """离婚: the couple's marital state; where they live is another event, which it points to."""

    kind = EventKind.DIVORCE

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["happened_on"].label = "离婚日期"
        self.helper = helper(section("离婚", *day_and_note()))

    def clean(self):
        values = super().clean()
        spouse = next((m for m in self.residents if m.pk == self.resident.spouse_id), None)
        for person in kinship.still_in_law([self.resident, spouse] if spouse else []):
            self.notices.append(
                f"{person.name}离婚后还在本户，与户主关系还是“{person.relation}”。"
                "登记后请接着登记户间变动或迁出；仍住本户的，改与户主的关系。"
            )
        return values

    def values(self):
        return {"resident": self.resident}


class CorrectionForm(EventForm):
    """身份更正: who the person has been all along; nothing happened on a day of its own."""

    kind = EventKind.CORRECTION
    identifiers = ("id_number",)

    name = forms.CharField(label="姓名", max_length=50)
    id_number = forms.CharField(label="公民身份号码", max_length=40, required=False)
    birth_date = FlexibleDateField(label="出生日期")
    sex = forms.ChoiceField(label="性别", choices=Sex.choices, widget=forms.RadioSelect)

    def __init__(self, data=None, **kwargs):
        resident = kwargs["resident"]
        shown = {name: getattr(resident, name) for name in ("name", "birth_date", "sex")}
        initial = {"happened_on": kwargs["today"], **shown}
        super().__init__(data, shown=resident, initial=initial, **kwargs)
        self.fields["happened_on"].label = "更正日期"
        self.fields["note"].label = "依据"
        self.fields["note"].help_text = "如户口簿、公安机关证明"
        self.helper = helper(
            section("应当是", *map(third, ("name", "birth_date", "sex")), half("id_number")),
            section("更正", *day_and_note()),
        )

    def clean_id_number(self):
        number = self.clean_number_of("id_number")
        holder = number and selectors.registered_with(self.user, number, except_pk=self.resident.pk)
        if holder:
            raise forms.ValidationError(taken_message(holder))
        return number

    def clean(self):
        values = super().clean()
        number = values.get("id_number") or self.resident.id_number
        if number and "id_number" not in self.errors:
            parsed = parse_id_number(number, today=self.today)
            self.note_findings(
                rules.id_number_findings(parsed, values.get("birth_date"), values.get("sex"))
            )
        return values

    def values(self):
        person = {name: self.cleaned_data[name] for name in ("name", "birth_date", "sex")}
        return {"resident": self.resident, "person": person | self.identifier_values()}
