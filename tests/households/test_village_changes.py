"""Villages merged and divided: everybody moves on one day, and the past stays where it was."""

from datetime import UTC, date, datetime

import pytest

from fpadmin.accounts.models import Region
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.invariants import check_all
from fpadmin.reporting.registry import Span
from fpadmin.reporting.services import make_return
from households import services
from households.balance import compute_balance
from households.indicators import compute_population
from households.models import Household, Residency, Resident, VillageChange
from households.village_changes import NewVillage, plan_move
from tests.factories.accounts import make_region
from tests.factories.households import make_household, make_resident, make_spell

TODAY = date(2018, 10, 9)
NOW = datetime(2018, 10, 9, tzinfo=UTC)
DAY = date(2018, 9, 1)
BEFORE, AFTER = Span(date(2018, 8, 1), date(2018, 8, 31)), Span(DAY, date(2018, 9, 30))
pytestmark = pytest.mark.django_db


@pytest.fixture
def two_villages(village, other_village):
    """Two villages with a group each; one household number stands in both."""
    for place in (village, other_village):
        group = make_region(f"{place.code}01", "1组")
        home = make_household(place, "00001", group=group)
        make_resident(home, f"{place.name}户主", birth_date=date(1960, 1, 1))
        make_resident(home, f"{place.name}子", relation="子", birth_date=date(1990, 1, 1))
    return village, other_village


def change(by, sources, target, day=DAY):
    return services.change_villages(
        by=by, sources=sources, target=target, day=day, document="镇政发12号", today=TODAY
    )


def population(places, span):
    figures = compute_population(places, span, ("population",))
    return [figures[p.code]["population"] for p in places]


def test_merged_village_counts_in_the_target_from_the_day_on(two_villages, township, administrator):
    village, other = two_villages
    change(administrator, [other], village)
    assert population([village, other, township], BEFORE) == [2, 2, 4]
    assert population([village, other, township], AFTER) == [4, 0, 4]
    other.refresh_from_db()
    assert other.valid_until == DAY
    assert not Resident.objects.filter(village=other).exists()
    assert [r.invariant.key for r in check_all(NOW) if r.findings] == []


def test_balance_of_the_month_of_the_change_holds(two_villages, township, administrator):
    village, other = two_villages
    change(administrator, [other], village)
    figures = compute_balance([village, other, township], AFTER)
    for row in figures.values():
        came = row["opening"] + row["other_additions"]
        assert row["closing"] == came - row["other_losses"]
    assert [figures[p.code]["closing"] for p in (village, other, township)] == [4, 0, 4]


def test_two_villages_become_a_new_one(two_villages, township, administrator):
    new = NewVillage("539981001299", "新庄社区", "乡村")
    done = change(administrator, list(two_villages), new)
    target = Region.objects.get(code="539981001299")
    assert (done.target, done.households, done.residents) == (target, 2, 4)
    assert target.valid_from == DAY
    assert sorted(Region.objects.filter(parent=target).values_list("name", flat=True)) == [
        "1组",
        "安丰营村1组",
    ]
    assert population([target, township], AFTER) == [4, 4]


def test_number_that_would_stand_twice_gets_the_old_villages_digits(two_villages, administrator):
    village, other = two_villages
    change(administrator, [other], village)
    assert sorted(Household.objects.values_list("number", flat=True)) == ["00001", "202-00001"]


def test_single_group_moves_and_its_village_stays(two_villages, administrator):
    village, other = two_villages
    stays = make_household(other, "00002")
    make_resident(stays, "不动")
    group = Region.objects.get(parent=other)
    change(administrator, [group], village)
    other.refresh_from_db()
    assert other.valid_until is None
    assert population([village, other], AFTER) == [4, 1]
    group.refresh_from_db()
    assert group.valid_until == DAY


def test_stays_that_began_or_ended_after_the_day_follow(two_villages, administrator):
    village, other = two_villages
    home = Household.objects.get(village=other)
    late = make_resident(home, "后来", relation="其他")
    late.residencies.update(started_on=date(2018, 9, 20))
    gone = make_resident(home, "离开", relation="其他")
    gone.residencies.update(ended_on=date(2018, 9, 15))
    Resident.objects.filter(pk=gone.pk).update(departed_on=date(2018, 9, 15))
    change(administrator, [other], village)
    spells = Residency.objects.order_by("started_on").values_list(
        "village", "started_on", "ended_on"
    )
    assert list(spells.filter(resident=late)) == [(village.pk, date(2018, 9, 20), None)]
    assert set(spells.filter(resident=gone)) == {
        (other.pk, None, DAY),
        (village.pk, DAY, date(2018, 9, 15)),
    }


def test_spell_that_ended_before_the_day_keeps_its_village(two_villages, administrator):
    village, other = two_villages
    head = Resident.objects.get(name="安丰营村户主")
    head.residencies.update(started_on=date(2018, 3, 1))
    make_spell(head, ended_on=date(2018, 3, 1))
    change(administrator, [other], village)
    first = head.residencies.get(started_on=None)
    assert (first.village_id, first.ended_on) == (other.pk, date(2018, 3, 1))


