"""Display logic of the household and resident pages: the drawing of relations, marks, ages."""

from dataclasses import dataclass
from datetime import date

from fpadmin.accounts.models import Region
from fpadmin.dates import age_on
from fpadmin.identity import mask_account, mask_id_number, mask_phone
from households.models import Relation, Resident, Sex

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y = 126, 44, 20, 46
PER_LINE = 4  # more boxes side by side would make their words too small
_ROWS = {
    Relation.GRANDPARENT: 0,
    Relation.FATHER: 1,
    Relation.MOTHER: 1,
    Relation.SON: 3,
    Relation.DAUGHTER: 3,
    Relation.SON_IN_LAW: 3,
    Relation.DAUGHTER_IN_LAW: 3,
    Relation.GRANDCHILD: 4,
}
_OWN_ROW = 2


@dataclass(frozen=True)
class Box:
    """A member in the drawing; x and y of the upper left corner."""

    x: int
    y: int
    name: str
    caption: str
    is_head: bool

    @property
    def middle(self) -> int:
        return self.x + BOX_WIDTH // 2

    @property
    def bottom(self) -> int:
        return self.y + BOX_HEIGHT


@dataclass(frozen=True)
class Tree:
    """The relations of a household as a drawing, and the same in words."""

    width: int
    height: int
    boxes: list[Box]
    links: str
    notes: list[tuple[int, int, str]]
    description: str

    @property
    def is_narrow(self) -> bool:
        return self.width <= 2 * (BOX_WIDTH + 88)


def age_words(born: date, day: date) -> str:
    """Completed years; months under one year, days under one month."""
    years = age_on(born, day)
    if years > 0:
        return str(years)
    months = (day.year - born.year) * 12 + day.month - born.month - (day.day < born.day)
    return f"{months}个月" if months > 0 else f"{max((day - born).days, 0)}天"


def mask_of(field: str, value: str) -> str:
    """The mask of an identifier of that name."""
    masks = {"phone": mask_phone, "bank_account": mask_account}
    return masks.get(field, mask_id_number)(value)


def ethnic_group_word(name: str) -> str:
    """The ethnic group as people say it: 汉族; two entries of the standard are no 族."""
    return name if name in ("", "其他", "外国血统") else f"{name}族"


def marks_of(resident: Resident) -> list[str]:
    """Properties of a person that lists show: certificate, disability, death, departure."""
    marks = []
    if resident.only_child_cert_no:
        marks.append("独生子女证")
    if resident.disability_grade:
        marks.append(f"残疾{resident.disability_grade}")
    if resident.death_date:
        marks.append(f"{resident.death_date}去世")
    elif resident.departed_on:
        marks.append(f"{resident.departed_on}离册")
    return marks


def place_of(village: Region, group: Region | None) -> str:
    """Village and group in one cell."""
    return f"{village.name}　{group.name}" if group else village.name


def family_tree(members: list[Resident], day: date) -> Tree | None:
    """Who stands where: a row per generation as the relations say, lines as the links say."""
    living = [m for m in members if m.is_registered_on(day)]
    rows: dict[int, list[Resident]] = {}
    for member in living:
        rows.setdefault(_ROWS.get(member.relation, _OWN_ROW), []).append(member)
    if len(living) < 2:
        return None
    for row in rows.values():
        _couples_together(row)
    wide = min(max(len(row) for row in rows.values()), PER_LINE)
    gap = 86 if wide <= 2 else GAP_X
    width = wide * BOX_WIDTH + (wide - 1) * gap + 2
    boxes: dict[int, Box] = {}
    top = 1
    for place in sorted(rows):
        for start in range(0, len(rows[place]), PER_LINE):
            line = rows[place][start : start + PER_LINE]
            if start:
                top += BOX_HEIGHT + GAP_X
            left = (width - len(line) * BOX_WIDTH - (len(line) - 1) * gap) // 2
            for index, member in enumerate(line):
                boxes[member.pk] = Box(
                    x=left + index * (BOX_WIDTH + gap),
                    y=top,
                    name=member.name,
                    caption=f"{member.relation}　{_age_caption(member, day)}",
                    is_head=member.relation == Relation.HEAD,
                )
        top += BOX_HEIGHT + GAP_Y
    return Tree(
        width=width,
        height=top - GAP_Y + 1,
        boxes=list(boxes.values()),
        links=_links(living, boxes),
        notes=_marriage_notes(living, boxes, gap),
        description=_in_words(living),
    )


def _age_caption(member: Resident, day: date) -> str:
    age = age_words(member.birth_date, day)
    return f"{age}岁" if age.isdigit() else age


def _couples_together(row: list[Resident]) -> None:
    """Put spouses side by side, so that the line between them crosses nobody."""
    for index in range(len(row) - 1):
        partner = row[index].spouse_id
        for other in range(index + 2, len(row)):
            if row[other].pk == partner:
                row.insert(index + 1, row.pop(other))


def _links(members: list[Resident], boxes: dict[int, Box]) -> str:
    parts = []
    head_member = next((m for m in members if m.relation == Relation.HEAD), None)
    head = boxes.get(head_member.pk) if head_member else None
    head_spouse = head_member.spouse_id if head_member else None
    for member in members:
        own = boxes[member.pk]
        partner = boxes.get(member.spouse_id)
        if partner and partner.y == own.y and own.x < partner.x:
            middle = own.y + BOX_HEIGHT // 2
            parts.append(f"M{own.x + BOX_WIDTH} {middle}H{partner.x}")
        father, mother = boxes.get(member.father_id), boxes.get(member.mother_id)
        if not (father or mother) and member.relation in (Relation.SON, Relation.DAUGHTER):
            father, mother = head, boxes.get(head_spouse)  # the relation to the head says as much
        start = _start_of(father, mother, own)
        if start:
            x, y = start
            turn = own.y - 17
            parts.append(f"M{x} {y}V{turn}H{own.middle}V{own.y}")
    return "".join(parts)


def _start_of(father: Box | None, mother: Box | None, child: Box) -> tuple[int, int] | None:
    """Where the line to a child begins: between the parents, or below the one there is."""
    above = [parent for parent in (father, mother) if parent and parent.bottom < child.y]
    if len(above) == 2 and above[0].y == above[1].y:
        return (above[0].middle + above[1].middle) // 2, above[0].y + BOX_HEIGHT // 2
    return (above[0].middle, above[0].bottom) if above else None


def _marriage_notes(members, boxes: dict[int, Box], gap: int) -> list[tuple[int, int, str]]:
    if gap < 80:
        return []
    notes = []
    for member in members:
        own, partner = boxes[member.pk], boxes.get(member.spouse_id)
        beside = partner and partner.y == own.y and own.x < partner.x
        if beside and member.first_marriage_date:
            x = (own.x + BOX_WIDTH + partner.x) // 2
            notes.append((x, own.y + 16, f"{member.first_marriage_date.year}年结婚"))
    return notes


def _in_words(members: list[Resident]) -> str:
    """The drawing for those who don't see it."""
    names = {m.pk: m.name for m in members}
    words = []
    for member in members:
        if member.spouse_id in names and member.pk < member.spouse_id:
            words.append(f"{member.name}与{names[member.spouse_id]}为夫妻")
        parents = [names[pk] for pk in (member.father_id, member.mother_id) if pk in names]
        if parents:
            child = "儿子" if member.sex == Sex.MALE else "女儿"
            words.append(f"{member.name}是{'与'.join(parents)}的{child}")
    return ("；".join(words) or "、".join(f"{m.relation}{m.name}" for m in members)) + "。"
