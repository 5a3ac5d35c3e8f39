"""Pages of households and births."""

from datetime import date

import pytest
from django.urls import reverse

from households.models import ChildRecord, Household, LowIncomeSpell, Resident
from tests.factories.accounts import make_region
from tests.factories.households import (
    make_birth,
    make_household,
    make_id_number,
    make_resident,
    make_spell,
)

LIST = "households:household-list"


def url(name, *args):
    return reverse(f"households:{name}", args=args)


@pytest.fixture
def mother(household, head):
    return make_resident(
        household, "丁艳娟", sex="女", relation="配偶", birth_date=date(1987, 7, 16), marital="初婚",
        spouse=head, spouse_id_number=head.id_number, first_marriage_date=date(2008, 6, 30),
    )  # fmt: skip


def birth(**extra):
    return {
        "child_name": "段琴",
        "child_id_number": "",
        "birth_date": "2009年10月26日",
        "sex": "女",
        "order": "1",
        "origin": "亲生",
        "within_policy": "yes",
        "father_id_number": "",
        "survival": "存活",
    } | extra


def opened_form(client, address):
    page = client.get(address)
    form = page.context["form"]
    data = {n: form[n].value() for n in form.fields if form[n].value() is not None}
    return data | {n: page.context[n] for n in ("row_version", "opened")}


# Households -------------------------------------------------------------------------------------


def test_list_shows_own_households_with_head_and_living_members(
    clerk, sign_in, household, mother, far_village
):
    make_resident(household, "故人", relation="父", death_date=date(2018, 1, 1))
    make_resident(make_household(far_village, "90909"), "外乡人")

    page = sign_in(clerk).get(reverse(LIST)).content.decode()

    assert "段光超" in page
    assert '<td class="fp-num" data-label="人口">2</td>' in page
    assert "90909" not in page


def test_list_costs_the_same_for_more_households(
    clerk, sign_in, head, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for _ in range(6):
            make_resident(make_household(head.village))

    assert_query_count_does_not_grow(lambda: client.get(reverse("households:household-list")), grow)


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", 2), ("?number=00016", 1), ("?low_income=yes", 1), ("?low_income=no", 1)],
)
def test_list_filters(clerk, sign_in, household, village, query, expected):
    LowIncomeSpell.objects.create(household=make_household(village))
    LowIncomeSpell.objects.create(household=household, ended_on=date(2018, 1, 1))

    page = sign_in(clerk).get(reverse(LIST) + query)

    assert page.context["list"].total == expected


def test_search_finds_a_household_by_any_member(clerk, sign_in, household, mother, village):
    make_resident(make_household(village), "别人")

    page = sign_in(clerk).post(
        url("resident-search"), {"list": "households", "name": "丁"}, follow=True
    )

    assert [h.number for h in page.context["list"].page.object_list] == ["00016"]


@pytest.mark.parametrize("page", ["household-detail", "household-births", "household-history"])
def test_pages_of_a_household(clerk, other_clerk, auditor, client, sign_in, household, page):
    assert sign_in(clerk).get(url(page, household.pk)).status_code == 200
    assert sign_in(other_clerk).get(url(page, household.pk)).status_code == 404
    assert sign_in(auditor).get(url(page, household.pk)).status_code == 403
    assert client.get(url(page, household.pk)).status_code == 302


def test_page_draws_relations_and_tells_the_story(clerk, sign_in, household, head, mother):
    child = make_resident(
        household, "段敏丽", sex="女", relation="女", birth_date=date(2018, 5, 29), mother=mother,
        father=head,
    )  # fmt: skip
    make_birth(mother, child.birth_date, father=head, child_name="段敏丽", child=child)
    Resident.objects.filter(pk=head.pk).update(spouse=mother, first_marriage_date=date(2008, 6, 30))

    page = sign_in(clerk).get(household.get_absolute_url()).content.decode()

    assert "段光超户" in page
    assert "段光超与丁艳娟为夫妻；段敏丽是段光超与丁艳娟的女儿。" in page
    assert "2008年结婚" in page
    assert page.index("出生：女孩段敏丽") < page.index("结婚：段光超与丁艳娟")
    assert "4个月" in page


