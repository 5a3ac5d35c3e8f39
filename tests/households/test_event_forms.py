"""The form of each kind of event: what the clerk types becomes what the registry then says."""

from datetime import date

import pytest
from django.urls import reverse

from households import services
from households.models import ChildRecord, Household, LifeEvent, Resident
from tests.factories.households import make_household, make_id_number, make_resident
from tests.households.event_pages import check, errors, lines_of, of_home, of_person, save

TODAY = date(2018, 10, 9)
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(clerk, sign_in):
    return sign_in(clerk)


@pytest.fixture
def neighbours(village):
    """Another household: a widow and her grown daughter."""
    household = make_household(village, "00020")
    head = make_resident(household, "王桂英", sex="女", marital="丧偶", birth_date=date(1960, 1, 1))
    daughter = make_resident(
        household, "王小燕", sex="女", relation="女", birth_date=date(1994, 5, 5)
    )
    daughter.mother = head
    daughter.save()
    return head, daughter


def record(client, address, **data):
    """Through both steps; the check page."""
    page = check(client, address, **data)
    assert "effects" in page.context, errors(page)
    save(client, address, page)
    return page


def now(*people):
    return [Resident.objects.get(pk=p.pk) for p in people]


# Marriage ---------------------------------------------------------------------------------------


def test_marriage_of_two_registered_people_moves_the_wife(client, family, neighbours):
    head, wife, son, girl = family
    mother, bride = neighbours

    page = record(
        client,
        of_person(son, "marriage"),
        spouse_id_number=bride.id_number.lower(),
        mover="spouse",
    )

    assert lines_of(page)["王小燕", "与户主关系"] == ("女", "儿媳")
    assert lines_of(page)["王小燕", "家庭"] == ("庄科村00020户", "庄科村00016户")
    assert bride.id_number not in str(lines_of(page))
    son, bride = now(son, bride)
    assert (son.marital, bride.marital, bride.spouse_id) == ("初婚", "初婚", son.pk)
    assert (bride.household_id, bride.relation) == (head.household_id, "儿媳")


def test_marriage_of_a_head_who_moves_asks_for_the_next_head(client, clerk, family, neighbours):
    son = family[2]
    mother, bride = neighbours
    services.record_event(
        by=clerk, kind="head_change",
        values={"household": mother.household, "relations": {mother.pk: "母", bride.pk: "户主"}},
        happened_on=date(2018, 1, 1), today=TODAY,
    )  # fmt: skip
    address = of_person(son, "marriage")
    data = {"spouse_id_number": bride.id_number, "mover": "spouse"}

    refused = check(client, address, **data)
    assert errors(refused) == {"new_head": ["户主王小燕搬走后还有王桂英，请选新户主。"]}
    assert "留下的人的新户主" in refused.content.decode()

    page = record(client, address, new_head=mother.pk, **data)
    heads = {h.household: (h.before, h.after) for h in page.context["effects"].heads}
    assert heads == {"庄科村00020户": ("王小燕", "王桂英")}
    assert now(mother)[0].relation == "户主"


def test_marriage_with_somebody_not_registered_changes_one_person(client, family):
    son = family[2]
    number = make_id_number(date(1995, 1, 1), "女")

    page = record(client, of_person(son, "marriage"), spouse_id_number=number)

    assert "配偶没有在您的区划登记" in page.context["form"].notices[0]
    assert lines_of(page)["段小强", "配偶公民身份号码"] == ("—", f"539981********{number[-4:]}")
    assert now(son)[0].marital == "初婚"


def test_marriage_under_age_waits_for_the_tick(client, family, neighbours):
    son, bride = family[2], neighbours[1]
    address = of_person(son, "marriage")
    page = check(client, address, happened_on="20180101", spouse_id_number=bride.id_number)
    assert page.context["plan"].warnings == ["段小强结婚时21岁，不到法定婚龄22岁。"]

    again = save(client, address, page)
    assert again.context["fault"] == "请先核对提示，勾选后再登记。"
    assert not LifeEvent.objects.exists()
    save(client, address, again, confirmed="on")
    assert LifeEvent.objects.get().kind == "marriage"


