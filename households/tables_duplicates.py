"""The queue of doubles."""

import django_tables2 as tables

from fpadmin.ui.tables import NOWRAP, WIDE, DayColumn, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import status_tag
from households.models import Duplicate
from households.presenters import place_of

KINDS = {
    Duplicate.State.OPEN: "warn", Duplicate.State.DIFFERENT: "ok", Duplicate.State.MERGED: "ok"
}  # fmt: skip


class DuplicateTable(Table):
    """One pair a row: who, and where each of the two is registered."""

    name = NameColumn(
        "姓名", accessor="first__name", linkify=lambda record: record.get_absolute_url()
    )
    sex = tables.Column("性别", accessor="first__sex")
    birth_date = DayColumn(verbose_name="出生日期", accessor="first__birth_date")
    first = tables.Column("第一份", attrs=NOWRAP)
    second = tables.Column("第二份", attrs=NOWRAP)
    reason = tables.Column(attrs=WIDE)
    state = tables.Column(attrs=NOWRAP)
    found_at = TimeColumn(orderable=True)

    class Meta:
        model = Duplicate
        fields = ("name", "sex", "birth_date", "first", "second", "reason", "state", "found_at")

    def render_first(self, value):
        return f"{place_of(value.village, value.household.group)}　{value.household}"

    def render_second(self, value):
        return self.render_first(value)

    def render_state(self, record):
        return status_tag(KINDS[record.state], record.get_state_display())
