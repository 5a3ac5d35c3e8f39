"""What is typed about a yearly review: which to make, what is decided of a line, a note for many."""

from django import forms

from households.forms.base import choose
from subsidies.forms.enrolments import MonthField
from subsidies.models import ExitReason, ReviewDecision, ReviewLine
from subsidies.reviews.decisions import DECISIONS

_NOTE = {
    "label": "说明", "max_length": 200, "required": False,
    "widget": forms.Textarea(attrs={"rows": 3}),
}  # fmt: skip
PROPOSING = (ReviewDecision.END_PROPOSED, ReviewDecision.MOVE_PROPOSED)


class YearForm(forms.Form):
    """The year that the overview shows, and that a review is made for."""

    year = forms.TypedChoiceField(label="年度", choices=[], coerce=int, required=False)

    def __init__(self, data=None, *, this_year: int):
        super().__init__(data)
        self.fields["year"].choices = [
            (str(year), f"{year}年度") for year in range(this_year, this_year - 5, -1)
        ]


class DecideForm(forms.Form):
    """What is done about one person."""

    decision = forms.ChoiceField(label="处理", choices=[], widget=forms.RadioSelect)
    reason = forms.ChoiceField(
        label="退出原因", choices=choose(ExitReason.choices), required=False,
        help_text="提出退出时必选。",
    )  # fmt: skip
    month = MonthField(label="最后发放年月", required=False, help_text="提出退出或转入时填写。")
    note = forms.CharField(**_NOTE, help_text="与核查结果不同的处理必须写明理由。")

    def __init__(self, data=None, *, line: ReviewLine):
        usual = DECISIONS[line.finding][0]
        super().__init__(
            data, initial={"decision": usual, "reason": line.reason, "month": line.month}
        )
        self.fields["decision"].choices = [
            (one.value, one.label) for one in DECISIONS[line.finding]
        ]
        if not set(DECISIONS[line.finding]) & set(PROPOSING):
            del self.fields["reason"], self.fields["month"]

    def clean(self):
        asked = super().clean()
        if asked.get("decision") == ReviewDecision.END_PROPOSED:
            for name, words in (("reason", "请选择退出原因。"), ("month", "请填写最后发放年月。")):
                if not asked.get(name) and name not in self.errors:
                    self.add_error(name, words)
        return asked


class NoteManyForm(forms.Form):
    """One note for all of them."""

    note = forms.CharField(**_NOTE, help_text="与核查结果不同的处理必须写明理由。")

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)
