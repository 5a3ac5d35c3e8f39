"""Whom an archive is about."""

from datetime import date

from households.models import Household, Relation, Residency, Resident
from households.special import criteria


def parents_of(household: Household, day: date) -> list[Resident]:
    """Whom an archive of the household is about, where nobody says so.

    Its members who are parents of a child dead or disabled by `day`, else its 户主 and 配偶.
    """
    members = (
        Residency.objects.living_on(day).filter(household=household).select_related("resident")
    )
    concerned = [
        spell.resident
        for spell in criteria.with_facts(members, day).order_by("pk")
        if spell.children_ever
        and (spell.children_ever > spell.children_living or spell.children_disabled)
    ]
    couple = members.filter(relation__in=[Relation.HEAD, Relation.SPOUSE]).order_by("pk")
    return concerned or [spell.resident for spell in couple]
