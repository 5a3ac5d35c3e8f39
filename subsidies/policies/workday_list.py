"""The list of corrections of the holiday calendar."""

import django_tables2 as tables
from django.db.models import QuerySet

from fpadmin.ui.tables import NOWRAP, WIDE, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import attribute, date_dash, weekday_cn
from subsidies.models import WorkdayChange


def all_changes() -> QuerySet:
    """Every correction, latest day first: the national calendar belongs to no place."""
    return WorkdayChange.objects.select_related("set_by")


class WorkdayTable(Table):
    """One day a row."""

    day = NameColumn("日期", attrs={"td": {"class": "fp-name fp-nowrap"}})
    weekday = tables.Column("星期", accessor="day", attrs=NOWRAP)
    is_workday = tables.Column("这一天", attrs=NOWRAP)
    document = tables.Column("依据文件", attrs=WIDE)
    set_by = tables.Column("登记人", accessor="set_by__name", attrs=NOWRAP)
    set_at = TimeColumn("登记时间")

    class Meta:
        model = WorkdayChange
        fields = ("day", "weekday", "is_workday", "document", "set_by", "set_at")

    def render_day(self, value):
        return date_dash(value)

    def render_weekday(self, value):
        return weekday_cn(value)

    def render_is_workday(self, value):
        return attribute("上班" if value else "放假")
