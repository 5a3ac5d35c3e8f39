"""What is typed about yearly reviews: which to make, what is decided of a line, which roster to print."""

from datetime import date

from django import forms

from fpadmin.accounts.models import Region
from households.forms.base import choose
from subsidies.forms.enrolments import MonthField
from subsidies.models import ExitReason, ReviewDecision, ReviewLine
from subsidies.policies import catalogue
from subsidies.policies.seeing import codes_for
from subsidies.reviews.decisions import DECISIONS
from subsidies.reviews.roster import KINDS, ROSTER
from subsidies.reviews.turnover_list import years

_NOTE = {
    "label": "说明", "max_length": 200, "required": False,
    "widget": forms.Textarea(attrs={"rows": 3}),
}  # fmt: skip
# What is about to be done; the choices' own labels say that it was.
DOING = {
    ReviewDecision.KEPT: "继续享受", ReviewDecision.END_PROPOSED: "提出退出",
    ReviewDecision.MOVE_PROPOSED: "提出转入", ReviewDecision.APPLIED: "转为申请",
    ReviewDecision.LEFT_OUT: "不办理",
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
            (one.value, DOING[one]) for one in DECISIONS[line.finding]
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


class RosterForm(forms.Form):
    """Which paper, of which policy, place and year: of those that the user may know of."""

    kind = forms.ChoiceField(label="名单", choices=list(KINDS.items()))
    policy = forms.ChoiceField(label="政策", choices=[])
    year = forms.TypedChoiceField(label="年度", choices=[], coerce=int)
    place = forms.ChoiceField(label="乡镇、村（社区）", choices=[])

    def __init__(self, data=None, *, user, today: date, policy: str = ""):
        super().__init__(data, initial={"kind": ROSTER, "year": str(today.year), "policy": policy})
        there = Region.objects.visible_to(user).valid_on(today)
        levels = (Region.Level.TOWNSHIP, Region.Level.VILLAGE)
        self.places = {one.code: one for one in there.filter(level__in=levels).order_by("code")}
        self.fields["policy"].choices = choose(
            (code, catalogue.name_of(code)) for code in codes_for(user)
        )
        self.fields["year"].choices = years(today)
        self.fields["place"].choices = [
            (code, f"{one.name}（全部）" if one.level == Region.Level.TOWNSHIP else one.name)
            for code, one in self.places.items()
        ]

    def clean_place(self):
        return self.places[self.cleaned_data["place"]]
