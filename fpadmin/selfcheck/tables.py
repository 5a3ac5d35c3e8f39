"""The findings that somebody can mend."""

from functools import cached_property

import django_tables2 as tables
from django.utils.html import format_html

from fpadmin.invariants import INVARIANTS
from fpadmin.selfcheck.models import OpenFinding
from fpadmin.selfcheck.presenters import names_of
from fpadmin.ui.tables import NOWRAP, WIDE, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import NOTHING


class FindingTable(Table):
    """One finding a row: whom it concerns, what is wrong, what to do, and the page to do it on."""

    target = NameColumn("对象", empty_values=())
    text = tables.Column(attrs=WIDE)
    advice = tables.Column("怎样处理", accessor="rule", attrs=WIDE)
    first_seen_at = TimeColumn(orderable=True)
    act = tables.Column("办理", accessor="rule", attrs=NOWRAP)

    class Meta:
        model = OpenFinding
        fields = ("target", "text", "advice", "first_seen_at", "act")

    @cached_property
    def names(self) -> dict[tuple[str, str], str]:
        """What the records of this page are called, for all its rows at once."""
        return names_of([row.record for row in self.paginated_rows], self.request.user)

    def render_target(self, record):
        return self.names.get((record.target, record.target_id), NOTHING)

    def render_advice(self, value):
        rule = INVARIANTS.get(value)
        return rule.advice if rule and rule.advice else NOTHING

    def render_act(self, record):
        rule = INVARIANTS.get(record.rule)
        url = rule.page_of(record.target, record.target_id) if rule else ""
        if not url:
            return NOTHING
        return format_html('<a href="{}">去处理</a>', url)
