"""Pages of residents: list, search, page, create, edit, one number in clear."""

import re
from datetime import date

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from households.models import Resident
from tests.factories.accounts import make_region
from tests.factories.households import make_birth, make_household, make_resident

LIST = "households:resident-list"
PAYLOADS = ["<img src=x onerror=alert(1)>", "{{7*7}}", "</script><script>x</script>", "\u202eabc"]


def url(name, *args):
    return reverse(f"households:{name}", args=args)


def search(client, **data):
    return client.post(url("resident-search"), {"list": "residents", **data}, follow=True)


def names_on(response):
    return re.findall(r'fp-name"[^>]*><a href="[^"]+">([^<]+)</a>', response.content.decode())


# List and search --------------------------------------------------------------------------------


def test_list_shows_residents_of_the_own_region_with_masked_numbers(
    clerk, sign_in, head, far_village
):
    make_resident(make_household(far_village), "外乡人")

    page = sign_in(clerk).get(reverse(LIST)).content.decode()

    assert "段光超" in page
    assert "外乡人" not in page
    assert head.id_number not in page
    assert f"539981********{head.id_number[-4:]}" in page


def test_list_asks_to_sign_in(client, db):
    assert client.get(reverse(LIST)).status_code == 302


def test_list_is_forbidden_to_roles_without_business(auditor, sign_in):
    assert sign_in(auditor).get(reverse(LIST)).status_code == 403


def test_list_costs_the_same_for_more_residents(
    clerk, sign_in, head, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for number in range(6):
            house = make_household(head.village)
            make_resident(house, f"居民{number}")

    assert_query_count_does_not_grow(lambda: client.get(reverse("households:resident-list")), grow)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"老人", "青年", "孩子"}),
        ("?age_min=60&age_max=64", {"老人"}),
        ("?age_max=15", {"孩子"}),
        ("?aged=60", {"老人"}),
        ("?aged=under16", {"孩子"}),
        ("?sex=女", {"青年"}),
        ("?hukou=非农业", {"青年"}),
        ("?residence=流入", {"青年"}),
        ("?marital=丧偶", {"老人"}),
        ("?certificate=yes", {"青年"}),
        ("?certificate=no", {"老人", "孩子"}),
        ("?disability=yes", {"老人"}),
        ("?state=dead", {"故人"}),
        ("?state=all", {"老人", "青年", "孩子", "故人"}),
        ("?age_min=abc", set()),
        ("?age_min=99999999999", {"老人", "青年", "孩子"}),
    ],
)
def test_list_filters(clerk, sign_in, household, query, expected):
    make_resident(
        household, "老人", birth_date=date(1955, 1, 1), marital="丧偶", disability_grade="一级"
    )
    make_resident(
        household, "青年", birth_date=date(1990, 1, 1), sex="女", relation="配偶", hukou="非农业",
        residence="流入", only_child_cert_no="A1",
    )  # fmt: skip
    make_resident(household, "孩子", birth_date=date(2010, 1, 1), relation="子")
    make_resident(
        household, "故人", birth_date=date(1950, 1, 1), relation="父", death_date=date(2018, 1, 1)
    )

    assert set(names_on(sign_in(clerk).get(reverse(LIST) + query))) == expected


def test_age_boundaries_are_completed_years(clerk, sign_in, household):
    """On 2018-10-09 somebody born on 1958-10-09 is 60, a day later 59."""
    make_resident(household, "满六十", birth_date=date(1958, 10, 9))
    make_resident(household, "差一天", birth_date=date(1958, 10, 10), relation="配偶")

    client = sign_in(clerk)

    assert names_on(client.get(reverse(LIST) + "?age_min=60")) == ["满六十"]
    assert names_on(client.get(reverse(LIST) + "?age_max=59")) == ["差一天"]


def test_filter_by_group_and_a_foreign_village_is_no_choice(clerk, sign_in, village, far_village):
    group = make_region("53998100120103", "3组")
    make_resident(make_household(village, group=group), "三组人")
    make_resident(make_household(village), "无组人")
    client = sign_in(clerk)

    assert names_on(client.get(f"{reverse(LIST)}?village={village.pk}&group={group.pk}")) == [
        "三组人"
    ]
    foreign = client.get(f"{reverse(LIST)}?village={far_village.pk}")
    assert names_on(foreign) == []
    assert "远处村" not in foreign.content.decode()


@pytest.mark.parametrize("typed", ["段", "段光", "光超", "超", "dg", "DGC"])
def test_search_finds_by_any_part_of_name_and_initials(clerk, sign_in, head, typed):
    Resident.objects.filter(pk=head.pk).update(name_initials="dgc")
    make_resident(make_household(head.village), "张三", name_initials="zs")

    page = search(sign_in(clerk), name=typed)

    assert names_on(page) == ["段光超"]
    assert typed not in page.redirect_chain[-1][0]


@pytest.mark.parametrize("name", ["𠮷明", "䶮某", "㼆"])
def test_search_finds_rare_characters(clerk, sign_in, household, name):
    make_resident(household, name)

    assert names_on(search(sign_in(clerk), name=name[0])) == [name]


@pytest.mark.parametrize("typed", ["\ud7ff", "\U0010ffff", "%", "_", "'; --", "﻿"])
def test_search_survives_odd_text(clerk, sign_in, head, typed):
    assert search(sign_in(clerk), name=typed).status_code == 200