@pytest.mark.parametrize(
    ("spouse", "field", "words"),
    [
        ("", "spouse_id_number", "请填配偶"),
        ("self", "spouse_id_number", "本人的号码"),
        ("12345", "spouse_id_number", "应为18位"),
        ("dead", "__all__", "去世"),
        ("married", "__all__", "请先登记离婚或丧偶"),
        ("man", "spouse_id_number", "一男一女"),
    ],
)
def test_marriage_is_refused_in_the_clerks_words(client, family, neighbours, spouse, field, words):
    head, wife, son, girl = family
    bride = neighbours[1]
    if spouse == "dead":
        Resident.objects.filter(pk=bride.pk).update(death_date=date(2018, 1, 1))
    numbers = {
        "self": son.id_number, "dead": bride.id_number, "married": wife.id_number,
        "man": make_resident(make_household(head.village), "赵大").id_number,
    }  # fmt: skip
    page = check(client, of_person(son, "marriage"), spouse_id_number=numbers.get(spouse, spouse))
    assert words in "".join(errors(page)[field])
    assert words in page.content.decode()


# Birth ------------------------------------------------------------------------------------------

BIRTH = {
    "child_name": "段小宝", "sex": "男", "order": "1", "within_policy": "yes",
    "other_parent": "spouse", "hukou": "农业", "residence": "常住",
}  # fmt: skip


def birth(mother, **more):
    return BIRTH | {"home": mother.household_id} | more


def test_birth_registers_the_child_and_the_history_of_the_mother(client, family):
    head, wife, *_ = family
    number = make_id_number(date(2018, 9, 1))

    page = record(
        client, of_person(wife, "birth"),
        **birth(wife, happened_on="", sex="", child_id_number=number, hospital="市医院"),
    )  # fmt: skip

    assert lines_of(page)["段小宝", "与户主关系"] == ("", "子")
    child = Resident.objects.get(name="段小宝")
    assert (child.mother_id, child.father_id) == (wife.pk, head.pk)
    assert (child.relation, child.birth_date, child.marital) == ("子", date(2018, 9, 1), "未婚")
    line = ChildRecord.objects.get()
    assert (line.child_id, line.order, line.within_policy, line.hospital) == (
        child.pk, 1, True, "市医院",
    )  # fmt: skip
    assert line.father_id == head.pk


def test_birth_with_the_fathers_number_and_of_an_unmarried_mother(client, family):
    girl = make_resident(
        family[0].household, "段小妹", sex="女", relation="女", birth_date=date(1995, 1, 1)
    )
    father = make_id_number(date(1994, 1, 1))
    address = of_person(girl, "birth")
    page = check(client, address, **birth(girl, other_parent="number", other_id_number=father))
    assert page.context["plan"].warnings == ["母亲婚姻状况是未婚。"]
    assert lines_of(page)["段小宝", "与户主关系"] == ("", "孙子女")
    save(client, address, page, confirmed="on")
    assert Resident.objects.get(name="段小宝").father_id_number == father


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"happened_on": "2018-10-10"}, "happened_on", "今天"),
        ({"happened_on": "昨天"}, "happened_on", "不是一个日期"),
        ({"other_parent": "number"}, "other_id_number", "请填父亲的公民身份号码"),
        ({"order": "3", "happened_on": "2016-01-01"}, "order", "孩次应按出生先后"),
        ({"within_policy": ""}, "within_policy", ""),
        ({"child_id_number": "539981201809010010"}, "child_id_number", "校验"),
    ],
)
def test_birth_is_refused_in_the_clerks_words(client, family, change, field, words):
    head, wife, *_ = family
    ChildRecord.objects.create(
        mother=wife, mother_id_number=wife.id_number, sex="女", order=2,
        mother_id_number_digest=wife.id_number_digest, birth_date=date(2017, 1, 1),
        within_policy=True,
    )  # fmt: skip
    page = check(client, of_person(wife, "birth"), **birth(wife, **change))
    assert words in "".join(errors(page)[field])


def test_mother_aged_nine_is_refused_at_the_day(client, family):
    wife = family[1]
    Resident.objects.filter(pk=wife.pk).update(birth_date=date(2009, 1, 1))
    page = check(client, of_person(wife, "birth"), **birth(wife, other_parent="unknown"))
    assert "母亲生育时9岁" in errors(page)["happened_on"][0]


# Arrivals ---------------------------------------------------------------------------------------

