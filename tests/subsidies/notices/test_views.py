"""The pages of notices: who gets what, what the sheet tells and for how long, what waits at home."""

import re
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.exports import runs
from fpadmin.ui.listing import LISTS, Asked
from fpadmin.ui.listing import rows_of as listed
from fpadmin.ui.todos import todos_for
from subsidies.forms.notices import office_line
from subsidies.models import Application, Notice, Objection
from subsidies.notices import my_notices
from subsidies.policies import catalogue
from subsidies.services import notices as services
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import set_rate, switch_on
from tests.factories.notices import (
    NOW,
    PHONE,
    make_applicant,
    make_notice,
    make_objection,
    make_waiting,
)
from tests.factories.special import make_archive, make_contact, make_person, picture

LIST = "subsidies:notice-list"
LAST_DAY, DAY_AFTER = date(2018, 10, 18), date(2018, 10, 19)
# A citizen's number old and new, a bank account, a mobile telephone, in any form with digits covered.
LONG_RUN = re.compile(r"[0-9*Xx]{11,}")


def page(client, name, *args, query="", **kwargs):
    return client.get(reverse(f"subsidies:{name}", args=args) + query, **kwargs)


def create_url(village, code="CN-RURAL"):
    return reverse("subsidies:notice-create") + f"?village={village.pk}&policy={code}"


def told(response) -> str:
    """What a page says, without its tags and their addresses."""
    return re.sub(r"<[^>]+>", " ", response.content.decode())


# The list ----------------------------------------------------------------------------------------


def test_list_tells_what_waits_and_what_hangs(waiting, propagandist, sign_in):
    client = sign_in(propagandist)
    assert "待张贴" in told(page(client, "notice-list"))

    make_notice(waiting, propagandist)
    text = told(page(client, "notice-list"))
    assert "待张贴" not in text
    assert "还剩7个工作日" in text


def test_county_sees_notices_but_posts_none(waiting, notice, county_user, sign_in, village, clerk):
    make_applicant(village, clerk)
    client = sign_in(county_user)

    assert "待张贴" not in told(page(client, "notice-list"))
    assert page(client, "notice-create").status_code == 403
    assert "登记异议" not in told(page(client, "notice-detail", notice.pk))


@pytest.mark.parametrize(
    ("day", "state"), [(LAST_DAY, "hanging"), (DAY_AFTER, "over")], ids=["last_day", "day_after"]
)
def test_list_finds_notices_by_their_state(notice, clerk, sign_in, later, day, state):
    later(day)
    client = sign_in(clerk)
    for asked in ("hanging", "over", "ended"):
        found = page(client, "notice-list", query=f"?state={asked}").context["list"].total
        assert found == (asked == state)


def test_list_finds_open_objections(notice, waiting, clerk, sign_in):
    client = sign_in(clerk)
    assert page(client, "notice-list", query="?disputed=open").context["list"].total == 0

    make_objection(notice, waiting[0], clerk)
    assert page(client, "notice-list", query="?disputed=open").context["list"].total == 1


def test_file_of_the_list_has_its_words(notice, waiting, clerk, later):
    make_objection(notice, waiting[0], clerk)
    later(DAY_AFTER)
    spec, asked = LISTS["notices"], Asked(clerk, QueryDict(), {}, DAY_AFTER)
    columns = [one for one in spec.columns if one.in_file]

    ((row,),) = [
        list(part) for part in runs.cells(listed(spec, asked), columns, clear=False, day=TODAY)
    ]

    assert dict(zip([one.key for one in columns], row, strict=True)) == {
        "policy": "农村部分计划生育家庭奖励扶助", "village": "庄科村", "people": 2, "posted_on": TODAY,
        "ends_on": LAST_DAY, "days": 7, "state": "期满待结束", "disputes": 1, "photo": "没有",
        "closed_on": None,
    }  # fmt: skip


