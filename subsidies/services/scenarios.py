"""Notes for the budget: what a changed rule would cost, kept as it was measured. Nothing else changes."""

from datetime import date

from django.db import transaction

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from subsidies.models import Scenario
from subsidies.outlook import whatif
from subsidies.outlook.whatif import Change
from subsidies.policies.seeing import codes_for

EVENT_TYPES = {"scenario.kept": "留存测算"}
CHANGE_LABELS: dict[str, str] = {}


@transaction.atomic
def keep_scenario(
    *, by, code: str, region: Region, as_of: date, change: Change, name: str, note: str, today: date
) -> Scenario:
    """Measure the change and keep it with its figures.

    Refuses a policy that may not be named to `by`, a place that isn't theirs or is more than a township, a
    past day, and a change that changes nothing.
    """
    if not by.may(Permission.BENEFIT_BUDGET) or code not in codes_for(by):
        raise RuleViolation("您的岗位不能测算这项政策。")
    if not by.scope_path or not region.path.startswith(by.scope_path):
        raise RuleViolation("只能测算本区划的政策。")
    if region.level not in (Region.Level.TOWNSHIP, Region.Level.VILLAGE):
        raise RuleViolation("请选择一个乡镇（街道）或村（社区）。")
    if as_of < today:
        raise RuleViolation("测算时点不能早于今天。", field="as_of")
    one = whatif.trial(code, region, as_of, change)
    if not one.asks_otherwise and not change.rates:
        raise RuleViolation("没有改动，不用测算。请至少改一项。")
    scenario = Scenario.objects.create(
        policy_code=code,
        region=region,
        name=name,
        as_of=as_of,
        changes=whatif.as_kept(one),
        figures=whatif.figures_of(whatif.measure(one)),
        note=note,
        made_by=by,
    )
    log.record(
        "scenario.kept", by=by, target=scenario, region_path=region.path,
        changes={"policy_code": [None, code], "as_of": [None, as_of]},
    )  # fmt: skip
    return scenario
