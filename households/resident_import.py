"""Imports the residents' workbook (居民登记表): checks it against the registry, writes it in bulk.

A known person is found by ID number, else by household, name and birth date. Households come into
being with their first member. See imports/engine.py for the order of calls.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Any

from django.utils import timezone

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.crypto import digest, encryptor
from fpadmin.identity import ETHNIC_GROUP_SET, PROVINCES, mask_account, mask_id_number, mask_phone
from fpadmin.imports.kinds import Change, Ground
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from fpadmin.scoping import below
from households import places, rules, services
from households.models import (
    ChildRecord,
    Household,
    LowIncomeSpell,
    Marital,
    Relation,
    Residence,
    Residency,
    Resident,
)

# Workbook columns kept as they are under the same name: key → the value of a blank cell.
PLAIN = {
    "name": "", "sex": "", "birth_date": None, "death_date": None, "ethnicity": "", "relation": "",
    "hukou": "", "residence": "", "hukou_region_code": "", "marital": "",
    "first_marriage_date": None, "education": "", "employment": "", "only_child_cert_no": "",
    "only_child_cert_date": None, "disability_grade": "", "bank": "", "note": "",
}  # fmt: skip
# Encrypted columns, compared by digest: workbook key → database column.
SECRET = {
    "idno": "id_number", "spouse_idno": "spouse_id_number", "father_idno": "father_id_number",
    "mother_idno": "mother_id_number", "phone": "phone", "bank_account": "bank_account",
}  # fmt: skip
LINKS = {"spouse_idno": "spouse", "father_idno": "father", "mother_idno": "mother"}
_MASKS = {"phone": mask_phone, "bank_account": mask_account}
_EXISTING = (
    "id", "village_id", "household_id", "death_date", *(key for key in PLAIN if key != "death_date"), *(f"{column}_digest" for column in SECRET.values()),
)  # fmt: skip
_AT = {name: position for position, name in enumerate(_EXISTING)}
_CHUNK = 10_000  # known people compared at a time, so that memory stays flat
_PREVIEW = 5_000  # differences of so many people are kept for the preview
MARRIED = (Marital.FIRST, Marital.REMARRIED, Marital.RESUMED)


@dataclass(slots=True)
class Person:
    """A known resident: where, whether dead, and, only where something differs, all as stored."""

    pk: int
    household_id: int
    death_date: date | None
    stored: tuple = ()  # a row of _EXISTING

    def value(self, key: str):
        return self.stored[_AT[key]]

    def digest(self, key: str) -> str:
        return self.stored[_AT[f"{SECRET[key]}_digest"]] or ""


@dataclass
class ResidentPlan:
    """What the workbook would do. Indices are of table records; none of them has an error."""

    table: Table
    ground: Ground
    villages: list[Region | None]
    groups: list[Region | None]
    digests: dict[str, list[str]]
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    new: list[int] = field(default_factory=list)
    known: dict[int, Person] = field(default_factory=dict)  # record → the person it is
    changed: dict[int, list[str]] = field(default_factory=dict)  # record → keys that differ
    households: dict[tuple[int, str], tuple[int, int | None]] = field(default_factory=dict)
    new_households: dict[tuple[int, str], int] = field(default_factory=dict)  # → a record of it
    regrouped: dict[int, int] = field(default_factory=dict)  # household id → group id
    spells: dict[int, Residency] = field(default_factory=dict)  # person → the open spell
    low_income: dict[tuple[int, str], bool] = field(default_factory=dict)  # what changes
    people: dict[str, int] = field(default_factory=dict)  # digest → registered person

    def household_key(self, index: int) -> tuple[int, str]:
        return self.villages[index].pk, self.table.columns["household_no"][index]

    def value(self, index: int, key: str):
        """The final value of a plain column: the cell, what is kept, or blank."""
        cell = self.table.columns[key][index]
        if cell is CLEAR:
            return PLAIN[key]
        if cell is not None:
            return cell
        person = self.known.get(index)
        if person is None:
            return PLAIN[key]
        return person.death_date if key == "death_date" else person.value(key)

    def write(self) -> list[log.Entry]:
        return _write(self)


def plan_residents(table: Table, ground: Ground) -> ResidentPlan:
    """Validate every record and decide what it is: new, changed, unchanged, or refused."""
    plan = ResidentPlan(table, ground, *_places(table, ground), _digests(table))
    _own_faults(plan)
    _duplicates(plan)
    _find_households(plan)
    _find_people(plan)
    _refuse_doubled_people(plan)
    _second_heads(plan)
    _classify(plan)
    _oddities(plan)
    return plan


# Reading the cells -----------------------------------------------------------------------------


def _places(table: Table, ground: Ground):
    """Village and group of each record; unknown ones, and ones outside the office, are errors."""
    directory = places.Directory(ground.office)
    villages, groups = [], []
    for index, code in enumerate(table.columns["village_code"]):
        village = group = None
        if code is not None:
            village, fault = directory.village(code)
            if fault:
                table.error(index, "village_code", *fault)
        name = table.columns["group"][index]
        if village and name not in (None, CLEAR):
            group = directory.group(village, name)
            if group is None:
                table.error(
                    index, "group", "unknown_group",
                    f"{village.name}没有“{name}”这个小组。请核对，或先导入区划。",
                )  # fmt: skip
        villages.append(village)
        groups.append(group)
    return villages, groups


def _digests(table: Table) -> dict[str, list[str]]:
    """The digest of each encrypted cell; "" where blank. Each distinct number is digested once."""
    memo: dict[Any, str] = {}
    digests = {}
    for key in SECRET:
        column = table.columns[key]
        if key in _MASKS:
            table.columns[key] = column = [
                v.replace(" ", "").replace("-", "") if isinstance(v, str) else v for v in column
            ]
        out = []
        for value in column:
            if value is None or value is CLEAR:
                out.append("")
                continue
            text = value if isinstance(value, str) else value.number
            found = memo.get(text)
            if found is None:
                found = memo[text] = digest(text)
            out.append(found)
        digests[key] = out
    return digests


def _own_faults(plan: ResidentPlan) -> None:
    """Fill sex and birth date from the ID number; what the record itself makes impossible."""
    table = plan.table
    columns = table.columns
    sexes, births = columns["sex"], columns["birth_date"]
    for index, number in enumerate(columns["idno"]):
        if number is CLEAR:
            table.error(index, "idno", "required", "公民身份号码不能清空。请填写，或留空保留原值。")
            continue
        if number is None:
            _without_number(plan, index)
            continue
        if births[index] is None or sexes[index] is None or births[index] is CLEAR:
            births[index], sexes[index] = _fill(table, index, number)
        for finding in rules.id_number_findings(number, births[index], sexes[index]):
            table.error(index, finding.field, finding.code, finding.message)
        if plan.digests["idno"][index] in (
            plan.digests["spouse_idno"][index],
            plan.digests["father_idno"][index],
            plan.digests["mother_idno"][index],
        ):
            key = next(k for k in LINKS if plan.digests[k][index] == plan.digests["idno"][index])
            table.error(index, key, "own_number", "与本人的号码相同。请核对。")
    _check_dates(table, births)
    for index, (code, residence) in enumerate(
        zip(columns["hukou_region_code"], columns["residence"], strict=True)
    ):
        if code in (None, CLEAR):
            if residence == Residence.INFLOW and not _was_bad(table, index, "hukou_region_code"):
                table.error(
                    index, "hukou_region_code", "required", "居住状态为流入时必填，至少6位。"
                )
        elif not (code.isdigit() and code[:2] in PROVINCES and 6 <= len(code) <= 14):
            table.error(
                index, "hukou_region_code", "region_code",
                "应为6位以上数字，前两位是省级代码。请核对。",
            )  # fmt: skip
    ethnicities = columns["ethnicity"]
    for index, name in enumerate(ethnicities):
        if isinstance(name, str):
            short = name.removesuffix("族") or name
            ethnicities[index] = short
            if short not in ETHNIC_GROUP_SET:
                table.warn(
                    index, "ethnicity", "ethnicity_unknown", "不在民族名称表里，已照原样导入。"
                )


def _fill(table: Table, index: int, number) -> tuple[date, str]:
    """Birth date and sex of the record, taken from the number where their cells are blank."""
    birth, sex = table.columns["birth_date"][index], table.columns["sex"][index]
    keep_birth = birth not in (None, CLEAR) or _was_bad(table, index, "birth_date")
    keep_sex = sex not in (None, CLEAR) or _was_bad(table, index, "sex")
    return (
        birth if keep_birth and birth is not CLEAR else number.birth_date,
        sex if keep_sex and sex is not CLEAR else number.sex,
    )


def _without_number(plan: ResidentPlan, index: int) -> None:
    """Under sixteen one may be registered without a number; then birth date and sex are needed."""
    table = plan.table
    if _was_bad(table, index, "idno"):
        return
    birth = table.columns["birth_date"][index]
    if birth in (None, CLEAR):
        if not _was_bad(table, index, "birth_date"):
            table.error(index, "idno", "required", "没有号码时要填出生日期；满16岁必须填号码。")
    elif rules.id_number_missing(birth, plan.ground.today):
        table.error(index, "idno", "required", "满16岁必须填公民身份号码。请补填。")
    elif table.columns["sex"][index] in (None, CLEAR) and not _was_bad(table, index, "sex"):
        table.error(index, "sex", "required", "没有号码时要填性别。请补填。")


def _check_dates(table: Table, births: list) -> None:
    for index, died in enumerate(table.columns["death_date"]):
        if isinstance(died, date) and isinstance(births[index], date) and died < births[index]:
            table.error(
                index, "death_date", "death_before_birth",
                f"死亡日期早于出生日期{births[index]}。请核对。",
            )  # fmt: skip


def _was_bad(table: Table, index: int, key: str) -> bool:
    """Whether the cell itself was already refused: one fault makes one error."""
    return (index, key) in table.faults


def _good(table: Table) -> Iterator[int]:
    return (index for index in range(len(table)) if index not in table.bad)


def _duplicates(plan: ResidentPlan) -> None:
    """Both records of a duplicate are refused; a record with a fault of its own doesn't count."""
    table = plan.table
    by_number: dict[str, list[int]] = defaultdict(list)
    by_name: dict[tuple, list[int]] = defaultdict(list)
    for index in _good(table):
        number = plan.digests["idno"][index]
        if number:
            by_number[number].append(index)
        else:
            by_name[(*plan.household_key(index), *_name_and_birth(table, index))].append(index)
    for key, found in (("idno", by_number), ("name", by_name)):
        for indices in found.values():
            if len(indices) > 1:
                rows = "、".join(str(table.excel_rows[i]) for i in indices[:5])
                for index in indices:
                    table.error(
                        index, key, "duplicate_in_file",
                        f"第{rows}行是同一人。请只留一行。",
                    )  # fmt: skip


