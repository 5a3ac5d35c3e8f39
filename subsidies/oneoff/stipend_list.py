"""岗位补贴: the sheets of the townships, year by year."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet

from fpadmin import dates
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.tables import NOWRAP, NUMERIC, WIDE, DayColumn, NameColumn, NumberColumn, Table
from fpadmin.ui.templatetags.ui import money, status_tag
from subsidies.models import StipendSheet
from subsidies.oneoff.people_list import years_from
from subsidies.oneoff.stipends import with_totals

State = StipendSheet.State
TAGS = {State.DRAFT: "wait", State.SUBMITTED: "run", State.APPROVED: "run", State.PAID: "ok"}


def sheets(user) -> QuerySet:
    """The sheets of the user's offices with people and sums."""
    visible = StipendSheet.objects.visible_to(user).select_related("office", "made_by")
    return with_totals(visible)


def state_tag(sheet: StipendSheet):
    """The sheet's state as the look shows it; one that came back says so."""
    if sheet.state == State.DRAFT and sheet.returned_note:
        return status_tag("warn", "已退回")
    return status_tag(TAGS[sheet.state], sheet.get_state_display())


class StipendFilter(FilterSet):
    """Conditions of the list."""

    year = django_filters.ChoiceFilter(label="年度", choices=[], empty_label="全部")
    state = django_filters.ChoiceFilter(label="状态", choices=State.choices, empty_label="全部")

    def __init__(self, data, *, queryset, request):
        super().__init__(data, queryset=queryset, request=request)
        self.form.fields["year"].choices = years_from(dates.today().year)


class StipendTable(Table):
    """One sheet a row."""

    year = NameColumn("年度", orderable=True, linkify=lambda record: record.get_absolute_url())
    office = tables.Column("单位", accessor="office__name", attrs=NOWRAP)
    monthly = tables.Column("月标准（元）", attrs=NUMERIC)
    people = NumberColumn("人数")
    yuan = tables.Column("金额（元）", attrs=NUMERIC)
    document = tables.Column("依据文件", attrs=WIDE)
    made_by = tables.Column("经办人", accessor="made_by__name", attrs=NOWRAP)
    state = tables.Column("状态", attrs=NOWRAP)
    paid_on = DayColumn("发放日期")

    class Meta:
        model = StipendSheet
        fields = (
            "year", "office", "monthly", "people", "yuan", "document", "made_by", "state", "paid_on",
        )  # fmt: skip

    def render_year(self, value):
        return f"{value}年"

    def render_monthly(self, value):
        return money(value)

    def render_yuan(self, value):
        return money(value)

    def render_state(self, record):
        return state_tag(record)
