"""The yearly review: every finding exactly, what is decided of it, and that nothing happens by itself."""

from datetime import UTC, date, datetime

import pytest
from django.db import connection

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.models import ChildRecord, Resident
from subsidies.models import Application, Enrolment, ReviewLine, Suspension
from subsidies.services.enrolments import decide_change
from subsidies.services.reviews import close_review, confirm_stays, decide_line, make_review
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.special import make_bereaved

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)
NOW = datetime(2018, 10, 9, 2, 0, tzinfo=UTC)


def made(clerk, township, code="CN-RURAL", year=2018):
    return make_review(by=clerk, region=township, policy_code=code, year=year, today=TODAY, now=NOW)


def found(review):
    """{person: (finding, reason, last month)}"""
    return {
        line.resident: (line.finding, line.reason, line.month and f"{line.month:%Y-%m}")
        for line in review.lines.select_related("resident")
    }


def decide(clerk, line, decision, **values):
    return decide_line(by=clerk, line=line, decision=decision, today=TODAY, now=NOW, **values)


@pytest.fixture
def enrolled(village, township):
    """A couple on the roll since 2012."""
    switch_on("CN-RURAL", township)
    couple = make_old_couple(village)
    return [*couple, *(make_enrolment(one, start=date(2012, 1, 1)) for one in couple)]


def test_who_still_qualifies_stays(enrolled, clerk, township):
    head, wife, *_ = enrolled
    assert found(made(clerk, township)) == {head: ("stays", "", None), wife: ("stays", "", None)}


@pytest.mark.parametrize("died", [date(2018, 3, 4), date(2017, 3, 4)])
def test_dead_leaves_with_the_year_of_death(enrolled, clerk, township, died):
    head = enrolled[0]
    Resident.objects.filter(pk=head.pk).update(death_date=died)
    assert found(made(clerk, township))[head] == ("ends", "死亡", f"{died.year}-12")


def test_departed_leaves_as_moved(enrolled, clerk, township):
    head = enrolled[0]
    Resident.objects.filter(pk=head.pk).update(departed_on=date(2018, 5, 6))
    head.residencies.update(ended_on=date(2018, 5, 6))
    assert found(made(clerk, township))[head] == ("ends", "迁出", "2018-12")


def test_urban_hukou_ends_both_for_one_as_his_own_and_for_the_other_as_the_spouses(
    enrolled, clerk, township
):
    head, wife, *_ = enrolled
    head.residencies.update(hukou="非农业")
    result = found(made(clerk, township))
    assert result[head] == ("ends", "户口性质变更", "2018-12")
    assert result[wife] == ("ends", "户口性质变更", "2018-12")


def test_second_child_ends_as_changed_children_with_the_year_of_the_birth(
    enrolled, clerk, township
):
    head, wife, *_ = enrolled
    make_birth(wife, date(2017, 5, 6), father=head, order=2, sex="男")
    review = made(clerk, township)
    assert found(review)[wife] == ("ends", "子女数变更", "2017-12")
    detail = review.lines.get(resident=wife).detail
    assert detail == "现有一个子女，或两个女孩，或没有子女：存活子女2个，其中女孩1个"


def test_child_of_fourteen_ends_the_health_fee_with_that_month(clerk, village, township):
    switch_on("YN-HEALTH-FEE", township)
    mother = make_resident(
        make_household(village), "母亲", sex="女", birth_date=date(1980, 1, 1),
        only_child_cert_no="光1",
    )  # fmt: skip
    make_birth(mother, date(2004, 6, 20))
    make_enrolment(mother, "YN-HEALTH-FEE", date(2012, 1, 1))
    review = made(clerk, township, "YN-HEALTH-FEE")
    assert found(review) == {mother: ("ends", "年满", "2018-06")}


def test_excluding_policy_ends_as_drawn_twice(clerk, village, township):
    switch_on("SD-URBAN", township)
    person = make_resident(
        make_household(village), "老人", birth_date=date(1950, 1, 1), hukou="非农业",
        employment="无业", only_child_cert_no="光1",
    )  # fmt: skip
    make_birth(None, date(1980, 1, 1), person)
    make_enrolment(person, "SD-URBAN", date(2016, 1, 1))
    make_enrolment(person, "SD-PENSION", date(2016, 1, 1))
    assert found(made(clerk, township, "SD-URBAN")) == {person: ("ends", "重复享受", "2018-12")}


