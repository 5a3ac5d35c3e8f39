"""A Sheet: the figures of one return for one region and period, as they are stored and rendered."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date

from django.conf import settings

from fpadmin.accounts.models import Region
from fpadmin.dates import Period, calendar_year_period, parse_period
from fpadmin.errors import RuleViolation
from fpadmin.reporting.registry import RETURNS, Check, Column, Figure, Indicator, Return, Span

TOO_FEW = "样本量不足"
CYCLES = {
    "month": ("月报", "2018-09"),
    "year": ("年报", "2018"),
    "calendar_year": ("公历年度的年报", "2018"),
}
# What follows the code of a ratio: its interval and its test.
BOUNDS = ("_low", "_high", "_p")


@dataclass(frozen=True)
class SheetColumn:
    """A column with everything a renderer must know about it; see Indicator for kind and parts."""

    code: str
    heading: str
    group: str
    section: str
    kind: str
    parts: list[str]


@dataclass(frozen=True)
class SheetRow:
    """The figures of one region. The first row of a sheet is the whole region's."""

    code: str
    name: str
    level: int
    is_total: bool
    figures: dict[str, Figure | str]


@dataclass(frozen=True)
class Sheet:
    """A return as data: what is stored with a version, and all that a renderer knows."""

    code: str
    name: str
    region_code: str
    region_name: str
    period: str
    period_label: str
    start: str
    as_of: str
    unit: str
    columns: list[SheetColumn]
    rows: list[SheetRow]
    checks: list[Check]
    notes: list[str]

    @property
    def sections(self) -> list[str]:
        return list(dict.fromkeys(c.section for c in self.columns))

    @property
    def balances(self) -> bool:
        """Whether the examination found nothing that must be changed."""
        return all(check.level != "bad" for check in self.checks)

    @property
    def span(self) -> Span:
        return Span(date.fromisoformat(self.start), date.fromisoformat(self.as_of))


def to_json(sheet: Sheet) -> dict:
    """The sheet as plain JSON, which from_json() reads again."""
    return asdict(sheet)


def from_json(content: dict) -> Sheet:
    return Sheet(
        **content
        | {
            "columns": [SheetColumn(**c) for c in content["columns"]],
            "rows": [SheetRow(**r) for r in content["rows"]],
            "checks": [Check(**c) for c in content["checks"]],
        }
    )


def sha256_of(content: dict) -> str:
    """The digest of a sheet's canonical JSON: equal figures, equal digest."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def find_return(code: str) -> Return:
    """The return of this code. Raises RuleViolation naming the known ones."""
    if code not in RETURNS:
        raise RuleViolation(f"没有报表“{code}”。现有：{'、'.join(RETURNS)}。")
    return RETURNS[code]


def period_of(report: Return, code: str) -> Period:
    """The period, if it is one of this return's cycle. Raises RuleViolation."""
    try:
        period = parse_period(code)
    except ValueError as problem:
        raise RuleViolation(str(problem))
    cycle, example = CYCLES[report.cycle]
    if len(example) != len(period.code) or "Q" in period.code:
        raise RuleViolation(f"“{report.name}”是{cycle}，期间请写成{example}。")
    return calendar_year_period(int(code)) if report.cycle == "calendar_year" else period


def build(report: Return, region: Region, period: Period) -> Sheet:
    """The figures of `region` and of each region directly below it, computed now.

    A place that was not in force in the period has a row only where something is counted in it.
    """
    span = Span(period.start, period.end)
    below = list(Region.objects.children_of(region)) if region.level < Region.Level.VILLAGE else []
    figures = _figures(report, [region, *below], span)
    in_force = {
        r.code
        for r in below
        if (r.valid_from is None or r.valid_from <= period.end)
        and (r.valid_until is None or r.valid_until > period.start)
    }
    rows = [SheetRow(region.code, region.name, region.level, True, figures[region.code])] + [
        SheetRow(r.code, r.name, r.level, False, figures[r.code])
        for r in below
        if r.code in in_force or any(figures[r.code].values())
    ]
    columns = [sheet_column(c, report.indicator(c.code)) for c in report.columns]
    return Sheet(
        code=report.code, name=report.name, region_code=region.code, region_name=region.name,
        period=period.code, period_label=period.label, start=period.start.isoformat(),
        as_of=period.end.isoformat(), unit=report.unit, columns=columns, rows=rows,
        checks=report.checks(rows), notes=[],
    )  # fmt: skip


def sheet_column(column: Column, indicator: Indicator) -> SheetColumn:
    """A column with what its indicator says of it."""
    return SheetColumn(
        code=column.code,
        heading=column.heading,
        group=column.group,
        section=column.section,
        kind=indicator.kind,
        parts=list(indicator.parts),
    )


def _figures(report: Return, regions: Sequence[Region], span: Span) -> dict:
    wanted = {code for c in report.columns for code in (c.code, *report.indicator(c.code).parts)}
    wanted |= {code + end for code in wanted for end in BOUNDS}
    figures: dict[str, dict] = {r.code: {} for r in regions}
    for group in report.groups:
        codes = [code for code in group.codes if code in wanted]
        if codes:
            for code, row in group.compute(regions, span, codes).items():
                figures[code] |= row
    return figures


def for_file(sheet: Sheet) -> Sheet:
    """The sheet as it may leave the township: a village's ratio of too few births is not told.

    Only the ratio, its interval and test are replaced; the figures themselves never are.
    """
    ratios = [c for c in sheet.columns if c.kind == "ratio"]
    rows = [_without_small_ratios(row, ratios) for row in sheet.rows]
    if rows == sheet.rows:
        return sheet
    note = f"出生不足{settings.SMALL_CELL}人的村（社区），性别比写“{TOO_FEW}”，合并到上级计算。"
    return replace(sheet, rows=rows, notes=[*sheet.notes, note])


def is_small(row: SheetRow, column: SheetColumn) -> bool:
    """Whether a village's ratio rests on too few cases for any verdict."""
    births = row.figures[column.parts[0]]
    return row.level >= Region.Level.VILLAGE and births < settings.SMALL_CELL


def _without_small_ratios(row: SheetRow, ratios: Sequence[SheetColumn]) -> SheetRow:
    figures = dict(row.figures)
    for column in ratios:
        if is_small(row, column):
            figures[column.code] = TOO_FEW
            figures |= {column.code + end: None for end in BOUNDS if column.code + end in figures}
    return replace(row, figures=figures)
