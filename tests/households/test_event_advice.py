"""What the forms say in good time: faults before the check page, odd things on it, what comes next."""

from datetime import date

import pytest

from fpadmin.crypto import digest
from households import services
from households.models import Resident
from households.selectors import household_numbered
from tests.factories.households import make_birth, make_household, make_id_number, make_resident
from tests.households.event_pages import check, errors, of_home, of_person, save, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(clerk, sign_in):
    return sign_in(clerk)


def person(household, **more):
    """A child to be registered without an event."""
    return {
        "name": "段小宝", "id_number": "", "birth_date": "2015-03-04", "sex": "男", "ethnicity": "汉",
        "household_choice": "existing", "village": household.village_id, "relation": "子",
        "number": household.number, "hukou": "农业", "residence": "常住", "marital": "未婚",
        "changed_on": "2015-03-04", "change_reason": "出生", "step": "check",
    } | more  # fmt: skip


def test_second_head_is_refused_before_everything_is_shown_once_more(client, family):
    page = client.post(url("resident-create"), person(family[0].household, relation="户主"))

    assert errors(page) == {"relation": ["本户已有户主段光超，请改选与户主的关系。"]}


def test_new_head_follows_a_dead_one(client, family):
    head, wife, *_ = family
    Resident.objects.filter(pk=head.pk).update(death_date=date(2018, 1, 1))
    page = client.post(url("resident-create"), person(head.household, relation="户主"))
    assert "lines" in page.context


BIRTH = {
    "child_name": "段小宝", "sex": "男", "order": "1", "within_policy": "yes", "home": "",
    "other_parent": "unknown", "hukou": "农业", "residence": "常住",
}  # fmt: skip


def birth(mother, **more):
    return BIRTH | {"home": mother.household_id} | more


def test_age_of_the_mother_and_order_of_the_child_are_refused_together(client, family):
    wife = family[1]
    make_birth(wife, date(2017, 1, 1), order=2)
    Resident.objects.filter(pk=wife.pk).update(birth_date=date(2009, 1, 1))

    page = check(client, of_person(wife, "birth"), **birth(wife, order="3", happened_on="2016-1-1"))

    found = errors(page)
    assert "母亲生育时7岁" in found["happened_on"][0]
    assert "孩次应按出生先后" in found["order"][0]


def test_child_as_the_new_head_beside_a_grown_up_waits_for_the_tick(client, family):
    head, wife, son, girl = family

    page = check(client, of_person(head, "death"), new_head=girl.pk)

    assert page.context["plan"].warnings == [
        "新户主段小丽8岁，不满16岁，户里还有成年的李芳、段小强。"
    ]
    assert "勾选后再登记" in save(client, of_person(head, "death"), page).content.decode()
    save(client, of_person(head, "death"), page, confirmed="on")
    assert Resident.objects.get(pk=girl.pk).relation == "户主"


def test_new_head_who_is_grown_up_or_alone_is_nothing_odd(client, family):
    head, wife, son, girl = family
    page = check(client, of_person(head, "death"), new_head=wife.pk)
    assert page.context["plan"].warnings == []
    Resident.objects.filter(pk__in=[wife.pk, son.pk]).update(death_date=date(2018, 1, 1))
    page = check(client, of_person(head, "death"), new_head=girl.pk)
    assert page.context["plan"].warnings == []


def test_household_is_found_without_its_leading_zeros(client, family, village):
    head, wife, son, girl = family
    target = make_household(village, "09001")

    page = client.post(url("resident-create"), person(head.household, number="16"))
    assert ("户编号", "—", "00016") in page.context["lines"]
    page = check(
        client, of_home(head.household, "household_move"),
        members=[son.pk], target_village=village.pk, target_number="9001",
    )  # fmt: skip
    save(client, of_home(head.household, "household_move"), page)
    assert Resident.objects.get(pk=son.pk).household == target


def test_number_without_zeros_that_means_two_households_is_refused(clerk, village):
    wide, narrow = make_household(village, "009001"), make_household(village, "09001")

    assert household_numbered(clerk, village, "9001") is None
    assert household_numbered(clerk, village, "09001") == narrow
    assert household_numbered(clerk, village, "009001") == wide


