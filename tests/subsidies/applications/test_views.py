"""Pages of applications as their users meet them."""

import re
from datetime import date

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.entry.models import Draft
from subsidies.applications import application_list
from subsidies.models import Application, ApplicationPaper
from subsidies.policies import catalogue
from subsidies.services import applications as services
from tests.conftest import TODAY
from tests.factories.benefits import make_old_couple, switch_on
from tests.factories.special import make_archive, make_contact, make_person, pdf, picture
from tests.subsidies.applications.conftest import (
    NOW,
    brought_to,
    make_draft,
    passed,
    submitted,
)

pytestmark = pytest.mark.django_db
LIST = "subsidies:application-list"
TOKEN = "a" * 43


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def url(name: str, pk) -> str:
    return reverse(f"subsidies:application-{name}", args=[pk])


def text_of(answer) -> str:
    return answer.content.decode()


# Making ----------------------------------------------------------------------------------------


def test_form_leads_over_the_check_page_to_the_number(sign_in, clerk, couple):
    client = sign_in(clerk)
    create = url("create", couple[0].pk)

    page = text_of(client.get(create))
    assert "农村部分计划生育家庭奖励扶助" in page
    page = text_of(client.post(create, {"policy": "CN-RURAL", "step": "preview"}))
    assert "年满60周岁" in page
    assert 'name="by_hand"' not in page

    answer = client.post(
        create, {"policy": "CN-RURAL", "applied_on": "2018.9.3", "note": "老两口", "once": TOKEN}
    )
    made = Application.objects.get()
    assert answer.url == url("submit", made.pk)
    page = text_of(client.get(answer.url))
    assert "核对申请" in page
    assert url("edit", made.pk) in page
    assert "缺材料：身份证、户口簿" in page

    answer = client.post(answer.url, {"once": "b" * 43})
    assert answer.url == url("submitted", made.pk)
    for _ in range(2):  # loading it again does nothing
        page = text_of(client.get(answer.url))
        assert f"SQ2018-{made.pk:06d}" in page
        assert url("receipt", made.pk) in page
    made.refresh_from_db()
    assert (made.state, made.submitted_by, made.by_rule) == ("village", clerk, True)


def test_form_keeps_what_was_typed_and_says_what_is_wrong(sign_in, clerk, couple):
    answer = sign_in(clerk).post(
        url("create", couple[0].pk),
        {"policy": "CN-RURAL", "applied_on": "2018-10-10", "note": "打了一半"},
    )

    page = text_of(answer)
    assert "有1处需要修改" in page
    assert "错误：" in page.split("</title>")[0]
    assert "打了一半" in page
    assert not Application.objects.exists()


def test_form_offers_the_hand_made_way_only_to_who_does_not_qualify(sign_in, clerk, village, rural):
    young, _ = make_old_couple(village, born=date(1959, 1, 1))
    client = sign_in(clerk)
    create = url("create", young.pk)
    page = text_of(client.post(create, {"policy": "CN-RURAL", "step": "preview"}))
    assert "按现在的登记不符合条件" in page

    data = {"policy": "CN-RURAL", "applied_on": "2018-10-09", "by_hand": "on", "once": TOKEN}
    assert "手工登记要写明理由" in text_of(client.post(create, data))
    client.post(create, data | {"note": "出生日期有误"})
    assert Application.objects.get().by_rule is False


def test_form_asks_for_grade_and_proof(sign_in, clerk, couple, county):
    switch_on("CN-COMPLICATION", county)
    client = sign_in(clerk)
    create = url("create", couple[0].pk)
    data = {"policy": "CN-COMPLICATION", "applied_on": "2018-10-09", "once": TOKEN}

    assert "请选择等级或学段" in text_of(client.post(create, data))
    client.post(create, data | {"grade": "二级", "fact_0": "县鉴定组2018年5月"})
    made = Application.objects.get()
    assert made.grade == "二级"
    assert made.attested == {"县级鉴定的并发症等级": "县鉴定组2018年5月"}


