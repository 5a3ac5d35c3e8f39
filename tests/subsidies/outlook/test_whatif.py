"""What-if: people and yuan before and after, kept as a note, and nothing else changed."""

import hashlib
from datetime import date
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.models import Resident
from subsidies.models import Scenario
from subsidies.outlook import whatif
from subsidies.outlook.whatif import CHANGED, GAINED, LOST, NOW, Change, Row
from subsidies.policies.book import policy_book
from subsidies.policies.catalogue import Criterion, as_entries, policy
from subsidies.services import scenarios
from tests.conftest import TODAY
from tests.factories.benefits import make_enrolment, make_old_couple, set_rate, switch_on
from tests.factories.households import make_household, make_resident
from tests.subsidies.outlook.test_ahead import DEATH, RURAL, make_bereaved

DAY = date(2018, 12, 31)

pytestmark = pytest.mark.django_db


def changed(code=RURAL, **criteria):
    """The shipped criteria with other parameters."""
    return tuple(
        Criterion(one.key, criteria.get(one.key, one.params)) for one in policy(code).criteria
    )


def measured(region, code=RURAL, day=DAY, rates=None, **criteria):
    change = Change(changed(code, **criteria), rates or {})
    return whatif.trial(code, region, day, change)


def keep(by, region, **values):
    return scenarios.keep_scenario(
        **{
            "by": by, "code": RURAL, "region": region, "as_of": DAY, "name": "年龄降到55周岁",
            "change": Change(changed(age={"min": 55})), "note": "", "today": TODAY,
        } | values
    )  # fmt: skip


def everything() -> dict[str, str]:
    """A digest of the rows of every table."""
    found = {}
    for model in apps.get_models():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}" ORDER BY 1')  # noqa: S608
            found[model._meta.label] = hashlib.sha256(repr(cursor.fetchall()).encode()).hexdigest()
    return found


@pytest.fixture
def people(county, village, other_village):
    """Sixty and more: two here. Fifty-five to fifty-nine: two there, and one beside the two here."""
    switch_on(RURAL, county)
    make_old_couple(village, born=date(1950, 3, 4))
    make_old_couple(other_village, born=date(1961, 3, 4))
    make_old_couple(village, born=date(1962, 3, 4))


def test_lower_age_shows_people_and_yuan_beside_today(people, township):
    rows = whatif.measure(measured(township, age={"min": 57}))
    yuan = Decimal(960)
    assert rows == [
        Row("庄科村", "539981001201", 2, 2, 0, 0, 2 * yuan, 2 * yuan),
        Row("安丰营村", "539981001202", 0, 2, 2, 0, Decimal(0), 2 * yuan),
    ]
    whole = whatif.total(rows)
    assert (whole.now, whole.changed, whole.more, whole.yuan_more) == (2, 4, 2, 2 * yuan)


def test_higher_age_shows_who_is_lost(people, township):
    (row,) = whatif.measure(measured(township, age={"min": 70}))
    assert (row.now, row.changed, row.gained, row.lost) == (2, 0, 0, 2)
    assert row.yuan_more == -2 * 960


@pytest.mark.parametrize(
    ("side", "born"),
    [(NOW, [1950] * 2), (CHANGED, [1950] * 2 + [1961] * 2), (GAINED, [1961] * 2), (LOST, [])],
    ids=["now", "changed", "gained", "lost"],
)
def test_list_of_a_side_is_who_was_counted(people, township, side, born):
    one = measured(township, age={"min": 57})
    found = Resident.objects.filter(pk__in=whatif.people_ids(one, side))
    assert sorted(person.birth_date.year for person in found) == born
    assert len(born) == getattr(whatif.total(whatif.measure(one)), side)


def test_window_of_births_can_be_moved(county, village, township):
    switch_on(RURAL, county)
    make_old_couple(village, within_policy=False)  # born in 1976
    window = {"from": date(1973, 1, 1), "to": date(1975, 12, 31)}
    (row,) = whatif.measure(measured(township, no_birth_outside_policy=window))
    assert (row.now, row.changed) == (0, 2)


def test_amount_changes_the_yuan_and_nobody(people, township):
    (row,) = whatif.measure(measured(township, rates={"": Decimal(1200)}))
    assert (row.now, row.changed, row.gained, row.lost) == (2, 2, 0, 0)
    assert (row.yuan_now, row.yuan_changed, row.yuan_more) == (1920, 2400, 480)


def test_year_whose_rate_changes_in_july_is_the_sum_of_its_months(county, village, township):
    switch_on(DEATH, county)
    make_bereaved(village, wife_born=date(1965, 3, 4))
    one = measured(township, DEATH, date(2022, 12, 31), wife_age={"min": 45})
    (row,) = whatif.measure(one)
    assert (row.now, row.yuan_now) == (2, 2 * (6 * 450 + 6 * 590))
    assert row.yuan_now == row.yuan_changed == 2 * 6240
    (row,) = whatif.measure(measured(township, DEATH, DAY, rates={"": Decimal(500)}))
    assert (row.yuan_now, row.yuan_changed) == (2 * 12 * 450, 2 * 12 * 500)


