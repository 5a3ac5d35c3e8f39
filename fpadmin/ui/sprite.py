"""One hidden sprite of the icons in use, read once from the icon wheel's SVG files."""

import re
from functools import cache
from pathlib import Path

import js_lib_bootstrap_icons
from django.utils.safestring import SafeString, mark_safe

_DIRECTORY = Path(js_lib_bootstrap_icons.__file__).parent / "static" / "bootstrap-icons"
_BODY = re.compile(r"<svg[^>]*viewBox=\"([^\"]+)\"[^>]*>(.*)</svg>", re.DOTALL)
# Add a name here before using it; every page carries every icon of this list.
_NAMES = """
    arrow-clockwise arrow-counterclockwise arrow-down-up arrow-repeat arrow-right-circle-fill
    box-arrow-right calendar-event chat-dots check-circle check-circle-fill check-lg check2
    check2-square chevron-down chevron-expand chevron-left chevron-right clock clock-history dash-circle
    dash-circle-fill diagram-3
    download exclamation-octagon-fill exclamation-triangle exclamation-triangle-fill eye
    file-earmark-excel file-earmark-spreadsheet folder2-open gift heart-pulse hourglass-split
    house-door house-heart info-circle-fill journal-text key layout-three-columns life-preserver
    list list-check lock lock-fill pencil people person person-badge person-circle person-gear
    person-plus plus-circle plus-lg printer question-circle search shield-check shield-lock
    sort-down sort-up table telephone three-dots type upload x-circle x-circle-fill x-lg
"""
ICONS = frozenset(_NAMES.split())


@cache
def sprite() -> SafeString:
    """The hidden `<svg>` with one symbol per icon, `#i-NAME`, in the order of their names."""
    return mark_safe(  # noqa: S308 - files of a pinned package, no input
        '<svg class="fp-sprite" aria-hidden="true">'
        + "".join(_symbol(name) for name in sorted(ICONS))
        + "</svg>"
    )


def _symbol(name: str) -> str:
    text = (_DIRECTORY / f"{name}.svg").read_text(encoding="utf-8")
    view_box, body = _BODY.search(text).groups()
    body = re.sub(r"\s*\n\s*", "", body.strip())
    return f'<symbol id="i-{name}" viewBox="{view_box}">{body}</symbol>'
