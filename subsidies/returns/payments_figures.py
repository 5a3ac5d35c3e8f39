"""The figures of payments, a set for each policy, in the calendar year whose money they are.

A line counts in the village it was made in. 应发 is what was to be paid and not given up: not what is
void or held, nor what failed and was paid again by another line. 实发 is what the bank confirmed, whether
or not it was asked back since. A person counts once a policy and year, with the first line.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from django.db.models import Count, DecimalField, Exists, OuterRef, Q, QuerySet, Sum

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.identity import mask_account
from fpadmin.reporting.registry import (
    Column,
    Figure,
    Indicator,
    IndicatorGroup,
    ListRow,
    ListRows,
    Span,
)
from households.counting import GROUP, Gathered, Place, gathered
from households.indicators import links_of
from subsidies.models import (
    REISSUED_STATES,
    LineState,
    PaymentBatch,
    PaymentLine,
    arrived,
)
from subsidies.payments.shares import FEN, split
from subsidies.policies import catalogue
from subsidies.policies.catalogue import Policy

PLACE = Place("village", "village__path", "beneficiary__household__group")
MONEY = DecimalField(max_digits=16, decimal_places=2)
# Key → heading and the payers of a policy's shares that it adds.
PAYERS = {
    "central": ("中央", ("中央",)), "province": ("省", ("省",)), "city": ("市", ("市",)),
    "county": ("县", ("县",)), "township": ("乡", ("乡",)),
    "employer": ("单位", ("男方单位", "女方单位")),
}  # fmt: skip
_NOT_DUE = (LineState.VOID, LineState.HELD)
OTHER_GRADE = 0  # a grade that the catalogue doesn't name


@dataclass(frozen=True)
class Kind:
    """One thing that is told of a policy's payments; `kind` as Indicator has it."""

    key: str
    name: str
    unit: str
    definition: str
    kind: str = "count"


_DUE = "本公历年度的发放明细，不含暂缓、作废和已由补发代替的"
_DONE = "本公历年度的发放明细中银行已确认入账的，以后追回的也在内"
KINDS = (
    Kind("payable_persons", "应发人数", "人", f"{_DUE}，一人算一次"),
    Kind("payable", "应发金额", "元", _DUE, "money"),
    Kind("paid_persons", "实发人数", "人", f"{_DONE}，一人算一次"),
    Kind("paid", "实发金额", "元", _DONE, "money"),
    Kind("paid_rate", "兑现率", "%", "实发金额÷应发金额", "rate"),
    Kind("unpaid", "未发金额", "元", "应发金额－实发金额", "money"),
    *(
        Kind(f"paid_{key}", f"{name}负担", "元", f"{_DONE}，按政策的负担比例由{name}负担的", "money")
        for key, (name, _) in PAYERS.items()
    ),
)  # fmt: skip
BY_KEY = {kind.key: kind for kind in KINDS}
# The contract's own codes: of all policies together, and of each.
TOTALS = ("payable", "paid", "paid_rate")
_BY_GRADE = {
    "grade_persons": ("实发人数", "人", "count"), "grade_paid": ("实发金额", "元", "money"),
}  # fmt: skip


def code_of(kind: str, policy: str, grade: int | None = None) -> str:
    """The indicator of one policy, such as paid_CN-RURAL; of its n-th grade, grade_paid_CN-RURAL_2."""
    return f"{kind}_{policy}" if grade is None else f"{kind}_{policy}_{grade}"


def grades_of(policy: Policy) -> list[tuple[int, str]]:
    """The grades of a policy by number, and what the catalogue doesn't name."""
    named = list(enumerate(policy.grades, start=1))
    return [*named, (OTHER_GRADE, "其他")] if named else []


@dataclass(frozen=True)
class _Asked:
    """What an indicator's code means; policy "" is all of them."""

    kind: str
    policy: str = ""
    grade: int | None = None


@cache
def _read(code: str) -> _Asked:
    if code in TOTALS:
        return _Asked(code)
    kind, policy = code.rsplit("_", 1)
    if policy.isdigit():
        (kind, policy), grade = kind.rsplit("_", 1), int(policy)
        return _Asked(kind, policy, grade)
    return _Asked(kind, policy)


def due_lines(span: Span) -> QuerySet:
    """Lines that were to be paid of the year's money; what failed, until a line that counts replaces it.

    What arrived though it had been replaced counts too, as in the fund: what comes back stands beside it.
    """
    again = PaymentLine.objects.filter(reissue_of=OuterRef("pk")).exclude(state__in=_NOT_DUE)
    return (
        PaymentLine.objects.filter(batch__pay_year=span.as_of.year)
        .exclude(state__in=_NOT_DUE)
        .exclude(Q(state__in=REISSUED_STATES, late_paid_on__isnull=True) & Q(Exists(again)))
        .order_by()
    )


