"""What is typed of wages, pensions, exam points, stages and the village workers' sheet."""

from datetime import date

from django import forms

from fpadmin.accounts.models import Region
from fpadmin.ui.choices import NamedField
from fpadmin.ui.forms import FlexibleDateField
from households import selectors
from households.forms.base import choose
from subsidies.forms.enrolments import MonthField
from subsidies.models import ExamPoints, PensionCase, StipendLine, StipendSheet
from subsidies.oneoff.grades import grades_for
from subsidies.oneoff.stages import school_year
from subsidies.oneoff.stipends import MOST_MONTHS, Worker, by_rule, is_special

CORRECTS = "更正：原来登记有误"


class WageForm(forms.Form):
    """The average wage of a place in a year."""

    region = NamedField(label="市或县（区）", queryset=Region.objects.none(), empty_label=None)
    year = forms.IntegerField(label="年度", min_value=1990, max_value=2100)
    amount = forms.DecimalField(
        label="年平均工资（元）", min_value=0, max_digits=8, decimal_places=2,
        help_text="统计部门公布的在岗职工年平均工资",
    )  # fmt: skip
    document = forms.CharField(label="依据文件", max_length=100)
    corrects = forms.BooleanField(
        label=CORRECTS, required=False, help_text="这一年已登记过、要改的才勾选；原来的保留备查"
    )

    def __init__(self, data=None, *, user, today: date):
        super().__init__(data, initial={"year": today.year - 1})
        places = Region.objects.visible_to(user).filter(level__lte=Region.Level.COUNTY)
        self.fields["region"].queryset = places.order_by("path")


class PensionForm(forms.ModelForm):
    """What one pension rests on."""

    retired_month = MonthField(label="退休年月", help_text="标准按退休上一年的平均工资计算")
    payer = forms.ChoiceField(label="发放渠道", choices=choose(PensionCase.Payer.choices))

    class Meta:
        model = PensionCase
        fields = ("retired_month", "payer", "employer", "part")
        help_texts = {
            "employer": "由单位发放的要填",
            "part": "如第七批；以后也可以在名单上批量放入",
        }

    @staticmethod
    def initial_of(case: PensionCase) -> dict:
        """The facts as the form shows them, for two edits at once."""
        return {name: getattr(case, name) for name in PensionForm.Meta.fields}


class IdentityForm(forms.Form):
    """On which day the identity was checked."""

    checked_on = FlexibleDateField(label="核对日期", help_text="本人到场、核对身份证件的那一天")


class PartForm(forms.Form):
    """The batch that many pensions are put into."""

    part = forms.CharField(label="批次", max_length=40, help_text="如第七批")

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)


class ExamForm(forms.ModelForm):
    """The exam of one candidate; its points follow from it."""

    exam = forms.ChoiceField(
        label="考试和加分", choices=ExamPoints.Exam.choices, widget=forms.RadioSelect
    )
    corrects = forms.BooleanField(
        label=CORRECTS, required=False, help_text="要改成较低的加分时才勾选"
    )

    class Meta:
        model = ExamPoints
        fields = ("exam", "year", "school")

    def __init__(self, *args, lowers: bool, **kwargs):
        super().__init__(*args, **kwargs)
        if not lowers:
            del self.fields["corrects"]

    @staticmethod
    def initial_of(points: ExamPoints) -> dict:
        """What is recorded as the form shows it, for two edits at once."""
        return {name: getattr(points, name) for name in ExamForm.Meta.fields}


class GradeForm(forms.Form):
    """The grade, stage or class of lines that have none."""

    grade = forms.ChoiceField(label="等级、学段或类别")

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)
        self.fields["grade"].choices = choose([(one, one) for one in grades_for(rows)])


class StageForm(forms.Form):
    """The end of the stage of many pupils."""

    month = MonthField(
        label="最后发放年月", help_text="一般是上一年12月：新学段从入学当年1月起享受"
    )
    note = forms.CharField(label="情况说明", max_length=300, initial="学段期满，升入下一学段")

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data, initial={"month": date(school_year(asked.day) - 1, 12, 1)})


class StipendForm(forms.ModelForm):
    """A new sheet: year, monthly rate, document."""

    class Meta:
        model = StipendSheet
        fields = ("year", "monthly", "document")


