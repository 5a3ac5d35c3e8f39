"""Bank files as they lie in the storage, and made anew from the rows: both must be the same bytes."""

from collections.abc import Iterator

from fpadmin import sealed
from subsidies.bank_files import writing
from subsidies.models import BankFile

FOLDER = "bank-files"


def content_of(bank_file: BankFile) -> Iterator[bytes]:
    """The content as it was written, piece by piece.

    Raises FileNotFoundError where it is gone, DecryptionFailed where it was changed.
    """
    return sealed.parts(bank_file.file)


def regenerate(bank_file: BankFile) -> bytes:
    """The content made anew from the lines of today and the layout and words kept with the file."""
    layout, words = writing.of_data(bank_file.layout)
    return writing.make(bank_file.batch, layout, words).content.getvalue()
