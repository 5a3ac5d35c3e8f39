"""Meetings: what they answer for, what a death leads to, what is refused, who may correct and settle."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.dates import month_period
from fpadmin.errors import EditConflict, RuleViolation
from subsidies.meetings import sample, waiting
from subsidies.models import Enrolment, EnrolmentChange, Meeting, PaymentLine
from subsidies.services import bank_returns, enrolments
from subsidies.services import meetings as services
from tests.factories.benefits import make_enrolment
from tests.factories.households import make_resident
from tests.factories.meetings import (
    DUE,
    NOW,
    PAID,
    TODAY,
    make_meeting,
    make_paid,
    make_payee_to_see,
)
from tests.factories.payments import bring_to, make_batch, make_payee

pytestmark = pytest.mark.django_db
TOMORROW = TODAY + timedelta(days=1)


def correct(by, meeting, **values):
    return services.correct_meeting(
        **{
            "by": by, "meeting": meeting, "row_version": meeting.row_version, "met_on": TODAY,
            "is_alive": True, "delivered": "yes", "today": TODAY, "now": NOW,
        } | values
    )  # fmt: skip


def waits(user, person) -> int:
    return waiting.waiting(user).filter(beneficiary=person).count()


# By when


@pytest.mark.parametrize(
    ("paid_on", "see_by"),
    [
        (date(2018, 10, 9), date(2018, 10, 30)),
        # Over 中秋节 and the National Day week, for which a Saturday and a Sunday were worked.
        (date(2018, 9, 20), date(2018, 10, 17)),
    ],
)
def test_person_is_to_be_seen_within_fifteen_working_days_after_the_money(
    paid_on, see_by, clerk, reviewer, county_user, township, village
):
    make_payee(village)
    people = {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}
    batch = bring_to("sent", make_batch(clerk, township), **people)
    # The bank had the file before the first of these days.
    type(batch).objects.filter(pk=batch.pk).update(
        sealed_at=datetime(2018, 9, 19, tzinfo=UTC), sent_at=datetime(2018, 9, 19, tzinfo=UTC)
    )
    batch.refresh_from_db()
    bank_returns.post_answers(
        by=clerk, batch=batch, paid={batch.lines.get().pk: paid_on}, failed={}, today=TODAY, now=NOW
    )
    assert batch.lines.get().see_by == see_by
    assert [one.see_by for one in waiting.people(clerk)] == [see_by]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2018, 9, 20), ("wait", "10-10前")),
        (date(2018, 9, 28), ("warn", "还剩5个工作日")),
        (date(2018, 10, 10), ("warn", "今天到期")),
        (date(2018, 10, 15), ("bad", "逾期3个工作日")),
    ],
)
def test_words_of_the_day_count_working_days(day, words):
    assert waiting.due_tag(DUE, day, {}) == words


def test_overdue_on_a_weekend_has_no_working_day_yet():
    assert waiting.due_tag(date(2018, 10, 12), date(2018, 10, 13), {}) == ("bad", "已逾期")


def test_words_of_the_day_know_what_the_office_entered():
    changed = {date(2018, 10, 11): False}
    assert waiting.due_tag(DUE, date(2018, 10, 12), changed) == ("bad", "逾期1个工作日")


# What it answers for


def test_one_meeting_answers_for_every_payment_that_waits(payee, propagandist):
    make_paid(payee, "YN-LUMP", slot="once")
    [one] = waiting.people(propagandist)
    assert (one, one.yuan, one.see_by) == (payee, Decimal(1920), DUE)

    meeting = make_meeting(propagandist, payee, difficulties="看病远")

    assert meeting.lines.count() == 2
    assert (meeting.village, meeting.met_by, meeting.difficulties) == (
        payee.village, propagandist, "看病远",
    )  # fmt: skip
    assert not waiting.people(propagandist).exists()


def test_money_that_came_after_the_meeting_waits_on(payee, propagandist):
    later = make_paid(payee, "YN-LUMP", slot="once", paid_on=date(2018, 10, 8))
    make_meeting(propagandist, payee, met_on=date(2018, 10, 7))
    assert list(waiting.waiting(propagandist)) == [later]


def test_meeting_is_recorded_without_personal_values(payee, propagandist):
    make_meeting(propagandist, payee, difficulties="看病远", note="儿子代答")
    event = AuditEvent.objects.get(type="meeting.recorded")
    assert (event.actor_id, event.changes, event.count) == (propagandist.pk, {}, 1)
    assert event.region_path == payee.village.path


def test_meeting_is_not_kept_where_the_event_fails(payee, propagandist, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(log, "record", fail)
    with pytest.raises(RuntimeError):
        make_meeting(propagandist, payee)
    assert not Meeting.objects.exists()
    assert waits(propagandist, payee) == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"met_on": TOMORROW}, "不能晚于今天"),
        ({"met_on": PAID - timedelta(days=1)}, "不能早于资金到账日期2018-09-12"),
        ({"delivered": ""}, "资金是否收到"),
        ({"died_on": TODAY}, "选了“健在”"),
        ({"is_alive": False, "died_on": TODAY, "met_on": date(2018, 10, 1)}, "不能晚于见面日期"),
        ({"is_alive": False, "died_on": date(1949, 1, 1)}, "不能早于出生日期"),
    ],
    ids=["tomorrow", "before_money", "not_asked", "alive_and_dead", "died_later", "before_birth"],
)
def test_refused(payee, propagandist, values, words):
    with pytest.raises(RuleViolation, match=words):
        make_meeting(propagandist, payee, **values)
    assert not Meeting.objects.exists()


def test_nobody_is_seen_who_was_not_paid(village, other_propagandist, payee, propagandist):
    PaymentLine.objects.update(see_by=None)
    with pytest.raises(RuleViolation, match="没有等待"):
        make_meeting(propagandist, payee)


def test_village_sees_nobody_of_another(payee, other_propagandist):
    with pytest.raises(RuleViolation, match="没有等待"):
        make_meeting(other_propagandist, payee)


@pytest.mark.parametrize(
    "values",
    [{"delivered": ""}, {"died_on": TODAY}, {"outcome": "已查"}, {"settled_at": NOW}],
    ids=["not_asked", "alive_and_dead", "outcome_of_nobody", "settled_by_nobody"],
)
def test_database_refuses(payee, propagandist, values):
    meeting = make_meeting(propagandist, payee)
    with pytest.raises(IntegrityError), transaction.atomic():
        Meeting.objects.filter(pk=meeting.pk).update(**values)


# Who may know


def test_worker_who_may_not_know_does_not_see_that_payment(bereaved, propagandist):
    assert not waiting.people(propagandist).exists()
    with pytest.raises(RuleViolation, match="没有等待"):
        make_meeting(propagandist, bereaved)


def test_contact_of_the_family_sees_it(bereaved, contact):
    assert list(waiting.people(contact)) == [bereaved]
    assert make_meeting(contact, bereaved).lines.get().policy_code == "CN-SPECIAL-DEATH"


def test_payment_that_one_may_not_know_of_waits_for_who_may(bereaved, propagandist, clerk):
    make_paid(bereaved)
    meeting = make_meeting(propagandist, bereaved)
    assert meeting.lines.get().policy_code == "CN-RURAL"
    assert [line.policy_code for line in waiting.waiting(clerk)] == ["CN-SPECIAL-DEATH"]


def test_meeting_about_a_hidden_payment_is_hidden(bereaved, clerk, propagandist):
    make_meeting(clerk, bereaved)
    assert not Meeting.objects.visible_to(propagandist).exists()
    assert Meeting.objects.visible_to(clerk).exists()


# A death


def found_dead(by, person, **values):
    return make_meeting(by, person, is_alive=False, delivered="", **values)


def test_death_proposes_an_end_and_ends_nothing(payee, propagandist):
    meeting = found_dead(propagandist, payee, died_on=date(2018, 9, 3))
    change = EnrolmentChange.objects.get()
    assert (change.kind, change.end_reason, change.decision) == ("end", "死亡", "")
    assert (change.month, change.proposed_by) == (date(2018, 12, 1), propagandist)
    assert meeting.change == change
    payee.refresh_from_db()
    assert payee.death_date is None
    assert Enrolment.objects.get().end_month is None


def test_each_line_that_runs_is_proposed_by_its_own_rule(bereaved, contact):
    make_enrolment(bereaved)
    make_enrolment(bereaved, "SD-URBAN", end_month=date(2017, 12, 1), end_reason="其他")
    found_dead(contact, bereaved, died_on=date(2018, 9, 3))
    found = EnrolmentChange.objects.values_list("enrolment__policy_code", "month")
    assert set(found) == {
        ("CN-SPECIAL-DEATH", date(2018, 9, 1)), ("CN-RURAL", date(2018, 12, 1)),
    }  # fmt: skip


def test_hidden_line_is_not_proposed_by_who_may_not_know(bereaved, propagandist):
    make_paid(bereaved)
    found_dead(propagandist, bereaved)
    assert not EnrolmentChange.objects.exists()


def test_spouse_keeps_what_the_spouse_draws(payee, propagandist):
    make_enrolment(make_resident(payee.household, "宋桂兰", sex="女", relation="配偶"))
    found_dead(propagandist, payee)
    assert {one.enrolment.resident for one in EnrolmentChange.objects.all()} == {payee}


def test_change_that_waits_stays_the_only_one(payee, propagandist, clerk):
    line = payee.enrolments.get()
    waiting_one = enrolments.propose_change(
        by=clerk, enrolment=line, kind="suspend", month=date(2018, 11, 1), note="核实", now=NOW
    )
    meeting = found_dead(propagandist, payee)
    assert list(EnrolmentChange.objects.all()) == [waiting_one]
    assert meeting.change is None


# Correcting


def test_correction_of_the_day_replaces_what_was_recorded(payee, propagandist):
    meeting = make_meeting(propagandist, payee)
    correct(propagandist, meeting, delivered="no", difficulties="看病远")
    meeting.refresh_from_db()
    assert (meeting.delivered, meeting.difficulties) == ("no", "看病远")
    event = AuditEvent.objects.get(type="meeting.corrected")
    assert event.changes == {"fields": ["delivered", "difficulties"]}


@pytest.mark.parametrize("who", ["clerk", "the_day_after"])
def test_only_who_recorded_it_corrects_it_and_only_that_day(payee, propagandist, clerk, who):
    meeting = make_meeting(propagandist, payee)
    by, today = (clerk, TODAY) if who == "clerk" else (propagandist, TOMORROW)
    with pytest.raises(RuleViolation, match="只能在登记当天"):
        correct(by, meeting, today=today, delivered="no")
    meeting.refresh_from_db()
    assert meeting.delivered == "yes"


def test_second_correction_of_the_same_version_is_told(payee, propagandist):
    meeting = make_meeting(propagandist, payee)
    correct(propagandist, meeting, delivered="no")
    with pytest.raises(EditConflict):
        correct(propagandist, meeting, delivered="unclear")


def test_correction_before_the_money_is_refused(payee, propagandist):
    meeting = make_meeting(propagandist, payee)
    with pytest.raises(RuleViolation, match="不能早于资金到账日期2018-09-12"):
        correct(propagandist, meeting, met_on=PAID - timedelta(days=1))


def test_death_recorded_by_mistake_is_taken_back(payee, propagandist):
    meeting = found_dead(propagandist, payee)
    correct(propagandist, meeting)
    assert EnrolmentChange.objects.get().decision == "withdrawn"
    meeting.refresh_from_db()
    assert (meeting.is_alive, meeting.change) == (True, None)


def test_corrected_day_of_death_is_proposed_anew(payee, propagandist):
    meeting = found_dead(propagandist, payee)
    again = correct(propagandist, meeting, is_alive=False, delivered="", died_on=date(2017, 5, 1))
    open_one = EnrolmentChange.objects.get(decision="")
    assert open_one.month == date(2017, 12, 1)
    assert again.change == open_one
    assert EnrolmentChange.objects.filter(decision="withdrawn").count() == 1


def test_end_that_was_decided_is_not_taken_back(payee, propagandist, reviewer):
    meeting = found_dead(propagandist, payee)
    enrolments.decide_change(by=reviewer, change=meeting.change, accept=True, now=NOW)
    with pytest.raises(RuleViolation, match="已经审核"):
        correct(propagandist, meeting)
    meeting.refresh_from_db()
    assert not meeting.is_alive


# Seen again


def test_later_meeting_takes_the_place_of_the_last(payee, propagandist, clerk):
    first = make_meeting(propagandist, payee, delivered="no")
    again = {"today": TOMORROW, "met_on": TOMORROW}
    second = make_meeting(propagandist, payee, instead_of=first.pk, **again)
    first.refresh_from_db()
    assert first.replaced_by == second
    assert second.lines.count() == 1
    assert set(Meeting.objects.visible_to(propagandist)) == {first, second}
    assert not Meeting.objects.visible_to(clerk).not_received().exists()
    third = make_meeting(propagandist, payee, instead_of=second.pk, **again)
    first.refresh_from_db()
    assert first.replaced_by == third


def test_later_meeting_is_not_before_the_last(payee, propagandist):
    first = make_meeting(propagandist, payee)
    with pytest.raises(RuleViolation, match="这次的日期不能更早"):
        make_meeting(propagandist, payee, instead_of=first.pk, met_on=date(2018, 10, 8))


def test_who_comes_second_is_told_that_the_person_was_seen(payee, propagandist, clerk):
    make_meeting(propagandist, payee)
    with pytest.raises(RuleViolation, match=f"{propagandist.name}已经登记"):
        make_meeting(clerk, payee)
    assert Meeting.objects.count() == 1


def test_hidden_part_of_the_last_meeting_stands(bereaved, clerk, propagandist):
    make_paid(bereaved)
    first = make_meeting(clerk, bereaved)
    make_meeting(propagandist, bereaved, instead_of=first.pk)
    first.refresh_from_db()
    assert first.replaced_by is None
    assert first.lines.get().policy_code == "CN-SPECIAL-DEATH"


# Money not received


def test_money_not_received_waits_until_somebody_looked_into_it(payee, propagandist, clerk):
    meeting = make_meeting(propagandist, payee, delivered="unclear")
    assert list(Meeting.objects.not_received()) == [meeting]
    services.settle_meeting(by=clerk, meeting=meeting, outcome="银行已入账", now=NOW)
    assert not Meeting.objects.not_received().exists()
    meeting.refresh_from_db()
    assert (meeting.outcome, meeting.settled_by, meeting.delivered) == (
        "银行已入账", clerk, "unclear",
    )  # fmt: skip
    assert AuditEvent.objects.get(type="meeting.settled").changes == {}
    with pytest.raises(RuleViolation, match="不用查实"):
        services.settle_meeting(by=clerk, meeting=meeting, outcome="再查", now=NOW)


def test_nothing_is_settled_without_words_or_cause(payee, propagandist, clerk):
    meeting = make_meeting(propagandist, payee)
    with pytest.raises(RuleViolation, match="写明"):
        services.settle_meeting(by=clerk, meeting=meeting, outcome=" ", now=NOW)
    with pytest.raises(RuleViolation, match="不用查实"):
        services.settle_meeting(by=clerk, meeting=meeting, outcome="已查", now=NOW)


def test_nobody_settles_what_is_elsewhere(payee, propagandist, other_clerk):
    meeting = make_meeting(propagandist, payee, delivered="no")
    with pytest.raises(RuleViolation):
        services.settle_meeting(by=other_clerk, meeting=meeting, outcome="已查", now=NOW)
    meeting.refresh_from_db()
    assert meeting.settled_at is None


# The sample of the township

SEPTEMBER = month_period(2018, 9)


def test_sample_is_one_in_twenty_of_each_village_and_the_same_each_time(
    village, other_village, propagandist, clerk, township
):
    for _ in range(21):
        person = make_payee_to_see(village)
        make_meeting(propagandist, person, met_on=date(2018, 9, 20))
    make_meeting(clerk, make_payee_to_see(other_village), met_on=date(2018, 9, 30))
    make_meeting(clerk, make_payee_to_see(other_village), met_on=date(2018, 10, 1))
    found = sample.sample_of(clerk, township, SEPTEMBER)
    assert (found.number, found.held) == ("539981001-2018-09", 22)
    assert [one.village for one in found.meetings] == [village, village, other_village]
    assert sample.sample_of(clerk, township, SEPTEMBER) == found


def test_sample_is_another_in_another_month(village, propagandist, clerk, township):
    people = [make_payee_to_see(village, paid_on=date(2018, 8, 1)) for _ in range(40)]
    for person in people:
        make_meeting(propagandist, person, met_on=date(2018, 9, 20))
    september = {one.pk for one in sample.sample_of(clerk, township, SEPTEMBER).meetings}
    Meeting.objects.update(met_on=date(2018, 8, 20))
    august = sample.sample_of(clerk, township, month_period(2018, 8))
    assert len(september) == 2
    assert {one.pk for one in august.meetings} != september


# Villages


def test_progress_of_villages_adds_up(village, other_village, propagandist, clerk):
    seen, late = make_payee_to_see(village), make_payee_to_see(village, "晚")
    make_paid(seen, "YN-LUMP", slot="once")
    PaymentLine.objects.filter(beneficiary=late).update(see_by=date(2018, 10, 8))
    make_payee_to_see(other_village)
    make_payee_to_see(village, "去年", paid_on=date(2017, 12, 20))
    make_meeting(propagandist, seen)
    rows = waiting.by_village(clerk, 2018, TODAY)
    assert [(one.name, one.seen, one.due, one.waiting, one.overdue) for one in rows] == [
        ("庄科村", 1, 2, 1, 1), ("安丰营村", 0, 1, 1, 0),
    ]  # fmt: skip
    total = waiting.total_of(rows)
    assert (total.seen, total.due, round(total.percent)) == (1, 3, 33)
    assert waiting.years_of(clerk) == [2018, 2017]
