"""What is typed about money asked back: a proposal, a decision, money that came back."""

from datetime import date
from decimal import Decimal

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from subsidies.models import PaymentLine, Recovery

Reason = Recovery.Reason
HOW = [("no", "本人或家属退还"), ("yes", "从以后同一政策的发放中抵扣，每次最多扣一半")]


def _yuan(label: str, **options) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=12, decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **options,
    )  # fmt: skip


class ProposeForm(forms.Form):
    """How much of one payment is asked back, why and how."""

    reason = forms.ChoiceField(label="原因", choices=[], widget=forms.RadioSelect)
    amount = _yuan("应追回（元）")
    by_deduction = forms.ChoiceField(label="怎么追回", choices=HOW, widget=forms.RadioSelect)
    note = forms.CharField(
        label="依据", max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="写明查到的情况和材料。审核人据此判断。",
    )  # fmt: skip

    def __init__(self, data=None, *, line: PaymentLine, suggested: Decimal, can_deduct: bool):
        late = line.late_paid_on is not None
        reasons = [Reason.LATE_SUCCESS] if late else [Reason.OVERPAID, Reason.WRONG_PERSON]
        usual = {"reason": reasons[0], "amount": suggested, "by_deduction": "no"}
        super().__init__(data, initial=usual)
        self.fields["reason"].choices = [(one.value, one.label) for one in reasons]
        if late or not can_deduct:
            self.fields["by_deduction"].choices = HOW[:1]
            self.fields["by_deduction"].help_text = "这个人以后没有这项政策的发放可以抵扣。"

    def values(self) -> dict:
        """What the service is given."""
        return self.cleaned_data | {"by_deduction": self.cleaned_data["by_deduction"] == "yes"}


class DecisionForm(forms.Form):
    """What another person says of it; the button tells which."""

    note = forms.CharField(
        label="审核意见", max_length=200, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="不同意时必填，写清原因。",
    )  # fmt: skip


class RepayForm(forms.Form):
    """Money that came back."""

    amount = _yuan("到账金额（元）")
    happened_on = FlexibleDateField(label="到账日期")
    document = forms.CharField(label="收款凭证", max_length=100, help_text="如收据、进账单的编号")

    def __init__(self, data=None, *, left: Decimal, today: date):
        super().__init__(data, initial={"amount": left, "happened_on": today})
