"""The comparison desk: 20,000 new roster rows and all rolls against the registry, and one join by hand."""

import time
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.audit.log import SystemJob
from households.models import Resident
from subsidies.comparison.rules import MISSING, RULES
from subsidies.eligibility.finding import found
from subsidies.models import Difference, Enrolment, PolicyVersion, RosterEntry, RosterSource
from subsidies.policies import catalogue
from subsidies.services import comparison

TODAY = date(2018, 10, 9)
ROWS = 20_000
CODE, PLACE = "CN-RURAL", "5399"
OMITTED = 50  # of so many who qualify, one has no line
DETAILS = ("", "迁出至外省", "离婚登记", "", "企业退休", "")
JOIN = """
SELECT e.id, e.event_date, e.detail, r.id, r.death_date, r.hukou, r.marital, n.id, n.policy_code
FROM subsidies_rosterentry e JOIN households_resident r ON r.id_number_digest = e.id_number_digest
JOIN subsidies_enrolment n ON n.resident_id = r.id
WHERE e.compared_at IS NULL AND (n.end_month IS NULL OR n.end_month >= '2018-10-01')
"""
LINE = ("policy_code", "resident_id", "grade", "start_month", "end_reason", "decision", "row_version",
    "created_at")  # fmt: skip
ENTRY = ("office_id", "source", "name", "id_number", "id_number_digest", "event_date", "detail",
    "created_at")  # fmt: skip


def comparison_desk() -> dict:
    """Once each, in a transaction that is rolled back; the rows that both joined must agree."""
    with transaction.atomic():
        region = Region.objects.get(code=PLACE)
        lines = _prepare(region)
        by_hand, rows = _timed(_by_hand)
        lists = [rule.key for rule in RULES.values() if rule.kind != MISSING]
        ours, counts = _timed(lambda: _run(region, lists))
        again, second = _timed(lambda: _run(region, lists))
        missing, _ = _timed(lambda: _run(region, ["missing", "low_income"]))
        joined = RosterEntry.objects.filter(resident__enrolments__end_month__isnull=True)
        agreed = joined.filter(resident__enrolments__isnull=False).count()
        if agreed != rows or counts["entries"] != ROWS or not counts["new"] or second["new"]:
            raise SystemExit(f"the desk found {agreed}, the join {rows}: {counts}, {second}")
        result = {
            "ours": ours, "again": again, "missing": missing, "by_hand": by_hand, "rows": ROWS,
            "lines": lines, "found": Difference.objects.count(),
        }  # fmt: skip
        transaction.set_rollback(True)
    return result


def _prepare(region: Region) -> int:
    """The policy on, nearly everybody who qualifies on its roll, and the lists."""
    policy, now = catalogue.policy(CODE), timezone.now()
    PolicyVersion.objects.create(
        policy_code=CODE, region=region, from_on=date(2004, 1, 1), document="测试",
        criteria=catalogue.as_entries(policy.criteria), starts=policy.starts, ends=policy.ends,
    )  # fmt: skip
    people = [one.resident_id for one in found(CODE, date(2018, 12, 31), region.path)]
    enrolled = [pk for n, pk in enumerate(people) if n % OMITTED]
    start = date(2015, 1, 1)
    bulk.insert(Enrolment, LINE, ((CODE, pk, "", start, "", "{}", 0, now) for pk in enrolled))
    listed = Resident.objects.filter(id_number_digest__isnull=False).order_by("pk")
    step = max(listed.count() // ROWS, 1)
    digests = list(listed.values_list("pk", "id_number_digest"))[::step][:ROWS]
    sources = RosterSource.values
    bulk.insert(
        RosterEntry,
        ENTRY,
        (
            (
                region.pk,
                sources[n % 6],
                "",
                "",
                number,
                date(2018, 3, 1 + n % 28),
                DETAILS[n % 6],
                now,
            )
            for n, (_, number) in enumerate(digests)
        ),
    )
    with connection.cursor() as cursor:
        for model in (Enrolment, RosterEntry):
            cursor.execute(f"ANALYZE {model._meta.db_table}")
    return len(enrolled)


def _run(region: Region, rules: list[str]) -> dict:
    return comparison.run(
        by=SystemJob("测试"), region=region, today=TODAY, now=timezone.now(), rules=rules
    )


def _by_hand() -> int:
    with connection.cursor() as cursor:
        cursor.execute(JOIN)
        return len(cursor.fetchall())


def _timed(action):
    started = time.perf_counter()
    answer = action()
    return time.perf_counter() - started, answer
