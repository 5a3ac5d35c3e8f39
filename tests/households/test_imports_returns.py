"""The residents' workbook and people who had left the books."""

from datetime import date

import pytest

from households.models import Household, Residency, Resident
from tests.factories.households import make_household, make_resident
from tests.factories.workbooks import resident, run_import, workbook_of

pytestmark = pytest.mark.django_db


def import_residents(township, *records, **options):
    return run_import("residents", workbook_of("residents", list(records)), township, **options)


def found(outcome) -> list[tuple]:
    return [(i.row, i.column, i.code) for i in outcome.errors]


def departed(household, name="离开", on=date(2018, 3, 1), **extra) -> Resident:
    """Somebody whose only spell ended on the day."""
    person = make_resident(household, name, **extra)
    Residency.objects.filter(resident=person).update(ended_on=on)
    person.departed_on = on
    person.save()
    return person


def test_somebody_who_left_comes_back_as_a_new_stay(township, village):
    person = departed(make_household(village, "00001"))
    record = resident(village, "00001", name="离开", idno=person.id_number)
    outcome = import_residents(township, record, on=date(2018, 9, 1))
    assert (outcome.created, outcome.updated, outcome.errors) == (0, 1, [])
    assert [(c.heading, c.old, c.new) for c in outcome.changes] == [
        ("是否在册", "2018-03-01离册", "2018-09-01起在册")
    ]
    person.refresh_from_db()
    assert person.departed_on is None
    spells = Residency.objects.filter(resident=person).order_by("pk")
    assert [(s.started_on, s.ended_on) for s in spells] == [
        (None, date(2018, 3, 1)),
        (date(2018, 9, 1), None),
    ]
    assert import_residents(township, record, on=date(2018, 9, 1)).unchanged == 1


def test_who_left_another_office_comes_to_ours_and_its_records_stay_unread(
    township, village, far_village
):
    person = departed(make_household(far_village, "00001"), education="大学")
    outcome = import_residents(
        township,
        resident(village, "00005", name="离开", idno=person.id_number, education="小学"),
        on=date(2018, 9, 1),
    )
    assert outcome.errors == []
    assert "大学" not in str(outcome.changes)
    person.refresh_from_db()
    assert (person.village, person.household.number) == (village, "00005")


def test_nobody_comes_back_before_leaving(township, village):
    person = departed(make_household(village, "00001"))
    outcome = import_residents(
        township,
        resident(village, "00001", name="离开", idno=person.id_number),
        on=date(2018, 2, 1),
    )
    assert found(outcome) == [(2, "户编号", "before_departure")]


def test_a_head_who_left_makes_room_and_is_refused_where_another_has_come(township, village):
    home = make_household(village, "00001")
    person = departed(home)
    assert import_residents(township, resident(village, "00001", name="新户主")).errors == []
    again = resident(village, "00001", name="离开", idno=person.id_number)
    assert found(import_residents(township, again)) == [(2, "与户主关系", "two_heads")]


def test_the_death_of_somebody_who_left_opens_no_stay(township, village):
    home = make_household(village, "00001")
    person = departed(home, relation="子")
    import_residents(
        township,
        resident(
            village,
            "00099",
            name="离开",
            idno=person.id_number,
            death_date="2018-05-01",
            dibao="是",
        ),
    )
    person.refresh_from_db()
    assert (person.death_date, person.departed_on) == (date(2018, 5, 1), date(2018, 3, 1))
    assert (person.household, person.relation) == (home, "子")
    assert Residency.objects.count() == 1
    assert Household.objects.count() == 1


def test_a_merged_record_is_nobody(township, village):
    home = make_household(village, "00001")
    kept = make_resident(home, "小孩", birth_date=date(2015, 1, 2), relation="子", id_number="")
    merged = departed(home, "小孩", birth_date=date(2015, 1, 2), relation="子", id_number="")
    Resident.objects.filter(pk=merged.pk).update(merged_into=kept)
    record = resident(
        village,
        name="小孩",
        idno="",
        birth_date="2015-1-2",
        sex="男",
        relation="子",
        education="小学",
    )
    assert import_residents(township, record).updated == 1
    kept.refresh_from_db()
    assert kept.education == "小学"
