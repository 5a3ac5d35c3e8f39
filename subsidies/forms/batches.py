"""What is typed about batches of payments: which to make, why one goes back, the password once more."""

from collections.abc import Sequence
from datetime import date

from django import forms

from fpadmin.accounts.forms import PASSWORD_LENGTH
from households.forms.base import choose, helper, section, third, whole
from subsidies.forms.enrolments import MonthField
from subsidies.payments.periods import benefit_months, year_of, year_words
from subsidies.payments.turns import RETURN_PHRASES
from subsidies.policies.catalogue import Policy

YEARS_BACK = 5
_REASON = {
    "label": "原因", "max_length": 200, "widget": forms.Textarea(attrs={"rows": 3}),
}  # fmt: skip


class PolicyForm(forms.Form):
    """Which policy is paid; everything else is asked of it."""

    policy = forms.ChoiceField(label="政策", choices=[])

    def __init__(self, data=None, *, choices):
        super().__init__(data)
        self.fields["policy"].choices = choose(choices)


class BatchForm(forms.Form):
    """One batch of a policy: the year, the months, the part, and the year that counts it."""

    year = forms.TypedChoiceField(label="享受年度", choices=[], coerce=int)
    pay_year = forms.TypedChoiceField(
        label="发放年度", choices=[], coerce=int, help_text="用哪一年的资金发放。"
    )
    from_month = MonthField(label="起始年月", required=False, help_text="不填为年度第一个月。")
    to_month = MonthField(label="截止年月", required=False, help_text="不填为年度最后一个月。")
    part = forms.ChoiceField(label="范围", choices=[], required=False)
    note = forms.CharField(label="说明", max_length=300, required=False)

    def __init__(self, data=None, *, policy: Policy, parts: Sequence[str], today: date):
        super().__init__(data)
        self.policy = policy
        this = year_of(policy, today.replace(day=1))
        self.fields["year"].choices = [
            (str(year), year_words(policy, year)) for year in range(this, this - YEARS_BACK, -1)
        ]
        self.fields["pay_year"].choices = [
            (str(year), f"{year}年") for year in range(today.year + 1, today.year - 3, -1)
        ]
        self.initial |= {"year": str(this), "pay_year": str(today.year)}
        shown = ["year", "pay_year"]
        if policy.cycle == "month":
            shown += ["from_month", "to_month"]
        else:
            del self.fields["from_month"], self.fields["to_month"]
        if parts:
            self.fields["part"].choices = [("", "全部"), *((one, one) for one in parts)]
            shown.append("part")
        else:
            del self.fields["part"]
        self.helper = helper(section("发给谁", *map(third, shown), whole("note")))

    def clean(self):
        data = super().clean()
        if self.errors:
            return data
        months = benefit_months(self.policy, data["year"])
        first, last = data.get("from_month") or months[0], data.get("to_month") or months[-1]
        if not months[0] <= first <= last <= months[-1]:
            self.add_error(
                "to_month",
                f"起止年月应在{months[0]:%Y-%m}至{months[-1]:%Y-%m}之间，起不能晚于止。",
            )
        return data


class ReasonForm(forms.Form):
    """Why a batch is given up."""

    note = forms.CharField(**_REASON)


class ReturnForm(forms.Form):
    """Why a batch goes back: words that come again and again, or one's own."""

    phrase = forms.ChoiceField(
        label="常用原因", choices=[("", "自己填写"), *((one, one) for one in RETURN_PHRASES)],
        required=False, widget=forms.RadioSelect,
    )  # fmt: skip
    note = forms.CharField(**(_REASON | {"label": "补充说明", "required": False}))

    def clean(self):
        data = super().clean()
        if not data.get("phrase") and not data.get("note"):
            self.add_error("note", "请选一条常用原因，或者写明怎么改。")
        return data

    def reason(self) -> str:
        """Both together, as the record keeps them."""
        return f"{self.cleaned_data['phrase']}{self.cleaned_data['note']}"


class HoldForm(forms.Form):
    """Why a line stays out of the payment."""

    reason = forms.CharField(**_REASON)


class HoldManyForm(HoldForm):
    """One reason for all of them."""

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)


class AgreeForm(forms.Form):
    """That the list is right: the digest of the list that was on the screen."""

    sha256 = forms.CharField(max_length=64, widget=forms.HiddenInput)


class PasswordForm(forms.Form):
    """One's own password once more."""

    password = forms.CharField(
        label="您的登录密码",
        max_length=PASSWORD_LENGTH,
        strip=False,
        help_text="再输一次，确认是您本人办理。",
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ApproveForm(PasswordForm, AgreeForm):
    """Both: the money is released by it."""
