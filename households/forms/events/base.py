"""What the forms of life events share: the day, a note, and the event that they describe."""

from datetime import date
from typing import Any, NamedTuple

from django import forms
from django.urls import reverse

from fpadmin.errors import RuleViolation
from fpadmin.ui.forms import FlexibleDateField, refuse
from households.forms.base import RegistryForm, third
from households.life_events.plan import living_members
from households.models import Household, Relation, Resident

AUTOMATIC = ""


class Event(NamedTuple):
    """What a filled-in form asks to be recorded: the arguments of services.record_event()."""

    kind: str
    values: dict[str, Any]
    happened_on: date
    note: str


class EventForm(RegistryForm):
    """Base: `resident` or `household` is whom the event is about; values() is what its kind takes.

    `notices` are for the clerk to know; unlike a plan's warnings they ask for no confirmation.
    """

    kind: str
    # Field of a refusal → field of this form.
    aliases = {"relations": "new_head"}

    happened_on = FlexibleDateField(
        label="发生日期", help_text="可写20180901、2018-9-1或2018年9月1日"
    )
    note = forms.CharField(label="说明", max_length=200, required=False)

    def __init__(
        self,
        data=None,
        *,
        user,
        today: date,
        resident: Resident | None = None,
        household: Household | None = None,
        **kwargs,
    ):
        super().__init__(data, user=user, today=today, **kwargs)
        self.resident = resident
        self.household = household or (resident.household if resident else None)
        self.residents = living_members(self.household, today) if self.household else []
        self.notices: list[str] = []

    def clean_happened_on(self) -> date:
        day = self.cleaned_data["happened_on"]
        if day > self.today:
            raise forms.ValidationError(
                f"发生日期{day}在今天（{self.today}）之后，只登记已经发生的事。"
            )
        return day

    def values(self) -> dict[str, Any]:
        """What life_events.planners takes for this kind."""
        raise NotImplementedError

    def event(self) -> Event:
        """What the valid form asks to be recorded."""
        cleaned = self.cleaned_data
        return Event(self.kind, self.values(), cleaned["happened_on"], cleaned["note"])

    def refuse(self, violation: RuleViolation) -> None:
        """Show what the plan or the service refused, at the field that it means."""
        field = self.aliases.get(violation.field, violation.field)
        refuse(self, RuleViolation(violation.message, field=field))

    def head_of(self, members: list[Resident]) -> Resident | None:
        """The head among these members."""
        return next((m for m in members if m.relation == Relation.HEAD), None)


def ask_when_left(field: forms.Field, target: str, name: str) -> None:
    """Read an ID number back as soon as the field is left; without scripts, after sending."""
    field.widget.attrs |= {
        "autocomplete": "off",
        "hx-post": reverse("households:id-number-check"),
        "hx-trigger": "change",
        "hx-target": target,
        "hx-swap": "innerHTML",
        "hx-params": name,
    }


def day_and_note() -> tuple:
    """The two fields that every event has."""
    return third("happened_on"), third("note")


def person_label(member: Resident, today: date) -> str:
    """A member as a choice calls it."""
    return f"{member.name}（{member.relation}，{member.birth_date.year}年生）"
