"""The pages of the rolls: lists, one line, proposing and deciding changes; who sees and who may."""

from datetime import date

import pytest
from django.urls import reverse

from fpadmin.ui.todos import todos_for
from subsidies.models import EnrolmentChange, ExitReason
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_resident
from tests.factories.special import make_archive, make_contact, make_person
from tests.subsidies.rolls.test_changes import DISABLED, decided, proposed

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)
LIST = reverse("subsidies:enrolment-list")
SPECIAL = reverse("subsidies:enrolment-sensitive-list")
DESK = reverse("subsidies:change-list")
LINES = reverse("subsidies:review-line-list")


def page(client, url) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


@pytest.fixture
def line(village):
    switch_on("CN-RURAL", village.parent)
    head, _ = make_old_couple(village, "00123")
    head.bank_account = "6217001234567890"
    head.save()
    return make_enrolment(head)


def create_url(line, kind=""):
    url = reverse("subsidies:enrolment-change-create", args=[line.pk])
    return f"{url}?kind={kind}" if kind else url


# Lists


def test_list_shows_a_line_with_state_rate_and_masked_numbers(sign_in, clerk, line):
    text = page(sign_in(clerk), LIST)
    assert "陶有田" in text
    assert "农村部分计划生育家庭奖励扶助" in text
    assert "960.00" in text
    assert "尾号7890" in text
    assert line.resident.id_number not in text
    assert "6217001234567890" not in text


def test_list_shows_who_is_on_the_roll_on_the_day_asked_for(sign_in, clerk, village):
    head, wife = make_old_couple(village)
    make_enrolment(head, end_month=date(2016, 12, 1), end_reason="其他")
    make_enrolment(wife, start=date(2017, 1, 1))
    client = sign_in(clerk)
    for day, seen, unseen in (
        ("2016-12-31", "陶有田", "宋桂兰"),
        ("2017-01-01", "宋桂兰", "陶有田"),
    ):
        text = page(client, f"{LIST}?as_of={day}")
        assert seen in text
        assert unseen not in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "在停审"),
        ("state=suspended", "停"),
        ("state=waiting", "审"),
        ("state=ended", "退"),
        ("state=coming", "来"),
        ("state=all", "在停审退来"),
        ("year=2016", "在停审退"),
        ("check=account", "在停审"),
    ],
)
def test_conditions_of_the_list(sign_in, clerk, reviewer, village, query, names):
    lines = {}
    for name in "在停审退来":
        one = make_old_couple(village)[0]
        one.name = f"陶{name}人"
        one.save()
        start = date(2019, 1, 1) if name == "来" else date(2015, 1, 1)
        lines[name] = make_enrolment(one, start=start)
    decided(reviewer, proposed(clerk, lines["停"], "suspend", date(2018, 3, 1)))
    decided(reviewer, proposed(clerk, lines["退"], month=date(2017, 12, 1)))
    proposed(clerk, lines["审"])
    text = page(sign_in(clerk), f"{LIST}?{query}")
    assert [name for name in lines if f"陶{name}人" in text] == list(names)


def test_search_by_name_finds_lines_and_leaves_no_name_in_the_address(sign_in, clerk, line):
    make_enrolment(make_old_couple(line.resident.village)[1])
    client = sign_in(clerk)
    answer = client.post(
        reverse("households:resident-search"), {"list": "enrolments", "name": "陶有田"}
    )
    assert answer.url.startswith(LIST)
    assert "陶" not in answer.url
    text = page(client, answer.url)
    assert "陶有田" in text
    assert "宋桂兰" not in text


def test_sensitive_rolls_stand_apart_and_are_seen_by_fewer(
    sign_in, clerk, propagandist, county_user, village
):
    family = make_archive(village)
    parent = family.parents.first().resident
    line = make_enrolment(parent, "CN-SPECIAL-DEATH")
    assert parent.name not in page(sign_in(clerk), LIST)
    for user in (clerk, county_user):
        assert parent.name in page(sign_in(user), SPECIAL)
    worker = sign_in(propagandist)
    assert parent.name not in page(worker, SPECIAL)
    assert worker.get(line.get_absolute_url()).status_code == 404
    make_contact(family, make_person(village, user=propagandist))
    assert parent.name in page(worker, SPECIAL)
    assert worker.get(line.get_absolute_url()).status_code == 200


