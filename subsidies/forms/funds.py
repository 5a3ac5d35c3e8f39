"""What is written down of a township's money, and how many people a payment needs."""

from datetime import date

from django import forms

from fpadmin.accounts.models import Region
from fpadmin.ui.choices import NamedField
from fpadmin.ui.forms import FlexibleDateField
from subsidies.forms.policies import SettingForm
from subsidies.funds.entering import GIVE_BACK, RECEIVE
from subsidies.funds.fund_list import offices_of, policies_of
from subsidies.funds.persons import places_of
from subsidies.models import ENTRY_KINDS

KINDS = [(kind, ENTRY_KINDS[kind][0]) for kind in (RECEIVE, GIVE_BACK)]
PERSONS = [("3", "三人：经办、核对、批准各一人"), ("2", "两人：一人经办，另一人核对并批准")]


def _yuan(label: str, **options) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, min_value=0, max_digits=14, decimal_places=2,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}), **options,
    )  # fmt: skip


class BudgetForm(forms.Form):
    """The year's budget and what it rests on; both empty where it is not known yet."""

    budget = _yuan("预算（元）", required=False)
    document = forms.CharField(label="预算文件", max_length=100, required=False)

    @staticmethod
    def initial_of(fund) -> dict:
        """What the form shows of a fund."""
        return {"budget": fund.budget, "document": fund.budget_document}


class FundForm(BudgetForm):
    """A new ledger: office, policy, year, and the budget where it is known."""

    office = NamedField(label="单位", queryset=Region.objects.none(), empty_label="请选择")
    policy_code = forms.ChoiceField(label="政策")
    year = forms.IntegerField(label="年度", min_value=2004, help_text="发放的年度，如2018")

    field_order = ("office", "policy_code", "year", "budget", "document")

    def __init__(self, data=None, *, user, initial=None):
        super().__init__(data, initial=initial)
        self.fields["office"].queryset = offices_of(user)
        self.fields["policy_code"].choices = [("", "请选择"), *policies_of(user)]
        if user.region.level >= Region.Level.TOWNSHIP:
            self.initial["office"] = user.region_id


class EntryForm(forms.Form):
    """Money that arrived or went back."""

    kind = forms.ChoiceField(label="事项", choices=KINDS, widget=forms.RadioSelect, initial=RECEIVE)
    payer = forms.ChoiceField(label="来源", help_text="谁拨来的，或者交回给谁")
    amount = _yuan("金额（元）")
    document = forms.CharField(
        label="凭证或文件", max_length=100, help_text="如指标文、进账单的文号"
    )
    happened_on = FlexibleDateField(label="日期", help_text="到账或交回的那一天")
    note = forms.CharField(label="说明", max_length=200, required=False)

    def __init__(self, data=None, *, payers: list[str], today: date):
        super().__init__(data, initial={"happened_on": today})
        self.fields["payer"].choices = [("", "请选择"), *((one, one) for one in payers)]


class PersonsForm(SettingForm):
    """How many different people a payment needs in a place, from a day on."""

    region = NamedField(label="适用区划", queryset=Region.objects.none(), empty_label=None)
    persons = forms.ChoiceField(label="经手人数", choices=PERSONS, widget=forms.RadioSelect)

    field_order = ("region", "persons", "from_on", "document", "article")

    def __init__(self, data=None, *, user, today: date):
        super().__init__(data, initial={"from_on": today, "region": user.region_id})
        self.fields["region"].queryset = places_of(user)
