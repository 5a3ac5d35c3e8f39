"""Plans the workbook of archives (特殊家庭档案): one row a household that has, or gets, an archive."""

from collections import defaultdict

from fpadmin.imports.kinds import Change, Ground
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CellError
from households.special.families import (
    contradicting_children,
    contradiction,
    parents_by_household,
)
from households.special_import.care import plan_care
from households.special_import.cells import Contact, parse_contact
from households.special_import.homes import find_homes
from households.special_import.people import Cell
from households.special_import.plan import CONTACTS, PLAIN, FamilyPlan
from households.special_import.terms import TWICE, plan_contacts

_PREVIEW = 5_000


def plan_families(table: Table, ground: Ground) -> FamilyPlan:
    """Validate every record and decide what it is: a new archive, a changed one, or refused."""
    plan = FamilyPlan(table, ground, find_homes(table, ground), _contacts(table))
    _duplicates(plan)
    _archives(plan)
    plan_care(plan)
    plan_contacts(plan)
    _classify(plan)
    _find_parents(plan)
    _warn_of_living_children(plan)
    return plan


def _contacts(table: Table) -> dict[Cell, Contact]:
    """What the three cells say; a malformed one is an error, and so is the same person twice."""
    found: dict[Cell, Contact] = {}
    for index in range(len(table)):
        seen = set()
        for key in CONTACTS:
            cell = table.columns[key][index]
            if not isinstance(cell, str):
                continue
            try:
                contact = parse_contact(cell)
            except CellError as error:
                table.error(index, key, error.code, str(error))
                continue
            who = contact.known_as, contact.digest
            if who in seen:
                table.error(index, key, "contact_twice", TWICE)
            seen.add(who)
            found[index, key] = contact
    return found


def _duplicates(plan: FamilyPlan) -> None:
    """Both rows of one archive are refused."""
    table = plan.table
    records = defaultdict(list)
    for index in table.good():
        records[plan.homes.households[index], table.columns["opened_on"][index]].append(index)
    for indices in records.values():
        if len(indices) > 1:
            rows = "、".join(str(table.excel_rows[i]) for i in indices[:5])
            for index in indices:
                table.error(
                    index, "opened_on", "duplicate_in_file",
                    f"第{rows}行是同一户同一天的档案。请只留一行。",
                )  # fmt: skip


def _archives(plan: FamilyPlan) -> None:
    """Match records with known archives; a household has one open archive, and none inside another."""
    table, opened = plan.table, plan.table.columns["opened_on"]
    first: dict[int, int] = {}  # household → the record of its new archive
    for index in table.good():
        home = plan.homes.households[index]
        archives = plan.homes.archives.get(home, [])
        known = next((one for one in archives if one.opened_on == opened[index]), None)
        if known:
            _known(plan, index, known)
            continue
        current = next((one for one in archives if one.closed_on is None), None)
        last = max((one.closed_on for one in archives if one.closed_on), default=None)
        if current:
            table.error(
                index, "opened_on", "second_archive",
                f"这一户已有{current.opened_on}建的在管档案，不能再建一份。请核对建档日期。",
            )  # fmt: skip
        elif last and opened[index] < last:
            table.error(
                index, "opened_on", "archive_overlap",
                f"这一户上一份档案到{last}才结案，建档日期不能比它早。请核对。",
            )  # fmt: skip
        elif home in first:
            row = table.excel_rows[first[home]]
            table.error(
                index, "opened_on", "second_archive",
                f"第{row}行已为这一户建档，同一户只能有一份在管档案。请只留一行。",
            )  # fmt: skip
        else:
            first[home] = index
            plan.new.append(index)


def _known(plan: FamilyPlan, index: int, archive) -> None:
    if archive.closed_on is None:
        plan.known[index] = archive
        return
    plan.closed[index] = archive
    plan.table.warn(
        index, "opened_on", "archive_closed",
        f"这份档案已于{archive.closed_on}结案，这一行没有导入。",
    )  # fmt: skip


def _classify(plan: FamilyPlan) -> None:
    table = plan.table
    for index in table.good():
        for key in PLAIN:
            if index in plan.known:
                old, new = getattr(plan.known[index], key), plan.value(index, key)
                if old != new:
                    plan.note(index, key, old, new)
    bad = table.bad
    plan.new = [index for index in plan.new if index not in bad]
    plan.known = {index: one for index, one in plan.known.items() if index not in bad}
    plan.changed = {index: keys for index, keys in plan.changed.items() if index not in bad}
    plan.created, plan.updated = len(plan.new), len(plan.changed)
    plan.unchanged = len(table) - len(bad) - plan.created - plan.updated
    _describe_changes(plan)


def _describe_changes(plan: FamilyPlan) -> None:
    table = plan.table
    for index, keys in plan.changed.items():
        archive, village = plan.known[index], plan.homes.villages[index]
        for column in table.kind.columns:
            if column.key in keys and len(plan.changes) < _PREVIEW:
                plan.changes.append(
                    Change(
                        table.excel_rows[index],
                        f"{table.columns['household_no'][index]}户",
                        village.name,
                        archive.pk,
                        column.heading,
                        *keys[column.key],
                    )
                )


def _find_parents(plan: FamilyPlan) -> None:
    table, homes = plan.table, plan.homes.households
    days = {homes[index]: table.columns["opened_on"][index] for index in plan.new}
    plan.parents = parents_by_household(days)
    for index in plan.new:
        if not plan.parents[homes[index]]:
            table.warn(
                index, "household_no", "no_parents",
                "建档日期那天这一户没有在世的户主或配偶，档案里还没有父母。导入后请打开档案补上。",
            )  # fmt: skip
        if not any((index, key) in plan.contacts for key in CONTACTS):
            table.warn(index, "contact1", "no_contact", "没有填联系人。请导入后安排。")


def _warn_of_living_children(plan: FamilyPlan) -> None:
    """A new archive, or a new kind, that a living child speaks against."""
    asked = {
        plan.homes.households[index]: index
        for index in [*plan.new, *(i for i, keys in plan.changed.items() if "kind" in keys)]
    }
    kinds = {home: plan.value(index, "kind") for home, index in asked.items()}
    for home, number in contradicting_children(kinds, plan.ground.today).items():
        plan.table.warn(
            asked[home], "kind", "healthy_child",
            f"户主或配偶有{contradiction(kinds[home], number)}，与家庭类型不符，已照原样导入。"
            "请核对家庭类型和生育登记表。",
        )  # fmt: skip
