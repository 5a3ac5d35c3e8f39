"""Posting, objecting, ending: what comes of it, what is recorded, what is refused."""

from datetime import date, timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from fpadmin import sealed
from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.models import Residency
from households.special import uploads
from subsidies import tasks
from subsidies.models import (
    Application,
    Notice,
    NoticeLine,
    Objection,
    PolicyVersion,
    WorkdayChange,
)
from subsidies.notices import hanging, photos, terms
from subsidies.services import notices as services
from tests.conftest import TODAY
from tests.factories.benefits import make_old_couple, switch_on
from tests.factories.notices import NOW, make_applicant, make_notice, make_objection, make_waiting
from tests.factories.special import picture

LAST_DAY = date(2018, 10, 18)
DAY_AFTER = date(2018, 10, 19)


def photo(colour="#3b6ea5") -> uploads.Paper:
    return uploads.paper_of("board.jpg", picture(colour=colour))


def decide(objection, by, outcome="dismissed", finding="入户核实，只有一个女儿。", **values):
    return services.decide_objection(
        **{"by": by, "objection": objection, "outcome": outcome, "finding": finding, "now": NOW,
           "today": TODAY} | values
    )  # fmt: skip


def close(notice, by, today=DAY_AFTER):
    return services.close_notice(by=by, notice=notice, now=NOW, today=today)


# Posting -----------------------------------------------------------------------------------------


def test_notice_hangs_for_the_working_days_of_the_rule(notice, waiting, propagandist):
    assert (notice.posted_on, notice.days, notice.ends_on) == (TODAY, 7, LAST_DAY)
    assert {line.application for line in notice.lines.all()} == set(waiting)
    assert notice.posted_by == propagandist


def test_posting_records_who_and_what_but_no_name(notice, waiting, propagandist):
    event = AuditEvent.objects.get(type="notice.posted")

    assert event.actor_id == propagandist.pk
    assert event.target_id == str(notice.pk)
    assert event.region_path == notice.village.path
    assert event.changes["people"] == ["", 2]
    assert waiting[0].resident.name not in str(event.changes)


def test_term_jumps_over_the_national_holiday_and_entered_days(waiting, propagandist, county_user):
    before = date(2018, 9, 28)
    Application.objects.update(applied_on=before)
    assert make_notice(waiting[:1], propagandist, posted_on=before, today=before).ends_on == date(
        2018, 10, 12
    )

    WorkdayChange.objects.create(
        day=date(2018, 10, 10), is_workday=False, document="通知", set_by=county_user
    )
    assert make_notice(waiting[1:], propagandist, posted_on=before, today=before).ends_on == date(
        2018, 10, 15
    )


def test_places_own_number_of_days_counts(waiting, propagandist, township):
    switch_on("CN-RURAL", township, notice_days=3)

    assert make_notice(waiting, propagandist).ends_on == date(2018, 10, 12)


