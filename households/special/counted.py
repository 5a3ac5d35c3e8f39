"""What the figures of special families count: each figure's records and condition once.

Everything about a family counts where its household was on the last day of the span, by the spells of
its members in force then, else where it is now: after 合村并居 the figures of a past day keep to the
villages of that day.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from fpadmin.accounts.models import Region
from fpadmin.dates import statistical_year_start
from fpadmin.reporting.registry import Span
from households.counting import GROUP, Gathered, Place
from households.indicators import SPELL_PLACE
from households.models import (
    VISITS,
    CareRule,
    ContactKind,
    ContactRecord,
    FamilyContact,
    FamilyKind,
    FamilyParent,
    HealthCheck,
    Household,
    MedicalCard,
    Residency,
    SpecialFamily,
)
from households.special import criteria
from households.special.doctor_contracts import under_contract
from households.special.family_months import number_done, number_due
from households.special.rules import RuleBook

# Counted by the keys of villages; nothing asks for a path.
PLACE = Place(village="place", path="", group="place_group")


def placed(records: QuerySet, household: str, day: date) -> QuerySet:
    """Records with the village and group of the household that `household` leads to, "" for itself."""
    way = f"{household}__" if household else ""
    spells = (
        Residency.objects.in_force_on(day)
        .filter(household=OuterRef(household or "pk"))
        .order_by("pk")
    )
    village = Subquery(spells.values("village")[:1], output_field=BigIntegerField())
    return records.order_by().annotate(
        place=Coalesce(village, F(f"{way}village"), output_field=BigIntegerField()),
        place_group=F(f"{way}group"),
    )


def with_codes(records: QuerySet) -> QuerySet:
    """Of placed() records, also the code of the village, for lists."""
    village = Region.objects.filter(pk=OuterRef("place"))
    return records.annotate(place_code=Subquery(village.values("code")))


# Families --------------------------------------------------------------------------------------


def families_on(day: date) -> QuerySet:
    """Archives open on the day."""
    return placed(SpecialFamily.objects.open_on(day), "household", day)


def of_the_families(day: date, book: RuleBook, places: Gathered) -> dict[str, Any]:
    """{code: condition} on families_on(day); what the office asks is that of their place."""
    contacts = FamilyContact.objects.in_term_on(day).filter(family=OuterRef("pk"))
    cards = MedicalCard.objects.valid_on(day).filter(family=OuterRef("pk"))
    visits = visits_in(Span(statistical_year_start(day), day)).filter(
        contact__family=OuterRef("pk")
    )
    asked = _Asked(book, places)
    people = _number_of(contacts, "family", "person")
    contacts_asked = asked.number(lambda rule: rule.contacts_required)
    visits_asked = asked.number(lambda rule: rule.visits_per_year)
    return {
        "special_families": Q(),
        "special_families_death": Q(kind=FamilyKind.DEATH),
        "special_families_disability": Q(kind=FamilyKind.DISABILITY),
        "special_families_complication": Q(kind=FamilyKind.COMPLICATION),
        "special_contacts_done": Q(GreaterThanOrEqual(people, contacts_asked)),
        "special_contacts_missing": Q(LessThan(people, contacts_asked)),
        "special_contact_kinds_missing": asked.kinds_missing(contacts),
        "special_medical_cards_done": Q(Exists(cards)),
        "special_medical_cards_missing": ~Q(Exists(cards)),
        "special_visits_short": Q(
            LessThan(_number_of(visits, "contact__family", "pk"), visits_asked)
        ),
    }


class _Asked:
    """What the rules of `book` ask at the places of `places`, as SQL."""

    def __init__(self, book: RuleBook, places: Gathered):
        paths = places.paths | {r.parent_id: r.path for r in places.regions if r.level == GROUP}
        self.rules = {pk: book.of(path) for pk, path in paths.items()}

    def number(self, value: Callable[[CareRule], int]):
        """value(rule) of the record's place."""
        villages = defaultdict(list)
        for pk, rule in self.rules.items():
            villages[value(rule)].append(pk)
        most, *others = sorted(villages, key=lambda number: -len(villages[number]))
        return Case(
            *(When(place__in=villages[number], then=Value(number)) for number in others),
            default=Value(most),
            output_field=IntegerField(),
        )

    def kinds_missing(self, contacts: QuerySet) -> Q:
        """A kind that the rule of the place asks for is not among `contacts`."""
        missing = Q(pk__in=[])
        for kind in ContactKind.values:
            villages = [pk for pk, rule in self.rules.items() if kind in rule.kinds_required]
            if villages:
                there = Exists(contacts.filter(person__kind=kind))
                missing |= Q(place__in=villages) & ~Q(there)
        return missing