def test_sensitive_policy_is_never_read_from_the_address(sign_in, clerk, village, county):
    switch_on("CN-SPECIAL-DEATH", county)
    family = make_archive(village)
    parent = family.parents.first().resident

    page = text_of(sign_in(clerk).get(url("create", parent.pk), {"policy": "CN-SPECIAL-DEATH"}))
    assert "先选政策" in page


def test_propagandist_is_not_offered_what_tells_of_a_childs_death(
    sign_in, propagandist, village, county
):
    switch_on("CN-SPECIAL-DEATH", county)
    family = make_archive(village)
    parent = family.parents.first().resident
    client = sign_in(propagandist)

    assert "特别扶助" not in text_of(client.get(url("create", parent.pk)))
    answer = client.post(
        url("create", parent.pk),
        {"policy": "CN-SPECIAL-DEATH", "applied_on": "2018-10-09", "once": TOKEN},
    )
    assert answer.status_code == 200
    assert not Application.objects.exists()


def test_draft_of_the_form_comes_back_with_its_policy(sign_in, clerk, couple):
    client = sign_in(clerk)
    create = url("create", couple[0].pk)
    data = {"policy": "CN-RURAL", "applied_on": "2018-09-03", "note": "没写完", "once": TOKEN}
    assert client.post(create, data | {"entry": "save"}).status_code == 204

    assert "有未保存的草稿" in text_of(client.get(create))
    assert "没写完" in text_of(client.get(create, {"draft": "restore"}))
    client.post(create, data)
    assert not Draft.objects.exists()


def test_same_page_sent_twice_makes_one_application(sign_in, clerk, couple):
    client = sign_in(clerk)
    data = {"policy": "CN-RURAL", "applied_on": "2018-09-03", "note": "", "once": TOKEN}
    answers = {client.post(url("create", couple[0].pk), data).url for _ in range(2)}

    assert len(answers) == 1
    assert Application.objects.count() == 1


def test_edit_of_two_people_shows_both(sign_in, clerk, colleague, draft):
    client = sign_in(clerk)
    page = text_of(client.get(url("edit", draft.pk)))
    opened = re.search(r'name="opened" value="([^"]*)"', page)[1]
    services.edit_application(
        by=colleague, application=draft, row_version=0, applied_on=draft.applied_on, note="罗的",
        by_rule=True, today=TODAY, now=NOW,
    )  # fmt: skip

    answer = client.post(
        url("edit", draft.pk),
        {"row_version": "0", "opened": opened, "applied_on": "2018-09-03", "note": "陈的"},
    )
    assert answer.status_code == 409
    assert "罗的" in text_of(answer)
    assert "陈的" in text_of(answer)


# One application -------------------------------------------------------------------------------


def test_page_says_whose_turn_it_is(sign_in, clerk, passers, draft):
    waiting = brought_to("township", draft, clerk, passers)

    page = text_of(sign_in(clerk).get(waiting.get_absolute_url()))
    assert "等乡镇（街道）审核人员初审" in page
    assert "同意，通过" not in page
    page = text_of(sign_in(passers["township"]).get(waiting.get_absolute_url()))
    assert "同意，通过" in page


def test_whole_way_through_the_pages(sign_in, clerk, passers, draft):
    submitted(draft, clerk)
    for state, actor in passers.items():
        answer = sign_in(actor).post(
            url("pass", draft.pk), {"state": state, "opinion": "属实。", "once": TOKEN}
        )
        assert answer.url == draft.get_absolute_url()

    draft.refresh_from_db()
    assert draft.state == "confirmed"
    page = text_of(sign_in(clerk).get(draft.get_absolute_url()))
    assert "2018-01" in page
    assert "属实。" in page


def test_village_sends_back_with_a_phrase_and_the_reason_stands_on_top(
    sign_in, clerk, propagandist, draft
):
    submitted(draft, clerk)
    client = sign_in(propagandist)
    back = url("return", draft.pk)

    assert "写明退回的原因" in text_of(client.post(back, {"state": "village", "once": TOKEN}))
    phrase = "缺少证明材料，请补充后再报。"
    client.post(back, {"state": "village", "phrase": phrase, "opinion": "户口簿。", "once": TOKEN})

    page = text_of(sign_in(clerk).get(draft.get_absolute_url()))
    assert page.index(phrase + "户口簿。") < page.index("办理进度")
    assert url("edit", draft.pk) in page


