"""The desk of reviews, who is told of them, and what the nightly check finds of special families."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from fpadmin import invariants
from fpadmin.ui.todos import todos_for
from households.models import ArchiveReview, ContactPerson, FamilyContact, SpecialFamily
from tests.factories.special import make_archive

pytestmark = pytest.mark.django_db
LIST = "households:special-review-list"
TODAY = date(2018, 10, 9)


def make_review(family, **extra) -> ArchiveReview:
    values = {"cause": "死亡", "finding": "董丽怡已去世", "found_on": TODAY} | extra
    return ArchiveReview.objects.create(family=family, **values)


def told(user) -> list[tuple[str, int]]:
    return [(t.label, t.count) for t in todos_for(user, TODAY) if "复核" in t.label]


def test_desk_shows_what_waits_and_on_request_what_is_decided(sign_in, clerk, village):
    family = make_archive(village)
    make_review(family)
    make_review(
        family, cause="离婚", decision="kept", decided_by=clerk, decided_at=timezone.now(), note="x"
    )
    client = sign_in(clerk)
    waiting = client.get(reverse(LIST)).content.decode()
    assert "董丽怡已去世" in waiting
    assert "离婚" not in waiting.split("<tbody", 1)[1]
    assert "离婚" in client.get(reverse(LIST), {"state": "kept"}).content.decode()


def test_desk_asks_the_same_queries_for_more_rows(
    assert_query_count_does_not_grow, sign_in, clerk, village
):
    client = sign_in(clerk)
    family = make_archive(village)
    assert_query_count_does_not_grow(lambda: client.get(reverse(LIST)), lambda: make_review(family))


def test_clerk_is_told_at_once_and_the_reviewer_of_what_lies(clerk, reviewer, county_user, village):
    family = make_archive(village)
    make_review(family)
    make_review(family, found_on=TODAY - timedelta(days=11))
    assert told(clerk) == [("特殊家庭档案待复核", 2)]
    assert told(reviewer) == [("特殊家庭档案超过10天未复核", 1)]
    assert told(county_user) == []


def test_link_of_the_reviewer_leads_to_exactly_what_lies(sign_in, reviewer, village):
    family = make_archive(village)
    make_review(family, cause="离婚")
    make_review(family, found_on=TODAY - timedelta(days=11))
    (todo,) = [t for t in todos_for(reviewer, TODAY) if "复核" in t.label]
    rows = sign_in(reviewer).get(todo.url).content.decode().split("<tbody", 1)[1]
    assert rows.count("<tr") == 1
    assert "离婚" not in rows


def test_desk_leads_the_clerk_to_deciding_and_filters_what_lies(sign_in, clerk, reviewer, village):
    family = make_archive(village)
    lying = make_review(family, found_on=TODAY - timedelta(days=11))
    make_review(family, cause="离婚")
    decided = make_review(
        family, cause="迁出", decision="kept", decided_by=clerk, decided_at=timezone.now(), note="x"
    )

    def decide(review) -> str:
        return reverse("households:special-review-decide", args=[review.pk])

    page = sign_in(clerk).get(reverse(LIST), {"state": "all"}).content.decode()
    assert decide(lying) in page
    assert decide(decided) not in page
    assert "处理人" in page
    assert "未知" not in page
    assert decide(lying) not in sign_in(reviewer).get(reverse(LIST)).content.decode()
    for late, number in (("", 2), ("true", 1), ("false", 1)):
        table = sign_in(clerk).get(reverse(LIST), {"late": late}).context["list"]
        assert table.total == number, late


def findings(key: str) -> list[str]:
    return next(r for r in invariants.check_all(timezone.now()) if r.key == key).findings


def test_nightly_check_finds_contacts_that_outlive_their_archive(village):
    family = make_archive(village, contacts=1)
    assert findings("SPF1") == []
    SpecialFamily.objects.update(closed_on=TODAY, close_reason="other")
    assert findings("SPF1") == [f"已结案的档案{family.pk}还有未结束的联系人"]


def test_nightly_check_finds_families_without_a_contact_and_leavers(village):
    family = make_archive(village, contacts=1)
    assert findings("SPF2") == findings("SPF3") == []
    ContactPerson.objects.update(left_on=TODAY)
    person = ContactPerson.objects.get()
    assert findings("SPF3") == [f"联系人{person.pk}已离岗，名下还有家庭没有交接"]
    FamilyContact.objects.update(ended_on=TODAY)
    assert findings("SPF2") == [f"档案{family.pk}现在没有联系人"]
