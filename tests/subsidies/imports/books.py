"""The workbooks of rolls and of other departments' lists in tests: made, imported, and what came of it."""

from django.db import transaction

from fpadmin.audit.log import SystemJob
from fpadmin.imports import engine, undo
from fpadmin.imports.kinds import KINDS, Ground
from fpadmin.imports.models import ImportBatch
from tests.factories.workbooks import TODAY, check_import, run_import, workbook_of

ROLL, LIST = "enrolments", "rosters"


def line(resident, **cells) -> dict:
    """A valid record of a roll."""
    return {
        "policy_code": "CN-RURAL",
        "name": resident.name,
        "idno": resident.id_number,
        "start_month": "2015-01",
    } | cells


def entry(number, **cells) -> dict:
    """A valid record of another department's list."""
    return {"source": "公安死亡注销", "idno": number} | cells


def take(township, *records, kind=ROLL, **options):
    return run_import(kind, workbook_of(kind, list(records)), township, **options)


def look(township, *records, kind=ROLL):
    return check_import(kind, workbook_of(kind, list(records)), township)


def put(township, *records, kind=ROLL) -> ImportBatch:
    """A batch that was written, with its journal."""
    batch = ImportBatch.objects.create(
        kind=kind, office=township, file_name="名册.xlsx", sha256="", size=1, changed_on=TODAY,
        state=ImportBatch.State.COMMITTED,
    )  # fmt: skip
    outcome = engine.commit(
        KINDS[kind], workbook_of(kind, list(records)), "名册.xlsx",
        Ground(township, TODAY, TODAY, SystemJob("test")), good_rows=False, batch_id=batch.pk,
    )  # fmt: skip
    assert outcome.written, found(outcome)
    return batch


def take_back(batch) -> None:
    reversal = undo.Reversal(batch)
    assert list(undo.dependents(reversal)) == []
    with transaction.atomic():
        undo.take_back(reversal, by=SystemJob("test"))


def rests_on(batch) -> list[str]:
    """What keeps the batch from being undone."""
    return [one.model.__name__ for one in undo.dependents(undo.Reversal(batch))]


def state(model) -> list[dict]:
    """Every row of the table, but the counter of writes."""
    names = [f.attname for f in model._meta.concrete_fields if f.name != "row_version"]
    return list(model.objects.order_by("pk").values(*names))


def found(outcome) -> list[tuple]:
    return [(i.row, i.column, i.code) for i in outcome.errors]


def odd(outcome) -> list[tuple]:
    return [(i.row, i.column, i.code) for i in outcome.warnings]


def counts(outcome) -> tuple:
    return outcome.created, outcome.updated, outcome.unchanged, found(outcome)