def test_posting_rolls_back_without_its_event(waiting, propagandist, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(log, "record", fail)
    with pytest.raises(RuntimeError):
        make_notice(waiting, propagandist)

    assert not Notice.objects.exists()
    assert not NoticeLine.objects.exists()


@pytest.mark.parametrize(
    ("posted_on", "words"),
    [
        (TODAY + timedelta(days=1), "不能晚于今天"),
        (TODAY - timedelta(days=8), "7天以前"),
    ],
    ids=["to_come", "too_long_ago"],
)
def test_day_of_posting_is_refused(waiting, propagandist, posted_on, words):
    with pytest.raises(RuleViolation, match=words) as refused:
        make_notice(waiting, propagandist, posted_on=posted_on)

    assert refused.value.field == "posted_on"
    assert make_notice(waiting, propagandist, posted_on=TODAY - timedelta(days=7))


def test_term_that_is_over_when_it_is_entered_is_refused(waiting, propagandist, township):
    switch_on("CN-RURAL", township, notice_days=1)

    with pytest.raises(RuleViolation, match="已经期满"):
        make_notice(waiting, propagandist, posted_on=date(2018, 10, 7))  # over on the 8th
    assert make_notice(waiting, propagandist, posted_on=date(2018, 10, 8)).ends_on == TODAY


def test_posting_before_the_application_is_refused(waiting, propagandist):
    Application.objects.update(applied_on=TODAY)

    with pytest.raises(RuleViolation, match="才申请") as refused:
        make_notice(waiting, propagandist, posted_on=TODAY - timedelta(days=1))

    assert refused.value.field == "posted_on"


def test_notice_needs_people_and_an_office_line(waiting, propagandist):
    with pytest.raises(RuleViolation, match="至少勾选一位"):
        make_notice(waiting, propagandist, applications=[])
    with pytest.raises(RuleViolation, match="电话"):
        make_notice(waiting, propagandist, phone="")


def test_application_that_does_not_fit_is_refused(
    village, other_village, rural, clerk, propagandist, waiting
):
    elsewhere = make_applicant(other_village, clerk)
    drafted = make_applicant(village, clerk, state="draft")
    other_policy = make_applicant(village, clerk, code="CN-ONLY-CHILD")
    good = waiting[0]

    with pytest.raises(RuleViolation, match="不在庄科村"):
        make_notice([good, elsewhere], clerk)
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        make_notice([good, elsewhere], propagandist)
    with pytest.raises(RuleViolation, match="不在公示这一步"):
        make_notice([good, drafted], clerk)
    with pytest.raises(RuleViolation, match="另一项政策"):
        make_notice([good, other_policy], clerk)
    assert not Notice.objects.exists()


def test_nobody_stands_on_two_notices(notice, waiting, propagandist):
    with pytest.raises(RuleViolation, match="已经列在另一份公示上"):
        make_notice(waiting[:1], propagandist)

    with pytest.raises(IntegrityError), transaction.atomic():
        NoticeLine.objects.create(notice=notice, application=waiting[0])


def test_sensitive_policy_is_not_posted_by_default(village, county, clerk, rural):
    switch_on("CN-SPECIAL-DEATH", county)
    application = make_applicant(village, clerk, code="CN-SPECIAL-DEATH")

    with pytest.raises(RuleViolation, match="不公示"):
        make_notice([application], clerk)


# The term ----------------------------------------------------------------------------------------


def test_application_waits_until_the_term_is_over(waiting, propagandist):
    application = waiting[0]
    assert terms.term_over(application, TODAY) == "还没有张贴公示，不能转下一步。"

    notice = make_notice(waiting, propagandist)
    assert "还剩7个工作日" in terms.term_over(application, TODAY)
    assert "公示到2018年10月18日" in terms.term_over(application, TODAY)
    assert "还剩1个工作日" in terms.term_over(application, date(2018, 10, 17))
    assert "今天是最后一天" in terms.term_over(application, LAST_DAY)
    assert terms.term_over(application, DAY_AFTER) is None
    assert [line.notice for line in terms.notices_of(application)] == [notice]


def test_open_objection_holds_the_application_alone(notice, waiting, clerk, colleague):
    objection = make_objection(notice, waiting[0], clerk)

    assert "异议" in terms.term_over(waiting[0], DAY_AFTER)
    assert terms.term_over(waiting[1], DAY_AFTER) is None

    decide(objection, colleague)
    assert terms.term_over(waiting[0], DAY_AFTER) is None


def test_notice_moves_between_its_states(notice, propagandist, clerk):
    assert hanging.state_of(notice, LAST_DAY) == hanging.HANGING
    assert hanging.state_of(notice, DAY_AFTER) == hanging.OVER
    for day in (LAST_DAY, DAY_AFTER):
        for state in hanging.STATES:
            found = Notice.objects.filter(hanging.in_state(state, day)).exists()
            assert found is (hanging.state_of(notice, day) == state)

    close(notice, clerk)
    notice.refresh_from_db()
    assert hanging.state_of(notice, DAY_AFTER) == hanging.ENDED


# The photo ---------------------------------------------------------------------------------------


def test_photo_is_sealed_and_replaced(notice, propagandist, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        first = services.add_photo(by=propagandist, notice=notice, photo=photo()).photo
    with default_storage.open(first) as file:
        assert not file.read().startswith(b"\xff\xd8")

    with django_capture_on_commit_callbacks(execute=True):
        notice = services.add_photo(by=propagandist, notice=notice, photo=photo("#aa3322"))

    assert not default_storage.exists(first)
    assert photos.content_of(notice).startswith(b"\xff\xd8")
    assert AuditEvent.objects.filter(type="notice.photo_added").count() == 2


def test_photo_leaves_no_file_behind_where_it_fails(notice, propagandist, monkeypatch):
    before = (
        set(default_storage.listdir("notices")[1]) if default_storage.exists("notices") else set()
    )

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(log, "record", fail)
    with pytest.raises(RuntimeError):
        services.add_photo(by=propagandist, notice=notice, photo=photo())

    assert set(default_storage.listdir("notices")[1]) == before
    notice.refresh_from_db()
    assert not notice.photo


def test_stray_photos_go_in_the_night(notice, clerk):
    kept = services.add_photo(by=clerk, notice=notice, photo=photo()).photo
    stray = sealed.keep(photos.FOLDER, b"nobody's")
    assert tasks.sweep_photos() == 0  # a day is left to the service that still writes

    tomorrow = timezone.now() + timedelta(days=1)
    services.sweep_photos(before=tomorrow, by=log.SystemJob("测试"))

    assert default_storage.exists(kept)
    assert not default_storage.exists(stray)
    assert AuditEvent.objects.filter(type="notice.photos_swept").count() == 2


def test_photo_of_an_ended_notice_stays(notice, clerk):
    services.add_photo(by=clerk, notice=notice, photo=photo())
    close(notice, clerk)

    with pytest.raises(RuleViolation, match="不能再换"):
        services.add_photo(by=clerk, notice=notice, photo=photo("#aa3322"))


def test_photo_is_no_pdf(notice, clerk):
    with pytest.raises(RuleViolation, match="照片"):
        services.add_photo(by=clerk, notice=notice, photo=uploads.Paper(b"%PDF-", uploads.PDF))


# Objections --------------------------------------------------------------------------------------


def test_objection_is_recorded_with_its_source_sealed(notice, waiting, propagandist):
    objection = make_objection(notice, waiting[0], propagandist, raised_by="王大爷")
    nameless = make_objection(notice, waiting[0], propagandist)

    with connection.cursor() as cursor:
        cursor.execute("SELECT raised_by FROM subsidies_objection WHERE id = %s", [objection.pk])
        assert "王大爷" not in cursor.fetchone()[0]
    objection.refresh_from_db()
    assert objection.raised_by == "王大爷"
    assert nameless.raised_by == ""
    events = AuditEvent.objects.filter(type="objection.recorded")
    assert events.count() == 2
    assert all("男孩" not in str(event.changes) for event in events)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"content": ""}, "content"),
        ({"raised_on": TODAY + timedelta(days=1)}, "raised_on"),
        ({"raised_on": TODAY - timedelta(days=1)}, "raised_on"),
        ({"raised_on": DAY_AFTER, "today": DAY_AFTER}, "raised_on"),
    ],
    ids=["no_content", "to_come", "before_the_term", "after_the_term"],
)
def test_objection_outside_the_term_is_refused(notice, waiting, clerk, values, field):
    with pytest.raises(RuleViolation) as refused:
        make_objection(notice, waiting[0], clerk, **values)

    assert refused.value.field == field
    # Raised on the last day, entered after it.
    assert make_objection(notice, waiting[0], clerk, raised_on=LAST_DAY, today=DAY_AFTER)


