"""Workbooks as offices hand them in, built in memory."""

import io
from datetime import date

import openpyxl

from fpadmin.accounts.models import Region
from fpadmin.audit.log import SystemJob
from fpadmin.imports import engine
from fpadmin.imports.kinds import KINDS, Ground, Outcome
from tests.factories.households import make_id_number

TODAY = date(2018, 10, 9)


def make_workbook(headings: list[str], rows: list[list], *, title: str = "", above=()) -> bytes:
    """An xlsx with `above` rows before the headings; `title` names the sheet."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title or "Sheet1"
    for row in [*above, headings, *rows]:
        sheet.append(row)
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def workbook_of(kind_key: str, records: list[dict]) -> bytes:
    """A workbook in the template's layout; each record maps column keys to cells."""
    kind = KINDS[kind_key]
    rows = [[record.get(c.key, "") for c in kind.columns] for record in records]
    return make_workbook([c.heading for c in kind.columns], rows, title=kind.sheet)


def resident(village: Region, household_no: str = "00001", **cells) -> dict:
    """A valid record of the residents' workbook."""
    birth_date = cells.pop("born", date(1980, 5, 1))
    sex = cells.pop("as_sex", "男")
    return {
        "village_code": village.code,
        "household_no": household_no,
        "name": "张三",
        "idno": make_id_number(birth_date, sex),
        "relation": "户主",
        "hukou": "农业",
        "residence": "常住",
        "marital": "未婚",
    } | cells


def birth(mother_idno: str, **cells) -> dict:
    """A valid record of the births' workbook."""
    return {
        "mother_idno": mother_idno,
        "sex": "女",
        "birth_date": date(2010, 3, 4),
        "order": 1,
        "within_policy": "是",
        "survival": "存活",
    } | cells


def run_import(
    kind_key: str, content: bytes, office: Region, *, good_rows=False, on=TODAY, name="名册.xlsx"
) -> Outcome:
    """Commit a workbook as a named job."""
    ground = Ground(office, on, TODAY, SystemJob("test"))
    return engine.commit(KINDS[kind_key], content, name, ground, good_rows=good_rows)


def check_import(kind_key: str, content: bytes, office: Region, name="名册.xlsx") -> Outcome:
    ground = Ground(office, TODAY, TODAY, SystemJob("test"))
    return engine.check(KINDS[kind_key], content, name, ground)
