"""Scholarships by stage and school year, medical classes, the health fee: who is where, and the figures."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.models import Sum
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.ui.acts import ACTS
from households.models import Resident
from subsidies.models import Enrolment, EnrolmentChange
from subsidies.oneoff import schooling_list, stages
from subsidies.payments.periods import year_words
from subsidies.policies import catalogue
from subsidies.services.enrolments import decide_change, enrol, propose_change
from subsidies.services.grades import set_grades
from tests.factories.benefits import make_enrolment, set_rate, switch_on
from tests.factories.households import make_household, make_resident
from tests.factories.payments import NOW, give_account, make_batch

pytestmark = pytest.mark.django_db
CODE, MEDICAL, FEE = "YN-SCHOLARSHIP", "YN-MEDICAL", "YN-HEALTH-FEE"
TODAY = date(2018, 10, 9)
LIST = reverse("subsidies:schooling-list")


def pupil(village, stage, *, born=date(2011, 9, 1), start=date(2018, 1, 1), name="李小", **values):
    """A child on the roll whose father has an account."""
    household = make_household(village)
    give_account(make_resident(household, "李山"))
    child = make_resident(household, name, relation="子", birth_date=born)
    return make_enrolment(child, CODE, start, grade=stage, **values)


def standing_of(line, day=TODAY):
    return stages.pupils(Enrolment.objects.all(), day).get(pk=line.pk).standing


def pupils_of(village, numbers, start):
    """So many pupils of each stage, in two households' worth of statements."""
    household = make_household(village)
    give_account(make_resident(household, "李山"))
    for stage, number in numbers:
        children = [
            make_resident(household, f"{stage}{n}", relation="子", birth_date=date(2005, 1, 1))
            for n in range(number)
        ]
        Enrolment.objects.bulk_create(
            Enrolment(policy_code=CODE, resident=one, start_month=start, grade=stage)
            for one in children
        )


# Figures


PUBLISHED = [("小学", 23), ("初中", 52), ("高中", 15), ("大专", 6), ("本科", 15)]


def test_scholarships_of_2017_come_to_69400(clerk, township, village):
    pupils_of(village, PUBLISHED, date(2017, 1, 1))
    batch = make_batch(clerk, township, CODE, 2017, pay_year=2018)
    rows = batch.lines.order_by().values_list("grade").annotate(yuan=Sum("amount"))
    assert {grade: Decimal(yuan) for grade, yuan in rows} == {
        "小学": 3680, "初中": 13520, "高中": 15000, "大专": 7200, "本科": 30000,
    }  # fmt: skip
    assert batch.lines.count() == 111
    assert Decimal(batch.lines.aggregate(all=Sum("amount"))["all"]) == 69400


def test_health_fee_of_1059_child_months_is_10590(clerk, township, village):
    """The benefit year 2017 is October 2016 to September 2017: 88 whole years and 3 months."""
    for months in [12] * 88 + [3]:
        household = make_household(village)
        head = give_account(make_resident(household, "李山"))
        start = date(2016, 10, 1) if months == 12 else date(2017, 7, 1)
        make_enrolment(head, FEE, start)
    batch = make_batch(clerk, township, FEE, 2017, pay_year=2018)
    sums = batch.lines.aggregate(months=Sum("month_count"), yuan=Sum("amount"))
    assert (sums["months"], Decimal(sums["yuan"])) == (1059, 10590)
    assert (batch.from_month, batch.to_month) == (date(2016, 10, 1), date(2017, 9, 1))
    assert year_words(batch.policy, 2017) == "2017年度（2016年10月至2017年9月）"


def test_medical_classes_are_paid_their_own_amounts(clerk, county_user, township, village):
    amounts = dict(zip(catalogue.policy(MEDICAL).grades, (180, 90, 150), strict=True))
    for grade, yuan in amounts.items():
        set_rate(MEDICAL, township.parent, str(yuan), grade=grade)
        person = give_account(make_resident(make_household(village), grade[:6]))
        make_enrolment(person, MEDICAL, date(2018, 1, 1), grade=grade)
    lines = make_batch(clerk, township, MEDICAL).lines.values_list("grade", "amount")
    assert dict(lines) == amounts


