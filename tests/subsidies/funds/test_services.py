"""Money received and given back, budgets, and how many people a payment needs."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import EditConflict, RuleViolation
from subsidies.funds import persons as reading
from subsidies.funds.figures import page_of
from subsidies.funds.sums import even
from subsidies.models import Fund, FundEntry, PaymentPersons
from subsidies.payments.people import persons_needed
from subsidies.services import funds, payments
from subsidies.services.persons import cancel_persons, set_persons
from subsidies.services.policies import Setting
from tests.factories.accounts import make_region
from tests.factories.payments import NOW, TODAY, bring_to, make_batch, make_payee

pytestmark = pytest.mark.django_db
LATER = date(2018, 11, 1)


@pytest.fixture
def fund(clerk, township) -> Fund:
    """A ledger of 2018 with a budget."""
    return funds.open_fund(
        by=clerk, office=township, policy_code="CN-RURAL", year=2018, budget=Decimal("670080.01"),
        document="财社2018年1号", today=TODAY,
    )  # fmt: skip


def enter(by, fund, amount="536064.00", kind="receive", payer="中央", **values):
    """Write down money as the form does."""
    return funds.record_entry(
        **{
            "by": by, "fund": fund, "kind": kind, "payer": payer, "amount": Decimal(amount),
            "document": "指标文1号", "happened_on": TODAY, "today": TODAY, "now": NOW,
        } | values
    )  # fmt: skip


def setting(region, day=TODAY, document="县卫健局2018年3号") -> Setting:
    return Setting(region, day, document)


# Ledgers and money -----------------------------------------------------------------------------


def test_money_received_is_free_and_recorded(clerk, fund):
    entry = enter(clerk, fund)
    fund.refresh_from_db()
    assert (fund.allotted, fund.free) == (Decimal("536064.00"), Decimal("536064.00"))
    assert (entry.source, entry.target, entry.payer) == ("source", "free", "中央")
    event = AuditEvent.objects.filter(type="fund.moved").get()
    assert event.changes == {"movement": "receive", "yuan": "536064.00"}
    assert event.region_path == fund.office.path


def test_money_given_back_leaves_the_ledger(clerk, fund):
    enter(clerk, fund)
    enter(clerk, fund, "64.00", "give_back")
    fund.refresh_from_db()
    assert (fund.allotted, fund.free) == (Decimal("536000.00"), Decimal("536000.00"))
    assert even(fund)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"payer": "别人"}, "请选择资金来源"),
        ({"amount": Decimal("0.00")}, "最少0.01元"),
        ({"amount": Decimal("1.005")}, "两位小数"),
        ({"amount": Decimal("NaN")}, "最少"),
        ({"document": "  "}, "凭证或文件"),
        ({"happened_on": date(2018, 10, 10)}, "到今天之间"),
        ({"happened_on": date(2016, 12, 31)}, "应在2017-01-01"),
        ({"amount": Decimal("999999999999.99")}, "太大"),
    ],
)
def test_entry_that_cannot_be_is_refused(clerk, fund, wrong, words):
    enter(clerk, fund, "1.00")
    with pytest.raises(RuleViolation, match=words):
        enter(clerk, fund, **wrong)
    assert FundEntry.objects.count() == 1


def test_no_more_goes_back_than_came_from_the_payer(clerk, fund):
    enter(clerk, fund, "100.00", payer="中央")
    enter(clerk, fund, "900.00", payer="省")
    with pytest.raises(RuleViolation, match="中央到账100.00元，交回不能多于这个数"):
        enter(clerk, fund, "100.01", "give_back", "中央")
    enter(clerk, fund, "100.00", "give_back", "中央")
    with pytest.raises(RuleViolation, match="中央到账0.00元"):
        enter(clerk, fund, "0.01", "give_back", "中央")


def test_money_of_an_approved_batch_cannot_go_back(
    clerk, reviewer, county_user, township, village, fund
):
    make_payee(village)
    batch = make_batch(clerk, township)
    bring_to("approved", batch, clerk=clerk, reviewer=reviewer, county_user=county_user)
    with pytest.raises(RuleViolation, match=r"可用资金不足，还差960\.00元"):
        enter(clerk, fund, "1000000.00", "give_back", "县")


def test_movement_of_another_kind_is_nobody_s_to_enter(clerk, fund):
    with pytest.raises(ValueError, match="no entry that somebody makes"):
        enter(clerk, fund, kind="pay")


def test_reviewer_and_other_townships_enter_nothing(reviewer, other_clerk, fund):
    with pytest.raises(RuleViolation, match="您的岗位不能办理"):
        enter(reviewer, fund)
    with pytest.raises(RuleViolation):
        enter(other_clerk, fund)


def test_entry_is_undone_when_it_cannot_be_recorded(clerk, fund, monkeypatch):
    monkeypatch.delitem(log.EVENT_TYPES, "fund.moved")
    with pytest.raises(ValueError, match="not registered"):
        enter(clerk, fund)
    fund.refresh_from_db()
    assert (fund.allotted, FundEntry.objects.count()) == (0, 0)


def test_ledger_is_opened_once(clerk, county_user, township, fund):
    assert AuditEvent.objects.get(type="fund.opened").changes == {
        "budget": ["", "670080.01"], "budget_document": ["", "财社2018年1号"],
    }  # fmt: skip
    with pytest.raises(RuleViolation, match="已经有了"):
        funds.open_fund(
            by=county_user, office=township, policy_code="CN-RURAL", year=2018, today=TODAY
        )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"policy_code": "YN-EXAM"}, "不发钱"),
        ({"year": 2003}, "年度应在2004到2019之间"),
        ({"year": 2020}, "年度应在2004到2019之间"),
        ({"budget": Decimal("5.00")}, "预算文件"),
        ({"document": "财社1号"}, "预算金额"),
        ({"budget": Decimal("-1.00"), "document": "财社1号"}, "不能是负数"),
    ],
)
def test_ledger_that_cannot_be_is_refused(clerk, township, changed, words):
    values = {"policy_code": "CN-RURAL", "year": 2018} | changed
    with pytest.raises(RuleViolation, match=words):
        funds.open_fund(by=clerk, office=township, today=TODAY, **values)
    assert not Fund.objects.exists()


def test_ledger_of_a_village_or_of_others_is_refused(
    clerk, reviewer, village, township, other_township
):
    asked = {"policy_code": "CN-RURAL", "year": 2018, "today": TODAY}
    for by, office, words in (
        (clerk, village, "按乡镇（街道）登记"),
        (clerk, other_township, "不在您的区划内"),
        (reviewer, township, "您的岗位不能办理"),
    ):
        with pytest.raises(RuleViolation, match=words):
            funds.open_fund(by=by, office=office, **asked)


def test_budget_is_changed_with_its_document(clerk, fund):
    funds.set_budget(
        by=clerk, fund=fund, row_version=fund.row_version, budget=Decimal("700000.00"),
        document="财社2018年9号",
    )  # fmt: skip
    fund.refresh_from_db()
    assert (fund.budget, fund.budget_document) == (Decimal("700000.00"), "财社2018年9号")
    assert AuditEvent.objects.get(type="fund.budget_changed").changes == {
        "budget": ["670080.01", "700000.00"],
        "budget_document": ["财社2018年1号", "财社2018年9号"],
    }


def test_second_of_two_budgets_meets_a_conflict(clerk, fund):
    asked = {"by": clerk, "fund": fund, "row_version": fund.row_version}
    funds.set_budget(**asked, budget=Decimal("1.00"), document="甲")
    with pytest.raises(EditConflict):
        funds.set_budget(**asked, budget=Decimal("2.00"), document="乙")
    fund.refresh_from_db()
    assert fund.budget == Decimal("1.00")


def test_budget_refused_or_unrecorded_changes_nothing(clerk, reviewer, fund, monkeypatch):
    asked = {"fund": fund, "row_version": fund.row_version}
    with pytest.raises(RuleViolation, match="岗位"):
        funds.set_budget(by=reviewer, **asked, budget=Decimal(1), document="甲")
    with pytest.raises(RuleViolation, match="预算文件"):
        funds.set_budget(by=clerk, **asked, budget=Decimal(1), document="")
    monkeypatch.delitem(log.EVENT_TYPES, "fund.budget_changed")
    with pytest.raises(ValueError, match="not registered"):
        funds.set_budget(by=clerk, **asked, budget=Decimal(1), document="甲")
    fund.refresh_from_db()
    assert (fund.budget, fund.row_version) == (Decimal("670080.01"), asked["row_version"])


# Who has sent how much -------------------------------------------------------------------------


def test_sources_say_what_is_still_due_by_the_shares(clerk, fund):
    enter(clerk, fund, "536064.01", payer="中央")
    enter(clerk, fund, "100000.00", payer="省")
    enter(clerk, fund, "5.00", payer="乡")
    page = page_of(Fund.objects.select_related("office").get())
    rows = {one.payer: (one.share, one.due, one.received, one.left) for one in page.sources}
    assert rows["中央"] == (80, Decimal("536064.01"), Decimal("536064.01"), 0)
    assert rows["乡"] == (None, 0, Decimal("5.00"), 0)
    assert sum(one.due for one in page.sources) == fund.budget
    assert page.whole.received == Decimal("636069.01")
    assert (page.whole.left, page.whole.over) == (Decimal("34016.00"), Decimal("5.00"))
    assert page.figures[0].words == "陆拾叁万陆仟零陆拾玖元零壹分"
    assert page.is_even
    assert [one.over for one in page.sources if one.payer == "乡"] == [Decimal("5.00")]


def test_without_a_budget_nothing_is_due(clerk, township):
    bare = funds.open_fund(
        by=clerk, office=township, policy_code="CN-RURAL", year=2018, today=TODAY
    )
    enter(clerk, bare, "10.00")
    page = page_of(Fund.objects.select_related("office").get())
    (central, *_), whole = page.sources, page.whole
    assert (central.due, central.left, central.received) == (None, None, Decimal("10.00"))
    assert (whole.due, whole.left, whole.share) == (None, None, 100)


# How many people -------------------------------------------------------------------------------


def test_two_people_from_a_day_on(county_user, county, township):
    row = set_persons(by=county_user, setting=setting(county, LATER), persons=2, today=TODAY)
    assert persons_needed(township, TODAY) == 3
    assert persons_needed(township, LATER) == 2
    event = AuditEvent.objects.get(type="payment.persons_set")
    assert event.changes["persons"] == [3, 2]
    assert (event.target_id, event.region_path) == (str(row.pk), county.path)


@pytest.mark.parametrize(
    ("place", "day", "number", "document", "words"),
    [
        ("county", date(2018, 10, 8), 2, "三号文", "不能早于今天"),
        ("county", date(2029, 1, 1), 2, "三号文", "太远"),
        ("county", TODAY, 2, " ", "依据文件"),
        ("county", TODAY, 3, "三号文", "已经是三人"),
        ("county", TODAY, 1, "三号文", "只能是三人或两人"),
        ("village", TODAY, 2, "三号文", "不按村设定"),
        ("elsewhere", TODAY, 2, "三号文", "不在您的区划内"),
    ],
)
def test_number_that_cannot_be_is_refused(
    county_user, county, village, place, day, number, document, words
):
    places = {"county": county, "village": village, "elsewhere": make_region("539982")}
    with pytest.raises(RuleViolation, match=words):
        set_persons(
            by=county_user, setting=setting(places[place], day, document), persons=number,
            today=TODAY,
        )  # fmt: skip
    assert not PaymentPersons.objects.exists()


def test_township_sets_no_number(clerk, township):
    with pytest.raises(RuleViolation, match="由县级设定"):
        set_persons(by=clerk, setting=setting(township), persons=2, today=TODAY)


def test_second_number_of_a_day_is_refused(county_user, county):
    asked = {"by": county_user, "setting": setting(county), "today": TODAY}
    set_persons(**asked, persons=2)
    with pytest.raises(RuleViolation, match="已有一条规定"):
        set_persons(**asked, persons=3)
    with pytest.raises(IntegrityError), transaction.atomic():
        PaymentPersons.objects.create(region=county, from_on=TODAY, document="四号文", persons=3)


def test_number_is_undone_when_it_cannot_be_recorded(county_user, county, monkeypatch):
    monkeypatch.delitem(log.EVENT_TYPES, "payment.persons_set")
    with pytest.raises(ValueError, match="not registered"):
        set_persons(by=county_user, setting=setting(county), persons=2, today=TODAY)
    assert not PaymentPersons.objects.exists()


def test_number_to_come_is_cancelled_and_stays_listed(county_user, county, township):
    row = set_persons(by=county_user, setting=setting(county, LATER), persons=2, today=TODAY)
    cancel_persons(by=county_user, row=row, today=TODAY, now=NOW)
    assert persons_needed(township, LATER) == 3
    (line,) = reading.lines_of(county_user, TODAY)
    assert (line.state[1], line.may_cancel) == ("已取消", False)
    assert AuditEvent.objects.filter(type="payment.persons_cancelled").count() == 1
    with pytest.raises(RuleViolation, match="已经取消"):
        cancel_persons(by=county_user, row=row, today=TODAY, now=NOW)


def test_number_in_force_or_of_others_is_not_cancelled(county_user, clerk, county, monkeypatch):
    row = set_persons(by=county_user, setting=setting(county), persons=2, today=TODAY)
    with pytest.raises(RuleViolation, match="已经生效"):
        cancel_persons(by=county_user, row=row, today=TODAY, now=NOW)
    later = set_persons(by=county_user, setting=setting(county, LATER), persons=3, today=TODAY)
    with pytest.raises(RuleViolation, match="由县级设定"):
        cancel_persons(by=clerk, row=later, today=TODAY, now=NOW)
    PaymentPersons.objects.filter(pk=later.pk).update(region=county.parent)
    later.refresh_from_db()
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        cancel_persons(by=county_user, row=later, today=TODAY, now=NOW)
    monkeypatch.delitem(log.EVENT_TYPES, "payment.persons_cancelled")
    PaymentPersons.objects.filter(pk=later.pk).update(region=county)
    later.refresh_from_db()
    with pytest.raises(ValueError, match="not registered"):
        cancel_persons(by=county_user, row=later, today=TODAY, now=NOW)
    assert not PaymentPersons.objects.filter(cancelled_at__isnull=False).exists()


def test_batch_keeps_its_number_and_a_draft_takes_the_new_one(
    clerk, county_user, county, township, village
):
    make_payee(village)
    batch = make_batch(clerk, township)
    set_persons(by=county_user, setting=setting(county), persons=2, today=TODAY)
    batch.refresh_from_db()
    assert batch.persons == 3
    assert reading.keeping_theirs(county, 2) == 1
    batch = payments.recalculate(
        by=clerk, batch=batch, row_version=batch.row_version, today=TODAY, now=NOW
    )
    assert batch.persons == 2
    assert reading.keeping_theirs(county, 2) == 0


def test_places_show_the_nearest_number(county_user, county, township, other_township):
    set_persons(by=county_user, setting=setting(county), persons=2, today=TODAY)
    set_persons(by=county_user, setting=setting(township), persons=3, today=TODAY)
    found = {line.office.name: line.words for line in reading.places_now(county_user, TODAY)}
    assert found == {"禄脿街道": "三人", "温泉镇": "两人"}
    assert [line.state[1] for line in reading.lines_of(county_user, TODAY)] == ["执行中"] * 2
