"""Rosters on paper and the year's lists of who entered and left: the return's own figures."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.ui.listing import LISTS
from households.models import Resident
from subsidies.models import Suspension
from subsidies.returns.figures import code_of, group_of
from subsidies.reviews import roster
from tests.factories.benefits import make_enrolment, make_old_couple, set_rate, switch_on
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.special import make_bereaved

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)
PRINT = "subsidies:roster-print"


@pytest.fixture
def rolls(village, other_village, far_village, township):
    """Lines that lasted, began, ended and were never paid; some in the next village and township."""
    switch_on("CN-RURAL", township)
    head, wife = make_old_couple(village, "00010")
    make_enrolment(head, start=date(2010, 1, 1))
    make_enrolment(wife, start=date(2012, 1, 1), end_month=date(2018, 12, 1), end_reason="死亡")
    new, late = make_old_couple(other_village, "00020", girls=2)
    make_enrolment(new, start=date(2018, 1, 1))
    make_enrolment(late, start=date(2019, 1, 1))
    gone, never = make_old_couple(village, "00030")
    make_enrolment(gone, start=date(2012, 1, 1), end_month=date(2017, 12, 1), end_reason="迁出")
    make_enrolment(never, start=date(2019, 1, 1), end_month=date(2018, 12, 1), end_reason="其他")
    for one in make_old_couple(far_village):
        make_enrolment(one, start=date(2018, 1, 1))
    return {"head": head, "wife": wife, "new": new, "late": late, "gone": gone}


def text(response):
    return response.content.decode()


def names(lines):
    return [line.enrolment.resident for line in lines]


def ask(client, kind="roster", place="539981001", policy="CN-RURAL", year=2018):
    query = {"kind": kind, "policy": policy, "year": year, "place": place}
    return client.get(reverse(PRINT), query)


def made(place, kind="roster", code="CN-RURAL", year=2018):
    return roster.lines_of(kind, code, place, year, TODAY)


def test_roster_holds_who_was_paid_in_the_year_in_the_order_of_villages(rolls, township, village):
    lines = made(township)
    assert names(lines) == [rolls["head"], rolls["wife"], rolls["new"]]
    assert names(made(village)) == [rolls["head"], rolls["wife"]]
    assert names(made(township, year=2019)) == [rolls["head"], rolls["new"], rolls["late"]]


def test_lists_of_a_year_are_its_entries_and_exits(rolls, township):
    assert names(made(township, "entered")) == [rolls["new"]]
    assert names(made(township, "exited")) == [rolls["wife"]]
    assert names(made(township, "exited", year=2017)) == [rolls["gone"]]


def test_each_paper_has_as_many_lines_as_the_return(rolls, township, village, other_village):
    for year in (2017, 2018, 2019):
        span = roster.span_of(year)
        for place in (township, village, other_village):
            row = group_of("CN-RURAL").compute([place], span)[place.code]
            figure = {k: row[code_of(k, "CN-RURAL")] for k in ("carried_in", "entered", "exited")}
            assert len(made(place, "entered", year=year)) == figure["entered"]
            assert len(made(place, "exited", year=year)) == figure["exited"]
            whole = figure["carried_in"] + figure["entered"]
            assert len(made(place, year=year)) == whole
    assert figure["entered"] == 1  # the last of them: the other_village's in 2019


def test_line_says_children_class_and_amount(rolls, township):
    lines = made(township)
    first, *_, last = lines
    assert (first.boys, first.girls, first.category) == (0, 1, "一个子女")
    assert (last.boys, last.girls, last.category) == (0, 2, "两个女孩")
    assert first.amount == Decimal("960")


def test_child_who_died_by_the_year_is_not_counted(village, township):
    head, wife = make_old_couple(village)
    make_birth(
        wife, date(1980, 1, 1), father=head, order=2, sex="男", survival="死亡",
        death_date=date(2018, 12, 31),
    )  # fmt: skip
    make_enrolment(head)
    assert [(one.boys, one.girls) for one in made(village)] == [(0, 1)]
    assert [(one.boys, one.girls) for one in made(village, year=2017)] == [(1, 1)]


def test_monthly_benefit_is_told_by_the_year_at_each_months_rate(village, township):
    switch_on("YN-HEALTH-FEE", township)
    set_rate("YN-HEALTH-FEE", township, Decimal("10"))
    set_rate("YN-HEALTH-FEE", township, Decimal("20"), date(2018, 7, 1))
    mother = make_resident(make_household(village), "母亲", sex="女")
    make_enrolment(mother, "YN-HEALTH-FEE")
    assert [one.amount for one in made(village, code="YN-HEALTH-FEE")] == [Decimal("180")]


def test_villages_begin_pages_and_totals_stand_where_they_end(village, other_village, township):
    switch_on("CN-RURAL", township)
    for place, number in ((village, 20), (other_village, 1)):
        for _ in range(number):
            make_enrolment(make_old_couple(place)[0])
    lines = made(township)
    sheets = roster.sheets_of(lines, township)
    assert [(s.number, s.place, len(s.lines)) for s in sheets] == [
        (1, village, 18), (2, village, 2), (3, other_village, 1),
    ]  # fmt: skip
    assert [number for number, _ in sheets[1].lines] == [19, 20]
    assert [number for number, _ in sheets[2].lines] == [1]
    totals = [[(t.name, t.count, t.amount, t.in_words) for t in s.totals] for s in sheets]
    assert totals == [
        [],
        [(f"{village.name}合计", 20, Decimal(19200), "人民币壹万玖仟贰佰元整")],
        [
            ("安丰营村合计", 1, Decimal(960), "人民币玖佰陆拾元整"),
            (f"{township.name}总计", 21, Decimal(20160), "人民币贰万零壹佰陆拾元整"),
        ],
    ]
    alone = roster.sheets_of(made(village), village)
    assert [[total.name for total in sheet.totals] for sheet in alone] == [[], ["合计"]]


def test_long_names_of_banks_take_more_of_a_sheet(village, township):
    for _ in range(18):
        person = make_old_couple(village)[0]
        Resident.objects.filter(pk=person.pk).update(bank="中国邮政储蓄银行安宁市支行")
        make_enrolment(person)
    sheets = roster.sheets_of(made(village), village)
    assert [len(sheet.lines) for sheet in sheets] == [9, 9]


def test_paper_shows_masked_numbers_and_is_recorded(rolls, clerk, village, township, sign_in):
    head = rolls["head"]
    head.bank, head.bank_account = "农村信用社", "6214880012345678"
    head.save()
    Suspension.objects.create(
        enrolment=head.enrolments.get(), from_month=date(2018, 6, 1), reason="核实"
    )
    page = text(ask(sign_in(clerk)))
    assert head.name in page
    assert head.id_number not in page
    assert f"{head.id_number[:6]}********{head.id_number[-4:]}" in page
    assert "6214880012345678" not in page
    assert "5678" in page
    assert page.count("暂停发放") == 1
    assert "第1页　共2页" in page
    event = AuditEvent.objects.get(type="roster.printed")
    assert (event.actor_id, event.region_path, event.count) == (clerk.pk, township.path, 3)
    assert "农村部分计划生育家庭奖励扶助" in event.changes["what"]


def test_exits_on_paper_have_month_and_reason(rolls, clerk, sign_in):
    page = text(ask(sign_in(clerk), "exited"))
    assert "退出人员名单" in page
    assert "<td>2018-12</td><td>死亡</td>" in page
    assert '<th scope="row">宋桂兰</th>' in page


def test_nothing_to_print_is_said(clerk, township, sign_in):
    page = text(ask(sign_in(clerk)))
    assert "没有这样的人" in page


@pytest.mark.parametrize(
    ("name", "value"),
    [("place", "539981100"), ("place", ""), ("policy", "NONE"), ("year", "1999"), ("kind", "x")],
)
def test_what_is_not_offered_is_asked_again(name, value, rolls, clerk, far_village, sign_in):
    query = {"kind": "roster", "policy": "CN-RURAL", "year": 2018, "place": "539981001"}
    page = sign_in(clerk).get(reverse(PRINT), query | {name: value})
    assert name in page.context["form"].errors
    assert not AuditEvent.objects.filter(type="roster.printed").exists()


def test_form_asks_before_anything_is_printed(rolls, clerk, sign_in):
    page = sign_in(clerk).get(reverse(PRINT))
    assert page.context["form"].initial["policy"] == "CN-RURAL"
    assert not AuditEvent.objects.filter(type="roster.printed").exists()


def test_county_prints_any_village_of_its_own(rolls, county_user, village, sign_in):
    page = text(ask(sign_in(county_user), place=village.code))
    assert rolls["head"].name in page


def test_rolls_lead_to_the_papers_for_who_may_print(rolls, clerk, propagandist, sign_in):
    address = reverse("subsidies:enrolment-list")
    assert reverse(PRINT) in text(sign_in(clerk).get(address))
    assert reverse(PRINT) not in text(sign_in(propagandist).get(address))


def test_village_user_prints_none(rolls, propagandist, sign_in):
    assert ask(sign_in(propagandist)).status_code == 403


def test_queries_of_the_paper_do_not_grow(
    rolls, clerk, village, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for _ in range(3):
            for one in make_old_couple(village):
                make_enrolment(one)

    assert_query_count_does_not_grow(lambda: ask(client), grow)
    with CaptureQueriesContext(connection) as found:
        ask(client)
    assert len(found) < 30


@pytest.mark.parametrize("side", ["entered", "exited"])
def test_list_has_as_many_rows_as_the_return(side, rolls, clerk, village, township, sign_in):
    client = sign_in(clerk)
    span = roster.span_of(2018)
    for place in (township, village):
        query = {"policy": "CN-RURAL", "year": 2018, "side": side}
        if place == village:
            query["village"] = village.pk
        page = client.get(reverse("subsidies:review-exits"), query)
        row = group_of("CN-RURAL").compute([place], span)[place.code]
        assert page.context["list"].total == row[code_of(side, "CN-RURAL")]


def test_list_without_conditions_shows_this_years_exits(rolls, clerk, sign_in):
    page = sign_in(clerk).get(reverse("subsidies:review-exits"))
    assert [row.record.resident for row in page.context["list"].table.rows] == [rolls["wife"]]
    assert "退出人员名单" in text(page)
    address = page.context["print_url"]
    assert AuditEvent.objects.filter(type="roster.printed").count() == 0
    assert rolls["wife"].name in text(sign_in(clerk).get(address))


def test_who_moved_to_another_township_is_named_and_leads_nowhere(
    rolls, clerk, village, far_village, sign_in
):
    moved = rolls["wife"]
    away = make_household(far_village)
    Resident.objects.filter(pk=moved.pk).update(village=far_village, household=away)
    page = sign_in(clerk).get(reverse("subsidies:review-exits"))
    assert moved.name in text(page)
    assert moved.enrolments.get().get_absolute_url() not in text(page)


def test_sensitive_lists_stand_apart_and_lead_there(clerk, village, township, sign_in):
    parents = make_bereaved(village)
    make_enrolment(parents[0], "CN-SPECIAL-DEATH", date(2018, 5, 1))
    client = sign_in(clerk)
    plain = reverse("subsidies:review-exits")
    page = client.get(plain, {"policy": "CN-SPECIAL-DEATH", "side": "entered"}, follow=True)
    assert page.request["PATH_INFO"] == reverse("subsidies:review-exits-sensitive")
    assert page.context["list"].total == 1
    assert LISTS["turnover-sensitive"].column("name").sensitive == "health"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("subsidies:review-exits", "CN-RURAL"),
        ("subsidies:review-exits-sensitive", "CN-SPECIAL-DEATH"),
    ],
)
def test_query_count_of_the_lists(
    name, code, clerk, village, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for one in make_old_couple(village):
            make_enrolment(one, code, date(2018, 1, 1))

    grow()
    look = {"side": "entered", "policy": code}
    assert_query_count_does_not_grow(lambda: client.get(reverse(name), look), grow)