def test_page_of_a_step_that_was_taken_meanwhile_says_so(sign_in, clerk, passers, draft):
    waiting = brought_to("township", draft, clerk, passers)

    answer = sign_in(passers["village"]).post(url("pass", waiting.pk), {"state": "village"})
    assert answer.status_code == 200
    assert "已经不在这一步" in text_of(answer)


def test_step_of_another_role_is_forbidden(sign_in, clerk, passers, draft):
    waiting = brought_to("township", draft, clerk, passers)

    for name in ("pass", "return"):
        for who in (clerk, passers["village"], passers["county"]):
            assert sign_in(who).post(url(name, waiting.pk)).status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == "township"


def test_other_place_is_not_found(sign_in, other_clerk, other_propagandist, draft):
    for who in (other_clerk, other_propagandist):
        client = sign_in(who)
        for name in ("detail", "edit", "submit", "withdraw", "print", "receipt", "paper-create"):
            assert client.get(url(name, draft.pk)).status_code == 404, name
        for name in ("pass", "return"):
            assert client.post(url(name, draft.pk)).status_code == 404, name


def test_submitted_application_is_edited_by_nobody(sign_in, clerk, draft):
    submitted(draft, clerk)
    client = sign_in(clerk)

    for name in ("edit", "submit", "withdraw"):
        assert client.get(url(name, draft.pk)).status_code == 403, name


def test_county_refuses_for_good(sign_in, clerk, passers, draft):
    waiting = brought_to("county", draft, clerk, passers)
    client = sign_in(passers["county"])

    client.post(url("refuse", waiting.pk), {"state": "county", "opinion": "隐瞒收养。"})
    waiting.refresh_from_db()
    assert waiting.state == "refused"
    page = text_of(client.get(waiting.get_absolute_url()))
    assert "隐瞒收养。" in page


def test_withdrawal_asks_first(sign_in, clerk, draft):
    client = sign_in(clerk)
    assert "撤销这份申请" in text_of(client.get(url("withdraw", draft.pk)))
    client.post(url("withdraw", draft.pk))
    draft.refresh_from_db()
    assert draft.state == "withdrawn"


# Papers ----------------------------------------------------------------------------------------


def _upload(client, application, content=None, kind="identity", name="户口簿.jpg"):
    from django.core.files.uploadedfile import SimpleUploadedFile

    file = SimpleUploadedFile(name, content or picture())
    return client.post(
        url("paper-create", application.pk), {"kind": kind, "title": "", "file": file}
    )


def test_paper_is_sealed_drawn_anew_and_opened_on_the_record(sign_in, clerk, draft, tmp_path):
    client = sign_in(clerk)
    exif = picture(comment=b"GPS 24.88")
    assert b"GPS" in exif
    _upload(client, draft, exif)

    paper = ApplicationPaper.objects.get()
    stored = (tmp_path / paper.file).read_bytes()
    assert not stored.startswith(b"\xff\xd8")
    answer = client.get(url("paper-file", paper.pk))
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    assert content.startswith(b"\xff\xd8")
    assert b"GPS" not in content
    assert "attachment" in answer["Content-Disposition"]
    assert AuditEvent.objects.filter(type="application.paper_opened").count() == 1


def test_same_file_is_not_taken_twice(sign_in, clerk, draft):
    client = sign_in(clerk)
    _upload(client, draft)

    assert "不用再传" in text_of(_upload(client, draft))
    assert ApplicationPaper.objects.count() == 1


def test_paper_is_refused_by_its_content(sign_in, clerk, draft):
    assert "内容却是" in text_of(_upload(sign_in(clerk), draft, pdf()))