def _name_and_birth(table: Table, index: int) -> tuple[str, date]:
    return table.columns["name"][index], table.columns["birth_date"][index]


# Against the registry --------------------------------------------------------------------------


def _find_households(plan: ResidentPlan) -> None:
    wanted = {plan.villages[index].pk for index in _good(plan.table)}
    rows = Household.objects.filter(village__in=wanted).values_list(
        "village_id", "number", "pk", "group_id"
    )
    plan.households = {(village, number): (pk, group) for village, number, pk, group in rows}


def _find_people(plan: ResidentPlan) -> None:
    """Match records with registered people: by number, else by household, name and birth date."""
    table, digests = plan.table, plan.digests
    if not Resident.objects.exists():
        return
    everyone = {d for key in ("idno", *LINKS) for d in digests[key] if d}
    for number, pk in bulk.lookup(Resident, "id_number_digest", everyone, ["id"]):
        plan.people[number] = pk
    own = {d for d in digests["idno"] if d and d in plan.people}
    fields = ["id", "village_id", "household_id", "death_date"]
    found = {row[0]: row[1:] for row in bulk.lookup(Resident, "id_number_digest", own, fields)}
    by_name = _by_name(plan)
    inside = set(Region.objects.filter(below(plan.ground.office.path)).values_list("pk", flat=True))
    for index in list(_good(table)):
        row = found.get(digests["idno"][index])
        if row is None:
            household = plan.households.get(plan.household_key(index))
            row = household and by_name.get(
                (household[0], *_name_and_birth(table, index), bool(digests["idno"][index]))
            )
        if row is None:
            continue
        pk, village_id, household_id, death_date, *_ = row
        if village_id not in inside:
            table.error(
                index, "idno", "registered_elsewhere",
                "已在本系统其他单位登记，请联系镇办办理迁移。",
            )  # fmt: skip
            continue
        plan.known[index] = Person(pk, household_id, death_date)


