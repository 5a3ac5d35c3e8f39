"""Which region, day and return a page shows: GET parameters without personal data."""

from django import forms

from fpadmin.accounts.models import Region
from fpadmin.dates import statistical_year_start
from fpadmin.errors import RuleViolation
from fpadmin.reporting import sheets
from fpadmin.reporting.registry import Span


class PlaceForm(forms.Form):
    """The region whose returns are shown: the user's own or one directly below it."""

    region = forms.ModelChoiceField(
        Region.objects.none(), label="单位", to_field_name="code", required=False, empty_label=None
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        own = user.region
        choices = Region.objects.visible_to(user).filter(level__lte=min(own.level + 1, 5))
        self.fields["region"].queryset = choices.order_by("path")
        self.fields["region"].initial = own.code


class AsOfForm(PlaceForm):
    """Indicators of a region as of a day, from the first day of its statistical year by default."""

    start = forms.DateField(label="起始日期", required=False)
    as_of = forms.DateField(label="截止日期", required=False)

    def clean(self):
        data = super().clean()
        if data.get("start") and data.get("as_of") and data["start"] > data["as_of"]:
            self.add_error("start", "起始日期不能晚于截止日期。")
        return data


class FigureForm(forms.Form):
    """The days that a figure's list looks at: those of a return's period, or from and to."""

    returned = forms.CharField(required=False)
    period = forms.CharField(required=False)
    as_of = forms.DateField(required=False)
    start = forms.DateField(required=False)

    def clean(self):
        data = super().clean()
        if data.get("returned"):
            try:
                report = sheets.find_return(data["returned"])
                data["report"], data["span_of"] = report, sheets.period_of(report, data["period"])
            except RuleViolation as problem:
                raise forms.ValidationError(problem.message)
        return data

    def span(self, today) -> Span:
        """The days, with today and its statistical year where nothing is said."""
        data = self.cleaned_data
        if data.get("span_of"):
            return Span(data["span_of"].start, data["span_of"].end)
        as_of = data["as_of"] or today
        return Span(data["start"] or statistical_year_start(as_of), as_of)
