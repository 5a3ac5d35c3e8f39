"""The pages of the policies: what each role reads, and how a county sets something."""

import re
from datetime import date
from html import unescape

import pytest
from django.urls import reverse

from subsidies.models import (
    PolicyExclusion,
    PolicyRate,
    PolicyVersion,
    ReturnDeadline,
    WorkdayChange,
)
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book, rule_of, shipped_rule
from subsidies.policies.terms import changes
from tests.conftest import TODAY
from tests.factories.benefits import make_enrolment, make_old_couple, set_rate, switch_on

pytestmark = pytest.mark.django_db
LIST = "/benefits/policies/"
DETAIL = "/benefits/policies/CN-RURAL/"
VERSION = "/benefits/policies/CN-RURAL/versions/new/"
RATE = "/benefits/policies/CN-RURAL/rates/new/"
MATRIX = "/benefits/policies/exclusions/"
DEADLINES = "/benefits/policies/deadlines/"
WORKDAYS = "/benefits/policies/workdays/"
NEXT_YEAR = date(2019, 1, 1)


def text_of(answer) -> str:
    """The page without its markup, blanks folded."""
    body = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(body))


def filled(answer, **changed) -> dict:
    """What a browser would post of the page's form, with `changed` values; None leaves a field out."""
    form, data = answer.context["form"], {}
    for name in form.fields:
        value = form[name].value()
        if value is not False and value not in (None, ""):
            data[name] = "on" if value is True else value
    data |= changed
    return {name: value for name, value in data.items() if value is not None}


# Reading ---------------------------------------------------------------------------------------


def test_list_shows_every_policy_those_that_are_on_first(clerk, county, sign_in):
    switch_on("YN-LUMP", county)
    rows = sign_in(clerk).get(LIST).context["rows"]
    assert [row.policy.code for row in rows][0] == "YN-LUMP"
    assert {row.policy.code for row in rows} == set(catalogue.policies())
    assert [row.state[1] for row in rows[:2]] == ["启用", "未启用"]


def test_list_shows_the_place_that_is_asked_for(county_user, county, village, sign_in):
    switch_on("CN-RURAL", village.parent)
    client = sign_in(county_user)
    at_county = client.get(LIST).context["rows"]
    assert not any(row.rule.is_on for row in at_county)
    assert next(r for r in at_county if r.policy.code == "CN-RURAL").own_rules == 1
    assert "下级1处另有规定" in text_of(client.get(LIST))
    assert client.get(LIST, {"place": village.code}).context["rows"][0].rule.is_on


@pytest.mark.parametrize("page", [LIST, DETAIL, MATRIX, DEADLINES], ids=lambda page: page)
def test_another_place_is_not_found(clerk, far_village, county, sign_in, page):
    client = sign_in(clerk)
    for code in (far_village.code, county.code, "nothing"):
        assert client.get(page, {"place": code}).status_code == 404


def test_unknown_policy_is_not_found(county_user, sign_in):
    client = sign_in(county_user)
    for page in (DETAIL, VERSION, RATE, DETAIL + "compare/"):
        assert client.get(page.replace("CN-RURAL", "NO-SUCH")).status_code == 404


def test_policy_that_gives_points_has_no_rates(county_user, sign_in):
    client = sign_in(county_user)
    assert client.get(RATE.replace("CN-RURAL", "YN-EXAM")).status_code == 404
    assert "加分，不发钱" in text_of(client.get(DETAIL.replace("CN-RURAL", "YN-EXAM")))


@pytest.mark.parametrize("code", list(catalogue.policies()), ids=lambda code: code)
def test_every_policy_reads_in_words_and_can_be_entered(county_user, sign_in, code):
    client = sign_in(county_user)
    page = client.get(DETAIL.replace("CN-RURAL", code))
    assert page.status_code == 200
    assert len(page.context["criteria"]) == len(catalogue.policy(code).criteria)
    form = client.get(VERSION.replace("CN-RURAL", code))
    assert len(form.context["form"].rows) == len(catalogue.policy(code).criteria)


