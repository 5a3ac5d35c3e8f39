"""The indicator groups population and births: each figure's condition once, for count and list alike.

A person is counted where the spell in force on the day says; a death where the spell in force on the
day of death says; a birth where its mother was registered that day, else its father.
"""

from collections.abc import Collection, Sequence
from datetime import date

from django.db.models import (
    Case,
    Count,
    F,
    FilteredRelation,
    Min,
    Q,
    QuerySet,
    When,
    Window,
)
from django.db.models.functions import Coalesce, RowNumber
from django.urls import reverse

from fpadmin.accounts.models import Region
from fpadmin.dates import years_before
from fpadmin.reporting import statistics
from fpadmin.reporting.registry import (
    Column,
    Figure,
    Indicator,
    IndicatorGroup,
    ListRow,
    ListRows,
    Span,
)
from households.counting import Place, by_level, sum_up
from households.models import (
    ChildRecord,
    Household,
    Hukou,
    Marital,
    Origin,
    Relation,
    Residence,
    Residency,
    Resident,
    Sex,
)

SPELL_PLACE = Place(village="village", path="village__path", group="household__group")
BIRTH_PLACE = Place(village="place", path="place_path", group="place_group")

POPULATION = (
    Indicator("population", "总人口", "人", "期末在册且在世的居民，不论常住、流入、流出"),
    Indicator("hukou_agricultural", "农业人口", "人", "在世，农业户口，不含流入"),
    Indicator("hukou_non_agricultural", "非农业人口", "人", "在世，非农业户口，不含流入"),
    Indicator("inflow", "流入人口", "人", "在世，居住状态为流入"),
    Indicator("households", "总户数", "户", "至少有一名在世成员的家庭"),
    Indicator(
        "women_married_15_49", "已婚育龄妇女", "人", "在世妇女，15至49周岁，婚姻状况不是未婚"
    ),
    Indicator(
        "women_married_15_49_agricultural", "农业已婚育龄妇女", "人", "其中农业户口，不含流入"
    ),
    Indicator(
        "women_married_15_49_non_agricultural",
        "非农业已婚育龄妇女",
        "人",
        "其中非农业户口，不含流入",
    ),
    Indicator("women_married_15_49_inflow", "流动已婚育龄妇女", "人", "其中居住状态为流入"),
    Indicator(
        "only_child_certificates",
        "领取独生子女证",
        "份",
        "在世居民的独生子女证，同一证号算一份，不含流入",
    ),
    Indicator("deaths", "死亡人数", "人", "死亡日期在期内的居民"),
    Indicator("aged_60_plus", "60岁及以上", "人", "在世，满60周岁"),
    Indicator("aged_65_plus", "65岁及以上", "人", "在世，满65周岁"),
    Indicator("natural_growth", "自然增长", "人", "出生人数减死亡人数"),
)
BIRTHS = (
    Indicator("births", "出生人数", "人", "期内出生，出生当天母亲（没有则父亲）在册；收养不计"),
    Indicator("births_boys", "男孩", "人", "其中男"),
    Indicator("births_girls", "女孩", "人", "其中女"),
    Indicator("births_order_1", "一孩", "人", "孩次为1"),
    Indicator("births_order_2", "二孩", "人", "孩次为2"),
    Indicator("births_order_3_plus", "多孩", "人", "孩次为3及以上"),
    Indicator("births_within_policy", "计划内出生", "人", "符合政策"),
    Indicator(
        "within_policy_rate",
        "符合政策生育率",
        "%",
        "计划内出生÷出生人数",
        kind="rate",
        parts=("births_within_policy", "births"),
    ),
    Indicator(
        "sex_ratio_at_birth",
        "出生人口性别比",
        "女=100",
        "男孩÷女孩×100，附95%区间（威尔逊法）；没有男孩或没有女孩时不计算",
        target="≤107",
        kind="ratio",
        parts=("births",),
    ),
    Indicator(
        "sex_ratio_at_birth_low", "性别比95%下限", "女=100", "威尔逊区间的下端", kind="bound"
    ),
    Indicator(
        "sex_ratio_at_birth_high", "性别比95%上限", "女=100", "威尔逊区间的上端", kind="bound"
    ),
    Indicator(
        "sex_ratio_at_birth_p", "性别比检验P值", "", "对106：100的双侧精确二项检验", kind="bound"
    ),
)
PEOPLE, WOMEN, BORN = "人口", "已婚育龄妇女", "出生"
POPULATION_COLUMNS = (
    Column("population", "合计", "总人口", PEOPLE),
    Column("hukou_agricultural", "农业", "总人口", PEOPLE),
    Column("hukou_non_agricultural", "非农业", "总人口", PEOPLE),
    Column("inflow", "流入", "总人口", PEOPLE),
    Column("households", "总户数", "", PEOPLE),
    Column("women_married_15_49", "合计", WOMEN, PEOPLE),
    Column("women_married_15_49_agricultural", "农业", WOMEN, PEOPLE),
    Column("women_married_15_49_non_agricultural", "非农业", WOMEN, PEOPLE),
    Column("women_married_15_49_inflow", "流动", WOMEN, PEOPLE),
    Column("only_child_certificates", "领取独生子女证", "", PEOPLE),
    Column("aged_60_plus", "60岁及以上", "", PEOPLE),
    Column("aged_65_plus", "65岁及以上", "", PEOPLE),
    Column("deaths", "死亡人数", "", PEOPLE),
    Column("natural_growth", "自然增长", "", PEOPLE),
)
BIRTHS_COLUMNS = (
    Column("births", "合计", "出生人数", BORN),
    Column("births_boys", "男", "出生人数", BORN),
    Column("births_girls", "女", "出生人数", BORN),
    Column("births_order_1", "一孩", "出生人数", BORN),
    Column("births_order_2", "二孩", "出生人数", BORN),
    Column("births_order_3_plus", "多孩", "出生人数", BORN),
    Column("births_within_policy", "计划内出生", "", BORN),
    Column("within_policy_rate", "符合政策生育率（%）", "", BORN),
    Column("sex_ratio_at_birth", "出生人口性别比（女=100）", "", BORN),
)
# A rate's list is its numerator's.
LISTED_AS = {
    "within_policy_rate": "births_within_policy",
    "sex_ratio_at_birth": "births_boys",
    "sex_ratio_at_birth_low": "births_boys",
    "sex_ratio_at_birth_high": "births_boys",
    "sex_ratio_at_birth_p": "births_boys",
}


