"""The group special_families against an oracle in plain Python, over random archives and contacts."""

from collections import Counter
from datetime import date
from types import SimpleNamespace

import pytest

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import GROUPS, Span, group_of
from households.models import DoctorContract, FamilyKind, HealthCheck, MedicalCard, SpecialFamily
from households.special.family_months import bounds, label_of
from households.special.figure_lists import LISTED_AS, people_of_special
from households.special.figures import SPECIAL, compute_special
from households.special.months import months_of
from tests.factories.accounts import make_region
from tests.factories.special import make_archive, make_bereaved, make_contact, make_record
from tests.households.special.oracle import RATES, Oracle
from tests.households.special.random_families import County

pytestmark = pytest.mark.django_db
COUNTS = [i.code for i in SPECIAL if i.kind == "count"]
SPANS = [
    Span(date(2017, 10, 1), date(2018, 9, 30)),
    Span(date(2018, 1, 1), date(2018, 9, 30)),
    Span(date(2018, 5, 1), date(2018, 5, 31)),
    Span(date(2018, 2, 10), date(2018, 10, 9)),  # months partly open
    Span(date(2018, 7, 3), date(2018, 7, 20)),  # no month ends in it
    Span(date(2016, 1, 1), date(2018, 12, 31)),
]
YEAR, NINE_MONTHS = SPANS[:2]


@pytest.fixture(params=range(3))
def world(request):
    return County(request.param)


def test_figures_are_the_oracles_and_villages_sum_to_their_township(world):
    for span in SPANS:
        figures, oracle = compute_special(world.regions, span), Oracle(span)
        counted = oracle.counted()
        for region in world.regions:
            expected = {
                code: sum(oracle.lies_in(place, region) for place in counted[code])
                for code in COUNTS
            }
            for rate, (done, due) in RATES.items():
                whole = expected[due]
                expected[rate] = expected[done] / whole * 100 if whole else None
            assert figures[region.code] == expected, (span, region.code)
        for township in world.townships:
            below = [figures[v.code] for v in world.villages if v.parent_id == township.pk]
            for code in COUNTS:
                assert figures[township.code][code] == sum(row[code] for row in below), code


def test_random_counties_have_something_of_everything():
    """So that the comparison above compares something."""
    world = County(0)
    found = Counter()
    for span in SPANS:
        found += Counter(compute_special([world.county], span, COUNTS)[world.county.code])
    assert [code for code in COUNTS if not found[code]] == []
    rows = compute_special(world.villages, YEAR, ["special_families"])
    assert len([r for r in rows.values() if r["special_families"]]) > 3


def test_lists_hold_what_the_figures_count(world):
    oracle = Oracle(YEAR)
    counted = oracle.counted()
    for region in (world.county, world.villages[0], world.groups[0]):
        for code in COUNTS:
            rows = people_of_special(code, region, YEAR)
            listed = list(rows)
            assert Counter((r.village_code, r.household_no) for r in listed) == Counter(
                (oracle.villages[p[0]].code, p[2])
                for p in counted[code]
                if oracle.lies_in(p, region)
            )
            assert len(rows) == len(listed)
            assert rows[1:4] == listed[1:4]
            assert all(r.name for r in listed)


@pytest.mark.parametrize("rate", RATES)
def test_rate_lists_its_numerator(rate):
    assert LISTED_AS[rate] == RATES[rate][0]


def test_code_asked_alone_is_the_same_figure_and_the_only_one():
    world = County(0, households=8)
    whole = compute_special([world.county], YEAR)[world.county.code]
    for code in GROUPS["special_families"].codes:
        assert compute_special([world.county], YEAR, [code])[world.county.code] == {
            code: whole[code]
        }


@pytest.mark.parametrize("span", SPANS, ids=lambda s: f"{s.start}-{s.as_of}")
def test_months_are_those_of_the_matrix(span):
    first, end = bounds(span)
    assert [label_of(m) for m in range(first, end)] == [f"{f:%Y-%m}" for f, _ in months_of(span)]


def test_far_days_break_nothing(village):
    make_archive(village)
    span = Span(date(1, 1, 1), date(9999, 12, 31))
    row = compute_special([village], span)[village.code]
    rows = people_of_special("special_monthly_contacts_missed", village, span)
    assert row["special_monthly_contacts_missed"] == len(rows) == (9999 - 2018) * 12 + 12
    assert rows[-1:] == [] or rows[len(rows) - 1 : len(rows)][0].facts["月份"] == "9999-12"


@pytest.fixture
def issue(village, other_village):
    """Five families, 43 contacts from January to September, the second and fourth miss a month."""
    committee = make_region("539981001001", "禄脿社区")
    places = [village, village, other_village, committee, committee]
    kinds = [FamilyKind.DEATH] * 3 + [FamilyKind.DISABILITY] * 2
    families = []
    for number, (place, kind) in enumerate(zip(places, kinds, strict=True), 1):
        family = make_archive(place, kind=kind, contacts=1)
        contact = family.contacts.get()
        for month in range(1, 10):
            if (number, month) not in ((2, 5), (4, 7)):
                make_record(contact, date(2018, month, 10 + number))
        families.append(family)
    return SimpleNamespace(families=families, committee=committee, township=village.parent)


