"""The filter bar of the queue of doubles."""

import django_filters
from django.db.models import Q

from fpadmin import dates
from fpadmin.ui.filters import FilterSet
from households import selectors
from households.models import Duplicate

DECIDED = [("different", "不是同一人"), ("merged", "已合并")]


def _villages(request):
    return selectors.villages_of(request.user, dates.today())


class DuplicateFilter(FilterSet):
    """Pairs that wait, unless others are asked for; a village is that of either of the two."""

    village = django_filters.ModelChoiceFilter(
        label="村（社区）", queryset=_villages, method="by_village", empty_label="全部"
    )
    state = django_filters.ChoiceFilter(label="状态", choices=DECIDED, empty_label="待核对")

    class Meta:
        model = Duplicate
        fields = ()

    def filter_queryset(self, queryset):
        queryset = super().filter_queryset(queryset)
        return queryset if self.form.cleaned_data.get("state") else queryset.waiting()

    def by_village(self, queryset, name, village):
        return queryset.filter(Q(first__village=village) | Q(second__village=village))
