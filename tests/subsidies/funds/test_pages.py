"""The pages of the funds and of the number of people: what each role sees, and what is saved once."""

import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse

from subsidies.models import Fund, FundEntry, PaymentPersons
from subsidies.services import funds
from tests.conftest import TODAY
from tests.factories.payments import NOW

pytestmark = pytest.mark.django_db
LIST = "/benefits/funds/"
ENTRIES = "/benefits/funds/entries/"
NEW = "/benefits/funds/new/"
PERSONS, PERSONS_NEW = "/benefits/payment-persons/", "/benefits/payment-persons/new/"
TOKEN = "t" * 43


def text_of(answer) -> str:
    """The page without its markup, blanks folded."""
    body = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(body))


def make_fund(office, code="CN-RURAL", year=2018, amount="0.00", by=None, payer="中央") -> Fund:
    """A ledger, with money where an amount is given."""
    fund, _ = Fund.objects.get_or_create(office=office, policy_code=code, year=year)
    funds.move(
        by=by, office=office, policy_code=code, year=year, kind="receive", amount=Decimal(amount),
        happened_on=TODAY, now=NOW, payer=payer, document="指标文1号",
    )  # fmt: skip
    return Fund.objects.get(pk=fund.pk)


def detail(fund, page="fund-detail") -> str:
    return reverse(f"subsidies:{page}", args=[fund.pk])


ENTRY = {
    "kind": "receive", "payer": "中央", "amount": "1000.50", "document": "指标文2号",
    "happened_on": "2018-10-09", "note": "", "once": TOKEN,
}  # fmt: skip


def test_list_shows_the_funds_and_what_they_come_to(clerk, township, sign_in):
    make_fund(township, amount="100.10", by=clerk)
    make_fund(township, year=2017, amount="200.20", by=clerk)
    answer = sign_in(clerk).get(LIST)
    assert answer.context["sums"].allotted == Decimal("300.30")
    assert answer.context["sums"].is_even
    assert "相符" in text_of(answer)
    assert answer.context["offices"] == []


def test_county_sees_its_townships_with_sums(county_user, clerk, township, other_township, sign_in):
    make_fund(township, amount="100.10", by=clerk)
    make_fund(township, "YN-LUMP", amount="0.20", by=clerk)
    make_fund(other_township, amount="50.00", by=clerk)
    answer = sign_in(county_user).get(LIST)
    found = {one.name: (one.count, one.allotted) for one in answer.context["offices"]}
    assert found == {"禄脿街道": (2, Decimal("100.30")), "温泉镇": (1, Decimal("50.00"))}
    assert sum(one.allotted for one in answer.context["offices"]) == answer.context["sums"].allotted
    one = sign_in(county_user).get(LIST + f"?office={other_township.pk}")
    assert one.context["list"].total == 1
    assert one.context["sums"].allotted == Decimal("50.00")


def test_list_is_filtered_by_policy_and_year(clerk, township, sign_in):
    make_fund(township, by=clerk)
    make_fund(township, year=2017, by=clerk)
    make_fund(township, "YN-LUMP", by=clerk)
    client = sign_in(clerk)
    assert client.get(LIST + "?policy=CN-RURAL").context["list"].total == 2
    assert client.get(LIST + "?policy=CN-RURAL&year=2017").context["list"].total == 1


def test_sensitive_funds_are_hidden_from_who_may_not_know(
    clerk, reviewer, township, sign_in, monkeypatch
):
    fund = make_fund(township, "CN-SPECIAL-DEATH", amount="10.00", by=clerk)
    assert sign_in(clerk).get(detail(fund)).status_code == 200
    monkeypatch.setattr("subsidies.models.funds.sees_sensitive", lambda user: False)
    monkeypatch.setattr("subsidies.policies.seeing.sees_sensitive", lambda user: False)
    client = sign_in(reviewer)
    assert client.get(detail(fund)).status_code == 404
    for page in (LIST, ENTRIES):
        answer = client.get(page)
        assert answer.context["list"].total == 0
        assert "死亡" not in text_of(answer)


def test_list_of_funds_does_not_ask_more_for_more(
    county_user, clerk, township, other_township, sign_in, assert_query_count_does_not_grow
):
    make_fund(township, by=clerk)
    client = sign_in(county_user)

    def grow():
        for year in (2015, 2016, 2017):
            make_fund(township, year=year, by=clerk)
            make_fund(other_township, year=year, by=clerk)

    assert_query_count_does_not_grow(lambda: client.get(LIST), grow)


@pytest.mark.parametrize("page", [ENTRIES, "detail"])
def test_movements_do_not_ask_more_for_more(
    clerk, township, sign_in, assert_query_count_does_not_grow, page
):
    fund = make_fund(township, amount="1.00", by=clerk)
    client, url = sign_in(clerk), detail(fund) if page == "detail" else "/benefits/funds/entries/"

    def grow():
        for payer in ("省", "市", "县"):
            make_fund(township, amount="2.00", by=clerk, payer=payer)

    assert_query_count_does_not_grow(lambda: client.get(url), grow)


def test_list_of_places_does_not_ask_more_for_more(
    county_user, county, township, other_township, sign_in, assert_query_count_does_not_grow
):
    def put(place, day):
        PaymentPersons.objects.create(
            region=place, from_on=day, document="三号文", persons=2, set_by=county_user
        )

    put(county, TODAY)
    client = sign_in(county_user)

    def grow():
        for number in range(1, 6):
            put(township, date(2018, 10, number))
            put(other_township, date(2018, 10, number))

    assert_query_count_does_not_grow(lambda: client.get("/benefits/payment-persons/"), grow)


