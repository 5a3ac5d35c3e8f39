"""Who should have moved from one policy to another by what is recorded: disability to death support."""

from dataclasses import dataclass
from datetime import date

from django.db import connection

from fpadmin.scoping import below
from subsidies.eligibility.facts import all_hold, facts, people_of
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, Rule
from subsidies.policies.seeing import codes_for


@dataclass(frozen=True, slots=True)
class Moving:
    """Somebody on a roll who meets the criteria of the policy it moves to, and no longer its own."""

    resident_id: int
    village_id: int
    grade: str
    leaves: bool  # the policy asked for; else that one is entered
    other_code: str


def moving_now(user, code: str, path: str, book: PolicyBook, today: date) -> list[Moving]:
    """Who is due to leave `code` for the policy it moves to, or to come to it from such a one."""
    known = set(codes_for(user))
    pairs = [
        (one.code, one.moves_to)
        for one in catalogue.policies().values()
        if one.moves_to and code in (one.code, one.moves_to) and {one.code, one.moves_to} <= known
    ]
    return [
        Moving(*row, leaves=old == code, other_code=new if old == code else old)
        for old, new in pairs
        for row in _due(user, old, new, path, book, today)
    ]


def _due(user, old: str, new: str, path: str, book: PolicyBook, today: date):
    roll = (
        Enrolment.objects.visible_to(user)
        .active_on(today)
        .filter(below(path, "resident__village__path"), policy_code=old, end_month__isnull=True)
        .order_by()
    )
    lines = {pk: rest for pk, *rest in roll.values_list("resident", "resident__village", "grade")}
    on_new = Enrolment.objects.visible_to(user).filter(
        policy_code=new, resident__in=lines, end_month__isnull=True
    )
    lines = {
        pk: rest
        for pk, rest in lines.items()
        if pk not in set(on_new.values_list("resident", flat=True))
    }
    if not lines:
        return []
    still = _meeting(book.rule(old, path), today, lines)
    due = _meeting(book.rule(new, path), today, lines) - still
    return [(pk, *lines[pk]) for pk in sorted(due)]


def _meeting(rule: Rule, day: date, people) -> set[int]:
    """Those of the people who meet the criteria on the day, whatever else they draw."""
    table, holds = facts(rule, day, people_of(people)), all_hold(rule.criteria, day, "f")
    with connection.cursor() as cursor:
        cursor.execute(
            f"{table.text} SELECT f.resident_id FROM facts f WHERE {holds.text}",
            (*table.params, *holds.params),
        )
        return {pk for (pk,) in cursor.fetchall()}