class SheetForm(forms.ModelForm):
    """Rate and document of a sheet in the draft."""

    class Meta:
        model = StipendSheet
        fields = ("monthly", "document")


class WorkerForm(forms.Form):
    """One worker; a row without a name is none. The account is never sent back."""

    line = forms.IntegerField(required=False, widget=forms.HiddenInput)
    village = NamedField(
        label="村（社区）", queryset=Region.objects.none(), required=False, empty_label="请选择"
    )
    name = forms.CharField(label="姓名", max_length=50, required=False)
    months = forms.IntegerField(
        label="月数", min_value=0, max_value=MOST_MONTHS, required=False, initial=MOST_MONTHS
    )
    appraisal = forms.ChoiceField(
        label="考核", choices=StipendLine.Appraisal.choices, initial=StipendLine.Appraisal.PASSED,
        required=False,
    )  # fmt: skip
    amount = forms.DecimalField(
        label="金额", min_value=0, max_digits=10, decimal_places=2, required=False
    )
    bank = forms.CharField(label="开户行", max_length=60, required=False)
    account = forms.CharField(label="账号", max_length=40, required=False)
    note = forms.CharField(label="说明", max_length=200, required=False)
    drop = forms.BooleanField(label="去掉", required=False)

    def __init__(self, *args, villages, masks, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["village"].queryset = villages
        known = masks.get(self.initial.get("line"), "")
        for name, size in (("months", 3), ("amount", 9)):  # a number's arrows leave no room for it
            attrs = {"inputmode": "decimal", "size": size}
            self.fields[name].widget = forms.TextInput(attrs=attrs)
        self.fields["amount"].widget.attrs["placeholder"] = self.initial.get("due", "")
        self.fields["account"].widget.attrs |= {
            "placeholder": known, "autocomplete": "off", "inputmode": "numeric",
        }  # fmt: skip

    def clean_account(self) -> str:
        typed = self.cleaned_data["account"].replace(" ", "")
        if typed and not (typed.isascii() and typed.isdigit() and 8 <= len(typed) <= 30):
            raise forms.ValidationError("账号应为8到30位数字。")
        return typed

    def clean(self):
        values = super().clean()
        if values.get("name") and not values.get("village") and "village" not in self.errors:
            self.add_error("village", "请选择村（社区）。")
        return values

    def worker(self) -> Worker | None:
        """The worker as the service takes it; None of an empty row or one to be dropped."""
        data = self.cleaned_data  # empty of a row that nobody touched
        if data.get("drop") or not data.get("name", "").strip():
            return None
        months = data["months"]
        return Worker(
            data["village"], data["name"].strip(), MOST_MONTHS if months is None else months,
            data["appraisal"] or StipendLine.Appraisal.PASSED, data["amount"], data["bank"],
            data["account"] or (None if data["line"] else ""), data["note"], data["line"],
        )  # fmt: skip


WorkerFormSet = forms.formset_factory(WorkerForm, extra=2, max_num=200)


def worker_forms(data, *, sheet: StipendSheet, lines, masks, user, today: date):
    """The rows of a sheet with two empty ones; an amount by the rule stays empty and follows it."""
    initial = [
        {
            "line": line.pk, "village": line.village_id, "name": line.name, "months": line.months,
            "appraisal": line.appraisal, "bank": line.bank, "note": line.note,
            "due": by_rule(line.months, line.appraisal, sheet.monthly),
            "amount": line.amount if is_special(line, sheet.monthly) else None,
        }
        for line in lines
    ]  # fmt: skip
    villages = selectors.villages_of(user, today).filter(path__startswith=sheet.office.path)
    return WorkerFormSet(
        data, initial=initial, prefix="w", form_kwargs={"villages": villages, "masks": masks}
    )


class PaidForm(forms.Form):
    """On which day the sheet was paid."""

    paid_on = FlexibleDateField(label="发放日期")


class StipendDecisionForm(forms.Form):
    """What the approver says of a sheet: the button tells which."""

    note = forms.CharField(
        label="退回原因", max_length=200, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="退回时必填，写清哪里不对。",
    )  # fmt: skip
