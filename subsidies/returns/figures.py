"""The figures of the rolls, a set for each policy, in the calendar year of the day.

A line counts in the village where its person is registered on the day; one whose end lies before its
start was never paid and counts nowhere.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.reporting.registry import (
    Column,
    Figure,
    Indicator,
    IndicatorGroup,
    ListRow,
    ListRows,
    Span,
)
from households.counting import GROUP, Place, gathered
from households.indicators import links_of
from households.models import Residency
from subsidies.models import Enrolment, ExitReason, Suspension, active_on
from subsidies.policies import catalogue

PLACE = Place("place", "place_path", "place_group")
REASONS = {
    ExitReason.DEATH: "death", ExitReason.CHILDREN: "children", ExitReason.HUKOU: "hukou",
    ExitReason.MOVED: "moved", ExitReason.AGE: "age", ExitReason.TWICE: "twice",
    ExitReason.WAIVED: "waived", ExitReason.OTHER: "other",
}  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """One thing that is counted of a policy's lines: `holds(span)` says which."""

    key: str
    name: str
    definition: str
    holds: Callable[[Span], Q]


def year_of(span: Span) -> Span:
    """Benefits go by the calendar year: from 1 January of the day's year up to the day."""
    return Span(date(span.as_of.year, 1, 1), span.as_of)


def _exited(span: Span) -> Q:
    year = year_of(span)
    return Q(end_month__gte=year.start, end_month__lte=year.as_of)


def _suspended(span: Span) -> Q:
    month = span.as_of.replace(day=1)
    paused = Suspension.objects.filter(
        Q(until_month__isnull=True) | Q(until_month__gte=month),
        enrolment=OuterRef("pk"),
        from_month__lte=month,
    )
    return active_on(span.as_of) & Exists(paused)


def _carried_in(span: Span) -> Q:
    start = year_of(span).start
    return Q(start_month__lt=start) & (Q(end_month__isnull=True) | Q(end_month__gte=start))


def _carried_on(span: Span) -> Q:
    return Q(start_month__lte=span.as_of) & (
        Q(end_month__isnull=True) | Q(end_month__gt=span.as_of)
    )


KINDS = (
    Kind("carried_in", "年初在册", "上年转入本年的在册对象", _carried_in),
    Kind(
        "entered", "新增", "起始年月在本公历年度内、到期末为止",
        lambda span: Q(start_month__gte=year_of(span).start, start_month__lte=span.as_of),
    ),
    Kind("exited", "退出", "最后发放年月在本公历年度内、到期末为止", _exited),
    *(
        Kind(
            f"exited_{key}", f"因{reason}退出", f"退出原因为{reason}",
            lambda span, reason=reason: _exited(span) & Q(end_reason=reason),
        )
        for reason, key in REASONS.items()
    ),
    Kind("carried_on", "期末结转", "期末在册，并且期末当月不是最后发放年月", _carried_on),
    Kind(
        "enrolled", "享受人数", "期末在册，最后发放年月是期末当月的也在内",
        lambda span: active_on(span.as_of),
    ),
    Kind("suspended", "暂停发放", "期末在册而暂停发放", _suspended),
)  # fmt: skip
BY_KEY = {kind.key: kind for kind in KINDS}
# The figures of all policies together: the contract's own codes.
TOTALS = ("enrolled", "entered", "exited")


def code_of(kind: str, policy: str) -> str:
    """The indicator of one policy, such as enrolled_CN-RURAL."""
    return f"{kind}_{policy}"


def _read(code: str) -> tuple[Kind, str]:
    """The kind and the policy ("" for all) of an indicator."""
    if code in TOTALS:
        return BY_KEY[code], ""
    kind, policy = code.rsplit("_", 1)
    return BY_KEY[kind], policy


def lines(span: Span) -> QuerySet:
    """The lines that count, at the place where their person is registered on the day."""
    spells = Residency.objects.in_force_on(span.as_of).filter(resident=OuterRef("resident"))
    here = spells.order_by("pk")
    return (
        Enrolment.objects.filter(Q(end_month__isnull=True) | Q(end_month__gte=F("start_month")))
        .annotate(
            place=Coalesce(
                Subquery(here.values("village")[:1]),
                F("resident__village"),
                output_field=IntegerField(),
            ),
            place_group=Coalesce(
                Subquery(here.values("household__group")[:1]),
                F("resident__household__group"),
                output_field=IntegerField(),
            ),
        )
        .order_by()
    )


def inside(span: Span, places) -> QuerySet:
    """lines() counted in the places. Only people who ever were there are looked at."""
    ever = Residency.objects.filter(village__in=list(places.paths)).order_by()
    found = lines(span).filter(resident__in=ever.values("resident"))
    return found.filter(places.lies_in(PLACE))


