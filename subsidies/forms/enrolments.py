"""What is typed about the rolls: a month, a change proposed for one line or for many, a decision."""

from datetime import date

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from fpadmin.dates import parse_day
from fpadmin.identity import half_width
from households.forms.base import choose
from subsidies.forms.eligibility import AsOfField
from subsidies.models import Enrolment, EnrolmentChange, ExitReason
from subsidies.rolls import proposing

Kind = EnrolmentChange.Kind
NOTE_HINT = "写明依据，如村里核实的时间、经手人、材料。审核人据此判断。"


class MonthField(forms.Field):
    """A month typed as offices write one; its first day. Shown as 2018-06."""

    default_error_messages = {
        "invalid": "“%(value)s”不是一个年月。可写2018-06、201806或2018年6月。"
    }
    widget = forms.TextInput(
        attrs={"inputmode": "numeric", "autocomplete": "off", "maxlength": "20"}
    )

    def prepare_value(self, value):
        return f"{value:%Y-%m}" if isinstance(value, date) else value

    def to_python(self, value):
        if value in self.empty_values:
            return None
        if isinstance(value, date):
            return value.replace(day=1)
        text = half_width(str(value)).replace(" ", "").removesuffix("月")
        whole = f"{text}01" if len(text) == 6 and text.isdigit() else f"{text.rstrip('-/.')}-01"
        try:
            found = parse_day(whole.replace("年", "-").replace("/", "-").replace(".", "-"))
        except ValueError:
            found = None
        if found is None or found.year < 1973:
            raise ValidationError(
                self.error_messages["invalid"], code="invalid", params={"value": value}
            )
        return found


class DayOfRollFilter(django_filters.DateFilter):
    """The day of a roll; which lines hold then, the list itself knows."""

    field_class = AsOfField

    def filter(self, qs, value):
        return qs


def _month(kind: str) -> MonthField:
    label, hint = proposing.MONTH_WORDS[kind]
    return MonthField(label=label, help_text=hint)


def _note() -> forms.CharField:
    return forms.CharField(
        label="情况说明",
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=NOTE_HINT,
    )


def _reason() -> forms.ChoiceField:
    return forms.ChoiceField(label="退出原因", choices=choose(ExitReason.choices))


class ChangeForm(forms.Form):
    """A change of one kind proposed for one line; END and MOVE need more than the others."""

    end_reason = _reason()
    never_paid = forms.BooleanField(
        label="从未发放",
        required=False,
        help_text="登记有误，一个月也没有发过的，勾选这一项；最后发放年月不用填。",
    )
    note = _note()

    def __init__(self, data=None, *, line: Enrolment, kind: str, **kwargs):
        super().__init__(data, **kwargs)
        self.line, self.kind = line, kind
        self.fields["month"] = _month(kind)
        if kind != Kind.END:
            del self.fields["end_reason"]
        if kind not in (Kind.END, Kind.MOVE):
            del self.fields["never_paid"]
        elif data is not None and data.get("never_paid"):
            self.fields["month"].required = False
        self.order_fields(["end_reason", "month", "never_paid", "note"])

    def values(self) -> dict:
        """What the service is given."""
        asked = self.cleaned_data
        return {
            "kind": self.kind,
            "month": asked["month"] or self.line.start_month,
            "end_reason": asked.get("end_reason", ""),
            "never_paid": asked.get("never_paid", False),
            "note": asked["note"],
        }


class _ManyForm(forms.Form):
    """A change of one kind proposed for many lines, all with the same month."""

    kind: str
    note = _note()

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data, initial={"month": proposing.usual_of_many(self.kind, asked.day)})

    def values(self) -> dict:
        """What the act is given."""
        return {"end_reason": "", **self.cleaned_data}


class EndManyForm(_ManyForm):
    """The end of many lines."""

    kind = Kind.END
    end_reason = _reason()
    month = _month(Kind.END)
    field_order = ["end_reason", "month", "note"]


class SuspendManyForm(_ManyForm):
    """The suspension of many lines."""

    kind = Kind.SUSPEND
    month = _month(Kind.SUSPEND)
    field_order = ["month", "note"]


class ResumeManyForm(_ManyForm):
    """Paying many lines again."""

    kind = Kind.RESUME
    month = _month(Kind.RESUME)
    field_order = ["month", "note"]


class DecisionForm(forms.Form):
    """What the reviewer says of a change: the button tells which."""

    note = forms.CharField(
        label="审核意见",
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="退回时必填，写清哪里不对。",
    )


class RefuseManyForm(forms.Form):
    """One reason for all that go back."""

    note = forms.CharField(label="退回原因", max_length=200, help_text="写清哪里不对，经办会看到。")

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)