def _first(lines: QuerySet, *, by_grade: bool = False) -> Q:
    """The first of a person's lines among `lines`."""
    same = {"grade": OuterRef("grade")} if by_grade else {}
    earlier = lines.filter(
        beneficiary=OuterRef("beneficiary"), policy_code=OuterRef("policy_code"),
        pk__lt=OuterRef("pk"), **same,
    )  # fmt: skip
    return ~Q(Exists(earlier))


def _paid(span: Span) -> QuerySet:
    return due_lines(span).filter(arrived())


_SUMS: dict[str, Callable[[Span], object]] = {
    "payable": lambda span: Sum("amount", output_field=MONEY),
    "paid": lambda span: Sum("amount", filter=arrived(), output_field=MONEY),
    "payable_persons": lambda span: Count("pk", filter=_first(due_lines(span))),
    "paid_persons": lambda span: Count(
        "pk", filter=arrived() & _first(_paid(span))
    ),
    "grade_persons": lambda span: Count(
        "pk", filter=arrived() & _first(_paid(span), by_grade=True)
    ),
}  # fmt: skip
# What a figure is worked out from.
_FROM = {"paid_rate": ("payable", "paid"), "unpaid": ("payable", "paid"), "grade_paid": ("paid",)}
_FROM |= {f"paid_{key}": ("paid",) for key in PAYERS}


def _computer(codes: Sequence[str]):
    def compute(
        regions: Sequence[Region], span: Span, wanted: Collection[str] = ()
    ) -> dict[str, dict[str, Figure]]:
        asked = {code: _read(code) for code in codes if not wanted or code in wanted}
        found = _tally(gathered(regions), span, list(asked.values()))
        shares = _shares(span) if any(one.kind[5:] in PAYERS for one in asked.values()) else {}
        return {
            region.code: {
                code: _figure(one, found[region.code], shares) for code, one in asked.items()
            }
            for region in regions
        }

    return compute


class _Tally:
    """Of one region: sums by (kind, policy, grade), and what was paid by village and batch."""

    def __init__(self):
        self.sums: dict[tuple, Decimal | int] = defaultdict(int)
        self.parts: dict[str, dict[tuple, Decimal]] = defaultdict(lambda: defaultdict(Decimal))


def _tally(places: Gathered, span: Span, asked: Sequence[_Asked]) -> dict[str, _Tally]:
    """One statement for all regions: sums by village, batch and grade, added up here."""
    kinds = {base for one in asked for base in _FROM.get(one.kind, (one.kind,))}
    codes = {one.policy for one in asked}
    lines = due_lines(span).filter(places.lies_in(PLACE))
    if "" not in codes:
        lines = lines.filter(policy_code__in=codes)
    columns = [PLACE.village, "policy_code", "batch", "grade"]
    if any(region.level == GROUP for region in places.regions):
        columns.append(PLACE.group)
    counted = lines.values(*columns).annotate(**{f"n_{kind}": _SUMS[kind](span) for kind in kinds})
    found = {region.code: _Tally() for region in places.regions}
    for row in counted:
        policy = row["policy_code"]
        grade = _grade_number(policy, row["grade"])
        values = {
            kind: value.quantize(FEN) if isinstance(value, Decimal) else value
            for kind in kinds
            if (value := row[f"n_{kind}"])
        }
        for region in places.codes_of(row[PLACE.village], row.get(PLACE.group)):
            tally = found[region]
            for kind, value in values.items():
                for key in ((kind, policy, None), (kind, policy, grade), (kind, "", None)):
                    tally.sums[key] += value
            if values.get("paid"):
                tally.parts[policy][row[PLACE.village], row["batch"]] += values["paid"]
    return found


@cache
def _grade_number(policy: str, grade: str) -> int:
    grades = catalogue.policy(policy).grades
    return grades.index(grade) + 1 if grade in grades else OTHER_GRADE


def _shares(span: Span) -> Mapping[int, Mapping[str, Decimal]]:
    """Who bears what of each batch of the year."""
    batches = PaymentBatch.objects.filter(pay_year=span.as_of.year).order_by()
    return {
        pk: {payer: Decimal(part) for payer, part in shares.items()}
        for pk, shares in batches.values_list("pk", "shares")
    }


def _figure(one: _Asked, tally: _Tally, shares: Mapping) -> Figure:
    def sum_of(kind: str):
        return tally.sums.get((kind, one.policy, one.grade), 0)

    if one.kind == "paid_rate":
        payable = sum_of("payable")
        return float(sum_of("paid") * 100 / payable) if payable else None
    if one.kind == "unpaid":
        return _yuan(sum_of("payable") - sum_of("paid"))
    if one.kind == "grade_paid":
        return _yuan(sum_of("paid"))
    if one.kind[5:] in PAYERS:
        _, payers = PAYERS[one.kind[5:]]
        # Cut to the fen in each village, so that villages add up to their township.
        return _yuan(
            sum(
                split(paid, shares.get(batch, {})).get(payer, 0)
                for (_, batch), paid in tally.parts[one.policy].items()
                for payer in payers
            )
        )
    return _yuan(sum_of(one.kind))


def _yuan(amount: Decimal | int) -> Figure:
    """As sheets hold figures: whole yuan as they are, others with their fen."""
    return int(amount) if amount == int(amount) else float(amount)


