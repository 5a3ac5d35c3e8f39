"""The queue of doubles: who is found and who isn't, what a clerk sees and decides."""

import re
from datetime import UTC, date, datetime

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation
from fpadmin.jobs.models import Job
from fpadmin.ui import todos
from households import services, tasks
from households.models import Duplicate, Merge, Resident
from tests.conftest import TODAY
from tests.factories.accounts import make_region, make_user
from tests.factories.households import make_birth, make_household, make_id_number, make_resident

NOW = datetime(2018, 10, 9, 4, 0, tzinfo=UTC)
BORN = date(2012, 3, 4)
LIST = "households:duplicate-list"
pytestmark = pytest.mark.django_db


@pytest.fixture
def mother(village):
    return make_resident(
        make_household(village), "段光超", sex="女", birth_date=date(1983, 6, 1), marital="初婚"
    )


def child(household, mother=None, name="张小丽", **extra):
    values = {"sex": "女", "relation": "女", "birth_date": BORN, "id_number": ""} | extra
    if mother:
        values |= {
            "mother": mother, "mother_id_number": mother.id_number,
            "mother_id_number_digest": mother.id_number_digest,
        }  # fmt: skip
    return make_resident(household, name, **values)


@pytest.fixture
def pair(mother, other_village):
    """The same girl twice, in two villages of one township."""
    first = child(mother.household, mother)
    second = child(make_household(other_village), mother)
    find()
    return Duplicate.objects.get(first=first, second=second)


def find():
    services.find_duplicates(by=make_admin(), now=NOW)
    return [(d.first_id, d.second_id) for d in Duplicate.objects.order_by("pk")]


def make_admin():
    from fpadmin.audit.log import SystemJob

    return SystemJob("测试")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param({}, {}, id="neither-has-a-number"),
        pytest.param({"id_number": None}, {}, id="first-has-a-number"),
        pytest.param({}, {"id_number": None}, id="second-has-a-number"),
        pytest.param({}, {"death_date": date(2013, 1, 1)}, id="one-is-dead"),
    ],
)
def test_same_name_birth_and_mother_is_found(mother, far_village, first, second):
    one = child(mother.household, mother, **first)
    other = child(make_household(far_village), mother, **second)
    assert find() == [(one.pk, other.pk)]


def test_mother_known_by_number_only_is_the_same_mother(village, other_village):
    number = make_id_number(date(1983, 6, 1), "女")
    known = {"mother_id_number": number, "mother_id_number_digest": digest(number)}
    one = child(make_household(village), **known)
    other = child(make_household(other_village), **known)
    assert find() == [(one.pk, other.pk)]


def test_same_household_is_enough_where_a_mother_is_unknown(mother):
    one = child(mother.household, mother)
    other = child(mother.household)
    assert find() == [(one.pk, other.pk)]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"name": "张小红"}, id="twin-with-another-name"),
        pytest.param({"sex": "男", "relation": "子"}, id="twin-of-another-sex"),
        pytest.param({"birth_date": date(2012, 3, 5)}, id="another-day"),
        pytest.param({"departed_on": TODAY}, id="left-the-books"),
    ],
)
def test_others_are_not_found(mother, other):
    child(mother.household, mother)
    child(mother.household, mother, **other)
    assert find() == []


def test_two_different_numbers_are_two_people(mother):
    child(mother.household, mother, id_number=None)
    child(mother.household, mother, id_number=None)
    assert find() == []


def test_other_mother_or_household_is_somebody_else(mother, village):
    child(mother.household, mother)
    child(make_household(village))
    other = make_resident(make_household(village), "李芳", sex="女", birth_date=date(1982, 1, 1))
    child(mother.household, other)
    assert find() == []


def test_searching_twice_changes_nothing(pair):
    before = list(Duplicate.objects.values())
    find()
    assert list(Duplicate.objects.values()) == before


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"name": "张小红"}, id="name-corrected"),
        pytest.param({"departed_on": TODAY}, id="left-the-books"),
        pytest.param({"mother": None, "mother_id_number_digest": ""}, id="mother-corrected"),
    ],
)
def test_pair_that_no_longer_looks_alike_leaves_the_queue(pair, change):
    Resident.objects.filter(pk=pair.second_id).update(**change)
    assert find() == []


