"""Dates as clerks type them."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from fpadmin.ui.forms import FlexibleDateField


@pytest.mark.parametrize(
    "typed",
    [
        "20180629", "2018-6-29", "2018-06-29", "2018/6/29", "2018.6.29", "2018年6月29日", "2018年6月29",
        "２０１８年６月２９日", " 2018 - 6 - 29 ",
    ],
)  # fmt: skip
def test_date_is_read_as_typed(typed):
    assert FlexibleDateField().clean(typed) == date(2018, 6, 29)


@pytest.mark.parametrize(
    "typed",
    ["2018", "2018-2-30", "20181301", "29/6/2018", "昨天", "0000-1-1", "²0180629", "٢٠١٨٠٦٢٩"],
)
def test_what_is_no_date_is_named(typed):
    with pytest.raises(ValidationError, match="不是一个日期"):
        FlexibleDateField().clean(typed)


def test_blank_is_none_where_allowed():
    assert FlexibleDateField(required=False).clean("") is None
