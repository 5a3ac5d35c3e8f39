"""Decides what is new, changed and unchanged, and what is merely odd."""

from itertools import islice

from fpadmin import bulk
from fpadmin.identity import mask_account, mask_id_number, mask_phone
from fpadmin.imports.kinds import Change
from fpadmin.imports.widgets import CLEAR
from households import rules
from households.models import (
    Household,
    LowIncomeSpell,
    Marital,
    Residency,
    Resident,
)
from households.resident_import.plan import (
    LINKS,
    PLAIN,
    SECRET,
    STORED,
    Person,
    ResidentPlan,
)

MARRIED = (Marital.FIRST, Marital.REMARRIED, Marital.RESUMED)
_CHUNK = 10_000  # known people compared at a time, so that memory stays flat
_PREVIEW = 5_000  # differences of so many people are kept for the preview
_DEPARTED = "是否在册"
_MASKS = {"phone": mask_phone, "bank_account": mask_account}


def classify(plan: ResidentPlan) -> None:
    """Sort the good records into new, changed and unchanged, and describe what changes."""
    table = plan.table
    for index in table.good():
        if plan.stays_away(index):
            continue
        key = plan.household_key(index)
        household = plan.households.get(key)
        if household is None:
            plan.new_households.setdefault(key, index)
        group = plan.groups[index]
        if household and group and household[1] != group.pk:
            plan.regrouped[household[0]] = group.pk
        if index not in plan.known:
            plan.new.append(index)
    _plan_low_income(plan)
    suspects = _suspects(plan)
    _refuse_early_changes(plan, suspects)
    plan.changed = {i: keys for i, keys in suspects.items() if i not in table.bad}
    plan.created, plan.updated = len(plan.new), len(plan.changed)
    plan.unchanged = len(table) - len(table.bad) - plan.created - plan.updated
    _describe_changes(plan)


def _suspects(plan: ResidentPlan) -> dict[int, list[str]]:
    """Records that differ from the person as stored, and in what; only these keep what is stored."""
    suspects = {}
    remaining = iter([i for i in plan.known if i not in plan.table.bad])
    while chunk := list(islice(remaining, _CHUNK)):
        people = {plan.known[i].pk: i for i in chunk}
        for _, *row in bulk.lookup(Resident, "id", people, STORED):
            index = people[row[0]]
            plan.known[index].stored = row
            keys = _differences(plan, index)
            if keys:
                suspects[index] = keys
            else:
                plan.known[index].stored = ()
    return suspects


def _differences(plan: ResidentPlan, index: int) -> list[str]:
    """Keys of the workbook in which a known person differs from the record."""
    columns, person = plan.table.columns, plan.known[index]
    keys = []
    for key, blank in PLAIN.items():
        cell = columns[key][index]
        if cell is not None and (blank if cell is CLEAR else cell) != person.value(key):
            keys.append(key)
    for key in SECRET:
        cell = columns[key][index]
        if cell is not None and plan.digests[key][index] != person.digest(key):
            keys.append(key)
    if plan.stays_away(index):
        return keys
    if plan.returns(index):
        keys.append("departed_on")
    key = plan.household_key(index)
    household = plan.households.get(key)
    if household is None or household[0] != person.household_id:
        keys.append("household_no")
    if household and household[0] in plan.regrouped and plan.groups[index]:
        keys.append("group")
    if key in plan.low_income and columns["dibao"][index] == plan.low_income[key]:
        keys.append("dibao")
    return keys


def opens_spell(person: Person, keys: list[str]) -> bool:
    """A changed household, residence or hukou; a hukou code filled in for the first time corrects."""
    if "hukou_region_code" in keys and person.value("hukou_region_code"):
        return True
    return any(key in keys for key in ("household_no", "residence", "hukou", "departed_on"))


def _refuse_early_changes(plan: ResidentPlan, suspects: dict[int, list[str]]) -> None:
    """A change may not begin before the spell it ends."""
    touching = {
        "household_no", "residence", "hukou", "hukou_region_code", "relation", "departed_on",
    }  # fmt: skip
    people = {plan.known[i].pk: i for i, keys in suspects.items() if touching & set(keys)}
    remaining = iter(people)
    while chunk := list(islice(remaining, 500)):
        for spell in Residency.objects.filter(resident__in=chunk, ended_on__isnull=True):
            plan.spells[spell.resident_id] = spell
    for pk, index in people.items():
        person, spell = plan.known[index], plan.spells.get(pk)
        if plan.returns(index) and person.departed_on > plan.ground.on:
            plan.table.error(
                index, "household_no", "before_departure",
                f"{person.departed_on}才离册，变动日期{plan.ground.on}更早。请改变动日期后再导入。",
            )  # fmt: skip
        if (
            spell
            and spell.started_on
            and spell.started_on > plan.ground.on
            and opens_spell(plan.known[index], suspects[index])
        ):
            plan.table.error(
                index, "household_no", "before_current_spell",
                f"现有登记从{spell.started_on}起，变动日期{plan.ground.on}更早。请改变动日期后再导入。",
            )  # fmt: skip


