"""What a village proposes besides life events: details that move money or counts; and a sent-back reason."""

from typing import Any

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import CLEAR, GRADES, RegistryForm, choose, helper, section, third
from households.models import Resident
from households.presenters import mask_of

PLAIN = ("bank", "disability_grade", "only_child_cert_no", "only_child_cert_date")


class DetailsForm(RegistryForm):
    """Phone, account, certificate and disability of one person; blank numbers stay as they are."""

    identifiers = ("phone", "bank_account")
    clearable = ("phone", "bank_account")

    phone = forms.CharField(label="联系电话", max_length=30, required=False)
    bank = forms.CharField(label="开户行", max_length=60, required=False)
    bank_account = forms.CharField(label="银行账号", max_length=40, required=False)
    only_child_cert_no = forms.CharField(label="独生子女证号", max_length=40, required=False)
    only_child_cert_date = FlexibleDateField(label="领证日期", required=False)
    disability_grade = forms.ChoiceField(
        label="残疾等级", choices=choose(GRADES[1:], "无"), required=False
    )

    def __init__(self, data=None, *, user, today, shown: Resident, **kwargs):
        initial = {name: getattr(shown, name) for name in PLAIN} | kwargs.pop("initial", {})
        super().__init__(data, user=user, today=today, shown=shown, initial=initial, **kwargs)
        names = ("phone", "bank", "bank_account", *PLAIN[1:])
        self.helper = helper(section("资料", *map(third, names)))

    def clean_only_child_cert_date(self):
        day = self.cleaned_data["only_child_cert_date"]
        if day and day > self.today:
            raise forms.ValidationError(f"领证日期不能晚于今天（{self.today}）。")
        return day

    def clean(self):
        values = super().clean()
        if not self.errors and not self.proposed():
            raise forms.ValidationError("没有改动任何内容。")
        return values

    def proposed(self) -> list[str]:
        """The fields that differ from what is stored."""
        numbers = self.identifier_values()
        changed = [n for n, value in numbers.items() if value != getattr(self.shown, n)]
        return changed + [
            n for n in PLAIN if (self.cleaned_data.get(n) or "") != (getattr(self.shown, n) or "")
        ]

    def _shown_value(self, name: str, value) -> str:
        """Somebody else reads the request: a number that was typed is covered too."""
        if name in self.identifiers and value and value != CLEAR:
            return mask_of(name, value)
        return super()._shown_value(name, value)

    def values(self, names: list[str]) -> dict[str, Any]:
        """What the form says of these fields, as services.edit_resident takes it."""
        numbers = self.identifier_values()
        return {n: numbers[n] if n in numbers else self.cleaned_data[n] for n in names}


class RejectForm(forms.Form):
    """Why a request goes back to the village."""

    reason = forms.CharField(
        label="退回原因",
        max_length=200,
        help_text="写清哪里不对、怎么改，村级宣传员会看到。",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
