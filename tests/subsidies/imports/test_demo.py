"""The rolls of the demonstrations: the roll of lubiao-2018, and those of invented people."""

import json
from collections import Counter
from datetime import date
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import transaction

from fpadmin.accounts.models import Region
from fpadmin.audit.models import AuditEvent
from fpadmin.imports.kinds import KINDS
from households.demo import township
from subsidies.eligibility.finding import found
from subsidies.models import Enrolment
from tests.factories.workbooks import TODAY, check_import

pytestmark = pytest.mark.django_db

END_OF_YEAR = date(2018, 12, 31)


def demo(*arguments) -> str:
    out = StringIO()
    call_command("demo", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def rolls() -> list[tuple]:
    rows = Enrolment.objects.order_by("policy_code", "resident__id_number_digest", "start_month")
    return list(rows.values_list("policy_code", "resident__name", "start_month", "end_month"))


def test_roll_of_2018_comes_in_whole_and_once():
    kinds = json.loads(demo("--json"))["kinds"]
    assert kinds["enrolments"] == {"rows": 702, "created": 702}
    starts = Counter(Enrolment.objects.values_list("start_month__year", flat=True))
    assert sorted(starts.items()) == [
        (2005, 307), (2006, 29), (2007, 19), (2008, 35), (2009, 32), (2010, 31), (2011, 31),
        (2012, 37), (2013, 31), (2014, 32), (2015, 39), (2016, 42), (2017, 37),
    ]  # fmt: skip
    assert set(Enrolment.objects.values_list("policy_code", "end_month", "grade")) == {
        ("CN-RURAL", None, "")
    }
    content = (township.FOLDER / "enrolments.xlsx").read_bytes()
    office = Region.objects.get(code=township.OFFICE)
    outcome = check_import("enrolments", content, office)
    assert (outcome.unchanged, outcome.issues) == (702, [])
    assert json.loads(demo("--json"))["kinds"]["enrolments"] == {"rows": 702, "created": 0}
    assert Enrolment.objects.count() == 702


def test_invented_people_are_on_the_rolls_as_they_would_be():
    assert "在册对象：" in demo("--residents", "8000")
    city = Region.objects.get(level=Region.Level.CITY)
    codes = set(Enrolment.objects.values_list("policy_code", flat=True))
    assert codes == {"CN-RURAL", "CN-SPECIAL-DEATH", "CN-SPECIAL-DISABLED", "YN-HEALTH-FEE"}
    living = Enrolment.objects.filter(resident__death_date__isnull=True)
    qualify = {one.resident_id for one in found("CN-RURAL", END_OF_YEAR, city.path)}
    rural = living.filter(policy_code="CN-RURAL")
    enrolled = set(rural.values_list("resident", flat=True))
    assert enrolled < qualify
    assert 0.88 < len(enrolled) / len(qualify) < 0.99
    for start, born in rural.values_list("start_month", "resident__birth_date"):
        assert start == date(max(2005, born.year + 60), 1, 1)
    assert not living.filter(end_month__isnull=False).exists()
    assert not Enrolment.objects.filter(start_month__gt=TODAY).exists()
    dead = Enrolment.objects.filter(resident__death_date__isnull=False)
    still_on = dead.filter(end_month__isnull=True).count()
    assert 0 < still_on < dead.count() / 2
    ended = dead.filter(end_month__isnull=False).values_list(
        "end_month", "end_reason", "resident__death_date"
    )
    for month, reason, died in ended:
        assert (month, reason) == (date(died.year, 12, 1), "死亡")
    event = AuditEvent.objects.get(type="demo.enrolled")
    assert (event.actor, event.count) == ("系统：演示数据", Enrolment.objects.count())


def test_invented_rolls_are_made_once():
    demo("--residents", "600")
    before = rolls()
    assert before
    assert f"在册对象：{len(before)}条，没有改动" in demo("--residents", "600")
    assert rolls() == before


@pytest.fixture
def rolls_of_seed(db):
    """rolls_of_seed(n) → the rolls of a demonstration of its own, which is forgotten afterwards."""

    def made(seed: str) -> list[tuple]:
        with transaction.atomic():
            demo("--residents", "900", "--seed", seed)
            lines = rolls()
            transaction.set_rollback(True)
        return lines

    return made


def test_same_seed_gives_the_same_rolls_and_another_gives_others(rolls_of_seed):
    first = rolls_of_seed("7")
    assert first
    assert rolls_of_seed("7") == first
    assert rolls_of_seed("8") != first


def test_kinds_of_the_benefits_come_after_the_people():
    order = sorted(KINDS.values(), key=lambda kind: kind.order)
    keys = [kind.key for kind in order]
    assert keys.index("residents") < keys.index("births") < keys.index("enrolments")
    assert keys.index("enrolments") < keys.index("rosters")
