"""The filter bar of the findings."""

import django_filters

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.invariants import INVARIANTS
from fpadmin.scoping import below
from fpadmin.selfcheck.models import OpenFinding
from fpadmin.ui.filters import FilterSet


def _villages(request):
    regions = Region.objects.visible_to(request.user).valid_on(dates.today())
    return regions.filter(level=Region.Level.VILLAGE).order_by("code")


class FindingFilter(FilterSet):
    """Findings of one rule, and of one village."""

    rule = django_filters.ChoiceFilter(
        label="规则",
        choices=lambda: [(key, rule.label) for key, rule in sorted(INVARIANTS.items())],
        empty_label="全部",
    )
    village = django_filters.ModelChoiceFilter(
        label="村（社区）", queryset=_villages, method="by_village", empty_label="全部"
    )

    class Meta:
        model = OpenFinding
        fields = ()

    def by_village(self, findings, name, village):
        return findings.filter(below(village.path, "region_path"))
