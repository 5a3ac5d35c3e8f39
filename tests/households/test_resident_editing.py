"""Register and edit residents in the browser's way: forms, checks, conflicts, the number field."""

import re
from datetime import date

import pytest
from django.urls import reverse

from households.models import Household, Residency, Resident
from tests.factories.accounts import make_region, make_user
from tests.factories.households import make_household, make_id_number, make_resident


def url(name, *args):
    return reverse(f"households:{name}", args=args)


def new_person(household, **extra):
    return {
        "name": "段敏丽",
        "id_number": "",
        "birth_date": "2018-05-29",
        "sex": "女",
        "ethnicity": "汉",
        "household_choice": "existing",
        "village": household.village_id,
        "number": household.number,
        "relation": "女",
        "hukou": "农业",
        "residence": "常住",
        "marital": "未婚",
        "changed_on": "20180529",
        "change_reason": "出生",
        "step": "save",
    } | extra


def opened_form(client, resident):
    """The hidden values and fields of the edit page, as a browser would send them back."""
    page = client.get(url("resident-edit", resident.pk))
    form = page.context["form"]
    data = {n: form[n].value() for n in form.fields if form[n].value() is not None}
    return data | {
        "row_version": page.context["row_version"],
        "opened": page.context["opened"],
        "step": "save",
    }


# Register ---------------------------------------------------------------------------------------


def test_a_newborn_without_number_is_registered(clerk, sign_in, household, head):
    response = sign_in(clerk).post(url("resident-create"), new_person(household))

    child = Resident.objects.get(name="段敏丽")
    assert response["Location"] == child.get_absolute_url()
    assert child.id_number_digest is None
    assert child.name_initials == "dml"
    spell = child.residencies.get()
    assert (spell.started_on, spell.reason) == (date(2018, 5, 29), "出生")


def test_everything_is_shown_before_it_is_saved(clerk, sign_in, household, head):
    client = sign_in(clerk)

    page = client.post(url("resident-create"), new_person(household, step="check"))

    assert "还没有保存" in page.content.decode()
    assert Resident.objects.count() == 1
    back = client.post(url("resident-create"), new_person(household, step="back"))
    assert 'value="段敏丽"' in back.content.decode()


def test_a_person_is_registered_in_a_new_household(clerk, sign_in, village, household):
    group = make_region("53998100120105", "5组")
    number = make_id_number(date(1983, 6, 1), "男")
    data = new_person(
        household, name="王某", id_number=f"{number[:6]} {number[6:]}", birth_date="", sex="",
        household_choice="new", number="00099", group="5", address="某路1号", relation="户主",
    )  # fmt: skip

    sign_in(clerk).post(url("resident-create"), data)

    person = Resident.objects.get(name="王某")
    assert (person.id_number, person.birth_date, person.sex) == (number, date(1983, 6, 1), "男")
    assert person.household.group == group
    assert person.household.number == "00099"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"name": ""}, "请填写姓名"),
        ({"relation": ""}, "请选择与户主关系"),
        ({"village": "999"}, "村（社区）没有这个选项"),
        ({"id_number": "539981201805290021"}, "校验位不符"),
        ({"id_number": "12345"}, "应为18位"),
        ({"birth_date": "2018-13-1"}, "不是一个日期"),
        ({"birth_date": "2018-10-10"}, "出生日期不能晚于今天（2018年10月9日）"),
        ({"birth_date": "2000-1-1"}, "满16岁的居民要填公民身份号码"),
        ({"relation": "户主"}, "本户已有户主段光超，请改选与户主的关系"),
        ({"number": "404"}, "没有户编号404"),
        ({"household_choice": "new"}, "已有户编号00016"),
        ({"household_choice": "new", "number": "1", "group": "9组"}, "没有小组"),
        ({"residence": "流入"}, "流入人口要填户籍地代码"),
        ({"residence": "流入", "hukou_region_code": "99"}, "应是6位以上数字"),
        ({"residence": "流入", "hukou_region_code": "990000"}, "不是省级代码"),
        ({"death_date": "2018-05-28"}, "死亡日期不能早于出生日期"),
        ({"changed_on": "2018-05-28"}, "日期不能早于出生日期"),
        ({"changed_on": "2019-01-01"}, "日期不能晚于今天"),
        ({"first_marriage_date": "2028-6-30"}, "初婚日期不能晚于今天"),
        ({"mother_id_number": "123"}, "应为18位"),
    ],
)  # fmt: skip
def test_wrong_input_comes_back_with_its_message(clerk, sign_in, household, head, extra, message):
    page = sign_in(clerk).post(url("resident-create"), new_person(household, **extra))

    assert page.status_code == 200
    assert message in page.content.decode()
    assert Resident.objects.count() == 1
    assert Household.objects.count() == 1


