"""The rows of the registers of care, as querysets of what a user may see."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, Value, When

from fpadmin.accounts.permissions import Permission
from fpadmin.ui import listing
from fpadmin.ui.listing import LISTS, Asked
from households.models import (
    AidReceived,
    FamilyParent,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    PriorityKind,
    PriorityService,
    SpecialFamily,
    living,
)
from households.special.archive_list import parent_names
from households.special.doctor_contracts import contract_value, under_contract

PRIORITIES = "special-priorities"
SOON_DAYS = 30
VALID, SOON, OVER, ENDED, NONE = "valid", "soon", "over", "ended", "none"
DONE, DUE = "done", "due"
STATE_TAGS = {VALID: "ok", SOON: "warn", OVER: "warn", ENDED: "off", NONE: "wait"}
HOUSEHOLD = "family__household"


def rows_of(model, user) -> QuerySet:
    """Rows of one table that the user may see, with their family's names, village and household."""
    return (
        model.objects.visible_to(user)
        .select_related(f"{HOUSEHOLD}__village", "family")
        .annotate(parent_names=parent_names("family"))
    )


def state_of(until: str, day: date, ended: Q | None = None) -> Case:
    """Whether what lasts to the day in the field `until` (unknown counts as always) is in force."""
    first = [When(ended, then=Value(ENDED))] if ended is not None else []
    return Case(
        *first,
        When(**{f"{until}__lt": day}, then=Value(OVER)),
        When(**{f"{until}__lte": day + timedelta(days=SOON_DAYS)}, then=Value(SOON)),
        default=Value(VALID),
    )


def cards(asked: Asked) -> QuerySet:
    """Cards in the order of their issue, newest first."""
    return (
        rows_of(MedicalCard, asked.user)
        .select_related("resident", f"{HOUSEHOLD}__village")
        .annotate(state=state_of("expires_on", asked.day, Q(ended_on__lte=asked.day)))
        .order_by(F("issued_on").desc(nulls_last=True), "-pk")
    )


def priorities(asked: Asked) -> QuerySet:
    """Uses of priorities, newest first."""
    return rows_of(PriorityService, asked.user).select_related(
        "resident", f"{HOUSEHOLD}__village", "recorded_by"
    )


def parents_on(user, day: date) -> QuerySet:
    """The living parents of archives that were open on `day`, as far as the user may see them."""
    family = Q(family__in=visible_open(user, day))
    return (
        FamilyParent.objects.in_term_on(day)
        .filter(family, living(day, "resident__"))
        .select_related("resident", f"{HOUSEHOLD}__village")
        .order_by(f"{HOUSEHOLD}__village__path", f"{HOUSEHOLD}__number", "pk")
    )


def visible_open(user, day: date) -> QuerySet:
    """Keys of the archives open on `day` that the user may see."""
    return SpecialFamily.objects.visible_to(user).open_on(day).order_by().values("pk")


def year_of(asked: Asked) -> int:
    """The calendar year asked for, else the current one."""
    typed = asked.GET.get("year", "")
    is_year = typed.isascii() and typed.isdigit() and 1949 <= int(typed[:5]) <= asked.day.year
    return int(typed) if is_year else asked.day.year


def checks(asked: Asked) -> QuerySet:
    """Parents with their last check of the year asked for. The result only for whom it is for."""
    year = year_of(asked)
    found = HealthCheck.objects.filter(
        resident=OuterRef("resident"), checked_on__year=year, checked_on__lte=asked.day
    ).order_by("-checked_on", "-pk")
    result = Value("")
    if asked.user.may(Permission.SPECIAL_HEALTH):
        result = Subquery(found.values("result")[:1])
    return parents_on(asked.user, min(asked.day, date(year, 12, 31))).annotate(
        checked_on=Subquery(found.values("checked_on")[:1]),
        hospital=Subquery(found.values("hospital")[:1]),
        result=result,
        state=Case(When(checked_on__isnull=True, then=Value(DUE)), default=Value(DONE)),
    )


def contracts(asked: Asked) -> QuerySet:
    """Parents with the contract in force today, from whichever source."""
    values = {
        name: contract_value(asked.day, name)
        for name in ("institution", "doctor", "signed_on", "until")
    }
    soon = asked.day + timedelta(days=SOON_DAYS)
    return parents_on(asked.user, asked.day).annotate(
        **values,
        state=Case(
            When(~Q(under_contract(asked.day)), then=Value(NONE)),
            When(until__lte=soon, then=Value(SOON)),
            default=Value(VALID),
        ),
    )


def insurances(asked: Asked) -> QuerySet:
    """Insurances, the newest first."""
    return rows_of(NursingInsurance, asked.user).annotate(state=state_of("ends_on", asked.day))


def aids(asked: Asked) -> QuerySet:
    """Benefits and aid received, newest first."""
    return rows_of(AidReceived, asked.user).select_related("resident", f"{HOUSEHOLD}__village")


def known_hospitals(user) -> list[str]:
    """Hospitals typed before where the user works, so that one hospital keeps one spelling."""
    used = PriorityService.objects.visible_to(user).order_by().values_list("hospital")
    checked = HealthCheck.objects.visible_to(user).exclude(hospital="").order_by()
    return sorted({name for (name,) in used.union(checked.values_list("hospital"))})


@dataclass(frozen=True)
class HospitalLine:
    """One hospital: how often each priority was used there, with the list behind each figure."""

    hospital: str
    cells: list[tuple[int, str]]


def by_hospital(asked: Asked) -> list[HospitalLine]:
    """The uses under the conditions of the list, whatever kind and hospital; the last line sums up."""
    query = asked.conditions
    for name in ("kind", "hospital"):
        query.pop(name, None)
    spec = LISTS[PRIORITIES]
    found = listing.filter_of(spec, Asked(asked.user, query, asked.session, asked.day)).rows()
    figures = {f"n{at}": Count("pk", filter=Q(kind=k)) for at, k in enumerate(PriorityKind.values)}
    rows = list(
        found.order_by().values("hospital").annotate(**figures, n=Count("pk")).order_by("hospital")
    )
    total = found.order_by().aggregate(**figures, n=Count("pk"))
    lines = [_hospital_line(row["hospital"], row, query) for row in rows]
    return [*lines, _hospital_line("", total, query)] if lines else []


def _hospital_line(hospital: str, row: dict[str, Any], query) -> HospitalLine:
    cells = []
    for at, kind in enumerate([*PriorityKind.values, ""]):
        link = query.copy()
        for name, value in (("kind", kind), ("hospital", hospital)):
            if value:
                link[name] = value
        cells.append((row["n" if not kind else f"n{at}"], f"?{link.urlencode()}"))
    return HospitalLine(hospital, cells)
