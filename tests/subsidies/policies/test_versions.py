"""A county sets a policy's rule for a place: what is kept, what is refused, what stays as decided."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from subsidies.models import Enrolment, PolicyVersion
from subsidies.policies.book import policy_book
from subsidies.policies.catalogue import Criterion
from subsidies.services import policies as services
from subsidies.services.policies import Setting
from tests.conftest import TODAY
from tests.factories.benefits import (
    make_application,
    make_enrolment,
    make_old_couple,
    switch_on,
)
from tests.subsidies.policies.conftest import terms_of, tomorrow

pytestmark = pytest.mark.django_db
NOW = datetime(2018, 10, 9, 1, 0, tzinfo=UTC)


def rule(place, day=TODAY, code="CN-RURAL"):
    return policy_book(day).rule(code, place.path)


def test_version_holds_from_its_day_in_its_place_and_below(
    set_version, county, village, far_village
):
    set_version(from_on=tomorrow(), region=village.parent, without=("spouse_hukou",))
    assert not rule(village).is_on
    after = rule(village, tomorrow())
    assert after.is_on
    assert "spouse_hukou" not in {c.key for c in after.criteria}
    assert (after.number, after.document) == (2, "试行文件第三条")
    assert not rule(far_village, tomorrow()).is_on


def test_nearest_place_goes_before_the_county(set_version, county, village, far_village):
    set_version(is_on=True)
    set_version(is_on=False, region=village.parent)
    assert (rule(village).is_on, rule(far_village).is_on) == (False, True)


def test_changed_parameters_come_back_as_they_were_set(set_version, village):
    window = {"from": date(1973, 1, 1), "to": date(2015, 12, 31)}
    set_version(
        changed={
            "no_birth_outside_policy": Criterion("no_birth_outside_policy", window),
            "age": Criterion("age", {"min": 55}),
        }
    )
    found = {c.key: c.params for c in rule(village).criteria}
    assert found["age"] == {"min": 55}
    assert found["no_birth_outside_policy"] == {"from": "1973-01-01", "to": "2015-12-31"}


def test_event_says_who_what_and_by_which_document(set_version, county, county_user):
    version = set_version(without=("spouse_hukou",))
    event = AuditEvent.objects.get(type="benefit.version_set")
    assert (event.actor_id, event.target_id) == (county_user.pk, str(version.pk))
    assert event.region_path == county.path
    assert event.changes["document"] == ["", "试行文件"]
    assert "配偶户口性质" in event.changes["rule"][1]
    assert "启用：未启用→启用" in event.changes["rule"][1]


def test_nothing_is_kept_without_its_event(set_version, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("subsidies.services.policies.log.record", fail)
    with pytest.raises(RuntimeError):
        set_version()
    assert not PolicyVersion.objects.exists()


# Refusals --------------------------------------------------------------------------------------

REFUSED = [
    ("document", {"document": " "}, "请填写依据文件"),
    ("year", {"from_on": date(218, 1, 1)}, "生效日期"),
    ("share sum", {"shares": {"中央": Decimal("80"), "省": Decimal("19.99")}}, "99.99%"),
    ("share payer", {"shares": {"某人": Decimal("100")}}, "没有“某人”"),
    ("share zero", {"shares": {"中央": Decimal("100"), "省": Decimal("0")}}, "应大于0"),
    ("share places", {"shares": {"中央": Decimal("33.333"), "省": Decimal("66.667")}}, "两位小数"),
    ("notice", {"notice_days": 61}, "0到60"),
    ("always", {"without": ("registered_here",)}, "不能去掉"),
    ("unknown", {"changed": {"age": Criterion("height", {"min": 60})}}, "height"),
    ("ages", {"changed": {"age": Criterion("age", {"min": 70, "max": 60})}}, "前后颠倒"),
    ("no age", {"changed": {"age": Criterion("age", {})}}, "至少填一个"),
    ("age text", {"changed": {"age": Criterion("age", {"min": "60"})}}, "整数"),
    ("case", {"changed": {"living_children": Criterion("living_children", ["two"])}}, "没有这个选项"),
    ("hukou", {"changed": {"hukou": Criterion("hukou", "'; DROP")}}, "没有这个选项"),
    ("key", {"changed": {"age": Criterion("age", {"least": 60})}}, "设定不对"),
    ("twice", {"changed": {"age": Criterion("hukou", "农业")}}, "写了两次"),
    ("surplus", {"changed": {"ever_had_child": Criterion("ever_had_child", 2)}}, "没有可以设定的值"),
    ("day", {"changed": {"born_from": Criterion("born_from", "1933-02-30")}}, "日期不对"),
    (
        "window",
        {"changed": {"no_birth_outside_policy": Criterion(
            "no_birth_outside_policy", {"from": date(2001, 1, 1), "to": date(1973, 1, 1)})}},
        "前后颠倒",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("values", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_wrong_rule_is_refused(set_version, values, message):
    with pytest.raises(RuleViolation, match=message):
        set_version(**values)
    assert not PolicyVersion.objects.exists()
    assert not AuditEvent.objects.filter(type="benefit.version_set").exists()


def test_shares_of_a_third_each_may_be_written_exactly(set_version):
    thirds = {"中央": Decimal("33.33"), "省": Decimal("33.33"), "市": Decimal("33.34")}
    version = set_version(shares=thirds)
    assert version.shares == {"中央": "33.33", "省": "33.33", "市": "33.34"}


def test_no_shares_mean_that_the_county_pays(set_version):
    assert set_version(shares={}).shares == {}


def test_another_countys_place_is_refused(set_version, far_village, clerk):
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        set_version(region=far_village.parent, by=clerk)


def test_a_group_is_refused(set_version, village):
    from tests.factories.accounts import make_region

    with pytest.raises(RuleViolation, match="不按小组"):
        set_version(region=make_region(f"{village.code}01", "1组"))


def test_a_rule_that_changes_nothing_is_refused(set_version):
    set_version()
    with pytest.raises(RuleViolation, match="没有要改的"):
        set_version(from_on=tomorrow())


def test_a_policy_of_history_is_not_switched_on(set_version):
    with pytest.raises(RuleViolation, match="不能启用"):
        set_version("NX-FEWER")


def test_second_version_of_a_day_is_a_message(set_version):
    set_version()
    with pytest.raises(RuleViolation, match="已有2018-10-09起的设定") as refused:
        set_version(is_on=False)
    assert refused.value.field == "from_on"


def test_two_county_users_at_once_get_a_message(set_version, county, monkeypatch):
    """The other's row comes in between the check and the save."""
    monkeypatch.setattr(
        services, "_refuse_taken", lambda *args: switch_on("CN-RURAL", county, TODAY)
    )
    with pytest.raises(RuleViolation, match="可能别人刚刚保存过"):
        set_version(is_on=True, without=("age",))


