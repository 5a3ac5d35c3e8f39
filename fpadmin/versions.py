"""Edits of one record by two people: the second is told instead of overwriting the first."""

from django.db.models import F, Model

from fpadmin.errors import EditConflict

CONFLICT = "您打开后，别人已经保存了修改。请逐项选择。"


def claim(record: Model, row_version: int) -> None:
    """Take the edit if nobody saved since the form was opened; else EditConflict.

    Raises row_version and so holds the row until the transaction ends.
    """
    rows = type(record).objects.filter(pk=record.pk)
    if not rows.filter(row_version=row_version).update(row_version=F("row_version") + 1):
        raise EditConflict(CONFLICT, current=rows.get())
