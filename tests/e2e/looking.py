"""What must hold of a page as it stands in the browser."""

import json

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.guards.words import english_words

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = ((1366, 768), (360, 740), (320, 640))  # 320 is 1280 at 400 %: reflow
_OPTIONS = json.dumps({"runOnly": RULES, "resultTypes": ["violations"], "preload": False})
_RUN_AXE = f"""() => axe.run({_OPTIONS}).then(found => found.violations.flatMap(
    fault => fault.nodes.map(node => `${{fault.id}}: ${{node.html.slice(0, 120)}}`)))"""
# How far the page is wider than its window, and what sticks out of it most.
_OVERFLOW = """() => {
    const wide = document.documentElement.scrollWidth - innerWidth;
    if (wide <= 0) return "";
    let worst = null, right = 0;
    for (const element of document.querySelectorAll("body *")) {
        const edge = element.getBoundingClientRect().right;
        if (edge > right) { worst = element; right = edge; }
    }
    return `${wide}px too wide: ${worst.outerHTML.slice(0, 120)}`;
}"""
_PAPER = "() => document.body.classList.contains('fp-paper')"


def faults_of(page: Page, *, axe_at: tuple[int, ...] = (1366, 360)) -> list[str]:
    """Faults of the page that stands there: language, words, width on every screen, accessibility."""
    found = []
    if page.get_attribute("html", "lang") != "zh-CN":
        found.append("the page does not say that it is Chinese")
    if not page.title().strip():
        found.append("no title")
    if words := english_words(page.content()):
        found.append(f"English: {sorted(words)}")
    is_paper = page.evaluate(_PAPER)  # a sheet of A4 is as wide as it is
    for width, height in WIDTHS:
        page.set_viewport_size({"width": width, "height": height})
        if not is_paper and (overflow := page.evaluate(_OVERFLOW)):
            found.append(f"{width}: {overflow}")
        if width in axe_at:
            found += [f"{width}: {fault}" for fault in accessibility_faults(page)]
    width, height = WIDTHS[0]
    page.set_viewport_size({"width": width, "height": height})
    return found


def accessibility_faults(page: Page) -> list[str]:
    """What axe finds against WCAG 2.2 A and AA."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return page.evaluate(_RUN_AXE)