NEWCOMER = {
    "name": "赵新来", "birth_date": "", "sex": "", "marital": "未婚", "ethnicity": "汉",
    "relation": "其他", "hukou": "农业", "residence": "常住",
}  # fmt: skip


def test_move_in_of_somebody_new(client, family):
    number = make_id_number(date(1970, 1, 1))
    record(client, of_home(family[0].household, "move_in"), **NEWCOMER, id_number=number)
    person = Resident.objects.get(name="赵新来")
    assert (person.birth_date, person.sex) == (date(1970, 1, 1), "男")
    assert person.residencies.get().started_on == date(2018, 9, 1)


def test_move_in_into_a_new_household(client, family, village):
    number = make_id_number(date(1970, 1, 1))
    page = record(
        client, reverse("households:arrival-event", args=["move_in"]),
        **NEWCOMER | {"relation": "户主"}, id_number=number, household_choice="new",
        village=village.pk, number="00099",
    )  # fmt: skip
    assert page.context["effects"].founded == "庄科村00099户"
    assert Household.objects.get(number="00099").members.get().relation == "户主"


def test_move_in_by_number_of_somebody_who_left_is_that_person_again(client, family, clerk):
    son = _left(clerk, family[2])

    page = check(
        client, of_home(family[0].household, "move_in"),
        **NEWCOMER | {"name": "段小强", "relation": "子"}, id_number=son.id_number,
    )  # fmt: skip

    assert "已于2018-05-01离册" in page.context["form"].notices[0]
    save(client, of_home(family[0].household, "move_in"), page)
    son.refresh_from_db()
    assert son.departed_on is None
    assert Resident.objects.filter(name="段小强").count() == 1


def _left(clerk, person):
    services.record_event(
        by=clerk, kind="move_out", values={"members": [person]}, happened_on=date(2018, 5, 1),
        today=TODAY,
    )  # fmt: skip
    person.refresh_from_db()
    return person


def test_number_of_somebody_who_left_needs_the_name_too(
    client, family, clerk, sign_in, other_clerk
):
    son = _left(clerk, family[2])
    page = check(
        client, of_home(family[0].household, "move_in"), **NEWCOMER, id_number=son.id_number
    )
    assert errors(page) == {"name": ["这个号码登记的是段小强，请核对姓名。"]}


def test_somebody_who_left_another_township_is_taken_over_without_telling_their_past(
    family, clerk, sign_in, other_clerk, far_village
):
    son = _left(clerk, family[2])
    home = make_household(far_village, "00001")
    make_resident(home, "远处人")
    client, address = sign_in(other_clerk), of_home(home, "move_in")

    wrong = check(client, address, **NEWCOMER, id_number=son.id_number)
    assert "段小强" not in wrong.content.decode()
    assert errors(wrong) == {"id_number": ["这个号码已在本系统登记，请联系镇办。"]}

    page = check(client, address, **NEWCOMER | {"name": "段小强"}, id_number=son.id_number)
    assert "00016" not in page.content.decode()
    assert lines_of(page)["段小强", "家庭"] == ("辖区外", "远处村00001户")
    save(client, address, page)
    assert now(son)[0].household_id == home.pk


def test_inflow_of_a_departed_person_from_their_page(client, family, clerk):
    son = _left(clerk, family[2])
    address = of_person(son, "inflow")
    refused = check(
        client, address, village=son.village_id, number="00016", relation="子", hukou="农业",
        household_choice="existing",
    )  # fmt: skip
    assert errors(refused) == {"hukou_region_code": ["这个字段是必填项。"]}
    record(
        client, address, village=son.village_id, number="00016", relation="子", hukou="农业",
        household_choice="existing", hukou_region_code="530102",
    )  # fmt: skip
    assert now(son)[0].residence == "流入"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"id_number": ""}, "id_number", "满16岁"),
        ({"name": ""}, "name", "必填"),
        ({"marital": ""}, "marital", "必填"),
        ({"relation": "户主"}, "relation", "2位户主"),
        ({"residence": "流入"}, "hukou_region_code", "户籍地代码"),
        ({"happened_on": "1960-1-1"}, "happened_on", "早于出生日期"),
        ({"happened_on": "2018-12-1"}, "happened_on", "今天"),
    ],
)
def test_move_in_is_refused_in_the_clerks_words(client, family, change, field, words):
    data = NEWCOMER | {"birth_date": "1970-1-1", "sex": "男", "id_number": _NUMBER} | change
    page = check(client, of_home(family[0].household, "move_in"), **data)
    assert words in "".join(errors(page)[field])


