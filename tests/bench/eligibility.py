"""Every policy over the whole registry, against one statement written by hand; and explaining one person.

The statements by hand name the same people: SELECT of the named person's key. What they have in common
is written once; no part of them comes from the product.
"""

import time
from datetime import date

from django.db import connection

from fpadmin.accounts.models import Region
from households.models import Resident
from subsidies.eligibility.explaining import explain
from subsidies.eligibility.finding import found_sql
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book

DAY = date(2018, 12, 31)
EXPLAINED = 100  # people, of the policy whose facts are the most
HERE = """s.residence IN ('常住', '流出') AND (s.started_on IS NULL OR s.started_on <= %(day)s)
    AND (s.ended_on IS NULL OR s.ended_on > %(day)s)
    AND r.birth_date <= %(day)s AND (r.death_date IS NULL OR r.death_date > %(day)s)"""
PEOPLE = f"households_resident r JOIN households_residency s ON s.resident_id = r.id AND {HERE}"
CHILDREN = """(
    SELECT parent, count(*) ever, count(*) FILTER (WHERE alive) alive,
           count(*) FILTER (WHERE alive AND sex = '女') girls,
           count(*) FILTER (WHERE alive AND grade IN ('一级', '二级', '三级')) disabled,
           max(birth_date) FILTER (WHERE alive) born, bool_or(outside) outside
    FROM (
        SELECT p.parent, c.sex, c.birth_date, c.death_date IS NULL OR c.death_date > %(day)s alive,
               CASE WHEN c.disability_date IS NULL OR c.disability_date <= %(day)s
                    THEN c.disability_grade END grade,
               NOT c.within_policy AND c.birth_date BETWEEN '1973-01-01' AND '2001-12-31' outside
        FROM households_childrecord c, LATERAL (VALUES (c.mother_id), (c.father_id)) p (parent)
        WHERE c.birth_date <= %(day)s AND p.parent IS NOT NULL
    ) one GROUP BY parent
) k"""
SPOUSE = """LEFT JOIN (
    households_resident w JOIN households_residency ws ON ws.resident_id = w.id
    AND (ws.started_on IS NULL OR ws.started_on <= %(day)s)
    AND (ws.ended_on IS NULL OR ws.ended_on > %(day)s)
) ON w.id = r.spouse_id AND r.marital IN ('初婚', '再婚', '复婚')
    AND w.birth_date <= %(day)s AND (w.death_date IS NULL OR w.death_date > %(day)s)"""
CERTIFIED = """((r.only_child_cert_no <> '' AND (r.only_child_cert_date IS NULL
    OR r.only_child_cert_date <= %(day)s)) OR EXISTS (
    SELECT 1 FROM households_resident o WHERE o.id = r.spouse_id AND o.only_child_cert_no <> ''
    AND (o.only_child_cert_date IS NULL OR o.only_child_cert_date <= %(day)s)))"""
DIBAO = """EXISTS (SELECT 1 FROM households_lowincomespell l WHERE l.household_id = s.household_id
    AND (l.started_on IS NULL OR l.started_on <= %(day)s)
    AND (l.ended_on IS NULL OR l.ended_on > %(day)s))"""
RURAL = "s.hukou = '农业'"
WIFE_49 = """CASE WHEN r.sex = '男' AND w.sex = '女' THEN w.birth_date ELSE r.birth_date END
    <= '1969-12-31'"""
ONE = "k.ever = 1 AND k.alive = 1"
WITH_CHILDREN = f"{PEOPLE} JOIN {CHILDREN} ON k.parent = r.id"
HEADS = """(SELECT s.household_id, min(r.id) id FROM households_resident r
    JOIN households_residency s ON s.resident_id = r.id AND s.relation = '户主'
    WHERE (s.started_on IS NULL OR s.started_on <= %(day)s)
      AND (s.ended_on IS NULL OR s.ended_on > %(day)s)
      AND r.birth_date <= %(day)s AND (r.death_date IS NULL OR r.death_date > %(day)s)
    GROUP BY 1) h"""
NONE_OF = """NOT EXISTS (SELECT 1 FROM subsidies_enrolment e WHERE e.resident_id = r.id
    AND e.policy_code IN ('CN-RURAL', 'CN-SPECIAL-DEATH', 'CN-SPECIAL-DISABLED', 'SD-PENSION')
    AND e.start_month <= '2018-12-01' AND (e.end_month IS NULL OR e.end_month >= '2018-12-01'))"""


def _person(source: str, where: str) -> str:
    return f"SELECT r.id FROM {source} WHERE {where}"


def _couple(where: str) -> str:
    return f"""SELECT DISTINCT CASE WHEN r.sex = '男' AND w.sex = '女' THEN w.id ELSE r.id END
        FROM {WITH_CHILDREN} {SPOUSE} WHERE {where}"""


def _family(source: str, where: str) -> str:
    return f"""SELECT coalesce(h.id, f.id) FROM (
        SELECT s.household_id, min(r.id) id FROM {source} WHERE {where} GROUP BY 1
        ) f LEFT JOIN {HEADS} ON h.household_id = f.household_id"""


