"""Rates, exclusions, deadlines and the holiday calendar, set by a county."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from subsidies.models import PolicyExclusion, PolicyRate, ReturnDeadline, WorkdayChange
from subsidies.policies.book import policy_book
from subsidies.services import policies as services
from subsidies.services.policies import Setting
from subsidies.services.workdays import set_workdays
from tests.conftest import TODAY
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.benefits import set_rate as known_rate
from tests.subsidies.policies.conftest import tomorrow

pytestmark = pytest.mark.django_db
NOW = datetime(2018, 10, 9, 1, 0, tzinfo=UTC)


def rate(place, day, code="CN-RURAL", grade=""):
    return policy_book(day).rate(code, place.path, grade)


def fail(*args, **kwargs):
    raise RuntimeError


# Rates -----------------------------------------------------------------------------------------


def test_rate_holds_from_its_day_in_its_place(set_rate, village, far_village):
    set_rate(amount="1080.50", from_on=tomorrow(), region=village.parent)
    assert rate(village, TODAY) == Decimal("960")
    assert rate(village, tomorrow()) == Decimal("1080.50")
    assert rate(far_village, tomorrow()) == Decimal("960")


def test_grades_are_set_at_once_and_those_left_out_keep_theirs(county_user, county):
    services.set_rates(
        by=county_user, policy_code="CN-COMPLICATION", today=TODAY,
        setting=Setting(county, TODAY, "试行文件"),
        amounts={"一级": Decimal("500"), "三级": Decimal("0")},
    )  # fmt: skip
    found = [rate(county, TODAY, "CN-COMPLICATION", grade) for grade in ("一级", "二级", "三级")]
    assert found == [Decimal("500"), Decimal("300"), Decimal("0")]
    events = AuditEvent.objects.filter(type="benefit.rate_set").order_by("pk")
    assert [e.changes["amount"] for e in events] == [["400", "500"], ["200", "0"]]
    assert {e.actor_id for e in events} == {county_user.pk}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"amount": "-0.01"}, "不能是负数"),
        ({"amount": "960.001"}, "两位小数"),
        ({"amount": "NaN"}, "负数"),
        ({"amount": "12345678901"}, "10位"),
        ({"amount": "960"}, "没有要改的"),
        ({"grade": "一级"}, "没有“一级”"),
        ({"code": "YN-EXAM"}, "不发钱"),
    ],
    ids=["negative", "three places", "not a number", "too large", "same", "grade", "in kind"],
)
def test_wrong_rate_is_refused(set_rate, values, message):
    with pytest.raises(RuleViolation, match=message):
        set_rate(**values)
    assert not PolicyRate.objects.exists()
    assert not AuditEvent.objects.filter(type="benefit.rate_set").exists()


def test_no_amount_is_refused(county_user, county):
    with pytest.raises(RuleViolation, match="至少填写一个"):
        services.set_rates(
            by=county_user, policy_code="CN-RURAL", amounts={}, today=TODAY,
            setting=Setting(county, TODAY, "试行文件"),
        )  # fmt: skip


def test_rate_of_another_place_is_refused(set_rate, far_village, clerk):
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        set_rate(region=far_village, by=clerk)


def test_second_rate_of_a_day_is_a_message(set_rate):
    set_rate(amount="1080")
    with pytest.raises(RuleViolation, match="已有2018-10-09起的设定"):
        set_rate(amount="1100")


def test_two_rates_at_once_get_a_message(set_rate, county, monkeypatch):
    monkeypatch.setattr(
        services, "_refuse_taken", lambda *a: known_rate("CN-RURAL", county, 1, TODAY)
    )
    with pytest.raises(RuleViolation, match="可能别人刚刚保存过"):
        set_rate()


def test_rate_rolls_back_with_its_event(set_rate, monkeypatch):
    monkeypatch.setattr("subsidies.services.policies.log.record", fail)
    with pytest.raises(RuntimeError):
        set_rate()
    assert not PolicyRate.objects.exists()


def test_rate_of_a_document_that_comes_late_is_taken(set_rate, village, county):
    """A rate from July that is known in October: the difference is paid later."""
    head, _ = make_old_couple(village)
    make_enrolment(head, start=date(2018, 1, 1), version=switch_on("CN-RURAL", county))
    set_rate(from_on=date(2018, 7, 1))
    assert rate(village, date(2018, 7, 1)) == Decimal("1080")


@pytest.mark.parametrize(("imported", "is_refused"), [(False, True), (True, False)])
def test_rate_between_two_that_held_is_refused_where_somebody_was_enrolled(
    set_rate, village, county, imported, is_refused
):
    known_rate("CN-RURAL", county, 1200, date(2018, 5, 1))
    head, _ = make_old_couple(village)
    version = None if imported else switch_on("CN-RURAL", county)
    make_enrolment(head, start=date(2017, 1, 1), version=version)
    if is_refused:
        with pytest.raises(RuleViolation, match="不能再补"):
            set_rate(from_on=date(2018, 2, 1))
    else:
        set_rate(from_on=date(2018, 2, 1))


def test_scheduled_rate_can_be_cancelled(set_rate, county_user, village):
    row = set_rate(from_on=tomorrow())
    services.cancel_row(by=county_user, row=row, today=TODAY, now=NOW)
    assert rate(village, tomorrow()) == Decimal("960")


@pytest.mark.parametrize("amount", [Decimal("-0.01")])
def test_database_refuses_a_negative_rate(county, amount):
    with pytest.raises(IntegrityError), transaction.atomic():
        known_rate("CN-RURAL", county, amount)


# Exclusions ------------------------------------------------------------------------------------


def exclude(
    by, region, from_on=TODAY, *, code="CN-RURAL", other="YN-LUMP", excluded=True, both=False
):
    return services.set_exclusion(
        by=by, policy_code=code, other_code=other, excluded=excluded, both=both, today=TODAY,
        setting=Setting(region, from_on, "试行文件"),
    )  # fmt: skip


def test_exclusion_holds_one_way_or_both(county_user, county, village):
    exclude(county_user, county)
    book = policy_book(TODAY)
    assert book.excludes("CN-RURAL", "YN-LUMP", village.path)
    assert not book.excludes("YN-LUMP", "CN-RURAL", village.path)
    assert "YN-LUMP" in book.rule("CN-RURAL", village.path).excludes
    exclude(county_user, county, tomorrow(), both=True)
    assert policy_book(tomorrow()).excludes("YN-LUMP", "CN-RURAL", village.path)
    # The way that held already has no second row.
    assert PolicyExclusion.objects.count() == 2


def test_default_exclusion_can_be_lifted_in_a_place(county_user, village, far_village):
    exclude(county_user, village.parent, code="SD-URBAN", other="CN-RURAL", excluded=False)
    book = policy_book(TODAY)
    assert not book.excludes("SD-URBAN", "CN-RURAL", village.path)
    assert book.excludes("SD-URBAN", "CN-RURAL", far_village.path)
    event = AuditEvent.objects.get(type="benefit.exclusion_set")
    assert event.changes["excluded"] == [True, False]


def test_exclusion_refusals(county_user, county, clerk, village):
    with pytest.raises(RuleViolation, match="两个不同"):
        exclude(county_user, county, other="CN-RURAL")
    with pytest.raises(RuleViolation, match="没有要改的"):
        exclude(county_user, county, excluded=False)
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        exclude(clerk, county)
    head, _ = make_old_couple(village)
    make_enrolment(head, start=date(2018, 1, 1), version=switch_on("CN-RURAL", county))
    with pytest.raises(RuleViolation, match="已按当时的规定认定1件"):
        exclude(county_user, county, date(2018, 1, 1))
    assert not PolicyExclusion.objects.exists()


def test_exclusion_rolls_back_with_its_event(county_user, county, monkeypatch):
    monkeypatch.setattr("subsidies.services.policies.log.record", fail)
    with pytest.raises(RuntimeError):
        exclude(county_user, county)
    assert not PolicyExclusion.objects.exists()


def test_database_refuses_a_policy_against_itself_and_two_rows_a_day(county):
    values = {"region": county, "from_on": TODAY, "document": "试行文件"}
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyExclusion.objects.create(policy_code="CN-RURAL", other_code="CN-RURAL", **values)
    PolicyExclusion.objects.create(policy_code="CN-RURAL", other_code="YN-LUMP", **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyExclusion.objects.create(policy_code="CN-RURAL", other_code="YN-LUMP", **values)


# Deadlines -------------------------------------------------------------------------------------


def due(by, region, from_on=date(2018, 1, 1), *, month=3, day=15, code="CN-RURAL"):
    return services.set_deadline(
        by=by, policy_code=code, month=month, day=day, today=TODAY,
        setting=Setting(region, from_on, "试行文件"),
    )  # fmt: skip


def test_deadline_holds_from_its_year(county_user, county, village):
    due(county_user, county, date(2019, 1, 1))
    assert policy_book(TODAY).due("CN-RURAL", village.path, 2018) == date(2018, 2, 28)
    after = policy_book(date(2019, 1, 1))
    assert after.due("CN-RURAL", village.path, 2019) == date(2019, 3, 15)
    event = AuditEvent.objects.get(type="benefit.deadline_set")
    assert event.changes["due"] == ["", "03-15"]


def test_deadline_refusals(county_user, county, clerk):
    for values, message in (
        ({"month": 2, "day": 29}, "不是每年都有2月29日"),
        ({"month": 13}, "不是每年都有13月"),
        ({"from_on": date(2017, 12, 31)}, "不能早于今年"),
        ({"by": clerk}, "不在您的区划内"),
    ):
        with pytest.raises(RuleViolation, match=message):
            due(**({"by": county_user, "region": county} | values))
    assert not ReturnDeadline.objects.exists()


def test_deadline_rolls_back_with_its_event(county_user, county, monkeypatch):
    monkeypatch.setattr("subsidies.services.policies.log.record", fail)
    with pytest.raises(RuntimeError):
        due(county_user, county)
    assert not ReturnDeadline.objects.exists()


def test_database_refuses_no_day_and_two_rows_a_day(county):
    values = {"policy_code": "CN-RURAL", "region": county, "from_on": TODAY, "document": "试行文件"}
    with pytest.raises(IntegrityError), transaction.atomic():
        ReturnDeadline.objects.create(month=13, day=1, **values)
    ReturnDeadline.objects.create(month=2, day=1, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        ReturnDeadline.objects.create(month=3, day=1, **values)


# The holiday calendar --------------------------------------------------------------------------


def enter(by, first, last=None, *, is_workday=False, document="国办通知"):
    return set_workdays(
        by=by,
        first=first,
        last=last or first,
        is_workday=is_workday,
        document=document,
        today=TODAY,
    )


def test_only_days_that_differ_are_entered(county_user):
    """From Friday to Monday: the weekend is off in any case."""
    rows = enter(county_user, date(2019, 11, 1), date(2019, 11, 4))
    assert [row.day for row in rows] == [date(2019, 11, 1), date(2019, 11, 4)]
    event = AuditEvent.objects.get(type="benefit.workday_set")
    assert (event.count, event.changes["days"]) == (2, ["", "2019-11-01、2019-11-04"])


def test_a_saturday_can_be_worked(county_user):
    (row,) = enter(county_user, date(2019, 11, 2), is_workday=True)
    assert row.is_workday


def test_a_day_to_come_can_be_turned_round_and_one_that_is_over_cannot(county_user):
    for day in (date(2019, 11, 1), date(2018, 9, 28)):
        enter(county_user, day)
    enter(county_user, date(2019, 11, 1), is_workday=True)
    assert WorkdayChange.objects.get(day=date(2019, 11, 1)).is_workday
    with pytest.raises(RuleViolation, match="不能再改"):
        enter(county_user, date(2018, 9, 28), is_workday=True)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"first": date(2019, 11, 2)}, "没有要改的"),
        ({"first": date(2019, 11, 1), "document": " "}, "依据文件"),
        ({"first": date(2019, 11, 4), "last": date(2019, 11, 1)}, "止日"),
        ({"first": date(2019, 1, 1), "last": date(2019, 2, 1)}, "最多31天"),
        ({"first": date(2020, 1, 2)}, "2004年到2019年"),
        ({"first": date(2003, 12, 31)}, "2004年到2019年"),
    ],
    ids=["as it is", "document", "reversed", "too many", "too late", "too early"],
)
def test_wrong_days_are_refused(county_user, values, message):
    with pytest.raises(RuleViolation, match=message):
        enter(county_user, **values)
    assert not WorkdayChange.objects.exists()


def test_days_roll_back_with_their_event(county_user, monkeypatch):
    monkeypatch.setattr("subsidies.services.workdays.log.record", fail)
    with pytest.raises(RuntimeError):
        enter(county_user, date(2019, 11, 1))
    assert not WorkdayChange.objects.exists()


def test_database_holds_a_day_once(county_user):
    values = {"day": TODAY, "document": "国办通知", "set_by": county_user}
    WorkdayChange.objects.create(is_workday=True, **values)
    with pytest.raises(IntegrityError), transaction.atomic():
        WorkdayChange.objects.create(is_workday=False, **values)
