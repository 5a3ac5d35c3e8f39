"""通过所选: the flawless are counted and passed, exceptions named and left; and who is reminded."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.urls import reverse

from fpadmin.ui.todos import todos_for
from households.special import uploads
from subsidies.applications import batch
from subsidies.applications.steps import days_late, waiting_words
from subsidies.models import Application, Enrolment
from subsidies.services.application_papers import add_paper
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.notices import make_notice, make_objection
from tests.factories.special import picture
from tests.subsidies.applications.conftest import NOW, brought_to, make_draft, submitted

pytestmark = pytest.mark.django_db
KEY = "benefit-applications"
LIST = "subsidies:application-list"


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def waiting_at(village, rural, clerk, passers):
    """waiting_at(state, name, …) → an application with its paper that waits there."""

    def make(state, name, *, paper=True, **couple) -> Application:
        head, _ = make_old_couple(village, **couple)
        type(head).objects.filter(pk=head.pk).update(name=name)
        draft = make_draft(head, clerk)
        if paper:
            file = uploads.paper_of("a.jpg", picture(colour=f"#{draft.pk:06x}"))
            add_paper(by=clerk, application=draft, kind="identity", title="户口簿", paper=file)
        return brought_to(state, draft, clerk, passers)

    return make


def rows() -> list[Application]:
    return list(Application.objects.for_list().order_by("pk"))


def told(by) -> dict[str, str]:
    """What stops whom."""
    found = batch.exceptions(rows(), by=by, values={}, day=TODAY)
    return {row.resident.name: found[row.pk] for row in rows() if row.pk in found}


def test_confirm_page_names_exceptions_only_and_counts_the_rest(sign_in, reviewer, waiting_at):
    waiting_at("township", "没有毛病")
    waiting_at("township", "缺户口簿", paper=False)
    died = waiting_at("township", "已经去世").resident
    type(died).objects.filter(pk=died.pk).update(death_date=date(2018, 10, 1))
    client = sign_in(reviewer)

    page = client.post(reverse("lists:act-confirm", args=[KEY, "pass"]), {"all": "1"})
    page = page.content.decode()
    assert "将改动1件" in page
    assert "没有毛病" not in page
    assert "2件不能办理" in page
    assert "缺材料：身份证、户口簿" in page
    assert "不再符合" in page

    answer = client.post(
        reverse("lists:act-confirm", args=[KEY, "pass"]), {"all": "1", "step": "do"}
    )
    page = client.get(answer.url).content.decode()
    assert "已办理<strong>1</strong>件" in page
    assert "未办理2件" in page
    states = dict(Application.objects.values_list("resident__name", "state"))
    assert states == {"没有毛病": "county", "缺户口簿": "township", "已经去世": "township"}


def test_county_confirms_many_onto_the_roll(sign_in, county_user, waiting_at):
    for name in ("甲", "乙", "丙"):
        waiting_at("county", name)

    sign_in(county_user).post(
        reverse("lists:act-confirm", args=[KEY, "pass"]), {"all": "1", "step": "do"}
    )
    assert Enrolment.objects.count() == 3


def test_row_of_another_place_or_step_is_left(sign_in, reviewer, waiting_at, far_village):
    ours = waiting_at("township", "本镇")
    county = waiting_at("county", "已到县里")
    other = waiting_at("township", "外镇")
    type(other.resident).objects.filter(pk=other.resident_id).update(village=far_village)

    client = sign_in(reviewer)
    picked = f"{ours.pk},{county.pk},{other.pk}"
    answer = client.post(
        reverse("lists:act-confirm", args=[KEY, "pass"]), {"picked": picked, "step": "do"}
    )
    page = client.get(answer.url).content.decode()
    assert "这一步不由您的岗位办理" in page
    assert "外镇" not in page
    assert set(Application.objects.filter(state="county").values_list("pk", flat=True)) == {
        ours.pk, county.pk,
    }  # fmt: skip
    other.refresh_from_db()
    assert other.state == "township"


def test_own_and_conflicting_and_unproved_are_exceptions(
    village, county, clerk, colleague, propagandist, waiting_at, couple
):
    submitted(make_draft(couple[0], colleague), colleague)
    enrolled = waiting_at("village", "已在册")
    make_enrolment(enrolled.resident)
    waiting_at("village", "自己经办")

    found = told(clerk)
    assert "换一位同事" in found["自己经办"]
    assert "不能重复登记" in told(propagandist)["已在册"]

    switch_on("CN-COMPLICATION", county, notice_days=0)
    draft = make_draft(
        couple[1], clerk, "CN-COMPLICATION", grade="二级", attested={"县级鉴定的并发症等级": "二级"}
    )
    submitted(draft, clerk)
    Application.objects.filter(pk=draft.pk).update(attested={})
    assert "缺证明事项：县级鉴定的并发症等级" in told(colleague)[couple[1].name]


def test_notice_and_objection_are_exceptions(county, clerk, propagandist, waiting_at):
    hung, disputed, unposted = (
        waiting_at("village", name) for name in ("在公示", "有异议", "没张贴")
    )
    Application.objects.update(state="notice")
    for one in (hung, disputed, unposted):
        one.refresh_from_db()
    switch_on("CN-RURAL", county, date(2018, 9, 1), notice_days=7)
    notice = make_notice([hung, disputed], clerk)
    make_objection(notice, disputed, propagandist)

    found = told(propagandist)
    assert "公示到" in found["在公示"]
    assert "有异议还没有处理" in found["有异议"]
    assert "还没有张贴公示" in found["没张贴"]


def test_hand_made_is_an_exception_only_at_the_county(
    village, rural, clerk, passers, county_user, reviewer
):
    young, _ = make_old_couple(village, born=date(1959, 1, 1))
    draft = make_draft(young, clerk, by_rule=False, note="更正中")
    waiting = brought_to("township", draft, clerk, passers)
    assert "不再符合" not in told(reviewer)[young.name]

    Application.objects.filter(pk=waiting.pk).update(
        state="county", township_passed_by=make_user("reviewer", village.parent, "t2")
    )
    assert "不再符合：年满60周岁" in told(county_user)[young.name]


def test_check_asks_the_same_queries_for_more_rows(
    assert_query_count_does_not_grow, reviewer, waiting_at
):
    for number in range(2):
        waiting_at("township", f"先{number}")
    assert_query_count_does_not_grow(
        lambda: batch.exceptions(rows(), by=reviewer, values={}, day=TODAY),
        lambda: [waiting_at("township", f"后{n}") for n in range(4)],
    )


def test_row_passed_meanwhile_is_reported(waiting_at, reviewer, township):
    waiting = waiting_at("township", "被抢先")
    chosen = rows()
    Application.objects.filter(pk=waiting.pk).update(
        state="county", township_passed_by=make_user("reviewer", township, "faster")
    )

    refused = batch.pass_rows(chosen, by=reviewer, values={}, day=TODAY)
    assert "不在这一步" in refused[waiting.pk]


# Who is reminded -------------------------------------------------------------------------------


def reminded(user) -> dict[str, int]:
    return {t.label: t.count for t in todos_for(user, TODAY) if "待遇申请" in t.label}


MINE = "待遇申请等我办理"
LATE = "待遇申请超过5个工作日"


def lie(application, days: int) -> None:
    Application.objects.filter(pk=application.pk).update(waiting_since=NOW - timedelta(days=days))


def test_each_step_reminds_its_own_actor(waiting_at, clerk, propagandist, reviewer, county_user):
    waiting_at("village", "村")
    waiting_at("township", "镇")
    waiting_at("county", "县")

    assert reminded(propagandist) == reminded(reviewer) == reminded(county_user) == {MINE: 1}
    assert reminded(clerk) == {}


def test_maker_is_reminded_of_what_came_back(waiting_at, clerk, propagandist, colleague):
    from subsidies.services import applications as services

    back = waiting_at("village", "退回")
    services.return_step(by=propagandist, application=back, reason="补材料。", today=TODAY, now=NOW)

    assert reminded(clerk) == {MINE: 1}
    assert reminded(colleague) == reminded(propagandist) == {}


def test_village_that_made_it_leaves_its_review_to_the_township(
    couple, clerk, colleague, propagandist
):
    submitted(make_draft(couple[0], propagandist), propagandist)

    assert reminded(propagandist) == {}
    assert reminded(clerk) == reminded(colleague) == {MINE: 1}


def test_what_the_village_left_lying_comes_to_the_township(waiting_at, colleague, propagandist):
    lie(waiting_at("village", "没人管"), 15)

    assert reminded(colleague) == reminded(propagandist) == {MINE: 1, LATE: 1}


@pytest.mark.parametrize(
    ("since", "late"),
    [
        # 1 to 7 October 2018 were holidays, 29 and 30 September were worked.
        (date(2018, 10, 9), 0),
        (date(2018, 9, 27), 0),  # 28, 29, 30 September, 8, 9 October: five
        (date(2018, 9, 26), 1),
        (date(2018, 9, 25), 2),
    ],
)
def test_overdue_counts_working_days(since, late, waiting_at, reviewer):
    application = waiting_at("township", "等着")
    application.waiting_since = datetime(since.year, since.month, since.day, 2, tzinfo=UTC)
    application.save()

    assert days_late(application, TODAY, {}) == late
    assert reminded(reviewer).get(LATE, 0) == (1 if late else 0)
    words = waiting_words(application, TODAY, {})
    assert ("逾期" in words) == bool(late)


def test_link_of_the_reminder_leads_to_exactly_these(sign_in, waiting_at, reviewer):
    lie(waiting_at("township", "早就到了"), 20)
    waiting_at("township", "刚到")
    waiting_at("county", "不归我")
    client = sign_in(reviewer)

    for todo in todos_for(reviewer, TODAY):
        if "待遇申请" not in todo.label:
            continue
        rows = client.get(todo.url).content.decode().split("<tbody", 1)[1].split("</tbody")[0]
        assert rows.count("<tr") == todo.count
        assert "不归我" not in rows
        assert "早就到了" in rows


def test_menu_counts_what_waits(sign_in, waiting_at, reviewer):
    from subsidies.applications.application_list import waiting_count

    waiting_at("township", "一件")
    assert waiting_count(reviewer) == 1
