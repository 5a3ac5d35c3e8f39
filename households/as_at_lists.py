"""The lists of residents and households as at a past day, as page, count and export know them."""

import django_filters
import django_tables2 as tables
from django.db.models import QuerySet

from fpadmin import dates
from fpadmin.accounts.permissions import Permission
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.listing import Asked, ListColumn, ListSpec
from fpadmin.ui.tables import NOWRAP, NUMERIC, DayColumn, NameColumn, NumberColumn, Table
from households import as_at, selectors
from households.filters import AGED, SearchFilter
from households.forms.as_at import DayFilter
from households.models import Household, Hukou, Relation, Residence, Residency, Sex
from households.presenters import age_words, place_of

RESIDENTS, HOUSEHOLDS = "residents-as-at", "households-as-at"


def residents(asked: Asked) -> QuerySet:
    """Whoever counted in the user's region on the day, by the spell of that day."""
    spells = as_at.people_on(asked.user, asked.as_of)
    return spells.order_by("village__path", "household__number", "pk")


def households(asked: Asked) -> QuerySet:
    """The households in which somebody counted on the day."""
    return as_at.households_on(asked.user, asked.as_of).order_by("village__path", "number", "pk")


def _villages(asked):
    return selectors.villages_of(asked.user, asked.as_of)


def _groups(asked):
    """The groups of the village asked for, or of a village worker's own."""
    code = asked.GET.get("village", "")
    chosen = _villages(asked).filter(pk=code).first() if code.isdecimal() else None
    if chosen is None and asked.user.region.level == asked.user.region.Level.VILLAGE:
        chosen = asked.user.region
    return selectors.groups_of(asked.user, chosen)


class ResidentThenFilter(SearchFilter):
    """Conditions on the state of that day; ages are of that day too."""

    as_of = DayFilter(label="时点")
    village = NamedFilter(label="村（社区）", queryset=_villages, empty_label="全部")
    group = NamedFilter(
        label="小组", field_name="household__group", queryset=_groups, empty_label="全部"
    )
    age = django_filters.RangeFilter(label="年龄", method="by_age")
    residence = django_filters.ChoiceFilter(
        label="居住状态", choices=Residence.choices, empty_label="全部"
    )
    sex = django_filters.ChoiceFilter(
        label="性别", field_name="resident__sex", choices=Sex.choices, empty_label="全部"
    )
    aged = django_filters.ChoiceFilter(
        label="人群", choices=AGED, method="by_aged", empty_label="全部"
    )
    hukou = django_filters.ChoiceFilter(label="户口性质", choices=Hukou.choices, empty_label="全部")
    relation = django_filters.ChoiceFilter(
        label="与户主关系", choices=Relation.choices, empty_label="全部"
    )

    def found(self, queryset, search):
        return as_at.matching(queryset, search)

    def by_age(self, queryset, name, value):
        day = self.request.as_of
        # Years before the calendar begins match nobody, so they ask for nothing.
        if value.start is not None and 0 <= value.start < 200:
            youngest = dates.years_before(day, int(value.start))
            queryset = queryset.filter(resident__birth_date__lte=youngest)
        if value.stop is not None and 0 <= value.stop < 200:
            oldest = dates.years_before(day, int(value.stop) + 1)
            queryset = queryset.filter(resident__birth_date__gt=oldest)
        return queryset

    def by_aged(self, queryset, name, value):
        day = self.request.as_of
        if value == "under16":
            return queryset.filter(resident__birth_date__gt=dates.years_before(day, 16))
        return queryset.filter(resident__birth_date__lte=dates.years_before(day, int(value)))


class HouseholdThenFilter(SearchFilter):
    """Conditions of the households of that day."""

    as_of = DayFilter(label="时点")
    village = NamedFilter(
        label="村（社区）", queryset=_villages, empty_label="全部", method="by_village"
    )
    group = NamedFilter(label="小组", queryset=_groups, empty_label="全部")
    number = django_filters.CharFilter(label="户编号", max_length=30)

    def found(self, queryset, search):
        people = as_at.matching(as_at.people_on(self.request.user, self.request.as_of), search)
        return queryset.filter(pk__in=people.values("household"))

    def by_village(self, queryset, name, village):
        return queryset.filter(pk__in=as_at.homes_in(village, self.request.as_of))