# Households, parents, visits, months ---------------------------------------------------------------


def households_found(day: date, book: RuleBook, places: Gathered) -> QuerySet:
    """Households that the criteria find on the day at these places."""
    return placed(Household.objects.filter(pk__in=_found(day, book, places)), "", day)


def is_archived(day: date) -> Q:
    """For Household: its archive is open on the day."""
    return Q(Exists(SpecialFamily.objects.open_on(day).filter(household=OuterRef("pk"))))


def households_of(code: str, day: date, book: RuleBook, places: Gathered) -> QuerySet:
    """The households of one figure of 建档 at these places."""
    searched, having = _found(day, book, places), _archived(day)
    found, archived = Q(pk__in=searched), Q(pk__in=having)
    either = Q(pk__in=searched.union(having))
    counted = {
        "special_archives_due": either,
        "special_archives_done": found & archived,
        "special_archives_missing": found & ~archived,
        "special_archives_unfounded": archived & ~found,
    }
    return placed(Household.objects.filter(counted[code]), "", day).filter(places.lies_in(PLACE))


def parents_on(day: date) -> QuerySet:
    """Parents of open archives in term on the day, living and registered then."""
    here = Residency.objects.living_on(day).filter(resident=OuterRef("resident"))
    parents = FamilyParent.objects.in_term_on(day).filter(
        Exists(here),
        family__in=SpecialFamily.objects.open_on(day).order_by().values("pk"),
    )
    return placed(parents, "family__household", day)


def of_the_parents(day: date) -> dict[str, Q]:
    """{code: condition} on parents_on()."""
    signed = Q(under_contract(day))
    checked = Q(
        Exists(
            HealthCheck.objects.filter(
                resident=OuterRef("resident"), checked_on__range=(day.replace(month=1, day=1), day)
            )
        )
    )
    return {
        "special_parents": Q(),
        "special_doctors_done": signed,
        "special_doctors_missing": ~signed,
        "special_checkups_done": checked,
        "special_checkups_missing": ~checked,
    }


def visits_in(span: Span) -> QuerySet:
    """Contacts of the span that count as 走访慰问."""
    return (
        ContactRecord.objects.counted()
        .filter(happened_on__range=(span.start, span.as_of), purpose__in=VISITS)
        .order_by()
    )


def placed_visits(span: Span) -> QuerySet:
    """visits_in() with their places."""
    return placed(visits_in(span), "contact__family__household", span.as_of)


def all_families(span: Span) -> QuerySet:
    """Every archive that was open on a day of the span or before, with its place on the last day."""
    return placed(SpecialFamily.objects.filter(opened_on__lte=span.as_of), "household", span.as_of)


def of_the_span(span: Span) -> dict[str, Any]:
    """{code: expression}: what each of all_families() adds to a figure of the span."""
    visits = visits_in(span).filter(contact__family=OuterRef("pk"))
    return {
        "special_monthly_contacts_due": number_due(span),
        "special_monthly_contacts_done": number_done(span),
        "special_visits": _number_of(visits, "contact__family", "pk"),
    }


def _found(day: date, book: RuleBook, places: Gathered) -> QuerySet:
    inside = places.lies_in(SPELL_PLACE)
    return criteria.found(day, book).filter(inside).order_by().values("household")


def _archived(day: date) -> QuerySet:
    return SpecialFamily.objects.open_on(day).order_by().values("household")


def _number_of(records: QuerySet, of: str, counted: str):
    numbers = records.order_by().values(of).annotate(_n=Count(counted, distinct=True)).values("_n")
    return Coalesce(Subquery(numbers, output_field=IntegerField()), 0)
