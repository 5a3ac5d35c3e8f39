"""The kept what-ifs, and the people behind the figures of one."""

from dataclasses import dataclass, replace
from functools import partial

import django_filters
import django_tables2 as tables
from django.conf import settings
from django.db.models import QuerySet, Value
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.identity import mask_id_number
from fpadmin.ui import listing
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import HEALTH, Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, DayColumn, NameColumn, Table
from fpadmin.ui.templatetags.ui import mask_id, money, number
from households import selectors
from households.models import Resident
from households.presenters import place_of
from subsidies.models import Scenario
from subsidies.outlook import whatif
from subsidies.outlook.asking import HEADS
from subsidies.outlook.whatif import GAINED, SIDES, Row, Trial
from subsidies.policies import catalogue
from subsidies.policies.catalogue import criteria_from
from subsidies.policies.seeing import codes_for

KEY = "benefit-scenario-people"
SENSITIVE_KEY = (
    "benefit-scenario-people-sensitive"  # of policies that tell of a child's death or illness
)

_WIDE_FIGURE = {"th": {"class": "fp-num"}, "td": {"class": "fp-num fp-wide"}}


def scenarios_of(user) -> QuerySet[Scenario]:
    """The scenarios of the user's region, of policies that may be named to them; the newest first."""
    return (
        Scenario.objects.visible_to(user)
        .filter(policy_code__in=codes_for(user))
        .select_related("region", "made_by")
    )


def trial_of(scenario: Scenario) -> Trial:
    """The same trial anew, with the records of now."""
    return whatif.trial(
        scenario.policy_code,
        scenario.region,
        scenario.as_of,
        whatif.change_of(scenario.changes),
        before=criteria_from(scenario.changes["before"]),
    )


def unit_of(code: str) -> str:
    """What the policy's units are counted in."""
    return HEADS[catalogue.policy(code).who]


class ScenarioTable(Table):
    """One kept what-if a row."""

    name = NameColumn(linkify=("subsidies:scenario-detail", {"pk": tables.A("pk")}))
    policy = tables.Column("政策", accessor="policy_code")
    region = tables.Column("区划", accessor="region__name", attrs=NOWRAP)
    as_of = DayColumn("测算时点")
    people = tables.Column("人数：现行→改后", accessor="figures", attrs=_WIDE_FIGURE)
    yuan = tables.Column("金额增减（元）", accessor="figures", attrs=_WIDE_FIGURE)
    made_by = tables.Column("测算人", accessor="made_by__name", attrs=NOWRAP)
    made_at = DayColumn("测算日期")

    class Meta:
        model = Scenario
        fields = ("name", "policy", "region", "as_of", "people", "yuan", "made_by", "made_at")

    def render_policy(self, value):
        return catalogue.name_of(value)

    def render_people(self, record):
        whole = whatif.total(whatif.rows_of(record.figures))
        return f"{number(whole.now)}→{number(whole.changed)}{unit_of(record.policy_code)}"

    def render_yuan(self, record):
        return money(whatif.total(whatif.rows_of(record.figures)).yuan_more)


# The figures of one ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figure:
    """A number of the table; `url` opens the people it counted, "" where there are none."""

    number: int
    url: str


def drawn(scenario: Scenario, row: Row, villages: dict[str, int]) -> dict[str, Figure]:
    """The four numbers of a row with their lists; the total's are of the whole place."""
    query = f"{reverse('subsidies:scenario-people-list')}?scenario={scenario.pk}&side="
    place = f"&village={villages[row.code]}" if row.code in villages else ""
    opens = not row.code or place
    return {
        side: Figure(count, f"{query}{side}{place}" if count and opens else "")
        for side in SIDES
        for count in [getattr(row, side)]
    }


def bare(row: Row) -> dict[str, Figure]:
    """The four numbers of a row that is not kept and opens no lists."""
    return {side: Figure(getattr(row, side), "") for side in SIDES}


def pooled(rows: list[Row]) -> list[Row]:
    """The rows as they may leave the township: small villages only together, never one alone.

    A village counts as small where fewer than SMALL_CELL people stand behind one of its numbers.
    """
    small = [one for one in rows if _is_small(one)]
    if len(small) == 1:
        others = [one for one in rows if one not in small]
        small += sorted(others, key=lambda one: one.now + one.changed)[:1]
    if not small:
        return rows
    together = replace(whatif.total(small), name=f"其余{len(small)}个村（社区）")
    return [*(one for one in rows if one not in small), together]


