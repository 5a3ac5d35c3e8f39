"""Which lines of a roll may still be given a grade, and which grades there are for them."""

from collections.abc import Iterable

from subsidies.models import Enrolment
from subsidies.policies import catalogue


def grades_for(enrolments: Iterable[Enrolment]) -> list[str]:
    """The grades of the policies of these lines, in the catalogue's order."""
    codes = {one.policy_code for one in enrolments}
    found = {}
    for code in catalogue.policies():
        if code in codes:
            found |= dict.fromkeys(catalogue.policy(code).grades)
    return list(found)


def refusals(enrolments: Iterable[Enrolment], grade: str) -> dict[int, str]:
    """Why a line cannot be given the grade."""
    found = {}
    for one in enrolments:
        if one.grade:
            found[one.pk] = f"已登记为{one.grade}。变更的先结束这一条，再登记新的。"
        elif grade not in one.policy.grades:
            found[one.pk] = f"{one.policy.name}没有“{grade}”。"
    return found
