"""Checks that returns share: a rule of every row, and villages that add up to the whole."""

from collections.abc import Sequence

from fpadmin.reporting.registry import Check
from fpadmin.reporting.sheets import SheetRow


def each_row(rows: Sequence[SheetRow], rule, words: str) -> Check:
    """`rule(figures)` says whether it holds and writes it out; the whole region's is shown."""
    broken = [row for row in rows if not rule(row.figures)[0]]
    if broken:
        names = "、".join(row.name for row in broken)
        return Check("bad", f"{words}不成立：{names}", rule(broken[0].figures)[1])
    return Check("ok", rule(rows[0].figures)[1])


def sums(rows: Sequence[SheetRow], codes: Sequence[str]) -> Check:
    """The rows below add up to the whole region's."""
    whole, *below = rows
    if not below:
        return Check("ok", "只有一个村（社区），不用相加")
    wrong = [c for c in codes if whole.figures[c] != sum(r.figures[c] for r in below)]
    if wrong:
        return Check(
            "bad",
            "各下级单位相加不等于合计",
            "有人直接登记在本级，没有登记到村（社区）。",
            code=wrong[0],
            region=whole.code,
        )
    return Check("ok", "各下级单位相加等于合计")