def test_who_qualifies_and_is_not_on_the_roll_is_missing_once(enrolled, clerk, village, township):
    missing = make_old_couple(village)
    result = found(made(clerk, township))
    assert [result[one][0] for one in missing] == ["missing", "missing"]
    Application.objects.create(
        policy_code="CN-RURAL", resident=missing[0], applied_on=TODAY, created_by=clerk
    )
    make_enrolment(missing[1], start=date(2019, 1, 1))  # confirmed for the next year
    assert not set(missing) & set(found(made(clerk, township)))


def test_nobody_is_missing_where_the_policy_is_off_or_rests_on_a_proof(clerk, village, township):
    make_old_couple(village)
    assert found(made(clerk, township)) == {}
    switch_on("CN-COMPLICATION", township)
    assert found(made(clerk, township, "CN-COMPLICATION")) == {}


def test_couple_on_the_roll_by_the_husband_is_not_missing(clerk, village, township):
    switch_on("SD-ONLY-CHILD", township)
    head, wife = make_old_couple(village, born=date(1985, 1, 1), birth_date=date(2010, 1, 1))
    Resident.objects.filter(pk=head.pk).update(only_child_cert_no="光1")
    make_enrolment(head, "SD-ONLY-CHILD", date(2015, 1, 1))
    assert found(made(clerk, township, "SD-ONLY-CHILD")) == {head: ("stays", "", None)}


def test_line_in_the_name_of_a_dead_husband_ends_though_the_couple_qualifies(
    clerk, village, township
):
    switch_on("SD-ONLY-CHILD", township)
    head, _ = make_old_couple(village, born=date(1985, 1, 1), birth_date=date(2010, 1, 1))
    Resident.objects.filter(pk=head.pk).update(
        only_child_cert_no="光1", death_date=date(2018, 3, 4)
    )
    make_enrolment(head, "SD-ONLY-CHILD", date(2015, 1, 1))
    assert found(made(clerk, township, "SD-ONLY-CHILD")) == {head: ("ends", "死亡", "2018-03")}


def test_family_is_on_the_roll_by_anybody_of_the_household(clerk, village, township):
    switch_on("YN-LUMP", township)
    household = make_household(village)
    make_resident(household, "老户主", birth_date=date(1940, 1, 1))
    daughter = make_resident(
        household, "女儿", sex="女", relation="女", birth_date=date(1985, 1, 1),
        only_child_cert_no="光1",
    )  # fmt: skip
    make_birth(daughter, date(2010, 1, 1))
    make_enrolment(daughter, "YN-LUMP", date(2015, 1, 1))
    assert found(made(clerk, township, "YN-LUMP")) == {daughter: ("stays", "", None)}


def test_child_who_died_moves_the_parents_without_gap_and_without_both(
    clerk, reviewer, village, township
):
    for code in ("CN-SPECIAL-DISABLED", "CN-SPECIAL-DEATH"):
        switch_on(code, township)
    parents = make_bereaved(village, died=None, disability_grade="二级")
    for one in parents:
        make_enrolment(one, "CN-SPECIAL-DISABLED", date(2015, 1, 1))
    ChildRecord.objects.update(survival="死亡", death_date=date(2018, 4, 20))
    review = made(clerk, township, "CN-SPECIAL-DISABLED")
    assert set(found(review).values()) == {("moves", "子女数变更", "2018-04")}
    line = review.lines.get(resident=parents[0])
    line = decide(clerk, line, "move_proposed")
    assert Enrolment.objects.filter(end_month__isnull=True).count() == 2  # nothing by itself
    decide_change(by=reviewer, change=line.change, accept=True, now=NOW)
    lines = Enrolment.objects.filter(resident=parents[0]).order_by("start_month")
    assert [(e.policy_code, e.start_month, e.end_month) for e in lines] == [
        ("CN-SPECIAL-DISABLED", date(2015, 1, 1), date(2018, 4, 1)),
        ("CN-SPECIAL-DEATH", date(2018, 5, 1), None),
    ]


