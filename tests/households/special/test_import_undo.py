"""Undoing an import of archives: everything as before, or nothing where something rests on it."""

import pytest
from django.db import transaction
from django.urls import reverse

from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from fpadmin.imports import engine, undo
from fpadmin.imports.kinds import KINDS, Ground
from fpadmin.imports.models import ImportBatch
from households.models import (
    ContactPerson,
    FamilyContact,
    FamilyParent,
    MedicalCard,
    NursingInsurance,
    SpecialFamily,
)
from tests.factories.special import make_archive, make_bereaved, make_contact, make_record
from tests.factories.workbooks import (
    TODAY,
    archive_row,
    workbook_of,
)
from tests.households.special.archive_books import (
    JUNE,
    KIND,
    NEW,
    found,
    take,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(village):
    """A household of 庄科村 whose only child died."""
    head, _ = make_bereaved(village, "00001")
    return head.household


def put(township, *records, on=TODAY) -> ImportBatch:
    """A batch that was written, with its journal."""
    batch = ImportBatch.objects.create(
        kind=KIND, office=township, file_name="名册.xlsx", sha256="", size=1, changed_on=on,
        state=ImportBatch.State.COMMITTED,
    )  # fmt: skip
    outcome = engine.commit(
        KINDS[KIND], workbook_of(KIND, list(records)), "名册.xlsx",
        Ground(township, on, TODAY, SystemJob("test")), good_rows=False, batch_id=batch.pk,
    )  # fmt: skip
    assert outcome.written, found(outcome)
    return batch


def take_back(batch) -> None:
    reversal = undo.Reversal(batch)
    assert list(undo.dependents(reversal)) == []
    with transaction.atomic():
        undo.take_back(reversal, by=SystemJob("test"))


def state() -> list[list]:
    """Every row of the tables that the import writes, but the counter of writes."""
    models = (
        ContactPerson, SpecialFamily, FamilyParent, FamilyContact, MedicalCard, NursingInsurance,
    )  # fmt: skip
    return [
        list(m.objects.order_by("pk").values(*(
            f.attname for f in m._meta.concrete_fields if f.name != "row_version"
        )))
        for m in models
    ]  # fmt: skip


def test_everything_that_an_import_can_do_is_taken_back(township, village, home):
    other, _ = make_bereaved(village, "00002")
    put(
        township, archive_row(home, medical_card_no="K1", nursing_insurance="是", difficulties="甲")
    )
    before = state()
    batch = put(
        township,
        archive_row(
            home, kind="伤残", medical_card_no="K2", nursing_insurance="否", difficulties="清空",
            contact1="史健国;街道主任;13000007777;志愿者", contact2=NEW, contact3="清空",
        ),
        archive_row(other.household, contact1=NEW, contact2="", medical_card_no="K9"),
        on=JUNE,
    )  # fmt: skip
    assert state() != before
    take_back(batch)
    assert state() == before
    assert AuditEvent.objects.filter(type="special.import-undone").count() == 2


def test_new_archives_go_and_come_again(township, home):
    before = state()
    row = archive_row(home, medical_card_no="K1", nursing_insurance="是")
    take_back(put(township, row))
    assert state() == before
    assert take(township, row).created == 1


DEPENDENTS = {
    "record": lambda family: make_record(family.contacts.first(), TODAY),
    "closed": lambda family: SpecialFamily.objects.update(closed_on=TODAY, close_reason="other"),
    "ended": lambda family: FamilyContact.objects.filter(pk=family.contacts.first().pk).update(
        ended_on=TODAY
    ),
    "named": lambda family: make_contact(family),
    "left": lambda family: ContactPerson.objects.update(left_on=TODAY),
    "parent": lambda family: FamilyParent.objects.update(ended_on=TODAY),
    "card": lambda family: MedicalCard.objects.update(expires_on=TODAY),
    "policy": lambda family: NursingInsurance.objects.update(insurer="人保"),
    "another family": lambda family: make_contact(
        make_archive(family.household.village), ContactPerson.objects.first()
    ),
}


@pytest.mark.parametrize("depend", DEPENDENTS.values(), ids=DEPENDENTS.keys())
def test_import_that_something_rests_on_is_not_taken_back(township, home, depend):
    batch = put(township, archive_row(home, medical_card_no="K1", nursing_insurance="是"))
    depend(SpecialFamily.objects.get())
    assert list(undo.dependents(undo.Reversal(batch)))


def test_page_names_what_goes_and_what_stands_against_it(township, home, clerk, sign_in):
    batch = put(township, archive_row(home))
    page = sign_in(clerk).get(reverse("imports:batch-undo", args=[batch.pk])).content.decode()
    assert "庄科村　00001户" in page
    term = FamilyContact.objects.first()
    log = make_record(term, TODAY)
    page = sign_in(clerk).get(reverse("imports:batch-undo", args=[batch.pk])).content.decode()
    assert "不能撤销" in page
    assert f'<a href="{log.contact.family.get_absolute_url()}">史健国（2018-01-02至今）</a>' in page
    assert "后来登记的联系记录用到" in page