@pytest.mark.parametrize("span", [YEAR, NINE_MONTHS], ids=["statistical year", "nine months"])
def test_two_missed_months_of_five_families(issue, span, village, other_village):
    regions = [issue.township, village, other_village, issue.committee]
    figures = compute_special(regions, span)
    township = figures[issue.township.code]
    assert township["special_monthly_contact_rate"] == pytest.approx(43 / 45 * 100)
    codes = ("special_families", "special_families_death", "special_monthly_contacts_missed")
    assert [[figures[r.code][c] for c in codes] for r in regions] == [
        [5, 3, 2], [2, 2, 1], [1, 1, 0], [2, 0, 1]
    ]  # fmt: skip
    missed = people_of_special("special_monthly_contacts_missed", issue.township, span)
    assert [(r.household_no, r.facts["月份"]) for r in missed] == [
        (issue.families[3].household.number, "2018-07"),
        (issue.families[1].household.number, "2018-05"),
    ]


def test_row_leads_to_the_archive_that_the_user_sees(issue, clerk, propagandist):
    rows = list(people_of_special("special_families", issue.township, YEAR))
    group = group_of("special_families")
    assert {link for link, _ in group.links(clerk, rows)} == {
        f.get_absolute_url() for f in issue.families
    }
    assert not any("special" in link for link, _ in group.links(propagandist, rows))


def test_family_found_without_an_archive_is_named_by_its_parent(village, clerk):
    head, _ = make_bereaved(village)
    (row,) = people_of_special("special_archives_missing", village, YEAR)
    assert (row.name, row.resident_id, row.facts) == (
        head.name,
        head.pk,
        {"家庭类型": "独生子女死亡"},
    )
    assert group_of("special_families").links(clerk, [row]) == [
        (head.get_absolute_url(), head.household.get_absolute_url())
    ]


@pytest.mark.parametrize(
    ("facts", "done"),
    [
        ({}, 1),
        ({"issued_on": date(2018, 9, 30), "expires_on": date(2018, 9, 30)}, 1),
        ({"issued_on": date(2018, 10, 1)}, 0),
        ({"expires_on": date(2018, 9, 29)}, 0),
        ({"ended_on": date(2018, 9, 30)}, 0),
    ],
)  # fmt: skip
def test_medical_card_counts_while_it_is_valid(village, facts, done):
    MedicalCard.objects.create(family=make_archive(village), number="卡1", **facts)
    row = compute_special([village], YEAR)[village.code]
    assert row["special_medical_cards_done"] == done
    assert row["special_medical_card_rate"] == done * 100


def test_empty_place_has_zeros_and_empty_rates(village):
    row = compute_special([village], YEAR)[village.code]
    assert {row[c] for c in COUNTS} == {0}
    assert {row[c] for c in RATES} == {None}


def test_contract_of_another_source_counts(village, monkeypatch):
    from households.special import doctor_contracts

    family = make_archive(village)
    parent = family.parents.first()
    DoctorContract.objects.create(
        family=family, resident=parent.resident, institution="院", doctor="李",
        signed_on=date(2010, 1, 1), until=date(2010, 12, 31),
    )  # fmt: skip
    monkeypatch.setitem(
        doctor_contracts.SOURCES, "test", lambda day: DoctorContract.objects.filter(until__lt=day)
    )
    assert compute_special([village], YEAR)[village.code]["special_doctors_done"] == 1


def test_checkup_of_the_year_before_does_not_count(village):
    family = make_archive(village)
    parent = family.parents.first().resident
    for day in (date(2017, 12, 31), date(2018, 10, 1)):
        HealthCheck.objects.create(family=family, resident=parent, checked_on=day, recorded_on=day)
    assert compute_special([village], YEAR)[village.code]["special_checkups_done"] == 0
    HealthCheck.objects.create(
        family=family, resident=parent, checked_on="2018-01-01", recorded_on="2018-01-01"
    )
    assert compute_special([village], YEAR)[village.code]["special_checkup_rate"] == 50


def test_query_count_is_the_same_for_one_village_and_for_many(
    village, assert_query_count_does_not_grow
):
    def compute():
        regions = [village.parent, *Region.objects.children_of(village.parent)]
        return GROUPS["special_families"].compute(regions, YEAR)

    def grow():
        for number in range(203, 208):
            family = make_archive(make_region(f"{village.parent.code}{number}"), contacts=2)
            make_record(make_contact(family), date(2018, 3, 4))

    make_archive(village)
    assert_query_count_does_not_grow(compute, grow)
    assert compute()[village.parent.code]["special_families"] == SpecialFamily.objects.count() == 6
