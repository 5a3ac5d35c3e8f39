"""A case as somebody may read it who may not know which rolls tell of a child's death or illness."""

from dataclasses import replace

from subsidies.eligibility.explaining import Case, Outcome
from subsidies.eligibility.predicates import EXCLUDES
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import Rule
from subsidies.policies.seeing import sees_sensitive

NOT_TOLD = "由镇（街道）核对"
NO_OTHER = "没有享受不能同时享受的其他待遇"


def shown_to(user, case: Case) -> list[Outcome]:
    """The case's criteria; what a hidden roll decides is left open, whether it keeps out or not."""
    if sees_sensitive(user):
        return case.criteria
    return [_exclusion(user, case, one) if one.key == EXCLUDES else one for one in case.criteria]


def is_left_open(outcome: Outcome) -> bool:
    """Whether it is the township that has to look, not a paper that has to prove."""
    return outcome.key == EXCLUDES and outcome.holds is None


def rule_told(user, rule: Rule) -> Rule:
    """The rule with the exclusions alone whose outcome the user may learn."""
    if sees_sensitive(user):
        return rule
    hidden = catalogue.sensitive_codes()
    return replace(rule, excludes=tuple(code for code in rule.excludes if code not in hidden))


def _exclusion(user, case: Case, outcome: Outcome) -> Outcome:
    hidden = catalogue.sensitive_codes()
    seen = [code for code in case.rule.excludes if code not in hidden]
    drawn = (
        Enrolment.objects.visible_to(user)
        .active_on(case.day)
        .filter(resident=case.through, policy_code__in=seen)
    )
    names = [
        catalogue.name_of(code)
        for code in drawn.order_by("policy_code").values_list("policy_code", flat=True).distinct()
    ]
    if names:
        return replace(outcome, text=NO_OTHER, holds=False, value="在享：" + "、".join(names))
    if len(seen) < len(case.rule.excludes):
        # The same whether a hidden roll keeps the person out or not: else it would be told.
        return replace(outcome, text=NO_OTHER, holds=None, value=NOT_TOLD)
    return replace(outcome, text=NO_OTHER)
