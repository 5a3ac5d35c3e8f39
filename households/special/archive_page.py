"""What the page of an archive shows besides the parts that others register."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import QuerySet

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.models import AuditEvent
from fpadmin.audit.presenters import change_lines, role_label, type_label
from households import selectors
from households.models import ChildRecord, FamilyParent, SpecialFamily
from households.special import sections
from households.special.sections import Section

OPENINGS_SHOWN = 20
OPENINGS = ("special.viewed", "special.health_viewed", "special.printed", "special.packed")


@dataclass(frozen=True)
class Part:
    """A section with what it shows of one archive."""

    section: Section
    context: dict[str, Any]


@dataclass(frozen=True)
class Opening:
    """Somebody who looked at the archive: when, who, and what was shown beyond the page."""

    at: datetime
    actor: str
    role: str
    what: str


def parts_of(user, family: SpecialFamily, day: date) -> list[Part]:
    """Every registered section of the archive, in the order of the page."""
    return [Part(one, one.context(user, family, day)) for one in sections.in_order()]


def parents_of_archive(family: SpecialFamily) -> QuerySet[FamilyParent]:
    """Everybody the archive is or was about, those it is about now first."""
    return family.parents.select_related(
        "resident__household__village", "resident__village"
    ).order_by("ended_on", "pk")


def archive_links(user, **of) -> dict:
    """For the page of a household or a person, `of` being its field of an archive.

    Only who may open the archive learns that there is one; who may open a new one, that there is none.
    """
    if not user.may(Permission.SPECIAL_VIEW):
        return {}
    archives = list(SpecialFamily.objects.visible_to(user).filter(**of).order_by("-opened_on"))
    is_open = any(one.closed_on is None for one in archives)
    return {
        "archives": archives,
        "can_open_archive": user.may(Permission.SPECIAL_EDIT) and not is_open,
    }


def names_of(parents: Iterable[FamilyParent]) -> str:
    """The archive called by its parents: 戴飞飞、董丽怡."""
    people = [(p.resident.name, p.ended_on) for p in parents]
    current = [name for name, ended_on in people if ended_on is None]
    return "、".join(current or [name for name, _ in people])


def graded_children(user, family: SpecialFamily) -> list[ChildRecord]:
    """The children with a grade of disability; for the smallest circle."""
    people = [p.resident for p in parents_of_archive(family)]
    return [one for one in selectors.births_of(user, people) if one.disability_grade]


def openings_of(family: SpecialFamily) -> list[Opening]:
    """The last times that somebody opened or printed the archive, newest first, from the trail."""
    events = AuditEvent.objects.filter(
        target_type=family._meta.label_lower, target_id=str(family.pk), type__in=OPENINGS
    ).order_by("-pk")[:OPENINGS_SHOWN]
    return [Opening(event.at, event.actor, role_label(event), _what(event)) for event in events]


def _what(event: AuditEvent) -> str:
    said = "、".join(line.text for line in change_lines(event) if line.text)
    return f"{type_label(event)}（{said}）" if said else type_label(event)
