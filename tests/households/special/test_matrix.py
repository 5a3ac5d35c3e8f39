"""联系服务: the matrix of families by month, its figures, filters and cells."""

import re
from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from fpadmin.reporting.registry import Span
from households.models import CareRule, MissedMonth
from households.special import matrix
from households.special.figures import compute_special
from tests.conftest import TODAY
from tests.factories.special import make_archive, make_contact, make_person, make_record
from tests.factories.special_rounds import make_round, make_visit

pytestmark = pytest.mark.django_db
PAGE = "households:special-matrix"
# What each of five families missed in 2018: the second May, the fourth July.
MISSED = {2: 5, 4: 7}


def page(client, **asked):
    response = client.get(reverse(PAGE), asked)
    assert response.status_code == 200
    return response.context


def five_families(village):
    """Five families, contacted in every finished month of 2018 but two."""
    families = []
    for number in range(1, 6):
        kind = "死亡" if number < 4 else "伤残"
        family = make_archive(village, kind=kind, contacts=3, died=date(2012, 5, 6))
        term = family.contacts.first()
        for month in range(1, 10):
            if month != MISSED.get(number):
                purpose = "节日慰问" if month in (2, 9) else "日常联系"
                make_record(term, date(2018, month, 10), purpose=purpose)
        families.append(family)
    return families


def states(row):
    return [cell.state for cell in row.cells]


def test_matrix_shows_exactly_the_two_gaps_and_the_rate(sign_in, clerk, village):
    families = five_families(village)
    client = sign_in(clerk)
    context = page(client)
    gaps = {
        (row.family.pk, month)
        for row in context["matrix"].rows
        for month, cell in enumerate(row.cells, 1)
        if cell.state == matrix.MISSED
    }
    assert gaps == {(families[1].pk, 5), (families[3].pk, 7)}
    figures = context["figures"]
    assert (figures.months_done, figures.months_due, figures.months) == (43, 45, "1–9月")
    assert (context["matrix"].sums.met, context["matrix"].sums.counted) == (43, 45)
    assert context["matrix"].sums.monthly == [5, 5, 5, 5, 4, 5, 4, 5, 5, 0, None, None]
    text = client.get(reverse(PAGE)).content.decode()
    assert "95.56<small>%" in text
    assert re.search(r"43/45</a>户月", text)
    assert (figures.families, figures.death, figures.disability) == (5, 3, 2)
    assert figures.festivals == [("春节", 5), ("中秋", 5)]


def test_figures_of_the_page_are_those_of_the_indicators(sign_in, clerk, village):
    five_families(village)
    make_archive(village, contacts=1, opened_on=date(2018, 8, 31))
    figures = page(sign_in(clerk))["figures"]
    year = compute_special([clerk.region], Span(date(2018, 1, 1), TODAY))[clerk.region.code]
    months = compute_special([clerk.region], Span(date(2018, 1, 1), date(2018, 9, 30)))
    months = months[clerk.region.code]
    assert figures.families == year["special_families"] == 6
    assert figures.enough_contacts == year["special_contacts_done"] == 5
    assert figures.cards == year["special_medical_cards_done"]
    assert figures.visits == year["special_visits"] == 10
    assert figures.months_due == months["special_monthly_contacts_due"] == 47
    assert figures.months_done == months["special_monthly_contacts_done"] == 43
    assert figures.contact_rate == months["special_monthly_contact_rate"]


def test_families_that_lack_a_kind_of_contact_are_told_and_listed(
    sign_in, clerk, propagandist, village
):
    family = make_archive(village)
    make_contact(family, make_person(village, "林霞丹", user=propagandist))
    make_contact(family)
    client = sign_in(clerk)
    assert "类别不全" not in client.get(reverse(PAGE)).content.decode()
    CareRule.objects.create(
        region=clerk.region, from_on=date(2018, 1, 1), contacts_required=2,
        kinds_required=["街道领导"], document="办法", set_by=clerk,
    )  # fmt: skip
    response = client.get(reverse(PAGE))
    figures, link = response.context["figures"], response.context["links"]["kinds"]
    counted = compute_special([clerk.region], Span(date(2018, 1, 1), TODAY))[clerk.region.code]
    assert figures.enough_contacts == 1
    assert figures.kinds_missing == counted["special_contact_kinds_missing"] == 1
    assert re.search(r"类别不全<a [^>]*>1</a>户", response.content.decode())
    assert family.household.number in client.get(link).content.decode()
    own = sign_in(propagandist).get(reverse(PAGE)).content.decode()
    assert "类别不全1户" in own  # counted, without a list that is not theirs

    make_contact(family, make_person(village, "史健国", kind="街道领导"))
    assert "类别不全" not in client.get(reverse(PAGE)).content.decode()


