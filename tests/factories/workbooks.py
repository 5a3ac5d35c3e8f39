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


def archive_row(household, **cells) -> dict:
    """A valid record of the archives' workbook."""
    return {
        "village_code": household.village.code,
        "household_no": household.number,
        "kind": "死亡",
        "opened_on": "2018-01-02",
        "contact1": "史健国;街道分管领导;13000001001;街道领导",
        "contact2": "周美丽;村委会主任;13000001002;村居干部",
        "contact3": "林霞丹;计生宣传员;13000001003;计生专干",
    } | cells


def log_row(household, **cells) -> dict:
    """A valid record of the log of contacts."""
    return {
        "village_code": household.village.code,
        "household_no": household.number,
        "date": "2018-03-09",
        "contact": "史健国",
        "channel": "入户",
        "purpose": "日常联系",
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
