"""What changed about people since their batch was made."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from households.models import EventKind, LifeEvent
from subsidies.models import PaymentLine, Recovery
from subsidies.payments import changes
from subsidies.services import enrolments
from subsidies.services.bank_returns import post_answers
from tests.factories.benefits import make_enrolment
from tests.factories.households import make_household, make_resident
from tests.factories.payments import NOW, bring_to, give_account, make_batch, make_payee

LATER = NOW + timedelta(days=3)


@pytest.fixture
def line(clerk, township, village):
    make_payee(village)
    return make_batch(clerk, township).lines.get()


def found(line):
    return changes.with_changes(PaymentLine.objects.all()).get(pk=line.pk)


def record_death(person, by, at, died=date(2018, 9, 18)):
    event = LifeEvent.objects.create(
        kind=EventKind.DEATH, resident=person, household=person.household, village=person.village,
        happened_on=died, reported_on=died, recorded_by=by,
    )  # fmt: skip
    LifeEvent.objects.filter(pk=event.pk).update(recorded_at=at)
    person.death_date = died
    person.save()


def test_line_as_it_was_made_shows_nothing(line):
    assert found(line).change == ""
    assert changes.with_changes(PaymentLine.objects.all(), line.batch).get().change == ""


def test_death_recorded_later_shows_with_its_day(line, clerk):
    record_death(line.beneficiary, clerk, LATER)
    one = found(line)
    assert one.change == changes.DIED
    assert changes.words(one.change, one.died_at, None, LATER.date()) == "编制后登记死亡（10-12）"
    before = NOW + timedelta(days=1)
    assert changes.words(one.change, one.died_at, before, LATER.date()).startswith("批准后")
    assert changes.words(one.change, one.died_at, None, date(2019, 1, 5)).endswith("（2018-10-12）")


def test_death_known_when_the_batch_was_made_is_no_change(clerk, township, village):
    payee = make_payee(village)
    record_death(payee.resident, clerk, NOW - timedelta(days=3))
    line = make_batch(clerk, township).lines.get()
    assert found(line).change == ""


def test_death_taken_back_is_no_change(line, clerk):
    record_death(line.beneficiary, clerk, LATER)
    event = LifeEvent.objects.get()
    LifeEvent.objects.create(
        kind=EventKind.UNDO, undoes=event, resident=event.resident, household=event.household,
        village=event.village, happened_on=event.happened_on, reported_on=event.reported_on,
    )  # fmt: skip
    line.beneficiary.death_date = None
    line.beneficiary.save()
    assert found(line).change == ""


def test_other_account_or_name_shows(line):
    person = line.beneficiary
    give_account(person, "6229000099999999999")
    assert found(line).change == changes.ACCOUNT
    give_account(person, line.account)
    person.name = "陶有福"
    person.save()
    assert found(line).change == changes.NAME


def test_move_to_another_village_shows(line, other_village):
    person = line.beneficiary
    person.household.village = person.village = other_village
    person.household.save()
    person.save()
    assert found(line).change == changes.MOVED


def test_end_of_the_roll_shows_as_proposed_and_as_decided(line, clerk, reviewer):
    change = enrolments.propose_change(
        by=clerk, enrolment=line.enrolment, kind="end", month=date(2018, 12, 1),
        end_reason="其他", note="不再符合", now=LATER,
    )  # fmt: skip
    assert found(line).change == changes.WAITING
    enrolments.decide_change(by=reviewer, change=change, accept=True, note="同意", now=LATER)
    assert found(line).change == changes.ENDED


def test_record_merged_or_moved_away_shows(line, village):
    person = line.beneficiary
    person.departed_on = LATER.date()
    person.save()
    assert found(line).change == changes.LEFT
    person.merged_into = make_resident(make_household(village), "陶有田")
    person.save()
    assert found(line).change == changes.MERGED


def test_child_paid_to_the_head_shows_nothing(clerk, township, village):
    head = give_account(make_resident(make_household(village), "段户主"))
    child = make_resident(head.household, "段小宝", relation="子", birth_date=date(2008, 1, 1))
    make_enrolment(child, "YN-SCHOLARSHIP", date(2018, 1, 1), grade="小学")
    line = make_batch(clerk, township, "YN-SCHOLARSHIP").lines.get()
    assert line.name == "段户主"
    assert found(line).change == ""
    give_account(head, "6229000088888888888")
    assert found(line).change == changes.ACCOUNT


def test_change_shows_on_the_pages_and_holds(line, clerk, reviewer, county_user, sign_in):
    people = {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}
    batch = bring_to("approved", line.batch, **people)
    record_death(line.beneficiary, clerk, LATER)
    client = sign_in(clerk)
    body = client.get(batch.get_absolute_url()).content.decode()
    assert "登记死亡（10-12）" in body
    assert reverse("subsidies:line-hold", args=[line.pk]) in body
    query = f"?batch={batch.pk}&changed=true"
    lines = client.get(reverse("subsidies:line-list") + query).content.decode()
    assert line.name in lines
    client.post(reverse("subsidies:line-hold", args=[line.pk]), {"reason": "已去世"})
    line.refresh_from_db()
    assert line.state == "held"


def test_change_warns_whoever_checks(line, clerk, reviewer, county_user, sign_in):
    people = {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}
    batch = bring_to("submitted", line.batch, **people)
    url = reverse("subsidies:batch-check", args=[batch.pk])
    assert "有已变动的人" not in sign_in(reviewer).get(url).content.decode()
    record_death(line.beneficiary, clerk, LATER)
    assert "编制以后有1笔" in sign_in(reviewer).get(url).content.decode()


def test_death_before_the_money_arrived_leads_to_asking_it_back(
    line, clerk, reviewer, county_user, sign_in
):
    people = {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}
    batch = bring_to("sent", line.batch, **people)
    post_answers(
        by=clerk,
        batch=batch,
        paid={line.pk: LATER.date()},
        failed={},
        today=LATER.date(),
        now=LATER,
    )
    asked = reverse("subsidies:recovery-create", args=[line.pk])
    client = sign_in(clerk)
    assert asked not in client.get(batch.get_absolute_url()).content.decode()
    record_death(line.beneficiary, clerk, LATER)
    assert asked in client.get(batch.get_absolute_url()).content.decode()
    assert asked not in sign_in(reviewer).get(batch.get_absolute_url()).content.decode()
    Recovery.objects.create(
        line=line, reason="overpaid", amount="960", note="去世后入账", proposed_by=clerk,
        proposed_at=LATER,
    )  # fmt: skip
    assert asked not in client.get(batch.get_absolute_url()).content.decode()


def test_account_changed_after_it_was_paid_is_no_exception(line, clerk, reviewer, county_user):
    people = {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}
    batch = bring_to("sent", line.batch, **people)
    post_answers(
        by=clerk,
        batch=batch,
        paid={line.pk: LATER.date()},
        failed={},
        today=LATER.date(),
        now=LATER,
    )
    give_account(line.beneficiary, "6229000099999999999")
    assert found(line).change == ""
