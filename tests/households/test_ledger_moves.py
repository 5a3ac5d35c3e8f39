"""Who has left the township and who has only changed village stand apart in the ledger."""

from datetime import date

import pytest

from fpadmin.reporting.registry import Span
from households.ledger import code_of, compute_ledger
from households.services import record_event
from tests.conftest import TODAY
from tests.factories.households import make_household, make_resident

pytestmark = pytest.mark.django_db


def test_move_between_villages_is_no_leaving_of_the_township(
    village, other_village, township, clerk
):
    mover = make_resident(make_household(village), "搬家人", relation="其他")
    target = make_household(other_village)
    make_resident(target, "户主")
    record_event(
        by=clerk, kind="household_move", happened_on=date(2018, 9, 10), today=TODAY,
        values={"members": [mover], "target": target, "relations": {mover.pk: "其他"}},
    )  # fmt: skip
    leaver = make_resident(make_household(village), "外迁人", relation="其他")
    record_event(
        by=clerk, kind="move_out", happened_on=date(2018, 9, 11), today=TODAY,
        values={"members": [leaver]},
    )  # fmt: skip
    span = Span(date(2018, 9, 1), date(2018, 9, 30))
    figures = compute_ledger([village, other_village, township], span)
    row = figures[township.code]
    columns = ("moved_in", "other_additions", "moved_out", "other_losses")
    assert [row[code_of(c)] for c in columns] == [0, 1, 1, 1]
    assert figures[other_village.code][code_of("other_additions")] == 1
