"""What a file of unknown headings looks like: the rows that may be its headings, and what stands below.

Made by the job that reads the file, kept encrypted with the batch, and shown by the page where an
office says which heading is which column. Values come masked, but for the few words of a list.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from difflib import SequenceMatcher
from itertools import islice

from fpadmin.identity import InvalidIdNumber, parse_id_number
from fpadmin.imports.kinds import Column, WorkbookKind
from fpadmin.imports.layouts import fingerprint, is_heading, normal_heading, whole_headings
from fpadmin.imports.reader import heading_rows, sheets_of, shown
from fpadmin.imports.widgets import CLEAR_WORD, CellError, widget_for

CANDIDATES = 3  # heading rows offered
_SHEETS = 5
_SAMPLED = 2_000  # records looked at
_SAMPLES = 3
_WORDS = 25  # more than so many different values are no list of words
_LIKE = 0.62  # from here on two headings are taken for the same
_DIGIT = re.compile(r"\d")


@dataclass
class Heading:
    """One column of the file: samples masked; `words` where it holds words of a short list."""

    name: str
    samples: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    looks: str = ""  # idno or ""


@dataclass
class Candidate:
    """One row that may hold the headings."""

    sheet: str
    row: int
    headings: list[Heading]

    @property
    def fingerprint(self) -> str:
        return fingerprint(heading.name for heading in self.headings)


def outline(kind: WorkbookKind, content: bytes, file_name: str, today: date) -> list[Candidate]:
    """The likeliest heading rows, best first. Raises Unreadable where the file can't be opened."""
    scored = []
    names = {normal_heading(n) for c in kind.columns for n in (c.heading, *c.aliases)}
    for sheet in sheets_of(content, file_name)[:_SHEETS]:
        for number, above, row, _ in heading_rows(sheet):
            headings = whole_headings(above, row)
            score = _score(headings, names)
            if score >= 3:
                scored.append((score, sheet, number, headings))
    scored.sort(key=lambda one: -one[0])
    scored = [one for one in scored if 2 * one[0] >= scored[0][0]]  # a record is no heading
    return [
        Candidate(sheet[0], number, _described(sheet, number, headings, today))
        for _, sheet, number, headings in scored[:CANDIDATES]
    ]


def _score(headings: list[str], known: set[str]) -> int:
    """How much a row looks like headings: words without digits, and such as we know."""
    plain = {name for name in headings if name and len(name) <= 20 and not _DIGIT.search(name)}
    return len(plain) + 5 * len(plain & known)


def _described(sheet, number: int, headings: list[str], today: date) -> list[Heading]:
    records = list(islice(sheet[2](), number, number + _SAMPLED))
    found = []
    for place, name in enumerate(headings):
        values = [shown(row[place]) for row in records if place < len(row)]
        found.append(_heading(name, [value for value in values if value], today))
    return found


def _heading(name: str, values: list[str], today: date) -> Heading:
    different = list(dict.fromkeys(values))
    is_list = (
        len(different) <= _WORDS
        and all(len(value) <= 12 for value in different)
        and not any(len(_DIGIT.findall(value)) > 3 for value in different)
    )
    # A name that comes but once is no word of a list; a list repeats itself.
    clear = is_list and len(values) >= 2 * len(different)
    samples = [value if clear else masked_sample(value) for value in different[:_SAMPLES]]
    looks = "idno" if values and all(_is_number(v, today) for v in values[:20]) else ""
    return Heading(name, samples, different if is_list else [], looks)


def _is_number(value: str, today: date) -> bool:
    try:
        return bool(parse_id_number(value, today=today))
    except InvalidIdNumber:
        return False


def masked_sample(value: str) -> str:
    """A value by which its kind may be told, but nobody known."""
    if len(value) > 10 and len(_DIGIT.findall(value)) > 6:
        return f"{value[:6]}{'*' * (len(value) - 10)}{value[-4:]}"[:24]
    keep = 4 if len(_DIGIT.findall(value)) >= 4 else 1
    return f"{value[:keep]}{'*' * min(max(len(value) - keep, 0), 8)}"


def packed(candidates: Iterable[Candidate]) -> str:
    """As text, for the batch's encrypted column."""
    return json.dumps([asdict(one) for one in candidates], ensure_ascii=False)


