"""One person's case and the letter: criteria, verdict, when an age is reached, who may know what."""

from datetime import date

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from households.models import Resident
from tests.factories.benefits import (
    make_application,
    make_enrolment,
    make_old_couple,
    set_rate,
    switch_on,
)
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.special import make_bereaved

pytestmark = pytest.mark.django_db


def case(client, resident, **query):
    page = client.get(reverse("subsidies:eligibility-person", args=[resident.pk]), query)
    assert page.status_code == 200
    return page


def letter(client, resident, **query):
    page = client.get(reverse("subsidies:eligibility-letter", args=[resident.pk]), query)
    assert page.status_code == 200
    return page


def test_every_criterion_shows_with_value_and_document(couple, clerk, sign_in):
    page = case(sign_in(clerk), couple[0])

    told, text = page.context["told"], page.content.decode()
    assert told.title == "2018年度符合：8项条件都满足"
    assert {line.state for line in told.lines} == {"yes"}
    assert "1950-03-04出生，2018-12-31满68周岁" in text
    assert "试行文件" in text
    assert "现在申请，从2018年1月起每年960.00元" in text
    assert "960.00元/人·年" in text
    assert "一个女孩" in text
    assert couple[0].id_number not in text


@pytest.mark.parametrize(
    ("born", "as_of", "holds"),
    [
        (date(1958, 10, 9), "2018-10-09", True),  # 60 that day
        (date(1958, 10, 8), "2018-10-09", True),
        (date(1958, 10, 10), "2018-10-09", False),
        (date(1958, 12, 31), "2018-12-31", True),
        (date(1959, 1, 1), "2018-12-31", False),
        (date(1932, 12, 31), "2018-12-31", False),
        (date(1933, 1, 1), "2018-12-31", True),
    ],
    ids=str,
)
def test_boundaries(village, rural, clerk, sign_in, born, as_of, holds):
    head, _ = make_old_couple(village, born=born)

    told = case(sign_in(clerk), head, as_of=as_of).context["told"]

    assert (told.outcome == "yes") == holds
    assert len(told.missing) == (0 if holds else 1)


def test_age_alone_missing_tells_the_day_and_the_money(village, rural, clerk, sign_in):
    head, _ = make_old_couple(village, born=date(1959, 5, 8))

    page = case(sign_in(clerk), head)

    told, text = page.context["told"], page.content.decode()
    assert told.title == "2018年度不符合：8项条件中1项不满足"
    assert told.ahead.day == date(2019, 5, 8)
    assert told.ahead.start == date(2019, 1, 1)
    assert "2019年5月8日" in text
    assert "从2019年1月起每年960.00元" in text


def test_born_on_29_february_reaches_the_age_on_1_march(village, rural, clerk, sign_in):
    head, _ = make_old_couple(village, born=date(1960, 2, 29))
    switch_on(
        "CN-RURAL",
        village.parent,
        date(2018, 1, 1),
        criteria=["registered_here", {"age": {"min": 61}}],
    )

    told = case(sign_in(clerk), head).context["told"]

    assert told.ahead.day == date(2021, 3, 1)


@pytest.mark.parametrize("what", ["hukou", "too_old", "two_ages"])
def test_no_day_is_promised_where_time_alone_does_not_help(village, county, clerk, sign_in, what):
    criteria = {
        "hukou": [{"hukou": "农业"}, {"age": {"min": 60}}],
        "too_old": [{"age": {"max": 50}}],
        "two_ages": [{"age": {"min": 60}}, {"child_age": {"max": 35}}],  # over by then
    }[what]
    switch_on("CN-RURAL", county, criteria=["registered_here", *criteria])
    head, _ = make_old_couple(village, born=date(1962, 1, 1), hukou="非农业")

    told = case(sign_in(clerk), head).context["told"]

    assert told.outcome == "no"
    assert told.ahead is None


def test_rate_of_the_place_holds(couple, county, clerk, sign_in):
    set_rate("CN-RURAL", county, 1080)

    assert "每年1,080.00元" in case(sign_in(clerk), couple[0]).content.decode()


def test_attested_policy_waits_for_proof(couple, county, clerk, sign_in):
    switch_on("YN-MEDICAL", county)

    page = case(sign_in(clerk), couple[0], policy="YN-MEDICAL")

    assert page.context["told"].outcome == "proof"
    assert "待证明" in page.content.decode()
    assert "候选人" in page.content.decode()


def test_roll_and_application_are_told(couple, clerk, sign_in):
    head, wife = couple
    make_enrolment(head)
    make_application(wife, clerk, state="village")
    client = sign_in(clerk)

    first, second = case(client, head).content.decode(), case(client, wife).content.decode()

    assert "已在册，从2015年1月起" in first
    assert "申请正在办理：待村级评议" in second


def test_couple_policy_says_through_whom(village, county, clerk, sign_in):
    switch_on("SD-ONLY-CHILD", county)
    head, wife = make_old_couple(village, born=date(1980, 1, 1))
    wife.births.update(birth_date=date(2010, 1, 1))
    Resident.objects.filter(pk=head.pk).update(only_child_cert_no="1")
    make_birth(wife, date(2005, 1, 1), order=2)

    page = case(sign_in(clerk), wife, policy="SD-ONLY-CHILD")

    assert page.context["told"].through == "配偶陶有田"
    assert "按配偶陶有田的情况核查：夫妻一份" in page.content.decode()