def test_county_sets_the_amount_of_each_class_on_the_screen_of_rates(sign_in, county_user):
    url = reverse("subsidies:policy-rate-create", args=[MEDICAL])
    page = sign_in(county_user).get(url).content.decode()
    for grade in catalogue.policy(MEDICAL).grades:
        assert grade in page


# A class or stage that an import left out


def test_line_without_a_class_is_given_one_and_then_paid(clerk, township, village):
    grade = catalogue.policy(MEDICAL).grades[0]
    set_rate(MEDICAL, township.parent, "180", grade=grade)
    line = make_enrolment(give_account(make_resident(make_household(village))), MEDICAL)
    assert set_grades(by=clerk, enrolments=[line], grade=grade) == {}
    line.refresh_from_db()
    assert (line.grade, line.row_version) == (grade, 1)
    assert AuditEvent.objects.get(type="enrolment.grade_set").changes == {"fields": ["grade"]}
    assert make_batch(clerk, township, MEDICAL).lines.get().amount == 180


def test_class_that_stands_or_is_none_of_the_policy_is_refused(clerk, village, far_village):
    grade = catalogue.policy(MEDICAL).grades[0]
    known = make_enrolment(make_resident(make_household(village)), MEDICAL, grade=grade)
    other = make_enrolment(make_resident(make_household(village)), CODE)
    far = make_enrolment(make_resident(make_household(far_village)), MEDICAL)
    refused = set_grades(by=clerk, enrolments=[known, other, far], grade=grade)
    assert sorted(refused) == sorted([known.pk, other.pk, far.pk])
    far.refresh_from_db()
    assert far.grade == ""
    with pytest.raises(RuleViolation, match="请选择"):
        set_grades(by=clerk, enrolments=[known], grade="")
    assert not AuditEvent.objects.filter(type="enrolment.grade_set").exists()


def test_act_is_offered_on_the_rolls(sign_in, clerk, village):
    line = make_enrolment(make_resident(make_household(village)), MEDICAL)
    confirm = reverse("lists:act-confirm", args=["enrolments", "grade"])
    page = sign_in(clerk).post(confirm, {"picked": line.pk}).content.decode()
    assert "农业人口双女户父母" in page
    assert "小学" not in page
    assert ("schooling", "grade") in ACTS


# Stages


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2018, 8, 31), "2017—2018学年"),
        (date(2018, 9, 1), "2018—2019学年"),
        (date(2019, 1, 1), "2018—2019学年"),
    ],
)
def test_school_year_begins_in_september(day, words):
    assert stages.school_year_words(day) == words


@pytest.mark.parametrize(
    ("stage", "start", "born", "standing"),
    [
        ("小学", date(2013, 1, 1), date(2006, 9, 1), stages.READING),
        ("小学", date(2012, 12, 1), date(2006, 9, 1), stages.BY_YEARS),
        ("小学", date(2013, 1, 1), date(2006, 8, 31), stages.BY_AGE),
        ("初中", date(2016, 1, 1), date(2003, 9, 1), stages.READING),
        ("初中", date(2015, 9, 1), date(2003, 9, 1), stages.BY_YEARS),
        ("初中", date(2016, 1, 1), date(2003, 8, 31), stages.BY_AGE),
        ("高中", date(2015, 9, 1), date(2000, 9, 1), stages.BY_YEARS),
        ("高中", date(2016, 9, 1), date(2000, 8, 31), stages.BY_AGE),
        ("本科", date(2015, 1, 1), date(1990, 1, 1), stages.READING),
        ("本科", date(2014, 9, 1), date(1996, 1, 1), stages.BY_YEARS),
        ("大专", date(2015, 9, 1), date(1996, 1, 1), stages.BY_YEARS),
    ],
)
def test_stage_is_due_by_its_years_or_the_age(village, stage, start, born, standing):
    assert standing_of(pupil(village, stage, start=start, born=born)) == standing