def test_detail_says_what_holds_in_words(clerk, county, sign_in):
    entries = [
        e for e in catalogue.as_entries(catalogue.policy("CN-RURAL").criteria)
        if e != {"spouse_hukou": "农业"}
    ]  # fmt: skip
    switch_on("CN-RURAL", county, criteria=entries)
    set_rate("CN-RURAL", county, 1080, NEXT_YEAR)
    shown = text_of(sign_in(clerk).get(DETAIL))
    for words in (
        "年满60周岁", "1973-01-01至2001-12-31没有违反政策生育", "本地不要求：配偶为农业户口",
        "960.00元/人·年", "中央 80.00%", "合计 100.00%", "试行文件", "第2版", "启用：未启用→启用",
        "2019年1月1日起", "待生效", "1,080.00元/人·年", "每年2月28日前", "7个工作日",
    ):  # fmt: skip
        assert words in shown, words


def test_timeline_tells_states_apart(county_user, county, sign_in):
    switch_on("CN-RURAL", county, date(2010, 1, 1))
    switch_on("CN-RURAL", county, date(2015, 1, 1), is_on=False)
    later = switch_on("CN-RURAL", county, NEXT_YEAR)
    switch_on("CN-RURAL", county, date(2020, 1, 1), cancelled_at="2018-10-08T00:00:00Z")
    lines = sign_in(county_user).get(DETAIL).context["versions"]
    assert [(line.state[1], line.number, line.may_cancel) for line in lines] == [
        ("已取消", None, False), ("待生效", 4, True), ("执行中", 3, False), ("已替换", 2, False),
    ]  # fmt: skip
    assert lines[1].version == later
    assert lines[2].changed == "启用：启用→未启用"


def test_scheduled_version_says_whether_it_switches_or_changes(county_user, county, sign_in):
    switch_on("CN-RURAL", county)
    switch_on("CN-RURAL", county, NEXT_YEAR, criteria=["registered_here"])
    switch_on("CN-RURAL", county, date(2020, 1, 1), is_on=False)
    row = sign_in(county_user).get(LIST).context["rows"][0]
    assert [one.what for one in row.scheduled] == ["条件或发放办法改变", "停用"]


def test_only_the_county_sees_what_it_may_do(clerk, county_user, county, sign_in):
    switch_on("CN-RURAL", county, NEXT_YEAR)
    for user, links in ((county_user, True), (clerk, False)):
        body = sign_in(user).get(DETAIL).content.decode()
        assert (VERSION in body) is links
        assert ("/cancel/" in body) is links


def test_rates_of_catalogue_and_place_say_which_holds(county_user, county, sign_in):
    set_rate("CN-RURAL", county, 1080, date(2016, 1, 1))
    lines = sign_in(county_user).get(DETAIL).context["rates"]
    assert [(line.region, line.from_on.year, line.state[1]) for line in lines] == [
        ("安宁市", 2016, "执行中"), ("目录", 2012, "已替换"), ("目录", 2009, "已替换"),
        ("目录", 2004, "已替换"),
    ]  # fmt: skip


def test_two_versions_are_compared_field_by_field(clerk, county, sign_in):
    first = switch_on("CN-RURAL", county)
    second = switch_on("CN-RURAL", county, TODAY, criteria=["registered_here", {"age": {"min": 55}}],
                       shares={"县": "100"}, starts="month")  # fmt: skip
    answer = sign_in(clerk).get(DETAIL + "compare/")
    assert (answer.context["old"], answer.context["new"]) == (str(first.pk), str(second.pk))
    changed = {one.label: (one.old, one.new) for one in answer.context["lines"] if one.is_changed}
    assert changed["本人年龄"] == ("年满60周岁", "年满55周岁")
    assert changed["负担比例"] == ("中央80%、省20%", "县100%")
    assert changed["起发"] == ("符合条件当年1月起", "符合条件次月起")
    assert changed["配偶户口性质"][1] == "不要求"
    assert "止发" not in changed


def test_a_version_of_another_county_is_not_compared(clerk, sign_in):
    from tests.factories.accounts import make_region

    make_region("539982", "邻县")
    foreign = switch_on("CN-RURAL", make_region("539982100", "邻镇"))
    client = sign_in(clerk)
    for key in (foreign.pk, "x", "9" * 40):
        assert client.get(DETAIL + "compare/", {"old": key}).status_code == 404