# What counts -----------------------------------------------------------------------------------


def of_the_living(day: date) -> dict[str, Q]:
    """{code: condition} on the spells in force on `day` of somebody living then."""
    local = ~Q(residence=Residence.INFLOW)
    farming, urban = Q(hukou=Hukou.AGRICULTURAL), Q(hukou=Hukou.NON_AGRICULTURAL)
    married_women = Q(
        resident__sex=Sex.FEMALE,
        resident__birth_date__lte=years_before(day, 15),
        resident__birth_date__gt=years_before(day, 50),
    ) & ~Q(resident__marital=Marital.SINGLE)
    return {
        "population": Q(),
        "hukou_agricultural": farming & local,
        "hukou_non_agricultural": urban & local,
        "inflow": ~local,
        "women_married_15_49": married_women,
        "women_married_15_49_agricultural": married_women & farming & local,
        "women_married_15_49_non_agricultural": married_women & urban & local,
        "women_married_15_49_inflow": married_women & ~local,
        "aged_60_plus": Q(resident__birth_date__lte=years_before(day, 60)),
        "aged_65_plus": Q(resident__birth_date__lte=years_before(day, 65)),
    }


def of_the_births() -> dict[str, Q]:
    """{code: condition} on births_in()."""
    return {
        "births": Q(),
        "births_boys": Q(sex=Sex.MALE),
        "births_girls": Q(sex=Sex.FEMALE),
        "births_order_1": Q(order=1),
        "births_order_2": Q(order=2),
        "births_order_3_plus": Q(order__gte=3),
        "births_within_policy": Q(within_policy=True),
    }


def certificate_holders(day: date) -> QuerySet:
    """Spells of the living whose only-child certificate counts; both parents may hold one number."""
    return (
        Residency.objects.living_on(day)
        .exclude(resident__only_child_cert_no="")
        .exclude(residence=Residence.INFLOW)
    )


def deaths_in(span: Span) -> QuerySet:
    """The spell in force on the day of death, of everybody whose death date lies in the span."""
    return Residency.objects.filter(
        in_force_on(F("resident__death_date")),
        resident__death_date__range=(span.start, span.as_of),
    )


