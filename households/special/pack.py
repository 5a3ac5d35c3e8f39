"""The inspection pack (迎检资料包): a directory, and for each family a folder in the order of an inspection.

One family and one file are in memory at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from fpadmin.accounts.permissions import Permission
from fpadmin.exports import packs, workbook
from fpadmin.exports.packs import Pack, PackFile, PackOrder, PackPart
from fpadmin.exports.workbook import SheetColumn
from fpadmin.ui import acts
from fpadmin.ui.acts import Act
from households.models import HEALTH_DOCUMENTS, FamilyDocument, SpecialFamily
from households.services.special_documents import record_packed
from households.special import archive_list, archive_page, documents, sections
from households.special.paper_docx import archive_docx
from households.special.uploads import ENDING_OF

KEY = "special-archives"
HEALTH = "health"
PAPER = "一户一档.docx"
DIRECTORY = "00-目录.xlsx"
GONE = "这份材料保存的文件打不开了，请在系统里重新上传。"
COLUMNS = (
    SheetColumn("序号", "number", 6),
    SheetColumn("村（社区）", "text", 16),
    SheetColumn("户编号", "code", 10),
    SheetColumn("父母", "text", 18),
    SheetColumn("家庭类型", "text", 14),
    SheetColumn("内容", "text", 40),
    SheetColumn("情况", "text", 12),
    SheetColumn("文件", "text", 60),
)


@dataclass(frozen=True)
class Folder:
    """One family of the pack: its place in it, and the papers that go in with their paths."""

    number: int
    name: str
    family: SpecialFamily
    papers: list[tuple[str, FamilyDocument]]
    withheld: list[str]
    missing: list[str]


def files(order: PackOrder) -> Iterator[PackFile]:
    """The directory, then family by family the 一户一档 and the papers in the order of their kinds."""
    folders = list(_folders(order))
    lines = [line for folder in folders for line in _lines(folder)]
    yield PackFile(
        DIRECTORY,
        lambda stream: workbook.write(stream, order.head, COLUMNS, [lines], len(lines)),
        0,
    )
    for done, folder in enumerate(folders):
        yield PackFile(f"{folder.name}/{PAPER}", partial(_write_paper, order, folder.family), done)
        for path, document in folder.papers:
            content = documents.content_of(document)
            if content is None:
                path, content = f"{path}-文件打不开.txt", GONE.encode("utf-8-sig")
            yield PackFile(path, partial(_write, content), done)


def made(order: PackOrder) -> None:
    """Record of each archive that it left in a pack."""
    record_packed(by=order.user, families=_families(order), health=HEALTH in order.parts)


def _families(order: PackOrder):
    # Cause of death and health are opened one family at a time, and only where they go in.
    families = order.rows.defer("cause_of_death", "health_note")
    return families.order_by("household__village__path", "household__number", "pk")


def _folders(order: PackOrder) -> Iterator[Folder]:
    """Every family with its papers, in three queries."""
    families = list(_families(order))
    width = max(2, len(str(len(families))))
    keys = [family.pk for family in families]
    papers: dict[int, list[FamilyDocument]] = {}
    visible = FamilyDocument.objects.visible_to(order.user)
    there = visible.filter(family__in=keys, removed_at__isnull=True)
    for document in documents.in_order(there):
        papers.setdefault(document.family_id, []).append(document)
    for number, family in enumerate(families, start=1):
        own = papers.get(family.pk, [])
        given = [one for one in own if HEALTH in order.parts or one.kind not in HEALTH_DOCUMENTS]
        name = documents.safe_name(
            f"{number:0{width}}-{family.household.village.name}-{family.household.number}"
        )
        yield Folder(
            number,
            name,
            family,
            [(_path(name, at, one), one) for at, one in enumerate(given, start=1)],
            sorted({one.get_kind_display() for one in own if one not in given}),
            documents.missing(family, {one.kind for one in own}),
        )


def _path(folder: str, number: int, document: FamilyDocument) -> str:
    label, title = document.get_kind_display(), document.title
    words = label if title == label else f"{label}-{title}"
    return f"{folder}/{number:02}-{documents.safe_name(words)}.{ENDING_OF[document.content_type]}"


def _lines(folder: Folder) -> Iterator[tuple]:
    """The directory's lines of one family: what is in, what is held back, what is missing."""
    family = folder.family
    head = (
        folder.number,
        family.household.village.name,
        family.household.number,
        family.parent_names,
        family.get_kind_display(),
    )
    parts = "、".join(section.title for section in sections.in_order())
    yield *head, f"一户一档：{parts}", "有", f"{folder.name}/{PAPER}"
    for path, document in folder.papers:
        yield *head, f"{document.get_kind_display()}：{document.title}", "有", path
    for label in folder.withheld:
        yield *head, label, "有，未装入", ""
    for label in folder.missing:
        yield *head, label, "缺", ""


def _write(content: bytes, stream) -> None:
    stream.write(content)


def _write_paper(order: PackOrder, family: SpecialFamily, stream) -> None:
    """The family's 一户一档, with health only where it was asked for."""
    household = family.household
    health = HEALTH in order.parts
    parts = archive_page.paper_parts(order.user, family, order.day, health=health)
    state = f"{family.closed_on}结案（{family.get_close_reason_display()}）"
    content = archive_docx(
        unit=order.head.region,
        title=f"{family.parent_names or household}　一户一档",
        watermark=order.head.watermark,
        facts=(
            ("村（社区）", household.village.name),
            ("户编号", household.number),
            ("家庭类型", family.get_kind_display()),
            ("建档日期", str(family.opened_on)),
            ("状态", state if family.closed_on else "在管"),
            ("截至", str(order.day)),
        ),
        parts=parts,
    )
    stream.write(content)


def load() -> None:
    """Register the pack and the way to it from the list of archives. Called once, by ready()."""
    packs.register(
        Pack(
            key=KEY,
            list_key=archive_list.KEY,
            title="特殊家庭迎检资料包",
            permission=Permission.SPECIAL_LIST,
            files=files,
            made=made,
            parts=(PackPart(HEALTH, "健康材料和死亡原因", Permission.SPECIAL_HEALTH),),
        )
    )
    acts.register(
        Act(
            archive_list.KEY, "pack", "迎检资料包", Permission.SPECIAL_LIST,
            opens="households:special-pack-create", for_all=True, order=85,
        )
    )  # fmt: skip
