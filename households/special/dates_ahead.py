"""Dates that matter to special families (重要日期), shown ahead to the office and the contacts.

Nothing here is sent to anybody: the families are never written to.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.dates import month_end, years_before
from fpadmin.ui import todos
from fpadmin.ui.choices import NamedFilter
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.listing import Asked
from fpadmin.ui.todos import Todo, TodoSource
from households import selectors
from households.models import (
    Anniversary,
    FamilyKind,
    FamilyParent,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    Residency,
    SpecialFamily,
    living,
)
from households.special import criteria
from households.special.archive_list import parent_names
from households.special.doctor_contracts import SOURCES
from households.special.due import own_families

SUPPORT_AGE, ELDERLY_AGE = 49, 60
SUPPORT, ELDERLY, CARD, CONTRACT = "support", "elderly", "card", "contract"
INSURANCE, CHECK, ANNIVERSARY, EXPIRING = "insurance", "check", "anniversary", "expiring"
WORDS = {
    SUPPORT: f"年满{SUPPORT_AGE}周岁",
    ELDERLY: f"年满{ELDERLY_AGE}周岁",
    CARD: "就医卡到期",
    CONTRACT: "家庭医生签约到期",
    INSURANCE: "住院护理保险到期",
    CHECK: "本年还没有体检",
    ANNIVERSARY: "温和提醒",
}
MARKS = (7, 30, 60)  # days before something expires at which its mark changes
EXPIRES = (CARD, CONTRACT, INSURANCE)
CLERK_DAYS, GENTLE_DAYS = 30, 14
PLACE = ("family__household__village__name", "family__household__number")


@dataclass(frozen=True)
class DayAhead:
    """One date of one family: whose, what about, and the mark of what expires soon."""

    day: date
    kind: str
    family: int
    names: str
    village: str
    household: str
    about: str = ""
    tag: tuple[str, str] | None = None

    @property
    def word(self) -> str:
        """What kind of date it is."""
        return WORDS[self.kind]

    @property
    def url(self) -> str:
        """The family's archive."""
        return reverse("households:special-family-detail", args=[self.family])

    @property
    def is_gentle(self) -> bool:
        """Whether the family asked for it to be remembered."""
        return self.kind == ANNIVERSARY


Kind = Callable[[QuerySet, date, date], list[DayAhead]]


def last_day(day: date) -> date:
    """The end of the twelfth month, that of `day` being the first."""
    return month_end(day.year + (day.month > 1), day.month - 1 or 12)


def next_on(month: int, day_of_month: int, day: date) -> date:
    """The next such day from `day` on; 2月29日 is remembered on the 28th where there is no 29th."""
    for year in (day.year, day.year + 1):
        try:
            found = date(year, month, day_of_month)
        except ValueError:
            found = month_end(year, month)
        if found >= day:
            return found
    raise ValueError(f"no {month}-{day_of_month} within a year of {day}")


def birthday(birth_date: date, years: int) -> date:
    """The day on which somebody completes that many years; born 29 February, on 1 March."""
    try:
        return birth_date.replace(year=birth_date.year + years)
    except ValueError:
        return date(birth_date.year + years, 3, 1)


def ahead(families: QuerySet, day: date, last: date, kinds=tuple(WORDS)) -> list[DayAhead]:
    """The dates of these archives from `day` to `last` in order: one query per kind (and source)."""
    keys = families.open_on(day).order_by().values("pk")
    found = [item for kind in kinds for item in _FINDERS[kind](keys, day, last)]
    return sorted(found, key=lambda item: (item.day, item.village, item.household, item.kind))


def by_month(items: list[DayAhead]) -> list[tuple[date, list[DayAhead]]]:
    """The dates under the first day of their months."""
    months: dict[date, list[DayAhead]] = {}
    for item in items:
        months.setdefault(item.day.replace(day=1), []).append(item)
    return list(months.items())


# Kinds ------------------------------------------------------------------------------------------


def _completing(years: int, day: date, last: date) -> tuple[date, date]:
    """After which birth date and up to which one somebody completes the years from `day` to `last`."""
    return years_before(day - timedelta(days=1), years), years_before(last, years)


