"""Filter bar of the job list."""

import django_filters

from fpadmin.jobs.kinds import KINDS
from fpadmin.jobs.models import Job
from fpadmin.ui.filters import FilterSet


def kind_choices() -> list[tuple[str, str]]:
    """The kinds the apps registered, in their words."""
    return [(kind.key, kind.label) for kind in KINDS.values()]


class JobFilter(FilterSet):
    """Jobs by state, kind, and whether they are one's own."""

    state = django_filters.ChoiceFilter(label="状态", choices=Job.State, empty_label="全部")
    kind = django_filters.ChoiceFilter(label="类别", choices=kind_choices, empty_label="全部")
    whose = django_filters.ChoiceFilter(
        label="发起人",
        choices=[("mine", "我"), ("schedule", "定时")],
        empty_label="全部",
        method="filter_whose",
    )

    class Meta:
        model = Job
        fields = ()

    def filter_whose(self, jobs, name, value):
        person = self.request.user if value == "mine" else None
        return jobs.filter(requested_by=person)
