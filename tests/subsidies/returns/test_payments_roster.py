"""发放花名册: the list of lines of a policy and year, of every batch, as its Excel file has it."""

from datetime import date

import pytest
from django.http import QueryDict

from fpadmin.exports.runs import cells
from fpadmin.ui.listing import LISTS, Asked, rows_of
from subsidies.payments.line_list import KEY
from tests.factories.payments import TODAY, make_batch, make_payee
from tests.subsidies.imports.books import take

pytestmark = pytest.mark.django_db


def roster(user, query: str) -> list[dict]:
    spec = LISTS[KEY]
    columns = [column for column in spec.columns if column.in_file]
    rows = rows_of(spec, Asked(user, QueryDict(query), {}, TODAY))
    labels = [column.label for column in columns]
    return [
        dict(zip(labels, row, strict=True))
        for rows_at_once in cells(rows, columns, clear=False, day=TODAY)
        for row in rows_at_once
    ]


def test_roster_of_a_year_has_what_every_batch_of_the_policy_paid(township, village, clerk):
    person, other = make_payee(village).resident, make_payee(village, "宋桂兰").resident
    paid = {
        "policy_code": "CN-RURAL", "name": person.name, "idno": person.id_number, "year": 2017,
        "amount": 960, "paid_on": date(2018, 1, 15), "note": "纸质台账",
    }  # fmt: skip
    before = {"year": 2016, "paid_on": date(2017, 1, 10)}
    fee = {"policy_code": "YN-HEALTH-FEE", "months": 12, "amount": 120}
    take(township, paid, paid | before, paid | fee, kind="payments")
    batch = make_batch(clerk, township)
    found = roster(clerk, "policy=CN-RURAL&pay_year=2018")
    assert sorted((row["户名"], row["享受年度"], row["批次"]) for row in found) == [
        (other.name, 2018, batch.number),
        (person.name, 2017, f"{township.code}-2018-H01"),
        (person.name, 2018, batch.number),
    ]
    history = next(row for row in found if row["享受年度"] == 2017)
    assert (history["政策"], history["状态"], history["计算依据"]) == (
        "农村部分计划生育家庭奖励扶助", "已入账", "纸质台账",
    )  # fmt: skip
    assert len(roster(clerk, "pay_year=2018")) == 4
    assert len(roster(clerk, "policy=CN-RURAL&pay_year=2017")) == 1