def test_leaving_is_not_undone_into_a_village_that_is_no_more(two_villages, clerk, administrator):
    village, other = two_villages
    son = Resident.objects.get(name="安丰营村子")
    event = services.record_event(
        by=clerk, kind="move_out", values={"members": [son]}, happened_on=date(2018, 8, 1),
        today=TODAY,
    )  # fmt: skip
    change(administrator, [other], village)
    with pytest.raises(RuleViolation, match="安丰营村后来已经区划调整"):
        services.undo_event(by=clerk, event=event, today=TODAY, reason="登记错了")
    son.refresh_from_db()
    assert son.departed_on == date(2018, 8, 1)
    assert not son.residencies.filter(ended_on=None).exists()


def test_group_that_had_ended_is_not_opened_again(two_villages, administrator):
    village, other = two_villages
    ended = make_region(f"{other.code}09", "9组")
    Region.objects.filter(pk=ended.pk).update(valid_until=date(2015, 1, 1))
    change(administrator, [other], village)
    names = Region.objects.filter(parent=village).values_list("name", flat=True)
    assert sorted(names) == ["1组", "安丰营村1组"]
    ended.refresh_from_db()
    assert ended.valid_until == date(2015, 1, 1)


def test_long_numbers_that_clash_stay_within_the_column(two_villages, administrator):
    village, other = two_villages
    long = ["1" * 29, "1" * 28 + "2"]
    for place in two_villages:
        for number in long:
            make_household(place, number)
    change(administrator, [other], village)
    numbers = list(Household.objects.values_list("number", flat=True))
    assert len(set(numbers)) == len(numbers) == 6
    assert max(map(len, numbers)) <= Household._meta.get_field("number").max_length


def test_source_out_of_sight_stops_the_change(two_villages, far_village, administrator):
    village, other = two_villages
    administrator.region = village.parent
    administrator.save(update_fields=["region"])
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        change(administrator, [other, far_village], village)
    assert Resident.objects.filter(village=other).count() == 2


def test_change_is_recorded_with_what_it_moved(two_villages, administrator):
    village, other = two_villages
    done = change(administrator, [other], village)
    event = AuditEvent.objects.get(type="village.changed")
    assert (event.target_id, event.count) == (str(done.pk), 2)
    assert event.changes["sources"] == [other.code]


def test_change_that_fails_moves_nobody(two_villages, administrator, monkeypatch):
    from households.services import village_changes

    village, other = two_villages
    monkeypatch.setattr(village_changes.log, "record", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        change(administrator, [other], village)
    assert Resident.objects.filter(village=other).count() == 2
    assert not VillageChange.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"day": date(2018, 10, 10)}, "今天"),
        ({"sources": []}, "请选择"),
        ({"target": NewVillage("539981100299", "别镇村")}, "同一个乡镇"),
        ({"target": NewVillage("539981001201", "重码")}, "已经有了"),
    ],
)
def test_change_that_cannot_be_is_refused(wrong, words, two_villages):
    village, other = two_villages
    asked = {"sources": [other], "target": village, "day": DAY} | wrong
    with pytest.raises(RuleViolation, match=words):
        plan_move(today=TODAY, **asked)


def test_village_is_not_merged_into_itself(two_villages, administrator):
    village, other = two_villages
    with pytest.raises(RuleViolation, match="并入自己"):
        change(administrator, [village, other], village)


def test_administrator_previews_and_then_moves_the_village(two_villages, sign_in, administrator):
    village, other = two_villages
    client = sign_in(administrator)
    url = f"/registry/village-changes/{village.parent.code}/new/"
    asked = {
        "sources": [other.code], "target": village.code, "day": "2018-9-1", "document": "12号",
    }  # fmt: skip
    page = client.post(url, asked | {"step": "check"}).content.decode()
    assert "1户、2名在册居民" in page
    assert "1户的户编号" in page
    assert Resident.objects.filter(village=other).count() == 2
    answer = client.post(url, asked | {"step": "save"}, follow=True)
    assert "已调整：1户、2人" in answer.content.decode()
    assert not Resident.objects.filter(village=other).exists()


def test_list_of_changes_costs_the_same_for_many(
    two_villages, sign_in, administrator, assert_query_count_does_not_grow
):
    client = sign_in(administrator)
    village = two_villages[0]

    def grow():
        VillageChange.objects.create(
            target=village, happened_on=DAY, document="x", households=1, residents=1,
            made_by=administrator,
        )  # fmt: skip

    grow()
    assert_query_count_does_not_grow(lambda: client.get("/registry/village-changes/"), grow)


def test_change_before_the_end_of_a_locked_month_is_refused(
    two_villages, township, administrator, clerk, reviewer
):
    village, other = two_villages
    make_return(code="population-ledger", region=township, period="2018-09", by=clerk, today=TODAY)
    services.lock_month(by=reviewer, township=township, period="2018-09", today=TODAY)
    with pytest.raises(RuleViolation, match="已锁定"):
        change(administrator, [other], village, day=date(2018, 9, 30))
    change(administrator, [other], village, day=date(2018, 10, 1))


def test_village_with_one_of_its_own_groups_is_refused(two_villages, administrator):
    village, other = two_villages
    group = Region.objects.get(parent=other)
    with pytest.raises(RuleViolation, match="不用单独选"):
        change(administrator, [other, group], village)