def test_queries_do_not_grow_with_what_was_set(
    county_user, county, township, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(county_user)

    def grow():
        for year in range(2010, 2016):
            for place in (county, township):
                switch_on("CN-RURAL", place, date(year, 1, 1))
                set_rate("CN-RURAL", place, year, date(year, 1, 1))
                values = {"region": place, "from_on": date(year, 1, 1), "document": "试行文件"}
                ReturnDeadline.objects.create(policy_code="YN-LUMP", month=3, day=1, **values)
                PolicyExclusion.objects.create(
                    policy_code="YN-LUMP", other_code="CN-RURAL", **values
                )
                switch_on("YN-EXAM", place, date(year + 20, 1, 1))
        WorkdayChange.objects.bulk_create(
            WorkdayChange(
                day=date(2018, 1, day), is_workday=True, document="通知", set_by=county_user
            )
            for day in range(2, 9)
        )

    switch_on("CN-RURAL", county)
    set_rate("CN-RURAL", county, 1)
    values = {"region": county, "from_on": date(2004, 1, 1), "document": "试行文件"}
    ReturnDeadline.objects.create(policy_code="YN-LUMP", month=3, day=1, **values)
    PolicyExclusion.objects.create(policy_code="YN-LUMP", other_code="CN-RURAL", **values)
    switch_on("YN-EXAM", county, date(2030, 6, 1))
    WorkdayChange.objects.create(
        day=date(2018, 1, 1), is_workday=True, document="通知", set_by=county_user
    )
    pages = [
        reverse("subsidies:policy-list"), DETAIL, DETAIL + "compare/", MATRIX,
        reverse("subsidies:policy-deadline-list"), reverse("subsidies:workday-list"),
    ]  # fmt: skip
    assert_query_count_does_not_grow(lambda: [client.get(page) for page in pages], grow)


# Setting a rule --------------------------------------------------------------------------------


def test_county_checks_then_sets_a_rule(county_user, county, village, sign_in):
    old = switch_on("CN-RURAL", county)
    head, _ = make_old_couple(village)
    make_enrolment(head, start=date(2018, 1, 1), version=old)
    client = sign_in(county_user)
    data = filled(
        client.get(VERSION), document="云卫〔2018〕9号", article="第三条", with_2=None,
        age__min="55", no_birth_outside_policy__to="2015-12-31", share_3="10", share_1="10",
    )  # fmt: skip
    check = client.post(VERSION, data | {"step": "check"})
    assert PolicyVersion.objects.count() == 1
    shown = text_of(check)
    for words in (
        "在册1人",
        "年满60周岁 年满55周岁",
        "中央80%、省10%、县10%",
        "不要求",
        "云卫〔2018〕9号第三条",
    ):
        assert words in shown, words
    posted = dict(check.context["posted"])
    assert posted["age__min"] == "55"
    saved = client.post(VERSION, data | {"step": "save"})
    assert saved.status_code == 302
    rule = policy_book(TODAY).rule("CN-RURAL", village.path)
    found = {c.key: c.params for c in rule.criteria}
    assert "spouse_hukou" not in found
    assert found["age"] == {"min": 55}
    assert found["no_birth_outside_policy"]["to"] == "2015-12-31"
    assert found["living_children"] == ["one", "two_girls", "none"]


@pytest.mark.parametrize(
    "code", sorted(code for code, one in catalogue.policies().items() if not one.closed)
)
def test_switching_on_changes_no_criterion(county_user, sign_in, code):
    client = sign_in(county_user)
    address = reverse("subsidies:policy-version-create", args=[code])
    page = client.get(address)
    data = filled(page, document="云卫〔2018〕9号", is_on="yes")
    for name, field in page.context["form"].fields.items():
        if isinstance(data.get(name), list):  # a browser sends ticks in the order of the page
            data[name] = [value for value, _ in field.choices if value in data[name]]
    answer = client.post(address, data | {"step": "save"})
    assert answer.status_code == 302, answer.context["form"].errors
    rule = rule_of(PolicyVersion.objects.get())
    changed = changes(shipped_rule(rule.policy), rule)
    assert [(one.old, one.new) for one in changed] == [("未启用", "启用")]


def test_going_back_keeps_what_was_typed(county_user, sign_in):
    client = sign_in(county_user)
    data = filled(client.get(VERSION), document="云卫〔2018〕9号", is_on="yes", age__min="56")
    page = client.post(VERSION, data | {"step": "back"})
    assert page.context["form"]["age__min"].value() == "56"
    assert not PolicyVersion.objects.exists()


def test_rule_is_set_for_the_place_in_the_address(county_user, village, far_village, sign_in):
    client = sign_in(county_user)
    address = f"{VERSION}?place={village.parent.code}&on"
    data = filled(client.get(address), document="试行文件", step="save")
    assert data["is_on"] == "yes"
    client.post(address, data)
    version = PolicyVersion.objects.get()
    assert (version.region, version.set_by) == (village.parent, county_user)


def test_check_warns_of_what_follows_and_of_places_with_their_own(
    county_user, county, township, sign_in
):
    switch_on("CN-RURAL", county, NEXT_YEAR)
    switch_on("CN-RURAL", township)
    client = sign_in(county_user)
    data = filled(
        client.get(VERSION), document="试行文件", is_on="yes", step="check", age__min="55"
    )
    shown = text_of(client.post(VERSION, data))
    assert "已有2019年1月1日起的另一设定" in shown
    assert "下级有1处另有规定" in shown


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"document": None}, "document", "必填"),
        ({"share_0": "81"}, "share_0", "101%"),
        ({"age__min": "", "age__max": ""}, "age__min", "至少填一个年龄"),
        ({"age__max": "50"}, "age__max", "前后颠倒"),
        (
            {"no_birth_outside_policy__from": "2002-01-01"},
            "no_birth_outside_policy__to",
            "前后颠倒",
        ),
        ({"living_children__is": None}, "living_children__is", ""),
        ({"from_on": "昨天"}, "from_on", "不是一个日期"),
    ],
    ids=["document", "shares", "no age", "ages", "window", "no case", "day"],
)
def test_wrong_answer_is_shown_at_its_field(county_user, sign_in, changed, field, message):
    client = sign_in(county_user)
    data = filled(client.get(VERSION), **({"document": "试行文件", "is_on": "yes"} | changed))
    page = client.post(VERSION, data | {"step": "check"})
    assert page.status_code == 200
    errors = page.context["form"].errors
    assert message == "必填" or message in "".join(errors[field])
    assert field in errors
    assert "错误：" in page.content.decode()


