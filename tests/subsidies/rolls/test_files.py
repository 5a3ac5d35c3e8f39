"""The files of the rolls: the page's rows, numbers masked, sensitive rolls counted as health data."""

from datetime import date

import pytest
from django.http import QueryDict

from fpadmin.exports import selectors
from fpadmin.ui.listing import HEALTH, LISTS, Asked, Selection
from subsidies.rolls.change_list import KEY as CHANGES
from subsidies.rolls.roll_list import KEY, SENSITIVE_KEY
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.subsidies.rolls.test_changes import proposed

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)


def test_file_of_a_roll_has_the_rows_of_the_page(clerk, village, export):
    switch_on("CN-RURAL", village.parent)
    head, wife = make_old_couple(village)
    head.bank_account = "6217001234567890"
    head.save()
    make_enrolment(head)
    make_enrolment(wife, end_month=date(2016, 12, 1), end_reason="其他")
    make_enrolment(wife, "CN-SPECIAL-DEATH")
    (row,) = export(clerk, KEY)
    assert (row["姓名"], row["起始年月"], row["状态"]) == ("陶有田", "2015-01", "在册")
    assert (row["标准（元）"], row["账号"]) == (960, "6217****7890")
    assert head.id_number not in str(row)
    found = {one["姓名"]: one for one in export(clerk, KEY, "state=all")}
    assert (found["宋桂兰"]["最后发放年月"], found["宋桂兰"]["退出原因"]) == ("2016-12", "其他")


@pytest.mark.parametrize(("key", "told"), [(KEY, False), (SENSITIVE_KEY, True), (CHANGES, True)])
def test_file_that_tells_of_a_death_or_illness_counts_as_health_data(clerk, village, key, told):
    spec = LISTS[key]
    selection = Selection(Asked(clerk, QueryDict(""), {}, TODAY), is_all=True)
    kinds = selectors.sensitive_kinds(spec, selection, [spec.column("name")])
    assert (HEALTH in kinds) == told


def test_file_of_changes(clerk, village, export):
    proposed(clerk, make_enrolment(make_old_couple(village)[0]))
    (row,) = export(clerk, CHANGES)
    assert (row["事项"], row["年月"], row["状态"]) == ("退出", "2018-12", "待审核")
