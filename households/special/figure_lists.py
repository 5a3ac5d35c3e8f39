"""The records behind a figure of special families, at the place where each is counted."""

from collections.abc import Sequence

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from fpadmin.accounts.models import Region
from fpadmin.reporting.registry import ListRow, ListRows, Span
from households.counting import gathered
from households.indicators import links_of
from households.models import FamilyKind, FamilyParent, SpecialFamily, living
from households.special import counted, criteria
from households.special.counted import PLACE
from households.special.family_months import FamilyMonths, label_of
from households.special.rules import RuleBook, rule_book

# A rate's list is its numerator's.
LISTED_AS = {
    "special_archive_rate": "special_archives_done",
    "special_contacts_rate": "special_contacts_done",
    "special_monthly_contact_rate": "special_monthly_contacts_done",
    "special_medical_card_rate": "special_medical_cards_done",
    "special_doctor_rate": "special_doctors_done",
    "special_checkup_rate": "special_checkups_done",
}
ARCHIVES = {f"special_archives_{what}" for what in ("due", "done", "missing", "unfounded")}
# Whether the family-months listed had a contact; None lists both.
MONTHS = {
    "special_monthly_contacts_due": None,
    "special_monthly_contacts_done": True,
    "special_monthly_contacts_missed": False,
}


def people_of_special(code: str, region: Region, span: Span) -> ListRows:
    """The records behind a figure of the group special_families."""
    code, day = LISTED_AS.get(code, code), span.as_of
    places, book = gathered([region]), rule_book(day)
    inside = places.lies_in(PLACE)
    if code in MONTHS:
        families = _family_columns(counted.all_families(span).filter(inside), day)
        months = FamilyMonths(families, span, MONTHS[code])
        return ListRows((months, lambda r: _family_row(r, {"月份": label_of(r["month"])})))
    if code == "special_visits":
        return ListRows(_visits(counted.placed_visits(span).filter(inside), day))
    families = counted.of_the_families(day, book, places)
    if code in families:
        found = counted.families_on(day).filter(inside, families[code])
        return ListRows((_family_columns(found, day), _family_row))
    if code in ARCHIVES:
        found = counted.households_of(code, day, book, places)
        return ListRows(_households(found, day, book))
    found = counted.parents_on(day).filter(inside, counted.of_the_parents(day)[code])
    return ListRows(_parents(found))


def links_of_archives(user, rows: Sequence[ListRow]) -> list[tuple[str, str]]:
    """The archive where the row is of one that `user` sees, else the person; and the household."""
    archives = SpecialFamily.objects.visible_to(user).in_bulk({r.record_id for r in rows})
    return [
        (archives[row.record_id].get_absolute_url() if row.record_id in archives else person, home)
        for row, (person, home) in zip(rows, links_of(user, rows), strict=True)
    ]


def _family_columns(families: QuerySet, day) -> QuerySet:
    """One of the parents names the family: of those in term and living, the one written first."""
    columns = (
        "pk", "place_code", "household__number", "household_id", "kind", "opened_on", "closed_on",
        "name", "parent",
    )  # fmt: skip
    return (
        counted.with_codes(families)
        .annotate(name=_parent(day, "pk", "name"), parent=_parent(day, "pk", "pk"))
        .order_by("place_code", "household__number", "opened_on", "pk")
        .values(*columns)
    )


def _parent(day, family, field: str):
    is_there = Q(Q(ended_on__isnull=True) | Q(ended_on__gt=day), living(day, "resident__"))
    parents = FamilyParent.objects.filter(family=OuterRef(family))
    return Subquery(
        parents.order_by(Case(When(is_there, then=0), default=1), "pk").values(
            f"resident__{field}"
        )[:1]
    )


def _family_row(record: dict, more: dict | None = None) -> ListRow:
    return ListRow(
        village_code=record["place_code"],
        household_no=record["household__number"],
        name=record["name"] or "",
        resident_id=record["parent"],
        household_id=record["household_id"],
        record_id=record["pk"],
        facts={
            **(more or {}),
            "家庭类型": FamilyKind(record["kind"]).label,
            "建档日期": record["opened_on"].isoformat(),
        },
    )


def _visits(visits: QuerySet, day):
    def row(record):
        return ListRow(
            village_code=record["place_code"],
            household_no=record["contact__family__household__number"],
            name=record["name"] or "",
            resident_id=record["parent"],
            household_id=record["contact__family__household"],
            record_id=record["contact__family"],
            facts={
                "联系日期": record["happened_on"].isoformat(),
                "类别": record["purpose"],
                "联系人": record["contact__person__name"],
            },
        )

    columns = (
        "place_code", "contact__family__household__number", "contact__family__household",
        "contact__family", "happened_on", "purpose", "contact__person__name", "name", "parent",
    )  # fmt: skip
    records = counted.with_codes(visits).annotate(
        name=_parent(day, "contact__family", "name"), parent=_parent(day, "contact__family", "pk")
    )
    order = ("place_code", "contact__family__household__number", "happened_on", "pk")
    return records.order_by(*order).values(*columns), row


def _households(households: QuerySet, day, book: RuleBook):
    """Households, named by a parent of the open archive, else by one whom the criteria find."""

    def row(record):
        return ListRow(
            village_code=record["place_code"],
            household_no=record["number"],
            name=record["name"] or "",
            resident_id=record["parent"],
            household_id=record["pk"],
            record_id=record["family"],
            facts={"家庭类型": FamilyKind(record["kind"]).label},
        )

    archives = SpecialFamily.objects.open_on(day).filter(household=OuterRef("pk")).order_by("pk")
    found = criteria.found(day, book).filter(household=OuterRef("pk")).order_by("pk")
    family = Subquery(archives.values("pk")[:1])
    records = (
        counted.with_codes(households)
        .annotate(
            family=family,
            kind=Coalesce(
                Subquery(archives.values("kind")[:1]), Subquery(found.values("found_kind")[:1])
            ),
        )
        .annotate(
            name=Coalesce(
                _parent(day, "family", "name"), Subquery(found.values("resident__name")[:1])
            ),
            parent=Coalesce(_parent(day, "family", "pk"), Subquery(found.values("resident")[:1])),
        )
    )
    order = ("place_code", "number", "pk")
    columns = ("pk", "place_code", "number", "family", "kind", "name", "parent")
    return records.order_by(*order).values(*columns), row


def _parents(parents: QuerySet):
    def row(record):
        return ListRow(
            village_code=record["place_code"],
            household_no=record["family__household__number"],
            name=record["resident__name"],
            resident_id=record["resident"],
            household_id=record["family__household"],
            record_id=record["family"],
            facts={
                "性别": record["resident__sex"],
                "出生日期": record["resident__birth_date"].isoformat(),
            },
        )

    columns = (
        "place_code", "family__household__number", "family__household", "family", "resident",
        "resident__name", "resident__sex", "resident__birth_date",
    )  # fmt: skip
    order = ("place_code", "family__household__number", "pk")
    return counted.with_codes(parents).order_by(*order).values(*columns), row