def test_list_costs_the_same_for_many(
    village, rural, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    make_notice([make_applicant(village, clerk)], clerk)
    make_applicant(village, clerk)

    def grow():
        for _ in range(5):
            make_notice([make_applicant(village, clerk) for _ in range(3)], clerk)
            make_applicant(village, clerk)

    assert_query_count_does_not_grow(lambda: client.get(reverse("subsidies:notice-list")), grow)


def test_page_of_a_notice_costs_the_same_for_many(
    village, rural, clerk, colleague, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    applications = [make_applicant(village, clerk)]
    notice = make_notice(applications, clerk)
    make_objection(notice, applications[0], clerk)

    def grow():
        more = [make_applicant(village, clerk) for _ in range(6)]
        other = make_notice(more, clerk)
        other.lines.update(notice=notice)
        for one in more:
            make_objection(notice, one, clerk)

    assert_query_count_does_not_grow(lambda: page(client, "notice-detail", notice.pk), grow)


# Posting -----------------------------------------------------------------------------------------


def test_posting_from_the_page(waiting, village, propagandist, sign_in):
    client = sign_in(propagandist)
    shown = client.get(create_url(village))
    assert "公示7个工作日，今天张贴的，公示到2018年10月18日" in told(shown)

    answer = client.post(
        create_url(village),
        {
            "applications": [one.pk for one in waiting],
            "posted_on": "2018-10-09",
            "phone": "0871 68690000",
        },
    )

    notice = Notice.objects.get()
    assert answer["Location"] == notice.get_absolute_url()
    assert notice.phone == PHONE
    assert notice.lines.count() == 2


def test_choice_of_what_to_post(waiting, village, propagandist, sign_in):
    client = sign_in(propagandist)
    text = page(client, "notice-create").content.decode()
    assert create_url(village).replace("&", "&amp;") in text

    make_notice(waiting, propagandist)
    assert "没有待张贴的申请" in told(page(client, "notice-create"))


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("010 62345678", "010-62345678"),
        ("08716869000", "0871-6869000"),
        ("０８７１－６８６９００００－２", "0871-68690000-2"),
        ("68690000", "68690000"),
        ("12345", "12345"),
    ],
)
def test_office_line_is_kept_as_the_sheet_prints_it(typed, kept):
    assert office_line(typed) == kept


@pytest.mark.parametrize("phone", ["13812348404", "138 1234 8404", "电话", "1381234840"])
def test_a_mobile_telephone_is_no_office_line(waiting, village, propagandist, sign_in, phone):
    answer = sign_in(propagandist).post(
        create_url(village),
        {"applications": [one.pk for one in waiting], "posted_on": "2018-10-09", "phone": phone},
    )

    assert "固定电话" in told(answer)
    assert not Notice.objects.exists()


def test_posting_shows_what_is_refused(waiting, village, propagandist, sign_in):
    answer = sign_in(propagandist).post(
        create_url(village),
        {"applications": [one.pk for one in waiting], "posted_on": "2018-10-10", "phone": PHONE},
    )

    assert "不能晚于今天" in told(answer)
    assert not Notice.objects.exists()


def test_foreign_application_cannot_be_posted(
    waiting, village, far_village, clerk, propagandist, sign_in
):
    foreign = make_applicant(far_village, make_user("clerk", far_village.parent, "far"))
    answer = sign_in(propagandist).post(
        create_url(village),
        {"applications": [waiting[0].pk, foreign.pk], "posted_on": "2018-10-09", "phone": PHONE},
    )

    assert answer.status_code == 200
    assert not Notice.objects.exists()


def test_days_not_announced_are_told(waiting, village, propagandist, sign_in, later):
    client = sign_in(propagandist)
    assert "按周末推算" not in told(client.get(create_url(village)))

    later(date(2031, 3, 3))
    assert "节假日安排尚未公布，按周末推算" in told(client.get(create_url(village)))


# The sheet ---------------------------------------------------------------------------------------


def test_sheet_tells_what_the_public_may_know(notice, waiting, township, propagandist, sign_in):
    set_rate("CN-RURAL", township, 1080)
    client = sign_in(propagandist)

    answer = page(client, "notice-print", notice.pk)
    text = told(answer)

    person = waiting[0].resident
    for word in (
        person.name, "庄科村", "农村部分计划生育家庭奖励扶助", "每年1080元", "2018年10月9日至2018年10月18日",
        "7个工作日", PHONE, person.id_number[-4:],
    ):  # fmt: skip
        assert word in text
    assert "noindex" in answer["X-Robots-Tag"]
    assert 'name="robots" content="noindex' in answer.content.decode()
    event = AuditEvent.objects.get(type="notice.printed")
    assert event.changes == {"people": 2}


def test_sheet_holds_no_number_that_belongs_to_somebody(notice, waiting, clerk, sign_in):
    resident = waiting[0].resident
    resident.phone, resident.bank_account = "13812348404", "6299123412348225"
    resident.disability_grade = "二级"
    resident.save()
    waiting[0].note = "因病"
    waiting[0].attested = {"经济困难": "因病致贫"}
    waiting[0].save()

    text = told(page(sign_in(clerk), "notice-print", notice.pk))

    assert resident.id_number[-4:] in text
    assert LONG_RUN.search(text) is None
    assert "因病" not in text
    assert "二级" not in text
    assert resident.household.number not in text