def test_sensitive_policy_asked_of_the_common_list_leads_to_its_own(sign_in, clerk, village):
    answer = sign_in(clerk).get(f"{LIST}?policy={DISABLED}")
    assert answer.url == f"{SPECIAL}?policy={DISABLED}"
    make_archive(village)


def test_list_asks_no_more_for_more_lines(
    sign_in, clerk, village, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    for code in ("CN-RURAL", DISABLED):
        make_enrolment(make_old_couple(village)[0], code)

    def grow():
        for _ in range(5):
            for one in make_old_couple(village):
                make_enrolment(one)
                make_enrolment(one, DISABLED)

    for url in (LIST, SPECIAL, f"{LIST}?check=unfit", f"{LIST}?check=dead"):
        assert_query_count_does_not_grow(lambda url=url: page(client, url), grow)


def test_desk_asks_no_more_for_more_changes(
    sign_in, clerk, reviewer, village, assert_query_count_does_not_grow
):
    client = sign_in(reviewer)
    proposed(clerk, make_enrolment(make_old_couple(village)[0]))

    def grow():
        for _ in range(5):
            proposed(clerk, make_enrolment(make_old_couple(village)[0]))

    assert_query_count_does_not_grow(lambda: page(client, DESK), grow)


# One line


def test_page_shows_person_spouse_and_household_with_what_does_not_go_together(
    sign_in, clerk, line
):
    switch_on("SD-URBAN", line.resident.village.parent)
    make_enrolment(line.resident, "SD-URBAN", date(2016, 1, 1))
    make_enrolment(line.resident.spouse, start=date(2016, 1, 1))
    son = make_resident(line.resident.household, "陶儿", relation="子")
    make_enrolment(son, "SD-DIBAO", date(2017, 1, 1))
    text = page(sign_in(clerk), line.get_absolute_url())
    for words in ("宋桂兰", "陶儿", "城镇其他居民奖励扶助", "两项不能同时享受", "同户子"):
        assert words in text
    assert "导入的在册对象" in text


def test_page_shows_the_record_of_the_decision(sign_in, clerk, line):
    line.decision = {
        "as_of": "2014-12-31", "number": 2, "document": "国人口发〔2004〕36号",
        "criteria": [{"key": "age", "text": "年满60周岁", "holds": True, "value": "1950-03-04出生"}],
    }  # fmt: skip
    line.save()
    text = page(sign_in(clerk), line.get_absolute_url())
    for words in ("年满60周岁", "1950-03-04出生", "国人口发〔2004〕36号", "第2版"):
        assert words in text


def test_page_asks_no_more_for_a_long_story(
    sign_in, clerk, reviewer, line, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for month in range(1, 6):
            decided(reviewer, proposed(clerk, line, "suspend", date(2016, 2 * month, 1)))
            decided(reviewer, proposed(clerk, line, "resume", date(2016, 2 * month + 1, 1)))

    decided(reviewer, proposed(clerk, line, "suspend", date(2015, 1, 1)))
    decided(reviewer, proposed(clerk, line, "resume", date(2015, 3, 1)))
    assert_query_count_does_not_grow(lambda: page(client, line.get_absolute_url()), grow)


# Proposing and deciding


def test_clerk_proposes_and_reviewer_accepts(sign_in, clerk, reviewer, line):
    answer = sign_in(clerk).post(
        create_url(line), {"end_reason": "迁出", "month": "2018年12月", "note": "全家迁往外地"}
    )
    assert answer.url == line.get_absolute_url()
    change = line.changes.get()
    assert "全家迁往外地" in page(sign_in(reviewer), DESK)
    url = reverse("subsidies:change-decide", args=[change.pk])
    assert "迁出" in page(sign_in(reviewer), url)
    assert sign_in(reviewer).post(url, {"decision": "accept"}).url == DESK
    line.refresh_from_db()
    assert (line.end_month, line.end_reason) == (date(2018, 12, 1), "迁出")


def test_what_was_proposed_is_not_said_to_have_happened(sign_in, clerk, reviewer, line):
    client = sign_in(clerk)

    def said(kind, month):
        data = {"month": month, "note": "村里核实"}
        text = client.post(create_url(line, kind), data, follow=True).content.decode()
        decided(reviewer, line.changes.get(decision=""))
        return text

    suspended, resumed = said("suspend", "2018-11"), said("resume", "2018-12")
    assert "已提出暂停发放，等审核人同意后生效。同意以前照旧发放。" in suspended
    assert "已提出恢复发放，等审核人同意后生效。同意以前仍暂停发放。" in resumed


@pytest.mark.parametrize(("month", "is_unusual"), [("2018-06", True), ("2017-12", False)])
def test_end_in_the_midst_of_a_year_is_pointed_out(
    sign_in, clerk, reviewer, line, month, is_unusual
):
    client, words = sign_in(clerk), "一般发到2018年12月，现在填的是2018年6月"
    assert "今年退出的，最后发放年月是2018年12月" in page(client, create_url(line))
    assert "今年退出的" not in page(client, create_url(line, "suspend"))
    data = {"end_reason": "其他", "month": month, "note": "本人放弃"}
    text = client.post(create_url(line), data, follow=True).content.decode()
    assert (words in text) == is_unusual
    decide = reverse("subsidies:change-decide", args=[line.changes.get().pk])
    assert (words in page(sign_in(reviewer), decide)) == is_unusual
    assert "同意</button>" in page(sign_in(reviewer), decide)


@pytest.mark.parametrize("key", [LIST, DESK, reverse("subsidies:difference-list"), LINES])
def test_filters_say_all_once(sign_in, clerk, line, key):
    form = sign_in(clerk).get(key).context["list"].filter.form
    for name, field in form.fields.items():
        if choices := getattr(field, "choices", None):
            assert [value for value, _ in choices].count("") <= 1, name


def test_form_says_what_is_wrong_beside_the_field(sign_in, clerk, line):
    client = sign_in(clerk)
    text = client.post(
        create_url(line), {"end_reason": "迁出", "month": "2018-09", "note": "迁走"}
    ).content.decode()
    assert "最后发放年月应为2018年12月" in text
    assert "迁走" in text
    text = client.post(create_url(line), {"month": "九月", "note": "x"}).content.decode()
    assert "不是一个年月" in text
    assert "请选择退出原因" in text
    assert not EnrolmentChange.objects.exists()


def test_form_begins_with_what_a_registered_death_asks_for(sign_in, clerk, line):
    line.resident.death_date = date(2017, 5, 6)
    line.resident.save()
    text = page(sign_in(clerk), create_url(line))
    assert 'value="2017-12"' in text
    assert f'<option value="{ExitReason.DEATH}" selected>' in text


def test_line_of_which_nothing_was_paid_asks_for_no_month(sign_in, clerk, line):
    sign_in(clerk).post(
        create_url(line),
        {"end_reason": "其他", "never_paid": "on", "month": "", "note": "登记错人"},
    )
    assert line.changes.get().month == date(2014, 12, 1)


@pytest.mark.parametrize("kind", ["suspend", "resume", "move"])
def test_form_offers_only_what_may_be(sign_in, clerk, line, kind):
    text = page(sign_in(clerk), create_url(line, kind))
    assert ("暂停发放：陶有田" in text) == (kind == "suspend")


def test_waiting_change_leaves_nothing_to_propose(sign_in, clerk, line):
    proposed(clerk, line)
    assert sign_in(clerk).get(create_url(line)).url == line.get_absolute_url()


def test_refusing_needs_a_reason(sign_in, clerk, reviewer, line):
    change = proposed(clerk, line)
    url = reverse("subsidies:change-decide", args=[change.pk])
    answer = sign_in(reviewer).post(url, {"decision": "refuse"})
    assert "退回要写明原因" in answer.content.decode()
    sign_in(reviewer).post(url, {"decision": "refuse", "note": "户口没有变"})
    change.refresh_from_db()
    assert change.decision == "refused"
    assert "在册变动被退回" in [t.label for t in todos_for(clerk, TODAY)]


def test_clerk_takes_back_an_own_change(sign_in, clerk, line):
    change = proposed(clerk, line)
    sign_in(clerk).post(reverse("subsidies:change-withdraw", args=[change.pk]))
    change.refresh_from_db()
    assert change.decision == "withdrawn"


def test_only_their_own_permission_opens_each_page(sign_in, clerk, propagandist, reviewer, line):
    change = proposed(clerk, line)
    decide = reverse("subsidies:change-decide", args=[change.pk])
    for user, url in (
        (propagandist, create_url(line)),
        (reviewer, create_url(line)),
        (clerk, decide),
    ):
        assert sign_in(user).get(url).status_code == 403


def test_lines_and_changes_of_another_township_are_not_there(sign_in, other_clerk, clerk, line):
    change = proposed(clerk, line)
    client = sign_in(other_clerk)
    assert client.get(line.get_absolute_url()).status_code == 404
    assert client.get(create_url(line)).status_code == 404
    assert client.post(create_url(line), {}).status_code == 404
    withdraw = reverse("subsidies:change-withdraw", args=[change.pk])
    assert client.post(withdraw).status_code == 404
    for url in (LIST, SPECIAL, DESK):
        assert "陶有田" not in page(client, url)


# Many at once


def act(client, key, name, lines, **values):
    url = reverse("lists:act-confirm", args=[key, name])
    data = {"picked": ",".join(str(one.pk) for one in lines), **values}
    return client.post(url, data)


def test_many_are_proposed_and_the_exceptions_named(sign_in, clerk, line):
    other = make_enrolment(line.resident.spouse)
    proposed(clerk, other, "suspend", date(2018, 11, 1))
    values = {"end_reason": "户口性质变更", "month": "2018-12", "note": "农转城"}
    text = act(sign_in(clerk), "enrolments", "end", [line, other], step="check", **values)
    assert "已有一条变动等待审核" in text.content.decode()
    act(sign_in(clerk), "enrolments", "end", [line, other], step="do", **values)
    assert line.changes.get().note == "农转城"
    assert other.changes.count() == 1


def test_many_are_accepted_but_not_what_has_become_wrong(sign_in, clerk, reviewer, line):
    other = make_enrolment(line.resident.spouse)
    changes = [proposed(clerk, one) for one in (line, other)]
    other.resident.death_date = date(2017, 3, 4)
    other.resident.save()
    text = act(sign_in(reviewer), "enrolment-changes", "accept", changes, step="check")
    assert "最多发到2017年12月" in text.content.decode()
    act(sign_in(reviewer), "enrolment-changes", "accept", changes, step="do")
    line.refresh_from_db()
    other.refresh_from_db()
    assert (line.end_month, other.end_month) == (date(2018, 12, 1), None)


def test_many_are_sent_back_for_one_reason(sign_in, clerk, reviewer, line):
    change = proposed(clerk, line)
    act(sign_in(reviewer), "enrolment-changes", "refuse", [change], step="do", note="材料不全")
    change.refresh_from_db()
    assert (change.decision, change.decision_note) == ("refused", "材料不全")


# What waits


def test_reviewer_is_told_of_changes_that_wait(clerk, reviewer, line):
    assert not [t for t in todos_for(reviewer, TODAY) if "在册变动" in t.label]
    proposed(clerk, line)
    (todo,) = [t for t in todos_for(reviewer, TODAY) if "在册变动" in t.label]
    assert (todo.count, todo.url) == (1, DESK)


def labels(user):
    return [t.label for t in todos_for(user, TODAY) if t.label.startswith("在册对象")]


def test_clerk_is_told_of_the_dead_the_gone_and_who_no_longer_qualifies(sign_in, clerk, line):
    assert labels(clerk) == []
    dead, gone, town = (make_enrolment(make_old_couple(line.resident.village)[0]) for _ in range(3))
    dead.resident.death_date = date(2018, 5, 6)
    dead.resident.save()
    gone.resident.departed_on = date(2018, 5, 6)
    gone.resident.save()
    town.resident.residencies.update(hukou="非农业")
    found = [t for t in todos_for(clerk, TODAY) if t.label.startswith("在册对象")]
    assert [t.count for t in found] == [1, 1, 1]
    for todo, one in zip(found, (dead, gone, town), strict=True):
        text = page(sign_in(clerk), todo.url)
        assert one.resident.household.number in text
    proposed(clerk, dead, end_reason="死亡")
    assert len(labels(clerk)) == 2
