"""How another department's headings and words are read: what an office has taught the import once."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fpadmin.identity import half_width

HEADING_LENGTH = 60
_BLANKS = re.compile(r"[\s*\u200b\ufeff]+")
_LONG_NUMBER = re.compile(r"\d{6}")


@dataclass(frozen=True)
class Layout:
    """Which of the file's headings is which of our columns, and what the file's words mean.

    `fixed` are columns that the file doesn't have: the same for every row. It holds headings, codes
    and words of lists only, nothing of any person.
    """

    columns: Mapping[str, str] = field(default_factory=dict)  # heading in its normal form → key
    fixed: Mapping[str, str] = field(default_factory=dict)  # key → what every row says
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # key → theirs → ours


Layouts = Mapping[str, Layout]  # by the fingerprint of the headings


def normal_heading(text) -> str:
    """Headings are compared without spaces, line breaks, asterisks and full-width variants."""
    return _BLANKS.sub("", half_width(str(text))) if text not in ("", None) else ""


def fingerprint(names: Iterable[str]) -> str:
    """The digest of a set of headings in their normal form; their order is no matter."""
    return hashlib.sha256("\n".join(sorted({n for n in names if n})).encode()).hexdigest()


def is_heading(name: str) -> bool:
    """Whether a heading may be kept; one that may be somebody's number or remarks may not."""
    return 0 < len(name) <= HEADING_LENGTH and not _LONG_NUMBER.search(name)


def whole_headings(above: list, row: list) -> list[str]:
    """The normal headings of a row whose cells may be merged with those of the row above.

    A blank cell takes the name above it; the same name twice is told apart by the group above, and
    where there is none by its number. A single cell above is the sheet's title and no heading.
    """
    own = [normal_heading(cell) for cell in row]
    upper = [normal_heading(cell) for cell in above]
    if sum(map(bool, upper)) < 2:
        upper = []
    upper += [""] * (len(own) - len(upper))
    groups, group = [], ""
    for name in upper:
        group = name or group
        groups.append(group)
    names = [name or over for name, over in zip(own, upper, strict=False)]
    doubled = {name for name in names if names.count(name) > 1}
    found: list[str] = []
    for name, group in zip(names, groups, strict=False):
        if name in doubled and group and group != name:
            name = f"{group}{name}"
        if name and name in found:
            name = f"{name}({sum(n.startswith(name) for n in found) + 1})"
        found.append(name)
    return found
