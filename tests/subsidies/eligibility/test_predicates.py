"""What a predicate says that it looks at is what its SQL names: finding leaves the rest ungathered."""

import re
from datetime import date

import pytest

from subsidies.eligibility.predicates import PREDICATES, sql_of
from subsidies.policies import catalogue

CHILDREN = {
    "children_ever", "children_living", "girls_living", "living_birth_date", "living_grade",
    "births_outside",
}  # fmt: skip
SPOUSE = {"spouse_here", "spouse_sex", "spouse_birth_date", "spouse_hukou", "certificate"}


def criteria():
    """One criterion of each predicate that the catalogue uses, and the exclusion."""
    found = {c.key: c for policy in catalogue.policies().values() for c in policy.criteria}
    found["excludes"] = catalogue.Criterion("excludes", ("CN-RURAL",))
    return [found[key] for key in sorted(found)]


def flags(text: str) -> tuple[bool, bool]:
    """Whether the SQL names facts of children, and of the spouse."""
    named = set(re.findall(r"\{f\}\.(\w+)", text))
    return bool(named & CHILDREN), bool(named & SPOUSE)


@pytest.mark.parametrize("criterion", criteria(), ids=lambda one: one.key)
def test_predicate_says_what_its_sql_looks_at(criterion):
    one = PREDICATES[criterion.key]
    assert flags(sql_of(criterion, date(2018, 12, 31)).text) == (one.of_children, one.of_spouse)
    assert not (one.is_own and (one.of_children or one.of_spouse))


def test_every_predicate_is_looked_at():
    assert {one.key for one in criteria()} == set(PREDICATES)


def test_reading_of_the_sql_tells_children_from_spouses():
    assert flags("{f}.age > 1") == (False, False)
    assert flags("{f}.children_living = 1") == (True, False)
    assert flags("{f}.spouse_here = 0") == (False, True)
