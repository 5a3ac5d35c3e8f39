"""The auditor's filter bar."""

from datetime import datetime, time, timedelta

import django_filters
from django.utils import timezone

from fpadmin.audit.log import EVENT_TYPES
from fpadmin.audit.models import AuditEvent, Result
from fpadmin.audit.presenters import target_types
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.forms import FlexibleDateField


class DayFilter(django_filters.Filter):
    """A day, typed in any of the ways that offices write one."""

    field_class = FlexibleDateField


class EventFilter(FilterSet):
    """Events by kind, day, who by the account's number, and the kind of record."""

    type = django_filters.ChoiceFilter(
        label="类型", choices=lambda: sorted(EVENT_TYPES.items(), key=lambda pair: pair[1]),
        empty_label="全部",
    )  # fmt: skip
    since = DayFilter(label="从", method="filter_since")
    until = DayFilter(label="到", method="filter_until")
    account = django_filters.NumberFilter(label="账号编号", method="filter_account")
    target_type = django_filters.ChoiceFilter(
        label="对象", choices=target_types, empty_label="全部"
    )
    result = django_filters.ChoiceFilter(label="结果", choices=Result.choices, empty_label="全部")

    class Meta:
        model = AuditEvent
        fields = ()

    def filter_since(self, events, name, day):
        return events.filter(at__gte=_midnight(day))

    def filter_until(self, events, name, day):
        return events.filter(at__lt=_midnight(day + timedelta(days=1)))

    def filter_account(self, events, name, number):
        return events.filter(actor_id=int(number))


def _midnight(day) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
