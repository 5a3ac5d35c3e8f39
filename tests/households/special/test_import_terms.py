"""The workbook of archives (特殊家庭档案): contacts of archives that are known already."""

from datetime import date

import pytest
from django.db import transaction

from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import KINDS, Ground, Unreadable
from fpadmin.imports.reader import read_table
from households.models import (
    ContactPerson,
    FamilyContact,
    SpecialFamily,
)
from households.services import end_contact, mark_left
from tests.factories.special import make_bereaved, make_record
from tests.factories.workbooks import (
    TODAY,
    archive_row,
    workbook_of,
)
from tests.households.special.archive_books import (
    CADRE,
    JUNE,
    KIND,
    LEADER,
    NEW,
    WORKER,
    counts,
    found,
    look,
    odd,
    take,
    terms,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(village):
    """A household of 庄科村 whose only child died."""
    head, _ = make_bereaved(village, "00001")
    return head.household


# Contacts of a known archive ----------------------------------------------------------------------


def test_new_name_takes_over_on_the_day_asked(township, home):
    take(township, archive_row(home))
    row = archive_row(home, contact2=NEW)
    outcome = take(township, row, on=JUNE)
    change = outcome.changes[0]
    assert (change.heading, change.place, change.target) == ("联系人2", "庄科村", "00001户")
    assert change.old == "周美丽;村委会主任;130****1002;村居干部"
    assert change.new == "夏桂;村委会主任;130****9999;村居干部"
    opened = date(2018, 1, 2)
    assert terms() == [
        ("史健国", opened, None), ("周美丽", opened, JUNE), ("林霞丹", opened, None),
        ("夏桂", JUNE, None),
    ]  # fmt: skip
    new = FamilyContact.objects.get(person__name="夏桂")
    assert new.follows.person.name == "周美丽"
    assert new.follows.end_reason == "交接"
    assert counts(take(township, row)) == (0, 0, 1, [])
    event = AuditEvent.objects.get(type="special.imported")
    assert event.changes == {"fields": ["contacts"]}
    assert event.region_path == home.village.path


def test_shuffled_contacts_are_the_same_contacts(township, home):
    take(township, archive_row(home))
    shuffled = archive_row(home, contact1=WORKER, contact2=LEADER, contact3=CADRE)
    assert counts(take(township, shuffled)) == (0, 0, 1, [])
    shuffled["contact3"] = NEW
    take(township, shuffled, on=JUNE)
    assert FamilyContact.objects.get(person__name="夏桂").follows.person.name == "周美丽"


def test_new_name_in_one_place_leaves_the_blank_places_alone(township, home):
    take(township, archive_row(home))
    take(township, archive_row(home, contact1=NEW, contact2="", contact3=""), on=JUNE)
    assert [(n, e) for n, _, e in terms() if e] == [("史健国", JUNE)]


def test_contact_whom_no_row_names_stays_while_nobody_replaces_him(township, home):
    take(township, archive_row(home))
    outcome = take(township, archive_row(home, contact1=WORKER, contact2="", contact3=LEADER))
    assert counts(outcome) == (0, 0, 1, [])


def test_third_contact_named_later_counts_from_the_archive(township, home):
    take(township, archive_row(home, contact3=""))
    take(township, archive_row(home))
    assert terms()[2] == ("林霞丹", date(2018, 1, 2), None)


def test_cleared_contact_ends_and_stays_ended(township, home):
    take(township, archive_row(home))
    row = archive_row(home, contact1="清空", contact2="", contact3="")
    for _ in range(2):
        take(township, row, on=JUNE)
        assert [(n, e) for n, _, e in terms() if e] == [("史健国", JUNE)]
    back = archive_row(home, contact1=LEADER, contact2="", contact3="")
    assert take(township, back, on=date(2018, 7, 1)).updated == 1
    assert terms()[-1] == ("史健国", date(2018, 7, 1), None)


def test_last_contact_is_not_cleared(township, home):
    take(township, archive_row(home))
    outcome = take(township, archive_row(home, contact1="清空", contact2="清空", contact3="清空"))
    assert found(outcome) == [(2, "联系人3", "last_contact")]
    assert [e for *_, e in terms()] == [None] * 3
    ended = take(township, archive_row(home, contact1="清空", contact2="清空", contact3=NEW))
    assert found(ended) == []
    assert [n for n, _, e in terms() if e is None] == ["夏桂"]


@pytest.mark.parametrize("on", [date(2018, 1, 1), date(2018, 3, 8)], ids=["term", "records"])
def test_hand_over_before_the_term_or_its_records_is_refused(township, home, on):
    take(township, archive_row(home))
    cadre = FamilyContact.objects.get(person__name="周美丽")
    make_record(cadre, date(2018, 3, 9))
    outcome = take(township, archive_row(home, contact2=NEW), on=on)
    assert found(outcome) == [(2, "联系人2", "contact_day")]
    assert "请改变动日期" in outcome.errors[0].message
    assert take(township, archive_row(home, contact2=NEW), on=date(2018, 3, 9)).updated == 1


def test_handing_back_on_the_same_day_is_refused_with_a_reason(township, home):
    take(township, archive_row(home))
    take(township, archive_row(home, contact2=NEW), on=date(2018, 1, 2))
    outcome = look(township, archive_row(home))
    assert found(outcome) == []
    outcome = take(township, archive_row(home), on=date(2018, 1, 2))
    assert found(outcome) == [(2, "联系人2", "contact_day")]


def test_who_left_the_office_is_named_no_more(township, home, clerk):
    take(township, archive_row(home))
    leader = ContactPerson.objects.get(name="史健国")
    mark_left(by=clerk, person=leader, left_on=date(2017, 12, 31), today=TODAY)
    other, _ = make_bereaved(home.village, "00002")
    outcome = take(township, archive_row(home), archive_row(other.household))
    assert found(outcome) == [(3, "联系人1", "contact_left")]


def test_post_phone_and_kind_are_corrections_of_the_person(township, village, home):
    other, _ = make_bereaved(village, "00002")
    take(township, archive_row(home), archive_row(other.household))
    row = archive_row(
        home, contact1="史健国;街道主任;130 0000-7777;志愿者", contact2="周 美 丽;;;村居干部"
    )
    outcome = take(township, row)
    assert [(c.heading, c.old, c.new) for c in outcome.changes] == [
        (
            "联系人1",
            "史健国;街道分管领导;130****1001;街道领导",
            "史健国;街道主任;130****7777;志愿者",
        )
    ]
    leader = ContactPerson.objects.get(name="史健国")
    assert (leader.post, leader.phone, leader.kind) == ("街道主任", "13000007777", "志愿者")
    assert (leader.phone_digest, leader.row_version) == (digest("13000007777"), 1)
    assert ContactPerson.objects.count() == 3
    event = AuditEvent.objects.get(type="special.person_changed")
    assert event.changes == {"fields": ["kind", "phone", "post"]}
    assert counts(take(township, row)) == (0, 0, 1, [])


def test_correction_that_another_row_contradicts_is_not_made(township, village, home):
    other, _ = make_bereaved(village, "00002")
    take(township, archive_row(home), archive_row(other.household))
    rows = [
        archive_row(home, contact1="史健国;街道主任;13000001001;街道领导"),
        archive_row(other.household),
    ]
    for _ in range(2):
        outcome = take(township, *rows)
        assert counts(outcome) == (0, 0, 2, [])
        assert odd(outcome) == [(2, "联系人1", "contact_differs")]
    assert ContactPerson.objects.get(name="史健国").post == "街道分管领导"


def test_new_person_told_of_in_two_ways_comes_in_once(township, village, home):
    other, _ = make_bereaved(village, "00002")
    rows = [
        archive_row(home, contact1="史健国;;13000001001;街道领导"),
        archive_row(other.household, contact1="史健国;街道主任;13000001001;志愿者"),
    ]
    outcome = take(township, *rows)
    assert (outcome.created, odd(outcome)) == (2, [(3, "联系人1", "contact_differs")])
    leader = ContactPerson.objects.get(name="史健国")
    assert (leader.post, leader.kind) == ("街道主任", "街道领导")
    assert counts(take(township, *rows)) == (0, 0, 2, [])


def test_namesake_of_another_phone_is_another_person(township, village, home):
    other, _ = make_bereaved(village, "00002")
    take(
        township,
        archive_row(home),
        archive_row(other.household, contact1="史健国;医生;13000002222;家庭医生"),
    )
    assert ContactPerson.objects.filter(name="史健国").count() == 2
    row = archive_row(home, contact1="史健国;医生;13000002222;家庭医生")
    take(township, row, on=JUNE)
    new = FamilyContact.objects.get(family__household=home, ended_on=None, person__name="史健国")
    assert (new.person.phone, new.follows.person.phone) == ("13000002222", "13000001001")
    assert counts(take(township, row)) == (0, 0, 1, [])


def test_two_namesakes_given_the_same_new_phone_stay_as_they_are(township, village, home):
    other, _ = make_bereaved(village, "00002")
    take(
        township,
        archive_row(home),
        archive_row(other.household, contact1="史健国;医生;13000002222;家庭医生"),
    )
    rows = [
        archive_row(home, contact1="史健国;街道分管领导;13000003333;街道领导"),
        archive_row(other.household, contact1="史健国;医生;13000003333;家庭医生"),
    ]
    for _ in range(2):
        outcome = take(township, *rows)
        assert counts(outcome) == (0, 0, 2, [])
        assert odd(outcome) == [(r, "联系人1", "contact_differs") for r in (2, 3)]


def test_corrected_phone_is_known_to_a_new_family_of_the_same_file(township, village, home):
    take(township, archive_row(home))
    other, _ = make_bereaved(village, "00002")
    changed = "史健国;街道分管领导;13000003333;街道领导"
    rows = [archive_row(other.household, contact1=changed), archive_row(home, contact1=changed)]
    outcome = take(township, *rows)
    assert (outcome.created, outcome.updated, ContactPerson.objects.count()) == (1, 1, 3)
    assert counts(take(township, *rows)) == (0, 0, 2, [])


def test_no_account_is_linked_by_a_name(township, home, propagandist):
    propagandist.name = "林霞丹"
    propagandist.save()
    take(township, archive_row(home))
    assert not ContactPerson.objects.filter(user__isnull=False).exists()
    assert not SpecialFamily.objects.visible_to(propagandist).exists()


def test_contacts_changed_between_comparison_and_writing_are_not_overwritten(township, home, clerk):
    take(township, archive_row(home))
    content = workbook_of(KIND, [archive_row(home, contact2=NEW)])
    table = read_table(KINDS[KIND], content, "名册.xlsx", TODAY)
    plan = KINDS[KIND].plan(table, Ground(township, TODAY, TODAY, SystemJob("test")))
    term = FamilyContact.objects.get(person__name="周美丽")
    end_contact(by=clerk, term=term, day=TODAY, today=TODAY, reason="调离")
    with pytest.raises(Unreadable, match="被别人改动"), transaction.atomic():
        KINDS[KIND].write(plan, Journal())
