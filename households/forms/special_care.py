"""What is typed about the care of a special family; values() gives the fields as the service takes them."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import Q

from fpadmin.accounts.permissions import Permission
from fpadmin.identity import half_width
from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import CLEAR, choose
from households.models import (
    AidReceived,
    Anniversary,
    DoctorContract,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    PriorityKind,
    PriorityService,
    Resident,
    SpecialFamily,
)
from households.services.special_care import RemoveReason

HOSPITALS = "known-hospitals"  # the id of the page's list of hospitals typed before


def _hospital(label: str, *, required: bool = True) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=100,
        required=required,
        widget=forms.TextInput(attrs={"list": HOSPITALS}),
        help_text="同一家医院每次写法一样，汇总才算在一起。",
    )


class CareForm(forms.Form):
    """Base: about one family, empty or showing a row.

    A field `resident` offers the archive's parents, and with `whole_household` everybody of the
    household; as far as the user may see them.
    """

    model: type
    whole_household = False

    def __init__(self, data=None, *, user, family: SpecialFamily, today: date, row=None):
        names = list(self.base_fields)
        initial = {name: getattr(row, name) for name in names if name != "result"} if row else {}
        super().__init__(data, initial=initial)
        self.user, self.row = user, row
        if "resident" in self.fields:
            about = Q(special_archives__family=family)
            if self.whole_household:
                about |= Q(household=family.household_id)
            people = Resident.objects.visible_to(user).living_on(today)
            if row and row.resident_id:
                people = people | Resident.objects.visible_to(user).filter(pk=row.resident_id)
                about |= Q(pk=row.resident_id)
            self.fields["resident"].queryset = people.filter(about).distinct().order_by("pk")

    def values(self) -> dict[str, Any]:
        """The fields to write."""
        return dict(self.cleaned_data)


class CardForm(CareForm):
    """A 方便就医卡."""

    model, whole_household = MedicalCard, True

    number = forms.CharField(label="就医卡号", max_length=40)
    resident = forms.ModelChoiceField(
        label="持卡人", queryset=Resident.objects.none(), required=False, empty_label="全家共用"
    )
    issued_on = FlexibleDateField(label="发卡日期", required=False, help_text="不知道就留空")
    expires_on = FlexibleDateField(label="有效期至", required=False, help_text="长期有效就留空")

    def clean_number(self):
        return half_width(self.cleaned_data["number"]).replace(" ", "")


class PriorityForm(CareForm):
    """One use of a priority."""

    model, whole_household = PriorityService, True

    kind = forms.ChoiceField(label="优先项目", choices=choose(PriorityKind.choices))
    hospital = _hospital("医院")
    used_on = FlexibleDateField(label="使用日期")
    resident = forms.ModelChoiceField(
        label="就医人", queryset=Resident.objects.none(), required=False, empty_label="没有写明"
    )
    note = forms.CharField(
        label="情况", max_length=200, required=False, help_text="不写病情，写服务是否顺利"
    )


class CheckForm(CareForm):
    """A yearly check. What it found is typed here, and read on the health page only."""

    model = HealthCheck

    resident = forms.ModelChoiceField(
        label="体检人", queryset=Resident.objects.none(), empty_label="请选择"
    )
    checked_on = FlexibleDateField(label="体检日期")
    hospital = _hospital("体检机构", required=False)
    result = forms.CharField(
        label="体检结果",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="只在“健康情况”页显示，打开那一页有记录",
    )

    def __init__(self, data=None, **kwargs):
        super().__init__(data, **kwargs)
        if not self.user.may(Permission.SPECIAL_HEALTH):
            del self.fields["result"]
        elif self.row and self.row.result:
            self.fields["result"].help_text = f"已登记，不在这里显示。留空不变；写“{CLEAR}”去掉"

    def values(self):
        values = super().values()
        if self.row and "result" in values:
            typed = values.pop("result")
            if typed:
                values["result"] = "" if typed == CLEAR else typed
        return values


class ContractForm(CareForm):
    """A contract with a family doctor."""

    model = DoctorContract

    resident = forms.ModelChoiceField(
        label="签约人", queryset=Resident.objects.none(), empty_label="请选择"
    )
    institution = forms.CharField(label="签约机构", max_length=100)
    doctor = forms.CharField(label="家庭医生", max_length=50)
    signed_on = FlexibleDateField(label="签约日期")
    until = FlexibleDateField(label="到期日期", help_text="协议上的最后一天")


class InsuranceForm(CareForm):
    """A nursing insurance."""

    model = NursingInsurance

    insurer = forms.CharField(label="保险公司", max_length=100, required=False)
    policy_number = forms.CharField(label="保单号", max_length=60, required=False)
    starts_on = FlexibleDateField(label="起保日期", required=False)
    ends_on = FlexibleDateField(label="到期日期", required=False)


class AidForm(CareForm):
    """A benefit or aid received."""

    model, whole_household = AidReceived, True

    name = forms.CharField(label="待遇或救助", max_length=100)
    received_on = FlexibleDateField(label="享受日期")
    amount = forms.DecimalField(
        label="金额（元）", max_digits=12, decimal_places=2, required=False, help_text="实物就留空"
    )
    resident = forms.ModelChoiceField(
        label="受助人", queryset=Resident.objects.none(), required=False, empty_label="全家"
    )
    note = forms.CharField(label="说明", max_length=200, required=False)


class AnniversaryForm(CareForm):
    """A day that the family asked the office to remember."""

    model = Anniversary

    title = forms.CharField(
        label="名称", max_length=60, help_text="用家里人的说法，联系人会看到，如“老戴的生日”"
    )
    month = forms.TypedChoiceField(
        label="月", choices=choose([(n, f"{n}月") for n in range(1, 13)]), coerce=int
    )
    day = forms.TypedChoiceField(
        label="日", choices=choose([(n, f"{n}日") for n in range(1, 32)]), coerce=int
    )
    note = forms.CharField(
        label="注意事项", max_length=200, required=False, help_text="如上午不要打电话"
    )


class EndForm(forms.Form):
    """From when a contract is in force no longer."""

    ended_on = FlexibleDateField(label="终止日期")


class EndCardForm(forms.Form):
    """From when a card counts no longer, and why."""

    ended_on = FlexibleDateField(label="停用日期")
    reason = forms.CharField(label="停用原因", max_length=100)


class ReplaceCardForm(forms.Form):
    """The card that takes the place of another."""

    number = forms.CharField(label="新卡号", max_length=40)
    day = FlexibleDateField(label="换卡日期")
    expires_on = FlexibleDateField(label="有效期至", required=False, help_text="长期有效就留空")

    clean_number = CardForm.clean_number


class RemoveForm(forms.Form):
    """Why a row should not be."""

    reason = forms.ChoiceField(label="删除原因", choices=choose(RemoveReason.choices))