def test_household_of_another_township_is_not_found_by_number(other_clerk, village):
    make_household(village, "09001")
    assert household_numbered(other_clerk, village, "9001") is None


@pytest.mark.parametrize("kind", ["move_in", "inflow"])
def test_former_household_is_offered_to_who_comes_back(client, clerk, family, kind):
    son = family[2]
    services.record_event(
        by=clerk, kind="move_out", values={"members": [son]},
        happened_on=date(2018, 8, 1), today=date(2018, 10, 9),
    )  # fmt: skip

    form = client.get(of_person(son, kind)).context["form"]

    assert form["village"].value() == son.village_id
    assert form["number"].value() == "00016"


def test_registered_child_leads_to_the_birth_history_of_its_mother(client, family):
    head, wife, *_ = family

    done = client.post(
        url("resident-create"),
        person(head.household, mother_id_number=wife.id_number, step="save"),
        follow=True,
    )

    child = Resident.objects.get(name="段小宝")
    address = f"{url('birth-create', wife.pk)}?child={child.pk}"
    assert "李芳的生育史里还没有段小宝" in done.content.decode()
    assert f'href="{address}"' in done.content.decode()
    form = client.get(address).context["form"]
    assert [form[name].value() for name in ("child_name", "birth_date", "sex", "order")] == [
        "段小宝", date(2015, 3, 4), "男", 1,
    ]  # fmt: skip


def test_child_whose_line_waited_for_it_leads_nowhere(client, family):
    head, wife, *_ = family
    number = make_id_number(date(2015, 3, 4))
    line = make_birth(
        wife, date(2015, 3, 4), sex="男", child_id_number=number,
        child_id_number_digest=digest(number),
    )  # fmt: skip
    posted = person(head.household, mother_id_number=wife.id_number, id_number=number, step="save")
    done = client.post(url("resident-create"), posted, follow=True)
    line.refresh_from_db()
    assert line.child.mother == wife
    assert "的生育史里还没有" not in done.content.decode()


def test_child_of_somebody_else_is_not_proposed_to_a_history(client, family):
    address = f"{url('birth-create', family[1].pk)}?child={family[0].pk}"
    assert client.get(address).status_code == 404


def child_of(mother, household, **more):
    values = {"relation": "子", "birth_date": date(2015, 3, 4)} | more
    return make_resident(household, "段小宝", mother=mother, **values)


def test_order_counts_children_who_are_registered_without_a_history(client, family):
    head, wife, *_ = family
    make_birth(wife, date(2010, 3, 3), child=family[3])
    for name in ("段小宝", "段小贝"):
        make_resident(head.household, name, relation="子", mother=wife)
    assert client.get(of_person(wife, "birth")).context["form"]["order"].value() == 3


def test_birth_of_a_child_who_is_registered_already_asks_first(client, family):
    head, wife, *_ = family
    known = child_of(wife, head.household)
    facts = {"happened_on": "2015-03-04", "child_id_number": make_id_number(date(2015, 3, 4))}

    page = check(client, of_person(wife, "birth"), **birth(wife, order="2", **facts))

    assert page.context["plan"].warnings == [
        "本户已有段小宝，2015-03-04出生，是否同一人？是同一人的不要再登记出生，请登记生育史。"
    ]
    text = page.content.decode()
    assert f'href="{known.get_absolute_url()}"' in text
    assert f'href="{url("birth-create", wife.pk)}?child={known.pk}"' in text


def test_child_registered_in_another_household_of_the_mother_asks_too(client, family, village):
    wife = family[1]
    child_of(wife, make_household(village), relation="户主")
    page = check(client, of_person(wife, "birth"), **birth(wife, order="2", happened_on="20150304"))
    assert "李芳名下已有段小宝" in page.context["plan"].warnings[0]


def test_same_newborn_without_a_number_is_refused_before_the_check(client, family):
    head, wife, *_ = family
    child_of(wife, head.household, id_number="")
    page = check(client, of_person(wife, "birth"), **birth(wife, order="2", happened_on="20150304"))
    assert "本户已登记了同名、同日出生的人" in errors(page)["child_name"][0]


