"""A rule in words, and two rules side by side: one line for each thing that a county can change."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from fpadmin.ui.templatetags.ui import money
from subsidies.eligibility.predicates import words
from subsidies.policies.book import PolicyBook, Rule
from subsidies.policies.catalogue import CYCLES, ENDS, PAYERS, STARTS, Policy
from subsidies.policies.parameters import identity_of, label_of

NOT_ASKED = "不要求"
NO_NOTICE = "不公示"
COUNTY_PAYS = "没有设定，由县承担"
IN_KIND = "加分，不发钱"
NO_RATE = "没有标准，不能发放"
ON, OFF = "启用", "未启用"
_HEADS = {"person": "人", "couple": "对夫妻", "family": "户", "child": "人"}


@dataclass(frozen=True)
class Line:
    """One thing of two rules: what it is called, and what each says of it."""

    label: str
    old: str
    new: str

    @property
    def is_changed(self) -> bool:
        return self.old != self.new


def side_by_side(old: Rule, new: Rule) -> list[Line]:
    """Every thing of both rules in one order: switch, criteria, terms, shares, document."""
    before, after = _terms(old), _terms(new)
    order = [*before, *(key for key in after if key not in before)]
    labels = _labels(old) | _labels(new)
    return [
        Line(labels[key], before.get(key, NOT_ASKED), after.get(key, NOT_ASKED))
        for key in sorted(order, key=lambda key: _PLACES.get(key, 1))
    ]


def changes(old: Rule, new: Rule) -> list[Line]:
    """What the new rule changes; the document it rests on is none of that."""
    return [line for line in side_by_side(old, new) if line.is_changed and line.label != _DOCUMENT]


def changes_in_words(old: Rule, new: Rule) -> str:
    """The same in one sentence."""
    return "；".join(f"{one.label}：{one.old}→{one.new}" for one in changes(old, new))


def criteria_words(rule: Rule) -> list[str]:
    """Each criterion of the rule in words."""
    return [words(criterion) for criterion in rule.criteria]


def left_out(rule: Rule) -> list[str]:
    """Criteria as shipped that the place doesn't ask."""
    asked = {identity_of(criterion) for criterion in rule.criteria}
    return [words(one) for one in rule.policy.criteria if identity_of(one) not in asked]


def shares_words(shares: dict[str, Decimal]) -> str:
    """中央80%、省20%"""
    known = [payer for payer in PAYERS if payer in shares]
    return "、".join(f"{payer}{plain(shares[payer])}%" for payer in known) or COUNTY_PAYS


def shares_fault(shares: Mapping[str, Decimal]) -> str:
    """What is wrong with the shares: known payers, each above zero, exactly 100 together; "" for sound ones.

    None at all are sound: the county pays.
    """
    for payer, part in shares.items():
        if payer not in PAYERS:
            return f"没有“{payer}”这个负担方。"
        if not part > 0 or part != part.quantize(Decimal("0.01")):
            return f"{payer}负担的比例应大于0，最多两位小数。"
    if shares and sum(shares.values()) != 100:
        return f"负担比例加起来是{plain(sum(shares.values()))}%，应正好是100%。"
    return ""


def notice_words(days: int) -> str:
    """7个工作日"""
    return f"{days}个工作日" if days else NO_NOTICE


def plain(number: Decimal) -> str:
    """80, 1.2: without zeros at the end."""
    return f"{number.normalize():f}"


def rate_words(policy: Policy, amount: Decimal | None, grade: str = "") -> str:
    """960.00元/人·年"""
    if policy.in_kind:
        return IN_KIND
    if amount is None:
        return NO_RATE
    once = policy.cycle == "once" or grade in policy.once_for
    cycle = "，一次发给" if once else f"·{CYCLES[policy.cycle]}"
    return f"{money(amount)}元/{_HEADS[policy.who]}{cycle}"


def rates_words(policy: Policy, book: PolicyBook, path: str) -> list[tuple[str, str]]:
    """(grade, its rate in words) of a place on the book's day; the grade is "" where there are none."""
    return [
        (grade, rate_words(policy, book.rate(policy.code, path, grade), grade))
        for grade in grades_of(policy)
    ]


def grades_of(policy: Policy) -> tuple[str, ...]:
    """The grades that each have a rate; ("",) for a policy without."""
    return policy.grades or ("",)


def rate_field(policy: Policy, grade: str) -> str:
    """The form's field for this grade's rate."""
    grades = grades_of(policy)
    return f"amount_{grades.index(grade) if grade in grades else 0}"


_DOCUMENT = "依据"
_PLACES = {"is_on": 0, "starts": 2, "ends": 3, "notice": 4, "shares": 5, "document": 6}


def _terms(rule: Rule) -> dict[str, str]:
    return {
        "is_on": ON if rule.is_on else OFF,
        **{identity_of(criterion): words(criterion) for criterion in rule.criteria},
        "starts": STARTS[rule.starts],
        "ends": ENDS[rule.ends],
        "notice": notice_words(rule.notice_days),
        "shares": shares_words(rule.shares),
        "document": rule.document or "—",
    }


def _labels(rule: Rule) -> dict[str, str]:
    return {
        "is_on": "启用", "starts": "起发", "ends": "止发", "notice": "公示", "shares": "负担比例",
        "document": _DOCUMENT,
        **{identity_of(criterion): label_of(criterion) for criterion in rule.criteria},
    }  # fmt: skip
