"""Special families for tests: a family whose only child died, its archive, contacts and records."""

import io
from datetime import date
from itertools import count

from PIL import Image

from households.models import (
    ContactPerson,
    ContactRecord,
    FamilyContact,
    FamilyParent,
    FollowUp,
    Resident,
    SpecialFamily,
)
from households.services.special_documents import add_document
from households.special import uploads
from tests.factories.households import make_birth, make_household, make_resident

OPENED = date(2018, 1, 2)
_sequence = count(1)


def make_bereaved(
    village, number="", *, died=date(2012, 5, 6), **birth
) -> tuple[Resident, Resident]:
    """A couple in their fifties whose only child died; other facts of the child go in `birth`."""
    household = make_household(village, number)
    head = make_resident(household, "戴飞飞", marital="初婚", birth_date=date(1962, 3, 4))
    wife = make_resident(
        household, "董丽怡", sex="女", relation="配偶", marital="初婚", birth_date=date(1964, 5, 6)
    )
    for one, other in ((head, wife), (wife, head)):
        one.spouse, one.spouse_id_number = other, other.id_number
        one.spouse_id_number_digest = other.id_number_digest
        one.save()
    values = {"sex": "男", "child_name": "戴小飞"}
    values |= {"survival": "死亡", "death_date": died} if died else {}
    make_birth(wife, date(1988, 7, 8), father=head, **values | birth)
    return head, wife


def make_archive(
    village, *, kind="死亡", opened_on=OPENED, contacts=0, **bereaved
) -> SpecialFamily:
    """An open archive of make_bereaved(), with so many contacts from its first day."""
    head, wife = make_bereaved(village, **bereaved)
    family = SpecialFamily.objects.create(household=head.household, kind=kind, opened_on=opened_on)
    for parent in (head, wife):
        FamilyParent.objects.create(family=family, resident=parent, started_on=opened_on)
    for _ in range(contacts):
        make_contact(family)
    return family


def make_person(region, name="", **extra) -> ContactPerson:
    """A contact of the township that `region` is or lies in."""
    township = region if region.level == 4 else region.parent
    values = {"kind": "村居干部", "post": "村委会主任"} | extra
    return ContactPerson.objects.create(
        region=township, name=name or f"联系人{next(_sequence)}", **values
    )


def make_contact(family, person=None, started_on=None, **extra) -> FamilyContact:
    person = person or make_person(family.household.village)
    return FamilyContact.objects.create(
        family=family, person=person, started_on=started_on or family.opened_on, **extra
    )


def make_record(contact, happened_on, **extra) -> ContactRecord:
    values = {"channel": "入户", "purpose": "日常联系", "recorded_on": happened_on} | extra
    return ContactRecord.objects.create(contact=contact, happened_on=happened_on, **values)


def make_need(contact, **extra) -> FollowUp:
    """Something the family needs, which its contact sees to until 24 October."""
    values = {
        "kind": "就医", "need": "希望有人陪同复诊", "owner": contact.person,
        "opened_on": date(2018, 10, 9), "due_on": date(2018, 10, 24),
    } | extra  # fmt: skip
    return FollowUp.objects.create(family=contact.family, **values)


def picture(kind="JPEG", size=(80, 60), colour="#3b6ea5", **saved) -> bytes:
    """A picture as a phone or a scanner makes it; `saved` goes to Pillow's save()."""
    target = io.BytesIO()
    Image.new("RGB", size, colour).save(target, kind, **saved)
    return target.getvalue()


def pdf(extra=b"", trailer=b"") -> bytes:
    """The smallest PDF, with `extra` in its catalog and `trailer` in its trailer."""
    return (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R" + extra + b">>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\nxref\n0 1\n0000000000 65535 f \n"
        b"trailer<</Root 1 0 R/Size 3" + trailer + b">>\nstartxref\n100\n%%EOF\n"
    )


def make_document(family, by, *, kind="certificate", title="光荣证", colour="#3b6ea5", **extra):
    """A picture in the archive, kept by the service; its `colour` makes it another file."""
    paper = uploads.paper_of("光荣证.jpg", picture(colour=colour))
    return add_document(by=by, family=family, kind=kind, title=title, paper=paper, **extra)