def births_in(span: Span) -> QuerySet:
    """Births of the span with the place they count in: the mother's that day, else the father's.

    A birth of which neither was registered that day has no place and counts nowhere.
    """
    born_on = F("birth_date")
    by_mother = Q(mother_spell__isnull=False)
    return ChildRecord.objects.filter(
        origin=Origin.BORN, birth_date__range=(span.start, span.as_of)
    ).annotate(
        mother_spell=FilteredRelation(
            "mother__residencies", condition=in_force_on(born_on, "mother__residencies__")
        ),
        father_spell=FilteredRelation(
            "father__residencies", condition=in_force_on(born_on, "father__residencies__")
        ),
        place=Coalesce("mother_spell__village", "father_spell__village"),
        place_path=Coalesce("mother_spell__village__path", "father_spell__village__path"),
        place_household=Coalesce("mother_spell__household", "father_spell__household"),
        place_group=Case(
            When(by_mother, then=F("mother_spell__household__group")),
            default=F("father_spell__household__group"),
        ),
    )


def in_force_on(day, prefix: str = "") -> Q:
    """As ResidencyQuerySet.in_force_on, of spells that another record leads to.

    `day` may be another column of the row.
    """
    return (Q(**{f"{prefix}started_on__isnull": True}) | Q(**{f"{prefix}started_on__lte": day})) & (
        Q(**{f"{prefix}ended_on__isnull": True}) | Q(**{f"{prefix}ended_on__gt": day})
    )


# Figures ---------------------------------------------------------------------------------------


def compute_population(
    regions: Sequence[Region], span: Span, codes: Collection[str] = ()
) -> dict[str, dict[str, Figure]]:
    """The group population for all of `regions`; see IndicatorGroup.compute."""
    wanted = set(codes) or {i.code for i in POPULATION}
    figures: dict[str, dict[str, Figure]] = {region.code: {} for region in regions}
    living = Residency.objects.living_on(span.as_of)
    counts = {
        code: Count("pk", filter=condition) if condition else Count("pk")
        for code, condition in of_the_living(span.as_of).items()
        if code in wanted
    }
    if "households" in wanted:
        counts["households"] = Count("household", distinct=True)
    if counts:
        _merge(figures, sum_up(regions, living, counts, SPELL_PLACE))
    if "only_child_certificates" in wanted:
        distinct = Count("resident__only_child_cert_no", distinct=True)
        numbers = by_level(regions, certificate_holders(span.as_of), distinct, SPELL_PLACE)
        _merge(figures, {code: {"only_child_certificates": n} for code, n in numbers.items()})
    if wanted & {"deaths", "natural_growth"}:
        dead = {"deaths": Count("pk")}
        _merge(figures, sum_up(regions, deaths_in(span), dead, SPELL_PLACE))
    if "natural_growth" in wanted:
        births = sum_up(regions, births_in(span), {"births": Count("pk")}, BIRTH_PLACE)
        for code, row in figures.items():
            row["natural_growth"] = births[code]["births"] - row["deaths"]
    return _in_order(figures, POPULATION, wanted)


def compute_births(
    regions: Sequence[Region], span: Span, codes: Collection[str] = ()
) -> dict[str, dict[str, Figure]]:
    """The group births for all of `regions`; see IndicatorGroup.compute."""
    counts = {
        code: Count("pk", filter=q) if q else Count("pk") for code, q in of_the_births().items()
    }
    figures = sum_up(regions, births_in(span), counts, BIRTH_PLACE)
    for row in figures.values():
        births, boys, girls = row["births"], row["births_boys"], row["births_girls"]
        low, high = statistics.sex_ratio_interval(boys, girls) or (None, None)
        row["within_policy_rate"] = row["births_within_policy"] / births * 100 if births else None
        row["sex_ratio_at_birth"] = statistics.sex_ratio(boys, girls)
        row["sex_ratio_at_birth_low"], row["sex_ratio_at_birth_high"] = low, high
        row["sex_ratio_at_birth_p"] = statistics.sex_ratio_p_value(boys, girls)
    return _in_order(figures, BIRTHS, set(codes) or {i.code for i in BIRTHS})


def _merge(figures: dict, more: dict) -> None:
    for code, row in more.items():
        figures[code] |= row


def _in_order(figures: dict, indicators: Sequence[Indicator], wanted: set[str]) -> dict:
    codes = [i.code for i in indicators if i.code in wanted]
    return {place: {code: row[code] for code in codes} for place, row in figures.items()}


# Lists -----------------------------------------------------------------------------------------


