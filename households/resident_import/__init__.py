"""Imports the residents' workbook (居民登记表): checks it against the registry, writes it in bulk.

A known person is found by ID number, else by household, name and birth date. Households come into
being with their first member. See imports/engine.py for the order of calls.
"""

from fpadmin.imports.identifiers import digests_of
from fpadmin.imports.kinds import Ground
from fpadmin.imports.reader import Table
from households.resident_import.cells import (
    places_of,
    refuse_duplicates,
    refuse_own_faults,
    strip_numbers,
)
from households.resident_import.differences import classify, warn_of_oddities
from households.resident_import.doubts import weigh_doubts
from households.resident_import.matching import (
    find_households,
    find_people,
    refuse_doubled_people,
    refuse_missing_hukou_codes,
    refuse_second_heads,
)
from households.resident_import.plan import SECRET, ResidentPlan
from households.resident_import.undoing import numbers_in_use, step_down
from households.resident_import.writing import write_residents

__all__ = ["numbers_in_use", "plan_residents", "step_down", "write_residents"]


def plan_residents(table: Table, ground: Ground) -> ResidentPlan:
    """Validate every record and decide what it is: new, changed, unchanged, or refused."""
    strip_numbers(table)
    plan = ResidentPlan(table, ground, *places_of(table, ground), digests_of(table, SECRET))
    refuse_own_faults(plan)
    refuse_duplicates(plan)
    find_households(plan)
    find_people(plan)
    weigh_doubts(plan)
    refuse_missing_hukou_codes(plan)
    refuse_doubled_people(plan)
    refuse_second_heads(plan)
    classify(plan)
    warn_of_oddities(plan)
    return plan
