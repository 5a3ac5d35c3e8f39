"""The workbook of regions (行政区划): an office's villages and groups, and its own ancestors."""

from dataclasses import dataclass, field

from django.db.models import F

from fpadmin.accounts.models import CODE_LENGTHS, Region
from fpadmin.accounts.permissions import Permission
from fpadmin.audit import log
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import Change, Column, Doubt, Ground, Undo, WorkbookKind, register
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR

LEVELS = {label: value for value, label in Region.Level.choices}
_LEVEL_OF_LENGTH = {length: level for level, length in CODE_LENGTHS.items()}


def path_of_code(code: str) -> str:
    """The path a code has where every ancestor's code is its prefix: 53.5399.539981."""
    lengths = [n for n in CODE_LENGTHS.values() if n < len(code)]
    return "".join(f"{code[:n]}." for n in lengths) + f"{code}."


def office_from_code(code: str) -> Region:
    """The office of `code`, saved or, before its regions are imported, only described."""
    found = Region.objects.filter(code=code).first()
    return found or Region(code=code, name=code, path=path_of_code(code))


@dataclass
class RegionPlan:
    """Regions to create, by level from the top, and to rename or reclassify."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    new: dict[str, tuple[int, Region, str]] = field(default_factory=dict)
    changed: list[Region] = field(default_factory=list)
    before: dict[int, dict[str, str]] = field(default_factory=dict)  # of the changed ones


def plan_regions(table: Table, ground: Ground) -> RegionPlan:
    """Check every row: code and level agree, the parent exists, the place belongs to the office."""
    plan = RegionPlan()
    codes, levels = table.columns["code"], table.columns["level"]
    parents, names = table.columns["parent_code"], table.columns["name"]
    kinds = table.columns["urban_rural"]
    for index in range(len(table)):
        if index not in table.bad:
            _check_own(table, index, codes[index], levels[index], parents[index], ground.office)
    counts: dict[str, int] = {}
    good = [i for i in range(len(table)) if i not in table.bad]
    for index in good:
        counts[codes[index]] = counts.get(codes[index], 0) + 1
    for index in good:
        if counts[codes[index]] > 1:
            table.error(index, "code", "duplicate_in_file", "文件里有两行是同一代码。请只留一行。")
    good = [i for i in good if i not in table.bad]
    wanted = {codes[i] for i in good} | {_parent(codes[i], parents[i]) for i in good}
    known = {r.code: r for r in Region.objects.filter(code__in=wanted)}
    for index in sorted(good, key=lambda i: len(codes[i])):
        code, parent = codes[index], _parent(codes[index], parents[index])
        if len(code) > 2 and parent not in known and parent not in plan.new:
            if parent in codes:  # its row is refused for its own fault; this one only has to wait
                table.hold_back(
                    index, "parent_code", "parent_refused", "上级那一行有错误，本行暂不导入。"
                )
                continue
            table.error(
                index, "parent_code", "unknown_parent", f"上级{parent}不在区划表里。请先导入上级。"
            )
            continue
        urban_rural = "" if kinds[index] is CLEAR else kinds[index]
        if code in known:
            _plan_known(plan, table, index, known[code], names[index], urban_rural)
        else:
            region = Region(
                code=code,
                name=names[index],
                level=LEVELS[levels[index]],
                urban_rural=urban_rural or "",
            )
            plan.new[code] = (region.level, region, parent)
            plan.created += 1
    return plan


def _parent(code: str, given) -> str:
    if isinstance(given, str):
        return given
    shorter = [n for n in CODE_LENGTHS.values() if n < len(code)]
    return code[: shorter[-1]] if shorter else ""


def _check_own(table: Table, index: int, code: str, level: str, parent, office: Region) -> None:
    expected = _LEVEL_OF_LENGTH.get(len(code))
    if not code.isdigit() or expected is None:
        table.error(
            index, "code", "region_code", "区划代码应为2、4、6、9、12位数字，村民小组14位。请核对。"
        )
    elif LEVELS[level] != expected:
        table.error(
            index, "level", "level_conflict",
            f"{len(code)}位代码的级别应为“{Region.Level(expected).label}”。请核对。",
        )  # fmt: skip
    elif not code.startswith(office.code) and not office.code.startswith(code):
        table.error(
            index, "code", "outside_office", f"不属于{office.name}。请删去，或由上级单位导入。"
        )
    elif isinstance(parent, str) and (not parent.isdigit() or len(parent) >= len(code)):
        table.error(index, "parent_code", "region_code", "上级代码应比本级代码短。请核对。")


def _plan_known(plan, table, index, region: Region, name: str, urban_rural) -> None:
    before = {"name": region.name, "urban_rural": region.urban_rural}
    after = {
        "name": name,
        "urban_rural": region.urban_rural if urban_rural is None else urban_rural,
    }
    if before == after:
        plan.unchanged += 1
        return
    for key, old in before.items():
        if old != after[key]:
            plan.changes.append(
                Change(
                    table.excel_rows[index], region.name, region.code, region.pk,
                    table.kind.column(key).heading, old, after[key],
                )
            )  # fmt: skip
    plan.before[region.pk] = before
    region.name, region.urban_rural = after["name"], after["urban_rural"]
    region.row_version = F("row_version") + 1  # a form opened before sees the conflict
    plan.changed.append(region)
    plan.updated += 1


def write_regions(plan: RegionPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of changed regions."""
    saved = {r.code: r for r in Region.objects.filter(code__in={p for *_, p in plan.new.values()})}
    for level in CODE_LENGTHS:
        batch = [region for at, region, _ in plan.new.values() if at == level]
        for region in batch:
            parent = saved.get(plan.new[region.code][2])
            region.parent = parent
            region.path = f"{parent.path if parent else ''}{region.code}."
        Region.objects.bulk_create(batch, batch_size=1000)
        saved |= {r.code: r for r in batch}
    journal.created(Region, sorted(saved[code].pk for code in plan.new))
    Region.objects.bulk_update(plan.changed, ["name", "urban_rural", "row_version"], batch_size=500)
    versions = Region.objects.filter(pk__in=plan.before).values_list("pk", "row_version")
    journal.changed(
        Region,
        [
            (pk, version, {key: [old] for key, old in plan.before[pk].items()})
            for pk, version in versions
        ],
    )
    return [
        log.Entry("region.imported", "accounts.region", str(r.pk), r.path) for r in plan.changed
    ]