def people_of_population(code: str, region: Region, span: Span) -> ListRows:
    """The records behind a figure of the group population."""
    inside = SPELL_PLACE.lies_in([region])
    living = Residency.objects.living_on(span.as_of).filter(inside)
    if code == "households":
        return ListRows(household_part(living))
    if code == "only_child_certificates":
        holders = certificate_holders(span.as_of).filter(inside)
        first = (
            holders.order_by()
            .values("resident__only_child_cert_no")
            .annotate(holder=Min("resident"))
        )
        return ListRows(spell_part(living.filter(resident__in=first.values("holder"))))
    if code == "deaths":
        return ListRows(death_part(deaths_in(span).filter(inside)))
    if code == "natural_growth":
        born = births_in(span).filter(BIRTH_PLACE.lies_in([region]))
        return ListRows(
            birth_part(born, {"类别": "出生"}),
            death_part(deaths_in(span).filter(inside), {"类别": "死亡"}),
        )
    return ListRows(spell_part(living.filter(of_the_living(span.as_of)[code])))


def people_of_births(code: str, region: Region, span: Span) -> ListRows:
    """The records behind a figure of the group births; a rate's are its numerator's."""
    condition = of_the_births()[LISTED_AS.get(code, code)]
    return ListRows(birth_part(births_in(span).filter(BIRTH_PLACE.lies_in([region]), condition)))


def spell_part(spells: QuerySet, facts=None, also: Sequence[str] = ()):
    """People at the household of each spell; facts(record) gives further columns, read from `also`."""

    def row(record):
        return ListRow(
            village_code=record["village__code"],
            household_no=record["household__number"],
            name=record["resident__name"],
            resident_id=record["resident_id"],
            household_id=record["household_id"],
            facts={
                "性别": record["resident__sex"],
                "出生日期": record["resident__birth_date"].isoformat(),
                **(facts(record) if facts else {}),
            },
        )

    columns = (
        "village__code", "household__number", "household_id", "resident_id", "resident__name",
        "resident__sex", "resident__birth_date", "resident__death_date", "started_on", "reason", *also,
    )  # fmt: skip
    order = ("village__code", "household__number", "resident_id", "pk")
    return spells.order_by(*order).values(*columns), row


def death_part(spells: QuerySet, more: dict | None = None, also: Sequence[str] = ()):
    """The dead, with the day."""
    return spell_part(
        spells,
        lambda r: {"死亡日期": r["resident__death_date"].isoformat(), **(more or {})},
        also,
    )


def household_part(living: QuerySet):
    """A row for each household of `living`: its head, or the oldest where none is living."""
    by_rank = Window(
        RowNumber(),
        partition_by="household_id",
        order_by=[
            Case(When(relation=Relation.HEAD, then=0), default=1),
            F("resident__birth_date").asc(),
            F("resident_id").asc(),
        ],
    )
    return spell_part(living.annotate(rank=by_rank).filter(rank=1))


def birth_part(births: QuerySet, more: dict | None = None, facts=None, also: Sequence[str] = ()):
    """Children at the household of their mother, else their father, on the day of birth."""

    def row(record):
        return ListRow(
            village_code=record["place_code"],
            household_no=record["place_number"],
            name=record["child_name"] or record["child__name"] or "未取名",
            resident_id=record["child_id"],
            household_id=record["place_household"],
            facts={
                "性别": record["sex"],
                "出生日期": record["birth_date"].isoformat(),
                "孩次": record["order"],
                **(facts(record) if facts else {}),
                **(more or {}),
            },
        )

    records = births.annotate(
        place_code=Coalesce("mother_spell__village__code", "father_spell__village__code"),
        place_number=Coalesce("mother_spell__household__number", "father_spell__household__number"),
    )
    columns = (
        "place_code", "place_number", "place_household", "child_id", "child_name", "child__name",
        "sex", "birth_date", "order", "survival", "death_date", *also,
    )  # fmt: skip
    return records.order_by("place_code", "place_number", "birth_date", "pk").values(*columns), row


def links_of(user, rows: Sequence[ListRow]) -> list[tuple[str, str]]:
    """Where each row leads; somebody who has since moved out of the user's region isn't linked."""
    people = Resident.objects.visible_to(user).filter(pk__in={r.resident_id for r in rows})
    homes = Household.objects.visible_to(user).filter(pk__in={r.household_id for r in rows})
    people, homes = (
        set(people.values_list("pk", flat=True)),
        set(homes.values_list("pk", flat=True)),
    )
    return [
        (
            reverse("households:resident-detail", args=[r.resident_id])
            if r.resident_id in people
            else "",
            reverse("households:household-detail", args=[r.household_id])
            if r.household_id in homes
            else "",
        )
        for r in rows
    ]


population_group = IndicatorGroup(
    "population",
    "人口",
    POPULATION,
    POPULATION_COLUMNS,
    compute_population,
    people_of_population,
    links_of,
)
births_group = IndicatorGroup(
    "births", "出生", BIRTHS, BIRTHS_COLUMNS, compute_births, people_of_births, links_of
)
