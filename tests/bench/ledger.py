"""The ledger of a month for every township, against SQL written by hand for the same figures."""

import time
from datetime import date

from django.db import connection

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import Span
from households.ledger import CLASSES, COLUMNS, code_of, compute_ledger

SPAN = Span(date(2018, 9, 1), date(2018, 9, 30))
KEYS = tuple(CLASSES)

CLASS = "CASE WHEN {s}.residence = '流入' THEN '流入' ELSE {s}.hukou END"
ON = "({s}.started_on IS NULL OR {s}.started_on <= {day}) AND ({s}.ended_on IS NULL OR {s}.ended_on > {day})"
ALIVE = "p.birth_date <= {day} AND (p.death_date IS NULL OR p.death_date > {day})"


def _cells(*, village="true", sex="true", hukou="true", of="s", person="p.sex") -> str:
    """The six classes of a column as counts, each where its condition holds."""
    klass = CLASS.format(s=of)
    conditions = [village] + [f"({sex}) AND {person} = '{word}'" for word in ("男", "女")]
    conditions += [f"({hukou}) AND {klass} = '{word}'" for word in ("农业", "非农业", "流入")]
    return ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)


def _on(day: str, spell: str = "s") -> str:
    return ON.format(s=spell, day=day)


OPENING, CLOSING = "%(eve)s", "%(day)s"
STATES = f"""
SELECT v.parent_id, {_cells(village="o", sex="o", hukou="o")}, {_cells(village="c", sex="c", hukou="c")}
FROM (
    SELECT s.village_id, s.residence, s.hukou, p.sex,
           {_on(OPENING)} AND {ALIVE.format(day=OPENING)} o,
           {_on(CLOSING)} AND {ALIVE.format(day=CLOSING)} c
    FROM households_residency s JOIN households_resident p ON p.id = s.resident_id
) s JOIN accounts_region v ON v.id = s.village_id, LATERAL (SELECT s.sex) p GROUP BY 1
"""
DEATHS = f"""
SELECT v.parent_id, {_cells()}
FROM households_resident p JOIN households_residency s ON s.resident_id = p.id
JOIN accounts_region v ON v.id = s.village_id
WHERE p.death_date BETWEEN %(start)s AND %(day)s AND {_on("p.death_date")} GROUP BY 1
"""
# Births with the village they count in, the class of the child's first spell there (else the
# parent's), and whether they brought the child as somebody new.
BORN = f"""
born AS (
    SELECT c.id, c.child_id, c.sex, coalesce(m.village_id, f.village_id) village_id,
           coalesce(
               (SELECT {CLASS.format(s="x")} FROM households_residency x
                WHERE x.resident_id = c.child_id AND x.village_id = coalesce(m.village_id, f.village_id)
                ORDER BY x.started_on NULLS FIRST LIMIT 1),
               CASE WHEN m.id IS NOT NULL THEN {CLASS.format(s="m")} ELSE {CLASS.format(s="f")} END
           ) klass
    FROM households_childrecord c
    LEFT JOIN households_residency m ON m.resident_id = c.mother_id AND {_on("c.birth_date", "m")}
    LEFT JOIN households_residency f ON f.resident_id = c.father_id AND {_on("c.birth_date", "f")}
    WHERE c.origin = '亲生' AND c.birth_date BETWEEN %(start)s AND %(day)s
)
"""
# Whoever counts at the close or died, began or was born in the span, and what stood there before.
CAME = f"""
came AS (
    SELECT s.resident_id, s.village_id, s.residence, s.hukou, p.sex, {CLASS.format(s="s")} klass,
           b.village_id IS NOT NULL AND b.village_id = s.village_id
               AND p.birth_date <= %(eve)s was_here,
           {CLASS.format(s="b")} before
    FROM households_residency s JOIN households_resident p ON p.id = s.resident_id
    LEFT JOIN households_residency b ON b.resident_id = s.resident_id AND {_on(OPENING, "b")}
    WHERE s.started_on >= %(start)s AND {_on(CLOSING)} AND {ALIVE.format(day=CLOSING)}
    UNION ALL
    SELECT s.resident_id, s.village_id, s.residence, s.hukou, p.sex, {CLASS.format(s="s")}, false, NULL
    FROM households_resident p JOIN households_residency s ON s.resident_id = p.id
    WHERE p.birth_date BETWEEN %(start)s AND %(day)s AND (s.started_on IS NULL OR s.started_on < %(start)s)
      AND {_on(CLOSING)} AND {ALIVE.format(day=CLOSING)}
    UNION ALL
    SELECT s.resident_id, s.village_id, s.residence, s.hukou, p.sex, {CLASS.format(s="s")},
           b.village_id IS NOT NULL AND b.village_id = s.village_id AND p.birth_date <= %(eve)s,
           {CLASS.format(s="b")}
    FROM households_resident p JOIN households_residency s ON s.resident_id = p.id
    LEFT JOIN households_residency b ON b.resident_id = p.id AND {_on(OPENING, "b")}
    WHERE p.death_date BETWEEN %(start)s AND %(day)s AND {_on("p.death_date")}
)
"""
MOVED = """
SELECT e.kind FROM households_residency x LEFT JOIN households_lifeevent e ON e.id = x.opened_by_id
WHERE x.resident_id = s.resident_id AND x.village_id = s.village_id
  AND (x.ended_on IS NULL OR x.ended_on > %(start)s) ORDER BY x.started_on NULLS FIRST LIMIT 1
"""
KINDS = (
    "'move_in','move_out','inflow','outflow','return','split','merge','marriage','household_move'"
)
BORN_HERE = "SELECT 1 FROM born WHERE child_id = s.resident_id AND village_id = s.village_id"
ARRIVALS = f"""
WITH {BORN}, {CAME}, flagged AS (
    SELECT s.*, NOT was_here AND NOT EXISTS ({BORN_HERE}) of_village,
           NOT was_here AND NOT EXISTS ({BORN_HERE} AND sex = s.sex) of_sex,
           NOT (was_here AND before = klass) AND NOT EXISTS ({
    BORN_HERE
} AND klass = s.klass) of_class,
           coalesce(({MOVED}) IN ({KINDS}), false) moved
    FROM came s
)
SELECT v.parent_id,
       {
    _cells(
        village="of_village AND moved",
        sex="of_village AND moved",
        hukou="of_village AND moved",
        person="s.sex",
    )
},
       {
    _cells(
        village="of_village AND NOT moved",
        sex="of_sex AND NOT (of_village AND moved)",
        hukou="of_class AND NOT (of_village AND moved)",
        person="s.sex",
    )
}
FROM flagged s JOIN accounts_region v ON v.id = s.village_id GROUP BY 1
"""
DEPARTURES = f"""
WITH gone AS (
    SELECT s.resident_id, s.village_id, s.residence, s.hukou, p.sex,
           a.village_id IS NULL OR a.village_id <> s.village_id of_village,
           a.village_id IS NULL OR a.village_id <> s.village_id
               OR {CLASS.format(s="a")} <> {CLASS.format(s="s")} of_class,
           coalesce((
               SELECT e.kind FROM households_residency x
               LEFT JOIN households_lifeevent e ON e.id = x.closed_by_id
               WHERE x.resident_id = s.resident_id AND x.village_id = s.village_id
                 AND (x.ended_on IS NULL OR x.ended_on > %(eve)s)
                 AND (x.started_on IS NULL OR x.started_on <= %(day)s)
               ORDER BY x.ended_on DESC NULLS FIRST LIMIT 1
           ) IN ({KINDS}), false) moved
    FROM households_residency s JOIN households_resident p ON p.id = s.resident_id
    LEFT JOIN households_residency a ON a.resident_id = s.resident_id
        AND {_on("least(coalesce(p.death_date, %(day)s), %(day)s)", "a")}
    WHERE s.ended_on > %(eve)s AND s.ended_on <= %(day)s AND {_on(OPENING)} AND {
    ALIVE.format(day=OPENING)
}
)
SELECT v.parent_id,
       {
    _cells(
        village="of_village AND moved",
        sex="of_village AND moved",
        hukou="of_village AND moved",
        person="s.sex",
    )
},
       {
    _cells(
        village="of_village AND NOT moved",
        sex="of_village AND NOT moved",
        hukou="of_class AND NOT (of_village AND moved)",
        person="s.sex",
    )
}
FROM gone s JOIN accounts_region v ON v.id = s.village_id GROUP BY 1
"""
COUNTED = "counts AND a.village_id = s.village_id"
BEFORE = "known AND b.village_id = s.village_id"
BIRTHS = f"""
WITH {BORN}, outcome AS (
    SELECT s.*, coalesce({COUNTED}, false) there, coalesce({BEFORE}, false) was_here, k.sex child_sex,
           {CLASS.format(s="a")} after_class, {CLASS.format(s="b")} before_class,
           EXISTS (SELECT 1 FROM born e WHERE e.child_id = s.child_id AND e.village_id = s.village_id
               AND e.id < s.id) again,
           EXISTS (SELECT 1 FROM born e WHERE e.child_id = s.child_id AND e.village_id = s.village_id
               AND e.sex = s.sex AND e.id < s.id) again_sex,
           EXISTS (SELECT 1 FROM born e WHERE e.child_id = s.child_id AND e.village_id = s.village_id
               AND e.klass = s.klass AND e.id < s.id) again_class
    FROM born s LEFT JOIN households_resident k ON k.id = s.child_id
    LEFT JOIN LATERAL (
        SELECT (k.birth_date <= %(day)s AND (k.death_date IS NULL OR k.death_date > %(day)s))
               OR k.death_date BETWEEN %(start)s AND %(day)s counts,
               {ALIVE.format(day=OPENING).replace("p.", "k.")} known
    ) q ON true
    LEFT JOIN households_residency a ON a.resident_id = s.child_id
        AND {_on("least(coalesce(k.death_date, %(day)s), %(day)s)", "a")}
    LEFT JOIN households_residency b ON b.resident_id = s.child_id AND {_on(OPENING, "b")}
)
SELECT v.parent_id, {{births}}, {{lost}}
FROM outcome s JOIN accounts_region v ON v.id = s.village_id GROUP BY 1
"""


