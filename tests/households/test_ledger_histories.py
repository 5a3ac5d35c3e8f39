"""The ledger over random histories of events, written by the real services, with locks and undoing.

HISTORY_EXAMPLES=20 makes a night's run of it; a commit's is short.
"""

import os
from datetime import date, timedelta

from django.utils import timezone
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from fpadmin import dates
from fpadmin.audit.log import SystemJob
from fpadmin.errors import RuleViolation
from fpadmin.reporting.registry import RETURNS, Span
from fpadmin.reporting.services import make_return
from households import services
from households.invariants import departed_with_spell, overlapping_spells, states_off_spell
from households.ledger import CLASSES, code_of, compute_ledger
from households.ledger_lists import people_of_ledger
from households.ledger_locks import newest_lock
from households.models import Household, Hukou, LedgerLock, Relation, Resident, living, registered
from tests.factories.accounts import make_region, make_user
from tests.factories.households import make_household, make_id_number, make_resident
from tests.households.test_ledger import MORE, balanced

FIRST = date(2018, 7, 15)
MONTHS = [dates.month_period(2018, month) for month in range(4, 10)]
STEPS = int(os.environ.get("HISTORY_STEPS", "14"))
KINDS = [
    "birth", "death", "move_in", "inflow", "move_out", "outflow", "return", "split", "merge",
    "household_move", "household_move", "hukou_change", "marriage", "come_back", "correct",
    "register", "edit", "undo", "undo", "month", "lock", "lock", "unlock",
]  # fmt: skip

steps = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.integers(0, 40),  # whom
        st.integers(0, 40),  # where to
        st.integers(0, 75),  # how many days ago
    ),
    min_size=4,
    max_size=STEPS,
)


