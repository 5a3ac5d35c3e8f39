"""Figures and returns of payments: what counts, where, by stage and payer; lists equal to figures."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.dates import calendar_year_period
from fpadmin.reporting import rendering, selectors, sheets
from fpadmin.reporting.registry import RETURNS, Span
from subsidies.models import LineState, PaymentLine
from subsidies.returns.payments_figures import (
    KINDS,
    PAYERS,
    PLAIN,
    SENSITIVE,
    code_of,
    group_of,
)
from subsidies.returns.payments_forms import offered, return_code
from subsidies.services.bank_returns import post_answers
from subsidies.services.payments import hold_line
from subsidies.services.reissues import create_reissue
from tests.factories.benefits import switch_on
from tests.factories.households import make_household, make_resident
from tests.factories.payments import NOW, TODAY, bring_to, make_batch, make_payee
from tests.subsidies.imports.books import take

pytestmark = pytest.mark.django_db
YEAR = Span(date(2018, 1, 1), date(2018, 12, 31))
LATER = datetime(2018, 10, 9, 6, 0, tzinfo=UTC)
STAGES = "YN-SCHOLARSHIP"


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


@pytest.fixture
def answered(township, village, other_village, people):
    """Six people of two villages: three paid, one failed, one waits, one held in the draft."""
    for place in (village, village, village, other_village, other_village, other_village):
        make_payee(place)
    batch = make_batch(people["clerk"], township)
    first = batch.lines.order_by("line_no").first()
    hold_line(by=people["clerk"], line=first, reason="核实账号", now=NOW)
    bring_to("sent", batch, **people)
    going = list(batch.lines.filter(state="instructed").order_by("line_no"))
    return post_answers(
        by=people["clerk"], batch=batch, paid={line.pk: TODAY for line in going[:3]},
        failed={going[3].pk: "账号不存在"}, today=TODAY, now=LATER,
    )  # fmt: skip


def figures(region, policy="CN-RURAL", span=YEAR) -> dict:
    row = group_of(policy).compute([region], span)[region.code]
    return {code.removesuffix(f"_{policy}"): figure for code, figure in row.items()}


def test_held_lines_are_not_payable_and_failed_ones_are_until_paid_again(answered, township, clerk):
    found = figures(township)
    assert (found["payable_persons"], found["payable"]) == (5, 4800)
    assert (found["paid_persons"], found["paid"], found["unpaid"]) == (3, 2880, 1920)
    assert found["paid_rate"] == 60.0
    assert (found["paid_central"], found["paid_province"], found["paid_county"]) == (2304, 576, 0)
    child = create_reissue(by=clerk, batch=answered, today=TODAY, now=LATER)
    assert PaymentLine.objects.count() == 7
    for state in ("held", "planned"):
        child.lines.update(state=state)
        again = figures(township)
        assert (again["payable_persons"], again["payable"], again["paid"]) == (5, 4800, 2880)
    states = {
        row.facts["状态"] for row in group_of("CN-RURAL").people("unpaid_CN-RURAL", township, YEAR)
    }
    assert states == {LineState.PLANNED.label, LineState.INSTRUCTED.label}


def test_what_was_asked_back_stays_paid_and_void_lines_count_nowhere(answered, township):
    PaymentLine.objects.filter(state="paid").update(state="recall_asked")
    PaymentLine.objects.filter(state="recall_asked").update(state="recovered")
    assert figures(township)["paid"] == 2880
    PaymentLine.objects.filter(state="held").update(state="void")
    assert figures(township)["payable"] == 4800
    assert figures(township, span=Span(date(2017, 1, 1), date(2017, 12, 31)))["payable"] == 0


def test_every_list_comes_to_its_figure_and_villages_sum(answered, township):
    regions = [township, *Region.objects.children_of(township)]
    for group in (PLAIN, SENSITIVE, group_of("CN-RURAL")):
        computed = group.compute(regions, YEAR)
        for indicator in group.indicators:
            code = indicator.code
            for region in regions:
                figure, rows = computed[region.code][code], group.people(code, region, YEAR)
                if indicator.unit == "人":
                    assert len(rows) == figure
                elif code.split("_")[0] in ("payable", "unpaid") or code in (
                    "paid",
                    "paid_CN-RURAL",
                ):
                    assert sum(row.facts["金额（元）"] for row in rows) == figure
            if indicator.kind != "rate":
                below = sum(computed[region.code][code] for region in regions[1:])
                assert computed[township.code][code] == below
    assert SENSITIVE.compute([township], YEAR)[township.code]["paid"] == 2880


def test_figures_of_many_villages_take_as_many_statements(answered, township, county):
    def queries(regions):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            group_of("CN-RURAL").compute(regions, YEAR)
        return len(seen)

    assert queries([township, *Region.objects.children_of(township)]) == queries([county]) <= 3


def test_person_paid_twice_in_a_year_counts_once(township, village):
    person = make_payee(village).resident
    row = {
        "policy_code": "CN-RURAL", "name": person.name, "idno": person.id_number, "year": 2017,
        "amount": 960, "paid_on": date(2018, 1, 5),
    }  # fmt: skip
    take(township, row, row | {"year": 2018}, kind="payments")
    found = figures(township)
    assert (found["paid_persons"], found["payable_persons"], found["paid"]) == (1, 1, 1920)


def test_shares_are_cut_in_each_village_and_add_up(township, county, village, other_village):
    switch_on("CN-RURAL", county, shares={"中央": "33.3", "省": "33.3", "男方单位": "33.4"})
    rows = []
    for place, amount in ((village, "100.01"), (other_village, "0.05"), (village, "33.33")):
        person = make_payee(place).resident
        rows.append(
            {"policy_code": "CN-RURAL", "name": person.name, "idno": person.id_number,
             "year": 2017, "amount": amount, "paid_on": date(2018, 1, 5)}
        )  # fmt: skip
    take(township, *rows, kind="payments")
    found = figures(township)
    assert found["paid"] == 133.39
    assert sum(Decimal(str(found[f"paid_{key}"])) for key in PAYERS) == Decimal("133.39")
    assert found["paid_employer"] == float(Decimal("44.54") + Decimal("0.02"))
    report = RETURNS[return_code("CN-RURAL")]
    sheet = sheets.build(report, township, calendar_year_period(2018))
    assert [check.level for check in sheet.checks] == ["ok"] * 3
    column = next(c for c in sheet.columns if c.code == "paid_CN-RURAL")
    assert rendering.shown(sheet.rows[0], column) == "133.39"
    rate = next(c for c in sheet.columns if c.code == "paid_rate_CN-RURAL")
    assert rendering.shown(sheet.rows[0], rate) == "100.00%（133.39/133.39）"


def test_stages_are_told_apart(township, village):
    rows = []
    for grade, amount in (("小学", 160), ("小学", 160), ("高中", 1000)):
        child = make_resident(make_household(village), "陶小满", birth_date=date(2006, 3, 4))
        rows.append(
            {"policy_code": STAGES, "name": child.name, "idno": child.id_number, "year": 2018,
             "grade": grade, "amount": amount, "paid_on": date(2018, 9, 5)}
        )  # fmt: skip
    take(township, *rows, kind="payments")
    computed = group_of(STAGES).compute([township], YEAR)[township.code]
    assert computed[code_of("grade_persons", STAGES, 1)] == 2
    assert computed[code_of("grade_paid", STAGES, 1)] == 320
    assert computed[code_of("grade_paid", STAGES, 3)] == 1000
    assert computed[code_of("grade_paid", STAGES, 4)] == 0
    names = [
        row.name
        for row in group_of(STAGES).people(code_of("grade_paid", STAGES, 3), township, YEAR)
    ]
    assert len(names) == 1


def test_checks_find_what_is_wrong(answered, township):
    report = RETURNS[return_code("CN-RURAL")]
    sheet = sheets.build(report, township, calendar_year_period(2018))
    assert [check.level for check in sheet.checks] == ["ok"] * 3
    for code, wrong in (("paid_central", 1), ("paid", 99_999), ("payable", 1)):
        figures = sheet.rows[0].figures | {code_of(code, "CN-RURAL"): wrong}
        row = sheets.SheetRow(township.code, township.name, 4, True, figures)
        assert "bad" in [check.level for check in report.checks([row, *sheet.rows[1:]])]


def test_return_is_offered_where_somebody_was_paid(answered, township, other_township):
    assert list(offered(township, TODAY)) == [return_code("CN-RURAL")]
    assert list(offered(township, date(2019, 1, 20))) == [return_code("CN-RURAL")]
    assert offered(township, date(2020, 1, 20)) == {}
    assert offered(other_township, TODAY) == {}
    codes = [report.code for report in selectors.returns_of(township, TODAY)]
    assert return_code("CN-RURAL") in codes
    assert return_code("LOCAL-DIBAO") not in codes


def test_lists_of_payments_open_to_few(township, propagandist, clerk):
    assert not PLAIN.opens_to(propagandist)
    assert PLAIN.opens_to(clerk)
    assert SENSITIVE.list_permission == Permission.SPECIAL_LIST
    assert group_of("CN-SPECIAL-DEATH").list_permission == Permission.SPECIAL_LIST
    assert {kind.key for kind in KINDS} >= {"payable", "paid", "paid_rate"}
    assert "YN-EXAM" not in " ".join(PLAIN.codes)
    assert PLAIN.list_unit("paid_CN-RURAL") == "笔"


def test_line_that_waits_is_in_the_list_of_what_is_unpaid(answered, township):
    rows = group_of("CN-RURAL").people("unpaid_CN-RURAL", township, YEAR)
    assert {row.facts["状态"] for row in rows} == {
        LineState.FAILED.label, LineState.INSTRUCTED.label,
    }  # fmt: skip
    assert all("****" in row.facts["账号"] for row in rows)


def test_published_figures_of_2018_come_out_of_the_demo(db, capsys):
    call_command("demo", "--json")
    township = Region.objects.get(code="539981001")
    period = calendar_year_period(2018)
    paid = {}
    for code in (STAGES, "LOCAL-LIVING", "LOCAL-DIBAO", "YN-HEALTH-FEE"):
        sheet = sheets.build(RETURNS[return_code(code)], township, period)
        assert {check.level for check in sheet.checks} == {"ok"}
        paid |= sheet.rows[0].figures
    published = ((23, 3_680), (52, 13_520), (15, 15_000), (6, 7_200), (15, 30_000))
    for number, (persons, yuan) in enumerate(published, start=1):
        assert paid[code_of("grade_persons", STAGES, number)] == persons
        assert paid[code_of("grade_paid", STAGES, number)] == yuan
    assert (paid[f"paid_persons_{STAGES}"], paid[f"paid_{STAGES}"]) == (111, 69_400)
    assert paid["paid_LOCAL-LIVING"] == 16_800
    assert paid["paid_LOCAL-DIBAO"] == 60_700
    assert paid["paid_YN-HEALTH-FEE"] == 10_590
    assert paid["paid_rate_LOCAL-DIBAO"] == 100
