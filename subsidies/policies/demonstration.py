"""The policies that the demonstration's counties have switched on."""

from datetime import date

from django.db import transaction

from fpadmin.accounts.models import Region
from fpadmin.scoping import below
from households.demo.steps import Demonstration, register
from subsidies.models import PolicyVersion
from subsidies.policies import catalogue
from subsidies.policies.book import shipped_rule
from subsidies.services.policies import Setting, Terms, set_version

SINCE = date(2004, 1, 1)
DOCUMENT = "演示：沿用国家和云南省的规定"
CODES = (
    "CN-RURAL", "CN-SPECIAL-DEATH", "CN-SPECIAL-DISABLED", "YN-LUMP", "YN-CONSOLATION",
    "YN-SCHOLARSHIP", "YN-MEDICAL", "YN-EXAM", "YN-HEALTH-FEE", "LOCAL-LIVING", "LOCAL-DIBAO",
)  # fmt: skip


def load() -> None:
    """Register the step of the demonstration. Called once, by ready()."""
    register("policies", switch_on)


@transaction.atomic
def switch_on(demonstration: Demonstration, *, by) -> str:
    """Every policy of CODES as shipped, in every county that has set nothing of it. Returns the line."""
    counties = Region.objects.filter(
        below(demonstration.city.path), level=Region.Level.COUNTY
    ).order_by("code")
    known = set(
        PolicyVersion.objects.filter(region__in=counties).values_list("region_id", "policy_code")
    )
    wanted = [(county, code) for county in counties for code in CODES]
    missing = [(county, code) for county, code in wanted if (county.pk, code) not in known]
    for county, code in missing:
        rule = shipped_rule(catalogue.policy(code))
        set_version(
            by=by,
            policy_code=code,
            setting=Setting(county, SINCE, DOCUMENT),
            terms=Terms(True, rule.criteria, rule.starts, rule.ends, rule.shares, rule.notice_days),
            today=demonstration.today,
        )
    if not missing:
        return "政策：早已启用，没有改动"
    return f"政策：启用{len(missing)}项"