def test_value_of_a_criterion_left_out_need_not_be_filled_in(county_user, village, sign_in):
    client = sign_in(county_user)
    data = filled(
        client.get(VERSION), document="试行文件", is_on="yes", with_3=None, born_from__is=""
    )
    assert client.post(VERSION, data | {"step": "save"}).status_code == 302
    keys = [c.key for c in policy_book(TODAY).rule("CN-RURAL", village.path).criteria]
    assert "born_from" not in keys
    assert "age" in keys


def test_first_criterion_cannot_be_unticked(county_user, village, sign_in):
    client = sign_in(county_user)
    data = filled(client.get(VERSION), document="试行文件", is_on="yes", with_0=None)
    client.post(VERSION, data | {"step": "save"})
    rule = policy_book(TODAY).rule("CN-RURAL", village.path)
    assert rule.criteria[0].key == "registered_here"


def test_refusal_of_the_service_comes_back_on_the_form(county_user, county, sign_in):
    switch_on("CN-RURAL", county, TODAY)
    client = sign_in(county_user)
    data = filled(client.get(VERSION), document="试行文件", age__min="55")
    page = client.post(VERSION, data | {"step": "save"})
    assert "已有2018-10-09起的设定" in "".join(page.context["form"].errors["from_on"])


def test_who_may_not_set_is_refused(clerk, sign_in):
    client = sign_in(clerk)
    for page in (VERSION, RATE, MATRIX + "new/", DEADLINES + "new/", WORKDAYS + "new/"):
        assert client.post(page, {"step": "save"}).status_code == 403


# Rates, exclusions, deadlines, days --------------------------------------------------------------


def test_county_checks_then_sets_a_rate(county_user, sign_in):
    client = sign_in(county_user)
    data = {
        "from_on": "2018-10-09",
        "document": "财社〔2018〕1号",
        "article": "",
        "amount_0": "1080",
    }
    shown = text_of(client.post(RATE, data | {"step": "check"}))
    assert "960.00元/人·年 1,080.00元/人·年" in shown
    assert not PolicyRate.objects.exists()
    assert client.post(RATE, data | {"step": "save"}).status_code == 302
    assert PolicyRate.objects.get().amount == 1080


