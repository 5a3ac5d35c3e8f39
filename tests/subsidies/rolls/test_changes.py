"""Lines of the rolls: put on, ended, moved, suspended, paid again; what is refused and what is recorded."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from subsidies.models import Enrolment, EnrolmentChange, Suspension
from subsidies.services.enrolments import decide_change, enrol, propose_change, withdraw_change
from tests.factories.accounts import make_user
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_household, make_resident

pytestmark = pytest.mark.django_db
NOW = datetime(2018, 10, 9, 2, 0, tzinfo=UTC)
START = date(2015, 1, 1)
DISABLED, DEATH = "CN-SPECIAL-DISABLED", "CN-SPECIAL-DEATH"


def proposed(by, enrolment, kind="end", month=date(2018, 12, 1), end_reason="", **values):
    if kind == "end" and not end_reason:
        end_reason = "户口性质变更"
    values = {"note": "村里核实", "now": NOW} | values
    return propose_change(
        by=by, enrolment=enrolment, kind=kind, month=month, end_reason=end_reason, **values
    )


def decided(by, change, accept=True, note=""):
    return decide_change(by=by, change=change, accept=accept, note=note, now=NOW)


def carried_out(clerk, reviewer, enrolment, *args, **values):
    return decided(reviewer, proposed(clerk, enrolment, *args, **values))


def put_on(by, resident, code="CN-RURAL", start_month=START, **values):
    return enrol(by=by, resident=resident, policy_code=code, start_month=start_month, **values)


# Put on a roll


def test_line_begins_with_its_month_and_is_recorded_without_the_policy(county_user, village):
    head, _ = make_old_couple(village)
    line = put_on(
        county_user, head, start_month=date(2015, 1, 20), decision={"as_of": "2014-12-31"}
    )
    assert (line.start_month, line.end_month) == (START, None)
    event = AuditEvent.objects.get(type="enrolment.opened")
    assert (event.target_id, event.region_path) == (str(line.pk), village.path)
    assert "RURAL" not in str(event.changes)


def test_nobody_is_put_on_a_roll_twice(county_user, village):
    head, wife = make_old_couple(village)
    put_on(county_user, head)
    with pytest.raises(RuleViolation, match="已在“农村部分"):
        put_on(county_user, head, start_month=date(2016, 1, 1))
    assert put_on(county_user, wife).pk  # of a policy for persons, the wife has a line of her own


def test_months_of_two_lines_do_not_overlap(county_user, village):
    head, _ = make_old_couple(village)
    make_enrolment(head, end_month=date(2016, 12, 1), end_reason="其他")
    with pytest.raises(RuleViolation, match="不能重复登记"):
        put_on(county_user, head, start_month=date(2016, 12, 1))
    with pytest.raises(RuleViolation, match="不能重复登记"):
        put_on(county_user, head, start_month=date(2014, 1, 1))
    assert put_on(county_user, head, start_month=date(2017, 1, 1)).pk


def test_line_that_was_never_paid_keeps_nobody_off(county_user, village):
    head, _ = make_old_couple(village)
    make_enrolment(head, end_month=date(2014, 12, 1), end_reason="其他")
    assert put_on(county_user, head, start_month=date(2014, 6, 1)).pk


@pytest.mark.parametrize("first", ["head", "wife"])
def test_couple_has_one_line(county_user, village, first):
    head, wife = make_old_couple(village)
    one, other = (head, wife) if first == "head" else (wife, head)
    put_on(county_user, one, "SD-ONLY-CHILD")
    with pytest.raises(RuleViolation, match=f"配偶{one.name}已在"):
        put_on(county_user, other, "SD-ONLY-CHILD")


def test_divorced_parents_are_no_couple(county_user, village):
    head, wife = make_old_couple(village)
    for one in (head, wife):
        one.marital = "离婚"
        one.save()
    wife.household = make_household(village)
    wife.save()
    put_on(county_user, head, "SD-ONLY-CHILD")
    assert put_on(county_user, wife, "SD-ONLY-CHILD").pk


def test_household_has_one_line_of_a_policy_for_families(county_user, village):
    head, _ = make_old_couple(village)
    son = make_resident(head.household, "陶儿", relation="子")
    put_on(county_user, head, "SD-DIBAO")
    with pytest.raises(RuleViolation, match="同户的陶有田已在"):
        put_on(county_user, son, "SD-DIBAO")


def test_what_is_paid_once_is_not_paid_again(county_user, village):
    head, wife = make_old_couple(village)
    make_enrolment(head, "YN-LUMP", date(2010, 3, 1), end_month=date(2010, 3, 1), end_reason="其他")
    with pytest.raises(RuleViolation, match="只发一次"):
        put_on(county_user, wife, "YN-LUMP")


@pytest.mark.parametrize(
    ("held", "wanted"), [("CN-RURAL", "SD-URBAN"), ("SD-URBAN", "CN-RURAL")], ids=["there", "back"]
)
def test_excluding_policy_refuses_in_either_direction(county_user, village, held, wanted):
    head, wife = make_old_couple(village)
    make_enrolment(head, held)
    with pytest.raises(RuleViolation, match="两项不能同时享受"):
        put_on(county_user, head, wanted)
    assert put_on(county_user, wife, wanted).pk  # both are for persons


def test_excluding_policy_that_ended_before_does_not_matter(county_user, village):
    head, _ = make_old_couple(village)
    make_enrolment(head, "SD-URBAN", end_month=date(2017, 12, 1), end_reason="户口性质变更")
    with pytest.raises(RuleViolation, match="两项不能同时享受"):
        put_on(county_user, head, start_month=date(2017, 12, 1))
    assert put_on(county_user, head, start_month=date(2018, 1, 1)).pk


def test_closed_policy_takes_nobody_in(county_user, village):
    head, _ = make_old_couple(village)
    with pytest.raises(RuleViolation, match="已经停止新增"):
        put_on(county_user, head, "NX-FEWER")


def test_the_dead_begin_nothing(county_user, village):
    head, _ = make_old_couple(village)
    head.death_date = date(2018, 3, 31)
    head.save()
    with pytest.raises(RuleViolation, match="已于2018-03-31死亡"):
        put_on(county_user, head, start_month=date(2018, 4, 1))
    line = put_on(county_user, head, start_month=date(2018, 3, 1))
    assert (line.end_month, line.end_reason) == (date(2018, 12, 1), "死亡")


def test_policy_that_takes_over_is_entered_by_a_move_alone(county_user, disabled):
    with pytest.raises(RuleViolation, match="两项不能同时享受"):
        put_on(county_user, disabled.resident, DEATH, start_month=date(2018, 7, 1))


def test_nobody_puts_on_a_roll_outside_their_region(other_clerk, village):
    head, _ = make_old_couple(village)
    with pytest.raises(RuleViolation, match="不在您的区划"):
        put_on(other_clerk, head)
    assert not Enrolment.objects.exists()


# Ends


def test_accepted_end_takes_the_line_off_with_its_last_month(clerk, reviewer, village):
    line = make_enrolment(make_old_couple(village)[0])
    change = proposed(clerk, line)
    line.refresh_from_db()
    assert line.end_month is None  # nothing happens in between
    decided(reviewer, change)
    line.refresh_from_db()
    assert (line.end_month, line.end_reason) == (date(2018, 12, 1), "户口性质变更")
    types = AuditEvent.objects.order_by("pk").values_list("type", "actor_id")
    assert list(types) == [
        ("enrolment.change_proposed", clerk.pk), ("enrolment.change_accepted", reviewer.pk),
    ]  # fmt: skip
    assert "户口" not in str(list(AuditEvent.objects.values_list("changes", flat=True)))


def test_nobody_accepts_their_own_proposal(clerk, village):
    change = proposed(clerk, make_enrolment(make_old_couple(village)[0]))
    for accept in (True, False):
        with pytest.raises(RuleViolation, match="自己提出"):
            decided(clerk, change, accept, "说明")
    with pytest.raises(IntegrityError), transaction.atomic():
        EnrolmentChange.objects.filter(pk=change.pk).update(
            decision="accepted", decided_by=clerk, decided_at=NOW
        )


def test_one_change_waits_at_a_time(clerk, village):
    line = make_enrolment(make_old_couple(village)[0])
    proposed(clerk, line)
    with pytest.raises(RuleViolation, match="等待审核"):
        proposed(clerk, line, "suspend")


def test_refusal_needs_a_reason_and_leaves_the_line(clerk, reviewer, village):
    line = make_enrolment(make_old_couple(village)[0])
    change = proposed(clerk, line)
    with pytest.raises(RuleViolation, match="退回要写明原因"):
        decided(reviewer, change, accept=False)
    decided(reviewer, change, accept=False, note="户口未变")
    line.refresh_from_db()
    assert line.end_month is None
    with pytest.raises(RuleViolation, match="已经处理过"):
        decided(reviewer, change)
    assert proposed(clerk, line).pk  # it may be proposed again


def test_only_its_maker_takes_a_proposal_back(clerk, township, village):
    change = proposed(clerk, make_enrolment(make_old_couple(village)[0]))
    with pytest.raises(RuleViolation, match="本人提出"):
        withdraw_change(by=make_user("clerk", township, username="second"), change=change, now=NOW)
    withdraw_change(by=clerk, change=change, now=NOW)
    change.refresh_from_db()
    assert change.decision == "withdrawn"
    with pytest.raises(RuleViolation, match="已经处理过"):
        withdraw_change(by=clerk, change=change, now=NOW)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"month": date(2014, 12, 1)}, "不能早于起始年月"),
        ({"month": date(2018, 9, 1)}, "应为2018年12月"),
        ({"month": date(2020, 1, 1)}, "不能晚于2019年12月"),
        ({"kind": "move"}, "没有可以转入的政策"),
        ({"kind": "resume"}, "没有暂停"),
        ({"kind": "suspend", "month": date(2014, 12, 1)}, "不能早于起始年月"),
        ({"note": " "}, "写明依据"),
    ],
    ids=["early", "mid-year", "far", "no-move", "no-suspension", "early-suspension", "no-note"],
)
def test_what_cannot_be_is_refused_when_proposed(clerk, village, values, words):
    line = make_enrolment(make_old_couple(village)[0])
    with pytest.raises(RuleViolation, match=words):
        proposed(clerk, line, **values)
    assert not EnrolmentChange.objects.exists()


def test_mistake_ends_a_yearly_benefit_in_any_month(clerk, reviewer, village):
    line = make_enrolment(make_old_couple(village)[0])
    carried_out(clerk, reviewer, line, month=date(2016, 5, 1), end_reason="重复享受")
    line.refresh_from_db()
    assert line.end_month == date(2016, 5, 1)


def test_line_of_which_nothing_was_paid_ends_before_it_starts(clerk, reviewer, village):
    line = make_enrolment(make_old_couple(village)[0])
    carried_out(clerk, reviewer, line, end_reason="主动放弃", never_paid=True)
    line.refresh_from_db()
    assert line.end_month == date(2014, 12, 1)
    assert not Enrolment.objects.active_on(START).exists()


def test_nothing_is_paid_beyond_what_a_death_leaves(clerk, village):
    head, _ = make_old_couple(village)
    line = make_enrolment(head)
    head.death_date = date(2017, 3, 31)
    head.save()
    with pytest.raises(RuleViolation, match="最多发到2017年12月"):
        proposed(clerk, line, end_reason="死亡")
    assert proposed(clerk, line, month=date(2017, 12, 1), end_reason="死亡").pk


def test_death_registered_after_the_proposal_is_heeded_when_it_is_decided(clerk, reviewer, village):
    head, _ = make_old_couple(village)
    line = make_enrolment(head)
    change = proposed(clerk, line)
    head.death_date = date(2017, 3, 31)
    head.save()
    with pytest.raises(RuleViolation, match="最多发到2017年12月"):
        decided(reviewer, change)
    change.refresh_from_db()
    assert change.decision == ""


def test_end_may_be_brought_forward_never_put_off(clerk, reviewer, village):
    line = make_enrolment(
        make_old_couple(village)[0], end_month=date(2018, 12, 1), end_reason="死亡"
    )
    with pytest.raises(RuleViolation, match="已经退出"):
        proposed(clerk, line, month=date(2019, 12, 1))
    carried_out(clerk, reviewer, line, month=date(2017, 12, 1), end_reason="死亡")
    line.refresh_from_db()
    assert line.end_month == date(2017, 12, 1)


# Moves


@pytest.fixture
def disabled(village):
    """A parent on the roll for a disabled only child, where neither policy excludes the other."""
    switch_on(DISABLED, village)
    switch_on(DEATH, village)
    return make_enrolment(make_old_couple(village)[0], DISABLED)


def test_move_leaves_no_gap_and_no_month_of_both(clerk, reviewer, disabled):
    carried_out(clerk, reviewer, disabled, "move", date(2018, 6, 1))
    disabled.refresh_from_db()
    follower = Enrolment.objects.get(policy_code=DEATH)
    assert (disabled.end_month, disabled.end_reason) == (date(2018, 6, 1), "子女数变更")
    assert (follower.start_month, follower.moved_from) == (date(2018, 7, 1), disabled)
    assert (follower.resident, follower.version.policy_code) == (disabled.resident, DEATH)
    assert follower.decision["moved_from"] == DISABLED
    for month in range(1, 13):
        assert Enrolment.objects.active_on(date(2018, month, 1)).count() == 1


def test_move_is_made_over_a_pair_that_excludes_itself(clerk, reviewer, disabled):
    make_enrolment(
        disabled.resident, "SD-URBAN"
    )  # excludes both, wrongly held: not the move's matter
    carried_out(clerk, reviewer, disabled, "move", date(2018, 6, 1))
    assert Enrolment.objects.filter(policy_code=DEATH).count() == 1


def test_move_into_a_roll_one_is_on_changes_nothing(clerk, reviewer, disabled):
    change = proposed(clerk, disabled, "move", date(2018, 6, 1))
    make_enrolment(disabled.resident, DEATH, date(2018, 7, 1))
    with pytest.raises(RuleViolation, match="不能重复登记"):
        decided(reviewer, change)
    disabled.refresh_from_db()
    change.refresh_from_db()
    assert (disabled.end_month, change.decision) == (None, "")


def test_suspension_goes_over_with_a_move(clerk, reviewer, disabled):
    carried_out(clerk, reviewer, disabled, "suspend", date(2018, 3, 1))
    carried_out(clerk, reviewer, disabled, "move", date(2018, 6, 1))
    spells = Suspension.objects.order_by("pk").values_list(
        "enrolment__policy_code", "from_month", "until_month", "reason"
    )
    assert list(spells) == [
        (DISABLED, date(2018, 3, 1), date(2018, 6, 1), "村里核实"),
        (DEATH, date(2018, 7, 1), None, "村里核实"),
    ]


def test_suspension_still_to_come_goes_over_as_it_is(clerk, reviewer, disabled):
    carried_out(clerk, reviewer, disabled, "suspend", date(2018, 11, 1))
    carried_out(clerk, reviewer, disabled, "move", date(2018, 6, 1))
    stopped = Suspension.objects.get()
    assert (stopped.enrolment.policy_code, stopped.from_month) == (DEATH, date(2018, 11, 1))


def test_end_of_a_line_that_was_followed_is_not_brought_forward(clerk, reviewer, disabled):
    carried_out(clerk, reviewer, disabled, "move", date(2018, 6, 1))
    with pytest.raises(RuleViolation, match="已经退出"):
        proposed(clerk, disabled, month=date(2018, 5, 1))


def test_the_dead_do_not_move(clerk, disabled):
    disabled.resident.death_date = date(2018, 6, 20)
    disabled.resident.save()
    with pytest.raises(RuleViolation, match="不能转入"):
        proposed(clerk, disabled, "move", date(2018, 6, 1))


# Suspensions


def test_suspension_and_its_end(clerk, reviewer, village):
    line = make_enrolment(make_old_couple(village)[0])
    carried_out(clerk, reviewer, line, "suspend", date(2018, 3, 1))
    with pytest.raises(RuleViolation, match="已经暂停"):
        proposed(clerk, line, "suspend", date(2018, 4, 1))
    with pytest.raises(RuleViolation, match="要晚于暂停的月份"):
        proposed(clerk, line, "resume", date(2018, 3, 1))
    carried_out(clerk, reviewer, line, "resume", date(2018, 10, 1))
    stopped = line.suspensions.get()
    assert (stopped.from_month, stopped.until_month) == (date(2018, 3, 1), date(2018, 9, 1))
    with pytest.raises(RuleViolation, match="以前的一次暂停"):
        proposed(clerk, line, "suspend", date(2018, 9, 1))
    assert proposed(clerk, line, "suspend", date(2018, 10, 1)).pk


def test_suspended_line_is_still_on_the_roll(clerk, reviewer, village):
    line = make_enrolment(make_old_couple(village)[0])
    carried_out(clerk, reviewer, line, "suspend", date(2018, 3, 1))
    assert list(Enrolment.objects.active_on(date(2018, 10, 9))) == [line]
    with pytest.raises(RuleViolation, match="不能重复登记"):
        put_on(clerk, line.resident, start_month=date(2018, 10, 1))


# One of two


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one at a time")
@pytest.mark.django_db(transaction=True)
def test_two_reviewers_at_once_make_one_decision(clerk, township, reviewer, village):
    change = proposed(clerk, make_enrolment(make_old_couple(village)[0]))
    other = make_user("reviewer", township, username="second")
    gate = threading.Barrier(2)

    def decide(by):
        try:
            gate.wait(timeout=10)
            decided(by, change)
            return "done"
        except RuleViolation as violation:
            return violation.message
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(decide, [reviewer, other]))
    assert results == ["done", "这条变动已经处理过了。"]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite writes one at a time")
@pytest.mark.django_db(transaction=True)
def test_husband_and_wife_at_once_come_to_one_line(county_user, village):
    people = make_old_couple(village)
    gate = threading.Barrier(2)

    def add(resident):
        try:
            gate.wait(timeout=10)
            put_on(county_user, resident, "SD-ONLY-CHILD")
            return "done"
        except RuleViolation:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(add, people)) == ["done", "refused"]