def test_page_costs_the_same_for_more_members(
    clerk, sign_in, household, mother, assert_query_count_does_not_grow
):
    make_birth(mother, date(2009, 10, 26))
    client = sign_in(clerk)

    def grow():
        for order in range(2, 8):
            make_resident(household, f"孩{order}", relation="子", mother=mother)
            make_birth(mother, date(2009 + order, 1, 1), order=order)

    assert_query_count_does_not_grow(lambda: client.get(household.get_absolute_url()), grow)


def test_past_member_is_not_named_by_a_spell(clerk, sign_in, household, head, far_village):
    """Somebody who moved to another township left a spell here; the page must not tell who."""
    gone = make_resident(make_household(far_village), "迁走的人")
    gone.residencies.all().delete()
    make_spell(gone, date(2010, 1, 1), date(2015, 1, 1), household)

    assert "迁走的人" not in sign_in(clerk).get(household.get_absolute_url()).content.decode()


def test_household_is_registered_with_group_and_low_income(clerk, sign_in, village):
    group = make_region("53998100120103", "3组")
    data = {
        "village": village.pk, "number": "00099", "group": "第3组", "address": "某路1号",
        "low_income": "yes", "low_income_on": "2018.9.1",
    }  # fmt: skip

    sign_in(clerk).post(url("household-create"), data)

    household = Household.objects.get(number="00099")
    assert (household.group, household.address) == (group, "某路1号")
    assert household.low_income_spells.get().started_on == date(2018, 9, 1)


def test_household_refuses_a_taken_number_and_a_foreign_village(
    clerk, propagandist, sign_in, household, far_village
):
    data = {"village": household.village_id, "number": "00016", "low_income": "no"}
    client = sign_in(clerk)

    taken = client.post(url("household-create"), data)
    foreign = client.post(url("household-create"), data | {"village": far_village.pk})

    assert "已有户编号00016" in taken.content.decode()
    assert "村（社区）没有这个选项" in foreign.content.decode()
    assert sign_in(propagandist).post(url("household-create"), data).status_code == 403
    assert Household.objects.count() == 1


def test_household_edit_carries_its_version(clerk, other_clerk, sign_in, household):
    client = sign_in(clerk)
    address = url("household-edit", household.pk)
    first, second = opened_form(client, address), opened_form(client, address)

    client.post(address, first | {"address": "甲路"})
    conflict = client.post(address, second | {"address": "乙路"})

    household.refresh_from_db()
    assert household.address == "甲路"
    assert conflict.status_code == 409
    assert client.post(address, {"address": "丙路"}).status_code == 400
    assert sign_in(other_clerk).post(address, first).status_code == 404


# Births -----------------------------------------------------------------------------------------


def test_birth_is_recorded_and_linked_to_the_child(clerk, sign_in, head, mother):
    number = make_id_number(date(2009, 10, 26), "女")
    child = make_resident(
        mother.household, "段琴", sex="女", relation="女", birth_date=date(2009, 10, 26),
        id_number=number,
    )  # fmt: skip

    sign_in(clerk).post(
        url("birth-create", mother.pk),
        birth(child_id_number=number, father_id_number=head.id_number),
    )

    record = ChildRecord.objects.get()
    assert (record.mother, record.father, record.child) == (mother, head, child)
    assert record.within_policy is True


def test_birth_of_a_child_without_number_links_by_name_and_day(clerk, sign_in, mother):
    child = make_resident(
        mother.household,
        "段琴",
        sex="女",
        relation="女",
        birth_date=date(2009, 10, 26),
        id_number="",
    )

    sign_in(clerk).post(url("birth-create", mother.pk), birth())

    assert ChildRecord.objects.get().child == child


