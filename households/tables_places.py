"""The list of changes of villages."""

import django_tables2 as tables

from fpadmin.ui.tables import DayColumn, NameColumn, NumberColumn, Table, TimeColumn
from households.models import VillageChange


class VillageChangeTable(Table):
    """One change of villages a row."""

    target = NameColumn()
    happened_on = DayColumn()
    households = NumberColumn()
    residents = NumberColumn()
    renumbered = NumberColumn()
    document = tables.Column()
    made_by = tables.Column("办理人", accessor="made_by__name")
    made_at = TimeColumn()

    class Meta:
        model = VillageChange
        fields = (
            "target", "happened_on", "households", "residents", "renumbered", "document", "made_by",
            "made_at",
        )  # fmt: skip
