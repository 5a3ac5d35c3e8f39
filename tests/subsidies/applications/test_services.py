"""What each step does, what it refuses, and that nobody takes two."""

from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import EditConflict, RuleViolation
from subsidies.models import Application, ApplicationStep, Enrolment
from subsidies.services import applications as services
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import make_enrolment, make_old_couple, switch_on
from tests.factories.households import make_household, make_resident
from tests.factories.special import make_bereaved
from tests.subsidies.applications.conftest import NOW, brought_to, make_draft, passed, submitted

pytestmark = pytest.mark.django_db


def test_application_goes_from_the_form_to_the_roll(draft, clerk, passers, rural):
    done = brought_to("confirmed", draft, clerk, passers)

    line = Enrolment.objects.get()
    assert line.application == done
    assert line.start_month == done.start_month == date(2018, 1, 1)
    assert line.version == rural
    assert done.decision["qualifies"] is True
    assert done.decision["version"] == rural.pk
    assert [one.action for one in done.steps.order_by("pk")] == [
        "create", "submit", "pass_without_notice", "pass", "pass",
    ]  # fmt: skip
    assert done.waiting_since == NOW


def test_every_step_records_who_and_what(draft, clerk, passers):
    done = brought_to("confirmed", draft, clerk, passers)

    events = AuditEvent.objects.filter(type__startswith="application.").order_by("pk")
    assert [(e.type, e.actor_id) for e in events] == [
        ("application.created", clerk.pk),
        ("application.submitted", clerk.pk),
        ("application.passed", passers["village"].pk),
        ("application.passed", passers["township"].pk),
        ("application.passed", passers["county"].pk),
    ]
    assert events.last().changes == {"state": ["county", "confirmed"]}
    assert {e.target_id for e in events} == {str(done.pk)}


