"""The list of exports."""

import django_tables2 as tables

from fpadmin.exports.models import Export
from fpadmin.exports.presenters import export_state
from fpadmin.ui.tables import NOWRAP, NameColumn, NumberColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import status_tag


class ExportTable(Table):
    """Exports, newest first: what, how much, by whom, in which state."""

    title = NameColumn(linkify=True)
    state = tables.Column()
    scope = tables.Column()
    rows = NumberColumn(orderable=True)
    purpose = tables.Column()
    requested_by = tables.Column("申请人", accessor="requested_by__name")
    requested_at = TimeColumn(orderable=True)
    downloads = NumberColumn()
    trace = tables.Column(attrs=NOWRAP)

    class Meta:
        model = Export
        fields = ()
        sequence = (
            "title", "state", "scope", "rows", "purpose", "requested_by", "requested_at",
            "downloads", "trace",
        )  # fmt: skip

    def render_state(self, record):
        return status_tag(*export_state(record))
