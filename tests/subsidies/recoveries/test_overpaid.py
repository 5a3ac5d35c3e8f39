"""What was paid too much: found from the rolls of now, and nothing that was rightly paid."""

from datetime import date
from decimal import Decimal

import pytest

from subsidies.models import PaymentLine, Recovery, Suspension
from subsidies.recoveries.overpaid import overpaid
from subsidies.services.bank_returns import post_answers
from tests.factories.benefits import make_enrolment
from tests.factories.payments import NOW, TODAY, bring_to, make_batch, make_payee

pytestmark = pytest.mark.django_db
DEATH = "CN-SPECIAL-DEATH"  # by the month, 450 yuan


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


def pay(people, township, code=DEATH, **values):
    batch = bring_to("sent", make_batch(people["clerk"], township, code, **values), **people)
    keys = batch.lines.filter(state="instructed").values_list("pk", flat=True)
    post_answers(
        by=people["clerk"], batch=batch, paid=dict.fromkeys(keys, TODAY), failed={}, today=TODAY,
        now=NOW,
    )  # fmt: skip
    return batch


def found():
    return [(one.months, one.amount) for one in overpaid(PaymentLine.objects.order_by())]


def end(line, month, reason="死亡"):
    line.end_month, line.end_reason = month, reason
    line.save()


def test_months_after_an_end_that_was_decided_later_are_too_much(people, village):
    line, stays = make_payee(village, code=DEATH), make_payee(village, "另一人", code=DEATH)
    pay(people, village.parent)
    assert found() == []
    end(line, date(2018, 3, 1))
    assert found() == [(0b111111111000, Decimal(9 * 450))]
    end(stays, date(2018, 12, 1))
    assert len(found()) == 1


def test_half_years_are_looked_at_together(people, village):
    line = make_payee(village, code=DEATH)
    pay(people, village.parent, from_month=date(2018, 1, 1), to_month=date(2018, 6, 1))
    pay(people, village.parent, from_month=date(2018, 7, 1), to_month=date(2018, 12, 1),
        is_on_already=True)  # fmt: skip
    end(line, date(2018, 3, 1))
    assert found() == [
        (0b111111000000, Decimal(6 * 450)), (0b000000111000, Decimal(3 * 450)),
    ]  # fmt: skip


def test_whole_year_is_too_much_where_the_line_ended_before_it(people, village):
    line = make_payee(village)
    pay(people, village.parent, "CN-RURAL")
    end(line, date(2018, 2, 1))
    assert found() == []  # paid by the year, and the line held in it
    end(line, date(2017, 12, 1))
    assert found() == [(1, Decimal(960))]


def test_suspended_months_are_too_much(people, village):
    line = make_payee(village, code=DEATH)
    pay(people, village.parent)
    Suspension.objects.create(
        enrolment=line, from_month=date(2018, 11, 1), until_month=date(2018, 11, 1), reason="核查"
    )
    assert found() == [(1 << 10, Decimal(450))]


def test_what_moved_to_another_village_or_line_is_not_too_much(people, village, far_village):
    line = make_payee(village, code=DEATH)
    pay(people, village.parent)
    end(line, date(2018, 6, 1), "其他")
    make_enrolment(line.resident, DEATH, date(2018, 7, 1))
    line.resident.village = far_village
    line.resident.save()
    assert found() == []


@pytest.mark.parametrize("state", ["proposed", "refused", "open"])
def test_what_was_asked_or_refused_is_not_suspected_again(people, village, state):
    line = make_payee(village, code=DEATH)
    pay(people, village.parent)
    end(line, date(2018, 3, 1))
    paid = PaymentLine.objects.get()
    decided = {} if state == "proposed" else {"decided_by": people["reviewer"], "decided_at": NOW}
    Recovery.objects.create(
        line=paid, reason="overpaid", amount=Decimal(4050), state=state, note="多发",
        proposed_by=people["clerk"], proposed_at=NOW, **decided,
    )  # fmt: skip
    assert found() == []


def test_only_visible_lines_are_looked_at_and_history_is_not(people, village, other_clerk):
    line = make_payee(village, code=DEATH)
    batch = pay(people, village.parent)
    end(line, date(2018, 3, 1))
    assert overpaid(PaymentLine.objects.visible_to(other_clerk)) == []
    assert overpaid(PaymentLine.objects.exclude(batch=batch)) == []


def test_more_people_are_not_more_queries(people, village, assert_query_count_does_not_grow):
    lines = [make_payee(village, f"陶{number}", code=DEATH) for number in range(6)]
    pay(people, village.parent)
    end(lines[0], date(2018, 3, 1))

    def more():
        for line in lines[1:]:
            end(line, date(2018, 3, 1))

    assert_query_count_does_not_grow(found, more)
    assert len(found()) == 6