def test_twins_and_unknown_father_and_single_father(clerk, sign_in, head, mother):
    client = sign_in(clerk)

    for order in (1, 2):
        client.post(url("birth-create", mother.pk), birth(child_name=f"双{order}", order=order))
    client.post(url("birth-create", head.pk), birth(child_name="父名下", mother_id_number=""))

    assert list(mother.births.values_list("order", flat=True)) == [1, 2]
    single = ChildRecord.objects.get(father=head)
    assert (single.mother, single.mother_id_number) == (None, "")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"birth_date": "1999-7-15"}, "母亲生育时11岁，应在12到60岁之间"),
        ({"birth_date": "2018-10-10"}, "出生日期不能晚于今天"),
        ({"order": "0"}, "孩次不能小于1"),
        ({"order": "16"}, "孩次不能大于15"),
        ({"survival": "死亡"}, "存活状况为死亡时要填子女死亡日期"),
        ({"death_date": "2015-1-1"}, "存活状况应为死亡"),
        ({"survival": "死亡", "death_date": "2009-10-25"}, "死亡日期不能早于出生日期"),
        ({"within_policy": ""}, "请选择符合政策"),
        ({"father_id_number": make_id_number(date(2000, 1, 1), "女")}, "这个号码的性别是女"),
        ({"father_id_number": make_id_number(date(2000, 1, 1), "男")}, "父亲生育时9岁，应满12岁"),
        (
            {"child_id_number": make_id_number(date(2009, 10, 25), "女")},
            "里的出生日期2009-10-25不一致",
        ),
    ],
)
def test_impossible_birth_comes_back(clerk, sign_in, mother, extra, message):
    page = sign_in(clerk).post(url("birth-create", mother.pk), birth(**extra))

    assert page.status_code == 200
    assert message in page.content.decode()
    assert not ChildRecord.objects.exists()


def test_adopted_child_may_have_a_mother_of_any_age(clerk, sign_in, mother):
    sign_in(clerk).post(url("birth-create", mother.pk), birth(birth_date="1990-1-1", origin="收养"))

    assert ChildRecord.objects.get().origin == "收养"


def test_order_must_follow_birth_dates(clerk, sign_in, mother):
    make_birth(mother, date(2009, 10, 26), order=1)
    client = sign_in(clerk)

    earlier = client.post(url("birth-create", mother.pk), birth(birth_date="20080101", order="2"))
    taken = client.post(url("birth-create", mother.pk), birth(birth_date="20120101", order="1"))

    assert "第1孩出生于2009-10-26，孩次应按出生先后" in earlier.content.decode()
    assert "已有第1孩的记录" in taken.content.decode()
    assert ChildRecord.objects.count() == 1


def test_birth_before_marriage_comes_in_with_a_warning(clerk, sign_in, mother):
    page = sign_in(clerk).post(
        url("birth-create", mother.pk), birth(birth_date="2008-1-1"), follow=True
    )

    assert "出生日期早于母亲初婚日期2008-06-30" in page.content.decode()
    assert ChildRecord.objects.count() == 1


def test_birth_is_corrected_with_its_version(clerk, sign_in, mother):
    record = make_birth(mother, date(2009, 10, 26), child_name="段芹")
    client = sign_in(clerk)
    address = url("birth-edit", record.pk)
    first, second = opened_form(client, address), opened_form(client, address)

    client.post(address, first | {"child_name": "段琴"})
    conflict = client.post(address, second | {"child_name": "段勤"})

    record.refresh_from_db()
    assert (record.child_name, record.row_version) == ("段琴", 1)
    assert conflict.status_code == 409
    shown = conflict.context["differences"][0]
    assert (shown.opened, shown.mine, shown.theirs) == ("段芹", "段勤", "段琴")
    assert client.post(address, birth()).status_code == 400


def test_births_are_closed_to_others(clerk, other_clerk, propagandist, client, sign_in, mother):
    record = make_birth(mother, date(2009, 10, 26))

    for address in (url("birth-create", mother.pk), url("birth-edit", record.pk)):
        assert sign_in(other_clerk).post(address, birth()).status_code == 404
        assert sign_in(propagandist).post(address, birth()).status_code == 403
        assert client.get(address).status_code == 302
    assert ChildRecord.objects.count() == 1


def test_rare_names_stand_whole_on_every_page(clerk, sign_in, household):
    names = ["𠮷田", "䶮", "阿不都热西提·买买提依明·艾合买提江·吐尔逊"]
    relations = ["户主", "配偶", "子"]
    for name, relation in zip(names, relations, strict=True):
        make_resident(household, name, relation=relation)
    client = sign_in(clerk)

    for address in (household.get_absolute_url(), url("resident-list")):
        page = client.get(address).content.decode()
        for name in names:
            assert name in page