class World:
    """Three villages in two townships, the clerk who records, and the day it is."""

    def __init__(self):
        self.villages = [make_region(f"53998100120{n}") for n in (1, 2)]
        self.villages.append(make_region("539981100201"))
        self.townships = [self.villages[0].parent, self.villages[2].parent]
        self.county = self.townships[0].parent
        self.clerk = make_user("county", self.county, "histories")
        self.today = FIRST
        self.events: list = []
        self.kept: dict = {}  # (township, month) → its frozen figures
        self.births = 0
        for village in self.villages:
            for _ in range(2):
                home = make_household(village)
                make_resident(home, "甲", birth_date=date(1980, 1, 1), marital="未婚")
                make_resident(
                    home,
                    "乙",
                    sex="女",
                    relation="配偶",
                    birth_date=date(1985, 1, 1),
                    marital="未婚",
                )

    def do(self, kind: str, whom: int, where: int, ago: int) -> None:
        """One step. What the office would be refused changes nothing."""
        day = self.today - timedelta(days=ago)
        try:
            getattr(self, f"do_{kind}", self.record)(kind, whom, where, day)
        except RuleViolation:
            event(f"refused {kind}")
        else:
            event(kind)

    def record(self, kind, whom, where, day):
        values = self.values_for(kind, whom, where, day)
        if values is not None:
            self.events.append(
                services.record_event(
                    by=self.clerk, kind=kind, values=values, happened_on=day, today=self.today,
                    confirmed=True,
                )
            )  # fmt: skip

    def values_for(self, kind, whom, where, day):
        """What the form of the event would hand over, about somebody and some place."""
        people = list(
            Resident.objects.filter(registered(self.today))
            .select_related("household", "village", "spouse")
            .order_by("pk")
        )
        homes = list(Household.objects.select_related("village").order_by("pk"))
        if not people:
            return None
        person, target = people[whom % len(people)], homes[where % len(homes)]
        others = [p for p in people if p.household_id == person.household_id and p != person]
        heads = {others[0].pk: Relation.HEAD} if others and person.relation == Relation.HEAD else {}
        empty = not any(p.household_id == target.pk for p in people)
        there = {person.pk: Relation.HEAD if empty else Relation.OTHER}
        new = services.NewHousehold(
            village=self.villages[where % 3], group=None, number=f"{Household.objects.count():05d}"
        )
        return {
            "birth": lambda: self._birth(person, target, whom, day),
            "death": lambda: {"resident": person, "relations": heads},
            "move_in": lambda: {"household": target, "person": self._person(whom, empty)},
            "inflow": lambda: {"household": target, "person": self._person(whom, empty)},
            "move_out": lambda: {"members": [person], "relations": heads},
            "outflow": lambda: {"members": [person]},
            "return": lambda: {"members": [person]},
            "split": lambda: {
                "household": person.household, "members": [person], "target": new,
                "relations": heads | {person.pk: Relation.HEAD},
            },
            "merge": lambda: {
                "household": person.household, "target": target,
                "relations": dict.fromkeys([p.pk for p in [person, *others]], Relation.OTHER),
            },
            "household_move": lambda: {
                "members": [person], "target": target, "relations": heads | there
            },
            "hukou_change": lambda: {
                "members": [person], "hukou": Hukou.values[where % 2], "hukou_region_code": ""
            },
            "marriage": lambda: {
                "resident": person, "spouse": people[where % len(people)], "mover": "resident",
                "relation": Relation.SON_IN_LAW, "relations": heads,
            },
            "correct": lambda: None,
        }[kind]()  # fmt: skip

    def _person(self, number, is_head):
        born = date(1970, 1, 1) + timedelta(days=number)
        return {
            "name": "新", "sex": "男女"[number % 2], "birth_date": born, "marital": "未婚",
            "relation": Relation.HEAD if is_head else Relation.OTHER, "residence": "常住",
            "id_number": make_id_number(born, "男女"[number % 2]), "hukou_region_code": "",
            "hukou": Hukou.values[number % 2],
        }  # fmt: skip

    def _birth(self, person, target, whom, day):
        self.births += 1
        sex = "男女"[whom % 2]
        return {
            "parent": person,
            "household": person.household if whom % 4 else target,
            "child": {
                "name": f"孩{self.births}", "sex": sex, "birth_date": day, "marital": "未婚",
                "relation": Relation.OTHER, "residence": "常住", "hukou_region_code": "",
                "hukou": Hukou.values[whom % 2],
            },
            "birth": {
                "child_name": f"孩{self.births}", "sex": sex, "birth_date": day, "order": self.births,
                "origin": "亲生", "within_policy": True, "hospital": "", "survival": "存活",
                "birth_certificate_no": "", "death_date": None, "disability_grade": "",
                "disability_date": None,
            },
        }  # fmt: skip

    def do_come_back(self, kind, whom, where, day):
        gone = list(
            Resident.objects.filter(
                living(self.today), departed_on__isnull=False, merged_into__isnull=True
            ).order_by("pk")
        )
        homes = list(Household.objects.order_by("pk"))
        if gone:
            person = self._person(whom, False)
            values = {"household": homes[where % len(homes)], "person": person}
            values["existing"] = gone[whom % len(gone)]
            self.events.append(
                services.record_event(
                    by=self.clerk, kind="move_in", values=values, happened_on=day, today=self.today,
                    confirmed=True,
                )
            )  # fmt: skip

    def do_correct(self, kind, whom, where, day):
        """An identity that was wrong all along, perhaps with another sex or birth date."""
        everybody = list(Resident.objects.filter(merged_into__isnull=True).order_by("pk"))
        person = everybody[whom % len(everybody)]
        changed = {"sex": "男女"[where % 2]} if where % 3 else {"birth_date": day}
        self.events.append(
            services.record_event(
                by=self.clerk, kind="correction", happened_on=day, today=self.today,
                values={"resident": person, "person": changed}, confirmed=True,
            )
        )  # fmt: skip

    def do_register(self, kind, whom, where, day):
        """Somebody registered without an event, as an import does: from a day, or always there."""
        homes = list(Household.objects.order_by("pk"))
        services.register_resident(
            by=self.clerk, household=homes[where % len(homes)], values=self._person(whom, False),
            change=services.Change(day if whom % 2 else None, "导入变更"),
        )  # fmt: skip

    def do_edit(self, kind, whom, where, day):
        """The state corrected, or changed from a day, without an event."""
        people = list(Resident.objects.filter(registered(self.today)).order_by("pk"))
        person = people[whom % len(people)]
        values = {
            "hukou": Hukou.values[where % 2],
            "residence": ("常住", "流入", "流出")[where % 3],
        }
        services.edit_resident(
            by=self.clerk, resident=person, row_version=person.row_version, today=self.today,
            household=person.household, values=values,
            change=services.Change(day if whom % 2 else None, "更正"),
        )  # fmt: skip

    def do_undo(self, kind, whom, where, day):
        if self.events:
            taken = self.events.pop(whom % len(self.events))
            services.undo_event(by=self.clerk, event=taken, today=self.today, reason="登记错了")

    def do_month(self, kind, whom, where, day):
        self.today = min(self.today + timedelta(days=30), date(2018, 10, 9))

    def do_lock(self, kind, whom, where, day):
        """The next month of a township, made by the schedule and locked by somebody."""
        township = self.townships[whom % 2]
        last = newest_lock(township)
        at = [m.end for m in MONTHS].index(last.closes_on) + 1 if last else where % 2
        if at == len(MONTHS) or MONTHS[at].end >= self.today:
            raise RuleViolation("nothing to lock")
        month = MONTHS[at]
        make_return(
            code="population-ledger", region=township, period=month.code, by=SystemJob("定时"),
            today=self.today,
        )  # fmt: skip
        services.lock_month(by=self.clerk, township=township, period=month.code, today=self.today)
        self.kept[township, month.code] = self.figures(township, month)

    def do_unlock(self, kind, whom, where, day):
        lock = newest_lock(self.townships[whom % 2])
        if lock is None or where % 3:
            raise RuleViolation("nothing to unlock")
        services.unlock_month(by=self.clerk, lock=lock, reason="漏报")
        del self.kept[lock.township, lock.period]

    # What must hold --------------------------------------------------------------------------

    def figures(self, township, month):
        regions = [township, *(v for v in self.villages if v.parent_id == township.pk)]
        return compute_ledger(regions, span_of(month))

    def check_locked(self):
        for (township, code), kept in self.kept.items():
            month = dates.parse_period(code)
            assert self.figures(township, month) == kept, (township.code, code)

    def check_months(self):
        """Every class of every place balances, opens with the last closing, and adds up."""
        closing: dict = {}
        regions = [self.county, *self.townships, *self.villages]
        for month in MONTHS:
            figures = compute_ledger(regions, span_of(month))
            for region in regions:
                row = figures[region.code]
                for key in CLASSES:
                    place = (region.code, key)
                    assert row[code_of("closing", key)] == balanced(row, key), (month.code, place)
                    if place in closing:
                        assert row[code_of("opening", key)] == closing[place], (month.code, place)
                    closing[place] = row[code_of("closing", key)]
                assert min(row.values()) >= 0, (month.code, region.code)
            for above in (self.county, *self.townships):
                below = [v for v in self.villages if v.path.startswith(above.path)]
                for code, number in figures[above.code].items():
                    assert number == sum(figures[v.code][code] for v in below), (month.code, code)

    def check_lists(self, month):
        for region in (self.county, self.villages[0]):
            row = compute_ledger([region], span_of(month))[region.code]
            for code, number in row.items():
                if number or code.endswith("_all"):
                    found = len(list(people_of_ledger(code, region, span_of(month))))
                    assert found == number, (month.code, region.code, code)

    def check_registry(self):
        now = timezone.now()
        for finding in (states_off_spell, overlapping_spells, departed_with_spell):
            assert list(finding(now)) == []

    def check_checks(self):
        for township in self.townships:
            version, _ = make_return(
                code="population-ledger", region=township, period=MONTHS[-1].code,
                by=SystemJob("定时"), today=date(2018, 10, 9),
            )  # fmt: skip
            wrong = [c for c in version.content["checks"] if c["level"] == "bad"]
            assert wrong == []