def test_others_show_person_spouse_and_household(couple, county, village, clerk, sign_in):
    head, wife = couple
    switch_on("LOCAL-DIBAO", county)
    switch_on("SD-URBAN", county)
    switch_on("YN-MEDICAL", county)
    make_enrolment(head)
    old = make_resident(head.household, "陶老", relation="其他", birth_date=date(1930, 1, 1))
    make_enrolment(old, "YN-MEDICAL")

    others = case(sign_in(clerk), wife).context["others"]

    assert [(one.who, one.policy.code, one.word) for one in others.items] == [
        ("配偶陶有田", "CN-RURAL", "在享"),
        ("同户陶老", "YN-MEDICAL", "在享"),
        ("", "YN-MEDICAL", "待证明"),
        ("配偶陶有田", "YN-MEDICAL", "待证明"),
        ("", "SD-URBAN", "不符合"),
        ("配偶陶有田", "SD-URBAN", "不符合"),
        ("本户", "LOCAL-DIBAO", "不符合"),
    ]
    assert "本人为非农业户口：农业" in [one.hint for one in others.items]


def test_two_excluding_policies_are_called_out(couple, county, clerk, sign_in):
    switch_on("SD-URBAN", county)
    make_enrolment(couple[0])
    make_enrolment(couple[0], "SD-URBAN")

    page = case(sign_in(clerk), couple[0])

    assert "陶有田同时在享" in page.content.decode()
    assert page.context["others"].drawn == ["农村部分计划生育家庭奖励扶助", "城镇其他居民奖励扶助"]


def test_one_that_another_excludes_is_no_free_choice(couple, county, clerk, sign_in):
    switch_on("SD-URBAN", county, criteria=["registered_here"])
    make_enrolment(couple[0])

    [other] = [
        one
        for one in case(sign_in(clerk), couple[0]).context["others"].items
        if one.policy.code == "SD-URBAN" and not one.who
    ]

    assert other.word == "有冲突"
    assert "不能同时享受" in other.hint


def test_hidden_roll_is_not_told_to_a_propagandist(village, county, propagandist, clerk, sign_in):
    switch_on("SD-URBAN", county, criteria=["registered_here"])
    drawing, _ = make_bereaved(village)
    make_enrolment(drawing, "CN-SPECIAL-DEATH")
    other = make_resident(make_household(village), "无关")

    seen = case(sign_in(propagandist), drawing, policy="SD-URBAN").context["told"]
    same = case(sign_in(propagandist), other, policy="SD-URBAN").context["told"]
    known = case(sign_in(clerk), drawing, policy="SD-URBAN").context["told"]

    assert seen.outcome == same.outcome == "proof"
    assert [line.value for line in seen.open] == ["由镇（街道）核对"]
    assert known.outcome == "no"
    assert "独生子女死亡" in known.missing[0].value


def test_sensitive_policy_is_not_there_for_a_propagandist(couple, propagandist, clerk, sign_in):
    for page in ("person", "letter"):
        url = reverse(f"subsidies:eligibility-{page}", args=[couple[0].pk])
        query = {"policy": "CN-SPECIAL-DEATH"}
        assert sign_in(propagandist).get(url, query).status_code == 404
        assert sign_in(clerk).get(url, query).status_code == 200
    text = case(sign_in(propagandist), couple[0]).content.decode()
    assert "特别扶助" not in text


def test_spouse_registered_elsewhere_shows_no_values(
    village, other_village, rural, propagandist, sign_in
):
    head, wife = make_old_couple(village)
    home = make_household(other_village)
    Resident.objects.filter(pk=wife.pk).update(household=home, village=other_village)

    text = case(sign_in(propagandist), head).content.decode()

    assert "配偶登记在别处" in text
    assert "配偶为农业户口</td>" not in text
    assert "宋桂兰" not in text


def test_another_village_is_not_found(couple, other_propagandist, other_clerk, sign_in):
    for user in (other_propagandist, other_clerk):
        for page in ("person", "letter"):
            url = reverse(f"subsidies:eligibility-{page}", args=[couple[0].pk])
            assert sign_in(user).get(url).status_code == 404


def test_opening_is_recorded_and_a_sensitive_one_apart(couple, county, clerk, sign_in):
    client = sign_in(clerk)
    case(client, couple[0])
    case(client, couple[0], policy="CN-SPECIAL-DEATH")
    switch_on("CN-SPECIAL-DEATH", county)
    make_enrolment(couple[1], "CN-SPECIAL-DEATH")
    case(client, couple[0])  # shows that the spouse draws it

    events = AuditEvent.objects.filter(type__startswith="eligibility.").order_by("pk")

    assert [event.type for event in events] == [
        "eligibility.viewed", "eligibility.sensitive_viewed", "eligibility.sensitive_viewed",
    ]  # fmt: skip
    assert {event.target_id for event in events} == {str(couple[0].pk)}
    assert {str(event.changes) for event in events} == {"{}"}


