"""Last months, rates and what people draw: pure rules and reads of the rolls."""

from datetime import date
from decimal import Decimal

import pytest

from households.special.benefits import benefits_of
from subsidies.conflicts import UNNAMED, conflicts_of, conflicts_of_many
from subsidies.models import Enrolment, PolicyExclusion
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.rolls.ends import end_month, month_before, next_month
from subsidies.rolls.of_person import benefits_of_people
from subsidies.rolls.rates import rate_case
from tests.factories.benefits import make_enrolment, make_old_couple, set_rate, switch_on
from tests.factories.special import make_archive

TODAY = date(2018, 10, 9)


class _Rule:
    def __init__(self, ends, begins=1):
        self.ends = ends
        self.policy = type("P", (), {"year_from_month": begins})


@pytest.mark.parametrize(
    ("ends", "begins", "event", "last"),
    [
        ("through the month", 1, date(2018, 5, 31), date(2018, 5, 1)),
        ("through the year", 1, date(2018, 1, 1), date(2018, 12, 1)),
        ("through the year", 1, date(2018, 12, 31), date(2018, 12, 1)),
        ("through the year", 10, date(2018, 9, 30), date(2018, 9, 1)),
        ("through the year", 10, date(2018, 10, 1), date(2019, 9, 1)),
    ],
)
def test_last_month_after_an_event(ends, begins, event, last):
    assert end_month(_Rule(ends, begins), event) == last


def test_months_follow_each_other_over_the_year():
    assert next_month(date(2018, 12, 1)) == date(2019, 1, 1)
    assert next_month(date(2018, 1, 1)) == date(2018, 2, 1)
    assert month_before(date(2019, 1, 1)) == date(2018, 12, 1)
    assert month_before(date(2018, 2, 1)) == date(2018, 1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("day", [date(2008, 12, 31), date(2009, 1, 1), TODAY, date(2022, 7, 1)])
def test_rate_beside_a_line_is_that_of_the_book(village, other_village, far_village, day):
    """In the township, in a village with a rate of its own, in another township; for every grade."""
    set_rate("CN-RURAL", village.parent, "1080", date(2017, 1, 1))
    set_rate("CN-RURAL", other_village, "1200", date(2018, 1, 1))
    set_rate("LOCAL-LIVING", village.parent.parent, "4200", date(2018, 1, 1))
    set_rate("YN-MEDICAL", village.parent, "180", date(2018, 1, 1), grade="农业人口双女户父母")
    for place in (village, other_village, far_village):
        person = make_old_couple(place)[0]
        for code, policy in catalogue.policies().items():
            for number, grade in enumerate(("", *policy.grades)):
                # Of one person and policy no two lines may be open.
                last = {} if not number else {"end_month": date(2010, 1, 1), "end_reason": "其他"}
                make_enrolment(person, code, date(2009, 1, 1 + number), grade=grade, **last)
    book = policy_book(day)
    lines = Enrolment.objects.annotate(rate=rate_case(book, day)).for_list()
    for line in lines:
        path = line.resident.village.path
        assert line.rate == book.rate(line.policy_code, path, line.grade, day), line.policy_code
    rates = {one.resident.village_id: one.rate for one in lines.filter(policy_code="CN-RURAL")}
    if day == TODAY:
        assert sorted(rates.values()) == [Decimal(960), Decimal(1080), Decimal(1200)]


@pytest.mark.django_db
def test_what_people_draw_comes_with_state_and_rate(village, clerk, propagandist):
    head, wife = make_old_couple(village)
    make_enrolment(head, "CN-SPECIAL-DEATH")
    make_enrolment(wife, end_month=date(2016, 12, 1), end_reason="其他")
    make_enrolment(wife, "SD-URBAN", end_month=date(2014, 12, 1), end_reason="其他")  # never paid
    found = benefits_of_people(clerk, [head.pk, wife.pk], TODAY)
    assert [(b.enrolment.resident, b.state, b.rate) for b in found] == [
        (head, "active", Decimal(450)), (wife, "ended", Decimal(960)),
    ]  # fmt: skip
    seen = benefits_of_people(propagandist, [head.pk, wife.pk], TODAY)
    assert [b.enrolment.resident for b in seen] == [wife]


@pytest.mark.django_db
def test_archive_of_a_special_family_shows_what_is_drawn(village):
    family = make_archive(village)
    parent = family.parents.first().resident
    make_enrolment(parent, "CN-SPECIAL-DEATH", date(2017, 1, 1))
    (row,) = [one for one in benefits_of(family, TODAY) if "特别扶助" in one.name]
    assert (row.since, row.until, row.amount) == (date(2017, 1, 1), None, Decimal(450))
    assert parent.name in row.note


@pytest.mark.django_db
def test_conflict_names_a_sensitive_policy_only_to_who_may_know(village, clerk, propagandist):
    head, _ = make_old_couple(village)
    make_enrolment(head, "CN-SPECIAL-DEATH")
    book = policy_book(TODAY)
    assert conflicts_of(head, "SD-URBAN", TODAY, book) == [UNNAMED]
    assert conflicts_of(head, "SD-URBAN", TODAY, book, user=propagandist) == []
    (words,) = conflicts_of(head, "SD-URBAN", TODAY, book, user=clerk)
    assert "独生子女死亡" in words


@pytest.mark.django_db
def test_exclusion_that_a_place_has_lifted_does_not_count(village):
    head, _ = make_old_couple(village)
    make_enrolment(head)
    assert conflicts_of(head, "SD-URBAN", TODAY, policy_book(TODAY))
    PolicyExclusion.objects.create(
        region=village.parent, policy_code="SD-URBAN", other_code="CN-RURAL", excluded=False,
        from_on=date(2018, 1, 1), document="试行文件",
    )  # fmt: skip
    assert not conflicts_of(head, "SD-URBAN", TODAY, policy_book(TODAY))


@pytest.mark.django_db
def test_conflicts_of_many_ask_no_more_for_more(village, assert_query_count_does_not_grow):
    book, pairs = policy_book(TODAY), []

    def grow():
        for head, wife in (make_old_couple(village) for _ in range(5)):
            make_enrolment(head)
            pairs.extend([(head.pk, "SD-URBAN"), (wife.pk, "CN-RURAL")])

    switch_on("SD-URBAN", village.parent)
    grow()
    assert_query_count_does_not_grow(lambda: conflicts_of_many(pairs, TODAY, book), grow)
    assert len(conflicts_of_many(pairs, TODAY, book)) == 10
