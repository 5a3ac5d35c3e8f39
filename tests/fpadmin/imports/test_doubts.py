"""Rows that may mean somebody registered: side by side, decided row by row, honoured at commit."""

import re
from datetime import date

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.imports import runs, services
from fpadmin.imports.kinds import Decision
from fpadmin.imports.models import ImportBatch, ImportDoubt
from households.models import Resident
from tests.factories.households import make_household, make_id_number, make_resident
from tests.factories.workbooks import resident, workbook_of

from .conftest import Context

pytestmark = pytest.mark.django_db
State = ImportBatch.State
BORN = date(2015, 1, 2)
CHILD = {"idno": "", "birth_date": "2015-1-2", "sex": "男", "relation": "子"}


@pytest.fixture
def child(village):
    """段小宝, born 2015-01-02, registered without a number in a household of 庄科村."""
    return make_resident(
        make_household(village, "00001"), "段小宝", birth_date=BORN, relation="子", id_number="",
        mother_id_number="", education="",
    )  # fmt: skip


@pytest.fixture
def check(checked, village):
    """check(*records) → the batch of these after its check."""
    return lambda *records: checked(workbook_of("residents", list(records)), kind="residents")


def again(batch, by) -> ImportBatch:
    runs.check(Context(by, batch=batch))
    batch.refresh_from_db()
    return batch


def decide(batch, decision, by) -> ImportBatch:
    services.decide(batch=batch, decisions={batch.doubts.get().pk: decision}, by=by)
    return again(batch, by)


def doubtful(batch) -> int:
    """Rows of which the check says that somebody should decide."""
    return batch.issues.filter(code="possible_duplicate").count()


def commit(batch, by) -> ImportBatch:
    services.confirm(batch=batch, good_rows=False, by=by)
    runs.commit(Context(by, batch=batch))
    batch.refresh_from_db()
    assert batch.state == State.COMMITTED
    return batch


def test_a_doubtful_row_comes_in_as_new_unless_somebody_decides(check, child, village, clerk):
    batch = check(resident(village, "00009", name="段小宝") | CHILD)
    assert (batch.created, doubtful(batch)) == (1, 1)
    doubt = batch.doubts.get()
    assert (doubt.row, doubt.target_id, doubt.decision) == (2, child.pk, "")
    commit(batch, clerk)
    assert Resident.objects.filter(name="段小宝").count() == 2


def test_the_same_person_is_updated_and_gets_the_number(check, child, village, clerk):
    number = make_id_number(BORN)
    batch = check(
        resident(village, "00009", name="段小宝", idno=number, relation="子", education="学前")
    )
    assert (batch.created, batch.updated) == (1, 0)
    decide(batch, Decision.SAME, clerk)
    assert (batch.created, batch.updated, doubtful(batch)) == (0, 1, 0)
    assert batch.doubts.get().decision == Decision.SAME  # kept when checked again
    commit(batch, clerk)
    child.refresh_from_db()
    assert (child.id_number, child.household.number, child.education) == (number, "00009", "学前")
    assert Resident.objects.count() == 1


def test_a_skipped_row_is_left_out_and_counted(check, child, village, clerk):
    batch = check(
        resident(village, "00009", name="段小宝") | CHILD, resident(village, "00010", name="李四")
    )
    decide(batch, Decision.SKIP, clerk)
    assert (batch.rows, batch.created, batch.skipped, batch.refused) == (2, 1, 1, 0)
    commit(batch, clerk)
    assert (batch.created, batch.skipped) == (1, 1)
    assert Resident.objects.filter(name="段小宝").count() == 1


def test_somebody_else_is_new_and_no_longer_pointed_out(check, child, village, clerk):
    batch = check(resident(village, "00009", name="段小宝") | CHILD)
    decide(batch, Decision.NEW, clerk)
    assert (batch.created, doubtful(batch), batch.doubts.count()) == (1, 0, 1)
    decide(batch, "", clerk)
    assert (doubtful(batch), batch.doubts.get().decided_at) == (1, None)


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param({"name": "段大宝"}, id="twin of another name"),
        pytest.param({"name": "段小宝", "sex": "女"}, id="twin of another sex"),
        pytest.param({"name": "段小宝", "birth_date": "2015-1-3"}, id="another day"),
        pytest.param({"name": "李大宝"}, id="another name altogether"),
    ],
)
def test_twins_and_others_are_never_taken_for_one(check, child, village, cells):
    mother = make_resident(make_household(village), "母亲", sex="女")
    Resident.objects.filter(pk=child.pk).update(
        mother=mother, mother_id_number_digest=mother.id_number_digest
    )
    batch = check(resident(village, "00009", **CHILD | {"mother_idno": mother.id_number} | cells))
    assert batch.doubts.count() == 0
    assert batch.created == 1


