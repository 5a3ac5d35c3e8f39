"""Contacts of special families in bulk: all families of one handed over, a leaver back, cards printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from fpadmin.audit import log
from fpadmin.audit.log import Entry
from fpadmin.errors import RuleViolation
from households.models import ContactPerson, FamilyContact, SpecialFamily
from households.services.scope import require_visible
from households.services.special_contacts import hand_over
from households.special.holding import held_people

EVENT_TYPES = {
    "special.person_handed_over": "交接联系人的家庭",
    "special.person_back": "撤销联系人离岗",
    "special.card_printed": "打印联系知情卡",
}


@dataclass(frozen=True)
class Move:
    """One family's term goes to `person` on `day`."""

    term: FamilyContact
    person: ContactPerson
    day: date


@transaction.atomic
def hand_over_families(
    *, by, person: ContactPerson, moves: Sequence[Move], today: date, reason: str
) -> int:
    """Hand over these families of `person`, all or none; see hand_over() for what is refused.

    What is refused names its family and carries the field `term_<pk of the term>`.
    """
    held_people(move.person for move in moves)
    for move in sorted(moves, key=lambda move: move.term.family_id):
        if move.term.person_id != person.pk:
            raise ValueError(f"term {move.term.pk} is not one of person {person.pk}")
        try:
            hand_over(
                by=by, term=move.term, person=move.person, day=move.day, today=today, reason=reason
            )
        except RuleViolation as violation:
            raise RuleViolation(
                f"{move.term.family}：{violation.message}", field=f"term_{move.term.pk}"
            ) from violation
    log.record(
        "special.person_handed_over",
        by=by,
        target=person,
        region_path=person.region.path,
        count=len(moves),
    )
    return len(moves)


def try_hand_over(
    *, by, person: ContactPerson, moves: Sequence[Move], today: date, reason: str
) -> None:
    """Raise what hand_over_families() would refuse; nothing is kept."""
    with transaction.atomic():
        hand_over_families(by=by, person=person, moves=moves, today=today, reason=reason)
        transaction.set_rollback(True)


@transaction.atomic
def take_back_leaving(*, by, person: ContactPerson) -> ContactPerson:
    """The person did not leave after all. What was handed over meanwhile stays so."""
    person = ContactPerson.objects.select_for_update(of=("self",)).get(pk=person.pk)
    if person.left_on is None:
        raise RuleViolation(f"{person.name}没有登记离岗。")
    before, person.left_on = person.left_on, None
    person.save(update_fields=["left_on"])
    require_visible(ContactPerson.objects.visible_to(by), person)
    log.record(
        "special.person_back",
        by=by,
        target=person,
        region_path=person.region.path,
        changes={"left_on": [str(before), ""]},
    )
    return person


def record_cards(*, by, families: Sequence[SpecialFamily]) -> None:
    """That the cards of these families were printed, with the contacts' telephone numbers."""
    log.record_many(
        [
            Entry(
                "special.card_printed",
                target_type=family._meta.label_lower,
                target_id=str(family.pk),
                region_path=family.household.village.path,
            )
            for family in families
        ],
        by=by,
    )
