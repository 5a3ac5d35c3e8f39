"""Forms of the bank's answers: how an exception is settled, and what the bank said of one payment."""

from collections.abc import Sequence

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from subsidies.bank_returns.ways import OUTCOMES, Way
from subsidies.models import LineState, PaymentLine, ReturnException

Resolution = ReturnException.Resolution
_LABELS = {
    LineState.PAID: "已入账", LineState.FAILED: "失败，没有入账",
    LineState.RETURNED: "退票：入账以后又退回",
}  # fmt: skip
NOTE_HELP = "问了银行哪位、看了什么凭证、哪一天，例如：10月12日问农信社李会计，看了流水。"


class ResolveForm(forms.Form):
    """The way out, what it needs to know, and how it was found out."""

    resolution = forms.ChoiceField(label="核实结果", choices=[], widget=forms.RadioSelect)
    paid_on = FlexibleDateField(label="入账日期", required=False, help_text="已入账的填。")
    reason = forms.CharField(
        label="失败原因", max_length=200, required=False, help_text="没有入账的填，写银行的原话。"
    )
    note = forms.CharField(
        label="怎样核实的", max_length=200, help_text=NOTE_HELP,
        widget=forms.Textarea(attrs={"rows": 3}),
    )  # fmt: skip

    def __init__(self, data=None, *, exception: ReturnException, ways: Sequence[Way]):
        initial = {"paid_on": exception.paid_on, "reason": exception.reason}
        super().__init__(data, initial=initial)
        keys = {way.key for way in ways}
        self.fields["resolution"].choices = [(w.key, f"{w.label}：{w.effect}") for w in ways]
        if not keys & {Resolution.PAID, Resolution.RECALLED}:
            del self.fields["paid_on"]
        if Resolution.FAILED not in keys:
            del self.fields["reason"]
        if len(ways) == 1:
            self.initial["resolution"] = ways[0].key


class LineAnswerForm(forms.Form):
    """What the bank said of one payment."""

    state = forms.ChoiceField(label="银行结果", choices=[], widget=forms.RadioSelect)
    paid_on = FlexibleDateField(label="入账日期", required=False, help_text="已入账的填。")
    reason = forms.CharField(
        label="原因", max_length=200, required=False, help_text="没有入账或退票的填，写银行的原话。"
    )

    def __init__(self, data=None, *, line: PaymentLine):
        super().__init__(data)
        outcomes = OUTCOMES[line.state]
        self.fields["state"].choices = [(one, _LABELS[one]) for one in outcomes]
        if LineState.PAID not in outcomes:
            del self.fields["paid_on"]
        if outcomes == (LineState.PAID,):
            del self.fields["reason"]
        if len(outcomes) == 1:
            self.initial["state"] = outcomes[0]