def test_number_that_contradicts_birth_date_and_sex_is_refused(clerk, sign_in, household, head):
    number = make_id_number(date(2018, 5, 29), "女")
    data = new_person(household, id_number=number, birth_date="2018-05-28", sex="男")

    page = sign_in(clerk).post(url("resident-create"), data).content.decode()

    assert "与公民身份号码里的出生日期2018-05-29不一致" in page
    assert "与公民身份号码里的性别女不一致" in page


def test_known_number_names_its_holder_inside_the_region_only(
    clerk, other_clerk, sign_in, household, head, far_village
):
    own = new_person(household, id_number=head.id_number, birth_date="", sex="男")
    away = new_person(
        make_household(far_village, "7"), id_number=head.id_number, birth_date="", sex="男"
    )

    inside = sign_in(clerk).post(url("resident-create"), own).content.decode()
    outside = sign_in(other_clerk).post(url("resident-create"), away).content.decode()

    assert "这个号码已登记：段光超，庄科村00016户" in inside
    assert "已在本系统登记，请联系镇办" in outside
    assert "段光超" not in outside


def test_odd_marriage_is_a_warning_and_comes_in(clerk, sign_in, household, head):
    number = make_id_number(date(1999, 1, 1), "女")
    data = new_person(
        household, id_number=number, birth_date="", marital="初婚", first_marriage_date="20160101",
        changed_on="",
    )  # fmt: skip
    client = sign_in(clerk)

    check = client.post(url("resident-create"), data | {"step": "check"}).content.decode()
    client.post(url("resident-create"), data)

    assert "初婚时17岁，不到法定婚龄20岁" in check
    assert Resident.objects.filter(name="段敏丽").exists()


def test_double_submit_of_a_newborn_makes_one(clerk, sign_in, household, head):
    client = sign_in(clerk)

    for _ in range(2):
        page = client.post(url("resident-create"), new_person(household))

    assert Resident.objects.filter(name="段敏丽").count() == 1
    assert "本户已登记了同名、同日出生的人" in page.content.decode()


def test_posted_foreign_household_changes_nothing(clerk, sign_in, household, far_village):
    foreign = make_household(far_village, "7")
    client = sign_in(clerk)

    page = client.post(url("resident-create"), new_person(foreign))
    new = client.post(
        url("resident-create"), new_person(foreign, household_choice="new", number="8")
    )

    assert page.status_code == new.status_code == 200
    assert "远处村" not in page.content.decode()
    assert not Resident.objects.exists()
    assert Household.objects.count() == 2
    assert client.get(f"{url('resident-create')}?household={foreign.pk}").status_code == 404


def test_register_page_is_for_those_who_may_edit(propagandist, client, clerk, sign_in, household):
    assert sign_in(propagandist).get(url("resident-create")).status_code == 403
    assert sign_in(propagandist).post(url("resident-create"), {}).status_code == 403
    assert client.get(url("resident-create")).status_code == 302
    page = sign_in(clerk).get(f"{url('resident-create')}?household={household.pk}")
    assert 'value="00016"' in page.content.decode()


