"""What is typed about an application: policy, form, a step's opinion, a paper, a print in clear."""

from collections.abc import Sequence
from datetime import date

from django import forms

from fpadmin.ui.forms import FlexibleDateField
from households.forms.base import choose
from households.forms.special_documents import DocumentField
from subsidies.applications.looking import facts_to_attest
from subsidies.applications.steps import RETURN_PHRASES
from subsidies.models import Application, ApplicationPaper
from subsidies.policies.book import Rule

FACT = "fact_"
NO_PHRASE = "不用常用语"


class PolicyForm(forms.Form):
    """Which of the policies that may be applied for."""

    policy = forms.ChoiceField(
        label="政策",
        widget=forms.RadioSelect,
        error_messages={
            "required": "请选择政策。",
            "invalid_choice": "这项政策在这里没有启用，或者您的岗位不能办理。请另选。",
        },
    )

    def __init__(self, data=None, *, rules: Sequence[Rule], **kwargs):
        super().__init__(data, **kwargs)
        self.fields["policy"].choices = [(one.code, one.policy.name) for one in rules]


class ApplicationForm(forms.Form):
    """One application, new or to correct, by the rule of its place.

    `by_hand` is offered where the records don't show that the person qualifies. Each fact that no
    record shows has a field of its own.
    """

    policy = forms.CharField(widget=forms.HiddenInput, required=False)
    applied_on = FlexibleDateField(label="申请日期")
    grade = forms.ChoiceField(label="等级或学段")
    by_hand = forms.BooleanField(
        label="登记情况有误或者还没有更新，先手工登记；县级确认前要把登记改对", required=False
    )
    note = forms.CharField(
        label="申请说明",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="手工登记的写明理由，例如“出生日期登记有误，正在更正”。",
    )

    def __init__(self, data=None, *, rule: Rule, day: date, offers_by_hand: bool, **kwargs):
        super().__init__(data, **kwargs)
        self.rule, self.day = rule, day
        self.facts = facts_to_attest(rule)
        if rule.policy.grades:
            self.fields["grade"].choices = choose([(one, one) for one in rule.policy.grades])
        else:
            del self.fields["grade"]
        if not offers_by_hand:
            del self.fields["by_hand"]
        for number, what in enumerate(self.facts):
            self.fields[f"{FACT}{number}"] = forms.CharField(
                label=what,
                max_length=100,
                required=False,
                help_text="按证明材料填写：结果、出具单位、日期或文号。提交前要填。",
            )

    def fact_fields(self) -> list:
        """The bound fields of the facts to attest."""
        return [self[f"{FACT}{number}"] for number in range(len(self.facts))]

    def clean_applied_on(self) -> date:
        day = self.cleaned_data["applied_on"]
        if day > self.day:
            raise forms.ValidationError(f"申请日期{day}在今天（{self.day}）之后，请核对。")
        return day

    def clean(self):
        values = super().clean()
        if values.get("by_hand") and not values.get("note") and "note" not in self.errors:
            self.add_error("note", "手工登记要写明理由。")
        return values

    def values(self) -> dict:
        """What the services take."""
        return {
            "applied_on": self.cleaned_data["applied_on"],
            "grade": self.cleaned_data.get("grade", ""),
            "note": self.cleaned_data["note"],
            "by_rule": not self.cleaned_data.get("by_hand", False),
            "attested": {
                what: self.cleaned_data[f"{FACT}{number}"] for number, what in enumerate(self.facts)
            },
        }

    def initial_of(self, application: Application) -> dict:
        """What the form shows of the application."""
        return application_values(application, self.facts)


def application_values(application: Application, facts: Sequence[str]) -> dict:
    """The application as ApplicationForm's initial values, for these facts to attest."""
    return {
        "policy": application.policy_code,
        "applied_on": application.applied_on,
        "grade": application.grade,
        "note": application.note,
        "by_hand": not application.by_rule,
    } | {f"{FACT}{number}": application.attested.get(what, "") for number, what in enumerate(facts)}


class OpinionForm(forms.Form):
    """What somebody says at a step: with 退回 and 不予确认 it is the reason."""

    phrase = forms.ChoiceField(
        label="常用语", choices=choose([(one, one) for one in RETURN_PHRASES], NO_PHRASE),
        required=False,
    )  # fmt: skip
    opinion = forms.CharField(
        label="意见",
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="退回时写清哪里不对、怎么改，经办人会看到。通过时可以不填。",
    )

    def words(self) -> str:
        """Phrase and opinion as one."""
        return f"{self.cleaned_data['phrase']}{self.cleaned_data['opinion']}"


class PaperForm(forms.Form):
    """Kind, name and file of a paper."""

    kind = forms.ChoiceField(label="材料类别", error_messages={"required": "请选择材料类别。"})
    title = forms.CharField(
        label="名称",
        max_length=80,
        required=False,
        help_text="例如“户口簿首页”。不填时用类别的名称。",
    )
    file = DocumentField()

    def __init__(self, *args, kinds: Sequence[str], **kwargs):
        super().__init__(*args, **kwargs)
        offered = [(kind, ApplicationPaper.Kind(kind).label) for kind in kinds]
        self.fields["kind"].choices = choose(offered)

    def values(self) -> dict:
        """What the service takes."""
        kind = self.cleaned_data["kind"]
        return {
            "kind": kind,
            "title": self.cleaned_data["title"] or ApplicationPaper.Kind(kind).label,
            "paper": self.cleaned_data["file"],
        }


class ClearPrintForm(forms.Form):
    """What whole numbers on a paper are needed for."""

    PURPOSES = ("报县级主管", "送银行核对账户", "存入纸质档案", "其他")
    purpose = forms.ChoiceField(label="用途", choices=[(one, one) for one in PURPOSES])
