"""Which columns of a list a person wants to see; the choice stays on the account."""

from fpadmin.accounts.models import ColumnChoice, User
from fpadmin.ui.listing import ListColumn, ListSpec


def columns_for(spec: ListSpec, user: User) -> list[ListColumn]:
    """The columns that `user` chose, else the usual ones, in the list's order; the fixed ones always.

    What was chosen and is no column any more is passed over.
    """
    keys = (
        ColumnChoice.objects.filter(user=user, list_key=spec.key)
        .values_list("columns", flat=True)
        .first()
    )
    return [
        column
        for column in spec.columns
        if column.fixed or (column.shown if keys is None else column.key in keys)
    ]


def usual_columns(spec: ListSpec) -> list[ListColumn]:
    """The columns of somebody who chose nothing."""
    return [column for column in spec.columns if column.fixed or column.shown]