# Edit -------------------------------------------------------------------------------------------


def test_edit_corrects_a_field_without_a_new_spell(clerk, sign_in, head):
    client = sign_in(clerk)

    response = client.post(
        url("resident-edit", head.pk), opened_form(client, head) | {"education": "初中"}
    )

    head.refresh_from_db()
    assert response.status_code == 302
    assert (head.education, head.row_version) == ("初中", 1)
    assert head.residencies.count() == 1
    assert head.id_number  # left blank on the form, so it stays


def test_edit_of_residence_needs_its_day_and_opens_a_spell(clerk, sign_in, head):
    client = sign_in(clerk)
    data = opened_form(client, head) | {"residence": "流出"}

    refused = client.post(url("resident-edit", head.pk), data)
    client.post(
        url("resident-edit", head.pk), data | {"changed_on": "2018-9-1", "change_reason": "流出"}
    )

    assert "要填变动日期" in refused.content.decode()
    old, new = Residency.objects.filter(resident=head).order_by("pk")
    assert (old.ended_on, new.started_on, new.residence) == (
        date(2018, 9, 1), date(2018, 9, 1), "流出",
    )  # fmt: skip


def test_edit_page_keeps_identifiers_to_itself(clerk, sign_in, household):
    person = make_resident(household, phone="13000008404")

    page = sign_in(clerk).get(url("resident-edit", person.pk)).content.decode()

    assert person.id_number not in page
    assert "13000008404" not in page
    assert "现为130****8404" in page


def test_edit_clears_an_identifier_by_word(clerk, sign_in, household):
    person = make_resident(household, phone="13000008404", phone_digest="x")
    client = sign_in(clerk)

    client.post(url("resident-edit", person.pk), opened_form(client, person) | {"phone": "清空"})

    person.refresh_from_db()
    assert (person.phone, person.phone_digest) == ("", "")


@pytest.mark.parametrize("version", ["", "x", "-1"])
def test_edit_without_version_is_a_bad_request(clerk, sign_in, head, version):
    client = sign_in(clerk)
    data = opened_form(client, head) | {"row_version": version}

    assert client.post(url("resident-edit", head.pk), data).status_code == 400


def test_second_of_two_clerks_sees_both_versions_and_chooses(
    clerk, reviewer, sign_in, township, head
):
    second = make_user("clerk", township, "clerk-2", name="李四")
    mine, theirs = sign_in(clerk), sign_in(second)
    my_form, their_form = opened_form(mine, head), opened_form(theirs, head)
    theirs.post(
        url("resident-edit", head.pk),
        their_form | {"education": "高中", "employment": "务农", "bank": "农信社"},
    )

    page = mine.post(
        url("resident-edit", head.pk), my_form | {"education": "初中", "note": "我写的"}
    )

    assert page.status_code == 409
    shown = {d.name: (d.opened, d.mine, d.theirs) for d in page.context["differences"]}
    assert shown["education"] == ("—", "初中", "高中")
    assert shown["employment"] == ("—", "—", "务农")
    assert "李四" in page.content.decode()
    head.refresh_from_db()
    assert (head.education, head.note) == ("高中", "")

    chosen = dict(page.context["posted"]) | {
        "row_version": page.context["row_version"],
        "opened": page.context["opened"],
        "use_education": "mine",
        "use_employment": "theirs",
        "use_bank": "theirs",
        "step": "resolve",
    }
    assert mine.post(url("resident-edit", head.pk), chosen).status_code == 302
    head.refresh_from_db()
    assert (head.education, head.employment, head.bank, head.note) == (
        "初中",
        "务农",
        "农信社",
        "我写的",
    )


