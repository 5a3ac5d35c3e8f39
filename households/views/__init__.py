"""Pages of the registry."""

from datetime import date

from households.forms.as_at import DayForm

# Where the breadcrumb of a conflict begins.
SECTION = ("居民与家庭", "households:resident-list")


def asked_day(request) -> tuple[DayForm, date | None]:
    """The form that asks for a past day, and the day that was asked for; None also if it is wrong."""
    form = DayForm(request.GET if "as_of" in request.GET else None)
    return form, form.cleaned_data["as_of"] if form.is_valid() else None
