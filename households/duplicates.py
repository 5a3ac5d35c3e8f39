"""Which two records look like one person: found set-based, a statement a rule, for a million residents.

Two people who both have an ID number are two people: the numbers are checked and unique, and a
15-digit one is stored as the 18 it becomes. So one of a pair, or both, has none. Twins differ in name or
sex. Who has left the books is nobody's double.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import connection

# Joined by the index on the name; only those without a number are looked up.
_ALIKE = """
    b.name = a.name AND b.birth_date = a.birth_date AND b.sex = a.sex
    AND a.id_number_digest IS NULL AND a.departed_on IS NULL AND b.departed_on IS NULL
"""
_NO_MOTHER = "({0}.mother_id IS NULL AND {0}.mother_id_number_digest = '')"
RULES: Mapping[str, str] = {
    "姓名、性别、出生日期和母亲相同": """(a.mother_id = b.mother_id OR (a.mother_id_number_digest <> ''
        AND a.mother_id_number_digest = b.mother_id_number_digest))""",
    "姓名、性别、出生日期和家庭相同，母亲不详": f"""(a.household_id = b.household_id
        AND ({_NO_MOTHER.format("a")} OR {_NO_MOTHER.format("b")}))""",
}
_FIND = """
    INSERT INTO households_duplicate (first_id, second_id, reason, state, found_at)
    SELECT CASE WHEN a.id < b.id THEN a.id ELSE b.id END,
           CASE WHEN a.id < b.id THEN b.id ELSE a.id END, %s, 'open', %s
    FROM households_resident a JOIN households_resident b ON {alike}
    WHERE (b.id_number_digest IS NOT NULL OR a.id < b.id) AND {rule}
    ON CONFLICT (first_id, second_id) DO NOTHING
"""
# Both ways round: either of the two may be the one without a number.
_CLOSE = """
    DELETE FROM households_duplicate WHERE state = 'open' AND NOT EXISTS (
        SELECT 1 FROM households_resident a JOIN households_resident b ON {alike}
        WHERE a.id = households_duplicate.first_id AND b.id = households_duplicate.second_id
        AND ({rules})
    ) AND NOT EXISTS (
        SELECT 1 FROM households_resident a JOIN households_resident b ON {alike}
        WHERE a.id = households_duplicate.second_id AND b.id = households_duplicate.first_id
        AND ({rules})
    )
"""


def find(now: datetime) -> int:
    """Put pairs that look like one person into the queue; those that are known stay as decided."""
    found = 0
    with connection.cursor() as cursor:
        for reason, rule in RULES.items():
            cursor.execute(_FIND.format(alike=_ALIKE, rule=rule), [reason, now])
            found += max(cursor.rowcount, 0)
    return found


def close() -> int:
    """Drop from the queue what no longer looks alike: somebody was changed, merged or has left."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE.format(alike=_ALIKE, rules=" OR ".join(RULES.values())))
        return max(cursor.rowcount, 0)
