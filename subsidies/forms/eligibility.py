"""What the pages of who qualifies are asked: which policy, as of which day."""

from datetime import date

import django_filters
from django import forms

from fpadmin import dates
from fpadmin.ui.forms import FlexibleDateField

EARLIEST = date(2004, 1, 1)  # before it no policy of the catalogue began
YEARS_AHEAD = 10


class AsOfField(FlexibleDateField):
    """A day that a rule can be asked for: also one ahead, since a year's roll is made before its end."""

    def clean(self, value):
        day = super().clean(value)
        if day and day < EARLIEST:
            raise forms.ValidationError("2004年以前没有这些政策，请核对日期。")
        if day and day.year > dates.today().year + YEARS_AHEAD:
            raise forms.ValidationError(f"最多看以后{YEARS_AHEAD}年的情况，请核对日期。")
        return day


class AsOfFilter(django_filters.DateFilter):
    """The day that a list is asked for; which rows it has then, the list itself knows."""

    field_class = AsOfField

    def filter(self, qs, value):
        return qs


class QuestionForm(forms.Form):
    """The policy and the day of one person's page; `choices` are the policies that may be named."""

    policy = forms.ChoiceField(label="政策")
    as_of = AsOfField(label="核查时点", required=False)

    def __init__(self, data, *, choices):
        super().__init__(data)
        self.fields["policy"].choices = choices
