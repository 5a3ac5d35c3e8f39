"""Forms of 见面核实: a meeting, and what came of money that was not received."""

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from subsidies.models import Meeting

ALIVE, DEAD = "alive", "dead"


class MeetingForm(forms.Form):
    """What was found: alive or not, whether the money came, what the person needs."""

    met_on = FlexibleDateField(label="见面日期")
    is_alive = forms.ChoiceField(
        label="是否健在", choices=[(ALIVE, "健在"), (DEAD, "已去世")], widget=forms.RadioSelect
    )
    died_on = FlexibleDateField(
        label="死亡日期", required=False, help_text="已去世的填。不清楚的可以不填。"
    )
    delivered = forms.ChoiceField(
        label="资金是否收到",
        choices=Meeting.Delivered.choices,
        required=False,
        widget=forms.RadioSelect,
    )
    difficulties = forms.CharField(
        label="困难和诉求",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    note = forms.CharField(
        label="说明",
        max_length=300,
        required=False,
        help_text="例如：由子女代答，银行卡由谁保管。",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    @staticmethod
    def initial_of(meeting: Meeting) -> dict:
        """What the form shows of a meeting."""
        names = ("met_on", "died_on", "delivered", "difficulties", "note")
        return {name: getattr(meeting, name) for name in names} | {
            "is_alive": ALIVE if meeting.is_alive else DEAD
        }

    def values(self) -> dict:
        """What services.meetings takes."""
        return self.cleaned_data | {"is_alive": self.cleaned_data["is_alive"] == ALIVE}


class SettleForm(forms.Form):
    """What came of it."""

    outcome = forms.CharField(
        label="查实情况",
        max_length=300,
        help_text="例如：查银行流水，10月22日已入账，本人没有看到短信。",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
