"""Which place and month of the ledger a page shows, and why a month is opened again."""

from django import forms

from fpadmin.reporting.forms import PlaceForm
from fpadmin.reporting.selectors import recent_periods
from households.ledger import CLASSES

MONTHS_SHOWN = 36


class LedgerForm(PlaceForm):
    """The unit, the month (the last one that is over, by default) and the class of people."""

    month = forms.ChoiceField(label="月份", required=False)
    who = forms.ChoiceField(label="口径", required=False, choices=list(CLASSES.items()))

    def __init__(self, *args, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.months = {p.code: p for p in recent_periods("month", today, MONTHS_SHOWN)}
        self.fields["month"].choices = [(p.code, p.label) for p in self.months.values()]
        self.fields["month"].initial = list(self.months)[1]
        self.fields["who"].initial = "all"
        if self.is_bound:
            # The page shows the defaults; the choices beside it must say so.
            self.data = self.data.copy()
            for name in ("month", "who"):
                if not self.data.get(name):
                    self.data[name] = self.fields[name].initial

    def chosen(self, name: str):
        """What was asked for, or the default."""
        return self.cleaned_data.get(name) or self.fields[name].initial


class UnlockForm(forms.Form):
    """The reason for which a locked month is opened again."""

    reason = forms.CharField(label="解锁原因", max_length=200)