def test_visits_of_rounds_belong_to_their_festival(sign_in, clerk, village):
    term = make_archive(village, contacts=1).contacts.get()
    for name, day in (("2018年中秋节慰问", 3), ("建党节慰问", 4)):
        visit = make_visit(term.family, make_round(clerk.region, name))
        visit.record = make_record(term, date(2018, 7, day), purpose="节日慰问")
        visit.contact, visit.ticked_on = term, TODAY
        visit.save()
    make_record(term, date(2018, 9, 20), purpose="节日慰问")
    make_record(term, date(2018, 12, 20), purpose="节日慰问", recorded_on=date(2018, 12, 20))
    assert page(sign_in(clerk))["figures"].festivals == [("中秋", 2), ("建党节慰问", 1)]


def test_months_outside_the_archive_do_not_count(sign_in, clerk, village):
    family = make_archive(village, contacts=1, opened_on=date(2018, 3, 15))
    family.closed_on, family.close_reason = date(2018, 8, 20), "moved"
    family.save()
    row = page(sign_in(clerk))["matrix"].rows[0]
    off, miss = matrix.OFF, matrix.MISSED
    assert states(row)[:10] == [off, off, miss, miss, miss, miss, miss, off, off, off]
    assert (row.family.months_met, row.family.months_counted) == (0, 5)


def test_cells_say_channel_purpose_number_and_lead_to_their_records(sign_in, clerk, village):
    family = make_archive(village, contacts=2)
    first, second = family.contacts.all()
    make_record(first, date(2018, 1, 5), channel="电话")
    make_record(first, date(2018, 2, 5), purpose="生病探望")
    make_record(first, date(2018, 3, 5))
    make_record(second, date(2018, 3, 6), channel="微信")
    voided = make_record(first, date(2018, 4, 5))
    voided.voided_at, voided.voided_by, voided.void_reason = timezone.now(), clerk, "登记错了"
    voided.save()
    cells = page(sign_in(clerk))["matrix"].rows[0].cells
    assert [(c.icon, c.word) for c in cells[:4]] == [
        ("telephone", "5日"), ("heart-pulse", "5日"), ("chat-dots", "2次"), ("x-lg", "缺"),
    ]  # fmt: skip
    assert cells[2].label == "3月5日，入户；3月6日，微信"
    month = "households:special-month-detail"
    assert cells[2].url == reverse(month, args=[family.pk, "2018-03"])
    assert cells[3].url == reverse("households:special-month-explain", args=[family.pk, "2018-04"])
    due = cells[9]
    assert (due.state, due.url) == (
        matrix.DUE, reverse("households:special-record-create", args=[family.pk]),
    )  # fmt: skip
    assert [c.state for c in cells[10:]] == [matrix.LATER, matrix.LATER]


def test_fewer_contacts_than_asked_are_part_and_still_count(sign_in, clerk, reviewer, village):
    family = make_archive(village, contacts=1)
    CareRule.objects.create(
        region=clerk.region, from_on=date(2018, 9, 1), contacts_per_month=2, document="办法",
        set_by=reviewer,
    )  # fmt: skip
    for month in (8, 9, 10):
        make_record(family.contacts.get(), date(2018, month, 3))
    row = page(sign_in(clerk))["matrix"].rows[0]
    assert states(row)[7:10] == [matrix.MET, matrix.PARTLY, matrix.PARTLY]
    assert row.cells[8].word == "1/2次"
    assert "要求2次，还差1次" in row.cells[8].label
    assert row.family.months_met == 2