def test_child_of_another_office_is_not_told_of(client, family, far_village):
    wife = family[1]
    child_of(wife, make_household(far_village))
    page = check(client, of_person(wife, "birth"), **birth(wife, order="2", happened_on="20150304"))
    assert page.context["plan"].warnings == []
    assert page.context["form"].notices == []


def test_divorce_points_to_the_relation_that_no_longer_holds(client, family, village):
    head, wife, *_ = family
    address = of_person(head, "divorce")

    page = check(client, address)
    assert "李芳离婚后还在本户，与户主关系还是“配偶”" in page.content.decode()
    done = save(client, address, page)

    steps = dict(done.context["steps"])
    move = f"{of_home(head.household, 'household_move')}?member={wife.pk}"
    assert steps["给李芳登记户间变动"] == move
    assert client.get(move).context["form"].initial == {"members": [str(wife.pk)]}
    assert {"给李芳登记迁出", "改李芳与户主的关系"} < set(steps)
    Resident.objects.filter(pk=wife.pk).update(household=make_household(village))
    steps = dict(client.get(done.request["PATH_INFO"]).context["steps"])
    assert not any("李芳" in word for word in steps)


def test_divorce_of_who_live_apart_says_nothing(client, family, village):
    head, wife, *_ = family
    Resident.objects.filter(pk=wife.pk).update(household=make_household(village), relation="户主")
    page = check(client, of_person(head, "divorce"))
    assert page.context["form"].notices == []


def test_who_may_only_see_a_divorce_is_led_to_no_form(client, family, propagandist, sign_in):
    address = of_person(family[0], "divorce")
    done = save(client, address, check(client, address))
    seen = sign_in(propagandist).get(done.request["PATH_INFO"])
    assert [word for word, _ in seen.context["steps"]] == ["打开段光超的页面", "返回00016户"]


def merge(by, household, target):
    members = {m.pk: "其他" for m in household.members.all()}
    return services.record_event(
        by=by, kind="merge", happened_on=date(2018, 10, 8), today=date(2018, 10, 9),
        values={"household": household, "target": target, "relations": members},
    )  # fmt: skip


def test_page_of_an_emptied_household_says_where_its_people_went(client, clerk, family, village):
    home, target = family[0].household, make_household(village, "09001")
    make_resident(target, "王桂英")
    event = merge(clerk, home, target)

    text = client.get(home.get_absolute_url()).content.decode()

    assert "这一户已没有在册的人" in text
    assert f'href="{event.get_absolute_url()}">并户</a>，到' in text
    assert f'href="{target.get_absolute_url()}">庄科村09001户</a>' in text
    assert "用“添加成员”登记户主和家人" not in text
    assert '<span class="fp-hint">到庄科村09001户' in text
    services.undo_event(by=clerk, event=event, today=date(2018, 10, 9), reason="登记错了")
    assert "这一户已没有" not in client.get(home.get_absolute_url()).content.decode()


def test_page_of_a_household_that_never_had_members_invites_them(client, village):
    text = client.get(make_household(village).get_absolute_url()).content.decode()
    assert "用“添加成员”登记户主和家人" in text


def test_missing_new_head_is_said_once(client, family):
    page = check(client, of_person(family[0], "death"))
    assert [len(found) for found in errors(page).values()] == [1]


def test_newborn_registered_without_an_event_is_led_to_the_birth(client, family):
    head, wife, *_ = family
    page = client.post(
        url("resident-create"), person(head.household, mother_id_number=wife.id_number)
    )
    [warning] = page.context["warnings"]
    assert "不计入出生" in warning
    assert f'href="{of_person(wife, "birth")}">李芳的登记出生</a>' in page.content.decode()

    page = client.post(url("resident-create"), person(head.household))
    assert "从母亲或父亲的页面登记出生" in page.context["warnings"][0]
    page = client.post(url("resident-create"), person(head.household, change_reason="补登"))
    assert page.context["warnings"] == []
