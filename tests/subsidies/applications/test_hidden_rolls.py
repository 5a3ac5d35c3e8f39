"""Who may not know of a sensitive roll learns by no page, refusal or batch that somebody is on one."""

import re
from datetime import date

import pytest
from django.urls import reverse

from fpadmin.errors import RuleViolation
from households.models import Resident
from subsidies.applications import batch
from subsidies.models import Application, PolicyExclusion
from subsidies.services.enrolments import enrol
from tests.conftest import TODAY
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.subsidies.applications.conftest import make_draft, passed, submitted

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(village, county):
    """Two who are alike but for a hidden roll that the one is on."""
    switch_on("SD-URBAN", county, criteria=["registered_here"], notice_days=0)
    people = [make_old_couple(village, number)[0] for number in ("901", "902")]
    Resident.objects.filter(pk__in=[one.pk for one in people]).update(name="苏贵国")
    make_enrolment(people[0], "CN-SPECIAL-DEATH")
    return [Resident.objects.get(pk=one.pk) for one in people]


def words_of(page) -> str:
    """What can be read of the middle of a page, without what numbers and doors differ in."""
    main = page.content.decode().split("<main")[1].split("</main>")[0]
    return re.sub(r"\d[\d*]*X?", "0", re.sub(r"<[^>]*>", " ", main))


def apply_page(client, resident):
    address = reverse("subsidies:application-create", args=[resident.pk])
    return client.get(address, {"policy": "SD-URBAN"})


def test_form_and_check_page_read_the_same(two, propagandist, sign_in):
    client = sign_in(propagandist)
    forms = [words_of(apply_page(client, one)) for one in two]
    drafts = [make_draft(one, propagandist, "SD-URBAN") for one in two]
    checks = [
        words_of(client.get(reverse("subsidies:application-submit", args=[one.pk])))
        for one in drafts
    ]

    for hidden, free in (forms, checks):
        assert hidden == free
        assert "由镇（街道）核对" in hidden
        assert "不满足" not in hidden


def test_clerk_is_told(two, clerk, sign_in):
    page = words_of(apply_page(sign_in(clerk), two[0]))

    assert "不满足" in page
    assert "独生子女死亡" in page


def test_village_sends_both_on_alike_and_the_township_refuses(two, clerk, propagandist, reviewer):
    sent = [submitted(make_draft(one, propagandist, "SD-URBAN"), propagandist) for one in two]

    assert [one.state for one in sent] == ["village", "village"]
    assert sent[0].start_month == sent[1].start_month is not None
    with pytest.raises(RuleViolation, match="独生子女死亡"):
        passed(sent[0], clerk)
    for one in sent:
        Application.objects.filter(pk=one.pk).update(state="township", village_passed_by=clerk)
        one.refresh_from_db()
    with pytest.raises(RuleViolation, match="独生子女死亡"):
        passed(sent[0], reviewer)
    assert passed(sent[1], reviewer).state == "county"


def test_village_passes_one_that_a_hidden_roll_speaks_against(two, clerk, propagandist):
    waiting = submitted(make_draft(two[0], propagandist, "SD-URBAN"), propagandist)
    Application.objects.filter(pk=waiting.pk).update(submitted_by=clerk)
    waiting.refresh_from_db()

    assert passed(waiting, propagandist).state == "township"


def test_batch_gives_both_the_same_reasons(two, clerk, propagandist):
    for one in two:
        waiting = submitted(make_draft(one, propagandist, "SD-URBAN"), propagandist)
        Application.objects.filter(pk=waiting.pk).update(submitted_by=clerk)
    rows = list(Application.objects.for_list().order_by("pk"))

    hidden, free = (
        batch.exceptions(rows, by=propagandist, values={}, day=TODAY)[row.pk] for row in rows
    )
    assert hidden == free == "缺材料：身份证、户口簿"


def test_what_was_decided_stays_open_too(two, propagandist, sign_in):
    client = sign_in(propagandist)
    pages = []
    for one in two:
        sent = submitted(make_draft(one, propagandist, "SD-URBAN"), propagandist)
        Application.objects.filter(pk=sent.pk).update(state="refused")
        pages.append(words_of(client.get(sent.get_absolute_url())))

    assert pages[0] == pages[1]
    assert "由镇（街道）核对" in pages[0]


def test_roll_that_may_be_named_still_stops_the_village(two, county, propagandist):
    PolicyExclusion.objects.create(
        policy_code="SD-URBAN", other_code="CN-RURAL", region=county, document="试行",
        from_on=date(2018, 1, 1),
    )  # fmt: skip
    make_enrolment(two[1], "CN-RURAL")

    with pytest.raises(RuleViolation, match="农村部分计划生育家庭奖励扶助"):
        submitted(make_draft(two[1], propagandist, "SD-URBAN"), propagandist)


def test_nobody_gets_on_two_rolls_for_the_writer_not_knowing(two, propagandist):
    with pytest.raises(RuleViolation, match="不能同时享受"):
        enrol(
            by=propagandist, resident=two[0], policy_code="SD-URBAN",
            start_month=date(2018, 10, 1),
        )  # fmt: skip
