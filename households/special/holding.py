"""Rows that a service holds until its transaction ends. People are taken before archives, never after."""

from collections.abc import Iterable

from households.models import ContactPerson, SpecialFamily


def held_people(people: Iterable[ContactPerson]) -> dict[int, ContactPerson]:
    """These contacts by key, none of whom leaves before the transaction ends."""
    keys = {person.pk for person in people}
    held = ContactPerson.objects.select_for_update(no_key=True).filter(pk__in=keys)
    return {person.pk: person for person in held.order_by("pk")}


def locked_family(family: SpecialFamily) -> SpecialFamily:
    """The archive with its place, as the last writer left it."""
    # Locked alone, then read: a join made while waiting would still show the household of before.
    SpecialFamily.objects.select_for_update().values_list("pk").get(pk=family.pk)
    return SpecialFamily.objects.select_related("household__village").get(pk=family.pk)