def test_database_holds_one_version_a_day(county):
    switch_on("CN-RURAL", county, TODAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        switch_on("CN-RURAL", county, TODAY)


# Days that are over ----------------------------------------------------------------------------


def test_past_day_is_taken_while_nothing_was_decided(set_version, village):
    set_version(from_on=date(2004, 1, 1))
    assert rule(village, date(2004, 1, 1)).is_on
    assert not rule(village, date(2003, 12, 31)).is_on


def test_what_was_imported_is_no_decision_of_ours(set_version, village):
    head, _ = make_old_couple(village)
    make_enrolment(head, start=date(2015, 1, 1))
    set_version(from_on=date(2010, 1, 1))
    assert rule(village, date(2010, 1, 1)).is_on


@pytest.mark.parametrize(
    ("from_on", "is_refused"),
    [(date(2018, 1, 31), True), (date(2018, 2, 1), False), (TODAY, False)],
    ids=["its month", "the month after", "today"],
)
def test_past_day_is_refused_where_a_decision_rests_on_it(
    set_version, village, county, from_on, is_refused
):
    old = switch_on("CN-RURAL", county)
    head, _ = make_old_couple(village)
    make_enrolment(head, start=date(2018, 1, 1), version=old)
    if is_refused:
        with pytest.raises(RuleViolation, match="已按当时的规定认定1件"):
            set_version(from_on=from_on, without=("spouse_hukou",))
    else:
        set_version(from_on=from_on, without=("spouse_hukou",))


def test_a_refusal_is_a_decision_too(set_version, village, clerk):
    head, _ = make_old_couple(village)
    make_application(head, clerk, state="refused", applied_on=date(2018, 9, 3))
    with pytest.raises(RuleViolation, match="认定1件"):
        set_version(from_on=date(2018, 9, 3))
    set_version(from_on=date(2018, 9, 4))


def test_decisions_of_another_place_or_policy_do_not_count(
    set_version, village, far_village, county
):
    old = switch_on("CN-RURAL", county)
    head, wife = make_old_couple(village)
    make_enrolment(head, start=date(2018, 1, 1), version=old)
    make_enrolment(wife, "YN-LUMP", start=date(2018, 1, 1), version=old)
    set_version(from_on=date(2017, 1, 1), region=far_village.parent, without=("age",))
    set_version("YN-EXAM", from_on=date(2017, 1, 1))


def test_a_change_never_touches_a_decision(set_version, set_rate, village, county):
    old = switch_on("CN-RURAL", county)
    head, wife = make_old_couple(village)
    kept = {"criteria": [{"key": "age", "holds": True}], "version": old.pk}
    made = make_enrolment(head, start=date(2018, 1, 1), version=old, decision=kept)
    before = Enrolment.objects.values().get(pk=made.pk)
    as_it_was = PolicyVersion.objects.values().get(pk=old.pk)

    set_version(from_on=TODAY, is_on=False, changed={"age": Criterion("age", {"min": 70})})
    set_rate(amount="1", from_on=date(2018, 1, 1))

    assert Enrolment.objects.values().get(pk=made.pk) == before
    assert PolicyVersion.objects.values().get(pk=old.pk) == as_it_was


# Scheduled -------------------------------------------------------------------------------------


def test_a_scheduled_version_can_be_cancelled_before_its_day(set_version, county_user, village):
    version = set_version(from_on=tomorrow())
    services.cancel_row(by=county_user, row=version, today=TODAY, now=NOW)
    version.refresh_from_db()
    assert version.cancelled_at == NOW
    assert not rule(village, tomorrow()).is_on
    event = AuditEvent.objects.get(type="benefit.row_cancelled")
    assert event.changes["from_on"] == ["", "2018-10-10"]


def test_cancelled_day_is_free_again(set_version, county_user, village):
    services.cancel_row(by=county_user, row=set_version(from_on=tomorrow()), today=TODAY, now=NOW)
    set_version(from_on=tomorrow())
    assert rule(village, tomorrow()).is_on


def test_what_is_in_force_cannot_be_cancelled(set_version, county_user):
    with pytest.raises(RuleViolation, match="已经生效"):
        services.cancel_row(by=county_user, row=set_version(), today=TODAY, now=NOW)


def test_a_second_cancelling_is_refused(set_version, county_user):
    version = set_version(from_on=tomorrow())
    services.cancel_row(by=county_user, row=version, today=TODAY, now=NOW)
    with pytest.raises(RuleViolation, match="已经取消"):
        services.cancel_row(by=county_user, row=version, today=TODAY, now=NOW)
    assert AuditEvent.objects.filter(type="benefit.row_cancelled").count() == 1


def test_a_version_that_a_decision_names_stays(set_version, county_user, village):
    version = set_version(from_on=tomorrow())
    head, _ = make_old_couple(village)
    make_enrolment(head, version=version)
    with pytest.raises(RuleViolation, match="按这个版本核查"):
        services.cancel_row(by=county_user, row=version, today=TODAY, now=NOW)


def test_who_sees_a_row_from_below_cannot_cancel_it(set_version, clerk):
    version = set_version(from_on=tomorrow())
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        services.cancel_row(by=clerk, row=version, today=TODAY, now=NOW)


def test_cancelling_is_not_kept_without_its_event(set_version, county_user, monkeypatch):
    version = set_version(from_on=tomorrow())

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("subsidies.services.policies.log.record", fail)
    with pytest.raises(RuntimeError):
        services.cancel_row(by=county_user, row=version, today=TODAY, now=NOW)
    version.refresh_from_db()
    assert version.cancelled_at is None


def test_check_refuses_the_same_and_writes_nothing(county_user, county):
    setting = Setting(county, TODAY, "试行文件")
    old, new = services.check_version(
        by=county_user, policy_code="CN-RURAL", setting=setting, terms=terms_of(), today=TODAY
    )
    assert (old.is_on, new.is_on) == (False, True)
    with pytest.raises(RuleViolation):
        services.check_version(
            by=county_user, policy_code="CN-RURAL", setting=setting, today=TODAY,
            terms=terms_of(shares={"中央": Decimal("99")}),
        )  # fmt: skip
    assert not PolicyVersion.objects.exists()
