"""What the database itself refuses of batches, their journals, layouts and decisions."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from fpadmin.imports.models import HeadingLayout, ImportBatch, ImportDoubt, ImportEffect

pytestmark = pytest.mark.django_db


@pytest.fixture
def batch(township):
    return ImportBatch.objects.create(
        kind="residents", office=township, file_name="a.xlsx", sha256="0" * 64, size=1,
        changed_on=date(2018, 10, 9), state="committed",
    )  # fmt: skip


def refused(write) -> bool:
    try:
        with transaction.atomic():
            write()
    except IntegrityError:
        return True
    return False


def test_an_undone_batch_has_its_time_and_no_other_has(batch):
    batches = ImportBatch.objects.filter(pk=batch.pk)
    assert refused(lambda: batches.update(state="undone"))
    assert refused(lambda: batches.update(undone_at=timezone.now()))
    assert refused(lambda: batches.update(state="gone"))
    assert not refused(lambda: batches.update(state="undone", undone_at=timezone.now()))


@pytest.mark.parametrize(
    ("action", "other", "stands"),
    [
        ("created", 9, True), ("created", 7, False), ("created", None, False),
        ("linked", 1, True), ("linked", None, False),
        ("changed", None, True), ("changed", 9, False), ("removed", 9, False), ("lost", None, False),
    ],
)  # fmt: skip
def test_an_effect_names_the_rows_that_its_kind_has(batch, action, other, stands):
    def write():
        ImportEffect.objects.create(
            batch=batch, action=action, model="households.resident", object_id=8, other_id=other
        )

    assert refused(write) is not stands


def test_one_layout_in_use_per_office_kind_and_headings(township, clerk):
    def learn(**extra):
        HeadingLayout.objects.create(
            office=township, kind="residents", name="公安", fingerprint="x", columns={}, fixed={},
            words={}, made_by=clerk, **extra,
        )  # fmt: skip

    learn(retired_at=timezone.now())
    learn()
    assert refused(learn)
    assert not refused(lambda: learn(retired_at=timezone.now()))


def test_a_row_is_doubted_once_and_a_decision_has_its_time(batch):
    def doubt(**extra):
        ImportDoubt.objects.create(
            batch=batch, **{"row": 2, "target_id": 1, "name": "某", "sides": "[]"} | extra
        )

    doubt()
    assert refused(doubt)
    assert refused(lambda: doubt(row=3, decision="same"))
    assert refused(lambda: doubt(row=3, decided_at=timezone.now()))
    assert refused(lambda: doubt(row=3, decision="some", decided_at=timezone.now()))
    assert not refused(lambda: doubt(row=3, decision="skip", decided_at=timezone.now()))