def test_couple_and_family_are_counted_as_one(county, village, township):
    """低保 families with one child: two grown-ups meet the criteria, one family is counted."""
    code = "LOCAL-DIBAO"
    switch_on(code, county, criteria=["registered_here", {"age": {"min": 60}}])
    set_rate(code, county, 300)
    make_old_couple(village)
    change = Change((Criterion("registered_here"), Criterion("age", {"min": 70})))
    (row,) = whatif.measure(whatif.trial(code, township, DAY, change))
    assert (row.now, row.changed, row.lost, row.yuan_now) == (1, 0, 1, 300)


def test_policy_that_must_be_attested_is_measured_on_its_roll(county, village, township):
    """By grades, each with its amount: everybody registered would be a candidate."""
    code = "CN-COMPLICATION"
    switch_on(code, county)
    household = make_household(village)
    first, second, _ = (make_resident(household, relation=r) for r in ("户主", "配偶", "子"))
    make_enrolment(first, code, grade="一级")
    make_enrolment(second, code, grade="三级")
    (row,) = whatif.measure(measured(township, code, rates={"三级": Decimal(250)}))
    assert (row.now, row.changed) == (2, 2)
    assert (row.yuan_now, row.yuan_changed) == (12 * (400 + 200), 12 * (400 + 250))


def test_yuan_without_a_rate_is_unknown(county, village, township):
    code = "SD-DIBAO"
    switch_on(code, county, criteria=["registered_here", {"age": {"min": 60}}])
    make_old_couple(village)
    criteria = (Criterion("registered_here"), Criterion("age", {"min": 50}))
    (row,) = whatif.measure(whatif.trial(code, township, DAY, Change(criteria)))
    assert (row.now, row.yuan_now, row.yuan_changed, row.yuan_more) == (1, None, None, None)
    (row,) = whatif.measure(whatif.trial(code, township, DAY, Change(criteria, {"": Decimal(10)})))
    assert (row.yuan_now, row.yuan_changed) == (None, 120)


def test_kept_scenario_holds_what_was_changed_and_what_came_out(people, clerk, township):
    kept = keep(clerk, township, note="报2019年预算", change=Change(
        changed(age={"min": 55}), {"": Decimal(1000)}
    ))  # fmt: skip
    kept.refresh_from_db()
    assert [(one.label, one.old, one.new) for one in whatif.lines_of(RURAL, kept.changes)] == [
        ("本人年龄", "年满60周岁", "年满55周岁"),
        ("标准", "960.00元/人·年", "1,000.00元/人·年"),
    ]
    rows = whatif.rows_of(kept.figures)
    assert rows == whatif.measure(
        whatif.trial(RURAL, township, DAY, whatif.change_of(kept.changes))
    )
    assert (whatif.total(rows).now, whatif.total(rows).changed) == (2, 6)
    event = AuditEvent.objects.get(type="scenario.kept")
    assert (event.actor_id, event.region_path) == (clerk.pk, township.path)


def test_nothing_but_the_scenario_and_its_event_changes(people, clerk, township):
    make_enrolment(Resident.objects.order_by("pk").first())
    before = everything()
    keep(clerk, township)
    after = everything()
    differing = {label for label in before if before[label] != after[label]}
    assert differing == {"subsidies.Scenario", "audit.AuditEvent", "audit.ChainHead"}
    rule = policy_book(DAY).rule(RURAL, township.path)
    assert as_entries(rule.criteria) == as_entries(policy(RURAL).criteria)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"change": Change(changed())}, "没有改动"),
        ({"as_of": date(2018, 10, 8)}, "不能早于今天"),
        ({"code": DEATH, "change": Change(changed(DEATH))}, "没有改动"),
    ],
    ids=["nothing-changed", "past", "nothing-changed-of-another"],
)
def test_refusals(people, clerk, township, values, words):
    with pytest.raises(RuleViolation, match=words):
        keep(clerk, township, **values)
    assert not Scenario.objects.exists()
    assert not AuditEvent.objects.filter(type="scenario.kept").exists()


def test_other_places_counties_and_other_roles_are_refused(
    people, clerk, propagandist, village, county, other_township
):
    for by, region in ((clerk, other_township), (clerk, county), (propagandist, village)):
        with pytest.raises(RuleViolation):
            keep(by, region)
    assert not Scenario.objects.exists()


def test_nothing_is_kept_without_its_event(people, clerk, township, monkeypatch):
    monkeypatch.setattr("subsidies.services.scenarios.log.record", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        keep(clerk, township)
    assert not Scenario.objects.exists()
