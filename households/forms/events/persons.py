"""Forms of what happens to one person: death, divorce, a correction of who they are."""

from households.forms.base import helper, section, third
from households.forms.events.base import EventForm, day_and_note
from households.forms.events.members import TABLE, MembersForm
from households.life_events.plan import living_members
from households.models import EventKind, Relation


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
            self.add_new_head(help_text=f"{resident.name}是户主，要选一位新户主")
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
    """离婚: the couple's marital state; where they live is another event."""

    kind = EventKind.DIVORCE

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["happened_on"].label = "离婚日期"
        self.helper = helper(section("离婚", *day_and_note()))

    def values(self):
        return {"resident": self.resident}
