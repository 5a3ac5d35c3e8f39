"""What a county may change of a criterion: its values, and which of them are sensible."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from households.models import DisabilityGrade, Hukou
from subsidies.eligibility.predicates import CASES
from subsidies.policies.catalogue import Criterion

CHOICE, CHOICES, DAY, NUMBER, TEXT = "choice", "choices", "day", "number", "text"
ALWAYS = "registered_here"  # without it the dead and those who left would qualify
AGES = (0, 120)


@dataclass(frozen=True)
class Value:
    """One value of a criterion. `name` is its key in the parameters, "" where it is all of them."""

    name: str
    label: str
    kind: str
    choices: tuple[tuple[str, str], ...] = ()
    required: bool = True
    between: tuple[int, int] = AGES


@dataclass(frozen=True)
class Parameters:
    """A criterion's short name, and its values."""

    label: str
    values: tuple[Value, ...] = ()


def _same(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((word, word) for word in words)


EMPLOYMENT = _same(("企业退休", "企业在职", "机关事业", "务农", "灵活就业", "无业", "学生"))
_FROM_TO = (
    Value("min", "满多少周岁", NUMBER, required=False),
    Value("max", "到多少周岁（含）", NUMBER, required=False),
)
PARAMETERS: dict[str, Parameters] = {
    ALWAYS: Parameters("户籍和在世"),
    "hukou": Parameters("本人户口性质", (Value("", "户口性质", CHOICE, _same(Hukou.values)),)),
    "spouse_hukou": Parameters(
        "配偶户口性质", (Value("", "配偶户口性质", CHOICE, _same(Hukou.values)),)
    ),
    "born_from": Parameters("出生日期", (Value("", "这一天及以后出生", DAY),)),
    "age": Parameters("本人年龄", _FROM_TO),
    "wife_age": Parameters("女方年龄", (Value("min", "女方满多少周岁", NUMBER),)),
    "ever_had_child": Parameters("生育过子女"),
    "children_ever": Parameters(
        "生育、收养过的子女数", (Value("", "正好几个", NUMBER, between=(0, 9)),)
    ),
    "living_children": Parameters(
        "现有子女", (Value("", "属于其中一种", CHOICES, tuple(CASES.items())),)
    ),
    "only_child_disabled": Parameters(
        "独生子女伤残",
        (Value("max_grade", "最低到几级", CHOICE, _same(DisabilityGrade.values)),),
    ),
    "no_birth_outside_policy": Parameters(
        "没有违反政策生育", (Value("from", "从", DAY), Value("to", "到", DAY))
    ),
    "certificate": Parameters("独生子女父母光荣证"),
    "child_age": Parameters("独生子女年龄", _FROM_TO),
    "employment": Parameters("就业状况", (Value("", "属于其中一种", CHOICES, EMPLOYMENT),)),
    "dibao": Parameters("享受低保"),
    "attested": Parameters("须证明的事项", (Value("", "证明什么", TEXT),)),
}


def label_of(criterion: Criterion) -> str:
    """What the criterion is called in forms and comparisons."""
    return PARAMETERS[criterion.key].label


def field_of(key: str, name: str) -> str:
    """The form's field for one value of a criterion."""
    return f"{key}__{name or 'is'}"


def identity_of(criterion: Criterion) -> str:
    """What makes a criterion one and the same in two versions: an attested fact is its words."""
    return f"attested:{criterion.params}" if criterion.key == "attested" else criterion.key


def values_of(criterion: Criterion) -> dict[str, Any]:
    """The criterion's values by name; days as days, whether they came from JSON or from the catalogue."""
    found = {}
    for value in PARAMETERS[criterion.key].values:
        part = criterion.params
        if value.name:
            part = (criterion.params or {}).get(value.name)
        if value.kind == DAY and isinstance(part, str):
            part = date.fromisoformat(part)
        found[value.name] = part
    return found


def with_values(key: str, found: dict[str, Any]) -> Criterion:
    """The criterion made of these values; the opposite of values_of()."""
    values = PARAMETERS[key].values
    if not values:
        return Criterion(key)
    if not values[0].name:
        return Criterion(key, found[""])
    return Criterion(key, {name: part for name, part in found.items() if part is not None})


def in_order_of(criterion: Criterion, made: Criterion) -> Criterion:
    """`made` with its lists in the order of `criterion`, what is new last.

    A form gives ticks in its own order; another order of the same ticks is no change of the rule.
    """
    before, after = criterion.params, made.params
    if not isinstance(before, list | tuple) or not isinstance(after, list | tuple):
        return made
    kept = [one for one in before if one in after]
    return Criterion(made.key, [*kept, *(one for one in after if one not in kept)])


def fault_of(criterion: Criterion) -> tuple[str, str] | None:
    """(the value's name, what is wrong with it) in words; None for a sound criterion."""
    known = PARAMETERS.get(criterion.key)
    if known is None:
        return "", f"没有“{criterion.key}”这种条件。"
    if not known.values:
        return ("", f"“{known.label}”没有可以设定的值。") if criterion.params is not None else None
    if known.values[0].name and (
        not isinstance(criterion.params, dict)
        or set(criterion.params) - {value.name for value in known.values}
    ):
        return known.values[0].name, f"“{known.label}”的设定不对。"
    try:
        found = values_of(criterion)
    except ValueError:
        return known.values[0].name, f"“{known.label}”里有一个日期不对。"
    for value in known.values:
        if problem := _problem(known, value, found[value.name]):
            return value.name, problem
    return _together(known, found)


def _problem(known: Parameters, value: Value, found) -> str:
    what = f"“{known.label}”的“{value.label}”"
    if found is None or found in ("", []):
        return f"请填写{what}。" if value.required else ""
    if value.kind == NUMBER:
        low, high = value.between
        if isinstance(found, bool) or not isinstance(found, int) or not low <= found <= high:
            return f"{what}应为{low}到{high}的整数。"
    elif value.kind == DAY:
        if not isinstance(found, date):
            return f"{what}应为日期。"
    elif value.kind == TEXT:
        if not isinstance(found, str) or len(found) > 50:
            return f"{what}最多50个字。"
    else:
        several = value.kind == CHOICES
        picked = found if several else [found]
        allowed = [key for key, _ in value.choices]
        if not isinstance(picked, list | tuple) or any(one not in allowed for one in picked):
            return f"{what}没有这个选项。"
    return ""


def _together(known: Parameters, found: dict[str, Any]) -> tuple[str, str] | None:
    if {"min", "max"} <= set(found):
        low, high = found["min"], found["max"]
        if low is None and high is None:
            return "min", f"“{known.label}”至少填一个年龄。"
        if low is not None and high is not None and low > high:
            return "max", f"“{known.label}”的两个年龄前后颠倒。"
    if {"from", "to"} <= set(found) and found["from"] > found["to"]:
        return "to", f"“{known.label}”的两个日期前后颠倒。"
    return None
