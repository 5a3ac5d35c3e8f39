"""How findings are shown: counts for who keeps the machine, work for who can mend them."""

from dataclasses import dataclass
from datetime import date, datetime

from django.apps import apps
from django.db.models import Count, Max, Min
from django.urls import reverse

from fpadmin.invariants import INVARIANTS
from fpadmin.jobs.models import Job
from fpadmin.jobs.runs import KIND as CHECK_JOB
from fpadmin.selfcheck.models import OpenFinding
from fpadmin.ui.todos import Todo


@dataclass(frozen=True)
class RuleCount:
    """One rule and how many records break it; `since` is the first day of the oldest."""

    key: str
    label: str
    count: int
    since: datetime | None
    warning: bool


def rule_counts(user) -> list[RuleCount]:
    """Every rule, also those that hold, with what breaks it in the user's region or has no place."""
    findings = OpenFinding.objects.everywhere_for(user)
    rows = findings.order_by().values("rule").annotate(n=Count("pk"), since=Min("first_seen_at"))
    found = {row["rule"]: row for row in rows}
    return [
        RuleCount(
            key, rule.label, found[key]["n"] if key in found else 0,
            found[key]["since"] if key in found else None, rule.warning,
        )
        for key, rule in sorted(INVARIANTS.items())
    ]  # fmt: skip


def names_of(findings: list[OpenFinding], user) -> dict[tuple[str, str], str]:
    """{(target, key): what the record is called} of those that the user may see; a query a kind."""
    names = {}
    for target in {f.target for f in findings if f.target}:
        model = apps.get_model(target)
        keys = {f.target_id for f in findings if f.target == target}
        records = model.objects.visible_to(user).in_bulk(keys)
        names |= {(target, str(pk)): str(record) for pk, record in records.items()}
    return names


def waiting(user) -> int:
    """How many findings the user's region has."""
    return OpenFinding.objects.visible_to(user).count()


def todos(user, day: date) -> list[Todo]:
    """What the check found in the user's region."""
    url = reverse("selfcheck:finding-list")
    return [Todo("数据自检发现的问题", waiting(user), url, "warn", "待处理", "逐条改正，次日消失")]


def last_checked() -> datetime | None:
    """When the data were last checked through; None before the first time."""
    # A check that found something ends as a failed job.
    ended = Job.objects.filter(kind=CHECK_JOB, finished_at__isnull=False)
    at = ended.exclude(state=Job.State.CANCELLED).aggregate(at=Max("finished_at"))["at"]
    # The command checks without a job, and leaves what it found.
    seen = OpenFinding.objects.aggregate(at=Max("seen_at"))["at"]
    return max(filter(None, (at, seen)), default=None)
