"""The predicates of the rule library: each one SQL expression over the facts of a person, and its words.

The SQL finds people and decides one person's case alike; the words say what it asks and what it looked
at. `{f}` stands for the facts of facts.py. A predicate that `is_own` needs only the person's own row, one
`of_children` beside it the birth history, so finding may drop people before it looks further; facts of a
spouse are gathered only for one `of_spouse`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from fpadmin.dates import age_on, years_before
from households.models import DisabilityGrade, Residence
from subsidies.policies import catalogue
from subsidies.policies.catalogue import Criterion

GRADES = {grade: rank for rank, grade in enumerate(DisabilityGrade.values, start=1)}
CASES = {"one": "一个子女", "two_girls": "两个女孩", "none": "没有子女"}
EXCLUDES = "excludes"  # the last criterion of a rule: active in none of these policies


@dataclass(frozen=True)
class Sql:
    """A piece of SQL with its parameters in order."""

    text: str
    params: tuple = ()


Facts = dict[str, Any]  # one row of facts.py


@dataclass(frozen=True)
class Predicate:
    """`sql(params, day)` decides; `asks(params)` and `found(facts, params, day)` say it in Chinese."""

    key: str
    sql: Callable[[Any, date], Sql]
    asks: Callable[[Any], str]
    found: Callable[[Facts, Any, date], str]
    is_own: bool = False
    of_children: bool = False
    of_spouse: bool = False
    # Whether it can come to hold, or cease to, by the passing of time alone.
    by_age: bool = False


def predicate(criterion: Criterion) -> Predicate:
    """The predicate of a criterion. Raises KeyError naming the known ones."""
    try:
        return PREDICATES[criterion.key]
    except KeyError:
        raise KeyError(
            f"unknown predicate {criterion.key!r}; known: {', '.join(PREDICATES)}"
        ) from None


def words(criterion: Criterion) -> str:
    """What the criterion asks, in Chinese."""
    return predicate(criterion).asks(criterion.params)


def sql_of(criterion: Criterion, day: date) -> Sql:
    """The criterion as SQL over `{f}`."""
    return predicate(criterion).sql(criterion.params, day)


def _registered_here(params, day):
    return Sql("({f}.on_books = 1 AND {f}.residence IN (%s, %s))", (
        Residence.PERMANENT.value, Residence.OUTFLOW.value,
    ))  # fmt: skip


def _registered_words(facts, params, day):
    if facts["death_date"] and facts["death_date"] <= day:
        return f"{facts['death_date']}去世"
    if not facts["on_books"]:
        return "不在册"
    return f"{facts['village_name']}，{facts['residence']}"


def _born_from_words(facts, params, day):
    return f"{facts['birth_date']}出生"


def _age(column: str, params, day: date) -> Sql:
    """Completed years of `column` on `day` between min and max, both included."""
    parts, values = [], []
    if params.get("min") is not None:
        parts.append(f"{column} <= %s")
        values.append(years_before(day, params["min"]).isoformat())
    if params.get("max") is not None:
        parts.append(f"{column} > %s")
        values.append(years_before(day, params["max"] + 1).isoformat())
    return Sql(f"({' AND '.join(parts)})", tuple(values))


def _years(params) -> str:
    low, high = params.get("min"), params.get("max")
    if high is None:
        return f"年满{low}周岁"
    return f"不满{high + 1}周岁" if low is None else f"年满{low}周岁、不满{high + 1}周岁"


def _aged(birth_date: date, day: date) -> str:
    return f"{birth_date}出生，{day}满{age_on(birth_date, day)}周岁"


_WIFE = (
    "(CASE WHEN {f}.sex = '男' AND {f}.spouse_here = 1 AND {f}.spouse_sex = '女' "
    "THEN {f}.spouse_birth_date ELSE {f}.birth_date END)"
)


def wife_birth_date(facts: Facts) -> date:
    """Whose age wife_age looks at: the living wife's registered here, else one's own."""
    if facts["sex"] == "男" and facts["spouse_here"] and facts["spouse_sex"] == "女":
        return facts["spouse_birth_date"]
    return facts["birth_date"]


def _wife_words(facts, params, day):
    born = wife_birth_date(facts)
    who = "妻子" if born is not facts["birth_date"] and facts["sex"] == "男" else "本人"
    return who + _aged(born, day)


_LIVING = {
    "one": "{f}.children_living = 1",
    "two_girls": "({f}.children_living = 2 AND {f}.girls_living = 2)",
    "none": "{f}.children_living = 0",
}


def _living(params, day):
    return Sql(f"({' OR '.join(_LIVING[case] for case in params)})")


def _living_words(facts, params, day):
    living, girls = facts["children_living"], facts["girls_living"]
    if not living:
        return "没有存活的子女"
    return f"存活子女{living}个，其中女孩{girls}个"


def _disabled(params, day):
    return Sql(
        "({f}.children_living = 1 AND {f}.living_grade <= %s)", (GRADES[params["max_grade"]],)
    )


def _disabled_words(facts, params, day):
    if facts["children_living"] != 1:
        return f"存活子女{facts['children_living']}个"
    grade = next((g for g, rank in GRADES.items() if rank == facts["living_grade"]), None)
    return f"子女伤残等级{grade}" if grade else "子女没有鉴定的伤残等级"


def _child_age(params, day):
    age = _age("{f}.living_birth_date", params, day)
    return Sql("({f}.children_living = 1 AND " + age.text + ")", age.params)


def _child_age_words(facts, params, day):
    if facts["children_living"] != 1:
        return f"存活子女{facts['children_living']}个"
    return "子女" + _aged(facts["living_birth_date"], day)


def _dibao(params, day):
    return Sql(
        "EXISTS (SELECT 1 FROM households_lowincomespell l WHERE l.household_id = {f}.household_id"
        " AND (l.started_on IS NULL OR l.started_on <= %s)"
        " AND (l.ended_on IS NULL OR l.ended_on > %s))",
        (day.isoformat(), day.isoformat()),
    )


def _excludes(params, day):
    month = day.replace(day=1).isoformat()
    marks = ", ".join(["%s"] * len(params))
    return Sql(
        "NOT EXISTS (SELECT 1 FROM subsidies_enrolment e WHERE e.resident_id = {f}.resident_id"
        f" AND e.policy_code IN ({marks}) AND e.start_month <= %s"
        " AND (e.end_month IS NULL OR e.end_month >= %s))",
        (*params, month, month),
    )


def _names(codes) -> str:
    return "、".join(catalogue.name_of(code) for code in codes)


def _one_of(column: str, values) -> Sql:
    return Sql(f"{column} IN ({', '.join(['%s'] * len(values))})", tuple(values))


PREDICATES: dict[str, Predicate] = {
    one.key: one
    for one in (
        Predicate(
            "registered_here", _registered_here,
            lambda params: "户籍在本地，在世", _registered_words, is_own=True,
        ),
        Predicate(
            "hukou", lambda params, day: Sql("{f}.hukou = %s", (params,)),
            lambda params: f"本人为{params}户口",
            lambda facts, params, day: facts["hukou"], is_own=True,
        ),
        Predicate(
            "spouse_hukou",
            lambda params, day: Sql("({f}.spouse_here = 0 OR {f}.spouse_hukou = %s)", (params,)),
            lambda params: f"配偶为{params}户口，或没有在本地登记的在世配偶",
            lambda facts, params, day: (
                f"配偶为{facts['spouse_hukou']}户口" if facts["spouse_here"] else "没有在本地登记的在世配偶"
            ), of_spouse=True,
        ),
        Predicate(
            "born_from", lambda params, day: Sql("{f}.birth_date >= %s", (str(params),)),
            lambda params: f"{params}及以后出生", _born_from_words, is_own=True,
        ),
        Predicate(
            "age", lambda params, day: _age("{f}.birth_date", params, day), _years,
            lambda facts, params, day: _aged(facts["birth_date"], day), is_own=True, by_age=True,
        ),
        Predicate(
            "wife_age", lambda params, day: _age(_WIFE, params, day),
            lambda params: f"女方（单方为本人）{_years(params)}", _wife_words, by_age=True, of_spouse=True,
        ),
        Predicate(
            "ever_had_child", lambda params, day: Sql("{f}.children_ever >= 1"),
            lambda params: "曾经生育或收养子女",
            lambda facts, params, day: f"生育、收养过{facts['children_ever']}个子女", of_children=True,
        ),
        Predicate(
            "children_ever", lambda params, day: Sql("{f}.children_ever = %s", (params,)),
            lambda params: f"生育、收养过的子女正好{params}个",
            lambda facts, params, day: f"生育、收养过{facts['children_ever']}个子女", of_children=True,
        ),
        Predicate(
            "living_children", _living,
            lambda params: "现有" + "，或".join(CASES[case] for case in params), _living_words,
            of_children=True,
        ),
        Predicate(
            "only_child_disabled", _disabled,
            lambda params: f"独生子女伤残等级在{params['max_grade']}以上", _disabled_words, of_children=True,
        ),
        Predicate(
            "no_birth_outside_policy", lambda params, day: Sql("{f}.births_outside = 0"),
            lambda params: f"{params['from']}至{params['to']}没有违反政策生育",
            lambda facts, params, day: (
                f"有{facts['births_outside']}个子女登记为不符合政策" if facts["births_outside"]
                else "没有不符合政策的生育记录"
            ), of_children=True,
        ),
        Predicate(
            "certificate", lambda params, day: Sql("{f}.certificate = 1"),
            lambda params: "领取独生子女父母光荣证",
            lambda facts, params, day: "有光荣证号" if facts["certificate"] else "本人和配偶都没有光荣证号",
            of_spouse=True,
        ),
        Predicate(
            "child_age", _child_age, lambda params: f"独生子女{_years(params)}", _child_age_words,
            by_age=True, of_children=True,
        ),
        Predicate(
            "employment", lambda params, day: _one_of("{f}.employment", params),
            lambda params: "就业状况为" + "或".join(params),
            lambda facts, params, day: facts["employment"] or "没有登记就业状况", is_own=True,
        ),
        Predicate(
            "dibao", _dibao, lambda params: "家庭享受低保",
            lambda facts, params, day: "按低保登记核对",
        ),
        Predicate(
            "attested", lambda params, day: Sql("1 = 1"), lambda params: f"经证明：{params}",
            lambda facts, params, day: "登记资料查不到，要凭材料认定",
        ),
        Predicate(
            EXCLUDES, _excludes, lambda params: f"没有同时享受：{_names(params)}",
            lambda facts, params, day: "按在册名册核对",
        ),
    )
}  # fmt: skip
