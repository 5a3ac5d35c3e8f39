"""The indicators of special families for every township, against SQL written by hand for the same figures."""

import time
from datetime import date

from django.db import connection

from fpadmin.accounts.models import Region
from fpadmin.dates import years_before
from fpadmin.reporting.registry import Span
from households.special.figures import compute_special

SPAN = Span(date(2017, 10, 1), date(2018, 9, 30))
IN_FORCE = """(s.started_on IS NULL OR s.started_on <= %(day)s)
    AND (s.ended_on IS NULL OR s.ended_on > %(day)s)"""
ALIVE = "{p}.birth_date <= %(day)s AND ({p}.death_date IS NULL OR {p}.death_date > %(day)s)"
OPEN = "f.opened_on <= %(day)s AND (f.closed_on IS NULL OR f.closed_on > %(day)s)"
PLACE = f"""LATERAL (
    SELECT coalesce((SELECT s.village_id FROM households_residency s
                     WHERE s.household_id = h.id AND {IN_FORCE} ORDER BY s.id LIMIT 1), h.village_id) village
) place JOIN accounts_region v ON v.id = place.village"""
VISIT = "r.voided_at IS NULL AND r.purpose IN ('节日慰问', '生病探望', '紧急帮扶')"

FAMILIES = f"""
SELECT v.parent_id, count(*), count(*) FILTER (WHERE f.kind = '死亡'),
       count(*) FILTER (WHERE f.kind = '伤残'),
       count(*) FILTER (WHERE (
           SELECT count(DISTINCT c.person_id) FROM households_familycontact c WHERE c.family_id = f.id
           AND c.started_on <= %(day)s AND (c.ended_on IS NULL OR c.ended_on > %(day)s)) >= 3),
       count(*) FILTER (WHERE EXISTS (
           SELECT 1 FROM households_medicalcard m WHERE m.family_id = f.id
           AND (m.issued_on IS NULL OR m.issued_on <= %(day)s)
           AND (m.ended_on IS NULL OR m.ended_on > %(day)s)
           AND (m.expires_on IS NULL OR m.expires_on >= %(day)s)))
FROM households_specialfamily f JOIN households_household h ON h.id = f.household_id, {PLACE}
WHERE {OPEN} GROUP BY 1
"""
ARCHIVES = f"""
WITH found AS (
    SELECT DISTINCT s.household_id
    FROM (SELECT DISTINCT unnest(ARRAY[mother_id, father_id]) id FROM households_childrecord
          WHERE (death_date IS NOT NULL OR disability_grade <> '') AND (death_date <= %(day)s
          OR (disability_grade IN ('一级', '二级', '三级')
              AND (disability_date IS NULL OR disability_date <= %(day)s)))) concerned
    JOIN households_resident p ON p.id = concerned.id
    JOIN households_residency s ON s.resident_id = p.id,
    LATERAL (
        SELECT count(*) ever,
               count(*) FILTER (WHERE c.death_date IS NULL OR c.death_date > %(day)s) alive,
               count(*) FILTER (WHERE (c.death_date IS NULL OR c.death_date > %(day)s)
                   AND c.disability_grade IN ('一级', '二级', '三级')
                   AND (c.disability_date IS NULL OR c.disability_date <= %(day)s)) disabled
        FROM (SELECT * FROM households_childrecord WHERE mother_id = p.id
              UNION ALL SELECT * FROM households_childrecord WHERE father_id = p.id) c
        WHERE c.birth_date <= %(day)s
    ) children
    WHERE {IN_FORCE} AND {ALIVE.format(p="p")} AND s.residence IN ('常住', '流出')
      AND p.birth_date >= '1933-01-01' AND ever = 1 AND (alive = 0 OR disabled = 1)
      AND coalesce((SELECT w.birth_date FROM households_resident w
                    WHERE p.sex = '男' AND p.marital IN ('初婚', '再婚', '复婚') AND w.id = p.spouse_id
                    AND w.sex = '女' AND {ALIVE.format(p="w")} AND EXISTS (
                        SELECT 1 FROM households_residency s WHERE s.resident_id = w.id AND {IN_FORCE})),
                   p.birth_date) <= %(aged)s
), kept AS (SELECT DISTINCT f.household_id FROM households_specialfamily f WHERE {OPEN})
SELECT v.parent_id, count(*), count(*) FILTER (WHERE found.household_id = kept.household_id)
FROM found FULL JOIN kept USING (household_id) JOIN households_household h ON h.id = household_id, {PLACE}
GROUP BY 1
"""
MONTHS = f"""
SELECT v.parent_id, count(*), count(*) FILTER (WHERE EXISTS (
    SELECT 1 FROM households_contactrecord r JOIN households_familycontact c ON c.id = r.contact_id
    WHERE c.family_id = f.id AND r.voided_at IS NULL AND r.happened_on >= month
      AND r.happened_on < month + interval '1 month'))
FROM generate_series(%(start)s::date, %(day)s::date, interval '1 month') month
JOIN households_specialfamily f ON f.opened_on < month + interval '1 month'
     AND (f.closed_on IS NULL OR f.closed_on >= month + interval '1 month')
JOIN households_household h ON h.id = f.household_id, {PLACE}
GROUP BY 1
"""
PARENTS = f"""
SELECT v.parent_id, count(*),
       count(*) FILTER (WHERE EXISTS (
           SELECT 1 FROM households_doctorcontract d WHERE d.resident_id = p.id
           AND d.signed_on <= %(day)s AND d.until >= %(day)s
           AND (d.ended_on IS NULL OR d.ended_on > %(day)s))),
       count(*) FILTER (WHERE EXISTS (
           SELECT 1 FROM households_healthcheck k WHERE k.resident_id = p.id
           AND k.checked_on BETWEEN date_trunc('year', %(day)s::date) AND %(day)s))
FROM households_familyparent t JOIN households_specialfamily f ON f.id = t.family_id
JOIN households_household h ON h.id = f.household_id JOIN households_resident p ON p.id = t.resident_id,
{PLACE}
WHERE {OPEN} AND t.started_on <= %(day)s AND (t.ended_on IS NULL OR t.ended_on > %(day)s)
  AND {ALIVE.format(p="p")}
  AND EXISTS (SELECT 1 FROM households_residency s WHERE s.resident_id = p.id AND {IN_FORCE})
GROUP BY 1
"""
VISITS = f"""
SELECT v.parent_id, count(*)
FROM households_contactrecord r JOIN households_familycontact c ON c.id = r.contact_id
JOIN households_specialfamily f ON f.id = c.family_id
JOIN households_household h ON h.id = f.household_id, {PLACE}
WHERE {VISIT} AND r.happened_on BETWEEN %(start)s AND %(day)s GROUP BY 1
"""
NAMES = {
    FAMILIES: (
        "special_families", "special_families_death", "special_families_disability",
        "special_contacts_done", "special_medical_cards_done",
    ),
    ARCHIVES: ("special_archives_due", "special_archives_done"),
    MONTHS: ("special_monthly_contacts_due", "special_monthly_contacts_done"),
    PARENTS: ("special_parents", "special_doctors_done", "special_checkups_done"),
    VISITS: ("special_visits",),
}  # fmt: skip
RATES = (
    "special_archive_rate", "special_contacts_rate", "special_monthly_contact_rate",
    "special_medical_card_rate", "special_doctor_rate", "special_checkup_rate",
)  # fmt: skip


