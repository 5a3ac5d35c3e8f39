"""登记申请 for chosen candidates: drafts for those who may, a reason for the others."""

import pytest
from django.urls import reverse

from subsidies.models import Application
from tests.factories.benefits import make_application, make_enrolment, make_old_couple, switch_on

pytestmark = pytest.mark.django_db

QUERY = "?policy=CN-RURAL&as_of=2018-12-31"


def act(client, step="", key="benefit-candidates", query=QUERY, **data):
    url = reverse("lists:act-confirm", args=[key, "apply"]) + query
    return client.post(url, data | ({"step": step} if step else {}))


def test_chosen_candidates_get_drafts_and_others_a_reason(couple, village, clerk, sign_in):
    head, wife = couple
    make_enrolment(head)
    applied, free = make_old_couple(village, "00902")
    make_application(applied, clerk)
    client = sign_in(clerk)

    shown = act(client, all="1")
    act(client, "do", all="1")

    reasons = {line.name + line.place: line.reason for line in shown.context["preview"].cannot}
    assert sorted(reasons.values()) == ["已在册", "申请正在办理"]
    drafts = Application.objects.exclude(resident=applied)
    assert {one.resident_id for one in drafts} == {wife.pk, free.pk}
    assert {(one.state, one.by_rule, one.created_by) for one in drafts} == {("draft", True, clerk)}


def test_graded_policy_and_one_that_is_off_are_refused(couple, county, clerk, sign_in):
    switch_on("YN-MEDICAL", county)
    client = sign_in(clerk)
    query = "?as_of=2018-10-09&policy="

    graded = act(client, all="1", query=query + "YN-MEDICAL").context["preview"]
    off = act(client, all="1", query=query + "LOCAL-LIVING", key="benefit-candidates-sensitive")

    assert {line.reason[:7] for line in graded.cannot} == {"这项政策分等级"}
    assert {line.reason for line in off.context["preview"].cannot} == {"这里没有启用这项政策"}
    assert not Application.objects.exists()


def test_conflict_is_told(couple, county, clerk, sign_in):
    switch_on("SD-URBAN", county, criteria=["registered_here"])
    make_enrolment(couple[0], "SD-URBAN")

    preview = act(sign_in(clerk), picked=str(couple[0].pk)).context["preview"]

    assert "不能同时享受" in preview.cannot[0].reason
    assert preview.allowed == []


def test_people_of_another_village_are_not_met(couple, other_propagandist, sign_in):
    answer = act(sign_in(other_propagandist), "do", picked=str(couple[0].pk))

    assert answer.status_code == 302
    assert not Application.objects.exists()


def test_reviewer_has_no_such_act(couple, reviewer, sign_in):
    assert act(sign_in(reviewer), all="1").status_code == 403


def test_check_asks_as_often_for_many(
    couple, village, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    assert_query_count_does_not_grow(
        lambda: act(client, all="1"), lambda: [make_old_couple(village) for _ in range(5)]
    )
