"""What the database refuses, whoever writes."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from households.models import ChildRecord, Residency
from tests.factories.households import make_birth, make_household, make_resident


@pytest.mark.parametrize(
    ("model", "field", "value"),
    [
        (Residency, "relation", "邻居"),
        (Residency, "hukou", "军籍"),
        (ChildRecord, "origin", "抱养"),
        (ChildRecord, "survival", "失踪"),
        (ChildRecord, "disability_grade", "五级"),
    ],
)
def test_unknown_word_is_refused(model, field, value, village):
    make_birth(make_resident(make_household(village), sex="女"), date(2010, 1, 1))
    # 失踪 would break the pair of survival and death date too; either may be named.
    expected = "dead_means_date|survival_known" if field == "survival" else f"{field}_known"
    with pytest.raises(IntegrityError, match=expected), transaction.atomic():
        model.objects.update(**{field: value})