_NUMBER = make_id_number(date(1970, 1, 1))


def test_registered_number_is_refused_with_who_has_it(client, family):
    data = NEWCOMER | {"id_number": family[2].id_number}
    page = check(client, of_home(family[0].household, "move_in"), **data)
    assert errors(page)["id_number"] == ["这个号码已登记：段小强，庄科村00016户。"]


# Households -------------------------------------------------------------------------------------


def test_split_founds_the_next_household_with_relations_worked_out(client, family, village):
    head, wife, son, girl = family
    bride = make_resident(
        head.household, "杨梅", sex="女", relation="儿媳", birth_date=date(1997, 1, 1)
    )
    baby = make_resident(
        head.household, "段安安", relation="孙子女", birth_date=date(2018, 1, 1), id_number=""
    )
    address = of_home(head.household, "split")
    assert client.get(address).context["form"]["number"].value() == "00017"

    page = record(
        client, address, members=[son.pk, bride.pk, baby.pk], target_choice="new", number="00017"
    )

    assert page.context["effects"].founded == "庄科村00017户"
    home = Household.objects.get(number="00017")
    relations = dict(home.members.values_list("name", "relation"))
    assert relations == {"段小强": "户主", "杨梅": "配偶", "段安安": "子"}


def test_split_of_the_whole_household_or_to_a_taken_number_is_refused(client, family, neighbours):
    household = family[0].household
    everybody = check(
        client, of_home(household, "split"), members=[p.pk for p in family], target_choice="new",
        number="00017",
    )  # fmt: skip
    assert errors(everybody) == {"members": ["全家都分出去就不是分户，请用户间变动。"]}
    taken = check(
        client, of_home(household, "split"), members=[family[2].pk], target_choice="new",
        number="00020",
    )  # fmt: skip
    assert errors(taken) == {"number": ["庄科村已有户编号00020，请改用别的编号。"]}
    full = check(
        client, of_home(household, "split"), members=[family[2].pk], target_choice="empty",
        number="00020",
    )  # fmt: skip
    assert "不是空户" in errors(full)["number"][0]


def test_split_into_an_empty_household(client, family, village):
    empty = make_household(village, "00030")
    record(
        client, of_home(family[0].household, "split"), members=[family[2].pk],
        target_choice="empty", number="00030",
    )  # fmt: skip
    assert empty.members.get().relation == "户主"


def test_merge_moves_everybody_with_the_relations_chosen(client, family, neighbours, village):
    mother, daughter = neighbours
    address = of_home(mother.household, "merge")
    same = check(client, address, target_village=village.pk, target_number="00020")
    assert errors(same) == {"target_number": ["就是本户，不用变动。请核对户编号。"]}
    record(
        client, address, target_village=village.pk, target_number="00016",
        **{f"relation_{mother.pk}": "母"},
    )  # fmt: skip
    mother, daughter = now(mother, daughter)
    assert (mother.relation, daughter.relation) == ("母", "其他")
    assert mother.household.number == daughter.household.number == "00016"


def test_change_of_head_proposes_everybodys_relation(client, family):
    head, wife, son, girl = family
    address = f"{of_home(head.household, 'head_change')}?member={wife.pk}"
    assert client.get(address).context["form"]["new_head"].value() == str(wife.pk)
    record(client, address, new_head=wife.pk, **{f"relation_{girl.pk}": "其他"})
    assert [p.relation for p in now(*family)] == ["配偶", "户主", "子", "其他"]


def test_two_heads_and_no_change_are_refused(client, family):
    head, wife, son, girl = family
    address = of_home(head.household, "head_change")
    two = check(client, address, new_head=wife.pk, **{f"relation_{son.pk}": "户主"})
    assert errors(two) == {"new_head": ["00016户会有2位户主，每户只能有一位。"]}


