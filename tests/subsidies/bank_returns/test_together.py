"""Two people bring the same answer at once: it is posted once, and nobody is left with a fault."""

import threading

import pytest
from django.db import connection, connections

from subsidies.models import Fund, FundEntry, ReturnException
from tests.factories.payments import bring_to, make_batch, make_payee, second_clerk
from tests.subsidies.bank_returns.books import answer, book, take

pytestmark = pytest.mark.django_db(transaction=True)
PEOPLE = 20


def test_two_clerks_with_the_same_file_post_it_once(township, village, clerk, people):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    for number in range(PEOPLE):
        make_payee(village, f"陶{number}")
    batch = bring_to("sent", make_batch(clerk, township), **people)
    lines = list(batch.lines.select_related("batch").order_by("line_no"))
    content = book(
        *(answer(line) for line in lines[:-2]), answer(lines[-2], "失败"),
        answer(lines[-1], name="别人"),
    )  # fmt: skip
    clerks, start = [clerk, second_clerk(township)], threading.Barrier(2)
    outcomes, faults = [], []

    def bring(by):
        try:
            start.wait(10)
            outcomes.append(take(by, content=content))
        except Exception as error:
            faults.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=bring, args=(one,)) for one in clerks]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert faults == []
    assert sorted(one.updated for one in outcomes) == [0, PEOPLE - 1]
    assert sorted(one.unchanged for one in outcomes) == [0, PEOPLE]
    assert FundEntry.objects.filter(kind="pay").count() == 1
    assert Fund.objects.get().paid == 960 * (PEOPLE - 2)
    assert ReturnException.objects.count() == 1
