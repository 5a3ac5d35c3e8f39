"""登记申请: a draft for each chosen candidate, to be completed and sent on one by one."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from fpadmin.errors import RuleViolation
from households.models import Resident
from subsidies.conflicts import conflicts_of_many
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.services.applications import create_application

_REASONS = {
    "on": "已在册",
    "applying": "申请正在办理",
    "lost": "已在册，按登记不再符合，请核实是否退出",
}
GRADED = "这项政策分等级或学段，请打开本人的资格核查逐个登记"


def refusals(rows: list[Resident], *, by, values, day: date) -> dict[int, str]:
    """Rows of the list that get no draft: on the roll, applied for, kept off it, or to be graded."""
    book = policy_book(day)
    pairs = [(row.pk, row.policy) for row in rows]
    clashes = conflicts_of_many(pairs, day, book, user=by)
    reasons = {}
    for row in rows:
        policy = catalogue.policy(row.policy)
        if row.state in _REASONS:
            reasons[row.pk] = _REASONS[row.state]
        elif not book.is_on(row.policy, row.village.path):
            reasons[row.pk] = "这里没有启用这项政策"
        elif policy.grades:
            reasons[row.pk] = GRADED
        elif (row.pk, row.policy) in clashes:
            reasons[row.pk] = "；".join(clashes[row.pk, row.policy])
    return reasons


def apply_for(rows: list[Resident], *, by, values, day: date) -> dict[int, str]:
    """A draft for each, in one transaction; who was refused after all, and why."""
    refused = {}
    with transaction.atomic():
        for row in rows:
            try:
                create_application(
                    by=by, resident=row, policy_code=row.policy, applied_on=day, today=day,
                    now=timezone.now(),
                )  # fmt: skip
            except RuleViolation as violation:
                refused[row.pk] = violation.message
    return refused