def test_step_is_undone_when_its_event_fails(draft, clerk, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("no audit")

    monkeypatch.setattr(services.log, "record", fail)
    with pytest.raises(RuntimeError):
        submitted(draft, clerk)

    draft.refresh_from_db()
    assert draft.state == "draft"
    assert draft.steps.count() == 1


def test_failing_enrolment_leaves_the_application_with_the_county(
    draft, clerk, passers, monkeypatch
):
    waiting = brought_to("county", draft, clerk, passers)

    def fail(**kwargs):
        raise RuleViolation("不能列入。")

    monkeypatch.setattr(services, "enrol", fail)
    with pytest.raises(RuleViolation, match="不能列入"):
        passed(waiting, passers["county"])

    waiting.refresh_from_db()
    assert waiting.state == "county"
    assert waiting.county_passed_by is None


# Making ----------------------------------------------------------------------------------------


def test_policy_that_is_off_in_the_place_is_refused(village, clerk):
    head, _ = make_old_couple(village)

    with pytest.raises(RuleViolation, match="没有启用"):
        make_draft(head, clerk)


def test_policy_switched_off_meanwhile_stops_the_next_step(draft, clerk, county):
    switch_on("CN-RURAL", county, date(2018, 10, 1), is_on=False)

    with pytest.raises(RuleViolation, match="没有启用"):
        submitted(draft, clerk)


def test_closed_policy_is_refused(couple, clerk, county):
    switch_on("NX-FEWER", county)

    with pytest.raises(RuleViolation, match="已停止受理"):
        make_draft(couple[0], clerk, "NX-FEWER")


def test_second_open_application_is_refused(draft, clerk, couple):
    with pytest.raises(RuleViolation, match="还在办理"):
        make_draft(couple[0], clerk)


def test_new_application_after_a_refusal(draft, clerk, passers, couple):
    waiting = brought_to("county", draft, clerk, passers)
    services.refuse(by=passers["county"], application=waiting, reason="材料不实。", now=NOW)

    assert make_draft(couple[0], clerk).state == "draft"


def test_person_of_another_village_is_refused(couple, other_propagandist):
    with pytest.raises(RuleViolation, match="不在您的区划"):
        make_draft(couple[0], other_propagandist)


def test_sensitive_policy_is_not_the_propagandists_to_apply_for(village, county, propagandist):
    switch_on("CN-SPECIAL-DEATH", county)
    head, _ = make_bereaved(village)

    with pytest.raises(RuleViolation, match="岗位"):
        make_draft(head, propagandist, "CN-SPECIAL-DEATH")


def test_day_to_come_is_refused(couple, clerk):
    with pytest.raises(RuleViolation, match="不能晚于今天") as refused:
        make_draft(couple[0], clerk, applied_on=date(2018, 10, 10))
    assert refused.value.field == "applied_on"


def test_grade_is_asked_where_the_policy_has_grades(couple, clerk, county):
    switch_on("CN-COMPLICATION", county)

    with pytest.raises(RuleViolation, match="一级、二级、三级") as refused:
        make_draft(couple[0], clerk, "CN-COMPLICATION")
    assert refused.value.field == "grade"
    assert make_draft(couple[0], clerk, "CN-COMPLICATION", grade="二级").grade == "二级"


def test_couple_applies_in_the_wifes_name(village, county, clerk):
    switch_on("SD-ONLY-CHILD", county)
    head, wife = make_old_couple(village)

    with pytest.raises(RuleViolation, match=f"以{wife.name}的名义"):
        make_draft(head, clerk, "SD-ONLY-CHILD")
    assert make_draft(wife, clerk, "SD-ONLY-CHILD").resident == wife


def test_family_applies_in_the_heads_name(village, county, clerk):
    switch_on("SD-DIBAO", county)
    head, wife = make_old_couple(village)

    with pytest.raises(RuleViolation, match=f"以{head.name}的名义"):
        make_draft(wife, clerk, "SD-DIBAO")


def test_hand_made_application_needs_a_note(couple, clerk):
    with pytest.raises(RuleViolation, match="写明理由") as refused:
        make_draft(couple[0], clerk, by_rule=False)
    assert refused.value.field == "note"


# Criteria, proof, conflicts ----------------------------------------------------------------------


def test_who_does_not_qualify_is_refused_with_the_criteria_in_words(village, rural, clerk):
    young, _ = make_old_couple(village, born=date(1959, 1, 1))
    draft = make_draft(young, clerk)

    with pytest.raises(RuleViolation, match="60周岁"):
        submitted(draft, clerk)


def test_turning_sixty_this_year_qualifies(village, rural, clerk):
    head, _ = make_old_couple(village, born=date(1958, 12, 31))

    assert submitted(make_draft(head, clerk), clerk).state == "village"


def test_hand_made_goes_on_until_the_county_and_no_further(village, rural, clerk, passers):
    young, _ = make_old_couple(village, born=date(1959, 1, 1))
    draft = make_draft(young, clerk, by_rule=False, note="身份证年龄有误，正在更正")
    waiting = brought_to("county", draft, clerk, passers)
    assert waiting.start_month is None

    with pytest.raises(RuleViolation, match="60周岁"):
        passed(waiting, passers["county"])

    type(young).objects.filter(pk=young.pk).update(birth_date=date(1957, 1, 1))
    assert passed(waiting, passers["county"]).start_month == date(2018, 1, 1)


def test_criteria_that_hold_no_more_stop_the_next_step(draft, clerk, passers, couple):
    waiting = brought_to("township", draft, clerk, passers)
    type(couple[0]).objects.filter(pk=couple[0].pk).update(death_date=date(2018, 10, 1))

    with pytest.raises(RuleViolation, match="不符合条件"):
        passed(waiting, passers["township"])


def test_fact_that_no_record_shows_must_be_attested(couple, clerk, county):
    switch_on("CN-COMPLICATION", county, notice_days=0)
    draft = make_draft(couple[0], clerk, "CN-COMPLICATION", grade="二级")

    with pytest.raises(RuleViolation, match="证明事项"):
        submitted(draft, clerk)

    services.edit_application(
        by=clerk, application=draft, row_version=0, applied_on=draft.applied_on, grade="二级",
        attested={"县级鉴定的并发症等级": "县鉴定组2018年5月鉴定为二级", "别的": "没有问到"},
        by_rule=True, today=TODAY, now=NOW,
    )  # fmt: skip
    sent = submitted(Application.objects.get(), clerk)
    assert sent.state == "village"
    assert list(sent.attested) == ["县级鉴定的并发症等级"]


def test_benefit_that_excludes_it_stops_the_application(draft, clerk, couple):
    make_enrolment(couple[0])

    with pytest.raises(RuleViolation, match="在册"):
        submitted(draft, clerk)


def test_start_month_keeps_the_year_of_the_application(village, rural, clerk, passers):
    head, _ = make_old_couple(village)
    draft = make_draft(head, clerk, applied_on=date(2017, 12, 20))

    assert submitted(draft, clerk).start_month == date(2017, 1, 1)


def test_start_month_waits_for_the_year_in_which_the_criteria_hold(village, rural, clerk):
    head, _ = make_old_couple(village, born=date(1958, 6, 1))
    draft = make_draft(head, clerk, applied_on=date(2017, 12, 20))

    assert submitted(draft, clerk).start_month == date(2018, 1, 1)


def test_who_draws_it_already_gets_no_draft(couple, clerk):
    make_enrolment(couple[0])

    with pytest.raises(RuleViolation, match="不能重复登记"):
        make_draft(couple[0], clerk)
    assert not Application.objects.exists()


def test_record_that_went_into_another_is_refused(couple, clerk):
    head, wife = couple
    type(head).objects.filter(pk=head.pk).update(merged_into=wife, departed_on=TODAY)
    head.refresh_from_db()

    with pytest.raises(RuleViolation, match="并入另一份"):
        make_draft(head, clerk)


# Two people ------------------------------------------------------------------------------------


def test_nobody_passes_their_own(draft, clerk):
    waiting = submitted(draft, clerk)

    with pytest.raises(RuleViolation, match="换一位同事"):
        passed(waiting, clerk)


def test_nobody_passes_two_steps_also_in_another_role(draft, clerk, propagandist, township):
    waiting = passed(submitted(draft, clerk), propagandist)
    propagandist.role, propagandist.region = "reviewer", township
    propagandist.save()

    with pytest.raises(RuleViolation, match="换一位同事"):
        passed(waiting, propagandist)


def test_nobody_refuses_what_they_submitted(draft, clerk, passers, county):
    waiting = brought_to("county", draft, clerk, passers)
    clerk.role, clerk.region = "county", county
    clerk.save()

    with pytest.raises(RuleViolation, match="换一位同事"):
        services.refuse(by=clerk, application=waiting, reason="不实。", now=NOW)


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("village_passed_by_id", "submitted_by_id"),
        ("township_passed_by_id", "submitted_by_id"),
        ("township_passed_by_id", "village_passed_by_id"),
        ("county_passed_by_id", "submitted_by_id"),
        ("county_passed_by_id", "village_passed_by_id"),
        ("county_passed_by_id", "township_passed_by_id"),
    ],
)
def test_database_keeps_two_steps_from_one_person(column, other, draft, clerk, passers):
    done = brought_to("confirmed", draft, clerk, passers)

    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"UPDATE subsidies_application SET {column} = {other} WHERE id = %s", [done.pk]
        )