def test_late_record_is_marked_unless_a_workbook_brought_it(sign_in, clerk, village):
    family = make_archive(village, contacts=1)
    term = family.contacts.get()
    late = {"recorded_on": TODAY}
    make_record(term, date(2018, 5, 4), recorded_by=clerk, **late)
    make_record(term, date(2018, 6, 4), **late)
    make_record(term, date(2018, 7, 4), recorded_by=clerk, recorded_on=date(2018, 7, 31))
    cells = page(sign_in(clerk))["matrix"].rows[0].cells
    assert [cell.is_late for cell in cells[4:7]] == [True, False, False]
    assert "补记" in cells[4].label


def test_explained_month_stays_missed_and_tells_why(sign_in, clerk, village):
    family = make_archive(village, contacts=1)
    MissedMonth.objects.create(
        family=family, month=date(2018, 5, 1), reason="全家外出", noted_by=clerk
    )
    cell = page(sign_in(clerk))["matrix"].rows[0].cells[4]
    assert (cell.state, cell.reason) == (matrix.MISSED, "全家外出")
    assert "全家外出" in cell.label


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["explained", "gap", "whole"]),
        ({"gaps": "any"}, ["explained", "gap"]),
        ({"gaps": "open"}, ["gap"]),
        ({"gaps": "late"}, []),
        ({"gaps": "due"}, ["explained", "gap"]),
        ({"gaps": "nonsense"}, ["explained", "gap", "whole"]),
        ({"year": "2017"}, []),
        ({"year": "1"}, ["explained", "gap", "whole"]),
    ],
    ids=str,
)
def test_filters_find_their_families(sign_in, clerk, village, asked, found):
    """September was over nine days ago: not yet one day more than the ten of the rule."""
    opened = date(2018, 9, 5)
    families = {
        name: make_archive(village, contacts=1, opened_on=opened)
        for name in ("gap", "explained", "whole")
    }
    MissedMonth.objects.create(
        family=families["explained"], month=date(2018, 9, 1), reason="外出", noted_by=clerk
    )
    for day in (date(2018, 9, 7), date(2018, 10, 7)):
        make_record(families["whole"].contacts.get(), day)
    rows = page(sign_in(clerk), **asked)["matrix"].rows
    names = {family.pk: name for name, family in families.items()}
    assert sorted(names[row.family.pk] for row in rows) == found


def test_village_filter_takes_its_families_only(sign_in, clerk, village, other_village):
    make_archive(village)
    other = make_archive(other_village)
    rows = page(sign_in(clerk), village=other_village.pk)["matrix"].rows
    assert [row.family for row in rows] == [other]


def test_contact_sees_own_families_and_their_figures(sign_in, propagandist, village):
    own = make_archive(village)
    term = make_contact(own, make_person(village, user=propagandist))
    make_record(term, date(2018, 9, 3))
    make_archive(village)
    context = page(sign_in(propagandist))
    assert [row.family for row in context["matrix"].rows] == [own]
    assert (context["figures"].families, context["figures"].months_words) == (1, "1/9")
    assert context["links"] == {}


def test_year_that_is_over_counts_to_its_end(sign_in, clerk, village):
    family = make_archive(village, contacts=1, opened_on=date(2017, 11, 1))
    make_record(family.contacts.get(), date(2017, 12, 31))
    context = page(sign_in(clerk), year=2017)
    row = context["matrix"].rows[0]
    assert states(row)[10:] == [matrix.MISSED, matrix.MET]
    assert context["figures"].months == "1–12月"
    assert (context["previous"], context["next"]) == (None, 2018)
    assert page(sign_in(clerk))["previous"] == 2017


def test_first_month_of_a_year_has_no_rate(sign_in, clerk, village, settings):
    settings.TODAY = "2018-01-31"
    make_archive(village, contacts=1)
    client = sign_in(clerk)
    context = page(client)
    assert context["figures"].contact_rate is None
    assert context["matrix"].rows[0].cells[0].state == matrix.DUE
    assert "—" in client.get(reverse(PAGE)).content.decode()


def test_page_holds_fifty_families_and_sums_all(sign_in, clerk, village):
    for _ in range(51):
        make_archive(village)
    client = sign_in(clerk)
    assert len(page(client)["matrix"].rows) == 50
    second = page(client, page=2)["matrix"]
    assert len(second.rows) == 1
    assert second.sums.counted == 51 * 9


def test_matrix_costs_the_same_for_any_number_of_families(
    sign_in, clerk, village, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    five_families(village)
    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-matrix")), lambda: five_families(village)
    )
