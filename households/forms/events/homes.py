"""Forms by which members change households: a new head, a household divided, joined, or another one."""

from django import forms

from households import selectors
from households.forms.base import NOT_IN_FORM, helper, section, third
from households.forms.events.base import AUTOMATIC, day_and_note, person_label
from households.forms.events.members import TABLE, MembersForm
from households.life_events import kinship
from households.life_events.plan import living_members
from households.models import EventKind, Household, Resident
from households.services import NewHousehold

NEW, EMPTY = "new", "empty"


class HeadChangeForm(MembersForm):
    """变更户主: all members' relations on one page."""

    kind = EventKind.HEAD_CHANGE
    has_ticks = False
    has_relations = True

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.add_new_head(help_text="其他人的关系按新户主推算，下一步可以核对", required=True)
        self.helper = helper(
            section("变更户主", *day_and_note(), third("new_head")), section("全家的关系", TABLE)
        )

    def values(self):
        return {"household": self.household, "relations": self.relations_of_staying([])}


class MovingForm(MembersForm):
    """Members who go to another household, `target`, where they have a relation to its head."""

    has_relations = True
    automatic = "自动推算"

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["target_head"] = forms.ChoiceField(
            label="新户的户主",
            required=False,
            help_text="搬进已有户主的户不用选",
            choices=[
                (AUTOMATIC, "自动：其中的户主或最年长的"),
                *((str(m.pk), person_label(m, self.today)) for m in self.residents),
            ],
        )
        if len(self.residents) > 1 and self.has_ticks:
            self.add_new_head("原户的新户主", "户主也去时，给留下的人选")

    def moving(self) -> list[Resident]:
        """Those who go."""
        return self.picked_members()

    def clean(self):
        values = super().clean()
        moving = self.moving()
        if self.has_ticks:
            self.require_new_head(moving)
        head = self.member(values.get("target_head", ""))
        if head and head not in moving:
            self.add_error("target_head", f"{head.name}不在要去的人里，请另选。")
        return values

    def relations_there(self, target: Household | NewHousehold) -> dict[int, str]:
        """What those who go are to the head of `target`, who may be one of them."""
        moving = self.moving()
        there = living_members(target, self.today)
        head = self.head_of(there)
        if head:
            proposed = kinship.relations_joining(there, moving, head)
        else:
            new_head = self.member(self.cleaned_data.get("target_head", "")) or moving[0]
            proposed = kinship.relations_to(new_head, moving)
        chosen = self.chosen_relations(moving)
        return {m.pk: chosen.get(m.pk, proposed[m.pk]) for m in moving}

    def values(self):
        moving, target = self.moving(), self.cleaned_data["target"]
        relations = self.relations_of_staying(moving) | self.relations_there(target)
        return {
            "household": self.household,
            "members": moving,
            "target": target,
            "relations": relations,
        }


class SplitForm(MovingForm):
    """分户: some members leave for a household of their own, new or empty."""

    kind = EventKind.SPLIT
    ticks_label = "分出去的人"

    target_choice = forms.ChoiceField(
        label="分到",
        choices=[(NEW, "新立一户"), (EMPTY, "已有的空户")],
        initial=NEW,
        widget=forms.RadioSelect,
    )
    number = forms.CharField(label="户编号", max_length=30)
    group = forms.CharField(
        label="小组", max_length=30, required=False, help_text="新立一户时填，不填同原户"
    )
    address = forms.CharField(
        label="地址", max_length=200, required=False, help_text="新立一户时填，不填同原户"
    )

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["number"].initial = selectors.next_household_number(self.household.village)
        self.fields["number"].help_text = "新立一户已填下一个空号，可以改"
        self.fields["target_head"].help_text = ""
        names = ["target_choice", "number", "group", "address", "target_head"]
        if "new_head" in self.fields:
            names.append("new_head")
        self.helper = helper(
            section("分户", *day_and_note()),
            section(self.ticks_label, TABLE),
            section("分出去的户", *map(third, names)),
        )

    def clean(self):
        values = super().clean()
        village, number = self.household.village, values.get("number")
        if not number:
            return values
        if values.get("target_choice") == EMPTY:
            found = selectors.household_numbered(self.user, village, number)
            values["target"] = found
            if found is None:
                self.add_error("number", f"{village.name}没有户编号{number}，请核对。")
            elif living_members(found, self.today):
                self.add_error("number", f"{found}还有在册的人，不是空户。到有人的户请用户间变动。")
        elif village.households.filter(number=number).exists():
            self.add_error("number", f"{village.name}已有户编号{number}，请改用别的编号。")
        else:
            group = self.household.group
            if values.get("group"):
                group = selectors.find_group(village, values["group"])
                if group is None:
                    self.add_error("group", f"{village.name}没有小组“{values['group']}”，请核对。")
            address = values.get("address") or self.household.address
            values["target"] = NewHousehold(village, group, number, address)
        return values


class TargetForm(MovingForm):
    """Into a household that is found by its village and number."""

    target_village = forms.ModelChoiceField(
        label="到哪个村（社区）", queryset=None, empty_label=NOT_IN_FORM
    )
    target_number = forms.CharField(label="到哪一户", max_length=30, help_text="户编号")

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.fields["target_village"].queryset = selectors.villages_of(self.user, self.today)
        self.fields["target_village"].initial = self.household.village_id

    def clean(self):
        values = super().clean()
        village, number = values.get("target_village"), values.get("target_number")
        if village and number:
            values["target"] = selectors.household_numbered(self.user, village, number)
            if values["target"] is None:
                self.add_error("target_number", f"{village.name}没有户编号{number}，请核对。")
            elif values["target"] == self.household:
                self.add_error("target_number", "就是本户，不用变动。请核对户编号。")
        return values


class MergeForm(TargetForm):
    """并户: everybody joins another household; this one stays behind empty."""

    kind = EventKind.MERGE
    has_ticks = False

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.helper = helper(
            section("并户", *day_and_note()),
            section("并入", third("target_village"), third("target_number"), third("target_head")),
            section("本户的人", TABLE),
        )

    def moving(self):
        return self.residents

    def values(self):
        values = super().values()
        del values["members"]
        return values


class HouseholdMoveForm(TargetForm):
    """户间变动: members go to another household of the region; nobody leaves the books."""

    kind = EventKind.HOUSEHOLD_MOVE
    ticks_label = "要去的人"

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        names = ["target_village", "target_number", "target_head"]
        if "new_head" in self.fields:
            names.append("new_head")
        self.helper = helper(
            section("户间变动", *day_and_note()),
            section(self.ticks_label, TABLE),
            section("去的户", *map(third, names)),
        )