def test_detail_shows_balances_in_figures_and_words(clerk, township, sign_in):
    fund = make_fund(township, amount="10008.00", by=clerk)
    page = text_of(sign_in(clerk).get(detail(fund)))
    assert "人民币壹万零捌元整" in page
    assert "10,008.00" in page
    assert "账目相符" in page
    assert "拨入→可用" in page
    assert "指标文1号" in page


def test_movements_are_filtered_by_what_happened(clerk, township, sign_in):
    fund = make_fund(township, amount="1.00", by=clerk)
    client = sign_in(clerk)
    assert client.get(detail(fund) + "?kind=receive").context["list"].total == 1
    assert client.get(detail(fund) + "?kind=pay").context["list"].total == 0
    one = f"?office={township.pk}&policy=CN-RURAL&year=2018"
    assert client.get(ENTRIES + one).context["list"].total == 1
    assert client.get(ENTRIES + "?year=2018&policy=YN-LUMP").context["list"].total == 0


def test_ledger_is_opened_by_a_form(clerk, township, sign_in):
    client = sign_in(clerk)
    asked = {"office": township.pk, "policy_code": "CN-RURAL", "year": "2018", "once": TOKEN}
    wrong = client.post(NEW, asked | {"budget": "5.00"})
    assert "请填写预算文件" in text_of(wrong)
    answer = client.post(NEW, asked | {"budget": "670080.00", "document": "财社1号"})
    assert answer.status_code == 302
    assert Fund.objects.get().budget == Decimal("670080.00")


def test_money_is_looked_over_then_written_once(clerk, township, sign_in):
    fund = make_fund(township, by=clerk)
    client, url = sign_in(clerk), detail(fund, "fund-entry-create")
    check = client.post(url, ENTRY | {"step": "check"})
    assert "人民币壹仟元伍角整" in text_of(check)
    assert "0.00元→1,000.50元" in text_of(check)
    assert not FundEntry.objects.exists()
    carried = dict(check.context["posted"])
    assert carried["once"] == TOKEN
    for _ in range(2):
        assert client.post(url, carried | {"step": "save"}).status_code == 302
    assert FundEntry.objects.count() == 1
    back = client.post(url, carried | {"step": "back"})
    assert back.context["form"]["amount"].value() == "1000.50"


@pytest.mark.parametrize("step", ["check", "save"])
def test_money_that_is_not_there_is_refused_in_words(clerk, township, sign_in, step):
    fund = make_fund(township, amount="1000.00", by=clerk)
    funds.move(
        by=clerk, office=township, policy_code="CN-RURAL", year=2018, kind="reserve",
        amount=Decimal("960.00"), happened_on=TODAY, now=NOW,
    )  # fmt: skip
    answer = sign_in(clerk).post(
        detail(fund, "fund-entry-create"),
        ENTRY | {"kind": "give_back", "amount": "100.00", "step": step},
    )
    assert answer.status_code == 200
    assert "可用资金不足，还差60.00元" in text_of(answer)
    assert FundEntry.objects.count() == 2


def test_budget_page_saves_and_shows_a_conflict(clerk, township, sign_in):
    fund = make_fund(township, by=clerk)
    client, url = sign_in(clerk), detail(fund, "fund-budget")
    opened = client.get(url).context
    carried = {"row_version": opened["row_version"], "opened": opened["opened"]}
    asked = carried | {"budget": "5.00", "document": "甲", "once": TOKEN}
    assert client.post(url, asked).status_code == 302
    assert Fund.objects.get().budget == Decimal("5.00")
    late = client.post(url, asked | {"budget": "6.00", "once": "u" * 43})
    assert late.status_code == 409
    assert "他人修改" in text_of(late)
    again = dict(late.context["posted"]) | {
        "row_version": late.context["row_version"], "opened": late.context["opened"],
        "step": "resolve", "use_budget": "mine", "use_document": "mine",
    }  # fmt: skip
    assert client.post(url, again).status_code == 302
    assert Fund.objects.get().budget == Decimal("6.00")


def test_nobody_below_sets_numbers_and_villages_see_no_money(clerk, propagandist, sign_in):
    assert sign_in(clerk).get(PERSONS).status_code == 200
    assert sign_in(clerk).get(PERSONS_NEW).status_code == 403
    for page in (LIST, ENTRIES, NEW, PERSONS):
        assert sign_in(propagandist).get(page).status_code == 403


def test_lowering_to_two_says_what_it_means(county_user, county, sign_in):
    client = sign_in(county_user)
    asked = {
        "region": county.pk, "persons": "2", "from_on": "2018-11-01", "document": "三号文",
        "once": TOKEN,
    }  # fmt: skip
    check = client.post(PERSONS_NEW, asked | {"step": "check"})
    assert "少一个人看名单" in text_of(check)
    assert not PaymentPersons.objects.exists()
    for _ in range(2):
        client.post(PERSONS_NEW, dict(check.context["posted"]) | {"step": "save"})
    row = PaymentPersons.objects.get()
    assert (row.persons, row.from_on) == (2, date(2018, 11, 1))
    early = client.post(PERSONS_NEW, asked | {"from_on": "2018-10-01", "step": "check"})
    assert "不能早于今天" in text_of(early)
    page = text_of(client.get(PERSONS))
    assert "待生效" in page
    cancel = reverse("subsidies:persons-cancel", args=[row.pk])
    assert "将不再生效" in text_of(client.get(cancel))
    assert client.post(cancel).status_code == 302
    assert "已经取消" in text_of(client.post(cancel))
