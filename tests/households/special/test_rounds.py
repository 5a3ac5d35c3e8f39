"""Rounds of visits: what the services do, refuse and leave behind, and what the database holds."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.models import CareRound, ContactRecord, RoundVisit, SpecialFamily
from households.services import special_families
from households.services import special_rounds as services
from households.special import rounds
from tests.factories.accounts import make_user
from tests.factories.special import make_archive, make_contact, make_person, make_record

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)
STARTS, DUE = date(2018, 9, 10), date(2018, 9, 24)
DAY = date(2018, 9, 20)


def made(clerk, township, **values) -> CareRound:
    values = {
        "name": "2018年中秋节慰问",
        "starts_on": STARTS,
        "due_on": DUE,
        "gift": "月饼一盒",
        "amount": Decimal("500"),
        "today": TODAY,
    } | values
    return services.make_round(by=clerk, township=township, **values)


def ticked(by, visit, **values) -> RoundVisit:
    values = {
        "contact": visit.contact,
        "happened_on": DAY,
        "signed_by": "戴飞飞",
        "today": TODAY,
    } | values
    return services.tick_off(by=by, visit=visit, **values)


def unticked(by, visit, *, reason="登记错了", today=TODAY) -> RoundVisit:
    return services.untick(by=by, visit=visit, reason=reason, now=timezone.now(), today=today)


@pytest.fixture
def family(village):
    return make_archive(village, contacts=1)


@pytest.fixture
def visit(family, clerk, township) -> RoundVisit:
    """The family on the list of a round."""
    return made(clerk, township).visits.get()


# A new round ------------------------------------------------------------------------------------


def test_round_lists_the_open_archives_of_the_township(
    family, clerk, township, village, other_village, far_village
):
    neighbour = make_archive(other_village)
    make_archive(far_village)
    make_archive(village, opened_on=date(2018, 9, 11))
    SpecialFamily.objects.filter(pk=make_archive(village).pk).update(
        closed_on=STARTS, close_reason="moved"
    )

    care_round = made(clerk, township)

    assert {v.family for v in care_round.visits.all()} == {family, neighbour}
    event = AuditEvent.objects.get(type="special.round_made")
    assert event.changes == {"visits": ["", 2]}
    assert event.region_path == township.path


def test_round_proposes_the_nearest_current_contact(clerk, township, village):
    family = make_archive(village)
    for kind in ("街道领导", "家庭医生", "村居干部", "计生专干"):
        make_contact(family, make_person(village, kind=kind))
    gone = make_contact(make_archive(village), make_person(village))
    gone.ended_on = STARTS
    gone.save()
    left = make_contact(make_archive(village), make_person(village, left_on=STARTS))

    visits = made(clerk, township).visits.select_related("contact__person")

    proposed = {v.family_id: v.contact and v.contact.person.kind for v in visits}
    assert proposed == {family.pk: "村居干部", gone.family_id: None, left.family_id: None}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"due_on": date(2018, 9, 9)}, "不能早于开始日期"),
        ({"gift": "", "amount": None}, "至少一项"),
        ({"amount": Decimal(0)}, "大于0"),
        ({"starts_on": date(2081, 9, 10), "due_on": date(2081, 9, 24)}, "核对年份"),
        ({"starts_on": date(2017, 9, 10)}, "没有可慰问的家庭"),
    ],
    ids=["due before start", "brings nothing", "no money", "year ahead", "no family"],
)
def test_round_refuses_what_cannot_be(family, clerk, township, values, words):
    with pytest.raises(RuleViolation, match=words):
        made(clerk, township, **values)
    assert not CareRound.objects.exists()
    assert not AuditEvent.objects.filter(type="special.round_made").exists()


def test_same_round_twice_is_refused_and_another_townships_is_not(
    visit, clerk, township, far_village, other_clerk
):
    with pytest.raises(RuleViolation, match="已经制定过"):
        made(clerk, township, starts_on=date(2018, 9, 11))
    make_archive(far_village)
    assert made(other_clerk, far_village.parent).visits.count() == 1
    with pytest.raises(RuleViolation, match="不在您的区划"):
        made(clerk, far_village.parent, name="2018年重阳节慰问")


def test_round_is_rolled_back_when_its_event_fails(family, clerk, township, monkeypatch):
    monkeypatch.delitem(log.EVENT_TYPES, "special.round_made")
    with pytest.raises(ValueError, match="not registered"):
        made(clerk, township)
    assert not RoundVisit.objects.exists()


@pytest.mark.parametrize(
    ("festival", "words", "day", "name"),
    [
        ("中秋节", "", date(2018, 9, 10), "2018年中秋节慰问"),
        ("春节", "", date(2018, 1, 20), "2018年春节慰问"),
        ("春节", "", date(2018, 12, 28), "2019年春节慰问"),
        ("其他", "建党节", date(2018, 6, 28), "2018年建党节慰问"),
        ("其他", "雪灾慰问", date(2018, 12, 28), "2018年雪灾慰问"),
    ],
)
def test_round_is_called_by_year_and_festival(festival, words, day, name):
    assert rounds.name_of(festival, words, day) == name


# The list ---------------------------------------------------------------------------------------


def test_refresh_takes_in_new_families_and_drops_closed_ones_unless_visited(
    visit, clerk, township, village
):
    care_round = visit.round
    CareRound.objects.filter(pk=care_round.pk).update(due_on=TODAY)
    ticked(clerk, visit)
    closed = make_archive(village)
    excused = make_archive(village)
    for one in (closed, excused):
        RoundVisit.objects.create(round=care_round, family=one)
    services.leave_out(by=clerk, visit=care_round.visits.get(family=excused), reason="不愿意")
    for one in (visit.family, closed, excused):
        special_families.close_archive(
            by=clerk, family=one, closed_on=TODAY, reason="moved", today=TODAY
        )
    new = make_archive(village, contacts=1, opened_on=TODAY)

    counts = services.refresh_round(by=clerk, care_round=care_round, today=TODAY)

    assert counts == (1, 1)
    assert {v.family for v in care_round.visits.all()} == {visit.family, excused, new}
    assert care_round.visits.get(family=new).contact == new.contacts.get()
    event = AuditEvent.objects.get(type="special.round_refreshed")
    assert event.changes == {"came": ["", 1], "went": ["", 1]}


def test_refresh_of_a_past_round_keeps_to_its_last_day(visit, clerk, village):
    make_archive(village, opened_on=date(2018, 9, 25))
    special_families.close_archive(
        by=clerk, family=visit.family, closed_on=TODAY, reason="moved", today=TODAY
    )
    assert services.refresh_round(by=clerk, care_round=visit.round, today=TODAY) == (0, 0)


def test_refresh_proposes_the_successor_of_a_contact(visit, clerk, village):
    first = visit.contact
    first.ended_on = TODAY
    first.save()
    second = make_contact(visit.family, make_person(village), started_on=TODAY)
    services.refresh_round(by=clerk, care_round=visit.round, today=TODAY)
    visit.refresh_from_db()
    assert visit.contact == second


def test_visitors_are_changed_among_the_familys_current_contacts(visit, clerk, village):
    other = make_contact(visit.family, make_person(village))
    changed = services.change_visitors(by=clerk, care_round=visit.round, chosen={visit.pk: other})
    visit.refresh_from_db()
    assert (changed, visit.contact) == (1, other)
    assert AuditEvent.objects.get(type="special.round_visitors").changes == {"visits": ["", 1]}
    stranger = make_contact(make_archive(village), make_person(village))
    other.ended_on = TODAY
    other.save()
    for wrong in (stranger, other):
        with pytest.raises(RuleViolation, match="不是这一户的联系人"):
            services.change_visitors(by=clerk, care_round=visit.round, chosen={visit.pk: wrong})


def test_visitors_of_a_visited_family_stay(visit, clerk):
    ticked(clerk, visit)
    assert services.change_visitors(by=clerk, care_round=visit.round, chosen={visit.pk: None}) == 0
    visit.refresh_from_db()
    assert visit.contact


def test_family_is_left_out_with_a_reason_and_taken_in_again(visit, clerk):
    with pytest.raises(RuleViolation, match="原因"):
        services.leave_out(by=clerk, visit=visit, reason="")
    services.leave_out(by=clerk, visit=visit, reason="本人不愿意")
    assert not RoundVisit.objects.to_visit().exists()
    with pytest.raises(RuleViolation, match="本人不愿意"):
        ticked(clerk, visit)
    services.take_in(by=clerk, visit=visit)
    assert RoundVisit.objects.to_visit().get() == visit
    with pytest.raises(RuleViolation, match="已经在慰问名单中"):
        services.take_in(by=clerk, visit=visit)
    types = AuditEvent.objects.filter(target_type="households.roundvisit").order_by("pk")
    assert [e.type for e in types] == ["special.round_left_out", "special.round_taken_in"]
    assert not any("不愿意" in str(e.changes) for e in types)
    ticked(clerk, visit)
    with pytest.raises(RuleViolation, match="慰问过"):
        services.leave_out(by=clerk, visit=visit, reason="在外地")


# Ticking off ------------------------------------------------------------------------------------


def test_tick_writes_the_record_of_the_visit(visit, clerk):
    done = ticked(clerk, visit, note="身体不错")
    record = ContactRecord.objects.get()
    assert (record.contact, record.happened_on) == (visit.contact, DAY)
    assert (record.channel, record.purpose) == ("入户", "节日慰问")
    assert record.outcome == "2018年中秋节慰问：月饼一盒，慰问金500.00元。身体不错"
    assert (done.record, done.linked, done.ticked_on) == (record, False, TODAY)
    assert (done.signed_by, done.note) == ("戴飞飞", "身体不错")
    event = AuditEvent.objects.get(type="special.round_ticked")
    assert "戴飞飞" not in str(event.changes)
    assert event.region_path == visit.family.household.village.path
    assert AuditEvent.objects.filter(type="special.contacted").count() == 1


def test_tick_links_the_visit_that_is_in_the_log_already(visit, clerk):
    record = make_record(visit.contact, DAY, purpose="节日慰问")
    assert ticked(clerk, visit).record == record
    assert ContactRecord.objects.count() == 1


def test_tick_refuses_a_record_of_that_day_for_another_purpose(visit, clerk):
    make_record(visit.contact, DAY)
    with pytest.raises(RuleViolation, match="“日常联系”的联系记录"):
        ticked(clerk, visit)
    visit.refresh_from_db()
    assert visit.record is None


def test_voided_record_of_that_day_is_no_obstacle(visit, clerk):
    make_record(visit.contact, DAY, voided_at=timezone.now(), voided_by=clerk, void_reason="写错")
    assert not ticked(clerk, visit).linked


def test_one_visit_stands_for_one_round(visit, clerk, township):
    ticked(clerk, visit)
    other = made(clerk, township, name="2018年国庆节慰问").visits.get()
    with pytest.raises(RuleViolation, match="已登记在“2018年中秋节慰问”"):
        ticked(clerk, other)
    assert ticked(clerk, other, happened_on=date(2018, 9, 21)).record


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"happened_on": date(2018, 10, 10)}, "不能晚于今天"),
        ({"happened_on": date(2018, 1, 1)}, "不在联系人"),
        ({"signed_by": ""}, "签收人"),
    ],
    ids=["future", "before the term", "nobody signed"],
)
def test_tick_refuses(visit, clerk, values, words):
    with pytest.raises(RuleViolation, match=words):
        ticked(clerk, visit, **values)
    assert not ContactRecord.objects.exists()
    assert not AuditEvent.objects.filter(type="special.round_ticked").exists()


def test_tick_refuses_a_contact_of_another_family_and_one_after_the_term(visit, clerk, village):
    stranger = make_contact(make_archive(village), make_person(village))
    with pytest.raises(RuleViolation, match="不是这一户的联系人"):
        ticked(clerk, visit, contact=stranger)
    visit.contact.ended_on = date(2018, 9, 19)
    visit.contact.save()
    with pytest.raises(RuleViolation, match="不在联系人"):
        ticked(clerk, visit)


def test_day_outside_the_round_is_no_refusal(visit, clerk):
    assert ticked(clerk, visit, happened_on=TODAY).record


def test_second_tick_is_told_who_was_there(visit, clerk):
    ticked(clerk, visit)
    with pytest.raises(RuleViolation, match="已在2018-09-20慰问过这一户"):
        ticked(clerk, visit, happened_on=date(2018, 9, 21))
    assert ContactRecord.objects.count() == 1


def test_contact_ticks_own_families_only(visit, village):
    mine = make_user("propagandist", village)
    with pytest.raises(RuleViolation, match="不在您的区划"):
        ticked(mine, visit)
    assert not ContactRecord.objects.exists()
    make_contact(visit.family, make_person(village, user=mine))
    assert ticked(mine, visit).record.recorded_by == mine


def test_tick_is_rolled_back_when_its_event_fails(visit, clerk, monkeypatch):
    monkeypatch.delitem(log.EVENT_TYPES, "special.round_ticked")
    with pytest.raises(ValueError, match="not registered"):
        ticked(clerk, visit)
    visit.refresh_from_db()
    assert visit.record is None
    assert not ContactRecord.objects.exists()


# Taking back ------------------------------------------------------------------------------------


def test_untick_voids_the_record_it_wrote(visit, clerk):
    record = ticked(clerk, visit).record
    unticked(clerk, visit)
    record.refresh_from_db()
    visit.refresh_from_db()
    assert (record.void_reason, record.voided_by) == ("登记错了", clerk)
    assert (visit.record, visit.signed_by, visit.ticked_on) == (None, "", None)
    assert AuditEvent.objects.filter(type="special.round_unticked").count() == 1
    assert ticked(clerk, visit).record != record


def test_untick_leaves_a_record_that_was_there_before(visit, clerk):
    record = make_record(visit.contact, DAY, purpose="节日慰问")
    ticked(clerk, visit)
    unticked(clerk, visit)
    record.refresh_from_db()
    assert record.voided_at is None
    assert ticked(clerk, visit).record == record


def test_untick_needs_a_tick_a_reason_and_in_time(visit, clerk, village):
    mine = make_user("propagandist", village)
    make_contact(visit.family, make_person(village, user=mine))
    with pytest.raises(RuleViolation, match="还没有登记"):
        unticked(mine, visit)
    ticked(mine, visit)
    with pytest.raises(RuleViolation, match="原因"):
        unticked(mine, visit, reason="")
    last = TODAY + timedelta(days=services.UNTICK_DAYS)
    with pytest.raises(RuleViolation, match="联系镇办经办"):
        unticked(mine, visit, today=last + timedelta(days=1))
    unticked(mine, visit, today=last)
    ticked(mine, visit)
    unticked(clerk, visit, today=last + timedelta(days=99))


# Both at once, and what the database holds ------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_ticks_at_once_make_one_record(visit, clerk, reviewer):
    start = threading.Barrier(2)

    def tick(by):
        try:
            start.wait(10)
            ticked(by, RoundVisit.objects.select_related("contact").get(pk=visit.pk))
            return "done"
        except RuleViolation as violation:
            return violation.message
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        said = list(pool.map(tick, [clerk, reviewer]))

    assert sorted(one == "done" for one in said) == [False, True]
    assert any("慰问过这一户" in one for one in said)
    assert ContactRecord.objects.counted().count() == 1


def test_database_holds_ticks_and_reasons_together(visit, clerk):
    record = make_record(visit.contact, DAY, purpose="节日慰问")
    same = RoundVisit.objects.filter(pk=visit.pk)
    faults = [
        lambda: same.update(record=record),
        lambda: same.update(ticked_on=TODAY),
        lambda: same.update(signed_by="戴飞飞"),
        lambda: same.update(note="不错"),
        lambda: same.update(linked=True),
        lambda: same.update(record=record, ticked_on=TODAY, contact=None),
        lambda: same.update(record=record, ticked_on=TODAY, left_out="不愿意"),
        lambda: RoundVisit.objects.create(round=visit.round, family=visit.family),
        lambda: CareRound.objects.update(amount=0),
        lambda: CareRound.objects.update(due_on=date(2018, 9, 9)),
    ]
    for fault in faults:
        with pytest.raises(IntegrityError), transaction.atomic():
            fault()
    same.update(record=record, ticked_on=TODAY)
    assert same.get().record == record
