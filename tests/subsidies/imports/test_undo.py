"""Undoing an import of a roll or a list: everything as before, or nothing where something rests on it."""

from datetime import UTC, date, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.imports import services
from fpadmin.imports.models import ImportBatch
from subsidies.models import (
    Difference,
    Enrolment,
    EnrolmentChange,
    RosterEntry,
    Suspension,
)
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.workbooks import workbook_of
from tests.subsidies.imports.books import (
    LIST,
    entry,
    line,
    put,
    rests_on,
    state,
    take,
    take_back,
)

pytestmark = pytest.mark.django_db

NOW = datetime(2018, 10, 9, 2, 0, tzinfo=UTC)
START, JUNE = date(2015, 1, 1), date(2018, 6, 1)


@pytest.fixture
def couple(village, county):
    switch_on("CN-RURAL", county)
    return make_old_couple(village)


def make_difference(resident, **values) -> Difference:
    """As the comparison makes one."""
    return Difference.objects.create(
        key=f"wrong:{Difference.objects.count()}", kind="wrong", rule="dead", resident=resident,
        detail="名单登记去世", found_on=date(2018, 10, 9), **values,
    )  # fmt: skip


def test_new_and_corrected_lines_are_taken_back(township, couple):
    head, wife = couple
    make_enrolment(head, "CN-COMPLICATION", START)
    make_enrolment(wife, start=START, end_month=date(2016, 12, 1), end_reason="迁出")
    before = state(Enrolment)
    batch = put(
        township,
        line(head, start_month="2012-01"),
        line(head, policy_code="CN-COMPLICATION", amount=400),
        line(wife, exit_month="2017-12", exit_reason="死亡"),
        line(wife, start_month="2018-01"),
    )
    assert state(Enrolment) != before
    take_back(batch)
    assert state(Enrolment) == before
    events = AuditEvent.objects.filter(type="enrolment.import-undone")
    assert events.count() == 4
    assert take(township, line(head, start_month="2012-01")).created == 1


DEPENDENTS = {
    "EnrolmentChange": lambda one, clerk: EnrolmentChange.objects.create(
        enrolment=one, kind="end", month=JUNE, end_reason="迁出", note="核实", proposed_by=clerk,
        proposed_at=NOW,
    ),
    "Suspension": lambda one, clerk: Suspension.objects.create(
        enrolment=one, from_month=JUNE, reason="核对"
    ),
    "Enrolment": lambda one, clerk: Enrolment.objects.filter(pk=one.pk).update(
        row_version=1, end_month=JUNE, end_reason="迁出"
    ),
    "Difference": lambda one, clerk: make_difference(one.resident, enrolment=one, owner=clerk),
}  # fmt: skip


@pytest.mark.parametrize(("model", "depend"), DEPENDENTS.items(), ids=DEPENDENTS.keys())
def test_roll_that_something_rests_on_is_not_taken_back(township, couple, clerk, model, depend):
    batch = put(township, line(couple[0]))
    depend(Enrolment.objects.get(), clerk)
    assert set(rests_on(batch)) & {model, "Enrolment"}


def test_differences_that_nobody_took_up_go_with_what_they_are_about(township, couple):
    head, wife = couple
    kept = make_enrolment(wife, start=START)
    rolls, lists = put(township, line(head)), put(township, entry(head.id_number), kind=LIST)
    ours = Enrolment.objects.get(resident=head)
    make_difference(head, enrolment=ours, entry=RosterEntry.objects.get())
    make_difference(head, enrolment=kept, other_enrolment=ours)
    other = make_difference(wife, enrolment=kept)
    take_back(lists)
    assert RosterEntry.objects.count() == 0
    assert Difference.objects.count() == 2
    take_back(rolls)
    assert list(Difference.objects.all()) == [other]
    assert list(Enrolment.objects.all()) == [kept]


def test_list_whose_difference_is_judged_is_not_taken_back(township, couple, clerk):
    batch = put(township, entry(couple[0].id_number), kind=LIST)
    make_difference(
        couple[0], entry=RosterEntry.objects.get(), verdict="same", proof="入户核实",
        decided_by=clerk, decided_at=NOW,
    )  # fmt: skip
    assert rests_on(batch) == ["Difference"]


def test_corrected_entries_get_back_their_words(township, couple):
    number = couple[0].id_number
    take(township, entry(number, name="陶有田", detail="死亡"), kind=LIST)
    before = state(RosterEntry)
    batch = put(township, entry(number, detail="迁出"), entry(number, source="民政低保"), kind=LIST)
    RosterEntry.objects.update(compared_at=NOW)
    take_back(batch)
    (kept,) = state(RosterEntry)
    assert kept | {"compared_at": None} == before[0]


def test_entry_that_was_corrected_again_is_not_taken_back(township, couple):
    number = couple[0].id_number
    take(township, entry(number, detail="死亡"), kind=LIST)
    batch = put(township, entry(number, detail="迁出"), kind=LIST)
    take(township, entry(number, detail="迁往外县"), kind=LIST)
    assert rests_on(batch) == ["RosterEntry"]


def test_page_tells_what_goes_and_what_stands_against_it(township, couple, clerk, sign_in):
    batch = put(township, line(couple[0]))
    url = reverse("imports:batch-undo", args=[batch.pk])
    page = sign_in(clerk).get(url).content.decode()
    assert "在册对象" in page
    assert "不能撤销" not in page
    DEPENDENTS["Suspension"](Enrolment.objects.get(), clerk)
    page = sign_in(clerk).get(url).content.decode()
    assert "不能撤销" in page
    assert "后来登记的暂停用到" in page


def test_clerk_hands_in_a_roll_and_takes_it_back(township, couple, clerk, sign_in, run_jobs_now):
    """From the upload page to the undone batch, by the jobs themselves."""
    content = workbook_of("enrolments", [line(couple[0]), line(couple[1], name="别人")])
    client = sign_in(clerk)
    client.post(
        reverse("imports:batch-create"),
        {
            "kind": "enrolments", "office": township.pk, "changed_on": "2018-10-09",
            "file": SimpleUploadedFile("名册.xlsx", content),
        },
    )  # fmt: skip
    run_jobs_now()
    batch = ImportBatch.objects.get()
    assert (batch.state, batch.created, batch.refused) == ("checked", 1, 1)
    assert (
        "这个号码登记的姓名是“宋桂兰”"
        in client.get(reverse("imports:batch-issues", args=[batch.pk])).content.decode()
    )
    services.confirm(batch=batch, good_rows=True, by=clerk)
    run_jobs_now()
    assert Enrolment.objects.get().resident == couple[0]
    services.request_undo(batch=batch, by=clerk)
    run_jobs_now()
    batch.refresh_from_db()
    assert batch.state == "undone"
    assert Enrolment.objects.count() == 0