@pytest.mark.parametrize(
    ("state", "who"),
    [
        ("village", "reviewer"), ("village", "county_user"),
        ("township", "propagandist"), ("township", "colleague"), ("township", "county_user"),
        ("county", "colleague"), ("county", "reviewer"),
    ],
)  # fmt: skip
def test_step_of_another_role_is_refused(state, who, draft, clerk, passers, colleague, request):
    waiting = brought_to(state, draft, clerk, passers)
    other = request.getfixturevalue(who)

    for act in (
        lambda: passed(waiting, other),
        lambda: services.return_step(
            by=other, application=waiting, reason="不对。", today=TODAY, now=NOW
        ),
    ):
        with pytest.raises(RuleViolation, match="不由您的岗位"):
            act()


# Back ------------------------------------------------------------------------------------------


def test_return_needs_a_reason(draft, clerk, propagandist):
    waiting = submitted(draft, clerk)

    with pytest.raises(RuleViolation, match="写明退回的原因"):
        services.return_step(by=propagandist, application=waiting, reason="", today=TODAY, now=NOW)


def test_database_keeps_a_return_with_its_reason(draft, clerk):
    with pytest.raises(IntegrityError), transaction.atomic():
        ApplicationStep.objects.create(
            application=draft, action="return", from_state="village", to_state="returned",
            by=clerk, at=NOW,
        )  # fmt: skip


