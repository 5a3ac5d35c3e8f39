"""A county of random special families: births, spells, archives, terms, records, cards, checks, rules."""

from datetime import date, timedelta
from itertools import count
from random import Random

from django.utils import timezone

from households.models import (
    CareRule,
    ContactRecord,
    DoctorContract,
    FamilyContact,
    FamilyParent,
    HealthCheck,
    MedicalCard,
    Residency,
    SpecialFamily,
)
from tests.factories.accounts import make_region, make_user
from tests.factories.households import make_birth, make_household, make_resident, make_spell
from tests.factories.special import make_person

FIRST, LAST = date(2017, 8, 1), date(2018, 12, 31)
KINDS = ("街道领导", "村居干部", "家庭医生")


class County:
    """Two townships, five villages, two groups and what happens there; `seed` decides everything."""

    def __init__(self, seed: int, households: int = 26):
        self.rng = Random(seed)
        self.orders = count(1)
        self.county = make_region("539981")
        self.townships = [make_region(f"539981{n}") for n in ("001", "002")]
        self.villages = [make_region(f"539981{n}") for n in (
            "001201", "001202", "001203", "002201", "002202")]  # fmt: skip
        self.groups = [make_region(f"{self.villages[0].code}{n}") for n in ("01", "02")]
        self._rules()
        self.people = {
            t.pk: [make_person(t, kind=self.rng.choice(KINDS)) for _ in range(5)]
            for t in self.townships
        }
        for _ in range(households):
            self._household()

    @property
    def regions(self):
        return [self.county, *self.townships, *self.villages, *self.groups]

    def day(self, first=FIRST, last=LAST) -> date:
        return first + timedelta(days=self.rng.randint(0, (last - first).days))

    def maybe(self, chance: float) -> bool:
        return self.rng.random() < chance

    def _rules(self):
        self.office = make_user("county", self.county)
        for region, from_on in (
            (self.county, date(2017, 9, 1)),
            (self.townships[1], date(2018, 3, 1)),
            (self.townships[1], date(2018, 6, 1)),
            (self.villages[1], date(2018, 1, 1)),
        ):
            CareRule.objects.create(
                region=region, from_on=from_on, document="文件", set_by=self.office,
                contacts_required=self.rng.randint(1, 3), archive_age=self.rng.randint(35, 60),
                visits_per_year=self.rng.randint(0, 2),
                kinds_required=self.rng.sample(KINDS, self.rng.randint(0, 2)),
            )  # fmt: skip

    def _household(self):
        village = self.rng.choice(self.villages)
        groups = self.groups if village == self.villages[0] else []
        household = make_household(village, group=self.rng.choice([None, *groups]))
        couple = [self._person(household, "男", "户主")]
        if self.maybe(0.8):
            couple.append(self._person(household, "女", "配偶"))
            for one, other in (couple, couple[::-1]):
                one.spouse = other
                one.save()
        self._children(couple)
        if self.maybe(0.25):
            self._merged(household, self.rng.choice(self.villages), self.day())
        if self.maybe(0.85):
            self._archives(household, couple)

    def _person(self, household, sex, relation):
        person = make_resident(
            household, sex=sex, relation=relation, birth_date=self.day(date(1930, 1, 1), date(1985, 1, 1)),
            marital=self.rng.choice(["初婚", "初婚", "再婚", "离婚"]),
            residence=self.rng.choice(["常住", "常住", "常住", "流出", "流入"]),
            death_date=self.day() if self.maybe(0.2) else None,
        )  # fmt: skip
        if self.maybe(0.15):
            Residency.objects.filter(resident=person).update(ended_on=self.day())
        if self.maybe(0.15):
            spell = Residency.objects.filter(resident=person, ended_on=None)
            spell.update(started_on=self.day(FIRST, date(2018, 6, 1)))
        return person

    def _children(self, couple):
        for _ in range(self.rng.choice([1, 1, 1, 2])):
            order = next(self.orders)
            facts = {}
            if self.maybe(0.5):
                facts = {"survival": "死亡", "death_date": self.day(date(2010, 1, 1))}
            if self.maybe(0.5):
                facts["disability_grade"] = self.rng.choice(["一级", "三级", "四级"])
                facts["disability_date"] = self.rng.choice([None, self.day()])
            mother = next((p for p in couple if p.sex == "女"), None)
            make_birth(
                mother, date(2005, 1, 1), order=order % 15 + 1, sex="男",
                father=couple[0] if self.maybe(0.9) or not mother else None, **facts,
            )  # fmt: skip

    def _merged(self, household, village, day):
        """The household belongs to another village from the day on, as after 合村并居."""
        household.village, household.group = village, None
        household.save()
        for spell in Residency.objects.filter(household=household, ended_on=None):
            if spell.started_on is None or spell.started_on < day:
                Residency.objects.filter(pk=spell.pk).update(ended_on=day)
                make_spell(spell.resident, day, household=household)
            else:
                Residency.objects.filter(pk=spell.pk).update(village=village)

    def _archives(self, household, couple):
        opened, closed = self.day(date(2017, 6, 1), date(2018, 8, 1)), None
        if self.maybe(0.3):
            closed = self.day(opened)
        self._archive(household, couple, opened, closed)
        if closed and self.maybe(0.6):
            self._archive(household, couple, self.day(closed), None)

    def _archive(self, household, couple, opened, closed):
        if household.special_families.filter(opened_on=opened).exists():
            return
        family = SpecialFamily.objects.create(
            household=household, kind=self.rng.choice(["死亡", "伤残", "手术并发症"]),
            opened_on=opened, closed_on=closed, close_reason="other" if closed else "",
        )  # fmt: skip
        for person in couple:
            started = self.day(opened) if self.maybe(0.2) else opened
            FamilyParent.objects.create(
                family=family, resident=person, started_on=started,
                ended_on=self.day(started) if self.maybe(0.15) else None,
            )  # fmt: skip
            self._care_of(family, person)
        for number in range(self.rng.randint(0, 2)):
            issued = self.day() if self.maybe(0.7) else None
            MedicalCard.objects.create(
                family=family, number=f"卡{number}", issued_on=issued,
                expires_on=self.day(issued or FIRST) if self.maybe(0.4) else None,
                ended_on=self.day(issued or FIRST) if self.maybe(0.3) else None,
            )  # fmt: skip
        township = household.village.parent_id
        for person in self.rng.sample(self.people[township], self.rng.randint(0, 4)):
            if not family.contacts.filter(person=person).exists():
                self._terms(family, person, opened, closed or LAST)

    def _care_of(self, family, person):
        for day in sorted({self.day() for _ in range(self.rng.randint(0, 2))}):
            HealthCheck.objects.get_or_create(
                resident=person, checked_on=day, defaults={"family": family, "recorded_on": day}
            )
        if self.maybe(0.6):
            signed = self.day()
            DoctorContract.objects.get_or_create(
                resident=person, signed_on=signed,
                defaults={
                    "family": family, "institution": "卫生院", "doctor": "李医生",
                    "until": self.day(signed), "ended_on": self.day(signed) if self.maybe(0.2) else None,
                },
            )  # fmt: skip

    def _terms(self, family, person, opened, closed):
        """A term, maybe handed over within the archive, with contacts on some days of it."""
        started = self.day(opened, closed)
        ended = self.day(started, closed) if self.maybe(0.4) else None
        term = FamilyContact.objects.create(
            family=family, person=person, started_on=started, ended_on=ended
        )
        if ended and self.maybe(0.7):
            others = [p for p in self.people[person.region_id] if p != person]
            successor = self.rng.choice(others)
            if not family.contacts.filter(person=successor).exists():
                FamilyContact.objects.create(
                    family=family, person=successor, started_on=ended, follows=term
                )
        for day in sorted(
            {self.day(started, ended or closed) for _ in range(self.rng.randint(0, 8))}
        ):
            ContactRecord.objects.create(
                contact=term, happened_on=day, recorded_on=day, channel="电话",
                purpose=self.rng.choice(["日常联系", "日常联系", "节日慰问", "生病探望", "紧急帮扶"]),
                **self._voided() if self.maybe(0.1) else {},
            )  # fmt: skip

    def _voided(self):
        return {"voided_at": timezone.now(), "voided_by": self.office, "void_reason": "误"}
