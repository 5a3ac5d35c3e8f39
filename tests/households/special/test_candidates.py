"""The criteria against the archives: who should have one, and which are in doubt."""

import pytest
from django.urls import reverse

from fpadmin.reporting.registry import Span
from fpadmin.ui.todos import todos_for
from households.models import Residency, Resident
from households.special.figures import compute_special
from tests.conftest import TODAY
from tests.factories.households import make_household
from tests.factories.special import (
    make_archive,
    make_bereaved,
)

pytestmark = pytest.mark.django_db


CANDIDATES, DOUBTS = "households:special-candidate-list", "households:special-doubt-list"


def test_found_household_without_archive_is_a_candidate(village, clerk, sign_in):
    head, _ = make_bereaved(village, "00007")

    page = sign_in(clerk).get(reverse(CANDIDATES))

    text = page.content.decode()
    assert page.context["missing"] == 1
    assert "戴飞飞、董丽怡" in text
    assert "独生子女死亡" in text
    assert reverse("households:special-family-create", args=[head.household_id]) in text
    assert "生育史中有1个子女" in text


def test_household_with_an_open_archive_is_no_candidate(family, clerk, sign_in):
    page = sign_in(clerk).get(reverse(CANDIDATES))

    assert page.context["missing"] == 0
    assert page.context["rate"] == {"rate": 100, "done": 1, "due": 1, "missing": 0}


def test_candidate_whose_parents_stand_in_another_archive_is_to_be_moved(family, clerk, sign_in):
    new = make_household(family.household.village, "00099")
    Resident.objects.filter(household=family.household).update(household=new)
    Residency.objects.filter(household=family.household).update(household=new)

    text = sign_in(clerk).get(reverse(CANDIDATES)).content.decode()

    assert reverse("households:special-family-move", args=[family.pk]) in text
    assert reverse("households:special-family-create", args=[new.pk]) not in text


def test_candidates_of_another_township_are_not_shown(far_village, clerk, sign_in):
    make_bereaved(far_village)

    assert sign_in(clerk).get(reverse(CANDIDATES)).context["missing"] == 0


@pytest.mark.parametrize(
    ("kind", "child", "is_in_doubt"),
    [
        ("死亡", {}, False),
        ("伤残", {}, True),  # found as the other kind
        ("死亡", {"died": None}, True),  # the child lives
        ("手术并发症", {"died": None}, False),  # attested, not found
        ("伤残", {"died": None, "disability_grade": "三级"}, False),
        ("伤残", {"died": None, "disability_grade": "四级"}, True),
    ],
)
def test_archive_is_in_doubt_where_the_criteria_say_otherwise(
    village, clerk, sign_in, kind, child, is_in_doubt
):
    family = make_archive(village, kind=kind, **child)

    page = sign_in(clerk).get(reverse(DOUBTS))

    assert page.context["doubtful"] == is_in_doubt
    acts = [
        reverse(f"households:special-family-{act}", args=[family.pk]) for act in ("edit", "close")
    ]
    assert [act in page.content.decode() for act in acts] == [is_in_doubt] * 2


def test_doubt_says_which_criterion_fails_and_on_what_value(village, clerk, sign_in):
    make_archive(village, died=None)

    text = sign_in(clerk).get(reverse(DOUBTS)).content.decode()

    assert "存活1个，其中三级以上伤残0个" in text
    assert "不符合：" in text


def test_candidates_ask_as_often_for_many(
    village, clerk, sign_in, assert_query_count_does_not_grow
):
    make_bereaved(village)
    client = sign_in(clerk)

    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-candidate-list")),
        lambda: [make_bereaved(village) for _ in range(5)],
    )


def test_doubts_ask_as_often_for_many(village, clerk, sign_in, assert_query_count_does_not_grow):
    make_archive(village, died=None)
    client = sign_in(clerk)

    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-doubt-list")),
        lambda: [make_archive(village, died=None) for _ in range(5)],
    )


def test_check_counts_what_the_figures_count(village, clerk, sign_in):
    make_archive(village)
    make_archive(village, died=None)
    make_archive(village, kind="伤残")  # found, as the other kind
    make_bereaved(village)
    codes = ("special_archives_missing", "special_archives_unfounded", "special_archive_rate")
    figures = compute_special([clerk.region], Span(TODAY, TODAY), codes)[clerk.region.code]

    page = sign_in(clerk).get(reverse(CANDIDATES))

    assert page.context["missing"] == figures["special_archives_missing"] == 1
    assert page.context["list"].total == 1
    assert page.context["doubtful"] == figures["special_archives_unfounded"] + 1
    assert page.context["rate"]["rate"] == figures["special_archive_rate"]
    assert (page.context["rate"]["done"], page.context["rate"]["due"]) == (2, 4)


def test_clerk_is_told_of_families_without_an_archive(clerk, reviewer, propagandist, village):
    def told(user):
        return [(t.label, t.count) for t in todos_for(user, TODAY) if "应建未建" in t.label]

    assert told(clerk) == []
    make_bereaved(village)
    make_archive(village)
    assert told(clerk) == [("特殊家庭应建未建档案", 1)]
    assert told(reviewer) == told(propagandist) == []
