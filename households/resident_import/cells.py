"""Checks of the residents' workbook that need no registry of people: places, dates, numbers, duplicates."""

from collections import defaultdict
from datetime import date

from fpadmin.identity import ETHNIC_GROUP_SET, PROVINCES
from fpadmin.imports.kinds import Ground
from fpadmin.imports.reader import Table
from fpadmin.imports.widgets import CLEAR
from households import places, rules
from households.resident_import.plan import (
    LINKS,
    ResidentPlan,
)


def places_of(table: Table, ground: Ground):
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


def strip_numbers(table: Table) -> None:
    """Phones and accounts without spaces and dashes, as the services keep them."""
    for key in ("phone", "bank_account"):
        table.columns[key] = [
            v.replace(" ", "").replace("-", "") if isinstance(v, str) else v
            for v in table.columns[key]
        ]


def refuse_own_faults(plan: ResidentPlan) -> None:
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
    for index, code in enumerate(columns["hukou_region_code"]):
        if code in (None, CLEAR):
            continue
        if not (code.isdigit() and code[:2] in PROVINCES and 6 <= len(code) <= 14):
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
    elif rules.id_number_missing(birth, _last_day(plan, index)):
        table.error(index, "idno", "required", "满16岁必须填公民身份号码。请补填。")
    elif table.columns["sex"][index] in (None, CLEAR) and not _was_bad(table, index, "sex"):
        table.error(index, "sex", "required", "没有号码时要填性别。请补填。")


def _last_day(plan: ResidentPlan, index: int) -> date:
    """The day on which the age counts: of a dead child, the day of death."""
    died = plan.table.columns["death_date"][index]
    return min(died, plan.ground.today) if isinstance(died, date) else plan.ground.today


def _check_dates(table: Table, births: list) -> None:
    for index, died in enumerate(table.columns["death_date"]):
        if isinstance(died, date) and isinstance(births[index], date):
            early = rules.death_finding(births[index], died)
            if early:
                table.error(index, early.field, early.code, early.message)


def _was_bad(table: Table, index: int, key: str) -> bool:
    """Whether the cell itself was already refused: one fault makes one error."""
    return (index, key) in table.faults


def refuse_duplicates(plan: ResidentPlan) -> None:
    """Both records of a duplicate are refused; a record with a fault of its own doesn't count."""
    table = plan.table
    by_number: dict[str, list[int]] = defaultdict(list)
    by_name: dict[tuple, list[int]] = defaultdict(list)
    for index in table.good():
        number = plan.digests["idno"][index]
        if number:
            by_number[number].append(index)
        else:
            by_name[(*plan.household_key(index), *name_and_birth(table, index))].append(index)
    for key, found in (("idno", by_number), ("name", by_name)):
        for indices in found.values():
            if len(indices) > 1:
                rows = "、".join(str(table.excel_rows[i]) for i in indices[:5])
                for index in indices:
                    table.error(
                        index, key, "duplicate_in_file",
                        f"第{rows}行是同一人。请只留一行。",
                    )  # fmt: skip


def name_and_birth(table: Table, index: int) -> tuple[str, date]:
    """By what somebody without a number is known within a household."""
    return table.columns["name"][index], table.columns["birth_date"][index]
