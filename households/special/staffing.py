"""Whether families have the contacts that the office asks for: enough of them, and of which kinds."""

from datetime import date
from typing import Any

from django.db.models import (
    BooleanField,
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

from fpadmin.accounts.models import Region
from households.models import CareRule, ContactKind, FamilyContact, SpecialFamily
from households.special.rules import RuleBook, rule_book

PLACE = "household__village__path"


def with_staffing(families: QuerySet, day: date, book: RuleBook | None = None) -> QuerySet:
    """Archives with `contact_count`, `contacts_required` and, per kind that some rule asks for, `lacks_…`.

    Contacts of `day` as they count: on the day of a hand-over the new one. One statement.
    """
    book = book or rule_book(day)
    terms = FamilyContact.objects.in_term_on(day).filter(family=OuterRef("pk")).order_by()
    counted = terms.values("family").annotate(number=Count("pk")).values("number")
    families = families.annotate(
        contact_count=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
        contacts_required=book.case(lambda rule: rule.contacts_required, PLACE, IntegerField()),
    )
    return families.annotate(
        **{_lacks(kind): _lacking(kind, terms, book) for kind in _kinds_asked(book)}
    )


def shortfalls(families: QuerySet, day: date, book: RuleBook | None = None) -> QuerySet:
    """The archives of `families` with too few contacts or without a kind that is asked for.

    Annotated as with_staffing() does; words_of() says of one what is missing.
    """
    book = book or rule_book(day)
    short = Q(contact_count__lt=F("contacts_required"))
    for kind in _kinds_asked(book):
        short |= Q(**{_lacks(kind): True})
    return with_staffing(families, day, book).filter(short)


def words_of(family: SpecialFamily) -> list[str]:
    """What an archive annotated by with_staffing() lacks, in the clerk's words; nothing when complete."""
    words = []
    if family.contact_count < family.contacts_required:
        words.append(f"要求{family.contacts_required}名联系人，现有{family.contact_count}名")
    missing = [kind.label for kind in ContactKind if getattr(family, _lacks(kind), False)]
    if missing:
        words.append(f"没有{'、'.join(missing)}")
    return words


def with_rule(book: RuleBook, region: Region, values: dict[str, Any]) -> RuleBook:
    """The book as if `region` had a rule of these values."""
    rules = book.rules | {region.path: CareRule(region=region, **values)}
    return RuleBook(dict(sorted(rules.items(), key=lambda item: -len(item[0]))))


def numbers_now(region: Region, day: date) -> tuple[int, int]:
    """How many open archives of `region` fall short on `day`, of how many.

    Numbers only: who may set the rule need not see the families.
    """
    return _numbers(region, day, rule_book(day))


def numbers_under(region: Region, values: dict[str, Any], day: date) -> tuple[int, int]:
    """The same as if `region` had a rule of these values.

    A place below with a rule of its own keeps that.
    """
    return _numbers(region, day, with_rule(rule_book(day), region, values))


def _numbers(region: Region, day: date, book: RuleBook) -> tuple[int, int]:
    families = SpecialFamily.objects.within(region).open_on(day).order_by()
    return shortfalls(families, day, book).count(), families.count()


def _kinds_asked(book: RuleBook) -> list[ContactKind]:
    asked = {kind for rule in book.rules.values() for kind in rule.kinds_required}
    return [kind for kind in ContactKind if kind in asked]


def _lacks(kind: ContactKind) -> str:
    return f"lacks_{kind.name.lower()}"


def _lacking(kind: ContactKind, terms: QuerySet, book: RuleBook):
    asked = book.case(lambda rule: kind in rule.kinds_required, PLACE, BooleanField())
    return Case(
        When(Exists(terms.filter(person__kind=kind)), then=Value(False)),
        default=asked,
        output_field=BooleanField(),
    )
