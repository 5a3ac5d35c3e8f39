"""Finds the registered households and people that the records mean."""

from collections import defaultdict
from itertools import islice

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.scoping import below
from households.models import (
    Household,
    Relation,
    Residence,
    Resident,
)
from households.resident_import.cells import name_and_birth
from households.resident_import.plan import (
    AT,
    KEPT,
    LINKS,
    STORED,
    Person,
    ResidentPlan,
)


def find_households(plan: ResidentPlan) -> None:
    """The registered households of the villages in the file."""
    wanted = {plan.villages[index].pk for index in plan.table.good()}
    rows = Household.objects.filter(village__in=wanted).values_list(
        "village_id", "number", "pk", "group_id"
    )
    plan.households = {(village, number): (pk, group) for village, number, pk, group in rows}


def find_people(plan: ResidentPlan) -> None:
    """Match records with registered people: by number, else by household, name and birth date."""
    table, digests = plan.table, plan.digests
    if not Resident.objects.exists():
        return
    everyone = {d for key in ("idno", *LINKS) for d in digests[key] if d}
    for number, pk in bulk.lookup(Resident, "id_number_digest", everyone, ["id"]):
        plan.people[number] = pk
    own = {d for d in digests["idno"] if d and d in plan.people}
    fields = ["id", "village_id", "household_id", *KEPT]
    found = {row[0]: row[1:] for row in bulk.lookup(Resident, "id_number_digest", own, fields)}
    by_name = _by_name(plan)
    inside = set(Region.objects.filter(below(plan.ground.office.path)).values_list("pk", flat=True))
    for index in table.good():
        row = found.get(digests["idno"][index])
        if row is None:
            household = plan.households.get(plan.household_key(index))
            row = household and by_name.get(
                (household[0], *name_and_birth(table, index), bool(digests["idno"][index]))
            )
        if row is None:
            continue
        pk, village_id, household_id, *kept = row[: 3 + len(KEPT)]
        departed_on = kept[KEPT.index("departed_on")]
        if village_id not in inside and departed_on is None:
            table.error(
                index, "idno", "registered_elsewhere",
                "已在本系统其他单位登记，请联系镇办办理迁移。",
            )  # fmt: skip
            continue
        elsewhere = village_id not in inside
        plan.known[index] = Person(pk, household_id, *kept, elsewhere=elsewhere)
        if plan.stays_away(index):
            for key in ("relation", "residence", "hukou", "hukou_region_code"):
                table.columns[key][index] = None  # they say where the last spell was


def _by_name(plan: ResidentPlan) -> dict[tuple, tuple]:
    """Registered people by (household, name, birth date, whether the record has a number).

    A record with a number may mean somebody registered without one; a record without a number
    may mean anybody of the household.
    """
    table = plan.table
    households = {
        plan.households[plan.household_key(i)][0]
        for i in table.good()
        if not plan.digests["idno"][i] and plan.household_key(i) in plan.households
    }
    villages = {v.pk for v in plan.villages if v}
    found: dict[tuple, tuple] = {}
    people = Resident.objects.filter(merged_into__isnull=True)
    unnumbered = people.filter(id_number_digest__isnull=True, village__in=villages)
    for row in unnumbered.values_list(*STORED):
        found[(*_identity(row), True)] = found[(*_identity(row), False)] = row
    remaining = iter(households)
    while chunk := list(islice(remaining, 500)):
        for row in people.filter(household__in=chunk).values_list(*STORED):
            found[(*_identity(row), False)] = row
    return found


def _identity(row: tuple) -> tuple:
    """Household, name and birth date of a row of STORED."""
    return row[AT["household_id"]], row[AT["name"]], row[AT["birth_date"]]


def refuse_missing_hukou_codes(plan: ResidentPlan) -> None:
    """Somebody 流入 needs the code of the place of hukou, in the file or as it was registered."""
    table = plan.table
    for index in table.good():
        inflow = table.columns["residence"][index] == Residence.INFLOW
        if inflow and not plan.value(index, "hukou_region_code"):
            table.error(index, "hukou_region_code", "required", "居住状态为流入时必填，至少6位。")


def refuse_doubled_people(plan: ResidentPlan) -> None:
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


def refuse_second_heads(plan: ResidentPlan) -> None:
    """At most one living 户主: a second one is refused, at the later row."""
    table = plan.table
    relations = table.columns["relation"]
    heads: dict[tuple[int, str], int] = {}
    taken = _registered_heads(plan)
    for index in table.good():
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
    in_file = {plan.known[i].pk for i in plan.table.good() if i in plan.known}
    villages = {village for village, _ in plan.households}
    rows = Resident.objects.filter(
        relation=Relation.HEAD,
        death_date__isnull=True,
        departed_on__isnull=True,
        village__in=villages,
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
    for index in table.good():
        key = plan.household_key(index)
        if key not in seen:
            seen.add(key)
            table.warn(index, "relation", "no_head", "本户没有在世的户主。请核对与户主关系。")
