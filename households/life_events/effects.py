"""What an event changes, person by person, in words: planned, recorded, or about to be restored."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fpadmin.crypto import digest
from fpadmin.identity import mask_id_number
from households.life_events.plan import PersonChange, Plan
from households.models import EventKind, Household, LifeEvent, Relation, Resident
from households.spells import NewHousehold

NOTHING = "—"
ELSEWHERE = "辖区外的人"
ON_BOOKS, OFF_BOOKS = "在册", "离册"
_LABELS = {
    "departed_on": "是否在册", "death_date": "死亡日期", "household": "家庭", "relation": "与户主关系",
    "residence": "居住状态", "hukou": "户口性质", "hukou_region_code": "户籍地代码",
    "marital": "婚姻状况", "first_marriage_date": "初婚日期", "spouse_id_number": "配偶公民身份号码",
    "name": "姓名", "sex": "性别", "birth_date": "出生日期", "id_number": "公民身份号码",
}  # fmt: skip
_OF_NEWCOMER = (
    "sex", "birth_date", "id_number", "household", "relation", "residence", "hukou",
    "hukou_region_code", "marital", "mother_id_number", "father_id_number",
)  # fmt: skip
_PARENTS = {"mother_id_number": "母亲公民身份号码", "father_id_number": "父亲公民身份号码"}


@dataclass(frozen=True)
class Line:
    """One fact before and after."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class PersonEffect:
    """One person's part. `resident` is None while the person isn't registered yet."""

    name: str
    lines: list[Line]
    resident: Resident | None = None
    is_new: bool = False
    note: str = ""
    url: str = ""


@dataclass(frozen=True)
class HeadChange:
    """A household whose head becomes another one."""

    household: str
    before: str
    after: str


@dataclass(frozen=True)
class Effects:
    """All that an event changes."""

    people: list[PersonEffect]
    heads: list[HeadChange]
    founded: str = ""

    def seal(self, warnings: Iterable[str] = ()) -> str:
        """A keyed digest of what was shown: what is then done must still be the same."""
        return digest(json.dumps([repr(self), *warnings]))


def of_plan(plan: Plan, may_see=lambda resident: True) -> Effects:
    """What the plan would change.

    Of somebody whom `may_see` denies only that there is one is said; of somebody who comes from
    there, and whose name and number were typed, the past is left out.
    """
    people, stands = [], []
    for change in plan.changes:
        before, after = _before_and_after(change, plan.day)
        hidden = not may_see(change.resident)
        if hidden and not change.returns:
            people.append(PersonEffect(ELSEWHERE, [], note="婚姻状况等随之变动"))
            continue
        lines = [
            Line(
                _LABELS[key],
                "辖区外" if hidden else _words(key, before[key]),
                _words(key, after[key]),
            )
            for key in _LABELS
            if key in after and before[key] != after[key]
        ]
        people.append(PersonEffect(change.resident.name, lines, change.resident))
        stands.append((change.resident, after))
    if plan.newcomer:
        people.append(_newcomer(plan))
    return Effects(people, _heads(stands, plan), _founded(plan))


def of_event(event: LifeEvent, may_see=lambda resident: True) -> Effects:
    """What a recorded event changed; who can be seen is linked. Two queries, whoever it touched."""
    parts = list(event.people.select_related("resident__village").order_by("pk"))
    stored = [(part, json.loads(part.before), json.loads(part.after)) for part in parts]
    keys = {
        state["household_id"]
        for _, before, after in stored
        for state in (before, after)
        if "household_id" in state
    }
    homes = Household.objects.select_related("village").in_bulk(keys)
    people = []
    for part, before, after in stored:
        lines = [] if part.created else _stored_lines(before, after, homes)
        note = _new_note(event) if part.created else ""
        mine = may_see(part.resident) or part.resident_id == event.resident_id
        if not mine and not {"household_id"} & (before.keys() | after.keys()):
            people.append(PersonEffect(ELSEWHERE, [], note="婚姻状况等随之变动"))
            continue
        url = part.resident.get_absolute_url() if may_see(part.resident) else ""
        people.append(
            PersonEffect(part.resident.name, lines, part.resident, part.created, note, url)
        )
    return Effects(people, [])