def test_grade_left_empty_keeps_its_rate(county_user, sign_in):
    client = sign_in(county_user)
    address = RATE.replace("CN-RURAL", "CN-COMPLICATION")
    data = {"from_on": "2018-10-09", "document": "文件", "amount_1": "310", "step": "save"}
    client.post(address, data)
    row = PolicyRate.objects.get()
    assert (row.grade, row.amount) == ("二级", 310)


def test_scheduled_rows_are_cancelled_after_a_question(county_user, county, sign_in):
    client = sign_in(county_user)
    version = switch_on("CN-RURAL", county, NEXT_YEAR)
    address = reverse("subsidies:policy-version-cancel", args=[version.pk])
    assert "将不再生效" in text_of(client.get(address))
    version.refresh_from_db()
    assert version.cancelled_at is None
    assert client.post(address).status_code == 302
    version.refresh_from_db()
    assert version.cancelled_at is not None
    assert "已经取消" in text_of(client.post(address))


def test_matrix_shows_defaults_and_what_the_county_set(county_user, county, sign_in):
    client = sign_in(county_user)
    client.post(
        MATRIX + "new/",
        {"policy_code": "CN-RURAL", "other_code": "YN-LUMP", "excluded": "yes", "both": "on",
         "from_on": "2018-10-09", "document": "试行文件", "article": ""},
    )  # fmt: skip
    answer = client.get(MATRIX)
    codes = list(catalogue.policies())
    cells = {
        (row.policy.code, other)
        for row in answer.context["rows"]
        for other, cell in zip(codes, row.cells, strict=True)
        if cell and cell.excluded
    }
    assert {("CN-RURAL", "YN-LUMP"), ("YN-LUMP", "CN-RURAL")} <= cells
    assert {("SD-URBAN", other) for other in catalogue.policy("SD-URBAN").excludes} <= cells
    assert len(cells) == 6
    assert [line.state[1] for line in answer.context["lines"]] == ["执行中", "执行中"]


def test_same_policy_twice_is_shown_at_its_field(county_user, sign_in):
    page = sign_in(county_user).post(
        MATRIX + "new/",
        {"policy_code": "CN-RURAL", "other_code": "CN-RURAL", "excluded": "yes",
         "from_on": "2018-10-09", "document": "试行文件"},
    )  # fmt: skip
    assert "两个不同" in "".join(page.context["form"].errors["other_code"])


def test_deadline_is_set_and_listed(county_user, sign_in):
    client = sign_in(county_user)
    data = {"policy_code": "YN-LUMP", "month": "4", "day": "15", "from_on": "2018-01-01",
            "document": "试行文件", "article": ""}  # fmt: skip
    assert client.post(DEADLINES + "new/", data).status_code == 302
    rows = client.get(DEADLINES).context["rows"]
    assert next(r.due for r in rows if r.policy.code == "YN-LUMP") == date(2018, 4, 15)
    assert [r.due for r in rows][0] == date(2018, 2, 28)


def test_holidays_are_entered_and_listed(county_user, clerk, sign_in):
    client = sign_in(county_user)
    data = {"first": "2019-11-1", "last": "2019-11-4", "is_workday": "no", "document": "国办通知"}
    assert client.post(WORKDAYS + "new/", data).status_code == 302
    shown = text_of(sign_in(clerk).get(WORKDAYS))
    assert "2019-11-04 星期一 放假 国办通知" in shown
    again = client.post(WORKDAYS + "new/", data)
    assert "没有要改的" in "".join(again.context["form"].errors["first"])


def test_sent_twice_is_saved_once(county_user, sign_in):
    client = sign_in(county_user)
    page = client.get(WORKDAYS + "new/").content.decode()
    token = re.search(r'name="once" value="([^"]+)"', page).group(1)
    data = {"first": "2019-11-1", "is_workday": "no", "document": "通知", "once": token}
    for _ in range(2):
        assert client.post(WORKDAYS + "new/", data).status_code == 302
    assert WorkdayChange.objects.count() == 1