def _plan_low_income(plan: ResidentPlan) -> None:
    """A household is on 低保 when any of its members' cells says so; blank cells keep what is."""
    wanted: dict[tuple[int, str], bool] = {}
    for index in plan.table.good():
        cell = plan.table.columns["dibao"][index]
        if plan.stays_away(index):
            continue
        if cell is CLEAR or cell is not None:
            key = plan.household_key(index)
            wanted[key] = wanted.get(key, False) or cell is True
    current = set(
        LowIncomeSpell.objects.filter(
            ended_on__isnull=True, household__village__in={v for v, _ in wanted}
        ).values_list("household_id", flat=True)
    )
    for key, state in wanted.items():
        household = plan.households.get(key)
        if state != bool(household and household[0] in current):
            plan.low_income[key] = state


def warn_of_oddities(plan: ResidentPlan) -> None:
    """Warnings: odd, but it comes in."""
    table, columns = plan.table, plan.table.columns
    in_file = {plan.digests["idno"][i]: i for i in table.good() if plan.digests["idno"][i]}
    dead = _dead_spouses(plan, in_file)
    labels = {"spouse_idno": "配偶", "father_idno": "父亲", "mother_idno": "母亲"}
    for index in table.good():
        birth = columns["birth_date"][index]
        married_on, marital = columns["first_marriage_date"][index], columns["marital"][index]
        if married_on not in (None, CLEAR):
            for finding in rules.marriage_warnings(
                columns["sex"][index], birth, marital, married_on
            ):
                table.warn(index, "first_marriage_date", finding.code, finding.message)
        for key, label in labels.items():
            number = plan.digests[key][index]
            if number and number not in in_file and number not in plan.people:
                table.warn(
                    index,
                    key,
                    f"{LINKS[key]}_not_registered",
                    f"{label}没有在本系统登记，已照原样记下。",
                )
        if marital in MARRIED and plan.digests["spouse_idno"][index] in dead:
            table.warn(index, "marital", "spouse_dead", "配偶已去世，婚姻状况仍是已婚。请核对。")


def _dead_spouses(plan: ResidentPlan, in_file: dict[str, int]) -> set[str]:
    spouses = {d for d in plan.digests["spouse_idno"] if d}
    dead = {d for d in spouses & in_file.keys() if plan.value(in_file[d], "death_date") is not None}
    elsewhere = {d for d in spouses - in_file.keys() if d in plan.people}
    rows = bulk.lookup(Resident, "id_number_digest", elsewhere, ["death_date"]) if elsewhere else []
    return dead | {number for number, died in rows if died is not None}


def _describe_changes(plan: ResidentPlan) -> None:
    """Old and new value of each difference, masked, for the first few thousand people."""
    table = plan.table
    shown = dict(islice(plan.changed.items(), _PREVIEW))
    secrets = {plan.known[i].pk for i, keys in shown.items() if set(keys) & set(SECRET)}
    stored: dict[int, Resident] = {}
    remaining = iter(secrets)
    while chunk := list(islice(remaining, 500)):
        stored |= Resident.objects.in_bulk(chunk)
    labels = _household_labels(plan, shown)
    for index, keys in shown.items():
        person = plan.known[index]
        for key in keys:
            heading = _DEPARTED if key == "departed_on" else table.kind.column(key).heading
            if key == "departed_on":
                old, new = f"{person.departed_on}离册", f"{plan.ground.on}起在册"
            elif person.elsewhere:  # what another office registered is not for this one to read
                continue
            elif key in SECRET:
                old = _mask(key, getattr(stored[person.pk], SECRET[key]))
                new = _mask(key, table.columns[key][index])
            elif key in PLAIN:
                old, new = person.value(key), plan.value(index, key)
            elif key == "household_no":
                old = labels.get(person.household_id, "")
                new = f"{plan.villages[index].name} {table.columns['household_no'][index]}"
            elif key == "group":
                old, new = "", plan.groups[index].name
            else:
                new = plan.low_income[plan.household_key(index)]
                old, new = ("否", "是") if new else ("是", "否")
            plan.changes.append(
                Change(
                    table.excel_rows[index],
                    person.value("name"),
                    "" if person.elsewhere else labels.get(person.household_id, ""),
                    person.pk,
                    heading,
                    str(old or ""),
                    str(new or ""),
                )
            )


def _household_labels(plan: ResidentPlan, shown: dict) -> dict[int, str]:
    labels: dict[int, str] = {}
    remaining = iter({plan.known[i].household_id for i in shown})
    while chunk := list(islice(remaining, 500)):
        rows = Household.objects.filter(pk__in=chunk).values_list("pk", "village__name", "number")
        labels |= {pk: f"{village} {number}" for pk, village, number in rows}
    return labels


def _mask(key: str, value) -> str:
    if value in (None, CLEAR, ""):
        return ""
    text = value if isinstance(value, str) else value.number
    return _MASKS.get(key, mask_id_number)(text)
