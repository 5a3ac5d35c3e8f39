"""What a county enters of a policy: its rule, rates, exclusions, deadlines, and the holiday calendar."""

from datetime import date
from decimal import Decimal

from django import forms

from fpadmin.accounts.models import Region
from fpadmin.ui.forms import FlexibleDateField
from subsidies.policies import catalogue, parameters
from subsidies.policies.book import Rule
from subsidies.policies.catalogue import Criterion, Policy
from subsidies.policies.parameters import CHOICE, CHOICES, DAY, NUMBER, field_of
from subsidies.policies.terms import grades_of, rate_field, shares_fault
from subsidies.services.policies import Setting, Terms

YES, NO = "yes", "no"


class SettingForm(forms.Form):
    """From when and by which document; the base of all that is set for a place."""

    from_on = FlexibleDateField(label="生效日期")
    document = forms.CharField(
        label="依据文件", max_length=100, help_text="如国卫家庭发〔2018〕3号"
    )
    article = forms.CharField(label="条款", max_length=60, required=False, help_text="如第三条")

    def setting(self, region: Region) -> Setting:
        """As the services take it."""
        data = self.cleaned_data
        return Setting(region, data["from_on"], data["document"], data["article"])

    def setting_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("from_on", "document", "article")]


class VersionForm(SettingForm):
    """A policy's whole rule, made of the shipped criteria. It begins with what holds in the place."""

    is_on = forms.ChoiceField(
        label="是否启用", choices=[(YES, "启用"), (NO, "停用")], widget=forms.RadioSelect
    )
    starts = forms.ChoiceField(label="从哪个月起发", choices=catalogue.STARTS.items())
    ends = forms.ChoiceField(label="发到哪个月", choices=catalogue.ENDS.items())
    notice_days = forms.IntegerField(
        label="公示（工作日）", min_value=0, max_value=60, help_text="0为不公示"
    )

    def __init__(self, data=None, *, rule: Rule, today: date, switch: bool = False):
        super().__init__(
            data,
            initial={
                "from_on": today, "is_on": YES if rule.is_on or switch else NO,
                "starts": rule.starts, "ends": rule.ends, "notice_days": rule.notice_days,
            },
        )  # fmt: skip
        self.policy = rule.policy
        self.rows: list[tuple[str, list[str]]] = []
        self._criteria: list[Criterion] = []
        asked = {parameters.identity_of(one): one for one in rule.criteria}
        # The shipped ones in their order; then any that the place asks besides.
        shipped = {parameters.identity_of(one): one for one in rule.policy.criteria}
        for identity, criterion in (
            shipped | {i: c for i, c in asked.items() if i not in shipped}
        ).items():
            self._add(asked.get(identity, criterion), is_asked=identity in asked)
        for index, payer in enumerate(catalogue.PAYERS):
            self.fields[f"share_{index}"] = forms.DecimalField(
                label=f"{payer}（%）", min_value=0, max_value=100, max_digits=5, decimal_places=2,
                required=False, initial=rule.shares.get(payer),
            )  # fmt: skip

    def _add(self, criterion: Criterion, *, is_asked: bool) -> None:
        """A tick for the criterion and a field for each of its values."""
        known = parameters.PARAMETERS[criterion.key]
        tick = f"with_{len(self.rows)}"
        label = known.label
        if criterion.key == "attested":
            label = f"{label}：{criterion.params}"
        self.fields[tick] = forms.BooleanField(
            label=label, required=False, initial=is_asked,
            disabled=criterion.key == parameters.ALWAYS,
            help_text="每项政策都有" if criterion.key == parameters.ALWAYS else "",
        )  # fmt: skip
        values = parameters.values_of(criterion)
        names = []
        for value in known.values:
            if value.kind != parameters.TEXT:
                name = field_of(criterion.key, value.name)
                self.fields[name] = _field(value, values[value.name])
                if self.is_bound and tick not in self.data and not self.fields[tick].disabled:
                    self.fields[name].required = False  # of a criterion that is left out
                names.append(name)
        self.rows.append((tick, names))
        self._criteria.append(criterion)

    def criterion_rows(self) -> list[tuple[forms.BoundField, list[forms.BoundField]]]:
        """(the tick, the fields of its values) of each criterion."""
        return [(self[tick], [self[name] for name in names]) for tick, names in self.rows]

    def share_fields(self) -> list[forms.BoundField]:
        return [self[f"share_{index}"] for index in range(len(catalogue.PAYERS))]

    def clean(self):
        data = super().clean()
        self.criteria = []
        for (tick, _), criterion in zip(self.rows, self._criteria, strict=True):
            if data.get(tick):
                self._take(criterion, data)
        mistyped = any(name.startswith("share_") for name in self.errors)
        if not mistyped and (fault := shares_fault(self._shares(data))):
            self.add_error("share_0", fault)
        return data

    def _shares(self, data: dict) -> dict[str, Decimal]:
        parts = {payer: data.get(f"share_{index}") for index, payer in enumerate(catalogue.PAYERS)}
        return {payer: part for payer, part in parts.items() if part}

    def _take(self, criterion: Criterion, data: dict) -> None:
        if criterion.key == "attested":
            self.criteria.append(criterion)
            return
        known = parameters.PARAMETERS[criterion.key]
        names = {value.name: field_of(criterion.key, value.name) for value in known.values}
        if any(name in self.errors for name in names.values()):
            return
        values = {name: _filled(data.get(field)) for name, field in names.items()}
        made = parameters.with_values(criterion.key, values)
        if fault := parameters.fault_of(made):
            name, problem = fault
            self.add_error(names.get(name), problem)
        else:
            self.criteria.append(parameters.in_order_of(criterion, made))

    def terms(self) -> Terms:
        """As services.set_version takes them."""
        data = self.cleaned_data
        return Terms(
            data["is_on"] == YES, tuple(self.criteria), data["starts"], data["ends"], self._shares(data),
            data["notice_days"],
        )  # fmt: skip


