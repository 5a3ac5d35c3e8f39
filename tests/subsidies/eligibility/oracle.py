"""Who qualifies, worked out again in plain Python from the rows: loops, no SQL, words of its own."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from households.models import ChildRecord, LowIncomeSpell, Residency, Resident
from subsidies.models import Enrolment

RANKS = {"一级": 1, "二级": 2, "三级": 3, "四级": 4}


def completed_years(born: date, day: date) -> int:
    years = day.year - born.year
    return years - 1 if (day.month, day.day) < (born.month, born.day) else years


@dataclass
class World:
    """Everything that is registered, as dictionaries."""

    day: date

    def __post_init__(self):
        day = self.day
        self.people = {r.pk: r for r in Resident.objects.all()}
        self.spells = {}
        for spell in Residency.objects.select_related("village"):
            begun = spell.started_on is None or spell.started_on <= day
            over = spell.ended_on is not None and spell.ended_on <= day
            if begun and not over:
                self.spells[spell.resident_id] = spell
        self.children = defaultdict(list)
        for child in ChildRecord.objects.all():
            if child.birth_date <= day:
                for parent in {child.mother_id, child.father_id} - {None}:
                    self.children[parent].append(child)
        self.poor = {
            spell.household_id
            for spell in LowIncomeSpell.objects.all()
            if (spell.started_on is None or spell.started_on <= day)
            and (spell.ended_on is None or spell.ended_on > day)
        }
        self.drawn = defaultdict(set)
        month = (day.year, day.month)
        for line in Enrolment.objects.all():
            start, end = line.start_month, line.end_month
            if (start.year, start.month) <= month and (
                end is None or (end.year, end.month) >= month
            ):
                self.drawn[line.resident_id].add(line.policy_code)

    def alive(self, pk) -> bool:
        person = self.people[pk]
        born = person.birth_date <= self.day
        return born and not (person.death_date and person.death_date <= self.day)

    def present(self, pk) -> bool:
        return pk in self.spells and self.alive(pk)

    def spouse(self, pk):
        person = self.people[pk]
        if person.spouse_id and person.marital in ("初婚", "再婚", "复婚"):
            return person.spouse_id if self.present(person.spouse_id) else None
        return None

    def living_children(self, pk):
        return [c for c in self.children[pk] if c.death_date is None or c.death_date > self.day]

    def certified(self, pk) -> bool:
        person = self.people[pk]
        owners = [person] + ([self.people[person.spouse_id]] if person.spouse_id else [])
        return any(
            one.only_child_cert_no
            and (one.only_child_cert_date is None or one.only_child_cert_date <= self.day)
            for one in owners
        )

    def wife_born(self, pk) -> date:
        person, spouse = self.people[pk], self.spouse(pk)
        if person.sex == "男" and spouse and self.people[spouse].sex == "女":
            return self.people[spouse].birth_date
        return person.birth_date

    def holds(self, pk, key, params) -> bool:
        person, spell, day = self.people[pk], self.spells[pk], self.day
        living = self.living_children(pk)
        if key == "registered_here":
            return spell.residence != "流入"
        if key == "hukou":
            return spell.hukou == params
        if key == "spouse_hukou":
            spouse = self.spouse(pk)
            return spouse is None or self.spells[spouse].hukou == params
        if key == "born_from":
            return person.birth_date >= date.fromisoformat(str(params))
        if key == "age":
            return completed_years(person.birth_date, day) >= params["min"]
        if key == "wife_age":
            return completed_years(self.wife_born(pk), day) >= params["min"]
        if key == "ever_had_child":
            return bool(self.children[pk])
        if key == "children_ever":
            return len(self.children[pk]) == params
        if key == "living_children":
            sexes = [c.sex for c in living]
            cases = {"one": len(sexes) == 1, "two_girls": sexes == ["女", "女"], "none": not sexes}
            return any(cases[one] for one in params)
        if key == "only_child_disabled":
            if len(living) != 1 or not living[0].disability_grade:
                return False
            child = living[0]
            known = child.disability_date is None or child.disability_date <= day
            return known and RANKS[child.disability_grade] <= RANKS[params["max_grade"]]
        if key == "no_birth_outside_policy":
            return not any(
                not c.within_policy
                and str(params["from"]) <= c.birth_date.isoformat() <= str(params["to"])
                for c in self.children[pk]
            )
        if key == "certificate":
            return self.certified(pk)
        if key == "child_age":
            return len(living) == 1 and completed_years(living[0].birth_date, day) <= params["max"]
        if key == "employment":
            return person.employment in params
        if key == "dibao":
            return spell.household_id in self.poor
        assert key == "attested", key
        return True

    def qualifies(self, pk, policy) -> bool:
        return all(self.holds(pk, c.key, c.params) for c in policy.criteria) and not (
            self.drawn[pk] & set(policy.excludes)
        )

    def found(self, policy) -> set[int]:
        """The named people of the policy's units."""
        meeting = [pk for pk in self.people if self.present(pk) and self.qualifies(pk, policy)]
        if policy.who == "person":
            return set(meeting)
        if policy.who == "couple":
            return {self._wife(pk) for pk in meeting}
        if policy.who == "family":
            homes = {self.spells[pk].household_id for pk in meeting}
            return {self._head(home, meeting) for home in homes}
        return {
            child.child_id
            for pk in meeting
            for child in self.living_children(pk)
            if child.child_id and self.present(child.child_id)
        }

    def _wife(self, pk):
        spouse = self.spouse(pk)
        is_wife = spouse and self.people[spouse].sex == "女" and self.people[pk].sex == "男"
        return spouse if is_wife else pk

    def _head(self, home, meeting):
        members = [
            pk for pk, s in self.spells.items() if s.household_id == home and self.present(pk)
        ]
        heads = [pk for pk in members if self.spells[pk].relation == "户主"]
        return min(heads) if heads else min(pk for pk in meeting if pk in members)
