"""升学加分: the highest alone, never twice for one exam, and no money."""

from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import EditConflict, RuleViolation
from subsidies.models import ExamPoints
from subsidies.payments.entitlement import payables
from subsidies.services import payments
from subsidies.services.exams import record_points
from tests.factories.benefits import make_enrolment, switch_on
from tests.factories.payments import make_payee

pytestmark = pytest.mark.django_db
CODE = "YN-EXAM"
NOW = datetime(2018, 10, 9, 2, 0, tzinfo=UTC)
TODAY = date(2018, 10, 9)
LIST = reverse("subsidies:exam-list")


@pytest.fixture
def line(village):
    return make_payee(village, "李考生", CODE, start=date(2018, 6, 1))


def recorded(by, line, exam="senior", year=2018, row_version=0, **values):
    return record_points(
        by=by, enrolment=line, row_version=row_version, exam=exam, year=year, today=TODAY, now=NOW,
        **values,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("exam", "points"), [("senior", 10), ("senior_county", 20), ("college", 20)]
)
def test_points_follow_from_the_exam(clerk, line, exam, points):
    found = recorded(clerk, line, exam, school="一中")
    assert (found.points, found.recorded_by, found.school) == (points, clerk, "一中")
    assert AuditEvent.objects.get(type="exam.recorded").changes == {
        "fields": ["exam", "year", "points", "school"]
    }


@pytest.mark.parametrize("values", [{"points": 20}, {"exam": "college"}, {"points": 0}])
def test_database_refuses_other_points_than_the_exam_gives(clerk, line, values):
    recorded(clerk, line)
    with pytest.raises(IntegrityError), transaction.atomic():
        ExamPoints.objects.update(**values)


def test_only_the_highest_of_an_exam_stays(clerk, line):
    recorded(clerk, line, "senior")
    assert recorded(clerk, line, "senior_county").points == 20
    with pytest.raises(RuleViolation, match="最高的一项"):
        recorded(clerk, line, "senior", row_version=1)
    assert recorded(clerk, line, "senior", row_version=1, corrects=True).points == 10
    assert ExamPoints.objects.count() == 1


def test_two_lines_of_a_child_are_never_of_one_exam(clerk, line):
    line.end_month, line.end_reason = date(2018, 12, 1), "其他"
    line.save()
    later = make_enrolment(line.resident, CODE, date(2019, 1, 1))
    recorded(clerk, line, "senior")
    with pytest.raises(RuleViolation, match="中考已登记加10分"):
        recorded(clerk, later, "senior_county")
    assert recorded(clerk, later, "college").points == 20


@pytest.mark.parametrize("year", [2003, 2019])
def test_year_that_makes_no_sense_is_refused(clerk, line, year):
    with pytest.raises(RuleViolation, match="年度应在"):
        recorded(clerk, line, year=year)


def test_points_of_another_policy_are_refused(clerk, village):
    with pytest.raises(RuleViolation, match="不是升学加分"):
        recorded(clerk, make_payee(village, code="YN-LUMP"))


def test_points_saved_meanwhile_are_not_overwritten(clerk, line):
    recorded(clerk, line)
    recorded(clerk, line, "senior_county")
    with pytest.raises(EditConflict):
        recorded(clerk, line, "college")


def test_points_are_rolled_back_with_their_event(monkeypatch, clerk, line):
    monkeypatch.setattr(log, "record", _broken)
    with pytest.raises(ValueError, match="broken"):
        recorded(clerk, line)
    assert not ExamPoints.objects.exists()


def test_nothing_is_paid(clerk, township, village, line):
    recorded(clerk, line)
    switch_on(CODE, township)
    assert not list(payables(CODE, village.path, 2018))
    with pytest.raises(RuleViolation, match="不发钱"):
        payments.create_batch(
            by=clerk, office=township, policy_code=CODE, year=2018, pay_year=2018, today=TODAY,
            now=NOW,
        )  # fmt: skip


def test_points_by_their_page_and_the_register_of_a_year(sign_in, clerk, village, line):
    client, url = sign_in(clerk), reverse("subsidies:exam-edit", args=[line.pk])
    data = {"row_version": "0", "opened": "", "exam": "senior_county", "year": "2018"}
    assert client.post(url, data | {"exam": "other"}).status_code == 200
    assert client.post(url, data | {"school": "二中"}).url == LIST
    assert client.post(url, data | {"row_version": "9"}).status_code == 409
    recorded(clerk, make_payee(village, "往年考生", CODE), "college", 2017)
    page = client.get(f"{LIST}?year=2018").content.decode()
    paper = client.get(reverse("subsidies:exam-print") + "?year=2018").content.decode()
    for text in (page, paper):
        assert "李考生" in text
        assert "往年考生" not in text
        assert "元）" not in text
    assert "2018年独生子女升学加分登记册" in paper
    assert AuditEvent.objects.get(type="roster.printed").count == 1
    assert "往年考生" in client.get(f"{LIST}?exam=college").content.decode()
    make_payee(village, "未登考生", CODE)
    assert "未登考生" in client.get(f"{LIST}?exam=none").content.decode()


def test_list_does_not_ask_more_for_more(
    sign_in, clerk, village, line, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    recorded(clerk, line)

    def grow():
        for name in "甲乙丙丁戊":
            recorded(clerk, make_payee(village, name, CODE))

    assert_query_count_does_not_grow(lambda: client.get(LIST), grow)


def _broken(*args, **kwargs):
    raise ValueError("broken")
