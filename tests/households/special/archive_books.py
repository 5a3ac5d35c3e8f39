"""The workbook of archives in tests: made, imported, and what came of it."""

from datetime import date

from households.models import FamilyContact
from tests.factories.workbooks import check_import, run_import, workbook_of

KIND = "special_families"
LEADER, CADRE, WORKER = (
    "史健国;街道分管领导;13000001001;街道领导",
    "周美丽;村委会主任;13000001002;村居干部",
    "林霞丹;计生宣传员;13000001003;计生专干",
)
NEW = "夏桂;村委会主任;13000009999;村居干部"
JUNE = date(2018, 6, 1)


def take(township, *records, **options):
    return run_import(KIND, workbook_of(KIND, list(records)), township, **options)


def look(township, *records):
    return check_import(KIND, workbook_of(KIND, list(records)), township)


def found(outcome) -> list[tuple]:
    return [(i.row, i.column, i.code) for i in outcome.errors]


def odd(outcome) -> list[tuple]:
    return [(i.row, i.column, i.code) for i in outcome.warnings]


def terms() -> list[tuple]:
    rows = FamilyContact.objects.order_by("pk")
    return [(t.person.name, t.started_on, t.ended_on) for t in rows.select_related("person")]


def counts(outcome) -> tuple:
    return outcome.created, outcome.updated, outcome.unchanged, found(outcome)