def test_objection_is_only_to_who_stands_there(notice, waiting, village, clerk):
    stranger = make_applicant(village, clerk)
    with pytest.raises(RuleViolation, match="不在公示上"):
        make_objection(notice, stranger, clerk)

    terms.take_off(waiting[0], TODAY)
    with pytest.raises(RuleViolation, match="不在公示上"):
        make_objection(notice, waiting[0], clerk)

    close(notice, clerk)
    with pytest.raises(RuleViolation, match="已经结束"):
        make_objection(notice, waiting[1], clerk)


def test_objection_upheld_sends_back_and_takes_off(notice, waiting, propagandist, colleague):
    objection = make_objection(notice, waiting[0], propagandist)

    decide(objection, colleague, "upheld", "另有一子未登记。")

    waiting[0].refresh_from_db()
    assert waiting[0].state == "returned"
    step = waiting[0].steps.get(action="return")
    assert step.reason == "公示异议成立：另有一子未登记。"
    assert notice.lines.get(application=waiting[0]).removed_on == TODAY
    assert notice.lines.get(application=waiting[1]).removed_on is None
    objection.refresh_from_db()
    assert (objection.outcome, objection.decided_by) == ("upheld", colleague)
    assert AuditEvent.objects.get(type="objection.decided").actor_id == colleague.pk


def test_sent_back_application_can_be_posted_anew(notice, waiting, propagandist, colleague):
    decide(make_objection(notice, waiting[0], propagandist), colleague, "upheld")
    Application.objects.filter(pk=waiting[0].pk).update(state="notice")

    assert terms.term_over(waiting[0], DAY_AFTER) == terms.NOT_POSTED
    again = make_notice(waiting[:1], propagandist)
    assert [line.notice for line in terms.notices_of(waiting[0])] == [again, notice]


def test_second_objection_after_an_upheld_one_is_only_answered(
    notice, waiting, propagandist, colleague
):
    first = make_objection(notice, waiting[0], propagandist)
    second = make_objection(notice, waiting[0], propagandist)
    decide(first, colleague, "upheld")

    decide(second, colleague, "upheld")

    assert waiting[0].steps.filter(action="return").count() == 1


def test_objection_is_not_decided_by_who_submitted(notice, waiting, clerk, colleague):
    objection = make_objection(notice, waiting[0], clerk)

    with pytest.raises(RuleViolation, match="您经办"):
        decide(objection, clerk)
    assert decide(objection, colleague).outcome == "dismissed"
    with pytest.raises(RuleViolation, match="已经处理过"):
        decide(objection, colleague)


