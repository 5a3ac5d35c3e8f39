"""The figures of special families counted one by one in plain Python, from all rows of the tables."""

import calendar
from collections import defaultdict
from datetime import date

from fpadmin.accounts.models import Region
from households.models import (
    CareRule,
    ChildRecord,
    ContactRecord,
    DoctorContract,
    FamilyContact,
    FamilyParent,
    HealthCheck,
    Household,
    MedicalCard,
    Residency,
    Resident,
    SpecialFamily,
)

KINDS = {"death": "死亡", "disability": "伤残", "complication": "手术并发症"}
RATES = {
    "special_archive_rate": ("special_archives_done", "special_archives_due"),
    "special_contacts_rate": ("special_contacts_done", "special_families"),
    "special_monthly_contact_rate": (
        "special_monthly_contacts_done",
        "special_monthly_contacts_due",
    ),
    "special_medical_card_rate": ("special_medical_cards_done", "special_families"),
    "special_doctor_rate": ("special_doctors_done", "special_parents"),
    "special_checkup_rate": ("special_checkups_done", "special_parents"),
}


def holds(start, end, day: date) -> bool:
    """Half-open, unknown ends count as always."""
    return (start is None or start <= day) and (end is None or end > day)


def month_ends(first: date, last: date) -> list[date]:
    ends = []
    for year in range(first.year, last.year + 1):
        for month in range(1, 13):
            end = date(year, month, calendar.monthrange(year, month)[1])
            if first <= end <= last:
                ends.append(end)
    return ends