def _by_name(plan: ResidentPlan) -> dict[tuple, tuple]:
    """Registered people by (household, name, birth date, whether the record has a number).

    A record with a number may mean somebody registered without one; a record without a number
    may mean anybody of the household.
    """
    table = plan.table
    households = {
        plan.households[plan.household_key(i)][0]
        for i in _good(table)
        if not plan.digests["idno"][i] and plan.household_key(i) in plan.households
    }
    villages = {v.pk for v in plan.villages if v}
    found: dict[tuple, tuple] = {}
    unnumbered = Resident.objects.filter(id_number_digest__isnull=True, village__in=villages)
    for row in unnumbered.values_list(*_EXISTING):
        found[(*_identity(row), True)] = found[(*_identity(row), False)] = row
    remaining = iter(households)
    while chunk := list(islice(remaining, 500)):
        for row in Resident.objects.filter(household__in=chunk).values_list(*_EXISTING):
            found[(*_identity(row), False)] = row
    return found


def _identity(row: tuple) -> tuple:
    """Household, name and birth date of a row of _EXISTING."""
    return row[_AT["household_id"]], row[_AT["name"]], row[_AT["birth_date"]]


def _refuse_doubled_people(plan: ResidentPlan) -> None:
    """Two records that turn out to be one registered person are both refused."""
    records: dict[int, list[int]] = defaultdict(list)
    for index, person in plan.known.items():
        records[person.pk].append(index)
    for indices in records.values():
        if len(indices) > 1:
            rows = "、".join(str(plan.table.excel_rows[i]) for i in indices)
            for index in indices:
                plan.table.error(
                    index, "name", "duplicate_in_file", f"第{rows}行是同一人。请只留一行。"
                )


