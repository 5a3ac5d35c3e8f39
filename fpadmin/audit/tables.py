"""The auditor's list."""

import django_tables2 as tables

from fpadmin.audit.presenters import result_tag, role_label, target_label, type_label
from fpadmin.ui.tables import NUMERIC, NameColumn, NumberColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import status_tag


class EventTable(Table):
    """Events, newest first; the number is the place in the chain."""

    numbered = False
    id = tables.Column(verbose_name="编号", attrs=NUMERIC)
    at = TimeColumn()
    type = NameColumn(linkify=("audit:event-detail", {"pk": tables.A("pk")}))
    actor = tables.Column()
    role = tables.Column(empty_values=())
    target = tables.Column(verbose_name="对象", empty_values=())
    count = NumberColumn()
    result = tables.Column()
    address = tables.Column()

    def render_id(self, value):
        return value

    def render_type(self, record):
        return type_label(record)

    def render_role(self, record):
        return role_label(record)

    def render_target(self, record):
        return target_label(record)

    def render_result(self, record):
        return status_tag(*result_tag(record))
