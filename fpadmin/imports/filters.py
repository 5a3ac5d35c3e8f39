"""Filter bars of the import's lists."""

import django_filters

from fpadmin.imports import selectors
from fpadmin.imports.models import ImportBatch, ImportIssue
from fpadmin.ui.filters import FilterSet


class BatchFilter(FilterSet):
    """Batches by kind, state, and whether they are one's own."""

    kind = django_filters.ChoiceFilter(label="类别", empty_label="全部")
    state = django_filters.ChoiceFilter(label="状态", choices=ImportBatch.State, empty_label="全部")
    whose = django_filters.ChoiceFilter(
        label="上传人", choices=[("mine", "我")], empty_label="全部", method="filter_whose"
    )

    class Meta:
        model = ImportBatch
        fields = ()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        kinds = selectors.kinds_for(self.request.user)
        self.filters["kind"].extra["choices"] = [(kind.key, kind.sheet) for kind in kinds]

    def filter_whose(self, batches, name, value):
        return batches.filter(uploaded_by=self.request.user)


class IssueFilter(FilterSet):
    """Problems by whether they keep the row out."""

    severity = django_filters.ChoiceFilter(
        label="性质", choices=ImportIssue.Severity, empty_label="全部"
    )

    class Meta:
        model = ImportIssue
        fields = ()