def span_of(month):
    return Span(month.start, month.end)


class LedgerOfRandomEvents(TestCase):
    """Hypothesis needs the unittest form to roll each example back."""

    @settings(
        max_examples=6 * MORE, deadline=None, suppress_health_check=list(HealthCheck),
        print_blob=True,
    )  # fmt: skip
    @given(steps, st.integers(0, len(MONTHS) - 1))
    def test_ledger_holds_whatever_is_recorded_late_undone_or_locked(self, history, looked_at):
        world = World()
        for step in history:
            world.do(*step)
            world.check_locked()
        world.today = date(2018, 10, 9)
        world.check_registry()
        world.check_months()
        world.check_lists(MONTHS[looked_at])
        world.check_checks()

    @settings(max_examples=4 * MORE, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps)
    def test_taking_back_the_last_event_restores_every_figure(self, history):
        world = World()
        for step in history:
            world.do(*step)
            before = {m.code: self._all(world, m) for m in MONTHS}
            known = len(world.events)
            world.do("household_move", *step[1:])
            if len(world.events) > known:
                world.do("undo", known, 0, 0)
                assert {m.code: self._all(world, m) for m in MONTHS} == before
                break

    def _all(self, world, month):
        return compute_ledger([world.county, *world.villages], span_of(month))


def test_ledger_is_registered_with_its_lock():
    assert RETURNS["population-ledger"].frozen is not None
    assert LedgerLock._meta.verbose_name == "总人口账锁定"
