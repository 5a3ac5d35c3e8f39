"""What the look-ahead and the what-if are asked."""

from django import forms

from fpadmin.accounts.models import Region
from fpadmin.ui.choices import LongSelect, NamedField
from households import selectors
from subsidies.outlook.asking import Wanted, offered, townships_of


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
