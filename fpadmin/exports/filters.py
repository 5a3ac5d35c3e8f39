"""The filter bar of the exports."""

import django_filters

from fpadmin.exports.models import Export
from fpadmin.ui.filters import FilterSet


class ExportFilter(FilterSet):
    """Exports by state, and whether they are one's own."""

    state = django_filters.ChoiceFilter(label="状态", choices=Export.State, empty_label="全部")
    whose = django_filters.ChoiceFilter(
        label="申请人", choices=[("mine", "我"), ("others", "别人")], empty_label="全部",
        method="by_whose",
    )  # fmt: skip

    class Meta:
        model = Export
        fields = ()

    def by_whose(self, exports, name, value):
        mine = {"requested_by": self.request.user}
        return exports.filter(**mine) if value == "mine" else exports.exclude(**mine)