def test_edit_is_404_elsewhere_and_403_without_the_right(
    clerk, other_clerk, propagandist, sign_in, head
):
    data = opened_form(sign_in(clerk), head) | {"name": "改名"}

    assert sign_in(other_clerk).get(url("resident-edit", head.pk)).status_code == 404
    assert sign_in(other_clerk).post(url("resident-edit", head.pk), data).status_code == 404
    assert sign_in(propagandist).post(url("resident-edit", head.pk), data).status_code == 403
    head.refresh_from_db()
    assert head.name == "段光超"


def test_edit_cannot_move_somebody_out_of_the_region(clerk, sign_in, head, far_village):
    foreign = make_household(far_village, "7")
    client = sign_in(clerk)
    data = opened_form(client, head) | {
        "village": far_village.pk, "number": foreign.number, "changed_on": "2018-09-01",
    }  # fmt: skip

    page = client.post(url("resident-edit", head.pk), data)

    head.refresh_from_db()
    assert page.status_code == 200
    assert (head.village, head.row_version) == (head.household.village, 0)


def test_history_tells_what_changed_without_values_of_personal_fields(clerk, sign_in, head):
    client = sign_in(clerk)
    data = opened_form(client, head) | {
        "education": "初中", "hukou": "非农业", "changed_on": "2018-9-1",
    }  # fmt: skip
    client.post(url("resident-edit", head.pk), data)

    page = client.get(url("resident-history", head.pk)).content.decode()

    assert "修改居民" in page
    assert "文化程度：<ins>已变更</ins>" in page
    assert "户口性质：<del>农业</del> → <ins>非农业</ins>" in page
    assert "初中" not in page


# The number field -------------------------------------------------------------------------------


def check(client, **data):
    return client.post(
        url("id-number-check"), data, headers={"HX-Request": "true"}
    ).content.decode()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("53998119830601001x", None),
        ("５３９９８１１９８３０６０１００１", None),
        ("539981 19830601 0014", "校验位　不符"),
        ("539981198313010013", "没有这一天"),
        ("999981198306010013", "不是省级代码"),
        ("539981830601001", "1983-06-01出生"),
        ("5399", "应为18位，现在是4位"),
        ("", None),
    ],
)
def test_number_is_read_back_in_parts(clerk, sign_in, village, typed, shown):
    page = check(sign_in(clerk), id_number=typed)

    if shown:
        assert shown in page


def test_valid_number_fills_birth_date_sex_and_age(clerk, sign_in, village):
    page = check(sign_in(clerk), id_number=make_id_number(date(2018, 5, 29), "女"))

    assert 'value="2018-05-29"' in page
    assert 'hx-swap-oob="true"' in page
    assert re.search(r'value="女"[^>]*checked', page)
    assert "4个月" in page
    assert "安宁市" in page


def test_existing_person_is_named_in_scope_only(clerk, other_clerk, sign_in, head, other_township):
    inside = check(sign_in(clerk), id_number=head.id_number)
    outside = check(sign_in(other_clerk), id_number=head.id_number)
    itself = check(sign_in(clerk), id_number=head.id_number, resident=head.pk)

    assert head.get_absolute_url() in inside
    assert "已在本系统登记，请联系镇办" in outside
    assert "段光超" not in outside
    assert "已登记" not in itself


def test_relative_is_named_in_scope_only(clerk, other_clerk, sign_in, head, other_township):
    inside = check(sign_in(clerk), mother_id_number=head.id_number)
    outside = check(sign_in(other_clerk), mother_id_number=head.id_number)

    assert "段光超，庄科村00016户，1983年出生" in inside
    assert "段光超" not in outside


def test_number_check_is_for_those_who_edit_or_propose(
    auditor, propagandist, clerk, client, sign_in, village
):
    assert sign_in(auditor).post(url("id-number-check"), {}).status_code == 403
    assert sign_in(propagandist).post(url("id-number-check"), {}).status_code == 200
    assert sign_in(clerk).get(url("id-number-check")).status_code == 405
    assert client.post(url("id-number-check"), {}).status_code == 302
