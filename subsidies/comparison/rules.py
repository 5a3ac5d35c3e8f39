"""The rules of the desk: what is held against what, in words, and what may be done about it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from subsidies.comparison import double, missing, wrong
from subsidies.comparison.ground import Finding, Ground
from subsidies.models import Difference, ExitReason, RosterSource

WRONG, DOUBLE, MISSING = Difference.Kind.WRONG, Difference.Kind.DOUBLE, Difference.Kind.MISSING
# What a difference may close into; the pages know the ways there.
END, APPLY, REGISTRY, EVENT, MERGE = "end", "apply", "registry", "event", "merge"
ACTIONS = {
    END: "提出退出", APPLY: "登记申请", REGISTRY: "修改居民资料", EVENT: "登记变动", MERGE: "合并重复登记"
}  # fmt: skip


@dataclass(frozen=True)
class Rule:
    """One comparison. `find` yields every difference of the place in one set-based query.

    `source` is the other department's list it looks at, "" where only our own records. `reason` is
    why a line ends that it turned out to be about.
    """

    key: str
    kind: str
    title: str
    hint: str
    find: Callable[[Ground], Iterable[Finding]]
    actions: tuple[str, ...]
    source: str = ""
    reason: str = ""


_ALL = (
    Rule(
        "police_death", WRONG, "公安已注销，仍在册",
        "公安死亡注销名单上有，我方登记在世。请向家属或村里核实，属实的登记死亡，并提出退出。",
        wrong.dead_by_police, (EVENT, END), RosterSource.POLICE_DEATHS, ExitReason.DEATH,
    ),
    Rule(
        "dead", WRONG, "已去世，仍在册",
        "我方已登记死亡，按止发规定早应停发。请核对死亡日期，提出退出；多发的另行处理。",
        wrong.dead, (END, REGISTRY), reason=ExitReason.DEATH,
    ),
    Rule(
        "police_moved", WRONG, "公安已迁出，仍在册",
        "公安户籍名单写明迁出，我方仍登记在册。请核实户口在哪里，属实的登记迁出，并提出退出。",
        wrong.moved_by_police, (EVENT, END), RosterSource.POLICE_HUKOU, ExitReason.MOVED,
    ),
    Rule(
        "departed", WRONG, "已离册，仍在册享受",
        "我方已登记离册，按止发规定早应停发。请核对离册日期和去向，提出退出。",
        wrong.departed, (END, REGISTRY), reason=ExitReason.MOVED,
    ),
    Rule(
        "hukou", WRONG, "户口性质与政策要求不同",
        "公安户籍名单上的户口性质不是政策要求的。请看户口簿，属实的登记户口变更，并提出退出。",
        wrong.hukou_differs, (EVENT, END), RosterSource.POLICE_HUKOU, ExitReason.HUKOU,
    ),
    Rule(
        "marriage", WRONG, "婚姻状况与民政登记不同",
        "民政登记的结婚或离婚我方没有。婚姻变化会影响子女数和配偶条件，请核实后登记变动，再核查资格。",
        wrong.marriage_differs, (EVENT, END), RosterSource.MARRIAGES, ExitReason.OTHER,
    ),
    Rule(
        "birth", WRONG, "有住院分娩，生育史没有",
        "医院住院分娩名单上有，生育史没有这次生育。请核实是否本人生育，属实的登记出生，再核查子女数。",
        wrong.birth_missing, (EVENT, END), RosterSource.HOSPITAL_BIRTHS, ExitReason.CHILDREN,
    ),
    Rule(
        "employment", WRONG, "就业或养老待遇与政策要求不同",
        "社保名单上的就业或养老待遇不是政策要求的，或者一次性养老补助已经发过。请核实后修改资料或提出退出。",
        wrong.employment_differs, (REGISTRY, END), RosterSource.INSURANCE, ExitReason.OTHER,
    ),
    Rule(
        "low_income_ended", WRONG, "已不在民政低保名单",
        "享受低保类政策，民政低保名单上没有本户或已停发。请向民政核实，属实的更正低保，并提出退出。",
        wrong.low_income_ended, (REGISTRY, END), RosterSource.LOW_INCOME, ExitReason.OTHER,
    ),
    Rule(
        "excluding", DOUBLE, "不能同时享受的两项都在册",
        "按政策互斥规定两项只能享受一项。请与本人确认保留哪一项，另一项提出退出。",
        double.excluding, (END,), reason=ExitReason.TWICE,
    ),
    Rule(
        "twice", DOUBLE, "同一政策重复在册",
        "同一人、同一对夫妻或同一户在一项政策里登记了两份。请核实后保留一份，另一份提出退出。",
        double.twice, (END, REGISTRY), reason=ExitReason.TWICE,
    ),
    Rule(
        "account", DOUBLE, "多户共用一个银行账号",
        "不同户的享受人登记了同一个银行账号。请看存折或卡，逐人核对户名，更正账号。",
        double.one_account, (REGISTRY, END), reason=ExitReason.OTHER,
    ),
    Rule(
        "registrations", DOUBLE, "疑似一人两份登记都在册",
        "两份登记可能是同一个人。请看身份证和户口簿，是同一人的先把其中一份提出退出，再合并登记；不是的写明依据。",
        double.two_registrations, (END, MERGE), reason=ExitReason.TWICE,
    ),
    Rule(
        "missing", MISSING, "符合条件，没有在册",
        "按登记资料符合条件，没有在册，也没有办理中的申请。请上门告知，愿意享受的登记申请。",
        missing.not_enrolled, (APPLY, REGISTRY),
    ),
    Rule(
        "low_income", MISSING, "民政低保户，我方没有低保记录",
        "民政低保名单上有本户的人，其他条件都符合。请核实后登记低保，再登记申请。",
        missing.low_income_unknown, (REGISTRY, APPLY), RosterSource.LOW_INCOME,
    ),
)  # fmt: skip
RULES: dict[str, Rule] = {rule.key: rule for rule in _ALL}
TITLES = {rule.key: rule.title for rule in _ALL}


def key_of(rule: Rule, finding: Finding) -> str:
    """What makes it the same difference when it is found again."""
    return f"{about_of(rule.key, finding.about)}|{finding.facts}"


def about_of(rule: str, about: str) -> str:
    """The part of a key that stays while the facts change."""
    return f"{rule}:{about}"