def people(code: str, region: Region, span: Span) -> ListRows:
    """The lines behind a figure: the roster of what was paid; a rate's and a payer's are those paid."""
    one = _read(code)
    found = due_lines(span) if one.kind.startswith(("payable", "unpaid")) else _paid(span)
    if one.kind == "unpaid":
        found = found.exclude(arrived())
    elif one.kind.endswith("_persons"):
        found = found.filter(_first(found, by_grade=one.kind == "grade_persons"))
    if one.policy:
        found = found.filter(policy_code=one.policy)
    if one.grade is not None:
        named = catalogue.policy(one.policy).grades
        unnamed = Q() if one.grade else ~Q(grade__in=named)
        found = found.filter(unnamed if not one.grade else Q(grade=named[one.grade - 1]))
    rows = (
        found.filter(gathered([region]).lies_in(PLACE))
        .order_by("village__code", "household_no", "beneficiary", "pk")
        .values(
            "pk", "village__code", "household_no", "beneficiary", "beneficiary__name",
            "beneficiary__household", "policy_code", "grade", "year", "month_count", "name",
            "account", "amount", "state", "paid_on", "batch__number",
        )
    )  # fmt: skip
    return ListRows((rows, _row))


def _row(record: dict) -> ListRow:
    policy = catalogue.policy(record["policy_code"])
    facts = {"政策": policy.name}
    if policy.grades:
        facts["等级或学段"] = record["grade"]
    facts |= {
        "享受年度": record["year"],
        "户名": record["name"],
        "账号": mask_account(record["account"]),
        "金额（元）": record["amount"],
        "状态": LineState(record["state"]).label,
        "入账日期": record["paid_on"].isoformat() if record["paid_on"] else "",
        "批次号": record["batch__number"],
    }
    if policy.cycle == "month":
        facts["月数"] = record["month_count"]
    return ListRow(
        village_code=record["village__code"],
        household_no=record["household_no"],
        name=record["beneficiary__name"],
        resident_id=record["beneficiary"],
        household_id=record["beneficiary__household"],
        record_id=record["pk"],
        facts=facts,
    )


def _indicator(kind: Kind, policy: Policy | None) -> Indicator:
    """Of one policy, or of all together."""
    made = kind.key if policy is None else code_of(kind.key, policy.code)
    parts = ("paid", "payable") if kind.kind == "rate" else ()
    return Indicator(
        made,
        f"{'利益导向' if policy is None else policy.name}{kind.name}",
        kind.unit,
        kind.definition if policy else f"各项政策合计：{kind.definition}",
        target="100" if kind.kind == "rate" else "",
        kind=kind.kind,
        parts=tuple(part if policy is None else code_of(part, policy.code) for part in parts),
    )


def _group(key: str, name: str, policies, kinds=TOTALS, *, totals=False) -> IndicatorGroup:
    """Figures of policies that are all sensitive, or none of them, as returns/figures.py groups them."""
    indicators = [_indicator(BY_KEY[kind], None) for kind in TOTALS] if totals else []
    indicators += [_indicator(BY_KEY[kind], policy) for policy in policies for kind in kinds]
    columns = [Column(kind, BY_KEY[kind].name, section="合计") for kind in TOTALS if totals]
    columns += [
        Column(code_of(kind, policy.code), BY_KEY[kind].name, section=policy.name)
        for policy in policies
        for kind in kinds
    ]
    return IndicatorGroup(
        key, name, tuple(indicators), tuple(columns), _computer([i.code for i in indicators]),
        people, links_of, _seen_by(policies, totals),
    )  # fmt: skip


def _seen_by(policies, totals: bool = False) -> Permission:
    few = totals or any(policy.sensitive for policy in policies)
    return Permission.SPECIAL_LIST if few else Permission.PAYMENT_VIEW


def paying(policies) -> list[Policy]:
    """Those that pay money."""
    return [policy for policy in policies if not policy.in_kind]


_ALL = paying(catalogue.policies().values())
PLAIN = _group("payments", "资金发放", [p for p in _ALL if not p.sensitive])
SENSITIVE = _group(
    "payments_special", "资金发放（特殊家庭和合计）", [p for p in _ALL if p.sensitive], totals=True
)


@cache
def group_of(code: str) -> IndicatorGroup:
    """Every figure of one policy, as its return arranges them: by grade too, where there are grades."""
    policy = catalogue.policy(code)
    indicators = [_indicator(kind, policy) for kind in KINDS]
    for number, grade in grades_of(policy):
        for key, (name, unit, kind) in _BY_GRADE.items():
            indicators.append(
                Indicator(
                    code_of(key, code, number), f"{policy.name}（{grade}）{name}", unit, _DONE,
                    kind=kind,
                )
            )  # fmt: skip
    return IndicatorGroup(
        f"payments-{code}", "资金发放", tuple(indicators), (),
        _computer([i.code for i in indicators]), people, links_of, _seen_by([policy]),
    )  # fmt: skip