def test_village_adds_its_own_paper_while_it_reviews(sign_in, clerk, propagandist, draft):
    submitted(draft, clerk)
    client = sign_in(propagandist)

    _upload(client, draft, kind="identity")
    assert not ApplicationPaper.objects.exists()
    _upload(client, draft, kind="panel")
    assert ApplicationPaper.objects.get().kind == "panel"


def test_removed_paper_is_gone_and_its_removal_recorded(
    sign_in, clerk, draft, tmp_path, django_capture_on_commit_callbacks
):
    client = sign_in(clerk)
    _upload(client, draft)
    paper = ApplicationPaper.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        client.post(url("paper-remove", paper.pk))

    assert not list((tmp_path / "applications").iterdir())
    assert client.get(url("paper-file", paper.pk)).status_code == 404
    assert AuditEvent.objects.filter(type="application.paper_removed").count() == 1


def test_paper_of_a_submitted_application_stays(sign_in, clerk, draft):
    client = sign_in(clerk)
    _upload(client, draft)
    submitted(draft, clerk)

    paper = ApplicationPaper.objects.get()
    assert client.post(url("paper-remove", paper.pk)).status_code == 403
    paper.refresh_from_db()
    assert paper.removed_at is None


def test_foreign_paper_is_not_found(sign_in, clerk, other_clerk, draft):
    _upload(sign_in(clerk), draft)
    paper = ApplicationPaper.objects.get()
    client = sign_in(other_clerk)

    assert client.get(url("paper-file", paper.pk)).status_code == 404
    assert client.post(url("paper-remove", paper.pk)).status_code == 404


# Print -----------------------------------------------------------------------------------------


def test_form_on_paper_covers_numbers_and_is_recorded(sign_in, clerk, draft):
    number = draft.resident.id_number
    client = sign_in(clerk)

    page = text_of(client.get(url("print", draft.pk)))
    assert number not in page
    assert "县级确认意见" in page
    event = AuditEvent.objects.get(type="application.printed")
    assert event.changes == {"what": "申报审批表"}

    page = text_of(client.post(url("print", draft.pk), {"purpose": "报县级主管"}))
    assert number in page
    event = AuditEvent.objects.filter(type="application.printed").latest("pk")
    assert event.changes == {"what": "申报审批表，完整号码，报县级主管"}


def test_whole_numbers_are_not_for_the_village(sign_in, propagandist, draft):
    answer = sign_in(propagandist).post(url("print", draft.pk), {"purpose": "报县级主管"})
    assert answer.status_code == 403


def test_paper_names_who_passed_and_with_what_words(sign_in, clerk, passers, draft):
    waiting = passed(submitted(draft, clerk), passers["village"], opinion="群众无意见。")

    page = text_of(sign_in(clerk).get(url("print", waiting.pk)))
    assert "群众无意见。" in page
    assert passers["village"].name in page


def test_receipt_names_the_number_and_the_telephone(sign_in, clerk, draft, settings):
    page = text_of(sign_in(clerk).get(url("receipt", draft.pk)))

    assert f"SQ2018-{draft.pk:06d}" in page
    assert settings.SUPPORT_PHONE in page
    assert draft.resident.id_number not in page


# Privacy ---------------------------------------------------------------------------------------


@pytest.fixture
def bereaved(village, county, clerk):
    """An application that tells of a child's death, sent to the village's review."""
    switch_on("CN-SPECIAL-DEATH", county, notice_days=0)
    family = make_archive(village)
    parent = family.parents.get(resident__sex="女").resident
    return submitted(make_draft(parent, clerk, "CN-SPECIAL-DEATH"), clerk)


def test_sensitive_application_is_hidden_from_the_village(sign_in, propagandist, bereaved):
    client = sign_in(propagandist)

    assert client.get(bereaved.get_absolute_url()).status_code == 404
    assert client.post(url("pass", bereaved.pk)).status_code == 404
    page = text_of(client.get(reverse(LIST)))
    assert bereaved.resident.name not in page
    assert "特别扶助" not in page


