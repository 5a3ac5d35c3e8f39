"""What the shell writes: how somebody wants to read the pages."""

from django.db import transaction

from fpadmin.audit import log


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