def _support(keys: QuerySet, day: date, last: date) -> list[DayAhead]:
    """A couple on the wife's day, whoever else on their own; the rule is that of the support."""
    after, until = _completing(SUPPORT_AGE, day, last)
    archive = "resident__special_archives"
    spells = Residency.objects.living_on(day).filter(
        **{
            f"{archive}__family__in": keys,
            f"{archive}__family__kind__in": [FamilyKind.DEATH, FamilyKind.DISABILITY],
            f"{archive}__ended_on__isnull": True,
        }
    )
    rows = (
        criteria.with_facts(spells, day)
        .filter(wife_birth_date__gt=after, wife_birth_date__lte=until)
        .order_by(f"{archive}__family", "resident")
        .values_list(
            f"{archive}__family",
            "wife_birth_date",
            "resident__name",
            f"{archive}__family__household__village__name",
            f"{archive}__family__household__number",
        )
    )
    items: dict[tuple[int, date], DayAhead] = {}
    for family, birth_date, name, village, household in rows:
        on = birthday(birth_date, SUPPORT_AGE)
        known = items.get((family, on))
        names = f"{known.names}、{name}" if known else name
        items[family, on] = DayAhead(
            on, SUPPORT, family, names, village, household, "可以申请特别扶助，请核对条件"
        )
    return list(items.values())


def _elderly(keys: QuerySet, day: date, last: date) -> list[DayAhead]:
    after, until = _completing(ELDERLY_AGE, day, last)
    rows = (
        _parents(keys, day)
        .filter(resident__birth_date__gt=after, resident__birth_date__lte=until)
        .values_list("family", "resident__birth_date", "resident__name", *PLACE)
    )
    return [
        DayAhead(birthday(birth_date, ELDERLY_AGE), ELDERLY, family, *names)
        for family, birth_date, *names in rows
    ]


def _cards(keys: QuerySet, day: date, last: date) -> list[DayAhead]:
    rows = MedicalCard.objects.filter(
        family__in=keys, ended_on__isnull=True, expires_on__range=(day, last)
    )
    return [
        DayAhead(until, CARD, family, *place, about=f"卡号{number}", tag=_mark(until, day))
        for family, until, number, *place in _described(rows, "expires_on", "number")
    ]


def _contracts(keys: QuerySet, day: date, last: date) -> list[DayAhead]:
    parents = {row[0]: row[1:] for row in _parents(keys, day).values_list(
        "resident", "family", "resident__name", *PLACE)}  # fmt: skip
    items = []
    for source in SOURCES.values():
        rows = source(day).filter(resident__in=list(parents), until__range=(day, last)).order_by()
        items += [
            DayAhead(until, CONTRACT, *parents[resident], about=institution, tag=_mark(until, day))
            for resident, until, institution in rows.values_list(
                "resident_id", "until", "institution"
            )
        ]
    return items


def _insurances(keys: QuerySet, day: date, last: date) -> list[DayAhead]:
    """Those that no other insurance of the family follows."""
    follows = NursingInsurance.objects.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gt=OuterRef("ends_on")), family=OuterRef("family")
    )
    rows = NursingInsurance.objects.filter(
        ~Exists(follows), family__in=keys, ends_on__range=(day, last)
    )
    return [
        DayAhead(until, INSURANCE, family, *place, about=insurer, tag=_mark(until, day))
        for family, until, insurer, *place in _described(rows, "ends_on", "insurer")
    ]


def _checks(keys: QuerySet, day: date, last: date) -> list[DayAhead]:
    """Parents without a check of this year, on its last day."""
    year_end = date(day.year, 12, 31)
    if year_end > last:
        return []
    done = HealthCheck.objects.filter(resident=OuterRef("resident"), checked_on__year=day.year)
    rows = _parents(keys, day).filter(~Exists(done))
    items: dict[int, DayAhead] = {}
    for family, name, *place in rows.order_by("family", "pk").values_list(
        "family", "resident__name", *PLACE
    ):
        names = f"{items[family].names}、{name}" if family in items else name
        items[family] = DayAhead(year_end, CHECK, family, names, *place)
    return list(items.values())


def _anniversaries(keys: QuerySet, day: date, last: date) -> list[DayAhead]:
    rows = _described(Anniversary.objects.filter(family__in=keys), "month", "day", "title", "note")
    items = []
    for family, month, day_of_month, title, note, *place in rows:
        on = next_on(month, day_of_month, day)
        about = f"{title}。{note}" if note else title
        if on <= last:
            items.append(DayAhead(on, ANNIVERSARY, family, *place, about=about))
    return items


