"""One function per kind of event: from what the clerk filled in to a Plan, or a refusal in words.

Every planner gets the day, today and `values`, whose keys its docstring names; people and households
in `values` are records of the clerk's own region. `relations` is {resident pk: relation}.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from fpadmin.dates import age_on
from fpadmin.errors import RuleViolation
from households import rules
from households.life_events.plan import (
    Newcomer,
    PersonChange,
    Plan,
    check_heads,
    living_members,
    relations_of,
    require_after_spell,
    require_day,
    require_on_books,
    same_child,
    warn_of_young_heads,
)
from households.models import (
    EventKind,
    Household,
    Marital,
    Relation,
    Residence,
    Resident,
    Sex,
)

MARRIED = (Marital.FIRST, Marital.REMARRIED, Marital.RESUMED)
SAME_HOUSEHOLD = "就在这一户，不用变动。"
SAME_NEWBORN = (
    "本户已登记了同名、同日出生的人。是同一人的不要再登记出生，请登记生育史；不是的请核对姓名。"
)


def plan_birth(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`parent`, `household`, `child` (a resident's values), `birth` (a birth history line's values)."""
    parent, child = values["parent"], values["child"]
    if values["birth"]["birth_date"] != day:
        raise RuleViolation("出生的发生日期就是孩子的出生日期。", field="happened_on")
    require_on_books(parent, day)
    _refuse(rules.date_findings(child, today))
    _refuse(_parents_at(values))
    plan = Plan(EventKind.BIRTH, day, None, values["household"])  # it is about the child
    plan.newcomer = Newcomer(values["household"], child, parent, values["birth"])
    plan.warnings = [
        f.message
        for f in rules.birth_warnings(day, parent.marital, parent.first_marriage_date)
        if parent.sex == Sex.FEMALE
    ]
    _look_for_the_child(plan, values)
    return plan


