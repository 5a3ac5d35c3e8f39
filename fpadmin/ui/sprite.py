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
    archive arrow-clockwise arrow-counterclockwise arrow-down-up arrow-left arrow-left-right
    arrow-repeat arrow-right arrow-right-circle-fill bar-chart-line bell box-arrow-right building
    calendar-event calendar-week calendar3 card-list check-circle check-circle-fill check-lg
    check2 check2-circle check2-square chevron-down chevron-expand chevron-left chevron-right
    circle-half clipboard-check clock clock-history cloud-arrow-up copy dash-circle
    dash-circle-fill database diagram-3 download exclamation-octagon-fill exclamation-triangle
    exclamation-triangle-fill eye eye-slash file-earmark-check file-earmark-excel file-earmark-pdf
    file-earmark-spreadsheet file-earmark-text file-earmark-word filter folder2-open funnel gear
    geo-alt gift grid-1x2 heart-pulse hourglass-split house-door house-heart houses inbox
    info-circle info-circle-fill journal-check journal-text key layout-three-columns link-45deg
    list list-check lock lock-fill pause-circle pencil pencil-square people person person-badge
    person-check person-circle person-gear person-plus person-vcard play-circle plus-circle
    plus-lg printer question-circle search send shield-check shield-lock sliders sort-down sort-up
    stop-circle table telephone trash type unlock upload wallet2 x-circle x-circle-fill x-lg
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
