"""Archives and contacts: what the services do, refuse and leave behind, and what the database holds."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import EditConflict, RuleViolation
from households import services
from households.models import ContactRecord, FamilyContact, SpecialFamily
from households.services.special_log import record_visit
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.special import (
    OPENED,
    make_archive,
    make_bereaved,
    make_contact,
    make_person,
    make_record,
)

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)


def opened(clerk, household, **values):
    values = {"kind": "死亡", "opened_on": OPENED, "today": TODAY} | values
    return services.open_archive(by=clerk, household=household, **values)


def test_archive_is_about_the_parents_of_the_child(clerk, village):
    head, wife = make_bereaved(village)
    family = opened(clerk, head.household)
    assert {p.resident for p in family.parents.all()} == {head, wife}
    event = AuditEvent.objects.get(type="special.opened")
    assert event.region_path == village.path
    assert "死亡" not in str(event.changes)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"opened_on": date(2018, 10, 10)}, "不能晚于今天"),
        ({"opened_on": date(2018, 3, 31)}, "才结案"),
    ],
)
def test_archive_begins_by_today_and_after_the_one_before(clerk, village, values, words):
    family = make_archive(village)
    services.close_archive(
        by=clerk, family=family, closed_on=date(2018, 4, 1), reason="other", today=TODAY
    )
    with pytest.raises(RuleViolation, match=words):
        opened(clerk, family.household, **values)
    assert opened(clerk, family.household, opened_on=date(2018, 4, 1)).closed_on is None


def test_second_open_archive_is_refused_by_service_and_database(clerk, village):
    family = make_archive(village)
    with pytest.raises(RuleViolation, match="已有在管"):
        opened(clerk, family.household)
    with pytest.raises(IntegrityError), transaction.atomic():
        SpecialFamily.objects.create(household=family.household, kind="伤残", opened_on=TODAY)


def test_living_healthy_child_refuses_death_and_disability(clerk, village):
    head, wife = make_bereaved(village)
    make_birth(wife, date(1995, 1, 1), order=2)
    for kind in ("死亡", "伤残"):
        with pytest.raises(RuleViolation, match="健在"):
            opened(clerk, head.household, kind=kind)
    assert opened(clerk, head.household, kind="手术并发症").pk


def test_disabled_child_who_lives_speaks_against_a_death(clerk, village):
    family = make_archive(
        village, kind="伤残", died=None, disability_grade="一级", disability_date=date(2015, 1, 1)
    )
    parents = [p.resident for p in family.parents.all()]
    with pytest.raises(RuleViolation, match="1个健在的子女"):
        services.change_archive(
            by=clerk, family=family, row_version=0, kind="死亡", parents=parents, difficulties="",
            needs="", today=TODAY,
        )  # fmt: skip


def test_archive_cannot_begin_while_the_child_was_well(clerk, village):
    head, wife = make_bereaved(village, died=date(2018, 9, 20))
    with pytest.raises(RuleViolation, match="2018-09-01那天"):
        opened(clerk, head.household, opened_on=date(2018, 9, 1))
    assert opened(clerk, head.household, opened_on=date(2018, 9, 20)).pk


def test_edit_opened_before_the_closing_is_told_of_it(clerk, village):
    family = make_archive(village)
    services.close_archive(by=clerk, family=family, closed_on=TODAY, reason="moved", today=TODAY)
    with pytest.raises(EditConflict):
        services.change_archive(
            by=clerk, family=family, row_version=0, kind="死亡", difficulties="", needs="",
            parents=[p.resident for p in family.parents.all()], today=TODAY,
        )  # fmt: skip


def test_closing_ends_the_contacts_on_that_day(clerk, village):
    family = make_archive(village, contacts=2)
    services.close_archive(by=clerk, family=family, closed_on=TODAY, reason="moved", today=TODAY)
    assert set(family.contacts.values_list("ended_on", flat=True)) == {TODAY}
    assert not SpecialFamily.objects.open_on(TODAY).exists()


def test_contact_sees_only_own_families_and_the_county_none(
    clerk, propagandist, county_user, reviewer, village
):
    own, other = make_archive(village), make_archive(village)
    term = make_contact(own, make_person(village, user=propagandist))
    seen = {u: set(SpecialFamily.objects.visible_to(u)) for u in (clerk, reviewer)}
    assert seen == {clerk: {own, other}, reviewer: {own, other}}
    assert list(SpecialFamily.objects.visible_to(propagandist)) == [own]
    assert list(FamilyContact.objects.visible_to(propagandist)) == [term]
    assert not SpecialFamily.objects.visible_to(county_user).exists()
    successor = make_person(village)
    services.hand_over(by=clerk, term=term, person=successor, day=TODAY, today=TODAY, reason="调岗")
    assert not SpecialFamily.objects.visible_to(propagandist).exists()


def test_hand_over_leaves_no_day_without_a_contact(clerk, village):
    family = make_archive(village, contacts=1)
    term = family.contacts.get()
    make_record(term, TODAY)
    successor = services.hand_over(
        by=clerk, term=term, person=make_person(village), day=TODAY, today=TODAY, reason="调岗"
    )
    assert [c.person for c in family.contacts.in_term_on(TODAY)] == [successor.person]
    assert family.contacts.who_may_record_on(TODAY).count() == 2
    services.record_contact(
        by=clerk,
        contact=successor,
        happened_on=TODAY,
        channel="电话",
        purpose="日常联系",
        today=TODAY,
    )
    with pytest.raises(RuleViolation, match="最后一位"):
        services.end_contact(by=clerk, term=successor, day=TODAY, today=TODAY, reason="")


def test_hand_over_refuses_a_day_before_what_was_recorded(clerk, village):
    family = make_archive(village, contacts=1)
    term = family.contacts.get()
    make_record(term, TODAY)
    with pytest.raises(RuleViolation, match="还有联系记录"):
        services.hand_over(
            by=clerk, term=term, person=make_person(village), day=date(2018, 10, 8), today=TODAY, reason=""
        )  # fmt: skip
    term.refresh_from_db()
    assert term.ended_on is None


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2018, 10, 10), "不能晚于今天"),
        (date(2018, 1, 1), "不在联系人"),
        (date(2018, 6, 2), "不在联系人"),
    ],
)
def test_contact_is_recorded_within_the_term_and_by_today(clerk, village, day, words):
    family = make_archive(village, contacts=1)
    term = family.contacts.get()
    FamilyContact.objects.filter(pk=term.pk).update(ended_on=date(2018, 6, 1))
    term.refresh_from_db()
    with pytest.raises(RuleViolation, match=words):
        services.record_contact(
            by=clerk, contact=term, happened_on=day, channel="入户", purpose="日常联系", today=TODAY
        )
    services.record_contact(
        by=clerk, contact=term, happened_on=date(2018, 6, 1), channel="入户", purpose="日常联系",
        today=TODAY,
    )  # fmt: skip


def test_database_holds_term_day_and_once_a_day(village):
    term = make_contact(make_archive(village))
    make_record(term, date(2018, 5, 1))
    faults = [
        lambda: make_record(term, date(2018, 1, 1)),
        lambda: make_record(term, date(2018, 5, 1)),
        lambda: make_record(term, date(2018, 6, 2), recorded_on=date(2018, 6, 1)),
        lambda: FamilyContact.objects.filter(pk=term.pk).update(ended_on=date(2018, 4, 30)),
        lambda: FamilyContact.objects.filter(pk=term.pk).update(started_on=date(2018, 5, 2)),
        lambda: ContactRecord.objects.update(happened_on=date(2017, 1, 1)),
    ]
    for fault in faults:
        with pytest.raises(IntegrityError), transaction.atomic():
            fault()
    assert ContactRecord.objects.get().happened_on == date(2018, 5, 1)


def test_who_left_gets_no_family_for_an_earlier_day_either(clerk, village):
    family = make_archive(village, contacts=1)
    gone = make_person(village, "走了", left_on=date(2018, 9, 1))
    with pytest.raises(RuleViolation, match="已于2018-09-01离岗"):
        services.name_contact(
            by=clerk, family=family, person=gone, started_on=date(2018, 8, 1), today=TODAY
        )
    with pytest.raises(RuleViolation, match="已于2018-09-01离岗"):
        services.hand_over(
            by=clerk, term=family.contacts.get(), person=gone, day=date(2018, 8, 1), today=TODAY,
            reason="调岗",
        )  # fmt: skip
    assert not gone.terms.exists()
    assert family.contacts.get().ended_on is None


def test_who_left_while_the_form_was_open_gets_no_family(clerk, village):
    family, person = make_archive(village), make_person(village)
    services.mark_left(by=clerk, person=person, left_on=TODAY, today=TODAY)
    person.left_on = None  # as the form read it before
    with pytest.raises(RuleViolation, match="离岗"):
        services.name_contact(by=clerk, family=family, person=person, started_on=TODAY, today=TODAY)


@pytest.mark.django_db(transaction=True)
def test_two_hand_overs_at_once_make_one_successor(clerk, reviewer, village):
    family = make_archive(village, contacts=1)
    term = family.contacts.get()
    start = threading.Barrier(2)

    def hand_over(by, person):
        try:
            start.wait(10)
            services.hand_over(
                by=by, term=term, person=person, day=TODAY, today=TODAY, reason="调岗"
            )
            return ""
        except RuleViolation as violation:
            return violation.message
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(hand_over, [clerk, reviewer], [make_person(village) for _ in "ab"]))

    assert sorted(map(bool, said)) == [False, True]
    assert "已不再是这一户的联系人" in "".join(said)
    assert family.contacts.filter(ended_on__isnull=True).count() == 1


def test_correcting_a_person_tells_which_facts_changed(clerk, village):
    person = make_person(village, "林霞丹", phone="")
    services.edit_contact_person(
        by=clerk, person=person, row_version=0, name="林霞丹", kind=person.kind, post="副主任",
        phone="13011118404", user=None,
    )  # fmt: skip
    event = AuditEvent.objects.get(type="special.person_changed")
    assert event.changes["fields"] == ["phone", "post"]
    assert "1301111" not in str(event.changes)


def lives_in(resident, household):
    resident.household, resident.relation = household, "其他"
    resident.save()


def test_archive_follows_its_parents_and_nobody_else(clerk, village):
    family = make_archive(village)
    stranger, elsewhere = make_household(village, "00801"), make_household(village, "00802")
    make_resident(stranger, "路人")
    former = family.parents.first()
    for parent in family.parents.all():
        lives_in(parent.resident, elsewhere)
    with pytest.raises(RuleViolation, match="没有这份档案的父母"):
        services.move_archive(by=clerk, family=family, household=stranger)
    assert services.move_archive(by=clerk, family=family, household=elsewhere)
    lives_in(former.resident, stranger)
    family.parents.filter(pk=former.pk).update(ended_on=TODAY)
    with pytest.raises(RuleViolation, match="没有这份档案的父母"):
        services.move_archive(by=clerk, family=family, household=stranger)


def test_archive_moves_into_no_household_with_one_of_the_same_day(clerk, village):
    family, other = make_archive(village), make_archive(village)
    services.close_archive(by=clerk, family=other, closed_on=TODAY, reason="moved", today=TODAY)
    lives_in(family.parents.first().resident, other.household)
    with pytest.raises(RuleViolation, match="2018-01-02已经建过一份档案"):
        services.move_archive(by=clerk, family=family, household=other.household)
    family.refresh_from_db()
    assert family.household != other.household


def test_need_of_a_former_contacts_visit_goes_to_a_current_one(clerk, village):
    family = make_archive(village, contacts=1)
    term = family.contacts.get()
    successor = services.hand_over(
        by=clerk, term=term, person=make_person(village), day=TODAY, today=TODAY, reason="调岗"
    )
    term.refresh_from_db()
    visit = {
        "by": clerk, "contact": term, "happened_on": TODAY, "channel": "入户", "today": TODAY,
        "purpose": "日常联系", "request": "陪同复诊", "needs": ["就医"],
    }  # fmt: skip
    with pytest.raises(RuleViolation, match="请另选跟办负责人"):
        record_visit(**visit)
    assert not term.records.exists()
    assert record_visit(**visit, owner=successor.person).follow_ups.get().owner == successor.person


def test_nobody_is_a_parent_of_two_open_archives(clerk, village):
    known, family = make_archive(village), make_archive(village)
    parent, home = known.parents.first().resident, make_household(village, "00803")
    lives_in(parent, home)
    with pytest.raises(RuleViolation, match="戴飞飞已在另一份在管的档案里"):
        opened(clerk, home, parents=[parent])
    own = [p.resident for p in family.parents.all()]
    change = {
        "by": clerk, "family": family, "row_version": 0, "kind": "死亡", "difficulties": "",
        "needs": "", "today": TODAY,
    }  # fmt: skip
    with pytest.raises(RuleViolation, match="已在另一份"):
        services.change_archive(parents=[*own, parent], **change)
    assert family.parents.count() == 2
    services.close_archive(by=clerk, family=known, closed_on=TODAY, reason="moved", today=TODAY)
    assert opened(clerk, home, parents=[parent], opened_on=TODAY).parents.get().resident == parent
