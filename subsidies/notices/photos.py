"""The photo of the board: sealed, and read by notice-photo-file alone."""

from fpadmin import sealed
from households.special.uploads import ENDING_OF
from subsidies.models import Notice

FOLDER = "notices"


def content_of(notice: Notice) -> bytes | None:
    """The photo; None where there is none, or it is gone or was changed."""
    return sealed.read(FOLDER, notice.photo)


def file_name(notice: Notice) -> str:
    """A name with the ending of what it is; it names nobody."""
    return f"公示照片_{notice.posted_on:%Y%m%d}.{ENDING_OF[notice.photo_type]}"