def test_both_numbers_known_by_now_ends_it(pair):
    for number, person in enumerate((pair.first, pair.second)):
        Resident.objects.filter(pk=person.pk).update(id_number_digest=f"digest{number}")
    assert find() == []


def test_departed_person_is_gone_from_the_queue_at_once(clerk, pair):
    Resident.objects.filter(pk=pair.second_id).update(departed_on=TODAY)
    assert Duplicate.objects.visible_to(clerk).waiting().count() == 0


def test_decided_pair_never_returns(clerk, pair):
    services.decide_different(by=clerk, pair=pair, now=NOW)
    assert find() == [(pair.first_id, pair.second_id)]
    assert not Duplicate.objects.waiting().exists()
    events = AuditEvent.objects.filter(type="duplicate.different", actor_id=clerk.pk)
    assert {e.target_id for e in events} == {str(pair.first_id), str(pair.second_id)}


def test_pair_is_decided_once_and_by_who_sees_both(clerk, other_clerk, propagandist, pair):
    for stranger in (other_clerk, propagandist):
        with pytest.raises(RuleViolation, match="处理过"):
            services.decide_different(by=stranger, pair=pair, now=NOW)
    services.decide_different(by=clerk, pair=pair, now=NOW)
    with pytest.raises(RuleViolation, match="处理过"):
        services.decide_different(by=clerk, pair=pair, now=NOW)


def test_decision_rolls_back_without_its_event(clerk, pair, monkeypatch):
    monkeypatch.setattr("households.services.duplicates.log.record", _fails)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.decide_different(by=clerk, pair=pair, now=NOW)
    pair.refresh_from_db()
    assert pair.state == "open"


def test_search_rolls_back_without_its_event(mother, monkeypatch):
    child(mother.household, mother)
    child(mother.household, mother)
    monkeypatch.setattr("households.services.duplicates.log.record", _fails)
    with pytest.raises(RuntimeError), transaction.atomic():
        find()
    assert not Duplicate.objects.exists()


def _fails(*args, **kwargs):
    raise RuntimeError


def test_night_finds_them_through_the_ledger_of_jobs(mother, run_jobs_now, administrator):
    child(mother.household, mother)
    child(mother.household, mother)
    tasks.find_duplicates()
    tasks.find_duplicates()
    run_jobs_now()
    job = Job.objects.get()
    assert (job.state, job.result) == ("done", {"found": 1, "closed": 0})
    assert Job.objects.visible_to(administrator).get() == job
    event = AuditEvent.objects.get(type="duplicates.searched")
    assert (event.count, event.changes) == (1, {"found": 1, "closed": 0})


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"swap": True}, id="higher-key-first"),
        pytest.param({"again": True}, id="pair-twice"),
        pytest.param({"state": "perhaps"}, id="unknown-state"),
    ],
)
def test_database_holds_a_pair_once_and_in_order(pair, values):
    first, second = pair.first, pair.second
    if values.pop("swap", False):
        first, second = second, first
    elif not values.pop("again", False):
        Duplicate.objects.all().delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        Duplicate.objects.create(first=first, second=second, reason="x", **values)


# Pages -----------------------------------------------------------------------------------------


def text_of(response) -> str:
    return re.sub(r"<[^>]+>", " ", response.content.decode())


def test_clerk_sees_pairs_across_the_villages_of_the_township(clerk, pair, sign_in):
    page = text_of(sign_in(clerk).get(reverse(LIST)))
    assert "张小丽" in page
    assert "安丰营村" in page


def test_pair_across_townships_is_in_nobodys_queue(
    clerk, other_clerk, county_user, mother, far_village, sign_in
):
    child(mother.household, mother)
    child(make_household(far_village), mother)
    find()
    pair = Duplicate.objects.get()
    for user in (clerk, other_clerk):
        client = sign_in(user)
        assert "张小丽" not in text_of(client.get(reverse(LIST)))
        assert client.get(pair.get_absolute_url()).status_code == 404
        assert client.post(reverse("households:duplicate-merge", args=[pair.pk])).status_code == 404
    (todo,) = [t for t in todos.todos_for(county_user, TODAY) if "重复" in t.label]
    assert (todo.label, todo.count) == ("跨乡镇的疑似重复登记", 1)
    page = text_of(sign_in(county_user).get(todo.url))
    assert "跨乡镇" in page
    assert "张小丽" not in page