class Oracle:
    """One span. counted() is {code: [(village, group, household number)]}, a place for each thing."""

    def __init__(self, span):
        self.start, self.day = span.start, span.as_of
        self.villages = {r.pk: r for r in Region.objects.all()}
        self.residents = Resident.objects.in_bulk()
        self.households = Household.objects.in_bulk()
        self.spells = list(Residency.objects.order_by("pk"))
        self.families = list(SpecialFamily.objects.order_by("pk"))
        self.terms = list(FamilyContact.objects.select_related("person"))
        self.records = [
            r for r in ContactRecord.objects.select_related("contact") if not r.voided_at
        ]
        self.rules = list(CareRule.objects.select_related("region"))
        self.children = list(ChildRecord.objects.all())

    def place(self, household) -> tuple:
        village = household.village_id
        for spell in self.spells:
            if spell.household_id == household.pk and holds(
                spell.started_on, spell.ended_on, self.day
            ):
                village = spell.village_id
                break
        return village, household.group_id, household.number

    def rule(self, village: int) -> CareRule:
        path = self.villages[village].path
        inside = [r for r in self.rules if r.from_on <= self.day and path.startswith(r.region.path)]
        nearest = max(inside, key=lambda r: (len(r.region.path), r.from_on), default=None)
        return nearest or CareRule(kinds_required=[])

    def is_living(self, person) -> bool:
        return person.birth_date <= self.day and (
            person.death_date is None or person.death_date > self.day
        )

    def is_registered(self, person_pk: int) -> bool:
        return self.is_living(self.residents[person_pk]) and any(
            s.resident_id == person_pk and holds(s.started_on, s.ended_on, self.day)
            for s in self.spells
        )

    def is_found(self, spell) -> bool:
        person = self.residents[spell.resident_id]
        if not holds(spell.started_on, spell.ended_on, self.day) or not self.is_living(person):
            return False
        if spell.residence not in ("常住", "流出") or person.birth_date < date(1933, 1, 1):
            return False
        wife = person
        spouse = self.residents.get(person.spouse_id)
        if (
            spouse and person.sex == "男" and spouse.sex == "女"
            and person.marital in ("初婚", "再婚", "复婚") and self.is_registered(spouse.pk)
        ):  # fmt: skip
            wife = spouse
        age = self.day.year - wife.birth_date.year
        age -= (self.day.month, self.day.day) < (wife.birth_date.month, wife.birth_date.day)
        if age < self.rule(spell.village_id).archive_age:
            return False
        own = [
            c for c in self.children
            if person.pk in (c.mother_id, c.father_id) and c.birth_date <= self.day
        ]  # fmt: skip
        if len(own) != 1:
            return False
        (child,) = own
        if child.death_date and child.death_date <= self.day:
            return True
        known = child.disability_date is None or child.disability_date <= self.day
        return child.disability_grade in ("一级", "二级", "三级") and known

    def is_open(self, family, day=None) -> bool:
        return holds(family.opened_on, family.closed_on, day or self.day)

    def visits_of(self, family, first: date) -> int:
        return sum(
            r.contact.family_id == family.pk and first <= r.happened_on <= self.day
            and r.purpose in ("节日慰问", "生病探望", "紧急帮扶")
            for r in self.records
        )  # fmt: skip

    def counted(self) -> dict[str, list]:
        found = defaultdict(list)
        self._families(found)
        self._archives(found)
        self._parents(found)
        for family in self.families:
            place = self.place(self.households[family.household_id])
            found["special_visits"] += [place] * self.visits_of(family, self.start)
            for end in month_ends(self.start, self.day):
                if not self.is_open(family, end):
                    continue
                done = any(
                    r.contact.family_id == family.pk
                    and (r.happened_on.year, r.happened_on.month) == (end.year, end.month)
                    for r in self.records
                )
                found["special_monthly_contacts_due"].append(place)
                what = "done" if done else "missed"
                found[f"special_monthly_contacts_{what}"].append(place)
        return found

    def _families(self, found):
        cards = list(MedicalCard.objects.all())
        october = date(self.day.year - (self.day.month < 10), 10, 1)
        for family in filter(self.is_open, self.families):
            place = self.place(self.households[family.household_id])
            rule = self.rule(place[0])
            people = {
                t.person for t in self.terms
                if t.family_id == family.pk and holds(t.started_on, t.ended_on, self.day)
            }  # fmt: skip
            has_card = any(
                c.family_id == family.pk and holds(c.issued_on, c.ended_on, self.day)
                and (c.expires_on is None or c.expires_on >= self.day)
                for c in cards
            )  # fmt: skip
            facts = {
                "special_families": True,
                **{f"special_families_{k}": family.kind == word for k, word in KINDS.items()},
                "special_contacts_done": len(people) >= rule.contacts_required,
                "special_contacts_missing": len(people) < rule.contacts_required,
                "special_contact_kinds_missing": bool(
                    set(rule.kinds_required) - {p.kind for p in people}
                ),
                "special_medical_cards_done": has_card,
                "special_medical_cards_missing": not has_card,
                "special_visits_short": self.visits_of(family, october) < rule.visits_per_year,
            }
            for code, is_so in facts.items():
                if is_so:
                    found[code].append(place)

    def _archives(self, found):
        searched = {s.household_id for s in self.spells if self.is_found(s)}
        having = {f.household_id for f in self.families if self.is_open(f)}
        for code, households in (
            ("due", searched | having), ("done", searched & having),
            ("missing", searched - having), ("unfounded", having - searched),
        ):  # fmt: skip
            places = [self.place(self.households[pk]) for pk in households]
            found[f"special_archives_{code}"] = places

    def _parents(self, found):
        families = {f.pk: f for f in self.families}
        contracts, checks = list(DoctorContract.objects.all()), list(HealthCheck.objects.all())
        for parent in FamilyParent.objects.all():
            family = families[parent.family_id]
            if not (
                self.is_open(family) and holds(parent.started_on, parent.ended_on, self.day)
                and self.is_registered(parent.resident_id)
            ):  # fmt: skip
                continue
            place = self.place(self.households[family.household_id])
            signed = any(
                c.resident_id == parent.resident_id and c.signed_on <= self.day <= c.until
                and (c.ended_on is None or c.ended_on > self.day)
                for c in contracts
            )  # fmt: skip
            checked = any(
                c.resident_id == parent.resident_id
                and date(self.day.year, 1, 1) <= c.checked_on <= self.day
                for c in checks
            )
            found["special_parents"].append(place)
            found[f"special_doctors_{'done' if signed else 'missing'}"].append(place)
            found[f"special_checkups_{'done' if checked else 'missing'}"].append(place)

    def lies_in(self, place: tuple, region) -> bool:
        if region.level == Region.Level.GROUP:
            return place[1] == region.pk
        return self.villages[place[0]].path.startswith(region.path)