def _second_heads(plan: ResidentPlan) -> None:
    """At most one living 户主: a second one is refused, at the later row."""
    table = plan.table
    relations = table.columns["relation"]
    heads: dict[tuple[int, str], int] = {}
    taken = _registered_heads(plan)
    for index in list(_good(table)):
        if relations[index] != Relation.HEAD or plan.value(index, "death_date") is not None:
            continue
        key = plan.household_key(index)
        if key in heads:
            first = table.excel_rows[heads[key]]
            message = f"本户第{first}行已有户主，每户只能有一位。"
        elif plan.households.get(key, (None,))[0] in taken:
            message = "本户已登记有户主，每户只能有一位。请改选与户主关系。"
        else:
            heads[key] = index
            continue
        table.error(index, "relation", "two_heads", message)
    _headless(plan, heads)


def _registered_heads(plan: ResidentPlan) -> set[int]:
    """Households whose registered living head is not in the file (or stands in a refused row)."""
    if not plan.households:
        return set()
    in_file = {plan.known[i].pk for i in _good(plan.table) if i in plan.known}
    villages = {village for village, _ in plan.households}
    rows = Resident.objects.filter(
        relation=Relation.HEAD, death_date__isnull=True, village__in=villages
    ).values_list("pk", "household_id")
    return {household for pk, household in rows if pk not in in_file}


def _headless(plan: ResidentPlan, heads: dict) -> None:
    table = plan.table
    refused = {
        (plan.villages[i].pk, table.columns["household_no"][i])
        for i in table.bad
        if plan.villages[i]
    }
    seen = set(heads) | refused | set(plan.households)
    for index in _good(table):
        key = plan.household_key(index)
        if key not in seen:
            seen.add(key)
            table.warn(index, "relation", "no_head", "本户没有在世的户主。请核对与户主关系。")


def _classify(plan: ResidentPlan) -> None:
    table = plan.table
    for index in _good(table):
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
        for _, *row in bulk.lookup(Resident, "id", people, _EXISTING):
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
    key = plan.household_key(index)
    household = plan.households.get(key)
    if household is None or household[0] != person.household_id:
        keys.append("household_no")
    if household and household[0] in plan.regrouped and plan.groups[index]:
        keys.append("group")
    if key in plan.low_income and columns["dibao"][index] == plan.low_income[key]:
        keys.append("dibao")
    return keys


def _opens_spell(person: Person, keys: list[str]) -> bool:
    """A changed household, residence or hukou; a hukou code filled in for the first time corrects."""
    if "hukou_region_code" in keys and person.value("hukou_region_code"):
        return True
    return any(key in keys for key in ("household_no", "residence", "hukou"))


def _refuse_early_changes(plan: ResidentPlan, suspects: dict[int, list[str]]) -> None:
    """A change may not begin before the spell it ends."""
    touching = {"household_no", "residence", "hukou", "hukou_region_code", "relation"}
    people = {plan.known[i].pk: i for i, keys in suspects.items() if touching & set(keys)}
    remaining = iter(people)
    while chunk := list(islice(remaining, 500)):
        for spell in Residency.objects.filter(resident__in=chunk, ended_on__isnull=True):
            plan.spells[spell.resident_id] = spell
    for pk, index in people.items():
        spell = plan.spells.get(pk)
        if (
            spell
            and spell.started_on
            and spell.started_on > plan.ground.on
            and _opens_spell(plan.known[index], suspects[index])
        ):
            plan.table.error(
                index, "household_no", "before_current_spell",
                f"现有登记从{spell.started_on}起，变动日期{plan.ground.on}更早。请改变动日期后再导入。",
            )  # fmt: skip