def test_ended_stage_waits_for_the_next(village):
    line = pupil(village, "小学", end_month=date(2018, 8, 1), end_reason="年满")
    assert standing_of(line) == stages.ENDED
    make_enrolment(line.resident, CODE, date(2018, 9, 1), grade="初中")
    assert standing_of(line) == stages.FOLLOWED
    last = pupil(village, "本科", end_month=date(2018, 8, 1), end_reason="年满")
    assert standing_of(last) == stages.FOLLOWED


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "读满大"),
        ("grade=小学", "读满"),
        ("standing=due", "满"),
        ("standing=ended", "完"),
        ("standing=all", "读满完大"),
        ("grade=none", ""),
    ],
)
def test_conditions_of_the_list(sign_in, clerk, village, query, names):
    pupil(village, "小学", name="李读童", born=date(2011, 9, 1))
    pupil(village, "小学", name="李满童", start=date(2012, 9, 1))
    pupil(village, "小学", name="李完童", end_month=date(2018, 8, 1), end_reason="年满")
    pupil(village, "本科", name="李大童", born=date(1999, 1, 1))
    text = sign_in(clerk).get(f"{LIST}?{query}").content.decode()
    assert [one for one in "读满完大" if f"李{one}童" in text] == list(names)


def test_list_leads_to_the_end_of_a_stage_and_to_the_next(sign_in, clerk, reviewer, village):
    due = pupil(village, "小学", start=date(2012, 9, 1))
    over = pupil(village, "小学", end_month=date(2018, 8, 1), end_reason="年满")
    client = sign_in(clerk)
    text = client.get(f"{LIST}?standing=all").content.decode()
    assert "2018—2019学年" in text
    end = reverse("subsidies:enrolment-change-create", args=[due.pk]) + "?kind=end"
    apply = reverse("subsidies:application-create", args=[over.resident_id])
    for url in (end, f"{apply}?policy={CODE}"):
        assert url.replace("&", "&amp;") in text
    assert end not in sign_in(reviewer).get(f"{LIST}?standing=all").content.decode()


def test_many_stages_are_ended_by_one_act_that_only_proposes(sign_in, clerk, village):
    first = pupil(village, "小学", start=date(2012, 9, 1))
    second = pupil(village, "初中", start=date(2015, 9, 1), born=date(2004, 1, 1))
    confirm = reverse("lists:act-confirm", args=["schooling", "stage"])
    data = {"picked": [first.pk, second.pk], "note": "升学", "step": "do"}
    client = sign_in(clerk)
    assert "2017-12" in client.post(confirm, {"picked": first.pk}).content.decode()
    client.post(confirm, data | {"month": "2018-08"})
    assert not EnrolmentChange.objects.exists()  # paid by the year
    client.post(confirm, data | {"month": "2017-12"})
    changes = EnrolmentChange.objects.order_by("pk")
    assert {(one.kind, one.month, one.end_reason) for one in changes} == {
        ("end", date(2017, 12, 1), "年满")
    }
    assert changes.count() == 2
    first.refresh_from_db()
    assert first.end_month is None
    assert standing_of(first) == stages.WAITING


def test_pupil_who_moved_up_is_paid_by_the_new_stage(clerk, reviewer, township, village):
    line = pupil(village, "小学", start=date(2012, 1, 1))
    switch_on(CODE, township)
    change = propose_change(
        by=clerk, enrolment=line, kind="end", month=date(2017, 12, 1), end_reason="年满",
        note="升学", now=NOW,
    )  # fmt: skip
    decide_change(by=reviewer, change=change, accept=True, now=NOW)
    assert standing_of(line) == stages.ENDED
    enrol(
        by=reviewer, resident=line.resident, policy_code=CODE, start_month=date(2018, 1, 1),
        grade="初中",
    )  # fmt: skip
    assert standing_of(line) == stages.FOLLOWED
    paid = make_batch(clerk, township, CODE, is_on_already=True).lines.get()
    assert (paid.grade, paid.amount) == ("初中", 260)


def test_counts_by_stage(clerk, village):
    pupil(village, "小学")
    pupil(village, "")
    pupil(village, "初中", end_month=date(2018, 8, 1), end_reason="年满")
    assert schooling_list.counts_of(clerk, TODAY) == [
        ("小学", 1), ("初中", 0), ("高中", 0), ("大专", 0), ("本科", 0), ("未登记学段", 1),
    ]  # fmt: skip


def test_list_does_not_ask_more_for_more(sign_in, clerk, village, assert_query_count_does_not_grow):
    client = sign_in(clerk)
    pupil(village, "小学", start=date(2012, 9, 1))

    def grow():
        for _ in range(5):
            pupil(village, "小学", start=date(2012, 9, 1))

    assert_query_count_does_not_grow(lambda: client.get(LIST), grow)
    assert Resident.objects.count() == 12