def test_returned_application_starts_anew_and_keeps_its_history(
    draft, clerk, colleague, passers, reviewer
):
    waiting = brought_to("county", draft, clerk, passers)
    back = services.return_step(
        by=passers["county"], application=waiting, reason="补照片。", today=TODAY, now=NOW
    )
    assert back.state == "returned"

    # Who passed the village's step of the first round may submit the second.
    village = make_user("propagandist", draft.resident.village, "second")
    again = submitted(back, passers["village"])
    assert again.village_passed_by is again.township_passed_by is None
    done = passed(passed(passed(again, village), reviewer), passers["county"])
    assert done.state == "confirmed"
    assert [one.action for one in done.steps.order_by("pk")] == [
        "create", "submit", "pass_without_notice", "pass", "return",
        "submit", "pass_without_notice", "pass", "pass",
    ]  # fmt: skip


def test_refusal_needs_a_reason(draft, clerk, passers):
    waiting = brought_to("county", draft, clerk, passers)

    with pytest.raises(RuleViolation, match="理由"):
        services.refuse(by=passers["county"], application=waiting, reason="", now=NOW)


def test_withdrawal_ends_a_draft(draft, clerk):
    assert services.withdraw(by=clerk, application=draft, now=NOW).state == "withdrawn"


# Editing ---------------------------------------------------------------------------------------


def _edit(application, by, **values):
    return services.edit_application(
        **{
            "by": by, "application": application, "row_version": application.row_version,
            "applied_on": application.applied_on, "by_rule": True, "today": TODAY, "now": NOW,
        } | values
    )  # fmt: skip


def test_edit_names_the_fields_that_changed(draft, clerk):
    _edit(draft, clerk, note="补充说明", applied_on=date(2018, 9, 4))

    event = AuditEvent.objects.get(type="application.edited")
    assert event.changes == {"fields": ["applied_on", "note"]}


def test_edit_of_an_older_version_is_a_conflict(draft, clerk, colleague):
    _edit(draft, colleague, note="甲")

    with pytest.raises(EditConflict):
        _edit(draft, clerk, note="乙")


def test_submitted_application_is_not_edited(draft, clerk):
    waiting = submitted(draft, clerk)

    with pytest.raises(RuleViolation, match="不在这一步"):
        _edit(waiting, clerk, note="改")


def test_foreign_application_is_not_moved(draft, clerk, other_clerk, far_village):
    for act in (
        lambda: submitted(draft, other_clerk),
        lambda: services.withdraw(by=other_clerk, application=draft, now=NOW),
        lambda: _edit(draft, other_clerk, note="改"),
    ):
        with pytest.raises(RuleViolation, match="不在您的区划"):
            act()


def test_lonely_person_applies_in_their_own_name(village, rural, clerk):
    widow = make_resident(make_household(village), sex="女", marital="丧偶")

    assert make_draft(widow, clerk).resident == widow