def test_whole_number_opens_the_person_and_stays_out_of_the_address(clerk, sign_in, head):
    spaced = f"{head.id_number[:6]} {head.id_number[6:].lower()}"

    page = search(sign_in(clerk), q=spaced)

    assert page.redirect_chain == [(head.get_absolute_url(), 302)]
    event = AuditEvent.objects.get(type="resident.searched")
    assert head.id_number not in str(event.changes)


def test_search_by_number_in_the_list_shows_a_masked_chip(clerk, sign_in, head):
    page = search(sign_in(clerk), id_number=head.id_number)

    assert names_on(page) == ["段光超"]
    assert f"身份证号：539981********{head.id_number[-4:]}" in page.content.decode()
    assert head.id_number not in page.content.decode()


def test_search_keeps_the_other_conditions(clerk, sign_in, household):
    make_resident(household, "王一")
    make_resident(household, "王二", sex="女", relation="配偶")

    page = search(sign_in(clerk), name="王", sex="女")

    assert names_on(page) == ["王二"]


def test_search_finds_nobody_of_another_region(other_clerk, sign_in, head):
    page = search(sign_in(other_clerk), q=head.id_number)

    assert "段光超" not in page.content.decode()


def test_search_token_of_another_session_finds_everybody_but_leaks_nothing(
    clerk, reviewer, sign_in, head
):
    token_url = search(sign_in(clerk), name="段").redirect_chain[-1][0]

    page = sign_in(reviewer).get(token_url).content.decode()

    assert "姓名：段" not in page


# Page of a person -------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["resident-detail", "resident-births", "resident-history"])
def test_pages_of_a_person(clerk, other_clerk, auditor, client, sign_in, head, page):
    assert sign_in(clerk).get(url(page, head.pk)).status_code == 200
    assert sign_in(other_clerk).get(url(page, head.pk)).status_code == 404
    assert sign_in(auditor).get(url(page, head.pk)).status_code == 403
    assert client.get(url(page, head.pk)).status_code == 302


def test_page_masks_every_identifier_and_records_the_view(clerk, sign_in, household):
    person = make_resident(household, phone="13000008404", bank_account="6299000011118225")

    page = sign_in(clerk).get(person.get_absolute_url()).content.decode()

    for secret in (person.id_number, "13000008404", "6299000011118225"):
        assert secret not in page
    assert "130****8404" in page
    assert AuditEvent.objects.get(type="resident.viewed").target_id == str(person.pk)


def test_page_names_relatives_in_scope_only(clerk, sign_in, head, far_village):
    wife = make_resident(
        head.household, "丁艳娟", sex="女", relation="配偶", spouse=head,
        spouse_id_number=head.id_number,
    )  # fmt: skip
    father = make_resident(make_household(far_village), "远方父")
    Resident.objects.filter(pk=wife.pk).update(father=father, father_id_number=father.id_number)

    page = sign_in(clerk).get(wife.get_absolute_url()).content.decode()

    assert f'<a href="{head.get_absolute_url()}">段光超</a>' in page
    assert "远方父" not in page
    assert father.get_absolute_url() not in page


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_are_shown_as_text(clerk, sign_in, household, payload):
    person = make_resident(household, payload, note=payload)
    client = sign_in(clerk)

    for address in (person.get_absolute_url(), household.get_absolute_url(), reverse(LIST)):
        page = client.get(address).content.decode()
        if "<" in payload:
            assert payload not in page
        assert "49" not in re.findall(r"<h1>(.*?)<", page)


# One number in clear ----------------------------------------------------------------------------


def reveal(client, person, **extra):
    data = {"field": "id_number", "reason": "核对证件"} | extra
    return client.post(url("resident-reveal", person.pk), data, headers={"HX-Request": "true"})


def test_reveal_shows_one_number_and_records_it(clerk, sign_in, head):
    page = reveal(sign_in(clerk), head)

    assert head.id_number in page.content.decode()
    event = AuditEvent.objects.get(type="resident.revealed")
    assert event.changes == {"field": "id_number", "reason": "核对证件"}
    assert event.target_id == str(head.pk)


def test_reveal_without_scripts_is_a_page(clerk, sign_in, head):
    data = {"field": "id_number", "reason": "核对证件"}
    page = sign_in(clerk).post(url("resident-reveal", head.pk), data).content.decode()

    assert head.id_number in page
    assert "<h1>" in page


@pytest.mark.parametrize("extra", [{"reason": ""}, {"field": "name"}, {"field": "password"}])
def test_reveal_refuses_what_is_no_identifier_or_has_no_reason(clerk, sign_in, head, extra):
    page = reveal(sign_in(clerk), head, **extra)

    assert page.status_code == 400
    assert head.id_number not in page.content.decode()
    assert not AuditEvent.objects.filter(type="resident.revealed").exists()


def test_reveal_is_refused_by_role_region_and_method(
    county_user, other_clerk, clerk, sign_in, head
):
    assert reveal(sign_in(county_user), head).status_code == 403
    assert reveal(sign_in(other_clerk), head).status_code == 404
    assert sign_in(clerk).get(url("resident-reveal", head.pk)).status_code == 405


def test_pages_of_a_person_cost_the_same_for_a_long_history(
    clerk, sign_in, head, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    make_birth(None, date(2005, 1, 1), father=head)

    def grow():
        for order in range(2, 7):
            make_birth(None, date(2004 + order, 1, 1), father=head, order=order)

    assert_query_count_does_not_grow(lambda: client.get(url("resident-births", head.pk)), grow)