def plan_death(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`resident`, `relations` of the others where the head has died."""
    resident = values["resident"]
    if resident.death_date:
        raise RuleViolation(f"{resident.name}已登记于{resident.death_date}去世，不用再登记。")
    require_on_books(resident, day)
    require_after_spell(resident, day)
    plan = Plan(EventKind.DEATH, day, resident, resident.household)
    plan.changes = [PersonChange(resident, fields={"death_date": day})]
    spouse = _living_spouse(resident)
    if spouse:
        plan.changes.append(PersonChange(spouse, fields={"marital": Marital.WIDOWED}))
    others = [m for m in living_members(resident.household, today) if m.pk != resident.pk]
    _join(plan, relations_of(others, values.get("relations", {})))
    return plan


def plan_marriage(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`resident`; `spouse` or `spouse_id_number`; `mover` ("", "resident" or "spouse") with `relation`."""
    resident, spouse = values["resident"], values.get("spouse")
    number = spouse.id_number if spouse else values.get("spouse_id_number", "")
    if spouse and spouse.pk == resident.pk:
        raise RuleViolation("配偶不能是本人。", field="spouse")
    couple = [resident, spouse] if spouse else [resident]
    plan = Plan(EventKind.MARRIAGE, day, resident, resident.household)
    for person, other, other_number in (
        (resident, spouse, number),
        (spouse, resident, resident.id_number),
    ):
        if person is None:
            continue
        require_on_books(person, day)
        if person.marital in MARRIED:
            raise RuleViolation(
                f"{person.name}的婚姻状况是{person.marital}，请先登记离婚或丧偶。", field="resident"
            )
        age = age_on(person.birth_date, day)
        if age < rules.MARRIAGE_AGES[person.sex]:
            plan.warnings.append(
                f"{person.name}结婚时{age}岁，不到法定婚龄{rules.MARRIAGE_AGES[person.sex]}岁。"
            )
        fields: dict[str, Any] = {"marital": _marital_after(person, other, other_number)}
        if fields["marital"] == Marital.FIRST:
            fields["first_marriage_date"] = day
        if other and not other_number:
            fields["spouse"] = other  # no number will ever lead to this person
        plan.changes.append(
            PersonChange(person, fields=fields, numbers={"spouse_id_number": other_number})
        )
    if spouse and resident.sex == spouse.sex:
        raise RuleViolation("结婚双方应为一男一女，请核对性别。", field="spouse")
    if values.get("mover") and spouse:
        mover = resident if values["mover"] == "resident" else spouse
        stayer = couple[1 - couple.index(mover)]
        if mover.household_id == stayer.household_id:
            raise RuleViolation(f"{mover.name}{SAME_HOUSEHOLD}", field="mover")
        state = {"household": stayer.household, "relation": values["relation"]}
        _join(plan, [PersonChange(mover, state)])
        left = [m for m in living_members(mover.household, today) if m.pk != mover.pk]
        _join(plan, relations_of(left, values.get("relations", {})))
    return plan


def plan_divorce(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`resident`."""
    resident = values["resident"]
    require_on_books(resident, day)
    if resident.marital not in MARRIED:
        raise RuleViolation(f"{resident.name}的婚姻状况是{resident.marital}，没有可登记的离婚。")
    if resident.first_marriage_date and day < resident.first_marriage_date:
        raise RuleViolation(
            f"离婚日期不能早于初婚日期{resident.first_marriage_date}。", field="happened_on"
        )
    plan = Plan(EventKind.DIVORCE, day, resident, resident.household)
    plan.changes = [PersonChange(resident, fields={"marital": Marital.DIVORCED})]
    spouse = _living_spouse(resident)
    if spouse:
        plan.changes.append(PersonChange(spouse, fields={"marital": Marital.DIVORCED}))
    return plan


def plan_move_in(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`household`; `person` (a resident's values, the spell's too); `existing`, who had departed."""
    return _arrival(EventKind.MOVE_IN, day, values)


def plan_inflow(day: date, today: date, values: dict[str, Any]) -> Plan:
    """As plan_move_in; the person is registered as 流入."""
    values = values | {"person": values["person"] | {"residence": Residence.INFLOW}}
    return _arrival(EventKind.INFLOW, day, values)


def plan_move_out(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`members`, `relations` of those who stay where the head leaves."""
    return _members(EventKind.MOVE_OUT, day, today, values, lambda m: PersonChange(m, leaves=True))


def plan_outflow(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`members`: they live elsewhere for a time and stay on the books as 流出."""
    return _members(
        EventKind.OUTFLOW, day, today, values, _residence(Residence.OUTFLOW, Residence.PERMANENT)
    )


def plan_return(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`members`: those who had flowed out live here again."""
    return _members(
        EventKind.RETURN, day, today, values, _residence(Residence.PERMANENT, Residence.OUTFLOW)
    )


def plan_split(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`household`, `members` who leave it, `target` (a NewHousehold or an empty one), `relations`."""
    if len(values["members"]) >= len(living_members(values["household"], today)):
        raise RuleViolation("全家都分出去就不是分户，请用户间变动。", field="members")
    return _to_household(EventKind.SPLIT, day, today, values)


def plan_merge(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`household` whose members all go to `target`, `relations` there."""
    members = living_members(values["household"], today)
    if not members:
        raise RuleViolation("这一户没有在册的成员，不用并户。", field="household")
    return _to_household(EventKind.MERGE, day, today, values | {"members": members})


def plan_head_change(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`household`, `relations` of all members, exactly one of them the head."""
    household = values["household"]
    members = living_members(household, today)
    changes = relations_of(members, values["relations"])
    if not changes:
        raise RuleViolation("没有改变任何人与户主的关系。", field="relations")
    for change in changes:
        require_after_spell(change.resident, day)
    head = next((c.resident for c in changes if c.relation() == Relation.HEAD), members[0])
    return Plan(EventKind.HEAD_CHANGE, day, head, household, changes)


def plan_household_move(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`members` of one household, `target`, `relations` there and of those who stay."""
    return _to_household(EventKind.HOUSEHOLD_MOVE, day, today, values)


def plan_hukou_change(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`members`, `hukou`, `hukou_region_code`."""
    state = {k: values[k] for k in ("hukou", "hukou_region_code") if values.get(k)}

    def changed(member: Resident) -> PersonChange:
        if all(getattr(member, k) == v for k, v in state.items()):
            raise RuleViolation(f"{member.name}的户口本来就是这样，没有变更。", field="members")
        return PersonChange(member, dict(state))

    return _members(EventKind.HUKOU_CHANGE, day, today, values, changed)


def plan_correction(day: date, today: date, values: dict[str, Any]) -> Plan:
    """`resident`, `person`: name, sex, birth_date, id_number as they should have been all along."""
    resident, person = values["resident"], dict(values["person"])
    if resident.merged_into_id:
        raise RuleViolation("这份记录已经并入另一份，请在并入的记录上更正。")
    number = person.pop("id_number", resident.id_number)
    _refuse(rules.date_findings(person | {"death_date": resident.death_date}, today))
    change = PersonChange(resident)
    change.fields = {k: v for k, v in person.items() if getattr(resident, k) != v}
    if number != resident.id_number:
        if number and Resident.objects.with_id_number(number).exclude(pk=resident.pk).exists():
            raise RuleViolation("这个号码已在本系统登记，请联系镇办。", field="id_number")
        change.numbers = {"id_number": number}
    if not change.fields and not change.numbers:
        raise RuleViolation("没有改变任何内容。")
    return Plan(EventKind.CORRECTION, day, resident, resident.household, [change])


PLANNERS: dict[str, Callable[[date, date, dict[str, Any]], Plan]] = {
    EventKind.BIRTH: plan_birth,
    EventKind.DEATH: plan_death,
    EventKind.MARRIAGE: plan_marriage,
    EventKind.DIVORCE: plan_divorce,
    EventKind.MOVE_IN: plan_move_in,
    EventKind.MOVE_OUT: plan_move_out,
    EventKind.INFLOW: plan_inflow,
    EventKind.OUTFLOW: plan_outflow,
    EventKind.RETURN: plan_return,
    EventKind.SPLIT: plan_split,
    EventKind.MERGE: plan_merge,
    EventKind.HEAD_CHANGE: plan_head_change,
    EventKind.HOUSEHOLD_MOVE: plan_household_move,
    EventKind.HUKOU_CHANGE: plan_hukou_change,
    EventKind.CORRECTION: plan_correction,
}


def plan_event(kind: str, day: date, today: date, values: dict[str, Any]) -> Plan:
    """What the event would do. Raises RuleViolation in the clerk's words; writes nothing."""
    require_day(day, today)
    plan = PLANNERS[kind](day, today, values)
    check_heads(plan, today)
    warn_of_young_heads(plan, today)
    return plan


def _arrival(kind: str, day: date, values: dict[str, Any]) -> Plan:
    household, person, existing = values["household"], values["person"], values.get("existing")
    if existing is None:
        if day < person["birth_date"]:
            raise RuleViolation("发生日期不能早于出生日期。", field="happened_on")
        plan = Plan(kind, day, None, household)
        plan.newcomer = Newcomer(household, person)
        return plan
    if existing.merged_into_id or existing.death_date:
        raise RuleViolation(f"{existing.name}的记录已并入别处或已登记去世，请核对身份。")
    if existing.departed_on is None:
        raise RuleViolation(
            f"{existing.name}还在册（{existing.village.name}{existing.household.number}户），"
            "换户请用户间变动。",
            field="existing",
        )
    if day < existing.departed_on:
        raise RuleViolation(
            f"{existing.name}在{existing.departed_on}才离册，迁入不能早于这一天。",
            field="happened_on",
        )
    state = {k: person[k] for k in ("relation", "residence", "hukou", "hukou_region_code")}
    change = PersonChange(existing, {"household": household, **state}, returns=True)
    return Plan(kind, day, existing, household, [change])


def _members(
    kind: str,
    day: date,
    today: date,
    values: dict[str, Any],
    change_of: Callable[[Resident], PersonChange],
) -> Plan:
    members = values["members"]
    if not members:
        raise RuleViolation("请至少选一个人。", field="members")
    for member in members:
        require_on_books(member, day)
        require_after_spell(member, day)
    plan = Plan(kind, day, members[0], members[0].household, [change_of(m) for m in members])
    picked = {m.pk for m in members}
    staying = [m for m in living_members(plan.household, today) if m.pk not in picked]
    _join(plan, relations_of(staying, values.get("relations", {})))
    return plan


def _to_household(kind: str, day: date, today: date, values: dict[str, Any]) -> Plan:
    target, relations = values["target"], values["relations"]

    def moved(member: Resident) -> PersonChange:
        if isinstance(target, Household) and member.household_id == target.pk:
            raise RuleViolation(f"{member.name}{SAME_HOUSEHOLD}", field="target")
        relation = relations.get(member.pk, member.relation)
        return PersonChange(member, {"household": target, "relation": relation})

    plan = _members(kind, day, today, values, moved)
    _join(plan, relations_of(living_members(target, today), relations))
    return plan


def _residence(new: str, old: str) -> Callable[[Resident], PersonChange]:
    def changed(member: Resident) -> PersonChange:
        if member.residence != old:
            raise RuleViolation(
                f"{member.name}的居住状态是{member.residence}，只有{old}的人可以登记。",
                field="members",
            )
        return PersonChange(member, {"residence": new})

    return changed


def _join(plan: Plan, more: list[PersonChange]) -> None:
    """Add changes, one per person."""
    known = {c.resident.pk: c for c in plan.changes}
    for change in more:
        if change.state:
            require_after_spell(change.resident, plan.day)
        if change.resident.pk in known:
            known[change.resident.pk].state |= change.state
        else:
            plan.changes.append(change)


def _living_spouse(resident: Resident) -> Resident | None:
    """The spouse of a standing marriage, alive and on the books of the same township.

    What another office keeps is that office's to change.
    """
    spouse = resident.spouse
    if resident.marital not in MARRIED or spouse is None or spouse.marital not in MARRIED:
        return None
    if spouse.village.parent_id != resident.village.parent_id:
        return None
    mutual = spouse.spouse_id == resident.pk
    return spouse if mutual and not spouse.death_date and not spouse.departed_on else None


def _marital_after(person: Resident, other: Resident | None, other_number: str) -> str:
    if person.marital == Marital.SINGLE:
        return Marital.FIRST
    same = (other and person.spouse_id == other.pk) or (
        other_number and person.spouse_id_number == other_number
    )
    return Marital.RESUMED if same and person.marital == Marital.DIVORCED else Marital.REMARRIED


def _parents_at(values: dict[str, Any]) -> list[rules.Finding]:
    parent = values["parent"]
    born = {f"{'mother' if parent.sex == Sex.FEMALE else 'father'}_birth_date": parent.birth_date}
    return rules.parent_findings(values["birth"]["birth_date"], adopted=False, **born)


def _look_for_the_child(plan: Plan, values: dict[str, Any]) -> None:
    """Somebody of that name and day is there already: likely the same child.

    Without a number, in one household, nothing could tell the two apart: register_resident()
    refuses it. What another office keeps stays out of it.
    """
    child, home = values["child"], values["household"]
    here = values["parent"].village.parent_id
    same = same_child(values["parent"], home, child["name"], plan.day)
    for other in same.filter(village__parent=here).select_related("household"):
        if not child.get("id_number") and other.household_id == home.pk:
            raise RuleViolation(SAME_NEWBORN, field="name")
        whose = "本户" if other.household_id == home.pk else f"{values['parent'].name}名下"
        plan.warnings.append(
            f"{whose}已有{other.name}，{other.birth_date}出生，是否同一人？"
            "是同一人的不要再登记出生，请登记生育史。"
        )


def _refuse(findings: list[rules.Finding]) -> None:
    for finding in findings:
        if finding.error:
            raise RuleViolation(finding.message, field=finding.field)
