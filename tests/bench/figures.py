"""The groups population and births for every township, against SQL written by hand for the same figures."""

import time
from contextlib import ExitStack
from datetime import date
from tempfile import TemporaryFile

from django.db import connection

from fpadmin.accounts.models import Region
from fpadmin.audit.log import SystemJob
from fpadmin.dates import years_before
from fpadmin.reporting.registry import Span
from households.demo import loading
from households.demo.places import Place
from households.indicators import compute_births, compute_population
from households.models import ChildRecord, Household, LowIncomeSpell, Residency, Resident

TABLES = (Household, LowIncomeSpell, Resident, Residency, ChildRecord)
SPAN = Span(date(2017, 10, 1), date(2018, 9, 30))

IN_FORCE = (
    "(s.started_on IS NULL OR s.started_on <= {day}) AND (s.ended_on IS NULL OR s.ended_on > {day})"
)
WOMAN = "p.sex = '女' AND p.birth_date <= %(age15)s AND p.birth_date > %(age50)s AND p.marital <> '未婚'"
LOCAL = "s.residence <> '流入'"
LIVING = f"""{IN_FORCE.format(day="%(day)s")} AND p.birth_date <= %(day)s
    AND (p.death_date IS NULL OR p.death_date > %(day)s)"""

POPULATION = f"""
SELECT v.parent_id, sum(n), sum(farming), sum(urban), sum(inflow), sum(homes), sum(women),
       sum(women_farming), sum(women_urban), sum(women_inflow), sum(aged_60), sum(aged_65)
FROM (
    SELECT s.village_id, count(*) n,
           count(*) FILTER (WHERE s.hukou = '农业' AND {LOCAL}) farming,
           count(*) FILTER (WHERE s.hukou = '非农业' AND {LOCAL}) urban,
           count(*) FILTER (WHERE s.residence = '流入') inflow,
           count(DISTINCT s.household_id) homes,
           count(*) FILTER (WHERE {WOMAN}) women,
           count(*) FILTER (WHERE {WOMAN} AND s.hukou = '农业' AND {LOCAL}) women_farming,
           count(*) FILTER (WHERE {WOMAN} AND s.hukou = '非农业' AND {LOCAL}) women_urban,
           count(*) FILTER (WHERE {WOMAN} AND s.residence = '流入') women_inflow,
           count(*) FILTER (WHERE p.birth_date <= %(age60)s) aged_60,
           count(*) FILTER (WHERE p.birth_date <= %(age65)s) aged_65
    FROM households_residency s JOIN households_resident p ON p.id = s.resident_id
    WHERE {LIVING} GROUP BY s.village_id
) t JOIN accounts_region v ON v.id = t.village_id GROUP BY v.parent_id
"""
CERTIFICATES = f"""
SELECT v.parent_id, count(DISTINCT p.only_child_cert_no)
FROM households_residency s JOIN households_resident p ON p.id = s.resident_id
JOIN accounts_region v ON v.id = s.village_id
WHERE {LIVING} AND p.only_child_cert_no <> '' AND {LOCAL} GROUP BY v.parent_id
"""
DEATHS = f"""
SELECT v.parent_id, count(*)
FROM households_resident p JOIN households_residency s ON s.resident_id = p.id
JOIN accounts_region v ON v.id = s.village_id
WHERE p.death_date BETWEEN %(start)s AND %(day)s AND {IN_FORCE.format(day="p.death_date")}
GROUP BY v.parent_id
"""
BIRTHS = f"""
SELECT v.parent_id, count(*), count(*) FILTER (WHERE c.sex = '男'), count(*) FILTER (WHERE c.sex = '女'),
       count(*) FILTER (WHERE c."order" = 1), count(*) FILTER (WHERE c."order" = 2),
       count(*) FILTER (WHERE c."order" >= 3), count(*) FILTER (WHERE c.within_policy)
FROM households_childrecord c
LEFT JOIN households_residency s ON s.resident_id = c.mother_id AND {IN_FORCE.format(day="c.birth_date")}
LEFT JOIN households_residency f ON f.resident_id = c.father_id
    AND {IN_FORCE.format(day="c.birth_date").replace("s.", "f.")}
JOIN accounts_region v ON v.id = coalesce(s.village_id, f.village_id)
WHERE c.origin = '亲生' AND c.birth_date BETWEEN %(start)s AND %(day)s GROUP BY v.parent_id
"""
NAMES = {
    POPULATION: (
        "population", "hukou_agricultural", "hukou_non_agricultural", "inflow", "households",
        "women_married_15_49", "women_married_15_49_agricultural",
        "women_married_15_49_non_agricultural", "women_married_15_49_inflow", "aged_60_plus",
        "aged_65_plus",
    ),
    CERTIFICATES: ("only_child_certificates",),
    DEATHS: ("deaths",),
    BIRTHS: (
        "births", "births_boys", "births_girls", "births_order_1", "births_order_2",
        "births_order_3_plus", "births_within_policy",
    ),
}  # fmt: skip