def test_county_counts_the_pairs_of_each_township(county_user, pair, sign_in):
    page = text_of(sign_in(county_user).get(reverse("households:duplicate-counts")))
    assert re.search(r"禄脿街道\s+1", page)
    assert "跨乡镇 " not in page


def test_todo_and_menu_count_what_waits(clerk, pair, sign_in):
    (todo,) = [t for t in todos.todos_for(clerk, TODAY) if "重复" in t.label]
    assert (todo.count, todo.url) == (1, reverse(LIST))
    page = sign_in(clerk).get(reverse(LIST)).content.decode()
    assert '<span class="fp-count">1<' in page
    services.decide_different(by=clerk, pair=pair, now=NOW)
    page = sign_in(clerk).get(reverse(LIST)).content.decode()
    assert 'class="fp-count"' not in page


def test_village_reads_how_many_the_township_has_to_decide(propagandist, pair, mother, sign_in):
    assert [t for t in todos.todos_for(propagandist, TODAY) if "重复" in t.label] == []
    child(mother.household, mother)
    find()
    (todo,) = [t for t in todos.todos_for(propagandist, TODAY) if "重复" in t.label]
    assert (todo.count, todo.hint) == (1, "由镇办核对")
    assert "张小丽" not in text_of(sign_in(propagandist).get(todo.url))


def test_list_can_show_what_was_decided(clerk, pair, sign_in):
    services.decide_different(by=clerk, pair=pair, now=NOW)
    client = sign_in(clerk)
    assert "张小丽" not in text_of(client.get(reverse(LIST)))
    assert "不是同一人" in text_of(client.get(reverse(LIST), {"state": "different"}))
    village = pair.second.village_id
    shown = client.get(reverse(LIST), {"state": "different", "village": village})
    assert "安丰营村" in text_of(shown)
    third = make_region("539981001203", "第三村")
    assert "张小丽" not in text_of(
        client.get(reverse(LIST), {"state": "different", "village": third.pk})
    )