def _is_small(row: Row) -> bool:
    numbers = (row.now, row.changed, row.gained, row.lost)
    return any(0 < count < settings.SMALL_CELL for count in numbers)


# The people behind them --------------------------------------------------------------------------------


def people_of(asked: Asked, *, sensitive: bool) -> QuerySet:
    """Who stands on the side that is asked for, of the scenario that is asked for."""
    key = asked.GET.get("scenario", "")
    known = key.isascii() and key.isdigit() and len(key) < 18
    scenario = scenarios_of(asked.user).filter(pk=key).first() if known else None
    people = Resident.objects.visible_to(asked.user).for_list()
    side = asked.GET.get("side") or GAINED
    if (
        scenario is None
        or side not in SIDES
        or catalogue.policy(scenario.policy_code).sensitive != sensitive
    ):
        return people.none()
    return people.filter(pk__in=whatif.people_ids(trial_of(scenario), side)).annotate(
        policy=Value(scenario.policy_code), as_of=Value(scenario.as_of.isoformat())
    )


class PeopleFilter(FilterSet):
    """The scenario and the side are always asked for."""

    scenario = NamedFilter(
        label="测算", method="as_it_is", empty_label=None,
        queryset=lambda request: scenarios_of(request.user),
    )  # fmt: skip
    side = django_filters.ChoiceFilter(
        label="哪些人", choices=list(SIDES.items()), method="as_it_is", empty_label=None
    )
    village = NamedFilter(
        label="村（社区）",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )

    def __init__(self, data, *, queryset, request):
        data = data.copy()
        data.setdefault("side", GAINED)
        super().__init__(data, queryset=queryset, request=request)

    def as_it_is(self, queryset, name, value):
        """The list is made for it already."""
        return queryset


def person_url(record) -> str:
    """The case of a row by the rule in force, on the scenario's day."""
    address = reverse("subsidies:eligibility-person", args=[record.pk])
    return f"{address}?policy={record.policy}&as_of={record.as_of}"


class PeopleTable(Table):
    """One unit a row: of a couple the wife, of a family the head; the name leads to the case."""

    name = NameColumn(linkify=person_url)
    id_number = tables.Column(attrs=NOWRAP_WIDE, empty_values=())
    place = tables.Column("村组", accessor="household", attrs=NOWRAP)
    household = tables.Column(
        "户编号",
        accessor="household__number",
        linkify=lambda record: record.household.get_absolute_url(),
    )
    birth_date = DayColumn("出生日期")

    class Meta:
        model = Resident
        fields = ("name", "sex", "id_number", "place", "household", "birth_date")

    def render_id_number(self, value):
        return mask_id(value)

    def render_place(self, record):
        return place_of(record.village, record.household.group)


def _place(village: str, group: str | None, *_) -> str:
    return f"{village}　{group}" if group else village


def _columns(kind: str) -> tuple[ListColumn, ...]:
    """The columns; `kind` is what the very names tell: HEALTH of a sensitive policy."""
    return (
        ListColumn("name", "姓名", ("name", "policy", "as_of"), fixed=True, sensitive=kind),
        ListColumn("sex", "性别", ("sex",), width=6),
        ListColumn(
            "id_number", "公民身份号码", ("id_number",), kind="code", mask=mask_id_number, width=22
        ),
        ListColumn(
            "place", "村组", ("village__name", "household__group__name"), write=_place, width=18
        ),
        ListColumn("household", "户编号", ("household__number",), kind="code", width=10),
        ListColumn("birth_date", "出生日期", ("birth_date",), kind="date"),
    )


def load() -> None:
    """Register the two lists of people. Called once, by ready()."""
    for key, sensitive in ((KEY, False), (SENSITIVE_KEY, True)):
        listing.register(
            ListSpec(
                key=key,
                title="测算名单",
                unit="条",
                permission=Permission.BENEFIT_BUDGET,
                url_name="subsidies:scenario-people-list",
                queryset=partial(people_of, sensitive=sensitive),
                table_class=PeopleTable,
                filter_class=PeopleFilter,
                columns=_columns(HEALTH if sensitive else ""),
                name_of=lambda row: row.name,
                place_of=lambda row: f"{row.village.name}　{row.household}",
            )
        )
