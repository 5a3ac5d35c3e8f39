"""Acts on many ticked residents at once: 批量流出, 批量返回, 批量户口变更. One event per household."""

from collections import defaultdict
from datetime import date

from django import forms

from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.ui import acts
from fpadmin.ui.acts import Act
from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import choose
from households.forms.residents import clean_place_code
from households.models import EventKind, Hukou, Residence, Residency, Resident
from households.services import record_event

MOST = 200  # people; each household's event takes some hundredths of a second
# Whose residence one can flow out or come back from.
FROM = {EventKind.OUTFLOW: Residence.PERMANENT, EventKind.RETURN: Residence.OUTFLOW}


class DayForm(forms.Form):
    """When it happened, and a note."""

    note_label, note_help = "说明", ""

    happened_on = FlexibleDateField(label="发生日期")
    note = forms.CharField(label="说明", max_length=200, required=False)

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)
        self.day = asked.day
        self.fields["note"].label = self.note_label
        self.fields["note"].help_text = self.note_help

    def clean_happened_on(self):
        day = self.cleaned_data["happened_on"]
        if day > self.day:
            raise forms.ValidationError(
                f"发生日期{day}在今天（{self.day}）之后，只登记已经发生的事。"
            )
        return day


class OutflowForm(DayForm):
    """The day and where to."""

    note_label, note_help = "去向", "去哪里、做什么，如深圳务工"


class HukouForm(DayForm):
    """The day and the new hukou."""

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


class Batch:
    """One kind of event for many residents: `check` and `apply` as an Act calls them."""

    def __init__(self, kind: EventKind):
        self.kind = kind

    def check(self, rows: list[Resident], *, by, values, day) -> dict[int, str]:
        """Who cannot, and why: a fixed number of queries."""
        on = values["happened_on"]
        open_spells = Residency.objects.filter(
            resident__in=[row.pk for row in rows], ended_on__isnull=True, started_on__gt=on
        )
        later = dict(open_spells.values_list("resident", "started_on"))
        reasons = {row.pk: self._reason(row, values, later.get(row.pk)) for row in rows}
        return {pk: reason for pk, reason in reasons.items() if reason}

    def apply(self, rows: list[Resident], *, by, values, day) -> dict[int, str]:
        """One event per household, each in a transaction of its own; who was refused, and why."""
        homes: dict[int, list[Resident]] = defaultdict(list)
        for row in rows:
            homes[row.household_id].append(row)
        about = {k: v for k, v in values.items() if k not in ("happened_on", "note")}
        refused = {}
        for members in homes.values():
            try:
                record_event(
                    by=by,
                    kind=self.kind,
                    values={"members": members, **about},
                    happened_on=values["happened_on"],
                    today=day,
                    note=values["note"],
                )
            except RuleViolation as violation:
                refused |= dict.fromkeys((m.pk for m in members), violation.message)
        return refused

    def _reason(self, row: Resident, values: dict, later: date | None) -> str:
        on = values["happened_on"]
        if row.death_date:
            return f"已于{row.death_date}去世"
        if row.departed_on:
            return f"已于{row.departed_on}离册"
        if on < row.birth_date:
            return f"{row.birth_date}才出生"
        if later:
            return f"{later}已有变动，发生日期不能早于这一天"
        if self.kind in FROM and row.residence != FROM[self.kind]:
            return f"居住状态是{row.residence}，只有{FROM[self.kind]}的人可以登记"
        if self.kind == EventKind.HUKOU_CHANGE:
            new = [(k, values[k]) for k in ("hukou", "hukou_region_code") if values[k]]
            if all(getattr(row, k) == value for k, value in new):
                return "户口本来就是这样"
        return ""


def load() -> None:
    """Register the acts of the residents' list. Called once, by ready()."""
    for kind, label, form, effect, order in (
        (EventKind.OUTFLOW, "批量流出", OutflowForm, "登记为流出", 10),
        (EventKind.RETURN, "批量返回", DayForm, "登记为返回，居住状态改为常住", 11),
        (EventKind.HUKOU_CHANGE, "批量户口变更", HukouForm, "登记户口变更", 12),
    ):
        batch = Batch(kind)
        acts.register(
            Act(
                "residents",
                kind.value.replace("_", "-"),
                label,
                Permission.REGISTRY_EDIT,
                form=form,
                check=batch.check,
                apply=batch.apply,
                effect=effect,
                order=order,
                most=MOST,
            )
        )