def test_list_costs_the_same_for_many(
    clerk, pair, mother, other_village, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for number in range(6):
            name = f"女{number}"
            child(mother.household, mother, name)
            child(make_household(other_village), mother, name)
        find()

    assert_query_count_does_not_grow(lambda: client.get(reverse(LIST)), grow)


def test_side_by_side_masks_numbers_and_marks_differences(clerk, pair, sign_in):
    number = make_id_number(BORN, "女")
    Resident.objects.filter(pk=pair.second_id).update(
        id_number=number, id_number_digest=digest(number), phone="13087650001"
    )
    make_birth(pair.second, date(2017, 1, 1), child_name="小小")
    response = sign_in(clerk).get(pair.get_absolute_url())
    page = text_of(response)
    assert number not in page
    assert f"{number[:6]}********{number[-4:]}" in page
    assert "13087650001" not in page
    assert "小小" in page
    html = response.content.decode()
    assert re.search(r'name="id_number" value="second" checked', html)
    assert re.search(r'name="keep" value="second" checked', html)
    assert 'name="birth_date"' not in html
    viewed = AuditEvent.objects.filter(type="resident.viewed")
    assert {e.target_id for e in viewed} == {str(pair.first_id), str(pair.second_id)}


def test_clerk_merges_after_a_check_and_is_led_to_the_kept_record(clerk, pair, sign_in):
    Resident.objects.filter(pk=pair.second_id).update(education="小学")
    client = sign_in(clerk)
    url = reverse("households:duplicate-merge", args=[pair.pk])
    data = {"keep": "first", "versions_seen": "0,0", "education": "second"}
    checked = client.post(url, data | {"step": "check"})
    assert "还没有合并" in text_of(checked)
    assert "小学" in text_of(checked)
    assert not Merge.objects.exists()
    saved = client.post(url, data | {"step": "save"})
    assert saved["Location"] == Merge.objects.get().get_absolute_url()
    pair.first.refresh_from_db()
    assert pair.first.education == "小学"
    gone = client.get(pair.second.get_absolute_url(), follow=True)
    assert gone.redirect_chain == [(pair.first.get_absolute_url(), 302)]
    assert "已经并入这份记录" in text_of(gone)
    for name in ("resident-edit", "resident-births"):
        answer = client.get(reverse(f"households:{name}", args=[pair.second_id]))
        assert answer["Location"] == pair.first.get_absolute_url()


def test_merged_record_is_in_no_list_and_no_search(clerk, pair, sign_in):
    services.merge_residents(by=clerk, kept=pair.first, merged=pair.second, today=TODAY, now=NOW)
    client = sign_in(clerk)
    gone, stays = pair.second.get_absolute_url(), pair.first.get_absolute_url()
    url = reverse("households:resident-list")
    for conditions in ({}, {"state": "all"}):
        page = client.get(url, conditions).content.decode()
        assert f'href="{gone}"' not in page
        assert f'href="{stays}"' in page
    found = client.post(reverse("households:resident-search"), {"q": "张小丽"})
    assert found["Location"] == stays
    home = client.get(pair.second.household.get_absolute_url()).content.decode()
    assert f'href="{gone}"' not in home


def test_going_back_keeps_the_choices(clerk, pair, sign_in):
    Resident.objects.filter(pk=pair.second_id).update(education="小学")
    url = reverse("households:duplicate-merge", args=[pair.pk])
    data = {"keep": "second", "versions_seen": "0,0", "education": "first", "step": "back"}
    html = sign_in(clerk).post(url, data).content.decode()
    assert 'name="keep" value="second" checked' in html
    assert 'name="education" value="first" checked' in html


def test_what_the_service_refuses_stands_on_the_page(clerk, pair, sign_in):
    Resident.objects.filter(pk=pair.second_id).update(row_version=4)
    url = reverse("households:duplicate-merge", args=[pair.pk])
    data = {"keep": "first", "versions_seen": "0,0", "step": "save"}
    assert "有人修改了其中一份记录" in text_of(sign_in(clerk).post(url, data))
    assert not Merge.objects.exists()


def test_clerk_says_that_they_are_two(clerk, pair, sign_in):
    client = sign_in(clerk)
    url = reverse("households:duplicate-different", args=[pair.pk])
    assert "是两个人" in text_of(client.get(url))
    assert client.post(url)["Location"] == reverse(LIST)
    pair.refresh_from_db()
    assert (pair.state, pair.decided_by) == ("different", clerk)
    assert "已经处理过了" in text_of(client.post(url))
    assert "下一步" not in text_of(client.get(pair.get_absolute_url()))


def test_clerk_takes_a_merge_back(clerk, pair, sign_in):
    merge = services.merge_residents(
        by=clerk, kept=pair.first, merged=pair.second, today=TODAY, now=NOW
    )
    client = sign_in(clerk)
    assert client.get(pair.get_absolute_url())["Location"] == merge.get_absolute_url()
    assert "撤销合并" in text_of(client.get(merge.get_absolute_url()))
    url = reverse("households:merge-undo", args=[merge.pk])
    assert "恢复成合并以前的样子" in text_of(client.get(url))
    assert client.post(url)["Location"] == merge.get_absolute_url()
    pair.refresh_from_db()
    assert pair.state == "open"
    assert "已撤销" in text_of(client.get(merge.get_absolute_url()))
    assert "已经撤销过" in text_of(client.post(url))


def test_only_clerks_see_the_queue(propagandist, reviewer, county, pair, sign_in):
    for user in (propagandist, reviewer, make_user("county", county, "c2")):
        assert sign_in(user).get(pair.get_absolute_url()).status_code == 403


def test_number_of_another_region_is_named_without_its_holder(clerk, far_village, sign_in):
    stranger = make_resident(make_household(far_village), "远处人")
    page = sign_in(clerk).post(
        reverse("households:id-number-check"), {"id_number": stranger.id_number}
    )
    assert "已在本系统登记，请联系镇办" in text_of(page)
    assert "远处人" not in text_of(page)