def test_sheet_is_gone_after_the_term(notice, propagandist, sign_in, later):
    client = sign_in(propagandist)
    later(LAST_DAY)
    assert page(client, "notice-print", notice.pk).status_code == 200

    later(DAY_AFTER)
    assert page(client, "notice-print", notice.pk).status_code == 404
    detail = page(client, "notice-detail", notice.pk)
    assert reverse("subsidies:notice-print", args=[notice.pk]) not in detail.content.decode()
    assert "公示期已满" in told(detail)


def test_who_was_taken_off_is_not_on_the_sheet(notice, waiting, clerk, colleague, sign_in):
    objection = make_objection(notice, waiting[0], clerk)
    services.decide_objection(
        by=colleague, objection=objection, outcome="upheld", finding="属实", now=NOW, today=TODAY
    )

    text = told(page(sign_in(clerk), "notice-print", notice.pk))

    assert waiting[0].resident.name not in text
    assert waiting[1].resident.name in text
    assert "下列1人" in text


def test_childrens_numbers_stay_off_the_sheet(village, county, clerk, sign_in):
    code = next(
        c for c, one in catalogue.policies().items() if one.who == "child" and not one.sensitive
    )
    switch_on(code, county)
    application = make_applicant(village, clerk, code=code)
    notice = make_notice([application], clerk)

    text = told(page(sign_in(clerk), "notice-print", notice.pk))

    assert application.resident.name in text
    assert application.resident.id_number[-4:] not in text


def test_sheet_of_a_sensitive_policy_tells_neither_policy_nor_sum(village, county, clerk, sign_in):
    """A county may decide to post them; the board then tells no more than that there is help."""
    switch_on("CN-SPECIAL-DEATH", county, notice_days=7)
    notice = make_notice([make_applicant(village, clerk, code="CN-SPECIAL-DEATH")], clerk)

    answer = page(sign_in(clerk), "notice-print", notice.pk)
    text = told(answer)

    policy = catalogue.policy("CN-SPECIAL-DEATH")
    for word in (policy.name, "死亡", "特别扶助", "450", "国人口发", "试行文件"):
        assert word not in text
    assert "计划生育家庭扶助" in text
    assert LONG_RUN.search(text) is None


def test_many_people_stand_on_several_sheets(village, rural, clerk, sign_in):
    notice = make_notice([make_applicant(village, clerk, f"陶{n:02d}") for n in range(14)], clerk)

    answer = page(sign_in(clerk), "notice-print", notice.pk)

    assert len(answer.context["sheets"]) == 2
    assert "第2页　共2页" in told(answer)
    assert told(answer).count("陶") == 14


# Who sees it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["notice-detail", "notice-print", "notice-photo", "objection-create"]
)
def test_another_village_does_not_find_it(notice, waiting, other_propagandist, sign_in, name):
    answer = page(sign_in(other_propagandist), name, notice.pk)

    assert answer.status_code == 404
    assert waiting[0].resident.name not in answer.content.decode()


def test_sensitive_notice_is_not_for_the_village(village, county, clerk, propagandist, sign_in):
    switch_on("CN-SPECIAL-DEATH", county, notice_days=7)
    waits = make_applicant(village, clerk, code="CN-SPECIAL-DEATH")
    client = sign_in(propagandist)
    assert "待张贴" not in told(page(client, "notice-list"))
    assert not my_notices.items(propagandist, TODAY)[0].count

    notice = make_notice([waits], clerk)

    assert page(client, "notice-detail", notice.pk).status_code == 404
    assert page(client, "notice-list").context["list"].total == 0
    assert "死亡" not in told(page(client, "notice-list"))
    assert page(sign_in(clerk), "notice-detail", notice.pk).status_code == 200


def test_contact_of_one_family_sees_its_line_alone(village, county, clerk, propagandist, sign_in):
    switch_on("CN-SPECIAL-DEATH", county, notice_days=7)
    family = make_archive(village)
    make_contact(family, make_person(village, user=propagandist))
    parent = family.parents.first().resident
    own = make_waiting(parent, clerk, "CN-SPECIAL-DEATH")
    other = make_applicant(village, clerk, "旁人甲", "CN-SPECIAL-DEATH")
    notice = make_notice([own, other], clerk)

    text = told(page(sign_in(propagandist), "notice-detail", notice.pk))

    assert parent.name in text
    assert "旁人甲" not in text


