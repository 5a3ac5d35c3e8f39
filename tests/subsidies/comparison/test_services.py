"""Running twice, handing out, judging, and proposing an end."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.models import Resident
from subsidies.models import Difference, EnrolmentChange, RosterEntry
from subsidies.services import comparison
from tests.factories.benefits import make_enrolment
from tests.factories.households import make_household, make_resident
from tests.factories.rosters import make_difference, make_entry
from tests.subsidies.comparison.conftest import NOW

Verdict = Difference.Verdict


@pytest.fixture
def dead(village):
    """Somebody dead since last year and still on the roll, found by the desk."""
    person = make_resident(
        make_household(village), birth_date=date(1950, 3, 4), death_date=date(2017, 6, 1)
    )
    return make_difference(person, enrolment=make_enrolment(person), policy_code="CN-RURAL")


def judge(by, *rows, **values):
    given = {"verdict": Verdict.RIGHT, "proof": "看了死亡证明", "now": NOW} | values
    return comparison.judge(by=by, differences=rows, **given)


def stored() -> list[dict]:
    return list(Difference.objects.order_by("pk").values())


def test_second_run_changes_nothing(run, couple, township):
    make_entry(township, "公安死亡注销", couple[0], date(2018, 5, 3))
    run()
    before = stored()
    run(today=date(2018, 10, 20))

    assert stored() == before
    assert AuditEvent.objects.filter(type="comparison.run").order_by("pk").last().count == 0


def test_run_marks_new_lines_as_compared_and_says_how_many(run, couple, township, other_township):
    make_entry(township, "公安死亡注销", couple[0], date(2018, 5, 3))
    far = make_entry(other_township, "公安死亡注销", couple[1], date(2018, 5, 3))

    found = run()

    assert [row.resident for row in found["police_death"]] == [couple[0]]
    assert list(RosterEntry.objects.new()) == [far]
    event = AuditEvent.objects.get(type="comparison.run")
    assert (event.region_path, event.count, event.changes["entries_new"]) == (township.path, 1, 1)


def test_another_offices_list_meets_none_of_our_people(run, couple, other_township):
    make_entry(other_township, "公安死亡注销", couple[0], date(2018, 5, 3))

    assert run(other_township) == {}
    assert RosterEntry.objects.get().resident is None


def test_somebody_registered_after_the_list_came_is_met_then(run, village, township):
    entry = make_entry(township, "公安死亡注销", None, date(2018, 5, 3))
    run()
    person = make_resident(make_household(village), birth_date=date(1950, 3, 4))
    make_enrolment(person)
    Resident.objects.filter(pk=person.pk).update(id_number_digest=entry.id_number_digest)

    assert [row.resident for row in run()["police_death"]] == [person]

    Resident.objects.filter(pk=person.pk).update(id_number_digest="corrected")
    assert "police_death" not in run()


def test_difference_that_is_mended_is_gone_and_comes_again(run, couple, township):
    head, _ = couple
    make_entry(township, "公安死亡注销", head, date(2018, 5, 3))
    row = run()["police_death"][0]
    Resident.objects.filter(pk=head.pk).update(death_date=date(2018, 5, 3))

    assert run() == {}
    row.refresh_from_db()
    assert row.gone_on == date(2018, 10, 9)

    Resident.objects.filter(pk=head.pk).update(death_date=None)
    assert run(today=date(2018, 10, 11))["police_death"] == [row]
    row.refresh_from_db()
    assert row.found_on == date(2018, 10, 11)


def test_judged_stays_judged_until_the_facts_change(run, couple, township, clerk):
    head, _ = couple
    make_entry(township, "公安死亡注销", head, date(2018, 5, 3))
    row = run()["police_death"][0]
    judge(clerk, row, verdict=Verdict.UNFOUNDED, proof="本人到场，同名误报")

    assert run() == {}
    row.refresh_from_db()
    assert (row.verdict, row.gone_on) == (Verdict.UNFOUNDED, None)

    make_entry(township, "公安死亡注销", head, date(2018, 9, 3))
    assert [found.pk for found in run()["police_death"]] != [row.pk]


def test_owner_goes_over_to_what_follows_with_other_facts(run, couple, township, clerk):
    make_entry(township, "公安死亡注销", couple[0], date(2018, 5, 3))
    row = run()["police_death"][0]
    comparison.assign(by=clerk, differences=[row], owner=clerk)
    make_entry(township, "公安死亡注销", couple[0], date(2018, 9, 3))

    (following,) = run()["police_death"]

    assert (following.pk != row.pk, following.owner) == (True, clerk)


def test_rules_that_did_not_run_leave_theirs_alone(run, couple, township):
    make_entry(township, "公安死亡注销", couple[0], date(2018, 5, 3))
    run()

    assert list(run(rules=["dead"])) == ["police_death"]


def test_comparing_rolls_back_if_the_event_fails(run, couple, township, monkeypatch):
    make_entry(township, "公安死亡注销", couple[0], date(2018, 5, 3))
    monkeypatch.setattr(log, "record", _fail)

    with pytest.raises(RuntimeError):
        run()

    assert not Difference.objects.exists()
    assert RosterEntry.objects.new().count() == 1


def test_two_differences_cannot_have_one_key(dead):
    with pytest.raises(IntegrityError), transaction.atomic():
        Difference.objects.create(
            key=dead.key, kind="wrong", rule="dead", resident=dead.resident, detail="又一条",
            found_on=dead.found_on,
        )  # fmt: skip


def test_verdict_without_proof_is_refused_by_the_database(dead, clerk):
    rows = Difference.objects.filter(pk=dead.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(verdict=Verdict.SAME, decided_by=clerk, decided_at=NOW)
    rows.update(verdict=Verdict.SAME, decided_by=clerk, decided_at=NOW, proof="核实")


def test_assigning_hands_over_what_the_owner_sees(dead, clerk, propagandist, other_propagandist):
    refused = comparison.assign(by=clerk, differences=[dead], owner=other_propagandist)
    assert "看不到" in refused[dead.pk]

    assert comparison.assign(by=clerk, differences=[dead], owner=propagandist) == {}

    dead.refresh_from_db()
    assert dead.owner == propagandist
    event = AuditEvent.objects.get(type="difference.assigned")
    assert (event.target_id, event.actor_id) == (str(dead.pk), clerk.pk)
    assert event.changes == {"owner": str(propagandist.pk)}


def test_assigning_is_refused_to_reviewers_and_from_villages(dead, clerk, reviewer, propagandist):
    with pytest.raises(RuleViolation, match="岗位"):
        comparison.assign(by=clerk, differences=[dead], owner=reviewer)
    with pytest.raises(RuleViolation, match="本人承办"):
        comparison.assign(by=propagandist, differences=[dead], owner=clerk)

    assert comparison.assign(by=propagandist, differences=[dead], owner=propagandist) == {}

    comparison.assign(by=clerk, differences=[dead], owner=clerk)
    refused = comparison.assign(by=propagandist, differences=[dead], owner=propagandist)
    assert "改派" in refused[dead.pk]


def test_sensitive_difference_is_not_handed_to_who_may_not_know(dead, clerk, propagandist):
    Difference.objects.filter(pk=dead.pk).update(policy_code="CN-SPECIAL-DEATH")

    assert dead.pk in comparison.assign(by=clerk, differences=[dead], owner=propagandist)


def test_judging_keeps_who_when_and_why(dead, clerk):
    assert judge(clerk, dead, action="end") == {}

    dead.refresh_from_db()
    assert (dead.verdict, dead.proof, dead.action) == (Verdict.RIGHT, "看了死亡证明", "end")
    assert (dead.decided_by, dead.decided_at) == (clerk, NOW)
    event = AuditEvent.objects.get(type="difference.judged")
    assert (event.target_id, event.changes) == (str(dead.pk), {"verdict": "right"})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"verdict": ""}, "核实结论"),
        ({"proof": "　"}, "依据"),
        ({"verdict": Verdict.SAME, "action": "end"}, "办理事项"),
    ],
    ids=["no verdict", "no proof", "action without our mistake"],
)
def test_judging_is_refused_without_verdict_or_proof(dead, clerk, values, words):
    with pytest.raises(RuleViolation, match=words):
        judge(clerk, dead, **values)

    dead.refresh_from_db()
    assert dead.verdict == ""


def test_judged_difference_cannot_be_judged_again(dead, clerk, other_clerk):
    judge(clerk, dead)

    assert judge(clerk, dead, verdict=Verdict.SAME) == {dead.pk: comparison.CLOSED}
    assert judge(other_clerk, dead) == {dead.pk: comparison.CLOSED}  # sees nothing of it
    dead.refresh_from_db()
    assert dead.verdict == Verdict.RIGHT


def test_action_of_another_rule_is_refused(dead, clerk):
    assert "不能这样办理" in judge(clerk, dead, action="merge")[dead.pk]


def test_propagandist_judges_what_was_handed_over(dead, clerk, propagandist):
    assert judge(propagandist, dead) == {dead.pk: comparison.NOT_OURS}

    comparison.assign(by=clerk, differences=[dead], owner=propagandist)

    assert judge(propagandist, dead) == {}


def test_judging_rolls_back_if_the_event_fails(dead, clerk, monkeypatch):
    monkeypatch.setattr(log, "record_many", _fail)

    with pytest.raises(RuntimeError), transaction.atomic():
        judge(clerk, dead)

    dead.refresh_from_db()
    assert dead.verdict == ""


def test_mending_keeps_how_by_whoever_may(dead, clerk, propagandist):
    with pytest.raises(RuleViolation, match="不用更正"):
        comparison.mend(by=clerk, difference=dead, action="registry")
    judge(clerk, dead)
    with pytest.raises(RuleViolation, match="没有分派给您"):
        comparison.mend(by=propagandist, difference=dead, action="registry")
    with pytest.raises(RuleViolation, match="不能这样办理"):
        comparison.mend(by=clerk, difference=dead, action="merge")

    comparison.mend(by=clerk, difference=dead, action="registry")

    dead.refresh_from_db()
    assert dead.action == "registry"
    event = AuditEvent.objects.get(type="difference.mending")
    assert event.changes == {"action": ["", "registry"]}


def propose(by, row, **values):
    given = {"other": False, "month": date(2017, 12, 1), "reason": "死亡", "now": NOW} | values
    return comparison.propose_end(by=by, difference=row, **given)


def test_end_is_proposed_once_and_linked_back(dead, clerk):
    judge(clerk, dead)

    change = propose(clerk, dead)

    dead.refresh_from_db()
    assert (dead.change, dead.action) == (change, "end")
    assert (change.kind, change.month, change.end_reason) == ("end", date(2017, 12, 1), "死亡")
    assert "看了死亡证明" in change.note
    assert AuditEvent.objects.get(type="difference.end_proposed").target_id == str(dead.pk)
    with pytest.raises(RuleViolation, match="不用再提"):
        propose(clerk, dead)


def test_end_is_refused_without_verdict_or_line(dead, clerk):
    with pytest.raises(RuleViolation, match="我方有误"):
        propose(clerk, dead)
    judge(clerk, dead)
    with pytest.raises(RuleViolation, match="没有对应的在册记录"):
        propose(clerk, dead, other=True)


def test_end_that_the_rolls_refuse_leaves_nothing(dead, clerk):
    judge(clerk, dead)
    with pytest.raises(RuleViolation):
        propose(clerk, dead, month=date(2018, 9, 1))  # beyond what a death in 2017 leaves

    dead.refresh_from_db()
    assert (dead.change, EnrolmentChange.objects.count()) == (None, 0)


def _fail(*args, **kwargs):
    raise RuntimeError("no trail")