def test_familys_contact_reviews_its_application(sign_in, propagandist, bereaved):
    family = bereaved.resident.special_archives.get().family
    make_contact(family, make_person(bereaved.resident.village, user=propagandist))

    answer = sign_in(propagandist).post(url("pass", bereaved.pk), {"state": "village"})
    assert answer.status_code == 302
    bereaved.refresh_from_db()
    assert bereaved.state == "township"  # no public notice


def test_another_clerk_reviews_a_sensitive_application(sign_in, colleague, bereaved):
    assert sign_in(colleague).post(url("pass", bereaved.pk)).status_code == 302


def test_audit_and_addresses_name_no_policy(sign_in, clerk, bereaved):
    events = AuditEvent.objects.filter(type__startswith="application.")
    assert "SPECIAL" not in "".join(str(e.changes) + e.target_id for e in events)


# List ------------------------------------------------------------------------------------------


def test_list_asks_the_same_queries_for_more_rows(
    assert_query_count_does_not_grow, sign_in, clerk, village, rural
):
    client = sign_in(clerk)

    def grow():
        for one in make_old_couple(village):
            submitted(make_draft(one, clerk), clerk)

    grow()
    assert_query_count_does_not_grow(lambda: client.get(reverse(LIST)), grow)


def test_list_shows_what_is_under_way_and_filters(sign_in, clerk, passers, village, rural):
    names = {}
    for state in ("confirmed", "village", "township"):
        one, _ = make_old_couple(village)
        type(one).objects.filter(pk=one.pk).update(name=f"人在{state}")
        names[state] = brought_to(state, make_draft(one, clerk), clerk, passers)
    client = sign_in(clerk)

    def shown(**query) -> set[str]:
        page = text_of(client.get(reverse(LIST), query))
        return {state for state in names if f"人在{state}" in page}

    assert shown() == {"village", "township"}
    assert shown(state="all") == {"confirmed", "village", "township"}
    assert shown(state="township") == {"township"}
    assert shown(policy="SD-URBAN") == set()
    assert shown(village=village.pk, state="confirmed") == {"confirmed"}


def test_propagandist_may_not_ask_for_sensitive_policies(sign_in, propagandist):
    page = text_of(sign_in(propagandist).get(reverse(LIST)))
    assert "手术并发症" not in page
    assert "农村部分计划生育家庭奖励扶助" in page


def test_number_tells_no_policy():
    assert application_list.number_words(123, date(2018, 9, 3)) == "SQ2018-000123"


def test_stray_papers_are_swept_and_known_ones_stay(sign_in, clerk, draft, tmp_path):
    from datetime import timedelta

    from django.utils import timezone

    from fpadmin import sealed
    from fpadmin.audit.log import SystemJob
    from subsidies.applications.papers import FOLDER
    from subsidies.services.application_papers import sweep_papers

    _upload(sign_in(clerk), draft)
    stray = sealed.keep(FOLDER, b"stray")
    job = SystemJob("定时任务")
    yesterday = timezone.now() - timedelta(days=1)

    assert sweep_papers(before=yesterday, by=job) == 0
    assert sweep_papers(before=timezone.now() + timedelta(minutes=1), by=job) == 1
    assert not (tmp_path / stray).exists()
    assert (tmp_path / ApplicationPaper.objects.get().file).exists()


def test_form_goes_on_in_the_name_of_whom_the_policy_is_for(sign_in, clerk, village, county):
    switch_on("SD-ONLY-CHILD", county)
    head, wife = make_old_couple(village)

    answer = sign_in(clerk).post(
        url("create", head.pk), {"policy": "SD-ONLY-CHILD", "step": "preview"}
    )
    assert answer.url == url("create", wife.pk) + "?policy=SD-ONLY-CHILD"


def test_nobodys_child_is_told_so(sign_in, clerk, couple, county):
    codes = [c for c, one in catalogue.policies().items() if one.who == "child" and not one.closed]
    switch_on(codes[0], county)

    answer = sign_in(clerk).post(
        url("create", couple[0].pk), {"policy": codes[0], "step": "preview"}
    )
    assert "不在任何人的生育史里" in text_of(answer)
