"""What speaks against an archive as it stands: the criteria, its kind, and where its parents are."""

from collections import defaultdict
from datetime import date

from django.db.models import QuerySet

from households.models import FamilyKind, FamilyParent, Residency
from households.special import criteria
from households.special.rules import RuleBook, rule_book


def doubts(families: QuerySet, day: date) -> dict[int, str]:
    """{archive: what is doubtful, in words} for those of `families` that are; in a few queries.

    手术并发症 is attested by the county's board, not found by the criteria.
    """
    kinds = dict(families.order_by().values_list("pk", "kind"))
    parents = (
        FamilyParent.objects.filter(family__in=list(kinds), ended_on__isnull=True)
        .select_related("family", "resident__household")
        .order_by("pk")
    )
    people = {p.resident_id for p in parents}
    found = dict(
        criteria.found(day).filter(resident__in=people).values_list("resident", "found_kind")
    )
    spells = _spells(people - found.keys(), day)
    book = rule_book(day)
    words: dict[int, list[str]] = defaultdict(list)
    suits: dict[int, set[str]] = defaultdict(set)
    for parent in parents:
        if parent.resident_id in found:
            suits[parent.family_id].add(found[parent.resident_id])
    for parent in parents:
        family, resident = parent.family, parent.resident
        if not resident.is_living_on(day):
            words[family.pk].append(f"{resident.name}已去世")
        elif not resident.is_registered_on(day):
            words[family.pk].append(f"{resident.name}已迁出")
        elif resident.household_id != family.household_id:
            words[family.pk].append(f"{resident.name}现在在{resident.household}")
        elif family.kind != FamilyKind.COMPLICATION and resident.pk in spells:
            # Where the other parent meets the criteria, only another child speaks against the family.
            spell, children_alone = spells[resident.pk], bool(suits[family.pk])
            words[family.pk].append(_unmet(spell, day, book, children_alone))
    for family, kind in kinds.items():
        if suits[family] and kind != FamilyKind.COMPLICATION and kind not in suits[family]:
            now = "、".join(FamilyKind(k).label for k in sorted(suits[family]))
            words[family].append(f"档案类型是{FamilyKind(kind).label}，现在符合的是{now}")
    return {family: "；".join(filter(None, said)) for family, said in words.items() if any(said)}


def _spells(people: set[int], day: date) -> dict[int, Residency]:
    spells = Residency.objects.living_on(day).filter(resident__in=people)
    facts = criteria.with_facts(spells.select_related("resident", "village"), day)
    return {spell.resident_id: spell for spell in facts}


def _unmet(spell: Residency, day: date, book: RuleBook, children_alone: bool) -> str:
    failed = [
        c
        for c in criteria.explain(spell, day, book)
        if not c.holds and (c.of_children or not children_alone)
    ]
    said = "、".join(f"{c.text}（{c.value}）" for c in failed)
    return f"{spell.resident.name}不符合：{said}" if said else ""