def test_namesakes_of_two_mothers_or_with_two_numbers_are_two_people(check, child, village):
    mothers = [make_resident(make_household(village), "母亲", sex="女") for _ in range(2)]
    Resident.objects.filter(pk=child.pk).update(
        mother=mothers[0], mother_id_number_digest=mothers[0].id_number_digest
    )
    other = CHILD | {"mother_idno": mothers[1].id_number}
    assert check(resident(village, "00009", name="段小宝", **other)).doubts.count() == 0
    make_resident(make_household(village), "王五", birth_date=date(1980, 5, 1))
    assert check(resident(village, "00010", name="王五")).doubts.count() == 0


def test_a_changed_surname_is_pointed_out(check, child, village):
    mother = make_resident(make_household(village), "母亲", sex="女")
    Resident.objects.filter(pk=child.pk).update(
        mother=mother, mother_id_number_digest=mother.id_number_digest
    )
    cells = CHILD | {"mother_idno": mother.id_number}
    batch = check(resident(village, "00009", name="丁小宝", **cells))
    assert batch.doubts.get().reason == "同母同生日，名同姓不同"


def test_whom_another_row_means_is_no_candidate(check, child, village):
    """Twins of one given name under two surnames stand both in the file."""
    batch = check(
        resident(village, "00001", name="段小宝") | CHILD,
        resident(village, "00009", name="段小宝") | CHILD,
    )
    assert (batch.unchanged + batch.updated, batch.created, batch.doubts.count()) == (1, 1, 0)


def test_people_of_other_offices_and_merged_records_are_none(check, child, village, far_village):
    make_resident(make_household(far_village), "远宝", birth_date=BORN, relation="子", id_number="")
    assert check(resident(village, "00009", name="远宝") | CHILD).doubts.count() == 0
    kept = make_resident(child.household, "留", relation="子", birth_date=BORN, id_number="")
    Resident.objects.filter(pk=child.pk).update(merged_into=kept, departed_on=date(2018, 1, 1))
    assert check(resident(village, "00008", name="段小宝") | CHILD).doubts.count() == 0


def test_a_decision_about_another_person_counts_no_longer(check, child, village, clerk):
    batch = check(resident(village, "00009", name="段小宝") | CHILD)
    decide(batch, Decision.SAME, clerk)
    Resident.objects.filter(pk=child.pk).update(name="改名")
    make_resident(make_household(village), "段小宝", birth_date=BORN, relation="子", id_number="")
    services.check_again(batch=batch, by=clerk)
    again(batch, clerk)
    assert (batch.created, batch.doubts.get().decision) == (1, "")


def test_decisions_are_recorded_and_refused_after_the_batch_is_written(
    check, child, village, clerk
):
    batch = check(resident(village, "00009", name="段小宝") | CHILD)
    pk = batch.doubts.get().pk
    services.decide(batch=batch, decisions={pk: Decision.NEW}, by=clerk)
    event = AuditEvent.objects.get(type="import.decided")
    assert (event.count, event.actor_id, event.target_id) == (1, clerk.pk, str(batch.pk))
    doubt = ImportDoubt.objects.get()
    assert (doubt.decided_by, bool(doubt.decided_at)) == (clerk, True)
    commit(again(batch, clerk), clerk)
    with pytest.raises(RuleViolation, match="不能再作决定"):
        services.decide(batch=batch, decisions={pk: Decision.SKIP}, by=clerk)


def test_deciding_through_a_failing_event_keeps_nothing(check, child, village, clerk, monkeypatch):
    batch = check(resident(village, "00009", name="段小宝") | CHILD)

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(services.log, "record", fail)
    with pytest.raises(RuntimeError):
        decide(batch, Decision.SKIP, clerk)
    assert batch.doubts.get().decision == ""


def test_the_page_shows_both_sides_masked_and_takes_the_decision(
    check, child, village, clerk, sign_in
):
    number = make_id_number(BORN)
    batch = check(resident(village, "00009", name="段小宝", idno=number, relation="子"))
    client = sign_in(clerk)
    address = reverse("imports:batch-doubts", args=[batch.pk])
    assert address in client.get(batch.get_absolute_url()).content.decode()
    page = re.sub(r"\s+", " ", client.get(address).content.decode())
    assert number not in page
    assert f"{number[:6]}********{number[-4:]}" in page
    assert child.get_absolute_url() in page
    assert "是同一人，更新" in page
    doubt = batch.doubts.get()
    assert client.post(address, {f"d{doubt.pk}": "maybe"}).status_code == 200
    assert client.post(address, {f"d{doubt.pk}": "same"}).status_code == 302
    doubt.refresh_from_db()
    batch.refresh_from_db()
    assert (doubt.decision, batch.state) == ("same", State.CHECKING)


def test_an_update_by_decision_can_be_undone(check, child, village, clerk):
    batch = check(
        resident(village, "00009", name="段小宝", idno=make_id_number(BORN), relation="子")
    )
    decide(batch, Decision.SAME, clerk)
    commit(batch, clerk)
    services.request_undo(batch=batch, by=clerk)
    runs.take_back(Context(clerk, batch=batch))
    child.refresh_from_db()
    assert (child.id_number, child.household.number) == ("", "00001")