def test_end_is_proposed_and_a_reviewer_ends_it(enrolled, clerk, reviewer, township):
    head, _, line_of_head, _ = enrolled
    Resident.objects.filter(pk=head.pk).update(death_date=date(2018, 3, 4))
    line = made(clerk, township).lines.get(resident=head)
    line = decide(clerk, line, "end_proposed")
    line_of_head.refresh_from_db()
    assert line_of_head.end_month is None
    decide_change(by=reviewer, change=line.change, accept=True, now=NOW)
    line_of_head.refresh_from_db()
    assert (line_of_head.end_month, line_of_head.end_reason) == (date(2018, 12, 1), "死亡")
    assert AuditEvent.objects.filter(type="review.decided").count() == 1


def test_missing_becomes_an_application(clerk, village, township):
    switch_on("CN-RURAL", township)
    head, _ = make_old_couple(village)
    line = made(clerk, township).lines.get(resident=head)
    line = decide(clerk, line, "applied")
    assert line.application.state == "draft"
    assert line.application.resident == head
    # Made again, the person is no longer missing and the decided line stays.
    again = made(clerk, township)
    assert again.lines.get(resident=head).decision == "applied"


@pytest.mark.parametrize(
    ("finding", "decision", "note"),
    [
        ("stays", "end_proposed", ""),
        ("stays", "applied", "理由"),
        ("ends", "kept", ""),
        ("ends", "move_proposed", "理由"),
        ("missing", "left_out", ""),
        ("missing", "kept", "理由"),
    ],
)
def test_what_goes_against_the_finding_needs_words_or_is_refused(
    enrolled, clerk, village, township, finding, decision, note
):
    head = enrolled[0]
    Resident.objects.filter(pk=head.pk).update(death_date=date(2018, 3, 4))
    make_old_couple(village)
    review = made(clerk, township)
    line = review.lines.filter(finding=finding).first()
    with pytest.raises(RuleViolation):
        decide(clerk, line, decision, note=note)
    assert ReviewLine.objects.exclude(decision="").count() == 0
    assert not AuditEvent.objects.filter(type="review.decided").exists()


def test_line_is_decided_once(enrolled, clerk, township):
    line = made(clerk, township).lines.first()
    decide(clerk, line, "kept")
    with pytest.raises(RuleViolation, match="已经处理过了"):
        decide(clerk, line, "kept")


def test_made_again_asks_anew_where_the_test_finds_otherwise(enrolled, clerk, township):
    head, wife, *_ = enrolled
    review = made(clerk, township)
    assert confirm_stays(by=clerk, review=review, pks=None, now=NOW) == 2
    Resident.objects.filter(pk=head.pk).update(death_date=date(2018, 11, 4))
    review = made(clerk, township)
    decisions = dict(review.lines.values_list("resident", "decision"))
    assert decisions == {head.pk: "", wife.pk: "kept"}


def test_suspension_survives_the_review(enrolled, clerk, township):
    line = enrolled[2]
    Suspension.objects.create(enrolment=line, from_month=date(2018, 6, 1), reason="核实住址")
    review = made(clerk, township)
    confirm_stays(by=clerk, review=review, pks=None, now=NOW)
    made(clerk, township)
    assert Suspension.objects.get().until_month is None


def test_closed_when_everybody_is_decided_and_not_touched_after(enrolled, clerk, township):
    review = made(clerk, township)
    with pytest.raises(RuleViolation, match="还有2人没有处理"):
        close_review(by=clerk, review=review, now=NOW)
    confirm_stays(by=clerk, review=review, pks=None, now=NOW)
    close_review(by=clerk, review=review, now=NOW)
    with pytest.raises(RuleViolation, match="已经办结"):
        made(clerk, township)


def test_year_to_come_is_refused(clerk, township):
    with pytest.raises(RuleViolation, match="还没有开始"):
        made(clerk, township, year=2019)


def test_review_asks_a_fixed_number_of_queries(
    enrolled, clerk, village, township, assert_query_count_does_not_grow
):
    def grow():
        for one in (*make_old_couple(village), *make_old_couple(village)):
            make_enrolment(one)
        dead, _ = make_old_couple(village)
        make_enrolment(dead)
        Resident.objects.filter(pk=dead.pk).update(death_date=date(2018, 2, 3))

    grow()
    assert_query_count_does_not_grow(lambda: made(clerk, township), grow)
    assert connection.in_atomic_block