_FINDERS: dict[str, Kind] = {
    SUPPORT: _support,
    ELDERLY: _elderly,
    CARD: _cards,
    CONTRACT: _contracts,
    INSURANCE: _insurances,
    CHECK: _checks,
    ANNIVERSARY: _anniversaries,
}


def _parents(keys: QuerySet, day: date) -> QuerySet:
    """The living parents of the archives."""
    return FamilyParent.objects.filter(
        living(day, "resident__"), family__in=keys, ended_on__isnull=True
    ).order_by("pk")


def _described(rows: QuerySet, *names: str) -> QuerySet:
    """family, the named columns, the parents' names, village and household number of each row."""
    return (
        rows.annotate(names=parent_names("family"))
        .order_by("pk")
        .values_list("family", *names, "names", *PLACE)
    )


def _mark(until: date, day: date) -> tuple[str, str] | None:
    left = (until - day).days
    mark = next((days for days in MARKS if left <= days), None)
    if mark is None:
        return None
    return ("wait" if mark == MARKS[-1] else "warn", f"{mark}天内到期")


# Page and home ----------------------------------------------------------------------------------


class AheadFilter(FilterSet):
    """Which archives, and which of their dates; of_dates() reads the latter."""

    kind = django_filters.ChoiceFilter(
        label="事项", choices=[(EXPIRING, "快到期（卡、签约、保险）"), *WORDS.items()],
        method="of_dates", empty_label="全部",
    )  # fmt: skip
    within = django_filters.ChoiceFilter(
        label="时间", choices=[("7", "7天内"), ("14", "14天内"), ("30", "30天内"), ("60", "60天内")],
        method="of_dates", empty_label="12个月内",
    )  # fmt: skip
    village = NamedFilter(
        label="村（社区）",
        field_name="household__village",
        queryset=lambda request: selectors.villages_of(request.user, request.day),
        empty_label="全部",
    )
    mine = django_filters.ChoiceFilter(
        label="联系人", choices=[("1", "本人联系的")], method="of_mine", empty_label="全部"
    )

    def of_dates(self, queryset, name, value):
        """The archives stay the same."""
        return queryset

    def of_mine(self, queryset, name, value):
        """Those whose contact the user is."""
        return queryset.filter(pk__in=own_families(self.request.user).order_by().values("pk"))

    def dates(self) -> list[DayAhead]:
        """What the conditions ask for; nothing while one cannot be understood."""
        if not self.form.is_valid():
            return []
        kind, within = (self.form.cleaned_data.get(name) for name in ("kind", "within"))
        day = self.request.day
        kinds = EXPIRES if kind == EXPIRING else (kind,) if kind else tuple(WORDS)
        last = day + timedelta(days=int(within)) if within else last_day(day)
        return ahead(self.rows(), day, last, kinds)


def filter_of(asked: Asked) -> AheadFilter:
    """The conditions of the page over the archives that the user may see."""
    families = SpecialFamily.objects.visible_to(asked.user)
    return AheadFilter(asked.GET, queryset=families, request=asked)


def todos_of(user, day: date) -> list[Todo]:
    """For the clerk what expires soon; for contacts, quietly, the days their families asked for."""
    page = reverse("households:special-date-list")
    found = []
    if user.may(Permission.SPECIAL_EDIT):
        families = SpecialFamily.objects.visible_to(user)
        soon = ahead(families, day, day + timedelta(days=CLERK_DAYS), EXPIRES)
        found.append(
            Todo(
                "特殊家庭的卡、签约、保险快到期", len(soon),
                f"{page}?kind={EXPIRING}&within={CLERK_DAYS}", "warn", f"{CLERK_DAYS}天内", act="去看",
            )
        )  # fmt: skip
    gentle = ahead(own_families(user), day, day + timedelta(days=GENTLE_DAYS), (ANNIVERSARY,))
    found.append(
        Todo(
            "家庭嘱托的日子快到了", len(gentle),
            f"{page}?kind={ANNIVERSARY}&within={GENTLE_DAYS}&mine=1", "wait", WORDS[ANNIVERSARY],
            hint="先看注意事项，再去看望或打个电话，不必提起", act="去看",
        )
    )  # fmt: skip
    return found


def load() -> None:
    """Register what waits. Called once, by ready()."""
    todos.register(TodoSource("special-dates", Permission.SPECIAL_VIEW, todos_of, order=60))
