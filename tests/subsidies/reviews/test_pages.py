"""The pages of the yearly review: made, looked at, decided one by one and in batches, closed."""

from datetime import UTC, date, datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from fpadmin.ui.todos import todos_for
from households.models import Resident
from subsidies.models import AnnualReview, Enrolment, EnrolmentChange, ReviewLine
from subsidies.services.reviews import make_review
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.special import make_bereaved

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)


@pytest.fixture
def people(village, township):
    """A couple of whom the husband died, and one who is missing from the roll."""
    switch_on("CN-RURAL", township)
    head, wife = make_old_couple(village)
    for one in (head, wife):
        make_enrolment(one, start=date(2012, 1, 1))
    Resident.objects.filter(pk=head.pk).update(death_date=date(2018, 3, 4))
    return [head, wife, *make_old_couple(village)]


@pytest.fixture
def review(people, clerk, township):
    return make_review(
        by=clerk, region=township, policy_code="CN-RURAL", year=2018, today=TODAY,
        now=timezone.now(),
    )  # fmt: skip


def text(response):
    return response.content.decode()


def test_clerk_makes_a_review_and_sees_what_it_found(people, clerk, township, sign_in):
    client = sign_in(clerk)
    page = text(client.get(reverse("subsidies:review-list")))
    assert "农村部分计划生育家庭奖励扶助" in page
    assert "未生成" in page
    data = {"policy": "CN-RURAL", "year": "2018", "region": township.code}
    page = text(client.post(reverse("subsidies:review-create"), data, follow=True))
    review = AnnualReview.objects.get()
    for finding, number in (("stays", 1), ("ends", 1), ("missing", 2)):
        address = f"?review={review.pk}&amp;finding={finding}"
        assert f'{address}">{number}</a>' in page


def test_list_behind_each_figure_has_as_many_people(review, clerk, sign_in):
    client = sign_in(clerk)
    for finding, number in (("stays", 1), ("ends", 1), ("missing", 2), ("moves", 0)):
        page = client.get(
            reverse("subsidies:review-line-list"), {"review": review.pk, "finding": finding}
        )
        assert page.context["list"].total == number


def test_numbers_are_masked_on_the_list(review, people, clerk, sign_in):
    page = text(sign_in(clerk).get(reverse("subsidies:review-line-list")))
    assert people[0].id_number not in page
    assert people[0].name in page


def test_one_person_is_decided_with_the_criteria_in_sight(review, people, clerk, sign_in):
    client = sign_in(clerk)
    line = review.lines.get(resident=people[0])
    url = reverse("subsidies:review-line-decide", args=[line.pk])
    page = text(client.get(url))
    assert "2018-03-04去世" in page
    page = text(client.post(url, {"decision": "kept", "note": ""}))
    assert "请写明理由" in page
    data = {"decision": "end_proposed", "reason": "死亡", "month": "2018-12", "note": ""}
    assert client.post(url, data).status_code == 302
    change = EnrolmentChange.objects.get()
    assert (change.month, change.end_reason, change.decision) == (date(2018, 12, 1), "死亡", "")


def test_batch_shows_the_list_and_proposes_for_those_it_fits(review, people, clerk, sign_in):
    client = sign_in(clerk)
    ticked = ",".join(str(pk) for pk in review.lines.values_list("pk", flat=True))
    url = reverse("lists:act-confirm", args=["review-lines", "end-proposed"])

    shown = client.post(url, {"picked": ticked, "note": "", "step": "check"})
    assert not EnrolmentChange.objects.exists()
    client.post(url, {"picked": ticked, "note": "", "step": "do"})

    preview = shown.context["preview"]
    assert [line.name for line in preview.first] == ["陶有田　应退出　死亡　发到2018-12"]
    reasons = {line.name.split("　")[1]: line.reason for line in preview.cannot}
    assert reasons == {
        "继续享受": "没有查出退出原因，请逐个处理并选择原因。",
        "符合条件未在册": "核查结果是“符合条件未在册”，不能这样处理。",
    }
    change = EnrolmentChange.objects.get()
    assert (change.enrolment.resident, change.month) == (people[0], date(2018, 12, 1))
    assert (change.end_reason, change.decision) == ("死亡", "")
    decided = review.lines.exclude(decision="").get()
    assert (decided.resident, decided.decision, decided.change) == (
        people[0], "end_proposed", change,
    )  # fmt: skip


