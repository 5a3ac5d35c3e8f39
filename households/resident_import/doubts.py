"""Rows that may mean somebody registered, though no ID number says so; people decide, row by row.

Same name, sex and birth date, or the same mother and given name under another surname, where at
most one side has an ID number. Twins differ in name or sex, and are never taken for one.
"""

from collections import defaultdict
from collections.abc import Iterable

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.identity import mask_id_number
from fpadmin.imports.kinds import Decision, Doubt
from fpadmin.imports.widgets import CLEAR
from fpadmin.scoping import below
from households.models import Resident
from households.resident_import.plan import KEPT, Person, ResidentPlan

SHOWN = 2_000  # rows put before people
_FIELDS = (
    "id", "name", "sex", "birth_date", "id_number_digest", "mother_id_number_digest",
    "merged_into_id", "village_id", "household_id", *KEPT,
)  # fmt: skip
_AT = {name: position for position, name in enumerate(_FIELDS)}
_SIDES = (
    ("name", "name"), ("sex", "sex"), ("birth_date", "birth_date"), ("idno", "id_number"),
    ("household_no", "household__number"), ("relation", "relation"), ("hukou", "hukou"),
    ("residence", "residence"), ("father_idno", "father_id_number"),
    ("mother_idno", "mother_id_number"), ("education", "education"), ("death_date", "death_date"),
)  # fmt: skip
SAME_NAME, OTHER_SURNAME = "同名同生日", "同母同生日，名同姓不同"


def weigh_doubts(plan: ResidentPlan) -> None:
    """Find the doubtful rows, and do with each what somebody has decided.

    Undecided ones come in as new people, with a warning.
    """
    found = _candidates(plan)
    for index, (row, reason) in list(found.items()):
        decision, target = plan.ground.decisions.get(plan.table.excel_rows[index], ("", None))
        if decision and target == row[_AT["id"]]:
            _obey(plan, index, row, decision)
        else:
            plan.table.warn(
                index, "name", "possible_duplicate",
                f"已登记有{reason}的人，可能是同一人。请核对后决定，不作决定的按新增导入。",
            )  # fmt: skip
    plan.doubts = _sides(plan, dict(list(found.items())[:SHOWN]))


def _obey(plan: ResidentPlan, index: int, row: tuple, decision: str) -> None:
    if decision == Decision.SAME:
        kept = (row[_AT[name]] for name in KEPT)
        plan.known[index] = Person(row[_AT["id"]], row[_AT["household_id"]], *kept)
    elif decision == Decision.SKIP:
        plan.table.skip(index)


def _candidates(plan: ResidentPlan) -> dict[int, tuple[tuple, str]]:
    """Record → the registered person whom it may mean, and why; whom the file means otherwise is none."""
    new = [i for i in plan.table.good() if i not in plan.known]
    if not new or not Resident.objects.exists():
        return {}
    columns = plan.table.columns
    inside = set(Region.objects.filter(below(plan.ground.office.path)).values_list("pk", flat=True))
    meant = {person.pk for person in plan.known.values()}
    numbers = {d for d in plan.digests["idno"] if d}
    by_name: dict[tuple, list[tuple]] = defaultdict(list)
    by_mother: dict[tuple, list[tuple]] = defaultdict(list)
    for row in _people(plan, new):
        pk, name, sex, born, number, mother, merged, village, *_ = row
        if merged or village not in inside or pk in meant or number in numbers:
            continue
        by_name[(name, sex, born)].append(row)
        if mother:
            by_mother[(mother, name[1:], sex, born)].append(row)
    found: dict[int, tuple[tuple, str]] = {}
    taken: set[int] = set()
    for index in new:
        name, number = columns["name"][index], plan.digests["idno"][index]
        of_whom = plan.digests["mother_idno"][index]
        same = columns["sex"][index], columns["birth_date"][index]
        choices = [(row, SAME_NAME) for row in by_name.get((name, *same), ())]
        if of_whom and len(name) > 1:
            others = by_mother.get((of_whom, name[1:], *same), ())
            choices += [(row, OTHER_SURNAME) for row in others if row[_AT["name"]] != name]
        for row, reason in choices:
            pk, theirs, mother = (
                row[_AT[k]] for k in ("id", "id_number_digest", "mother_id_number_digest")
            )
            if pk in taken or (number and theirs) or (of_whom and mother and of_whom != mother):
                continue
            taken.add(pk)
            found[index] = (row, reason)
            break
    return found


def _people(plan: ResidentPlan, new: list[int]) -> Iterable[tuple]:
    """Everybody without a number, and for records without one whoever has the name or the mother."""
    known: dict[int, tuple] = {}
    villages = Region.objects.filter(below(plan.ground.office.path))
    unnumbered = Resident.objects.filter(id_number_digest__isnull=True, village__in=villages)
    for row in unnumbered.order_by("pk").values_list(*_FIELDS):
        known[row[0]] = row
    blank = [i for i in new if not plan.digests["idno"][i]]
    names = {plan.table.columns["name"][i] for i in blank}
    mothers = {plan.digests["mother_idno"][i] for i in blank} - {""}
    for column, values in (("name", names), ("mother_id_number_digest", mothers)):
        if values:
            for _, *row in bulk.lookup(Resident, column, values, _FIELDS):
                known[row[0]] = tuple(row)
    return known.values()


def _sides(plan: ResidentPlan, found: dict[int, tuple[tuple, str]]) -> list[Doubt]:
    """What the file and the registry say, side by side, numbers masked."""
    columns = plan.table.columns
    pks = [row[_AT["id"]] for row, _ in found.values()]
    stored: dict[int, tuple] = {}
    names = [name for _, name in _SIDES]
    for start in range(0, len(pks), 500):
        rows = Resident.objects.filter(pk__in=pks[start : start + 500])
        stored |= {pk: values for pk, *values in rows.values_list("pk", *names)}
    doubts = []
    for index, (row, reason) in found.items():
        values = stored.get(row[_AT["id"]])
        if values is None:
            continue
        sides = [
            (plan.table.kind.column(key).heading, _shown(columns[key][index]), _masked(name, value))
            for (key, name), value in zip(_SIDES, values, strict=True)
        ]
        doubts.append(
            Doubt(
                plan.table.excel_rows[index], row[_AT["id"]], columns["name"][index], reason, sides
            )
        )
    return doubts


def _shown(cell) -> str:
    if cell is None or cell is CLEAR:
        return ""
    return mask_id_number(cell.number) if hasattr(cell, "number") else str(cell)


def _masked(name: str, value) -> str:
    if value in (None, ""):
        return ""
    return mask_id_number(value) if name.endswith("id_number") else str(value)
