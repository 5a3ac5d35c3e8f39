"""What the look-ahead and the what-if are asked."""

from datetime import date

from django import forms

from fpadmin.accounts.models import Region
from fpadmin.ui.choices import LongSelect, NamedField
from fpadmin.ui.forms import FlexibleDateField
from households import selectors
from households.forms.base import helper, section, third, whole
from subsidies.forms.eligibility import AsOfField
from subsidies.outlook.asking import Wanted, offered, townships_of
from subsidies.outlook.whatif import Change
from subsidies.policies.book import PolicyBook, Rule
from subsidies.policies.catalogue import Criterion
from subsidies.policies.parameters import (
    DAY,
    NUMBER,
    PARAMETERS,
    fault_of,
    values_of,
    with_values,
)
from subsidies.policies.terms import grades_of, rate_words


class OutlookForm(forms.Form):
    """The policy and the place; who stands above the townships chooses one of them."""

    policy = forms.ChoiceField(label="政策")
    town = NamedField(
        queryset=Region.objects.none(), label="乡镇（街道）", required=False, empty_label="请选择"
    )
    village = NamedField(
        queryset=Region.objects.none(), label="村（社区）", required=False, empty_label="全部"
    )

    def __init__(self, data, *, user, today, want: Wanted | None):
        data = data.copy()
        if want:
            data["policy"] = want.code
        super().__init__(data)
        self.fields["policy"].choices = offered(user, today)
        self.fields["town"].queryset = townships_of(user, today)
        self.fields["village"].queryset = selectors.villages_of(user, today)
        self.fields["village"].widget = LongSelect(choices=self.fields["village"].choices)
        if user.region.level >= Region.Level.TOWNSHIP:
            del self.fields["town"]
        if user.region.level >= Region.Level.VILLAGE:
            del self.fields["village"]


class ScenarioForm(forms.Form):
    """What to change on the copy of a rule: every age, day and number of its criteria, and the amounts.

    It begins with what holds; an amount left empty stays as it is.
    """

    as_of = AsOfField(label="测算时点")

    def __init__(self, data=None, *, rule: Rule, book: PolicyBook, path: str, today: date):
        super().__init__(data, initial={"as_of": book.day})
        self.rule, self.today = rule, today
        self.fields["as_of"].help_text = "年龄按这一天算，金额按这一年算"
        self.asked: dict[str, tuple[Criterion, str]] = {}
        for criterion in rule.criteria:
            self._add_criterion(criterion)
        self.amounts: dict[str, str] = {}
        if not rule.policy.in_kind:
            for at, grade in enumerate(grades_of(rule.policy)):
                self._add_amount(f"amount{at}", grade, book.rate(rule.code, path, grade))
        groups = [section("时点", third("as_of"))]
        if self.asked:
            groups.append(section("条件", *map(third, self.asked)))
        if self.amounts:
            groups.append(section("标准", *map(third, self.amounts)))
        self.helper = helper(*groups)

    def clean_as_of(self):
        if self.cleaned_data["as_of"] < self.today:
            raise forms.ValidationError("测算时点不能早于今天。")
        return self.cleaned_data["as_of"]

    def clean(self):
        data = super().clean()
        if self.errors:
            return data
        for at, criterion in enumerate(criteria := self._criteria()):
            if fault := fault_of(criterion):
                name = _field_name(criterion, fault[0])
                self.add_error(name if name in self.fields else None, fault[1])
            elif values_of(criterion) != values_of(self.rule.criteria[at]):
                data["is_changed"] = True
        rates = {grade: data[n] for n, grade in self.amounts.items() if data[n] is not None}
        if not self.errors and not rates and not data.get("is_changed"):
            raise forms.ValidationError("没有改动。请至少改一个年龄、日期或标准，再测算。")
        data["change"] = Change(criteria, rates)
        return data

    def _criteria(self) -> tuple[Criterion, ...]:
        """The rule's criteria with the values that were typed."""
        typed = {name: self.cleaned_data.get(name) for name in self.asked}
        return tuple(
            with_values(
                one.key,
                {
                    name: typed.get(_field_name(one, name), value)
                    for name, value in values_of(one).items()
                },
            )
            if any(one is asked for asked, _ in self.asked.values())
            else one
            for one in self.rule.criteria
        )

    def _add_criterion(self, criterion: Criterion) -> None:
        known = PARAMETERS[criterion.key]
        values = values_of(criterion)
        for value in known.values:
            if value.kind not in (NUMBER, DAY):
                continue
            name, label = _field_name(criterion, value.name), f"{known.label}：{value.label}"
            options = {"label": label, "required": value.required, "initial": values[value.name]}
            if value.kind == DAY:
                self.fields[name] = FlexibleDateField(**options)
            else:
                low, high = value.between
                self.fields[name] = forms.IntegerField(min_value=low, max_value=high, **options)
            self.asked[name] = criterion, value.name

    def _add_amount(self, name: str, grade: str, rate) -> None:
        words = rate_words(self.rule.policy, rate, grade)
        self.fields[name] = forms.DecimalField(
            label=f"标准（元）　{grade}".strip("　"), required=False, min_value=0, max_digits=12,
            decimal_places=2, help_text=f"现行：{words}。不改就空着",
        )  # fmt: skip
        self.amounts[name] = grade


class KeepForm(forms.Form):
    """Under which name a scenario is kept, and what it is for."""

    name = forms.CharField(label="名称", max_length=60, help_text="如2019年预算：年龄降到55周岁")
    note = forms.CharField(
        label="说明", max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, data=None):
        super().__init__(data)
        self.helper = helper(section("留作预算说明", whole("name"), whole("note")))


def _field_name(criterion: Criterion, value: str) -> str:
    return f"{criterion.key}_{value}" if value else criterion.key