def test_move_to_another_household_keeps_the_person_on_the_books(
    client, family, neighbours, village
):
    head, wife, son, girl = family
    address = of_home(head.household, "household_move")
    where = {"target_village": village.pk, "target_number": "00020"}
    page = record(client, address, members=[girl.pk], **where)
    assert lines_of(page)["段小丽", "与户主关系"] == ("女", "其他")
    assert "是否在册" not in {label for _, label in lines_of(page)}
    missing = check(client, address, members=[son.pk], target_village=village.pk, target_number="9")
    assert errors(missing) == {"target_number": ["庄科村没有户编号9，请核对。"]}


def test_village_of_another_township_is_no_choice(client, family, far_village):
    make_household(far_village, "00001")
    page = check(
        client, of_home(family[0].household, "household_move"), members=[family[3].pk],
        target_village=far_village.pk, target_number="00001",
    )  # fmt: skip
    assert "target_village" in errors(page)
    assert "远处村" not in page.content.decode()


# Away, back, hukou, correction, divorce -----------------------------------------------------------


def test_outflow_and_return(client, family):
    girl = family[3]
    record(client, of_home(girl.household, "outflow"), members=[girl.pk], note="深圳")
    assert now(girl)[0].residence == "流出"
    back = client.get(of_home(girl.household, "return")).content.decode()
    assert back.count('name="members"') == 1
    record(client, of_home(girl.household, "return"), members=[girl.pk], happened_on="2018-10-1")
    assert now(girl)[0].residence == "常住"


def test_nobody_ticked_is_refused(client, family):
    page = check(client, of_home(family[0].household, "outflow"))
    assert errors(page) == {"members": ["请勾选流出的人，至少一人"]}


def test_hukou_change(client, family):
    address = of_home(family[0].household, "hukou_change")
    nothing = check(client, address, members=[family[3].pk])
    assert errors(nothing) == {"hukou": ["请选新的户口性质，或填新的户籍地代码。"]}
    record(client, address, members=[family[3].pk, family[2].pk], hukou="非农业")
    assert {p.hukou for p in now(family[2], family[3])} == {"非农业"}


def test_correction_of_identity_keeps_the_number_unless_typed(client, family):
    son = family[2]
    address = of_person(son, "correction")
    data = {"name": "段小刚", "birth_date": "1996-03-03", "sex": "男"}
    page = record(client, address, **data)
    assert lines_of(page) == {("段小强", "姓名"): ("段小强", "段小刚")}
    assert (now(son)[0].name, now(son)[0].id_number) == ("段小刚", son.id_number)
    wrong = check(client, address, **data | {"birth_date": "1996-03-04"})
    assert "不一致" in errors(wrong)["birth_date"][0]


def test_divorce_changes_both(client, family):
    head, wife, *_ = family
    record(client, of_person(wife, "divorce"))
    assert [p.marital for p in now(head, wife)] == ["离婚", "离婚"]


def test_death_before_birth_and_in_the_future_are_refused(client, family):
    girl = family[3]
    early = check(client, of_person(girl, "death"), happened_on="2010-3-2")
    assert "早于段小丽的出生日期" in errors(early)["happened_on"][0]
    late = check(client, of_person(girl, "death"), happened_on="2018-10-10")
    assert "只登记已经发生的事" in errors(late)["happened_on"][0]


def test_change_by_somebody_else_between_check_and_save_is_shown_first(client, family, clerk):
    girl = family[3]
    address = of_home(girl.household, "hukou_change")
    page = check(client, address, members=[girl.pk], hukou="非农业", hukou_region_code="530102")
    Resident.objects.filter(pk=girl.pk).update(hukou="非农业")

    again = save(client, address, page)

    assert "刚才有人改过" in again.context["fault"]
    assert not LifeEvent.objects.exists()
    save(client, address, again)
    assert LifeEvent.objects.get().kind == "hukou_change"


def test_same_page_sent_twice_records_once(client, family):
    girl = family[3]
    address = of_person(girl, "death")
    token = client.get(address).content.decode().split('name="once" value="')[1][:43]
    page = check(client, address, once=token)
    save(client, address, page)
    save(client, address, page)
    assert LifeEvent.objects.count() == 1


@pytest.mark.parametrize("kind", ["birth", "death", "marriage", "divorce"])
def test_household_page_asks_whom_an_event_of_a_person_is_about(client, family, kind):
    page = client.get(of_home(family[0].household, kind)).content.decode()
    able = {"birth": family[1], "death": family[3], "marriage": family[2], "divorce": family[0]}
    assert of_person(able[kind], kind) in page