def _birth_cells(village: str, sex: str, hukou: str) -> str:
    conditions = [village] + [f"({sex}) AND s.sex = '{word}'" for word in ("男", "女")]
    conditions += [f"({hukou}) AND klass = '{word}'" for word in ("农业", "非农业", "流入")]
    return ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in conditions)


BIRTHS = BIRTHS.format(
    births=_birth_cells("true", "true", "true"),
    lost=_birth_cells(
        "NOT (there AND NOT was_here) OR again",
        "NOT (there AND NOT was_here AND child_sex = s.sex) OR again_sex",
        "NOT (there AND after_class = klass AND NOT (was_here AND before_class = klass)) OR again_class",
    ),
)
STATEMENTS = {
    STATES: ("opening", "closing"),
    DEATHS: ("deaths",),
    ARRIVALS: ("moved_in", "other_additions"),
    DEPARTURES: ("moved_out", "other_losses"),
    BIRTHS: ("births", "other_losses"),
}


def ledger() -> dict:
    """Best of three of each, taken in turns, after one of each to warm the cache. They must agree."""
    townships = list(Region.objects.filter(level=4).order_by("pk"))
    ours, by_hand = [], []
    for _ in range(4):
        seconds, mine = _timed(lambda: compute_ledger(townships, SPAN))
        ours.append(seconds)
        seconds, sql = _timed(lambda: _by_hand(townships))
        by_hand.append(seconds)
    differing = [
        (code, name, row[name], mine[code][name])
        for code, row in sql.items()
        for name in row
        if row[name] != mine[code][name]
    ]
    if differing:
        raise SystemExit(f"the ledger differs from the hand-written SQL: {differing[:5]}")
    return {"ours": min(ours[1:]), "by_hand": min(by_hand[1:]), "townships": len(townships)}


def _timed(action):
    started = time.perf_counter()
    answer = action()
    return time.perf_counter() - started, answer


def _by_hand(townships: list[Region]) -> dict[str, dict]:
    codes = {region.pk: region.code for region in townships}
    days = {"start": SPAN.start, "day": SPAN.as_of, "eve": date(2018, 8, 31)}
    names = [code_of(column, key) for column in COLUMNS for key in KEYS]
    rows: dict[str, dict] = {region.code: dict.fromkeys(names, 0) for region in townships}
    with connection.cursor() as cursor:
        for statement, columns in STATEMENTS.items():
            cursor.execute(statement, days)
            for parent, *numbers in cursor.fetchall():
                cells = (code_of(column, key) for column in columns for key in KEYS)
                for name, number in zip(cells, numbers, strict=True):
                    rows[codes[parent]][name] += number
    return rows
