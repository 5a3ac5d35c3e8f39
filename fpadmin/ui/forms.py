"""Form fields that take what clerks type, and what a service refuses shown on the form."""

from datetime import date

from django import forms
from django.core.exceptions import ValidationError

from fpadmin.dates import parse_day
from fpadmin.errors import RuleViolation
from fpadmin.identity import half_width


def refuse(form: forms.BaseForm, violation: RuleViolation) -> None:
    """Show what a service refused, at its field where the form has it."""
    field = violation.field if violation.field in form.fields else None
    form.add_error(field, violation.message)


class FlexibleDateField(forms.DateField):
    """A day typed in any of the ways that offices write one; shown as 2018-06-29."""

    default_error_messages = {
        "invalid": "“%(value)s”不是一个日期。可写20180629、2018-6-29或2018年6月29日。"
    }
    widget = forms.DateInput(
        format="%Y-%m-%d", attrs={"inputmode": "numeric", "autocomplete": "off"}
    )

    def to_python(self, value):
        if value in self.empty_values or isinstance(value, date):
            return super().to_python(value)
        try:
            found = parse_day(half_width(str(value)).replace(" ", ""))
        except ValueError:
            found = None
        if found is None:
            raise ValidationError(
                self.error_messages["invalid"], code="invalid", params={"value": value}
            )
        return found
