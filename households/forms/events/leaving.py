"""Forms by which members of a household go or come back: out, away for a time, back; and their hukou."""

from django import forms

from households.forms.base import choose, helper, section, third
from households.forms.events.base import day_and_note
from households.forms.events.members import TABLE, MembersForm, SimpleMembersForm
from households.forms.residents import clean_place_code
from households.models import EventKind, Hukou, Residence


class MoveOutForm(MembersForm):
    """迁出: members leave the books, whole or in part."""

    kind = EventKind.MOVE_OUT
    ticks_label = "迁出的人"
    has_relations = True

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["note"].label = "去向"
        self.fields["note"].help_text = "迁到哪里，如昆明市五华区"
        fields = day_and_note()
        if len(self.residents) > 1:
            self.add_new_head()
            fields += (third("new_head"),)
        self.helper = helper(section("迁出", *fields), section(self.ticks_label, TABLE))

    def clean(self):
        values = super().clean()
        self.require_new_head(self.picked_members())
        return values

    def values(self):
        going = self.picked_members()
        return {"members": going, "relations": self.relations_of_staying(going)}


class OutflowForm(SimpleMembersForm):
    """流出: members live elsewhere for a time and stay on the books."""

    kind = EventKind.OUTFLOW
    ticks_label = "流出的人"

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["note"].label = "去向"
        self.fields["note"].help_text = "去哪里、做什么，如深圳务工"

    def eligible(self):
        return [m for m in self.residents if m.residence == Residence.PERMANENT]


class ReturnForm(SimpleMembersForm):
    """返回: those who had flowed out live here again."""

    kind = EventKind.RETURN
    ticks_label = "返回的人"

    def eligible(self):
        return [m for m in self.residents if m.residence == Residence.OUTFLOW]


class HukouForm(SimpleMembersForm):
    """户口变更: another kind of hukou, or another place of it."""

    kind = EventKind.HUKOU_CHANGE
    ticks_label = "户口变更的人"
    extra = ("hukou", "hukou_region_code")

    hukou = forms.ChoiceField(
        label="户口性质改为", choices=choose(Hukou.choices, "不变"), required=False
    )
    hukou_region_code = forms.CharField(
        label="户籍地代码改为", max_length=20, required=False, help_text="不变就留空，至少6位数字"
    )

    def clean_hukou_region_code(self):
        return clean_place_code(self.cleaned_data["hukou_region_code"])

    def clean(self):
        values = super().clean()
        if not (values.get("hukou") or values.get("hukou_region_code") or self.errors):
            self.add_error("hukou", "请选新的户口性质，或填新的户籍地代码。")
        return values

    def values(self):
        cleaned = self.cleaned_data
        return super().values() | {
            "hukou": cleaned["hukou"],
            "hukou_region_code": cleaned["hukou_region_code"],
        }