def test_batch_against_the_finding_needs_words(review, people, clerk, sign_in):
    client = sign_in(clerk)
    url = reverse("lists:act-confirm", args=["review-lines", "kept"]) + f"?review={review.pk}"
    without = client.post(url, {"all": "1", "note": "", "step": "check"}).context["preview"]
    assert [line.name for line in without.first] == ["宋桂兰　继续享受"]
    assert "请写明理由。" in [line.reason for line in without.cannot]

    done = client.post(url, {"all": "1", "note": "派出所更正", "step": "do"}, follow=True)

    assert set(review.lines.filter(decision="kept").values_list("resident", "note")) == {
        (people[0].pk, "派出所更正"), (people[1].pk, "派出所更正"),
    }  # fmt: skip
    assert done.context["report"].done == 2


def test_sensitive_review_is_not_in_the_plain_list(clerk, township, village, sign_in):
    switch_on("CN-SPECIAL-DEATH", township)
    parents = make_bereaved(village)
    make_enrolment(parents[0], "CN-SPECIAL-DEATH", date(2015, 1, 1))
    review = make_review(
        by=clerk, region=township, policy_code="CN-SPECIAL-DEATH", year=2018, today=TODAY,
        now=timezone.now(),
    )  # fmt: skip
    client = sign_in(clerk)
    assert client.get(reverse("subsidies:review-line-list")).context["list"].total == 0
    plain = client.get(reverse("subsidies:review-line-list"), {"review": review.pk})
    assert plain.status_code == 404
    other = client.get(reverse("subsidies:review-line-sensitive-list"), {"review": review.pk})
    assert other.context["list"].total == 2


def test_stays_are_confirmed_and_the_review_closed(review, clerk, sign_in):
    client = sign_in(clerk)
    client.post(reverse("subsidies:review-confirm", args=[review.pk]))
    assert review.lines.filter(decision="kept").count() == 1
    page = text(client.post(reverse("subsidies:review-close", args=[review.pk]), follow=True))
    assert "还有3人没有处理" in page
    review.lines.filter(decision="").update(
        decision="left_out", decided_by=clerk, decided_at=timezone.now(), note="核实"
    )
    page = text(client.post(reverse("subsidies:review-close", args=[review.pk]), follow=True))
    assert "办结" in page
    assert AnnualReview.objects.get().closed_by == clerk


def test_other_township_has_none_of_it(review, other_clerk, sign_in):
    client = sign_in(other_clerk)
    assert client.get(review.get_absolute_url()).status_code == 404
    line = ReviewLine.objects.first()
    url = reverse("subsidies:review-line-decide", args=[line.pk])
    assert client.get(url).status_code == 404


def test_home_page_names_what_is_left(review, clerk, sign_in):
    assert "年审对象未处理" in text(sign_in(clerk).get(reverse("home")))


def waiting(user, day):
    return {todo.label: todo.count for todo in todos_for(user, day)}


def test_home_page_asks_for_last_years_review_until_it_is_made(people, clerk, reviewer, township):
    label, january = "2018年度年审还没有做的政策", date(2019, 1, 2)
    assert label not in waiting(clerk, january)  # the lines came in only now
    then = datetime(2018, 3, 1, tzinfo=UTC)
    Enrolment.objects.update(created_at=then)
    assert waiting(clerk, january)[label] == 1
    assert label not in waiting(clerk, date(2018, 12, 31))
    assert label not in waiting(reviewer, january)
    make_review(
        by=clerk, region=township, policy_code="CN-RURAL", year=2018, today=january,
        now=timezone.now(),
    )  # fmt: skip
    assert label not in waiting(clerk, january)


def test_policy_that_was_off_last_year_needs_no_review(village, clerk, township):
    make_enrolment(make_old_couple(village)[0])
    Enrolment.objects.update(created_at=datetime(2018, 3, 1, tzinfo=UTC))
    assert "2018年度年审还没有做的政策" not in waiting(clerk, date(2019, 1, 2))


def test_reviews_lead_to_rosters_and_lists(review, clerk, sign_in):
    client = sign_in(clerk)
    page = text(client.get(review.get_absolute_url()))
    for name in ("subsidies:roster-print", "subsidies:review-exits"):
        assert f"{reverse(name)}?policy=CN-RURAL&amp;year=2018" in page
        assert reverse(name) in text(client.get(reverse("subsidies:review-list")))


@pytest.mark.parametrize(
    "name", ["subsidies:review-line-list", "subsidies:review-line-sensitive-list"]
)
def test_query_count_of_the_lists(
    name, review, clerk, village, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for code in ("CN-RURAL", "CN-SPECIAL-DEATH"):
            for one in make_old_couple(village):
                ReviewLine.objects.create(
                    review=review, policy_code=code, resident=one, finding="missing"
                )

    grow()
    assert_query_count_does_not_grow(lambda: client.get(reverse(name)), grow)


def test_query_count_of_the_overview(
    review, clerk, village, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for one in make_old_couple(village):
            make_enrolment(one)

    assert_query_count_does_not_grow(lambda: client.get(reverse("subsidies:review-list")), grow)
