"""What a clerk types about an archive: opening, correcting, closing, moving it, and its reviews."""

from collections.abc import Iterable
from datetime import date

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import choose
from households.models import (
    ArchiveReview,
    CloseReason,
    FamilyKind,
    Household,
    Resident,
    SpecialFamily,
)
from households.presenters import age_words

PARENT = "parent_"
Decision = ArchiveReview.Decision


def _words(label: str, most: int, rows: int = 3, **options) -> forms.CharField:
    return forms.CharField(
        label=label, max_length=most, widget=forms.Textarea(attrs={"rows": rows}), **options
    )


class ArchiveForm(forms.Form):
    """An archive, new or to correct. `people` are who may be ticked as its parents.

    Each has a tick of its own, so that of two edits at once each can be chosen by itself.
    """

    kind = forms.ChoiceField(label="家庭类型", choices=choose(FamilyKind.choices))
    opened_on = FlexibleDateField(label="建档日期")
    difficulties = _words("主要困难", 500, required=False)
    needs = _words("主要需求", 500, required=False)

    def __init__(
        self,
        data=None,
        *,
        people: Iterable[Resident],
        day: date,
        shown: SpecialFamily | None = None,
        **kwargs,
    ):
        super().__init__(data, **kwargs)
        self.people, self.shown = list(people), shown
        if shown is not None:
            del self.fields["opened_on"]
        for one in self.people:
            self.fields[f"{PARENT}{one.pk}"] = forms.BooleanField(
                label=_called(one, day), required=False
            )

    def ticks(self) -> list:
        """The bound fields of the people."""
        return [self[f"{PARENT}{one.pk}"] for one in self.people]

    def clean(self):
        values = super().clean()
        if self.people and not self.parents():
            raise forms.ValidationError("请选择这份档案的父母，至少一位。")
        return values

    def parents(self) -> list[Resident]:
        """Who was ticked."""
        return [one for one in self.people if self.cleaned_data.get(f"{PARENT}{one.pk}")]

    def initial_of(self, family: SpecialFamily) -> dict:
        """What the form shows of the archive."""
        return archive_values(family, self.people)


def archive_values(family: SpecialFamily, people: Iterable[Resident]) -> dict:
    """The archive as ArchiveForm's initial values, for these people to tick."""
    ticked = set(family.parents.filter(ended_on__isnull=True).values_list("resident", flat=True))
    return {
        "kind": family.kind,
        "difficulties": family.difficulties,
        "needs": family.needs,
    } | {f"{PARENT}{one.pk}": one.pk in ticked for one in people}


def _called(one: Resident, day: date) -> str:
    state = f"{one.death_date}去世" if one.death_date else f"{age_words(one.birth_date, day)}岁"
    return f"{one.name}（{one.relation}，{state}）"


class CloseForm(forms.Form):
    """Why and from when an archive is closed."""

    reason = forms.ChoiceField(label="结案原因", choices=choose(CloseReason.choices))
    closed_on = FlexibleDateField(
        label="结案日期",
        help_text="从这一天起不再联系、不再计数。建错的档案填建档日期，各月都不计数。",
    )
    note = forms.CharField(label="结案说明", max_length=200, required=False)

    def clean(self):
        values = super().clean()
        if values.get("reason") == CloseReason.OTHER and not values.get("note"):
            self.add_error("note", "原因选“其他”时，请写明情况。")
        return values


class MoveForm(forms.Form):
    """Into which of the households where the parents are now."""

    household = forms.ModelChoiceField(
        label="转到", queryset=Household.objects.none(), empty_label=None, widget=forms.RadioSelect
    )

    def __init__(self, data=None, *, households):
        super().__init__(data)
        self.fields["household"].queryset = households
        self.fields["household"].label_from_instance = lambda one: f"{one.village.name}　{one}"
        if data is None and len(households) == 1:
            self.initial["household"] = households[0].pk


class ReviewForm(forms.Form):
    """What came of looking at an archive again."""

    decision = forms.ChoiceField(
        label="处理结果", choices=Decision.choices, widget=forms.RadioSelect
    )
    note = forms.CharField(
        label="说明", max_length=200, required=False, help_text="档案不变时，写明为什么不变。"
    )

    def __init__(self, data=None, *, family: SpecialFamily):
        super().__init__(data)
        self.family = family

    def clean_decision(self) -> str:
        decision = self.cleaned_data["decision"]
        if decision == Decision.CLOSED and self.family.closed_on is None:
            raise forms.ValidationError("这份档案还没有结案。请先办理结案，再选这一项。")
        return decision


class HealthPurposeForm(forms.Form):
    """Why somebody needs to read what only the smallest circle reads."""

    PURPOSES = ("帮扶慰问", "核对材料", "办理待遇", "迎接检查", "其他")
    purpose = forms.ChoiceField(label="用途", choices=[(p, p) for p in PURPOSES])


class HealthForm(forms.Form):
    """Cause of death and health, as the smallest circle keeps them."""

    cause_of_death = forms.CharField(label="子女死亡原因", max_length=200, required=False)
    health_note = _words("健康情况", 1000, rows=5, required=False)

    @staticmethod
    def initial_of(family: SpecialFamily) -> dict:
        """What the form shows of the archive."""
        return {"cause_of_death": family.cause_of_death, "health_note": family.health_note}