def test_undone_registration_is_led_back(village, rural, clerk, sign_in):
    person = make_resident(make_household(village), departed_on=date(2018, 1, 1))
    person.residencies.all().delete()

    answer = sign_in(clerk).get(reverse("subsidies:eligibility-person", args=[person.pk]))

    assert answer.status_code == 302


def test_wrong_day_is_said_and_the_usual_one_shown(couple, clerk, sign_in):
    page = case(sign_in(clerk), couple[0], as_of="2018-2-30")

    assert page.context["told"].question.day == date(2018, 12, 31)
    assert "不是一个日期" in page.content.decode()


def test_case_asks_as_often_for_many(
    couple, village, county, clerk, sign_in, assert_query_count_does_not_grow
):
    for code in ("SD-ONLY-CHILD", "LOCAL-DIBAO", "YN-SCHOLARSHIP", "SD-URBAN"):
        switch_on(code, county)
    client = sign_in(clerk)
    head, wife = couple

    def grow():
        for n in range(4):
            child = make_resident(
                head.household, f"陶{n}", relation="子", birth_date=date(2000, 1, 1 + n)
            )
            make_birth(
                wife, child.birth_date, father=head, child=child, order=1 + wife.births.count()
            )
            make_enrolment(child, "YN-SCHOLARSHIP")
            make_enrolment(make_old_couple(village)[0])

    # The first child adds what asks for its parents; more add nothing.
    grow()
    assert_query_count_does_not_grow(lambda: case(client, head), grow)


def test_letter_says_each_criterion_and_what_to_do(village, rural, clerk, sign_in):
    head, _ = make_old_couple(village, born=date(1959, 5, 8), hukou="非农业")

    text = letter(sign_in(clerk), head).content.decode()

    for words in (
        "关于享受农村部分计划生育家庭奖励扶助的答复",
        "按2018年10月9日的登记资料，依据“试行文件”（本地第2版，2004年1月1日起执行）逐项核对，"
        "年龄算到2018年12月31日，结果如下：",
        "条件“年满60周岁”：不满足，查到的情况是：1959-05-08出生，2018-12-31满59周岁。",
        "条件“本人为农业户口”：不满足，查到的情况是：非农业。",
        "其中3项不满足，因此目前不符合",
        "申请更正",
        "禄脿街道（盖章）",
        "2018年10月9日",
    ):
        assert words in text, words
    assert head.id_number not in text


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("free", "登记申请，经评议、审核和确认后，从2018年1月起每年960.00元"),
        ("enrolled", "已登记在册，从2015年1月起"),
        ("applied", "的申请正在办理（填写中）"),
        ("young", "到2019年5月8日您就符合年龄条件"),
        ("proof", "的材料到庄科村登记申请"),
    ],
)
def test_letter_ends_with_what_fits(village, county, rural, clerk, sign_in, state, words):
    born = date(1959, 5, 8) if state == "young" else date(1950, 3, 4)
    head, _ = make_old_couple(village, born=born)
    if state == "enrolled":
        make_enrolment(head)
    if state == "applied":
        make_application(head, clerk)
    query = {"policy": "YN-MEDICAL"} if state == "proof" else {}

    assert words in letter(sign_in(clerk), head, **query).content.decode()


def test_letter_of_a_village_is_the_townships_and_its_print_is_recorded(
    couple, propagandist, sign_in
):
    text = letter(sign_in(propagandist), couple[0]).content.decode()

    assert "禄脿街道（盖章）" in text
    event = AuditEvent.objects.get(type="eligibility.printed")
    assert (event.target_id, event.changes) == (str(couple[0].pk), {})


def test_person_and_household_pages_lead_to_the_case(couple, clerk, sign_in):
    head, wife = couple
    make_enrolment(wife)
    client = sign_in(clerk)

    own = client.get(head.get_absolute_url()).content.decode()
    home = client.get(head.household.get_absolute_url()).content.decode()

    link = reverse("subsidies:eligibility-person", args=[head.pk])
    assert link in own
    assert link in home
    assert "没有在享的待遇" in own
    assert "宋桂兰　2015年1月起" in home


def test_panel_keeps_quiet_about_a_hidden_roll(couple, propagandist, clerk, sign_in):
    make_enrolment(couple[0], "CN-SPECIAL-DEATH")
    page = couple[0].get_absolute_url()

    assert "特别扶助" not in sign_in(propagandist).get(page).content.decode()
    assert "特别扶助" in sign_in(clerk).get(page).content.decode()


def test_household_page_asks_as_often_for_many_drawing(
    couple, clerk, sign_in, assert_query_count_does_not_grow
):
    home = couple[0].household
    client = sign_in(clerk)

    def grow():
        for n in range(3):
            one = make_resident(home, f"陶{n}", relation="其他", birth_date=date(1950, 1, 1 + n))
            make_enrolment(one)

    grow()
    assert_query_count_does_not_grow(lambda: client.get(home.get_absolute_url()), grow)