def _plan_low_income(plan: ResidentPlan) -> None:
    """A household is on 低保 when any of its members' cells says so; blank cells keep what is."""
    wanted: dict[tuple[int, str], bool] = {}
    for index in _good(plan.table):
        cell = plan.table.columns["dibao"][index]
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


def _oddities(plan: ResidentPlan) -> None:
    """Warnings: odd, but it comes in."""
    table, columns = plan.table, plan.table.columns
    in_file = {plan.digests["idno"][i]: i for i in _good(table) if plan.digests["idno"][i]}
    dead = _dead_spouses(plan, in_file)
    labels = {"spouse_idno": "配偶", "father_idno": "父亲", "mother_idno": "母亲"}
    for index in _good(table):
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
            if key in SECRET:
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
                    labels.get(person.household_id, ""),
                    person.pk,
                    table.kind.column(key).heading,
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


# Writing ---------------------------------------------------------------------------------------


def _write(plan: ResidentPlan) -> list[log.Entry]:
    waiting = bool(plan.people) or Resident.objects.exists() or ChildRecord.objects.exists()
    _write_households(plan)
    _write_new_people(plan)
    entries = _write_changed_people(plan)
    _write_low_income(plan)
    if waiting and (plan.new or plan.changed):
        services.link_waiting(None)
    bulk.analyze(Resident, Residency, Household, rows=len(plan.new))
    return entries


def _write_households(plan: ResidentPlan) -> None:
    ids = bulk.reserve_ids(Household, len(plan.new_households))
    now = timezone.now()
    rows = []
    for pk, ((village_id, number), index) in zip(ids, plan.new_households.items(), strict=True):
        group = plan.groups[index]
        plan.households[(village_id, number)] = (pk, group.pk if group else None)
        rows.append((pk, village_id, group.pk if group else None, number, "", 0, now))
    columns = ["id", "village_id", "group_id", "number", "address", "row_version", "created_at"]
    bulk.insert(Household, columns, rows)
    if plan.regrouped:
        bulk.update(Household, ["group_id"], plan.regrouped.items())


def _write_new_people(plan: ResidentPlan) -> None:
    ids = bulk.reserve_ids(Resident, len(plan.new))
    for pk, index in zip(ids, plan.new, strict=True):
        number = plan.digests["idno"][index]
        if number:
            plan.people[number] = pk
    bulk.insert(Resident, _PERSON_COLUMNS, _person_rows(plan, ids))
    bulk.insert(Residency, _SPELL_COLUMNS, _spell_rows(plan, ids))


_PERSON_COLUMNS = [
    "id", "household_id", "village_id", *PLAIN, "name_initials",
    *SECRET.values(), *(f"{column}_digest" for column in SECRET.values()),
    *(f"{link}_id" for link in LINKS.values()), "row_version", "created_at", "updated_at",
]  # fmt: skip
_SPELL_COLUMNS = [
    "resident_id", "household_id", "village_id", "relation", "residence", "hukou",
    "hukou_region_code", "started_on", "ended_on", "reason",
]  # fmt: skip


def _person_rows(plan: ResidentPlan, ids: list[int]) -> Iterator[tuple]:
    now = timezone.now()
    columns = plan.table.columns
    plain = [(columns[key], blank) for key, blank in PLAIN.items()]
    seals = [
        (columns[key], encryptor(f"households_resident.{column}")) for key, column in SECRET.items()
    ]
    digests = [plan.digests[key] for key in SECRET]
    links = [plan.digests[key] for key in LINKS]
    names = columns["name"]
    for pk, i in zip(ids, plan.new, strict=True):
        yield (
            pk,
            plan.households[plan.household_key(i)][0],
            plan.villages[i].pk,
            *[blank if (v := c[i]) is None or v is CLEAR else v for c, blank in plain],
            rules.name_initials(names[i]),
            *[seal(_text(c[i])) for c, seal in seals],
            digests[0][i] or None,
            *[d[i] for d in digests[1:]],
            *[plan.people.get(d[i]) if d[i] else None for d in links],
            0,
            now,
            now,
        )


def _text(value) -> str:
    if value is None or value is CLEAR:
        return ""
    return value if isinstance(value, str) else value.number


