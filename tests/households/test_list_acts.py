"""The registered lists: columns of one's own, ticks, acts on many rows, paper; and that all agree."""

from datetime import date

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fpadmin.accounts.models import ColumnChoice
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.ui import acts, services
from fpadmin.ui.acts import ACTS, Act
from fpadmin.ui.listing import LISTS, Asked, rows_of
from fpadmin.ui.lists import registered_list_page
from households.models import Household
from households.services.groups import regroup_households
from tests.factories.accounts import make_region
from tests.factories.households import make_household, make_resident

pytestmark = pytest.mark.django_db
RESIDENTS, HOUSEHOLDS = reverse("households:resident-list"), reverse("households:household-list")
COLUMNS = reverse("lists:column-choice", args=["residents"])
REGROUP = reverse("lists:act-confirm", args=["households", "regroup"])


@pytest.fixture
def group(village):
    return make_region(f"{village.code}01", "一组")


@pytest.fixture
def three(village, other_village):
    """Two households of 庄科村 and one of 安丰营村, each with a head."""
    found = []
    for place, number in ((village, "00001"), (village, "00002"), (other_village, "00003")):
        household = make_household(place, number)
        make_resident(household, f"户主{number}", phone="13012348404")
        found.append(household)
    return found


def columns_of(page) -> list[str]:
    return [heading.label for heading in page.context["list"].table.headings()]


# Columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", sorted(LISTS))
def test_every_column_of_the_chooser_is_one_of_the_table_in_its_order(key):
    spec = LISTS[key]
    table = spec.table_class([])
    assert [column.key for column in spec.columns] == [column.name for column in table.columns]
    assert any(column.fixed for column in spec.columns)


def test_chosen_columns_are_kept_on_the_account_and_can_be_taken_back(three, clerk, sign_in):
    client = sign_in(clerk)
    usual = columns_of(client.get(RESIDENTS))
    assert "手机" not in usual
    answer = client.post(f"{COLUMNS}?sex=男&page=1", {"column": ["phone", "sex"]})
    assert answer["Location"] == f"{RESIDENTS}?sex=%E7%94%B7&page=1"
    page = sign_in(clerk).get(RESIDENTS)
    assert columns_of(page) == ["姓名", "性别", "手机"]
    assert "130****8404" in page.content.decode()
    assert "13012348404" not in page.content.decode()
    client.post(COLUMNS, {"usual": "1"})
    assert columns_of(client.get(RESIDENTS)) == usual
    assert not ColumnChoice.objects.exists()