def unpacked(text: str) -> list[Candidate]:
    """What packed() wrote."""
    return [
        Candidate(one["sheet"], one["row"], [Heading(**heading) for heading in one["headings"]])
        for one in json.loads(text or "[]")
    ]


# Guesses -----------------------------------------------------------------------------------------


def guesses(kind: WorkbookKind, candidate: Candidate) -> dict[int, str]:
    """Place of a heading → the key of the column that it may be; each column once, the surest first."""
    likeness = []
    for place, heading in enumerate(candidate.headings):
        if is_heading(heading.name):
            for column in kind.columns:
                alike = max(_alike(heading.name, n) for n in (column.heading, *column.aliases))
                if heading.looks == "idno":
                    alike = alike + 0.2 if column.type == "idno" else 0
                if alike >= _LIKE:
                    likeness.append((alike, -place, column.key))
    found: dict[int, str] = {}
    for _, place, key in sorted(likeness, reverse=True):
        if -place not in found and key not in found.values():
            found[-place] = key
    return found


def _alike(theirs: str, ours: str) -> float:
    """How much two headings are the same, from 0; 2 where they are."""
    ours = normal_heading(ours)
    if theirs == ours:
        return 2.0
    theirs, ours = _core(theirs), _core(ours)
    if ours in theirs or theirs in ours:
        return 0.7 + 0.3 * min(len(ours), len(theirs)) / max(len(ours), len(theirs))
    return SequenceMatcher(None, theirs, ours).ratio()


def _core(name: str) -> str:
    """婚姻代码 and 婚姻状况 are of one thing."""
    for ending in ("代码", "名称", "称谓", "关系", "状况"):
        if name.endswith(ending) and len(name) >= len(ending) + 2:
            return name.removesuffix(ending)
    return name


# What codes of national standards say, where a file gives no words: GB/T 2261.1 and the like.
_CODES = {
    "sex": {"1": "男", "2": "女", "男性": "男", "女性": "女"},
    "marital": {
        "10": "未婚", "20": "初婚", "21": "初婚", "22": "再婚", "23": "复婚", "30": "丧偶", "40": "离婚",
        "已婚": "初婚", "有配偶": "初婚",
    },
    "relation": {
        "01": "户主", "1": "户主", "本人": "户主", "妻": "配偶", "夫": "配偶", "妻子": "配偶",
        "丈夫": "配偶", "儿子": "子", "长子": "子", "次子": "子", "三子": "子", "独生子": "子",
        "女儿": "女", "长女": "女", "次女": "女", "三女": "女", "独生女": "女", "父亲": "父", "母亲": "母",
        "孙子": "孙子女", "孙女": "孙子女", "外孙": "孙子女", "外孙女": "孙子女", "祖父": "祖父母",
        "祖母": "祖父母", "兄": "兄弟姐妹", "弟": "兄弟姐妹", "姐": "兄弟姐妹", "妹": "兄弟姐妹",
        "媳": "儿媳", "婿": "女婿", "其他亲属": "其他", "非亲属": "其他",
    },
    "hukou": {"农业户口": "农业", "非农业户口": "非农业", "非农": "非农业", "农村": "农业", "城镇": "非农业"},
    "residence": {"户籍": "常住", "在册": "常住", "常住人口": "常住", "流入人口": "流入", "流出人口": "流出"},
    "origin": {"亲生子女": "亲生", "收养子女": "收养"},
    "survival": {"健在": "存活", "在世": "存活", "已故": "死亡", "去世": "死亡"},
}  # fmt: skip


def unknown_words(column: Column, heading: Heading, today: date) -> list[str]:
    """The words of a heading that the column doesn't take as they are."""
    if column.type not in ("choice", "bool"):
        return []
    widget = widget_for(column, today)
    return [word for word in heading.words if word != CLEAR_WORD and not _taken(widget, word)]


def _taken(widget, word: str) -> bool:
    try:
        widget.clean(word)
    except CellError:
        return False
    return True


def guessed_word(column: Column, word: str) -> str:
    """Our word for theirs, as far as it may be guessed; "" where not."""
    known = _CODES.get(column.key, {}).get(word)
    if known in column.choices:
        return known
    return next((ours for ours in column.choices if ours in word or word in ours), "")