def _spell_rows(plan: ResidentPlan, ids: list[int]) -> Iterator[tuple]:
    """One open spell each, its start unknown: it counts as always."""
    columns = plan.table.columns
    for pk, i in zip(ids, plan.new, strict=True):
        code = columns["hukou_region_code"][i]
        yield (
            pk,
            plan.households[plan.household_key(i)][0],
            plan.villages[i].pk,
            columns["relation"][i],
            columns["residence"][i],
            columns["hukou"][i],
            code if isinstance(code, str) else "",
            None,
            None,
            "导入",
        )


def _write_changed_people(plan: ResidentPlan) -> list[log.Entry]:
    if not plan.changed:
        return []
    now = timezone.now()
    columns = ["household_id", "village_id", *PLAIN, "name_initials", "updated_at"]
    rows = []
    for index in plan.changed:
        values = [plan.value(index, key) for key in PLAIN]
        household = plan.households[plan.household_key(index)][0]
        initials = rules.name_initials(plan.value(index, "name"))
        village = plan.villages[index].pk
        rows.append((plan.known[index].pk, household, village, *values, initials, now))
    # Whoever stops being head goes first: at no time may a household have two.
    relation = columns.index("relation") + 1
    bulk.update(Resident, columns, [r for r in rows if r[relation] != Relation.HEAD])
    bulk.update(Resident, columns, [r for r in rows if r[relation] == Relation.HEAD])
    Resident.objects.bump_versions([r[0] for r in rows])
    _write_changed_numbers(plan)
    _write_changed_spells(plan)
    return [_entry(plan, index, keys) for index, keys in plan.changed.items()]


def _write_changed_numbers(plan: ResidentPlan) -> None:
    for key, column in SECRET.items():
        touched = [i for i, keys in plan.changed.items() if key in keys]
        if not touched:
            continue
        seal, link = encryptor(f"households_resident.{column}"), LINKS.get(key)
        rows = []
        for i in touched:
            number = plan.digests[key][i]
            row = [plan.known[i].pk, seal(_text(plan.table.columns[key][i])), number]
            rows.append(row + [plan.people.get(number)] if link else row)
        names = [column, f"{column}_digest"] + ([f"{link}_id"] if link else [])
        bulk.update(Resident, names, rows)


def _write_changed_spells(plan: ResidentPlan) -> None:
    """Close the open spell and open the next on the day asked; correct it in place otherwise."""
    corrected, closed, opened = [], [], []
    day = plan.ground.on
    for index, keys in plan.changed.items():
        person = plan.known[index]
        spell = plan.spells.get(person.pk)
        if spell is None:
            continue
        state = (
            plan.households[plan.household_key(index)][0],
            plan.villages[index].pk,
            plan.value(index, "relation"),
            plan.value(index, "residence"),
            plan.value(index, "hukou"),
            plan.value(index, "hukou_region_code"),
        )
        if _opens_spell(person, keys) and spell.started_on != day:
            closed.append((spell.pk, day))
            opened.append((person.pk, *state, day, None, "导入变更"))
        else:
            corrected.append((spell.pk, *state))
    bulk.update(Residency, ["ended_on"], closed)
    bulk.update(Residency, _SPELL_COLUMNS[1:7], corrected)
    bulk.insert(Residency, _SPELL_COLUMNS, opened)


def _write_low_income(plan: ResidentPlan) -> None:
    new, ending = [], []
    for key, state in plan.low_income.items():
        household = plan.households[key][0]
        if state:
            known = key not in plan.new_households
            new.append((household, plan.ground.on if known else None, None))
        else:
            ending.append(household)
    bulk.insert(LowIncomeSpell, ["household_id", "started_on", "ended_on"], new)
    remaining = iter(ending)
    while chunk := list(islice(remaining, 500)):
        spells = LowIncomeSpell.objects.filter(household__in=chunk, ended_on__isnull=True)
        spells.filter(started_on=plan.ground.on).delete()
        spells.update(ended_on=plan.ground.on)


def _entry(plan: ResidentPlan, index: int, keys: list[str]) -> log.Entry:
    """The audit entry of one changed person: which fields, and the state itself where it may be said."""
    open_fields = {"relation", "hukou", "residence"}
    person = plan.known[index]
    changes = {
        key: [person.value(key), plan.value(index, key)] if key in open_fields else ["已变更"]
        for key in keys
    }
    return log.Entry(
        "resident.imported", "households.resident", str(person.pk),
        plan.villages[index].path, changes,
    )  # fmt: skip
