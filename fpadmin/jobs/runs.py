"""The nightly check of the invariants in the ledger: what the job kind check-invariants does."""

from django.utils import timezone

from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Permission, Role, role_has
from fpadmin.audit.log import SystemJob
from fpadmin.invariants import Result
from fpadmin.jobs import services
from fpadmin.jobs.kinds import JobContext, JobFailed
from fpadmin.jobs.models import Job

KIND = "check-invariants"


def run(context: JobContext) -> dict:
    """Check every invariant. Fails with the findings where one is broken; may be repeated."""
    results = services.check_invariants(
        now=timezone.now(), by=context.by, progress=context.progress
    )
    broken = [result for result in results if not result.ok]
    if broken:
        raise JobFailed("数据核对发现问题。" + "".join(map(_in_words, broken)))
    context.progress(len(results), len(results))
    return {"checks": len(results)}


def start(*, by: SystemJob) -> Job:
    """Ask for such a run; asked for twice it is one open job."""
    return services.enqueue(
        kind=KIND, params={}, key="check-invariants", title="核对数据", by=by,
        region=office(),
    )  # fmt: skip


def office() -> Region | None:
    """Where the highest account stands that manages jobs: it must see what was found everywhere."""
    roles = [role for role in Role if role_has(role, Permission.JOBS_MANAGE)]
    managers = User.objects.filter(role__in=roles, is_active=True).select_related("region")
    first = managers.order_by("region__level", "region__code").first()
    return first.region if first else None


def _in_words(result: Result) -> str:
    more = f"等{result.count:,}处" if result.count > len(result.findings) else ""
    return f"{result.key} {result.label}：{'；'.join(result.findings)}{more}。"
