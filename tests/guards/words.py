"""The words that a page shows."""

import re
from html.parser import HTMLParser

SILENT = {"script", "style", "svg", "code", "kbd", "template"}
SHOWN_ATTRIBUTES = {"title", "placeholder", "aria-label", "alt"}
# Names of things that have no Chinese name, and units.
KNOWN = {
    "excel", "word", "json", "xlsx", "xls", "csv", "docx", "pdf", "utf", "http", "https", "html", "celery",
    "redis", "postgresql", "sqlite", "yyyy", "ctrl", "esc", "enter", "gbk",
    "luoxm", "zxm",  # a login name and a name's initials, as examples
}  # fmt: skip


class _Text(HTMLParser):
    def __init__(self):
        super().__init__()
        self.parts: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in SILENT
        self.parts += [value or "" for name, value in attrs if name in SHOWN_ATTRIBUTES]

    def handle_endtag(self, tag):
        self.silent -= tag in SILENT

    def handle_data(self, data):
        if not self.silent:
            self.parts.append(data)


def english_words(html: str) -> set[str]:
    """Words of three and more Latin letters that a reader sees; codes and addresses are none."""
    text = _Text()
    text.feed(html)
    found = set()
    for token in re.split(r"[\s，。、；：（）()“”《》\"'|·/…→×]+", " ".join(text.parts)):
        if re.fullmatch(r"[A-Za-z]{3,}[.,:;!?]?", token):
            found.add(token.strip(".,:;!?"))
    return {word for word in found if word.lower() not in KNOWN}
