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
from households.special.sections import PaperTable, Section

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


def health_tables(user, family: SpecialFamily) -> list[PaperTable]:
    """The health page on paper: cause of death, health, disabilities, what checks found.

    For the smallest circle: whoever asks for it records that it was opened.
    """
    rows = [
        ("子女死亡原因", family.cause_of_death or "无记录"),
        ("健康情况", family.health_note or "无记录"),
    ]
    for child in graded_children(user, family):
        day = f"　{child.disability_date}鉴定" if child.disability_date else ""
        rows.append((f"{child.child_name or '子女'}伤残等级", f"{child.disability_grade}{day}"))
    return [
        PaperTable("健康情况（仅限经办和审核）", ("项目", "内容"), rows),
        PaperTable(
            "体检结果",
            ("体检日期", "体检人", "体检机构", "体检结果"),
            [
                (str(one.checked_on), one.resident.name, one.hospital, one.result)
                for one in family.health_checks.select_related("resident")
            ],
        ),
    ]


def paper_parts(
    user, family: SpecialFamily, day: date, *, health: bool
) -> list[tuple[str, list[PaperTable]]]:
    """Title and tables of every part in the order of inspections; health only where it is asked for."""
    parts = [(one.title, one.paper(user, family, day)) for one in sections.in_order()]
    return [*parts, ("健康情况", health_tables(user, family))] if health else parts


def openings_of(family: SpecialFamily) -> list[Opening]:
    """The last times that somebody opened or printed the archive, newest first, from the trail."""
    events = AuditEvent.objects.filter(
        target_type=family._meta.label_lower, target_id=str(family.pk), type__in=OPENINGS
    ).order_by("-pk")[:OPENINGS_SHOWN]
    return [Opening(event.at, event.actor, role_label(event), _what(event)) for event in events]


def title_of(family: SpecialFamily) -> str:
    """What pages call the archive: names_of() its parents, else its household."""
    return names_of(parents_of_archive(family)) or str(family.household)


def _what(event: AuditEvent) -> str:
    said = "、".join(line.text for line in change_lines(event) if line.text)
    return f"{type_label(event)}（{said}）" if said else type_label(event)
