"""Pensions and wages: facts, identity, batches, amounts, and who is paid by whom."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.urls import reverse

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import EditConflict, RuleViolation
from subsidies.models import AverageWage, Enrolment, PensionCase
from subsidies.oneoff import pension_list, pensions
from subsidies.payments.wages import entered_wages, supplement, wage_of
from subsidies.policies import catalogue
from subsidies.services import payments
from subsidies.services.pensions import check_identity, put_in_batch, set_case
from subsidies.services.wages import set_wage
from tests.factories.benefits import switch_on
from tests.factories.payments import bring_to, make_payee

pytestmark = pytest.mark.django_db
CODE = "SD-PENSION"
NOW = datetime(2022, 10, 9, 2, 0, tzinfo=UTC)
TODAY = date(2022, 10, 9)
LIST = reverse("subsidies:pension-list")
WAGES = reverse("subsidies:wage-list")


@pytest.fixture(autouse=True)
def _year_2022(settings):
    settings.TODAY = TODAY.isoformat()


@pytest.fixture
def retiree(zibo):
    return make_payee(zibo, "赵退休", CODE, start=date(2022, 5, 1))


def case_of(clerk, line, payer="finance", **values):
    known = {"retired_month": date(2022, 5, 1), "employer": "陶瓷厂"} | values
    return set_case(by=clerk, enrolment=line, row_version=0, payer=payer, today=TODAY, **known)


def row_of(line):
    return pensions.pensions(Enrolment.objects.all()).get(pk=line.pk)


def wage(by, region, year=2020, amount="80000.00", **values):
    return set_wage(
        by=by, region=region, year=year, amount=Decimal(amount), document="鲁统字1号", today=TODAY,
        now=NOW, **values,
    )  # fmt: skip


# Amounts


def test_retiree_of_2022_gets_thirty_per_cent_of_2021(zibo_clerk, retiree):
    case_of(zibo_clerk, retiree)
    row = row_of(retiree)
    assert (row.amount, row.progress) == (Decimal("26179.80"), pensions.DUE)


@pytest.mark.parametrize("year", [2020, 2021, 2022])
def test_amount_of_the_list_is_the_one_that_is_paid(zibo, zibo_clerk, zibo_county, year):
    """Two places that answer the same question: SQL for the list, Python for the batch."""
    wage(zibo_county, zibo.parent.parent, 2019, "70001.37")
    line = make_payee(zibo, "赵", CODE, start=date(year, 3, 1))
    case_of(zibo_clerk, line, retired_month=date(year, 3, 1))
    policy = catalogue.policy(CODE)
    found = wage_of(policy, entered_wages(), zibo.path, zibo.code, year - 1)
    assert row_of(line).amount == (None if found is None else supplement(policy, found))


def test_county_wage_goes_before_the_shipped_one(zibo, zibo_clerk, zibo_county, retiree):
    case_of(zibo_clerk, retiree)
    wage(zibo_county, zibo.parent.parent, 2021, "90000.00")
    assert row_of(retiree).amount == Decimal("27000.00")


def test_without_a_wage_the_list_says_so(sign_in, zibo, zibo_clerk):
    line = make_payee(zibo, "赵早退", CODE, start=date(2019, 5, 1))
    case_of(zibo_clerk, line, retired_month=date(2019, 5, 1))
    assert row_of(line).progress == pensions.WAGE
    assert "缺平均工资" in sign_in(zibo_clerk).get(LIST).content.decode()


# Wages


def test_wage_is_recorded_and_shown_with_what_a_retiree_gets(
    sign_in, zibo, zibo_county, zibo_clerk
):
    row = wage(zibo_county, zibo.parent.parent)
    assert (row.from_on, row.set_by) == (date(2021, 1, 1), zibo_county)
    event = AuditEvent.objects.get(type="wage.set")
    assert event.changes["amount"] == ["", "80000.00"]
    page = sign_in(zibo_clerk).get(WAGES).content.decode()
    for words in ("80,000.00", "24,000.00", "87,266.00", "26,179.80", "系统自带"):
        assert words in page


def test_second_wage_of_a_year_only_corrects(zibo, zibo_county):
    place = zibo.parent.parent
    first = wage(zibo_county, place)
    with pytest.raises(RuleViolation, match="更正"):
        wage(zibo_county, place, amount="80001")
    with pytest.raises(RuleViolation, match="没有要改的"):
        wage(zibo_county, place, corrects=True)
    second = wage(zibo_county, place, amount="80001", corrects=True)
    first.refresh_from_db()
    assert first.cancelled_at == NOW
    assert entered_wages() == {2020: {place.path: second.amount}}


def test_wage_is_not_corrected_once_a_pension_was_approved_by_it(
    zibo, zibo_county, zibo_clerk, retiree
):
    place = zibo.parent.parent
    wage(zibo_county, place, 2021, "90000")
    case_of(zibo_clerk, retiree)
    batch = pension_batch(zibo_clerk, zibo)
    from tests.factories.accounts import make_user

    reviewer = make_user("reviewer", zibo.parent, "zibo-reviewer")
    bring_to("approved", batch, clerk=zibo_clerk, reviewer=reviewer, county_user=zibo_county)
    with pytest.raises(RuleViolation, match="1笔"):
        wage(zibo_county, place, 2021, "90001", corrects=True)
    with pytest.raises(RuleViolation, match="已经批准"):
        case_of(zibo_clerk, retiree, payer="employer")
    assert put_in_batch(by=zibo_clerk, enrolments=[retiree], part="第八批")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"year": 2022}, "年度应在"),
        ({"year": 1999}, "年度应在"),
        ({"amount": "0"}, "大于0"),
        ({"amount": "1.005"}, "两位小数"),
    ],
)
def test_wage_that_makes_no_sense_is_refused(zibo, zibo_county, values, message):
    with pytest.raises(RuleViolation, match=message):
        wage(zibo_county, zibo.parent.parent, **values)
    assert not AverageWage.objects.exists()


def test_wage_of_another_county_or_of_a_township_is_refused(zibo, zibo_county, county):
    with pytest.raises(RuleViolation, match="不在您的区划"):
        wage(zibo_county, county)
    with pytest.raises(RuleViolation, match="按市或县"):
        wage(zibo_county, zibo.parent)


def test_wage_is_rolled_back_with_its_event(monkeypatch, zibo, zibo_county):
    monkeypatch.setattr(log, "record", _broken)
    with pytest.raises(ValueError, match="broken"):
        wage(zibo_county, zibo.parent.parent)
    assert not AverageWage.objects.exists()


def test_wage_form_shows_the_supplement_before_it_saves(sign_in, zibo_county):
    client, url = sign_in(zibo_county), reverse("subsidies:wage-create")
    data = {
        "region": zibo_county.region_id, "year": "2021", "amount": "87266", "document": "公报",
    }  # fmt: skip
    shown = client.post(url, data | {"step": "check"}).content.decode()
    assert "26,179.80" in shown
    assert "2022年退休的" in shown
    assert not AverageWage.objects.exists()
    assert client.post(url, data | {"step": "save"}).url == WAGES
    assert AverageWage.objects.get().amount == 87266
    again = client.post(url, data | {"step": "save"}).content.decode()
    assert "已有平均工资" in again


def test_wage_list_does_not_ask_more_for_more(
    sign_in, zibo, zibo_county, assert_query_count_does_not_grow
):
    client, place = sign_in(zibo_county), zibo.parent.parent
    wage(zibo_county, place, 2010)

    def grow():
        for year in range(2011, 2017):
            wage(zibo_county, place, year)

    assert_query_count_does_not_grow(lambda: client.get(WAGES), grow)


# Facts and identity


def test_facts_are_recorded_without_their_values(zibo_clerk, retiree):
    case = case_of(zibo_clerk, retiree, part="第七批")
    assert (case.payer, case.part, case.employer) == ("finance", "第七批", "陶瓷厂")
    event = AuditEvent.objects.get(type="pension.case_set")
    assert event.changes == {"fields": ["employer", "part", "payer", "retired_month"]}


def test_facts_saved_meanwhile_are_not_overwritten(zibo_clerk, retiree):
    case_of(zibo_clerk, retiree)
    set_case(
        by=zibo_clerk, enrolment=retiree, row_version=0, payer="insurance",
        retired_month=date(2022, 5, 1), today=TODAY,
    )  # fmt: skip
    with pytest.raises(EditConflict):
        case_of(zibo_clerk, retiree)
    assert PensionCase.objects.get().payer == "insurance"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"retired_month": date(2022, 11, 1)}, "本月"),
        ({"retired_month": date(1972, 1, 1)}, "1973"),
        ({"payer": "employer", "employer": " "}, "原单位"),
    ],
)
def test_facts_that_make_no_sense_are_refused(zibo_clerk, retiree, values, message):
    with pytest.raises(RuleViolation, match=message):
        case_of(zibo_clerk, retiree, **values)
    assert not PensionCase.objects.exists()


def test_facts_of_another_policy_are_refused(zibo, zibo_clerk):
    line = make_payee(zibo, code="YN-LUMP")
    with pytest.raises(RuleViolation, match="不是"):
        case_of(zibo_clerk, line)


def test_identity_check_is_the_whole_work_where_the_insurance_pays(zibo, zibo_clerk, retiree):
    case = case_of(zibo_clerk, retiree, payer="insurance")
    assert row_of(retiree).progress == pensions.IDENTITY
    checked = check_identity(
        by=zibo_clerk, enrolment=retiree, row_version=case.row_version, checked_on=TODAY,
        today=TODAY,
    )  # fmt: skip
    assert (checked.identity_checked_by, checked.identity_checked_on) == (zibo_clerk, TODAY)
    assert row_of(retiree).progress == pensions.INSURANCE
    assert AuditEvent.objects.get(type="pension.identity_checked").changes == {
        "identity_checked_on": ["", "2022-10-09"]
    }
    with pytest.raises(RuleViolation, match="没有可以发放"):
        pension_batch(zibo_clerk, zibo)


@pytest.mark.parametrize(
    ("day", "message"), [(date(2022, 10, 10), "之后"), (date(2022, 4, 30), "退休年月")]
)
def test_identity_check_on_a_wrong_day_is_refused(zibo_clerk, retiree, day, message):
    case_of(zibo_clerk, retiree, payer="insurance")
    with pytest.raises(RuleViolation, match=message):
        check_identity(by=zibo_clerk, enrolment=retiree, row_version=0, checked_on=day, today=TODAY)


def test_identity_check_needs_facts_and_goes_only_forward(zibo_clerk, retiree):
    asked = {"by": zibo_clerk, "enrolment": retiree, "today": TODAY}
    with pytest.raises(RuleViolation, match="退休情况"):
        check_identity(row_version=0, checked_on=TODAY, **asked)
    case_of(zibo_clerk, retiree)
    check_identity(row_version=0, checked_on=TODAY, **asked)
    with pytest.raises(RuleViolation, match="更早"):
        check_identity(row_version=1, checked_on=date(2022, 10, 8), **asked)
    with pytest.raises(EditConflict):
        check_identity(row_version=0, checked_on=TODAY, **asked)


# Batches


def pension_batch(clerk, village, **values):
    switch_on(CODE, village.parent)
    return payments.create_batch(
        by=clerk, office=village.parent, policy_code=CODE, year=2022, pay_year=2022, today=TODAY,
        now=NOW, **values,
    )  # fmt: skip


def test_batch_pays_public_money_holds_the_employers_and_leaves_out_the_insured(zibo, zibo_clerk):
    for name, payer in (("财", "finance"), ("企", "employer"), ("保", "insurance")):
        case_of(zibo_clerk, make_payee(zibo, name, CODE, start=date(2022, 5, 1)), payer=payer)
    lines = pension_batch(zibo_clerk, zibo).lines.order_by("line_no")
    assert [(one.name, one.state, one.hold_reason, one.amount) for one in lines] == [
        ("财", "planned", "", Decimal("26179.80")),
        ("企", "held", "由原单位发放", Decimal("26179.80")),
    ]


def test_batch_by_name_holds_who_was_put_into_it(zibo, zibo_clerk):
    lines = [make_payee(zibo, name, CODE, start=date(2022, 5, 1)) for name in "甲乙丙"]
    for line in lines[:2]:
        case_of(zibo_clerk, line)
    refused = put_in_batch(by=zibo_clerk, enrolments=[lines[0], lines[2]], part="第七批")
    assert refused == {lines[2].pk: "先登记退休情况。"}
    assert put_in_batch(by=zibo_clerk, enrolments=lines[:1], part="第七批") == {
        lines[0].pk: "已经在第七批里。"
    }
    event = AuditEvent.objects.get(type="pension.put_in_batch")
    assert event.changes == {"part": ["", "第七批"]}
    batch = pension_batch(zibo_clerk, zibo, part="第七批")
    assert [one.name for one in batch.lines.all()] == ["甲"]
    assert row_of(lines[0]).progress == pensions.GOING
    with pytest.raises(RuleViolation, match="批次"):
        put_in_batch(by=zibo_clerk, enrolments=lines, part=" ")


def test_figures_by_batch_and_payer(zibo, zibo_clerk):
    for payer, part in (("finance", "第七批"), ("employer", "第七批"), ("insurance", "")):
        line = make_payee(zibo, payer, CODE, start=date(2022, 5, 1))
        case_of(zibo_clerk, line, payer=payer, part=part)
    make_payee(zibo, "无", CODE, start=date(2022, 5, 1))
    found = pension_list.parts_of(zibo_clerk)
    assert [(one.name, one.by_payer, one.yuan) for one in found] == [
        ("第七批", [1, 1, 0, 0], Decimal("26179.80")),
        ("未放入批次", [0, 0, 1, 1], Decimal(0)),
    ]


# Pages


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "财企无"),
        ("payer=finance", "财"),
        ("payer=none", "无"),
        ("part=第七批", "财"),
        ("part=none", "企无"),
        ("progress=facts", "无"),
        ("progress=employer", "企"),
        ("year=2021", "企"),
    ],
)
def test_conditions_of_the_list(sign_in, zibo, zibo_clerk, query, names):
    for name in "财企无":
        line = make_payee(zibo, f"赵{name}人", CODE, start=date(2022, 5, 1))
        if name == "财":
            case_of(zibo_clerk, line, part="第七批")
        elif name == "企":
            case_of(zibo_clerk, line, payer="employer", retired_month=date(2021, 5, 1))
    text = sign_in(zibo_clerk).get(f"{LIST}?{query}").content.decode()
    assert [name for name in "财企无" if f"赵{name}人" in text] == list(names)


def test_list_does_not_ask_more_for_more(
    sign_in, zibo, zibo_clerk, assert_query_count_does_not_grow
):
    client = sign_in(zibo_clerk)
    case_of(zibo_clerk, make_payee(zibo, "甲", CODE, start=date(2022, 5, 1)))

    def grow():
        for name in "乙丙丁戊己":
            case_of(zibo_clerk, make_payee(zibo, name, CODE, start=date(2022, 5, 1)))

    assert_query_count_does_not_grow(lambda: client.get(LIST), grow)


def test_facts_and_identity_by_their_pages(sign_in, zibo_clerk, retiree):
    client = sign_in(zibo_clerk)
    url = reverse("subsidies:pension-edit", args=[retiree.pk])
    check = reverse("subsidies:pension-check", args=[retiree.pk])
    assert client.get(check).url == url
    assert retiree.resident.id_number not in client.get(url).content.decode()
    data = {"row_version": "0", "opened": "", "retired_month": "2022-05", "payer": "insurance"}
    assert client.post(url, data | {"payer": ""}).status_code == 200
    assert client.post(url, data).url == LIST
    assert client.post(url, data | {"row_version": "9"}).status_code == 409
    assert "只核对身份" in client.get(check).content.decode()
    posted = client.post(check, {"row_version": "0", "checked_on": "2022-10-09"})
    assert posted.url == LIST
    assert PensionCase.objects.get().identity_checked_by == zibo_clerk


def test_paper_holds_what_the_list_shows_and_is_recorded(sign_in, zibo, zibo_clerk):
    case_of(zibo_clerk, make_payee(zibo, "赵财人", CODE, start=date(2022, 5, 1)), part="第七批")
    make_payee(zibo, "赵无人", CODE, start=date(2022, 5, 1))
    url = reverse("subsidies:pension-print")
    text = sign_in(zibo_clerk).get(f"{url}?part=第七批").content.decode()
    assert "赵财人" in text
    assert "赵无人" not in text
    assert "26,179.80" in text
    assert AuditEvent.objects.get(type="roster.printed").count == 1


def test_worker_of_the_village_sees_and_changes_nothing(sign_in, zibo, retiree):
    from tests.factories.accounts import make_user

    client = sign_in(make_user("propagandist", zibo, "zibo-worker"))
    assert "赵退休" in client.get(LIST).content.decode()
    assert client.get(WAGES).status_code == 403
    assert client.get(reverse("subsidies:pension-edit", args=[retiree.pk])).status_code == 403


def _broken(*args, **kwargs):
    raise ValueError("broken")