class RateForm(SettingForm):
    """The rate, or each grade's; a grade left empty keeps its own."""

    def __init__(
        self, data=None, *, policy: Policy, amounts: dict[str, Decimal | None], today: date
    ):
        super().__init__(data, initial={"from_on": today})
        self.policy = policy
        for grade in grades_of(policy):
            now = amounts[grade]
            self.fields[rate_field(policy, grade)] = forms.DecimalField(
                label=f"{grade or '标准'}（元/{catalogue.CYCLES[policy.cycle]}）",
                min_value=0, max_digits=12, decimal_places=2, required=not grade,
                help_text="现在没有标准" if now is None else f"现在{now:,.2f}元",
            )  # fmt: skip

    def amount_fields(self) -> list[forms.BoundField]:
        return [self[rate_field(self.policy, grade)] for grade in grades_of(self.policy)]

    def amounts(self) -> dict[str, Decimal]:
        """Grade → amount, of those that were filled in."""
        found = {
            grade: self.cleaned_data[rate_field(self.policy, grade)]
            for grade in grades_of(self.policy)
        }
        return {grade: amount for grade, amount in found.items() if amount is not None}


class ExclusionForm(SettingForm):
    """Whether two policies may be drawn together."""

    policy_code = forms.ChoiceField(label="申请的政策")
    other_code = forms.ChoiceField(label="已经享受的政策")
    excluded = forms.ChoiceField(
        label="规定",
        choices=[(YES, "不能同时享受"), (NO, "可以同时享受")],
        widget=forms.RadioSelect,
        initial=YES,
    )
    both = forms.BooleanField(label="反过来也一样", required=False, initial=True)

    def __init__(self, data=None, *, today: date, initial=None):
        super().__init__(data, initial={"from_on": today} | (initial or {}))
        for name in ("policy_code", "other_code"):
            self.fields[name].choices = [("", "请选择"), *catalogue.choices()]

    field_order = (
        "policy_code",
        "other_code",
        "excluded",
        "both",
        "from_on",
        "document",
        "article",
    )

    def clean(self):
        data = super().clean()
        if data.get("policy_code") and data.get("policy_code") == data.get("other_code"):
            self.add_error("other_code", "请选择两个不同的政策。")
        return data


class DeadlineForm(SettingForm):
    """The day of the year by which a policy's return is due."""

    policy_code = forms.ChoiceField(label="政策")
    month = forms.IntegerField(label="月", min_value=1, max_value=12)
    day = forms.IntegerField(label="日", min_value=1, max_value=31)

    field_order = ("policy_code", "month", "day", "from_on", "document", "article")

    def __init__(self, data=None, *, today: date, initial=None):
        super().__init__(data, initial={"from_on": date(today.year, 1, 1)} | (initial or {}))
        self.fields["policy_code"].choices = [("", "请选择"), *catalogue.choices()]


class WorkdayForm(forms.Form):
    """Days that are worked or not, otherwise than the calendar says."""

    first = FlexibleDateField(label="从哪天")
    last = FlexibleDateField(label="到哪天", required=False, help_text="只有一天的不填")
    is_workday = forms.ChoiceField(
        label="这些天", choices=[(NO, "放假"), (YES, "上班")], widget=forms.RadioSelect, initial=NO
    )
    document = forms.CharField(
        label="依据文件", max_length=100, help_text="如国务院办公厅关于2019年部分节假日安排的通知"
    )


def _field(value: parameters.Value, initial) -> forms.Field:
    """The field of one value."""
    shared = {"label": value.label, "required": value.required, "initial": initial}
    if value.kind == NUMBER:
        low, high = value.between
        return forms.IntegerField(min_value=low, max_value=high, **shared)
    if value.kind == DAY:
        return FlexibleDateField(**shared)
    if value.kind == CHOICES:
        return forms.MultipleChoiceField(
            choices=value.choices, widget=forms.CheckboxSelectMultiple, **shared
        )
    assert value.kind == CHOICE, value
    return forms.ChoiceField(choices=value.choices, **shared)


def _filled(found):
    """What was filled in; None for nothing."""
    return None if found in ("", []) else found
