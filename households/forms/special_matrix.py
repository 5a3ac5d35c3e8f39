"""What the matrix of contacts shows: a year, a village, families with gaps; and which family to record."""

from django import forms

from fpadmin.ui.choices import NamedField
from households.models import SpecialFamily
from households.special.matrix import GAPS


class MatrixForm(forms.Form):
    """Conditions of the matrix, from GET. A year that cannot be is this one."""

    year = forms.IntegerField(label="年度", required=False, widget=forms.HiddenInput)
    village = NamedField(label="村（社区）", queryset=None, required=False, empty_label="全部")
    gaps = forms.ChoiceField(
        label="联系情况", choices=[("", "全部"), *GAPS.items()], required=False
    )

    def __init__(self, *args, villages, today, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["village"].queryset = villages
        self.today = today

    def asked(self) -> dict:
        """Year, village and gaps, each what it can be."""
        self.is_valid()
        values = self.cleaned_data
        year = values.get("year") or self.today.year
        return {
            "year": year if 1980 <= year <= self.today.year else self.today.year,
            "village": values.get("village"),
            "gaps": values.get("gaps") or "",
        }

    def first_year(self, user) -> int:
        """The year of the oldest archive that the user may see."""
        oldest = SpecialFamily.objects.visible_to(user).order_by("opened_on").first()
        return oldest.opened_on.year if oldest else self.today.year


class _FamilyField(forms.ModelChoiceField):
    def label_from_instance(self, obj: SpecialFamily) -> str:
        return f"{obj.household.village.name}　{obj.names or obj.household}　{obj.household}"


class FamilyForm(forms.Form):
    """A family to record a contact for."""

    family = _FamilyField(label="家庭", queryset=None, empty_label="请选择")

    def __init__(self, *args, families, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["family"].queryset = families