def _seen(record, path: str) -> bool:
    """Whether the user, whose region the row names, sees that village now."""
    return path.startswith(record.seen_from)


def _person_url(record: Residency) -> str | None:
    if not _seen(record, record.resident.village.path):
        return None
    return f"{record.resident.get_absolute_url()}?as_of={record.as_of.isoformat()}"


class ResidentThenTable(Table):
    """One person a row, in the state of that day."""

    name = NameColumn(
        "姓名",
        accessor="resident__name",
        orderable=True,
        order_by=("resident__name_initials", "resident__name"),
        linkify=_person_url,
    )
    sex = tables.Column("性别", accessor="resident__sex")
    age = tables.Column(
        "年龄", accessor="resident__birth_date", orderable=True, order_by="-resident__birth_date",
        attrs=NUMERIC,
    )  # fmt: skip
    birth_date = DayColumn("出生日期", accessor="resident__birth_date", orderable=True)
    place = tables.Column("村组", accessor="pk", attrs=NOWRAP)
    household = tables.Column("户编号", accessor="household__number", orderable=True)
    started_on = DayColumn("自")

    class Meta:
        model = Residency
        fields = (
            "name", "sex", "age", "birth_date", "place", "household", "relation", "hukou",
            "residence", "started_on", "reason",
        )  # fmt: skip

    def render_age(self, value, record):
        return age_words(value, record.as_of)

    def render_place(self, record):
        return place_of(record.village, record.household.group)


class HouseholdThenTable(Table):
    """One household a row, as it was on that day."""

    number = NameColumn(
        "户编号",
        orderable=True,
        linkify=lambda record: (
            f"{record.get_absolute_url()}?as_of={record.as_of.isoformat()}"
            if _seen(record, record.village.path)
            else None
        ),
    )
    head = tables.Column("户主", accessor="head_name")
    place = tables.Column("村（社区）", accessor="village_then", attrs=NOWRAP)
    member_count = NumberColumn("人口")

    class Meta:
        model = Household
        fields = ("number", "head", "place", "member_count")


def _place(village: str, group: str | None, *_) -> str:
    return f"{village}　{group}" if group else village


RESIDENT_COLUMNS = (
    ListColumn("name", "姓名", ("resident__name", "resident__village__path"), fixed=True),
    ListColumn("sex", "性别", ("resident__sex",), width=6),
    ListColumn("age", "年龄", ("resident__birth_date",), kind="age", width=6),
    ListColumn("birth_date", "出生日期", ("resident__birth_date",), kind="date"),
    ListColumn("place", "村组", ("village__name", "household__group__name"), write=_place, width=18),
    ListColumn("household", "户编号", ("household__number",), kind="code", width=10),
    ListColumn("relation", "与户主关系", ("relation",), width=10),
    ListColumn("hukou", "户口性质", ("hukou",), width=10),
    ListColumn("residence", "居住状态", ("residence",), width=10),
    ListColumn("started_on", "自", ("started_on",), kind="date", shown=False),
    ListColumn("reason", "原因", ("reason",), shown=False),
)  # fmt: skip
HOUSEHOLD_COLUMNS = (
    ListColumn("number", "户编号", ("number", "village__path"), kind="code", fixed=True, width=10),
    ListColumn("head", "户主", ("head_name",)),
    ListColumn("place", "村（社区）", ("village_then",), width=18),
    ListColumn("member_count", "人口", ("member_count",), kind="number", width=6),
)


def load() -> None:
    """Register the lists. Called once, by ready()."""
    for key, title, unit, url_name, rows, table, filters, columns in (
        (
            RESIDENTS, "居民（时点）", "人", "households:resident-list", residents,
            ResidentThenTable, ResidentThenFilter, RESIDENT_COLUMNS,
        ),
        (
            HOUSEHOLDS, "家庭（时点）", "户", "households:household-list", households,
            HouseholdThenTable, HouseholdThenFilter, HOUSEHOLD_COLUMNS,
        ),
    ):  # fmt: skip
        listing.register(
            ListSpec(
                key=key,
                title=title,
                unit=unit,
                permission=Permission.REGISTRY_VIEW,
                url_name=url_name,
                queryset=rows,
                table_class=table,
                filter_class=filters,
                columns=columns,
            )
        )
        acts.register(
            Act(
                key, "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
                takes_key=True, order=80,
            )
        )  # fmt: skip