def load(places: list[Place]) -> dict:
    """The registry that the figures are counted from; seconds."""
    started = time.perf_counter()
    counts = loading.load(
        places, seed=1, today=date(2018, 10, 9), by=SystemJob("bench"), progress=lambda *_: None
    )
    return {"seconds": time.perf_counter() - started, **counts}


def bare_copy() -> dict:
    """COPY of the registry's own rows back into its tables, keys and indexes on; seconds."""
    names = ", ".join(model._meta.db_table for model in TABLES)
    with connection.cursor() as cursor, ExitStack() as stack:
        dumps = {model: stack.enter_context(TemporaryFile()) for model in TABLES}
        for model, dump in dumps.items():
            cursor.copy_expert(f"COPY {model._meta.db_table} TO STDOUT", dump)
            dump.seek(0)
        cursor.execute(f"TRUNCATE {names} CASCADE")
        started = time.perf_counter()
        cursor.execute("BEGIN")
        for model, dump in dumps.items():
            cursor.copy_expert(f"COPY {model._meta.db_table} FROM STDIN", dump)
        cursor.execute("COMMIT")
    return {"seconds": time.perf_counter() - started}


def figures(places: list[Place]) -> dict:
    """Best of three of each, taken in turns, after one of each to warm the cache. They must agree."""
    townships = list(Region.objects.filter(level=4, path__startswith="53.5399."))
    ours, by_hand = [], []
    for _ in range(4):
        seconds, mine = _timed(lambda: _ours(townships))
        ours.append(seconds)
        seconds, sql = _timed(lambda: _by_hand(townships))
        by_hand.append(seconds)
    differing = [
        (code, name) for code, row in sql.items() for name in row if row[name] != mine[code][name]
    ]
    if differing:
        raise SystemExit(f"figures differ from the hand-written SQL: {differing[:5]}")
    return {"ours": min(ours[1:]), "by_hand": min(by_hand[1:]), "townships": len(townships)}


def _timed(action):
    started = time.perf_counter()
    answer = action()
    return time.perf_counter() - started, answer


def _ours(townships: list[Region]) -> dict[str, dict]:
    population, births = compute_population(townships, SPAN), compute_births(townships, SPAN)
    return {code: population[code] | births[code] for code in population}


def _by_hand(townships: list[Region]) -> dict[str, dict]:
    codes = {region.pk: region.code for region in townships}
    days = {
        "day": SPAN.as_of, "start": SPAN.start,
        **{f"age{n}": years_before(SPAN.as_of, n) for n in (15, 50, 60, 65)},
    }  # fmt: skip
    rows: dict[str, dict] = {region.code: {} for region in townships}
    with connection.cursor() as cursor:
        for statement, names in NAMES.items():
            cursor.execute(statement, days)
            for parent, *numbers in cursor.fetchall():
                rows[codes[parent]] |= dict(zip(names, numbers, strict=True))
    return rows