def test_column_choice_is_recorded_and_rolls_back_with_its_event(clerk, monkeypatch):
    services.save_columns(by=clerk, spec=LISTS["residents"], keys=["sex"])
    event = AuditEvent.objects.get(type="ui.columns-saved")
    assert event.changes["columns"][1] == "姓名、性别"
    assert ColumnChoice.objects.get().columns == ["name", "sex"]
    monkeypatch.setattr(log, "record", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        services.save_columns(by=clerk, spec=LISTS["residents"], keys=["age"])
    assert ColumnChoice.objects.get().columns == ["name", "sex"]


def test_unknown_columns_are_passed_over(three, clerk, sign_in):
    ColumnChoice.objects.create(user=clerk, list_key="residents", columns=["gone", "sex"])
    assert columns_of(sign_in(clerk).get(RESIDENTS)) == ["姓名", "性别"]


def test_columns_that_are_not_shown_are_not_loaded(three, clerk, sign_in):
    ColumnChoice.objects.create(user=clerk, list_key="residents", columns=["sex"])
    client = sign_in(clerk)
    with CaptureQueriesContext(connection) as queries:
        client.get(RESIDENTS)
    loaded = [q["sql"] for q in queries if '"households_resident"."sex"' in q["sql"]]
    assert loaded
    unwanted = ('."id_number"', '."phone"', '"households_household"')
    assert not any(word in sql for sql in loaded for word in unwanted)


@pytest.mark.parametrize("key", sorted(LISTS))
def test_all_columns_together_cost_no_query_per_row(
    key, three, village, clerk, sign_in, assert_query_count_does_not_grow
):
    everything = [column.key for column in LISTS[key].columns]
    ColumnChoice.objects.create(user=clerk, list_key=key, columns=everything)
    client = sign_in(clerk)
    page = reverse(LISTS[key].url_name)
    if key.endswith("as-at"):
        page += "?as_of=2018-09-30"
    assert len(columns_of(client.get(page))) == len(everything)

    def grow():
        for number in range(6):
            group = make_region(f"{village.code}{number + 10}", f"{number}组")
            make_resident(make_household(village, f"1{number:04}", group), f"新{number}")

    assert_query_count_does_not_grow(lambda: client.get(page), grow)


@pytest.mark.parametrize("sort", ["name", "birth_date", "household", "death_date", "created_at"])
def test_more_columns_can_be_sorted_by(sort, three, clerk, sign_in):
    ColumnChoice.objects.create(
        user=clerk,
        list_key="residents",
        columns=["birth_date", "household", "death_date", "created_at"],
    )
    page = sign_in(clerk).get(f"{RESIDENTS}?sort={sort}").content.decode()
    assert 'aria-sort="ascending"' in page


def test_sorting_by_a_hidden_column_is_the_same_for_page_and_export(village, clerk):
    household = make_household(village)
    for name, born in (
        ("甲", date(1990, 1, 1)),
        ("乙", date(1950, 1, 1)),
        ("丙", date(1970, 1, 1)),
    ):
        make_resident(household, name, birth_date=born, relation="其他")
    ColumnChoice.objects.create(user=clerk, list_key="residents", columns=["sex"])
    request = RequestFactory().get("/?sort=birth_date")
    request.user, request.session, request.resolver_match = clerk, {}, None
    page = registered_list_page(request, "residents", template="_components/list.html")
    rows = rows_of(LISTS["residents"], Asked.by(request))
    names = [one.name for one in rows]
    assert names == ["乙", "丙", "甲"]
    text = page.content.decode()
    assert sorted(names, key=text.index) == names


# Acts -----------------------------------------------------------------------------------------


def test_list_offers_the_acts_that_the_role_may(three, clerk, propagandist, sign_in):
    assert "批量改小组" in sign_in(clerk).get(HOUSEHOLDS).content.decode()
    page = sign_in(propagandist).get(HOUSEHOLDS).content.decode()
    assert "批量改小组" not in page
    assert "打印户表" in page


def test_regrouping_asks_shows_what_will_happen_and_reports(three, group, clerk, sign_in):
    """The household of another village and the key of nobody are told apart; the rest is done."""
    client = sign_in(clerk)
    ticks = {"picked": [str(h.pk) for h in three] + ["999999", "x"]}
    form = client.post(REGROUP, ticks)
    assert "已选3户" in form.content.decode()
    picked = ",".join([*(str(h.pk) for h in three), "999999", "0"])
    assert f'name="picked" value="{picked}"' in form.content.decode()

    check = client.post(REGROUP, {"picked": picked, "group": group.pk, "step": "check"})
    page = check.content.decode()
    assert "将改动2户" in page
    assert "1户不能办理" in page
    assert "这一户在安丰营村，不能改到庄科村的小组" in page
    assert "有2户没有找到" in page
    assert not Household.objects.filter(group=group).exists()

    done = client.post(
        REGROUP, {"picked": picked, "group": group.pk, "step": "do"}, follow=True
    ).content.decode()
    assert "已办理<strong>2</strong>户，未办理1户" in done
    assert "这一户在安丰营村" in done
    assert "有2户没有找到" in done
    assert set(Household.objects.filter(group=group)) == set(three[:2])
    assert AuditEvent.objects.filter(type="household.changed").count() == 2


def test_ticks_of_another_township_change_nothing_there(three, group, far_village, clerk, sign_in):
    foreign = make_household(far_village, "00009")
    foreign_group = make_region(f"{far_village.code}01", "外组")
    client = sign_in(clerk)
    page = client.post(
        REGROUP, {"picked": str(foreign.pk), "group": group.pk, "step": "do"}, follow=True
    )
    assert "没有找到" in page.content.decode()
    assert "00009" not in page.content.decode()
    other = client.post(
        REGROUP, {"picked": str(three[0].pk), "group": foreign_group.pk, "step": "do"}
    ).content.decode()
    assert "这个小组不在所选的村里" in other
    assert not Household.objects.filter(group__isnull=False).exists()


def test_all_results_are_those_of_the_conditions(three, group, clerk, sign_in):
    client = sign_in(clerk)
    village = three[0].village_id
    answer = client.post(
        f"{REGROUP}?village={village}", {"all": "1", "group": group.pk, "step": "do"}, follow=True
    )
    assert "已办理<strong>2</strong>户。" in answer.content.decode()
    assert f"{HOUSEHOLDS}?village={village}" in answer.content.decode()
    assert Household.objects.filter(group=group).count() == 2


def test_nothing_ticked_leads_back_with_a_word(three, clerk, sign_in):
    page = sign_in(clerk).post(f"{REGROUP}?number=00001", {}, follow=True)
    assert "还没有选中家庭" in page.content.decode()
    assert page.redirect_chain[0][0] == f"{HOUSEHOLDS}?number=00001"


def test_act_of_too_many_rows_says_how_many_it_takes(three, group, clerk, sign_in, monkeypatch):
    act = ACTS["households", "regroup"]
    few = Act(**{**{f: getattr(act, f) for f in act.__dataclass_fields__}, "most": 2})
    monkeypatch.setitem(ACTS, ("households", "regroup"), few)
    page = sign_in(clerk).post(REGROUP, {"all": "1"}).content.decode()
    assert "一次最多2户，现在选了3户" in page


def test_role_without_the_permission_gets_403(three, group, reviewer, sign_in):
    answer = sign_in(reviewer).post(REGROUP, {"picked": str(three[0].pk)})
    assert answer.status_code == 403


def test_result_is_kept_for_its_own_session_only(three, group, clerk, sign_in):
    client = sign_in(clerk)
    answer = client.post(REGROUP, {"picked": str(three[0].pk), "group": group.pk, "step": "do"})
    assert client.get(answer["Location"]).status_code == 200
    assert sign_in(clerk).get(answer["Location"]).status_code == 404


def test_services_refusal_of_all_is_shown_and_nothing_done(
    three, group, clerk, sign_in, monkeypatch
):
    def refuse(rows, **values):
        raise RuleViolation("本月已锁定。")

    act = ACTS["households", "regroup"]
    values = {f: getattr(act, f) for f in act.__dataclass_fields__}
    monkeypatch.setitem(ACTS, ("households", "regroup"), Act(**{**values, "apply": refuse}))
    page = sign_in(clerk).post(
        REGROUP, {"picked": str(three[0].pk), "group": group.pk, "step": "do"}
    )
    assert "本月已锁定。" in page.content.decode()


def test_act_is_registered_once_and_can_do_something():
    with pytest.raises(ValueError, match="registered twice"):
        acts.register(ACTS["households", "regroup"])
    with pytest.raises(ValueError, match="either open a page or apply"):
        acts.register(Act("households", "nothing", "无", Permission.SIGNED_IN))


def test_regrouping_costs_the_same_for_more_households(
    village, group, clerk, assert_query_count_does_not_grow
):
    def act(numbers, target):
        rows = [make_household(village, number) for number in numbers]
        rows = list(Household.objects.filter(pk__in=[row.pk for row in rows]))
        with CaptureQueriesContext(connection) as queries:
            regroup_households(by=clerk, households=rows, group=target)
        return len(queries)

    one = act(["50001"], group)
    assert act([f"6000{n}" for n in range(8)], group) <= one


def test_regrouping_leaves_alone_what_somebody_changed_meanwhile(three, group, clerk):
    stale = list(Household.objects.filter(pk__in=[three[0].pk, three[1].pk]).order_by("pk"))
    Household.objects.filter(pk=three[0].pk).update(row_version=7)
    moved = regroup_households(by=clerk, households=stale, group=group)
    assert moved == {three[1].pk}
    event = AuditEvent.objects.get(type="household.changed")
    assert (event.target_id, event.changes) == (str(three[1].pk), {"group": ["", "一组"]})
    three[1].refresh_from_db()
    assert three[1].row_version == 1


def test_regrouping_refuses_another_villages_group_and_rolls_back(three, group, clerk, monkeypatch):
    with pytest.raises(RuleViolation, match="不是这些户所在村的小组"):
        regroup_households(by=clerk, households=three, group=group)
    monkeypatch.setattr(log, "record_many", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        regroup_households(by=clerk, households=three[:1], group=group)
    assert not Household.objects.filter(group__isnull=False).exists()


# Paper ----------------------------------------------------------------------------------------


def test_roster_of_ticked_residents_is_cut_into_sheets(village, clerk, sign_in):
    household = make_household(village, "00001")
    people = [
        make_resident(household, f"成员{n:02}", relation="其他" if n else "户主") for n in range(20)
    ]
    page = sign_in(clerk).post(
        reverse("households:resident-print"), {"picked": ",".join(str(p.pk) for p in people)}
    )
    text = page.content.decode()
    assert text.count('<section class="fp-sheet"') == 2
    assert "第2页　共2页" in text
    assert people[0].id_number not in text
    assert "fp-side" not in text
    event = AuditEvent.objects.get(type="registry.printed")
    assert (event.count, event.changes) == (20, {"what": "居民名册"})


def test_household_form_has_its_members_and_one_of_elsewhere_is_left_out(
    three, propagandist, sign_in
):
    page = sign_in(propagandist).post(
        reverse("households:household-print"), {"picked": ",".join(str(h.pk) for h in three)}
    )
    text = page.content.decode()
    assert "户主00001" in text
    assert "户主00003" not in text
    assert text.count('<section class="fp-sheet"') == 2


def test_printing_nothing_or_too_much_leads_back(three, clerk, sign_in, monkeypatch):
    from households import paper

    client = sign_in(clerk)
    url = reverse("households:resident-print")
    assert client.post(url, {})["Location"] == RESIDENTS
    monkeypatch.setitem(paper.MOST_ROWS, "residents", 2)
    page = client.get(f"{url}?sex=男", follow=True).content.decode()
    assert "一次最多打印2人，现在有3人" in page


def test_printing_costs_the_same_for_more_households(
    three, village, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    url = reverse("households:household-print")

    def grow():
        for n in range(5):
            make_resident(make_household(village, f"7000{n}"), f"新{n}")

    client.get(url)
    assert_query_count_does_not_grow(lambda: client.get(url), grow)
