"""What a clerk types about a household."""

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from households import selectors
from households.forms.base import NOT_IN_FORM, RegistryForm, helper, section, third
from households.models import Household


class HouseholdForm(RegistryForm):
    """Register a household, or correct one; its village and number stay once registered."""

    village = forms.ModelChoiceField(label="村（社区）", queryset=None, empty_label=NOT_IN_FORM)
    number = forms.CharField(label="户编号", max_length=30)
    group = forms.CharField(label="小组", max_length=30, required=False, help_text="如3组")
    address = forms.CharField(label="地址", max_length=200, required=False)
    low_income = forms.TypedChoiceField(
        label="低保",
        choices=[("yes", "是"), ("no", "否")],
        coerce=lambda v: v == "yes",
        initial="no",
        widget=forms.RadioSelect,
    )
    low_income_on = FlexibleDateField(
        label="低保变动日期", required=False, help_text="从哪天起享受或停止；新登记时不清楚可不填"
    )

    def __init__(self, data=None, *, user, today, shown=None, **kwargs):
        super().__init__(data, user=user, today=today, shown=shown, **kwargs)
        self.fields["village"].queryset = selectors.villages_of(user, today)
        if shown is not None:
            del self.fields["village"], self.fields["number"]
        names = [n for n in ("village", "number", "group", "address") if n in self.fields]
        self.helper = helper(
            section("家庭", *map(third, names)),
            section("低保", third("low_income"), third("low_income_on")),
        )

    def clean(self):
        values = super().clean()
        village = self.shown.village if self.shown else values.get("village")
        values["group_region"] = None
        if village and values.get("group"):
            values["group_region"] = selectors.find_group(village, values["group"])
            if values["group_region"] is None:
                self.add_error("group", f"{village.name}没有小组“{values['group']}”，请核对。")
        on = values.get("low_income_on")
        if on and on > self.today:
            self.add_error("low_income_on", "日期不能晚于今天。")
        return values

    @classmethod
    def initial_of(cls, household: Household) -> dict:
        drawing = household.low_income_spells.filter(ended_on__isnull=True).exists()
        return {
            "group": household.group.name if household.group else "",
            "address": household.address,
            "low_income": "yes" if drawing else "no",
        }
