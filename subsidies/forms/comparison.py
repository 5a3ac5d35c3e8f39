"""The desk's forms: who is handed a difference, the verdict with its proof, and the end of a line."""

import re
from datetime import date

from django import forms

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Role
from fpadmin.identity import half_width
from subsidies.comparison.rules import ACTIONS
from subsidies.models import Difference, ExitReason

Verdict = Difference.Verdict
PROOF_HELP = "看了什么材料、问了谁、哪一天，例如：2018-10-08看死亡证明，向家属核实。"
_MONTH = re.compile(r"(\d{4})\D{0,2}(\d{1,2})\D?")
VERDICTS = [
    (Verdict.RIGHT, "我方有误：名单对，要更正我方的登记或在册"),
    (Verdict.UNFOUNDED, "名单有误：我方登记是对的"),
    (Verdict.SAME, "核实无误：两边都对，不影响享受"),
]


class AssignForm(forms.Form):
    """Who verifies them."""

    owner = forms.ModelChoiceField(
        label="承办人", queryset=User.objects.none(), empty_label="请选择",
        help_text="镇办经办，或所在村的宣传员。宣传员只能看到本村的差异。",
    )  # fmt: skip

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)
        villages = {row.resident.village_id for row in rows}
        people = User.objects.visible_to(asked.user).filter(is_active=True)
        here = people.filter(role=Role.CLERK) | people.filter(
            role=Role.PROPAGANDIST, region__in=villages
        )
        field = self.fields["owner"]
        field.queryset = here.select_related("region").order_by("region__level", "name", "pk")
        field.label_from_instance = lambda user: (
            f"{user.name}（{user.region.name}{user.get_role_display()}）"
        )


class JudgeManyForm(forms.Form):
    """One verdict and one proof for all."""

    verdict = forms.ChoiceField(
        label="核实结论", choices=[("", "请选择"), *Verdict.choices],
        help_text="我方有误的，结论以后还要逐件更正。",
    )  # fmt: skip
    proof = forms.CharField(label="依据", max_length=300, help_text=PROOF_HELP)

    def __init__(self, data=None, *, asked, rows):
        super().__init__(data)


class JudgeForm(forms.Form):
    """The verdict on one difference, its proof, and how a mistake of ours is mended."""

    verdict = forms.ChoiceField(label="核实结论", choices=VERDICTS, widget=forms.RadioSelect)
    proof = forms.CharField(
        label="依据", max_length=300, help_text=PROOF_HELP, widget=forms.Textarea(attrs={"rows": 3})
    )
    action = forms.ChoiceField(
        label="我方有误时怎样更正", required=False, help_text="保存以后直接转到办理的页面。"
    )

    def __init__(self, data=None, *, difference: Difference, actions: list[str]):
        super().__init__(data)
        self.fields["action"].choices = [
            ("", "以后再办"), *((key, ACTIONS[key]) for key in actions)
        ]  # fmt: skip

    def clean(self):
        values = super().clean()
        if values.get("verdict") != Verdict.RIGHT:
            values["action"] = ""
        return values


class EndForm(forms.Form):
    """The last month paid and why; of a pair also which of the two lines ends."""

    line = forms.ChoiceField(label="退出哪一份", widget=forms.RadioSelect)
    month = forms.CharField(
        label="最后发放年月", max_length=10, help_text="例如2018-12，按政策的止发规定核对。",
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )  # fmt: skip
    reason = forms.ChoiceField(label="退出原因", choices=ExitReason.choices)

    def __init__(self, data=None, *, lines: list[tuple[str, str]], month: date, reason: str):
        super().__init__(data, initial={"month": f"{month:%Y-%m}", "reason": reason})
        self.fields["line"].choices = lines
        self.fields["line"].initial = lines[0][0]

    def clean_month(self):
        typed = half_width(self.cleaned_data["month"]).replace(" ", "")
        found = _MONTH.fullmatch(typed)
        if not found or not 1 <= int(found[2]) <= 12 or not 2000 <= int(found[1]) <= 2100:
            raise forms.ValidationError(f"“{typed}”不是一个年月。可写2018-12或2018年12月。")
        return date(int(found[1]), int(found[2]), 1)