REGIONS = WorkbookKind(
    key="regions",
    sheet="行政区划",
    columns=(
        Column(
            "区划代码", "code", "code", required=True, aliases=("代码", "行政区划代码"), max_length=14,
            note="国家统计用区划代码，2、4、6、9或12位；村民小组为村代码加2位",
        ),
        Column("名称", "name", required=True, aliases=("区划名称",), max_length=100),
        Column("级别", "level", "choice", required=True, choices=tuple(LEVELS)),
        Column("上级代码", "parent_code", "code", note="不填时按代码推出", max_length=14),
        Column("城乡分类", "urban_rural", "choice", choices=("城镇", "乡村")),
    ),
    permission=Permission.REGIONS_MANAGE,
    plan=plan_regions,
    write=write_regions,
    undo=Undo(
        models=("accounts.region",),
        event="region.import-undone",
        subjects={"accounts.region": ("path",)},
    ),
    sample={
        "code": "539981001201", "name": "庄科村", "level": "村", "parent_code": "539981001",
        "urban_rural": "乡村",
    },
    order=10,
)  # fmt: skip


def load() -> None:
    """Make the kind and its event known. Called once, by ready()."""
    register(REGIONS)
    log.register_types({"region.imported": "导入区划", "region.import-undone": "撤销导入的区划"})