def restored(effects: Effects) -> Effects:
    """The same, taken back: after becomes before."""
    return Effects(
        [
            PersonEffect(
                p.name,
                [Line(line.label, line.after, line.before) for line in p.lines],
                p.resident,
                note="登记撤销，不再在册" if p.is_new else "",
            )
            for p in effects.people
        ],
        [],
    )


def _before_and_after(change: PersonChange, day: date) -> tuple[dict[str, Any], dict[str, Any]]:
    after = change.state | change.fields | change.numbers
    if change.leaves:
        after["departed_on"] = day
    if change.returns:
        after["departed_on"] = None
    return {key: getattr(change.resident, key) for key in after}, after


def _words(key: str, value: Any) -> str:
    if key == "departed_on":
        return f"{OFF_BOOKS}（{value}起）" if value else ON_BOOKS
    if value is None or value == "":
        return NOTHING
    if isinstance(value, Household | NewHousehold):
        return f"{value.village.name}{value.number}户"
    return mask_id_number(value) if key.endswith("id_number") else str(value)


def _newcomer(plan: Plan) -> PersonEffect:
    newcomer = plan.newcomer
    values = newcomer.values | {"household": newcomer.household}
    lines = [
        Line((_LABELS | _PARENTS)[key], "", _words(key, values[key]))
        for key in _OF_NEWCOMER
        if values.get(key)
    ]
    note = ""
    if newcomer.parent:
        policy = "符合政策" if newcomer.birth["within_policy"] else "不符合政策"
        note = f"{newcomer.parent.name}的生育史加上第{newcomer.birth['order']}孩，{policy}"
    return PersonEffect(values["name"], lines, None, True, note)


def _founded(plan: Plan) -> str:
    homes = [plan.household, *(c.state.get("household") for c in plan.changes)]
    if plan.newcomer:
        homes.append(plan.newcomer.household)
    new = next((h for h in homes if isinstance(h, NewHousehold)), None)
    return _words("household", new) if new else ""


def _heads(stands: list[tuple[Resident, dict[str, Any]]], plan: Plan) -> list[HeadChange]:
    """Households whose head changes, from the people who were or become one."""
    before, after = {}, {}
    for resident, becomes in stands:
        home, new_home = (
            _words("household", place)
            for place in (resident.household, becomes.get("household", resident.household))
        )
        on_books = not resident.departed_on and not resident.death_date
        was = resident.relation == Relation.HEAD and on_books
        gone = becomes.get("departed_on") or becomes.get("death_date")
        will_be = becomes.get("relation", resident.relation) == Relation.HEAD and not gone
        if was and will_be and home == new_home:
            continue
        if was:
            before[home] = resident.name
        if will_be:
            after[new_home] = resident.name
    if plan.newcomer and plan.newcomer.values["relation"] == Relation.HEAD:
        after[_words("household", plan.newcomer.household)] = plan.newcomer.values["name"]
    return [
        HeadChange(home, before.get(home, NOTHING), after.get(home, NOTHING))
        for home in dict.fromkeys([*before, *after])
    ]


def _stored_lines(before: dict, after: dict, homes: dict[int, Household]) -> list[Line]:
    lines = []
    for key, label in _LABELS.items():
        column = "household_id" if key == "household" else key
        if column in before and column in after:
            pair = [
                homes.get(side[column]) if key == "household" else side[column]
                for side in (before, after)
            ]
            lines.append(Line(label, _words(key, pair[0]), _words(key, pair[1])))
    if before.get("birth_records"):
        lines.append(Line("父母生育史里的存活状况", "存活", "死亡"))
    return lines


def _new_note(event: LifeEvent) -> str:
    if event.kind == EventKind.BIRTH and event.birth_id:
        return "新登记，并写入父母的生育史"
    return "新登记"
