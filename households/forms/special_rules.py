"""What the office asks of contacts, from which day, and by which document."""

from datetime import date

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import helper, section, third, whole
from households.models import CareRule, ContactKind

FIELDS = (
    "contacts_required", "kinds_required", "contacts_per_month", "visits_per_year", "archive_age",
    "overdue_days", "hotline", "document",
)  # fmt: skip


class RuleForm(forms.Form):
    """One rule. It begins with what counts today."""

    from_on = FlexibleDateField(label="生效日期")
    document = forms.CharField(label="依据文件", max_length=100, help_text="如博西办发〔2018〕16号")
    hotline = forms.CharField(
        label="服务电话", max_length=30, required=False, help_text="印在联系知情卡上；不填用上级的"
    )
    contacts_required = forms.IntegerField(label="每户联系人（名）", min_value=1, max_value=9)
    kinds_required = forms.MultipleChoiceField(
        label="其中须有",
        choices=ContactKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="勾选的每一类至少一名；双岗勾街道领导和村居干部。",
    )
    contacts_per_month = forms.IntegerField(label="每月至少联系（次）", min_value=1, max_value=9)
    visits_per_year = forms.IntegerField(label="每年至少走访慰问（次）", min_value=0, max_value=99)
    archive_age = forms.IntegerField(
        label="建档年龄（女方，周岁）", min_value=18, max_value=60, help_text="满这个年龄起应当建档"
    )
    overdue_days = forms.IntegerField(
        label="逾期几天后报审核",
        min_value=0,
        max_value=90,
        help_text="月底还没联系的，过几天转审核岗",
    )

    def __init__(self, data=None, *, rule: CareRule, today: date):
        initial = {name: getattr(rule, name) for name in FIELDS if name != "document"}
        super().__init__(data, initial={"from_on": today, **initial})
        first = today.replace(day=1)
        self.fields["from_on"].help_text = f"最早{first}，以前的月份仍按当时的要求计算"
        self.helper = helper(
            section("从哪天起、依据", *map(third, ("from_on", "document", "hotline"))),
            section("联系人", third("contacts_required"), whole("kinds_required")),
            section(
                "联系和建档",
                *map(
                    third, ("contacts_per_month", "visits_per_year", "overdue_days", "archive_age")
                ),
            ),
        )

    def values(self) -> dict:
        """As services.set_care_rule takes them."""
        return {name: self.cleaned_data[name] for name in FIELDS}

    def lines(self, rule: CareRule) -> list[tuple[str, str, str]]:
        """(label, what counts today, what is to count) of everything."""
        return [
            (
                str(self.fields[name].label),
                _word(getattr(rule, name)),
                _word(self.cleaned_data[name]),
            )
            for name in FIELDS
        ]


def _word(value) -> str:
    return "、".join(value) if isinstance(value, list) else str(value)
