"""The township of lubiao-2018: invented people whose totals are a published report's figures."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from fpadmin.accounts.workbooks import office_from_code
from fpadmin.errors import RuleViolation
from fpadmin.imports import engine
from fpadmin.imports.kinds import Ground, WorkbookKind, in_order
from fpadmin.imports.models import ImportBatch

OFFICE = "539981001"
FOLDER = Path(__file__).parent / "lubiao-2018"


@dataclass(frozen=True)
class Loaded:
    """What one workbook of the township brought; `already` if it was loaded before."""

    kind: str
    rows: int
    created: int
    updated: int
    already: bool


def load(*, today: date, by, progress: Callable[[str, int, int], None]) -> list[Loaded]:
    """Imports every workbook whose kind this product knows, each once, each in one transaction.

    What somebody changed in the demo since stays as it is. Raises RuleViolation for a faulty file.
    """
    loaded = []
    for kind in in_order():
        path = FOLDER / f"{kind.key}.xlsx"
        if path.exists():
            loaded.append(_load(kind, path, today, by, progress))
    return loaded


def _load(kind: WorkbookKind, path: Path, today: date, by, progress) -> Loaded:
    content = path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    known = ImportBatch.objects.filter(
        kind=kind.key, sha256=sha256, state=ImportBatch.State.COMMITTED
    ).first()
    if known:
        return Loaded(kind.key, known.rows, 0, 0, already=True)
    ground = Ground(office=office_from_code(OFFICE), on=today, today=today, by=by)
    with transaction.atomic():
        outcome = engine.commit(
            kind,
            content,
            path.name,
            ground,
            good_rows=False,
            progress=lambda done, total, step: progress(f"{kind.sheet} {step}", done, total),
        )
        if not outcome.written:
            first = outcome.errors[0]
            raise RuleViolation(f"{path.name} 第{first.row}行“{first.column}”：{first.message}")
        now = timezone.now()
        ImportBatch.objects.create(
            kind=kind.key, office=office_from_code(OFFICE), file_name=path.name, sha256=sha256,
            size=len(content), changed_on=today, state=ImportBatch.State.COMMITTED,
            rows=outcome.rows, created=outcome.created, updated=outcome.updated,
            unchanged=outcome.unchanged, warnings=len(outcome.warnings), checked_at=now,
            committed_at=now,
        )  # fmt: skip
    return Loaded(kind.key, outcome.rows, outcome.created, outcome.updated, already=False)
