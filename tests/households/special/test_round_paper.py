"""Rounds on paper: a slip for each family to sign, and the office's own list."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from households.special import round_paper
from tests.factories.special import make_archive, make_contact, make_person, make_record
from tests.factories.special_rounds import make_round, make_visit

pytestmark = pytest.mark.django_db
RECEIPT = "households:special-round-receipt"
PAPER = "households:special-round-paper"


@pytest.fixture
def own(village, contact):
    """A family on the round whose contact the village's user is."""
    family = make_archive(village, number="00011")
    make_contact(family, make_person(village, "周美丽", user=contact))
    return family


@pytest.fixture
def care_round(own, village, township):
    """A round of two families of one village."""
    made = make_round(township)
    for family in (own, make_archive(village, number="00022", contacts=1)):
        make_visit(family, made)
    return made


def url(name, target) -> str:
    return reverse(name, args=[target.pk])


def slips(page) -> list[str]:
    """What stands on each slip of the answer."""
    return re.findall(r'<article class="fp-third">(.*?)</article>', page.content.decode(), re.S)


def test_every_family_has_a_slip_of_its_own_that_names_no_other(
    care_round, village, clerk, sign_in
):
    for number in range(round_paper.SLIPS_PER_SHEET):
        make_visit(make_archive(village, number=f"0010{number}", contacts=1), care_round)
    excused = make_archive(village, number="00099", contacts=1)
    make_visit(excused, care_round, left_out="本人不愿意")

    page = sign_in(clerk).get(url(RECEIPT, care_round))

    assert [len(sheet) for sheet in page.context["sheets"]] == [3, 2]
    numbers = {"00011", "00022", "00100", "00101", "00102"}
    on_slips = [{number for number in numbers if number in slip} for slip in slips(page)]
    assert sorted(map(sorted, on_slips)) == sorted([number] for number in numbers)
    assert all("签收人签字" in slip and "伍佰元整" in slip for slip in slips(page))
    assert "00099" not in page.content.decode()
    event = AuditEvent.objects.get(type="registry.printed")
    assert (event.count, event.changes) == (5, {"what": "2018年中秋节慰问签收单"})


def test_contacts_receipts_are_of_own_families_only(care_round, contact, sign_in):
    page = sign_in(contact).get(url(RECEIPT, care_round))
    assert len(slips(page)) == 1
    assert "00011" in slips(page)[0]


def test_receipt_of_one_family_is_there_before_the_visit_and_has_the_sum_in_words(
    care_round, own, contact, sign_in
):
    visit = own.round_visits.get()
    assert visit.record is None
    page = sign_in(contact).get(url("households:special-visit-receipt", visit))
    (slip,) = slips(page)
    assert "500.00元（大写：伍佰元整）" in slip
    assert "戴飞飞、董丽怡" in slip
    assert AuditEvent.objects.get(type="registry.printed").count == 1


def visited(family) -> None:
    visit = family.round_visits.get()
    visit.record = make_record(visit.contact, date(2018, 9, 20), purpose="节日慰问")
    visit.ticked_on, visit.signed_by, visit.note = date(2018, 9, 20), "戴强（侄子）", "身体不错"
    visit.save()


def test_slip_tells_the_day_of_a_visit_that_was_made(care_round, own, contact, sign_in):
    visited(own)
    page = sign_in(contact).get(url(RECEIPT, care_round))
    assert "2018年9月20日" in slips(page)[0]


def test_office_list_has_sheets_by_village_with_sums_and_nothing_to_sign(
    care_round, own, other_village, village, clerk, sign_in
):
    for _ in range(round_paper.PER_SHEET):
        make_visit(make_archive(village, contacts=1), care_round)
    make_visit(make_archive(other_village, contacts=1), care_round)
    visited(own)

    page = sign_in(clerk).get(url(PAPER, care_round))

    sheets = [(s.village, len(s.lines), s.families, s.money) for s in page.context["sheets"]]
    assert sheets == [
        ("庄科村", 9, None, None),
        ("庄科村", 2, 11, Decimal(5500)),
        ("安丰营村", 1, 1, Decimal(500)),
    ]
    text = page.content.decode()
    assert "办公室留存" in text
    assert "戴强（侄子）" in text
    assert "身体不错" in text
    assert "签字" not in text
    event = AuditEvent.objects.get(type="registry.printed")
    assert (event.count, event.changes) == (12, {"what": "2018年中秋节慰问登记表（办公室留存）"})


def test_office_list_is_no_contacts(care_round, contact, sign_in):
    client = sign_in(contact)
    assert client.get(url(PAPER, care_round)).status_code == 403
    detail = client.get(care_round.get_absolute_url()).content.decode()
    assert url(PAPER, care_round) not in detail


def test_office_list_costs_the_same_for_more_families(
    care_round, village, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def look():
        for name in (PAPER, RECEIPT):
            assert client.get(url(name, care_round)).status_code == 200

    def grow():
        for _ in range(5):
            make_visit(make_archive(village, contacts=1), care_round)

    look()
    assert_query_count_does_not_grow(look, grow)
