"""A township's rolls in order, and a run of the desk."""

from datetime import datetime

import pytest
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from subsidies.models import Difference
from subsidies.services import comparison
from tests.conftest import TODAY
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on

NOW = timezone.make_aware(datetime(2018, 10, 9, 9, 30))


@pytest.fixture
def run(township):
    """run(**options) compares the township and returns the open differences by rule."""

    def compared(region=township, by=None, today=TODAY, **options) -> dict[str, list[Difference]]:
        by = by or SystemJob("比对")
        comparison.run(by=by, region=region, today=today, now=NOW, **options)
        found: dict[str, list[Difference]] = {}
        for row in Difference.objects.within(region).open().order_by("pk"):
            found.setdefault(row.rule, []).append(row)
        return found

    return compared


@pytest.fixture
def couple(village, county):
    """陶有田 and 宋桂兰, both rightly on the rural roll; the policy is on."""
    switch_on("CN-RURAL", county)
    pair = make_old_couple(village, "00001")
    for one in pair:
        make_enrolment(one)
    return pair