def _computer(codes: Sequence[str]):
    def compute(
        regions: Sequence[Region], span: Span, wanted: Collection[str] = ()
    ) -> dict[str, dict[str, Figure]]:
        asked = [code for code in codes if not wanted or code in wanted]
        kinds = {_read(code)[0].key for code in asked}
        places = gathered(regions)
        columns = [PLACE.village, "policy_code"]
        if any(region.level == GROUP for region in regions):
            columns.append(PLACE.group)
        counted = (
            inside(span, places)
            .values(*columns)
            .annotate(**{f"n_{k}": Count("pk", filter=BY_KEY[k].holds(span)) for k in kinds})
        )
        sums: dict[str, dict] = {region.code: defaultdict(int) for region in regions}
        for row in counted:
            for region in places.codes_of(row[PLACE.village], row.get(PLACE.group)):
                for kind in kinds:
                    sums[region][kind, row["policy_code"]] += row[f"n_{kind}"]
                    sums[region][kind, ""] += row[f"n_{kind}"]
        keys = {code: (_read(code)[0].key, _read(code)[1]) for code in asked}
        return {
            region: {code: found[keys[code]] for code in asked} for region, found in sums.items()
        }

    return compute


def people(code: str, region: Region, span: Span) -> ListRows:
    """The lines behind a figure."""
    kind, policy = _read(code)
    found = inside(span, gathered([region])).filter(kind.holds(span))
    if policy:
        found = found.filter(policy_code=policy)
    codes = Region.objects.filter(pk=OuterRef("place")).values("code")
    rows = (
        found.annotate(place_code=Subquery(codes[:1]))
        .order_by("place_code", "resident__household__number", "resident", "pk")
        .values(
            "pk", "place_code", "resident", "resident__name", "resident__household",
            "resident__household__number", "policy_code", "start_month", "end_month", "end_reason",
        )
    )  # fmt: skip
    return ListRows((rows, _row))


def _row(record: dict) -> ListRow:
    end = record["end_month"]
    return ListRow(
        village_code=record["place_code"],
        household_no=record["resident__household__number"],
        name=record["resident__name"],
        resident_id=record["resident"],
        household_id=record["resident__household"],
        record_id=record["pk"],
        facts={
            "政策": catalogue.name_of(record["policy_code"]),
            "起始年月": f"{record['start_month']:%Y-%m}",
            "退出年月": f"{end:%Y-%m}" if end else "",
            "退出原因": record["end_reason"],
        },
    )


def links(user, rows: Sequence[ListRow]) -> list[tuple[str, str]]:
    """The line on the roll where `user` sees it, else the person; and the household."""
    seen = Enrolment.objects.visible_to(user).in_bulk({row.record_id for row in rows})
    return [
        (seen[row.record_id].get_absolute_url() if row.record_id in seen else person, home)
        for row, (person, home) in zip(rows, links_of(user, rows), strict=True)
    ]


def _group(key: str, name: str, policies, kinds=TOTALS, *, totals=False) -> IndicatorGroup:
    """A group of some kinds of figures of policies that are all sensitive, or none of them; a section each.

    Whoever opens the lists of sensitive ones, or of all together, learns of a child's death or illness.
    """
    indicators = [
        Indicator(
            code_of(kind, policy.code),
            f"{policy.name}{BY_KEY[kind].name}",
            "户" if policy.who in ("family", "couple") else "人",
            BY_KEY[kind].definition,
        )
        for policy in policies
        for kind in kinds
    ]
    columns = [
        Column(code_of(kind, policy.code), BY_KEY[kind].name, section=policy.name)
        for policy in policies
        for kind in kinds
    ]
    if totals:
        indicators = [
            Indicator(kind, f"利益导向{BY_KEY[kind].name}", "人", f"各项政策合计：{BY_KEY[kind].definition}")
            for kind in TOTALS
        ] + indicators  # fmt: skip
        columns = [Column(kind, BY_KEY[kind].name, section="合计") for kind in TOTALS] + columns
    few = totals or any(policy.sensitive for policy in policies)
    return IndicatorGroup(
        key, name, tuple(indicators), tuple(columns), _computer([i.code for i in indicators]),
        people, links, Permission.SPECIAL_LIST if few else Permission.BENEFIT_VIEW,
    )  # fmt: skip


PLAIN = _group(
    "subsidies", "利益导向", [p for p in catalogue.policies().values() if not p.sensitive]
)
SENSITIVE = _group(
    "subsidies_special", "利益导向（特殊家庭和合计）",
    [p for p in catalogue.policies().values() if p.sensitive], totals=True,
)  # fmt: skip


@cache
def group_of(policy: str) -> IndicatorGroup:
    """Every figure of one policy, as its return arranges them."""
    return _group(f"subsidies-{policy}", "利益导向", [catalogue.policy(policy)], tuple(BY_KEY))