def _child(where: str) -> str:
    return f"""SELECT DISTINCT child.id FROM {WITH_CHILDREN}
        JOIN households_childrecord c ON r.id IN (c.mother_id, c.father_id)
        AND (c.death_date IS NULL OR c.death_date > %(day)s)
        JOIN households_resident child ON child.id = c.child_id
        AND (child.death_date IS NULL OR child.death_date > %(day)s)
        AND child.birth_date <= %(day)s
        JOIN households_residency cs ON cs.resident_id = child.id
        AND (cs.started_on IS NULL OR cs.started_on <= %(day)s)
        AND (cs.ended_on IS NULL OR cs.ended_on > %(day)s) WHERE {where}"""


_SCHOOL = _child(f"{RURAL} AND k.ever = 1 AND {CERTIFIED}").replace(
    "ON r.id IN (c.mother_id, c.father_id)",
    "ON (c.mother_id = r.id OR c.father_id = r.id)",
)
BY_HAND = {
    "CN-RURAL": _person(
        f"{WITH_CHILDREN} {SPOUSE}",
        f"{RURAL} AND (w.id IS NULL OR ws.hukou = '农业') AND r.birth_date BETWEEN '1933-01-01'"
        " AND '1958-12-31' AND (k.alive = 0 OR k.alive = 1 OR (k.alive = 2 AND k.girls = 2))"
        " AND NOT k.outside",
    ),
    "CN-SPECIAL-DEATH": _person(
        f"{WITH_CHILDREN} {SPOUSE}",
        f"r.birth_date >= '1933-01-01' AND {WIFE_49} AND k.ever = 1 AND k.alive = 0",
    ),
    "CN-SPECIAL-DISABLED": _person(
        f"{WITH_CHILDREN} {SPOUSE}",
        f"r.birth_date >= '1933-01-01' AND {WIFE_49} AND {ONE} AND k.disabled = 1",
    ),
    "CN-COMPLICATION": _person(PEOPLE, "true"),
    "SD-ONLY-CHILD": _couple(f"{CERTIFIED} AND {ONE} AND k.born > '2000-12-31'"),
    "SD-URBAN": _person(
        WITH_CHILDREN,
        "s.hukou = '非农业' AND r.birth_date <= '1958-12-31' AND r.employment IN ('无业', '灵活就业')"
        f" AND {CERTIFIED} AND k.alive = 1 AND {NONE_OF}",
    ),
    "SD-PENSION": _person(PEOPLE, f"r.employment = '企业退休' AND {CERTIFIED}"),
    "SD-MEDICAL": _family(WITH_CHILDREN, f"{RURAL} AND {CERTIFIED} AND k.ever = 1"),
    "SD-DIBAO": _family(
        WITH_CHILDREN,
        f"{RURAL} AND {DIBAO} AND (k.alive = 1 OR (k.alive = 2 AND k.girls = 2))",
    ),
    "YN-LUMP": _family(WITH_CHILDREN, f"{RURAL} AND {CERTIFIED} AND {ONE}"),
    "YN-CONSOLATION": _family(
        WITH_CHILDREN, f"{RURAL} AND {CERTIFIED} AND k.ever = 1 AND k.alive = 0"
    ),
    "YN-SCHOLARSHIP": _SCHOOL,
    "YN-MEDICAL": _person(PEOPLE, RURAL),
    "YN-EXAM": _SCHOOL,
    "YN-HEALTH-FEE": _couple(f"{CERTIFIED} AND {ONE} AND k.born > '2004-12-31'"),
    "LOCAL-LIVING": _family(PEOPLE, "true"),
    "LOCAL-DIBAO": _family(
        WITH_CHILDREN, f"{DIBAO} AND (k.alive = 1 OR (k.alive = 2 AND k.girls = 2))"
    ),
    "NX-FEWER": _family(PEOPLE, "true"),
}


def eligibility() -> dict:
    """Of each policy the best of three, ours and by hand in turns, counted there; the people agree."""
    region = Region.objects.get(level=Region.Level.CITY, path__startswith="53.5399.")
    book = policy_book(DAY)
    results = {}
    for code in catalogue.policies():
        query = found_sql(code, DAY, region.path, book=book)
        ours = f"SELECT resident_id FROM ({query.text}) q", query.params
        by_hand = BY_HAND[code], {"day": DAY}
        mine, theirs = _people(*ours), _people(*by_hand)
        if mine != theirs or not mine:
            raise SystemExit(
                f"{code}: {len(mine - theirs)} more, {len(theirs - mine)} fewer, or none"
            )
        seconds = [(_timed(*ours), _timed(*by_hand)) for _ in range(3)]
        results[code] = {
            "ours": min(one for one, _ in seconds),
            "by_hand": min(other for _, other in seconds),
            "found": len(mine),
        }
    return {"policies": results, "explaining": _explaining()}


def _explaining() -> float:
    """The slowest of a hundred people's cases, in seconds."""
    people = list(
        Resident.objects.select_related("village").filter(birth_date__lte=date(1958, 12, 31))
        .order_by("pk")[:EXPLAINED]
    )  # fmt: skip
    explain(people[0], "CN-RURAL", DAY)  # warms connection and cache, as in the other measurements
    slowest = 0.0
    for person in people:
        started = time.perf_counter()
        explain(person, "CN-RURAL", DAY)
        slowest = max(slowest, time.perf_counter() - started)
    return slowest


def _people(sql: str, params) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return {row[0] for row in cursor.fetchall()}


def _timed(sql: str, params) -> float:
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({sql}) q", params)
        cursor.fetchone()
    return time.perf_counter() - started
