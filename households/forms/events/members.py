"""Forms about several members of one household: who is meant, who becomes head, who is what to whom."""

from dataclasses import dataclass

from crispy_forms.layout import HTML
from django import forms

from households.forms.base import helper, section, third
from households.forms.events.base import (
    AUTOMATIC,
    EventForm,
    day_and_note,
    person_label,
)
from households.life_events import kinship
from households.models import Relation, Resident

TABLE = HTML('{% include "households/_event_members.html" with form=form only %}')
BY_NEW_HEAD = "按新户主推算"


@dataclass(frozen=True)
class MemberRow:
    """A member as the form's table shows them: a tick, a choice of relation, or neither."""

    member: Resident
    tick: str
    tick_id: str
    relation: forms.BoundField | None


class MembersForm(EventForm):
    """Members of `household`, ticked, with the relations that follow.

    A relation left at its first choice is worked out from the links and from the relations to the
    head there was; the page that checks the event shows what came out.
    """

    ticks_label = "哪些人"
    ticks_help = ""
    has_ticks = True
    has_relations = False
    automatic = BY_NEW_HEAD

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.head = self.head_of(self.residents)
        choices = [(str(m.pk), person_label(m, self.today)) for m in self.eligible()]
        if self.has_ticks:
            self.fields["members"] = forms.MultipleChoiceField(
                label=self.ticks_label,
                choices=choices,
                widget=forms.CheckboxSelectMultiple,
                help_text=self.ticks_help,
                error_messages={"required": f"请勾选{self.ticks_label}，至少一人"},
            )
        if self.has_relations:
            for member in self.table_members():
                self.fields[_relation_name(member)] = forms.ChoiceField(
                    label=f"{member.name}与户主关系",
                    choices=[(AUTOMATIC, self.automatic), *Relation.choices],
                    required=False,
                )

    def eligible(self) -> list[Resident]:
        """Members who can be ticked."""
        return self.residents

    def table_members(self) -> list[Resident]:
        """Members whom the form's table shows."""
        return self.residents

    def add_new_head(
        self, label: str = "新户主", help_text: str = "", *, required: bool = False
    ) -> None:
        """A choice of the head of those who stay; `required` where the head goes in any case."""
        self.fields["new_head"] = forms.ChoiceField(
            label=label,
            required=required,
            help_text=help_text or "户主不再在这一户时要选",
            choices=[
                ("", "请选择" if required else "不变"),
                *(
                    (str(m.pk), person_label(m, self.today))
                    for m in self.residents
                    if m != self.head
                ),
            ],
        )

    def rows(self) -> list[MemberRow]:
        """The household's members for the form's table."""
        ticks = {}
        if self.has_ticks:
            boxes = _classed(self["members"]).subwidgets
            ticks = {w.data["value"]: (w.tag(), w.id_for_label) for w in boxes}
        return [
            MemberRow(
                member,
                *ticks.get(str(member.pk), ("", "")),
                self[_relation_name(member)] if self.has_relations else None,
            )
            for member in self.table_members()
        ]

    def picked_members(self) -> list[Resident]:
        """Those ticked, in the household's order."""
        ticked = set(self.cleaned_data.get("members", []))
        return [m for m in self.residents if str(m.pk) in ticked]

    def member(self, pk: str) -> Resident | None:
        """The member of that key."""
        return next((m for m in self.residents if str(m.pk) == pk), None)

    def chosen_relations(self, members: list[Resident]) -> dict[int, str]:
        """The relations that the clerk chose, of these members."""
        named = {m.pk: self.cleaned_data.get(_relation_name(m), AUTOMATIC) for m in members}
        return {pk: relation for pk, relation in named.items() if relation != AUTOMATIC}

    def relations_of_staying(self, leaving: list[Resident]) -> dict[int, str]:
        """What those who stay are to their new head; nothing changes where the head stays."""
        staying = self.staying(leaving)
        new_head = self.member(self.cleaned_data.get("new_head", ""))
        proposed = kinship.relations_to(new_head, staying) if new_head in staying else {}
        return proposed | self.chosen_relations(staying)

    def staying(self, leaving: list[Resident]) -> list[Resident]:
        """The others."""
        gone = {m.pk for m in leaving}
        return [m for m in self.residents if m.pk not in gone]

    def require_new_head(self, leaving: list[Resident]) -> None:
        """Refuse a head who goes while others stay behind without a new one."""
        staying = self.staying(leaving)
        if self.head is None or self.head in staying or not staying:
            return
        chosen = self.cleaned_data.get("new_head", "")
        named = Relation.HEAD in self.chosen_relations(staying).values()
        if "new_head" in self.errors:
            return  # said already
        if not chosen and not named:
            names = "、".join(m.name for m in staying)
            self.add_error(
                "new_head", f"户主{self.head.name}不再在这一户，还有{names}，请选新户主。"
            )
        elif chosen and self.member(chosen) not in staying:
            self.add_error("new_head", "新户主也在离开的人里，请另选一位。")


class SimpleMembersForm(MembersForm):
    """Ticked members and nothing else but the fields of `extra`."""

    extra: tuple[str, ...] = ()

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        self.helper = helper(
            section("变动", *day_and_note(), *map(third, self.extra)),
            section(self.ticks_label, TABLE),
        )

    def values(self):
        return {"members": self.picked_members()}


def _relation_name(member: Resident) -> str:
    return f"relation_{member.pk}"


def _classed(field):
    field.field.widget.attrs["class"] = "form-check-input"
    return field