def test_decision_needs_an_outcome_and_a_finding(notice, waiting, clerk, colleague):
    objection = make_objection(notice, waiting[0], clerk)

    with pytest.raises(RuleViolation) as refused:
        decide(objection, colleague, outcome="")
    assert refused.value.field == "outcome"
    with pytest.raises(RuleViolation) as refused:
        decide(objection, colleague, finding="")
    assert refused.value.field == "finding"


def test_decision_rolls_back_where_the_application_cannot_return(
    notice, waiting, clerk, colleague, monkeypatch
):
    objection = make_objection(notice, waiting[0], clerk)

    def fail(**kwargs):
        raise RuleViolation("不行")

    monkeypatch.setattr(services, "return_step", fail)
    with pytest.raises(RuleViolation):
        decide(objection, colleague, "upheld")

    objection.refresh_from_db()
    assert objection.outcome == ""
    assert notice.lines.filter(removed_on__isnull=False).count() == 0


# The end -----------------------------------------------------------------------------------------


def test_ended_notice_hands_its_applications_on(notice, waiting, clerk):
    assert close(notice, clerk) == 2

    notice.refresh_from_db()
    assert notice.closed_on == DAY_AFTER
    assert {one.state for one in Application.objects.all()} == {"township"}
    event = AuditEvent.objects.get(type="notice.closed")
    assert event.changes["passed_on"] == ["", 2]
    with pytest.raises(RuleViolation, match="已经结束"):
        close(notice, clerk)


def test_notice_does_not_end_before_its_day(notice, clerk):
    with pytest.raises(RuleViolation, match="今天是最后一天，不能结束公示"):
        close(notice, clerk, today=LAST_DAY)

    with pytest.raises(IntegrityError), transaction.atomic():
        Notice.objects.filter(pk=notice.pk).update(closed_on=LAST_DAY)
    assert Notice.objects.filter(pk=notice.pk).update(closed_on=DAY_AFTER)


def test_notice_does_not_end_with_an_open_objection(notice, waiting, clerk, colleague):
    objection = make_objection(notice, waiting[0], clerk)

    with pytest.raises(RuleViolation, match="还有1件异议"):
        close(notice, clerk)

    decide(objection, colleague)
    assert close(notice, clerk) == 2


def test_who_was_taken_off_does_not_go_on(notice, waiting, propagandist, colleague, clerk):
    decide(make_objection(notice, waiting[0], propagandist), colleague, "upheld")

    assert close(notice, clerk) == 1

    waiting[0].refresh_from_db()
    assert waiting[0].state == "returned"


def test_all_go_on_or_none(notice, waiting, clerk):
    """Somebody who no longer qualifies is to be sent back first."""
    wife = waiting[1].resident
    Residency.objects.filter(resident=wife).update(hukou="非农业")

    with pytest.raises(RuleViolation, match="请先退回"):
        close(notice, clerk)

    notice.refresh_from_db()
    assert notice.closed_on is None
    assert {one.state for one in Application.objects.all()} == {"notice"}


def test_foreign_notice_is_refused(notice, waiting, other_clerk, other_propagandist):
    for stranger in (other_clerk, other_propagandist):
        with pytest.raises(RuleViolation, match="不在您的区划内"):
            close(notice, stranger)
        with pytest.raises(RuleViolation, match="不在您的区划内"):
            make_objection(notice, waiting[0], stranger)
        with pytest.raises(RuleViolation, match="不在您的区划内"):
            services.add_photo(by=stranger, notice=notice, photo=photo())
    assert not Objection.objects.exists()


# What the database holds --------------------------------------------------------------------------


def test_notice_without_a_term_is_refused(notice):
    for wrong in ({"days": 0}, {"ends_on": TODAY - timedelta(days=1)}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Notice.objects.filter(pk=notice.pk).update(**wrong)


def test_decided_objection_names_who_and_why(notice, waiting, clerk, colleague):
    objection = make_objection(notice, waiting[0], clerk)
    whole = {
        "outcome": "dismissed",
        "finding": "核实无误",
        "decided_by": colleague,
        "decided_at": NOW,
    }
    for missing in ("finding", "decided_by", "decided_at"):
        wrong = whole | {missing: "" if missing == "finding" else None}
        with pytest.raises(IntegrityError), transaction.atomic():
            Objection.objects.filter(pk=objection.pk).update(**wrong)

    assert Objection.objects.filter(pk=objection.pk).update(**whole)


def test_rule_changed_to_no_notice_says_how_to_go_on(waiting, propagandist):
    PolicyVersion.objects.update(notice_days=0)

    with pytest.raises(RuleViolation, match="退回申请后重新提交"):
        make_notice(waiting, propagandist)


def test_second_village_has_a_notice_of_its_own(notice, other_village, clerk):
    others = [make_waiting(one, clerk) for one in make_old_couple(other_village)]

    other = make_notice(others, clerk)

    assert other.village == other_village
    assert {line.application for line in other.lines.all()} == set(others)