def special() -> dict:
    """Best of three of each, taken in turns, after one of each to warm the cache. They must agree."""
    townships = list(Region.objects.filter(level=4, path__startswith="53.5399."))
    codes = [*(name for names in NAMES.values() for name in names), *RATES]
    ours, by_hand = [], []
    for _ in range(4):
        seconds, mine = _timed(lambda: compute_special(townships, SPAN, codes))
        ours.append(seconds)
        seconds, sql = _timed(lambda: _by_hand(townships))
        by_hand.append(seconds)
    differing = [
        (code, name) for code, row in sql.items() for name in row if row[name] != mine[code][name]
    ]
    if differing or not any(row["special_families"] for row in mine.values()):
        raise SystemExit(f"figures differ from the hand-written SQL, or are none: {differing[:5]}")
    return {"ours": min(ours[1:]), "by_hand": min(by_hand[1:]), "townships": len(townships)}


def _timed(action):
    started = time.perf_counter()
    answer = action()
    return time.perf_counter() - started, answer


def _by_hand(townships: list[Region]) -> dict[str, dict]:
    codes = {region.pk: region.code for region in townships}
    days = {"day": SPAN.as_of, "start": SPAN.start, "aged": years_before(SPAN.as_of, 35)}
    names = [name for names in NAMES.values() for name in names]
    rows = {region.code: dict.fromkeys(names, 0) for region in townships}
    with connection.cursor() as cursor:
        for statement, columns in NAMES.items():
            cursor.execute(statement, days)
            for parent, *numbers in cursor.fetchall():
                rows[codes[parent]] |= dict(zip(columns, numbers, strict=True))
    return rows