def test_who_objected_is_told_only_to_who_handles_it(notice, waiting, clerk, reviewer, sign_in):
    make_objection(notice, waiting[0], clerk, raised_by="王大爷")

    assert "王大爷" in told(page(sign_in(clerk), "notice-detail", notice.pk))
    text = told(page(sign_in(reviewer), "notice-detail", notice.pk))
    assert "王大爷" not in text
    assert "男孩" in text


# Photo, objections, the end ------------------------------------------------------------------------


def test_photo_from_a_phone(notice, propagandist, sign_in):
    client = sign_in(propagandist)
    assert page(client, "notice-photo-file", notice.pk).status_code == 404
    file = SimpleUploadedFile("IMG_1.jpg", picture(size=(400, 300)), "image/jpeg")

    answer = client.post(reverse("subsidies:notice-photo", args=[notice.pk]), {"photo": file})

    assert answer["Location"] == notice.get_absolute_url()
    shown = page(client, "notice-photo-file", notice.pk)
    assert shown["Content-Type"] == "image/jpeg"
    assert shown.content.startswith(b"\xff\xd8")
    assert (
        reverse("subsidies:notice-photo-file", args=[notice.pk])
        in page(client, "notice-detail", notice.pk).content.decode()
    )


def test_photo_that_is_none_is_refused(notice, propagandist, sign_in):
    file = SimpleUploadedFile("board.jpg", b"<svg onload=alert(1)>", "image/jpeg")

    answer = sign_in(propagandist).post(
        reverse("subsidies:notice-photo", args=[notice.pk]), {"photo": file}
    )

    assert "扩展名" in told(answer)
    notice.refresh_from_db()
    assert not notice.photo


def test_objection_from_the_page_to_its_end(notice, waiting, clerk, colleague, sign_in):
    line = notice.lines.get(application=waiting[0])
    client = sign_in(clerk)
    shown = page(client, "objection-create", notice.pk, query=f"?line={line.pk}")
    assert f'<option value="{line.pk}" selected>' in shown.content.decode()

    client.post(
        reverse("subsidies:objection-create", args=[notice.pk]),
        {"line": line.pk, "raised_on": "2018-10-09", "content": "还有一个男孩。"},
    )
    objection = Objection.objects.get()
    assert objection.application == waiting[0]
    assert "匿名" in told(page(client, "notice-detail", notice.pk))

    decide = reverse("subsidies:objection-decide", args=[objection.pk])
    refused = client.post(decide, {"outcome": "upheld", "finding": "属实"})
    assert "您经办" in told(refused)
    sign_in(colleague).post(decide, {"outcome": "upheld", "finding": "属实"})
    assert Application.objects.get(pk=waiting[0].pk).state == "returned"


def test_ending_from_the_page(notice, waiting, clerk, sign_in, later):
    client = sign_in(clerk)
    url = reverse("subsidies:notice-close", args=[notice.pk])
    early = client.post(url, follow=True)
    assert "不能结束公示" in told(early)

    later(DAY_AFTER)
    assert waiting[0].resident.name in told(client.get(url))
    done = client.post(url, follow=True)
    assert "2份申请转乡镇初审" in told(done)
    assert Notice.objects.get().closed_on == DAY_AFTER


# At home -----------------------------------------------------------------------------------------


def test_home_tells_what_waits_at_the_board(waiting, propagandist, clerk, reviewer):
    def counts(user, day):
        return [todo.count for todo in my_notices.items(user, day)]

    assert counts(propagandist, TODAY) == [2, 0, 0]
    notice = make_notice(waiting, propagandist)
    assert counts(propagandist, TODAY) == [0, 0, 0]
    make_objection(notice, waiting[0], clerk)
    assert counts(propagandist, DAY_AFTER) == [0, 1, 1]
    assert [t.label for t in todos_for(reviewer, DAY_AFTER) if "公示" in t.label] == []
    assert "公示异议待处理" in [t.label for t in todos_for(clerk, DAY_AFTER)]


def test_home_leads_to_exactly_these(waiting, clerk, sign_in, later, propagandist):
    notice = make_notice(waiting, propagandist)
    make_objection(notice, waiting[0], clerk)
    later(DAY_AFTER)
    client = sign_in(clerk)
    for todo in my_notices.items(clerk, DAY_AFTER)[1:]:
        assert client.get(todo.url).context["list"].total == todo.count
