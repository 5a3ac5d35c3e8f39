"""The past day that a list or page is asked for."""

import django_filters
from django import forms

from fpadmin import dates
from fpadmin.ui.forms import FlexibleDateField

EARLIEST = 1900


class DayField(FlexibleDateField):
    """A day up to today; refused in words where it lies ahead or before anybody was registered."""

    def clean(self, value):
        day = super().clean(value)
        if day and day > dates.today():
            raise forms.ValidationError(
                f"{day.year}年{day.month}月{day.day}日还没有到，只能看今天和以前的情况。"
            )
        if day and day.year < EARLIEST:
            raise forms.ValidationError(f"{EARLIEST}年以前没有登记，请核对日期。")
        return day


class DayFilter(django_filters.DateFilter):
    """The day of a list; which rows it has then, the list itself knows."""

    field_class = DayField

    def filter(self, qs, value):
        return qs


class DayForm(forms.Form):
    """The day of a page."""

    as_of = DayField(label="时点", required=False)

    def title(self) -> str:
        """What the page then tells: 2018年6月30日的情况; "" without a day."""
        day = self.is_valid() and self.cleaned_data["as_of"]
        return f"{day.year}年{day.month}月{day.day}日的情况" if day else ""
