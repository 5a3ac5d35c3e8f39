"""What the shell writes: how somebody wants to read the pages."""

from django.db import transaction

from fpadmin.accounts.models import ColumnChoice
from fpadmin.audit import log
from fpadmin.ui.columns import columns_for, usual_columns
from fpadmin.ui.listing import ListSpec

EVENT_TYPES = {
    "ui.display-saved": "修改显示设置",
    "ui.columns-saved": "修改列设置",
}
CHANGE_LABELS = {"list": "列表", "columns": "列"}


@transaction.atomic
def save_display(*, by, text_size: str, high_contrast: bool) -> None:
    """Keep text size and contrast on the account, so that they follow the person to any machine."""
    chosen = {"text_size": text_size, "high_contrast": high_contrast}
    changes = {
        name: [getattr(by, name), value]
        for name, value in chosen.items()
        if getattr(by, name) != value
    }
    for name, value in chosen.items():
        setattr(by, name, value)
    by.save(update_fields=list(chosen))
    log.record("ui.display-saved", by=by, target=by, changes=changes)


@transaction.atomic
def save_columns(*, by, spec: ListSpec, keys: list[str]) -> None:
    """Keep the columns in which `by` wants to read the list, in the list's own order.

    The usual choice is kept as none, so that a column added later shows there too.
    """
    before = columns_for(spec, by)
    chosen = [column for column in spec.columns if column.fixed or column.key in keys]
    if chosen == usual_columns(spec):
        ColumnChoice.objects.filter(user=by, list_key=spec.key).delete()
    else:
        ColumnChoice.objects.update_or_create(
            user=by,
            list_key=spec.key,
            defaults={"columns": [column.key for column in chosen]},
        )
    words = ["、".join(column.label for column in columns) for columns in (before, chosen)]
    log.record("ui.columns-saved", by=by, target=by, changes={"list": spec.title, "columns": words})
