"""Every route as every role, for the own place and for another's, against matrix.yaml."""

import re

import pytest
import yaml
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission, Role
from fpadmin.audit import log
from fpadmin.imports.models import ImportBatch
from fpadmin.jobs.kinds import KINDS, JobKind
from fpadmin.jobs.models import Job
from fpadmin.reporting.services import make_return
from households import services
from households.models import (
    ArchiveReview,
    ChangeRequest,
    Duplicate,
    LedgerLock,
    LifeEvent,
    Resident,
    SpecialFamily,
)
from households.special import uploads
from subsidies.bank_files.layouts import SHIPPED
from subsidies.models import (
    AnnualReview,
    BankLayout,
    EnrolmentChange,
    Fund,
    Notice,
    PaymentPersons,
    PensionCase,
    PolicyExclusion,
    PolicyRate,
    PolicyVersion,
    ReturnDeadline,
    ReviewLine,
    Scenario,
    StipendLine,
    StipendSheet,
)
from subsidies.services.application_papers import add_paper
from subsidies.services.bank_returns import post_answers
from subsidies.services.notices import add_photo
from subsidies.services.payments import hold_line
from tests.conftest import TODAY
from tests.factories.accounts import make_region, make_user
from tests.factories.bank_files import make_approved, make_filed
from tests.factories.benefits import make_application, make_enrolment
from tests.factories.exports import make_export
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.meetings import make_meeting, make_payee_to_see
from tests.factories.notices import make_applicant, make_notice, make_objection
from tests.factories.payments import NOW, bring_to, make_batch, make_exception, make_payee
from tests.factories.recoveries import ask_back, let_fail
from tests.factories.rosters import make_difference
from tests.factories.special import (
    make_archive,
    make_contact,
    make_document,
    make_need,
    make_person,
    make_record,
    picture,
)
from tests.factories.special_care import make_aid, make_card, make_doctor_contract, make_priority
from tests.factories.special_rounds import make_round, make_visit
from tests.guards.routes import routes
from tests.guards.source import ROOT
from tests.guards.words import english_words

MATRIX = yaml.safe_load((ROOT / "tests/guards/matrix.yaml").read_text(encoding="utf-8"))["routes"]
HOME = "539981001201"
# The nearest place that a role must not see: the next village, township or county.
FOREIGN = {
    Role.PROPAGANDIST: "539981001202",
    Role.CLERK: "539981100201",
    Role.REVIEWER: "539981100201",
    Role.COUNTY: "539982100201",
    Role.AUDITOR: "539982100201",
    Role.SECURITY_ADMINISTRATOR: "539982100201",
    Role.ADMINISTRATOR: "539982100201",
}
STATION = {Role.PROPAGANDIST: HOME, Role.CLERK: HOME[:9], Role.REVIEWER: HOME[:9]}
WRITE = re.compile(r"^\s*(INSERT INTO|UPDATE|DELETE FROM|REPLACE INTO)\s+\"?(\w+)", re.I)
# GET writes nothing but the trail of who looked, and the session's own row.
WRITTEN_BY_GET = {"audit_auditevent", "audit_chainhead", "django_session"}


def _resident(place, name):
    mother = make_resident(make_household(place), name=name, sex="女", marital="初婚")
    make_birth(mother, mother.birth_date.replace(year=2010), child_name=name)
    return mother


def _recorded_resident(place, name):
    resident = _resident(place, name)
    log.record("matrix", by=log.SystemJob("矩阵"), target=resident, region_path=place.path)
    return resident


def _life_event(place, name):
    resident = _resident(place, name)
    return LifeEvent.objects.create(
        kind="hukou_change", resident=resident, household=resident.household, village=place,
        happened_on=TODAY, reported_on=TODAY,
    )  # fmt: skip


def _duplicate(place, name):
    first, second = _resident(place, name), make_resident(make_household(place), name=name)
    return Duplicate.objects.create(first=first, second=second, reason="姓名相同")


def _merge(place, name):
    pair = _duplicate(place, name)
    return services.merge_residents(
        by=make_user("clerk", place.parent, f"m{place.code}"), kept=pair.first, merged=pair.second,
        taken=(), today=TODAY, now=timezone.now(),
    )  # fmt: skip


def _lock(place, name):
    known = LedgerLock.objects.filter(township=place.parent).first()
    if known:
        return known
    make = {"period": "2018-09", "by": log.SystemJob("矩阵"), "today": TODAY}
    version, _ = make_return(code="population-ledger", region=place.parent, **make)
    reviewer = make_user("reviewer", place.parent, f"l{place.code}", name=name)
    return LedgerLock.objects.create(
        township=place.parent, period="2018-09", starts_on="2018-09-01", closes_on="2018-09-30",
        version=version, locked_by=reviewer, locked_at=timezone.now(),
    )  # fmt: skip


def _request(place, name):
    resident = _resident(place, name)
    return ChangeRequest.objects.create(
        kind="outflow", village=place, household=resident.household, content="{}",
        requested_by=make_user("propagandist", place, f"r{place.code}"),
    )  # fmt: skip


def _special_family(place, name):
    """An archive of two people of that name, with the village's own user as its contact."""
    known = SpecialFamily.objects.filter(household__village=place, closed_on__isnull=True).first()
    if known:
        return known
    family = make_archive(place)
    Resident.objects.filter(special_archives__family=family).update(name=name)
    user = User.objects.filter(role="propagandist", region=place).first()
    make_contact(family, make_person(place, name, user=user))
    return family


def _special_document(place, name):
    family = _special_family(place, name)
    clerk = make_user("clerk", place.parent, f"d{place.code}")
    return family.documents.first() or make_document(family, clerk, title=name)


def _special_record(place, name):
    """A contact that the village's own user wrote down."""
    term = _special_family(place, name).contacts.get()
    return term.records.first() or make_record(
        term, TODAY, request=name, recorded_by=term.person.user
    )


def _enrolment_change(place, name):
    """An end that nobody of the world proposed."""
    proposer = make_user("clerk", place.parent, f"e{place.code}", name=name)
    return EnrolmentChange.objects.create(
        enrolment=make_enrolment(_resident(place, name)), kind="end", month="2018-12-01",
        end_reason="迁出", note=name, proposed_by=proposer, proposed_at=timezone.now(),
    )  # fmt: skip


def _review_line(place, name):
    """A line of an open review of the place's township, which nobody has decided."""
    review = AnnualReview.objects.filter(region=place.parent).first()
    if review is None:
        review = AnnualReview.objects.create(
            region=place.parent, policy_code="CN-RURAL", year=2018, as_of="2018-12-31",
            made_by=make_user("clerk", place.parent, f"y{place.code}", name=name),
            made_at=timezone.now(),
        )  # fmt: skip
    enrolment = make_enrolment(_resident(place, name))
    return ReviewLine.objects.create(
        review=review, policy_code="CN-RURAL", resident=enrolment.resident, enrolment=enrolment,
        finding="ends", reason="迁出", month="2018-12-01",
    )  # fmt: skip


def _special_need(place, name):
    term = _special_family(place, name).contacts.get()
    return term.family.follow_ups.first() or make_need(term, need=name)


def _round_visit(place, name):
    family = _special_family(place, name)
    return family.round_visits.first() or make_visit(family, make_round(place.parent, name))


def _difference(place, name):
    resident = _resident(place, name)
    return make_difference(resident, enrolment=make_enrolment(resident), policy_code="CN-RURAL")


def _application(place, name):
    """A form of somebody of that name, unsent."""
    return make_application(
        _resident(place, name), make_user("clerk", place.parent, f"a{place.code}")
    )


def _waiting_application(place, name):
    """One that the township is to review."""
    application = _application(place, name)
    application.state, application.submitted_by = "township", application.created_by
    application.save()
    return application


def _application_paper(place, name):
    application = _application(place, name)
    paper = uploads.paper_of("户口簿.jpg", picture())
    return add_paper(
        by=application.created_by, application=application, kind="identity", title=name, paper=paper
    )


def _name_at(code: str) -> str:
    """Of everybody at another place; unlike any word of a page."""
    return f"查无{code}"


def _notice(place, name):
    """A notice that hangs, with its photo."""
    known = Notice.objects.filter(village=place).first()
    if known:
        return known
    clerk = make_user("clerk", place.parent, f"n{place.code}")
    notice = make_notice([make_applicant(place, clerk, name)], clerk)
    photo = uploads.paper_of("board.jpg", picture())
    return add_photo(by=clerk, notice=notice, photo=photo)


def _objection(place, name):
    notice = _notice(place, name)
    return make_objection(notice, notice.lines.get().application, notice.posted_by)


def _scenario(place, name):
    """A kept what-if of the place."""
    by = make_user("clerk", place.parent, f"w{place.code}")
    kept = {"before": [{"age": {"min": 60}}], "after": [{"age": {"min": 55}}], "rates": {}}
    return Scenario.objects.create(
        policy_code="CN-RURAL",
        region=place,
        name=name,
        as_of="2018-12-31",
        changes=kept,
        made_by=by,
    )


def _pension(place, name):
    """A line of the pension's roll, with its facts."""
    line = make_enrolment(_resident(place, name), "SD-PENSION")
    PensionCase.objects.create(enrolment=line, retired_month="2015-01-01", payer="insurance")
    return line


def _exam(place, name):
    return make_enrolment(_resident(place, name), "YN-EXAM")


def _stipend_sheet(place, name):
    """A sheet in the draft of the place's township, with one worker."""
    known = StipendSheet.objects.filter(office=place.parent).first()
    if known:
        return known
    sheet = StipendSheet.objects.create(
        office=place.parent, year=2017, monthly=660, document=name,
        made_by=make_user("clerk", place.parent, f"s{place.code}", name=name),
    )  # fmt: skip
    StipendLine.objects.create(sheet=sheet, village=place, name=name, amount=7920)
    return sheet


def _payment(place, name, state="draft"):
    """A batch of the place's township that pays the person of that name, taken to a state."""
    town, code = place.parent, place.code
    clerk = make_user("clerk", town, f"pc{code}")
    make_payee(place, name)
    is_on = PolicyVersion.objects.filter(policy_code="CN-RURAL", region=town).exists()
    batch = make_batch(clerk, town, is_on_already=is_on)
    if state == "draft":
        return batch
    bring_to(
        "sent" if state == "reconciled" else state, batch, clerk=clerk,
        reviewer=make_user("reviewer", town, f"pr{code}"),
        county_user=make_user("county", town.parent, f"pk{code}"),
    )  # fmt: skip
    if state == "reconciled":
        paid = dict.fromkeys(batch.lines.values_list("pk", flat=True), TODAY)
        post_answers(by=clerk, batch=batch, paid=paid, failed={}, today=TODAY, now=NOW)
    return batch


def _recovery(place, name, *, is_open=False):
    """A paid line that another clerk wants back; agreed to where `is_open`."""
    line = _payment(place, name, "reconciled").lines.get(name=name)
    clerk = make_user("clerk", place.parent, f"pq{place.code}")
    return ask_back(clerk, line, line.batch.made_by if is_open else None)


def _held_line(place, name):
    batch = _payment(place, name)
    return hold_line(by=batch.made_by, line=batch.lines.get(name=name), reason="待核实", now=NOW)


def _scheduled(place, name, model):
    """What the place is to have of a policy next year, by a document of that name."""
    own = {
        PolicyVersion: {"starts": "year", "ends": "through the year"},
        PolicyRate: {"amount": 960},
        PolicyExclusion: {"other_code": "SD-URBAN"},
        ReturnDeadline: {"month": 2, "day": 28},
    }[model]
    return model.objects.create(
        policy_code="CN-RURAL", region=place, from_on="2019-01-01", document=name, **own
    )


def _meeting(place, name):
    """A meeting that the village's own user recorded today, without the money."""
    person = make_payee_to_see(place, name)
    user = User.objects.filter(role="propagandist", region=place).first()
    return make_meeting(user, person, delivered="no")


MAKERS = {
    "payee": lambda place, name: make_payee_to_see(place, name).pk,
    "meeting": lambda place, name: _meeting(place, name).pk,
    "resident": lambda place, name: _resident(place, name).pk,
    "recorded_resident": lambda place, name: _recorded_resident(place, name).pk,
    "household": lambda place, name: _resident(place, name).household_id,
    "request": lambda place, name: _request(place, name).pk,
    "birth": lambda place, name: _resident(place, name).births.get().pk,
    "region": lambda place, name: place.code,
    "region_pk": lambda place, name: place.pk,
    "user": lambda place, name: make_user("propagandist", place, f"u{place.code}", name=name).pk,
    "job": lambda place, name: Job.objects.create(
        kind="matrix", key=f"{name}{place.code}", title=name, region_path=place.path
    ).pk,
    "batch": lambda place, name: ImportBatch.objects.create(
        kind="residents", office=place, file_name=f"{name}.xlsx", sha256="0" * 64, size=1,
        changed_on="2018-10-09", state="checked",
    ).pk,
    "export": lambda place, name: make_export(
        make_user("propagandist", place, f"x{place.code}", name=name), state="waiting"
    ).pk,
    "version": lambda place, name: make_return(
        code="population-monthly", region=place, period="2018-09", by=log.SystemJob("矩阵"),
        today=TODAY,
    )[0].pk,
    "event": lambda place, name: log.record(
        "matrix", by=log.SystemJob(name), region_path=place.path
    ).pk,
    "life_event": lambda place, name: _life_event(place, name).pk,
    "duplicate": lambda place, name: _duplicate(place, name).pk,
    "merge": lambda place, name: _merge(place, name).pk,
    "lock": lambda place, name: _lock(place, name).pk,
    "special_family": lambda place, name: _special_family(place, name).pk,
    "special_review": lambda place, name: ArchiveReview.objects.create(
        family=_special_family(place, name), cause=name, finding=name, found_on=TODAY
    ).pk,
    "special_term": lambda place, name: _special_family(place, name).contacts.get().pk,
    "special_person": lambda place, name: _special_family(place, name).contacts.get().person_id,
    "special_card": lambda place, name: make_card(_special_family(place, name)).pk,
    "special_priority": lambda place, name: make_priority(_special_family(place, name)).pk,
    "special_contract": lambda place, name: make_doctor_contract(_special_family(place, name)).pk,
    "special_aid": lambda place, name: make_aid(_special_family(place, name)).pk,
    "special_record": lambda place, name: _special_record(place, name).pk,
    "special_need": lambda place, name: _special_need(place, name).pk,
    "special_document": lambda place, name: _special_document(place, name).pk,
    "care_round": lambda place, name: _round_visit(place, name).round_id,
    "round_visit": lambda place, name: _round_visit(place, name).pk,
    "notice": lambda place, name: _notice(place, name).pk,
    "objection": lambda place, name: _objection(place, name).pk,
    "scenario": lambda place, name: _scenario(place, name).pk,
    "policy_version": lambda place, name: _scheduled(place, name, PolicyVersion).pk,
    "policy_rate": lambda place, name: _scheduled(place, name, PolicyRate).pk,
    "policy_exclusion": lambda place, name: _scheduled(place, name, PolicyExclusion).pk,
    "policy_deadline": lambda place, name: _scheduled(place, name, ReturnDeadline).pk,
    "fund": lambda place, name: Fund.objects.get_or_create(
        office=place.parent, policy_code="CN-RURAL", year=2018
    )[0].pk,
    "bank_layout": lambda place, name: BankLayout.objects.get_or_create(
        region=place.parent, name=name, defaults=SHIPPED["xlsx"].as_data() | {"name": name}
    )[0].pk,
    "approved_batch": lambda place, name: make_approved(place.parent, name).pk,
    "filed_batch": lambda place, name: make_filed(place.parent, name).pk,
    "payment_draft": lambda place, name: _payment(place, name).pk,
    "payment_submitted": lambda place, name: _payment(place, name, "submitted").pk,
    "payment_checked": lambda place, name: _payment(place, name, "checked").pk,
    "payment_sealed": lambda place, name: _payment(place, name, "sealed").pk,
    "payment_reconciled": lambda place, name: _payment(place, name, "reconciled").pk,
    "payment_sent": lambda place, name: _payment(place, name, "sent").pk,
    "sent_line": lambda place, name: _payment(place, name, "sent").lines.get().pk,
    "failed_batch": lambda place, name: let_fail(_payment(place, name, "sent")).pk,
    "paid_line": lambda place, name: _payment(place, name, "reconciled").lines.get(name=name).pk,
    "recovery": lambda place, name: _recovery(place, name).pk,
    "open_recovery": lambda place, name: _recovery(place, name, is_open=True).pk,
    "return_exception": lambda place, name: make_exception(
        _payment(place, name, "sent").lines.get(), name="别人"
    ).pk,
    "payment_line": lambda place, name: _payment(place, name).lines.get(name=name).pk,
    "held_line": lambda place, name: _held_line(place, name).pk,
    "payment_persons": lambda place, name: PaymentPersons.objects.get_or_create(
        region=place.parent, from_on="2019-01-01", document="试行文件", persons=2
    )[0].pk,
    "pension": lambda place, name: _pension(place, name).pk,
    "exam": lambda place, name: _exam(place, name).pk,
    "stipend_sheet": lambda place, name: _stipend_sheet(place, name).pk,
    "difference": lambda place, name: _difference(place, name).pk,
    "application": lambda place, name: _application(place, name).pk,
    "waiting_application": lambda place, name: _waiting_application(place, name).pk,
    "application_paper": lambda place, name: _application_paper(place, name).pk,
    "enrolment": lambda place, name: make_enrolment(_resident(place, name)).pk,
    "review_line": lambda place, name: _review_line(place, name).pk,
    "review": lambda place, name: _review_line(place, name).review.pk,
    "enrolment_change": lambda place, name: _enrolment_change(place, name).pk,
    "none": lambda place, name: None,
}  # fmt: skip


def missing_rows(names: set[str], matrix: dict) -> list[str]:
    return sorted(
        [f"{n}: no row in matrix.yaml" for n in names - matrix.keys()]
        + [f"{n}: a row without a route" for n in matrix.keys() - names]
    )


def expected(row: dict, role: str, method: str, *, foreign: bool) -> set[int]:
    """The statuses that are right for `role`; a view may refuse the method before it looks."""
    if role not in row["roles"]:
        return {403}
    own = row.get(method, 200 if method == "get" else 405)
    if foreign:
        return {404, 405} if own == 405 else {404}
    return {own if own == 405 else row.get("except", {}).get(role, own)}


def outside(role: str) -> set[str]:
    """The other places of which `role` must see nobody."""
    return {code for code in FOREIGN.values() if not code.startswith(STATION.get(role, HOME[:6]))}


def writes(queries) -> set[str]:
    found = {m[2] for q in queries if (m := WRITE.match(q["sql"]))}
    return found - WRITTEN_BY_GET


@pytest.fixture
def world(db, monkeypatch):
    """A place of our own, places of others, and one account per role."""
    monkeypatch.setitem(log.EVENT_TYPES, "matrix", "矩阵")
    kind = JobKind("matrix", "矩阵", lambda context: {}, Permission.SIGNED_IN)
    monkeypatch.setitem(KINDS, kind.key, kind)
    places = {code: make_region(code) for code in {HOME, *FOREIGN.values()}}
    for code in set(FOREIGN.values()):
        make_resident(make_household(places[code]), name=_name_at(code))
        make_user("propagandist", places[code], f"at-{code}", name=_name_at(code))
    users = {
        role: make_user(role, make_region(STATION.get(role, HOME[:6])), name=f"本处{role.label}")
        for role in Role
    }
    return places, users


def address(name: str, row: dict, place, label: str) -> str:
    arguments = row.get("args") or {}
    if "object" in row:
        names = {r.name: r.arguments for r in routes()}[name]
        assert len(names) == 1, f"{name} takes {names}: say args instead of object"
        arguments = {names[0]: row["object"]}
    keys = {
        argument: maker[1:] if maker.startswith("=") else MAKERS[maker](place, label)
        for argument, maker in arguments.items()
    }
    return reverse(name, kwargs=keys)


def responses(client, url: str, row: dict):
    """The answer to a GET and to a POST, each undone."""
    for method in ("get", "post"):
        undo = transaction.savepoint()
        with CaptureQueriesContext(connection) as queries:
            data = row.get("data", {}) if method == "post" else None
            answer = getattr(client, method)(url, data, follow=False)
            body = answer.getvalue() if answer.streaming else answer.content
        transaction.savepoint_rollback(undo)
        yield method, answer, body.decode(errors="replace"), queries.captured_queries


@pytest.mark.parametrize("name", sorted(MATRIX))
def test_route_answers_as_the_matrix_says(name, world):
    row = MATRIX[name]
    places, users = world
    problems = []
    urls = {HOME: address(name, row, places[HOME], "本处物")}
    takes_object = ("object" in row or "args" in row) and not row.get("shared")
    if takes_object:
        for code in set(FOREIGN.values()):
            urls[code] = address(name, row, places[code], _name_at(code))
    if row.get("public"):
        assert Client().get(urls[HOME]).status_code == row.get("get", 200)
        return
    anonymous = Client().get(urls[HOME])
    if anonymous.status_code != 302 or reverse("accounts:sign-in") not in anonymous["Location"]:
        problems.append(f"anonymous gets {anonymous.status_code}")
    for role, user in users.items():
        client = Client(raise_request_exception=True)
        client.force_login(user)
        for code in (HOME, FOREIGN[role])[: 2 if takes_object else 1]:
            foreign = code != HOME
            for method, answer, body, queries in responses(client, urls[code], row):
                where = f"{role} {method} {'foreign' if foreign else 'own'}"
                right = expected(row, role, method, foreign=foreign)
                if answer.status_code not in right:
                    problems.append(f"{where}: {answer.status_code}, expected {sorted(right)}")
                seen = [place for place in outside(role) if _name_at(place) in body]
                if seen:
                    problems.append(f"{where}: names somebody of {seen}")
                if not foreign and "text/html" in answer.get("Content-Type", ""):
                    english = english_words(body)
                    if english:
                        problems.append(f"{where}: shows English {sorted(english)}")
                if method == "get" and writes(queries):
                    problems.append(f"{where}: GET wrote to {sorted(writes(queries))}")
    assert problems == []


def test_every_route_has_a_row_and_every_row_a_route():
    assert missing_rows({r.name for r in routes()}, MATRIX) == []


def test_every_route_with_arguments_names_its_object():
    found = []
    for route in routes():
        row = MATRIX.get(route.name, {})
        if route.arguments and not ({"object", "args"} & row.keys()):
            found.append(route.name)
    assert found == []


def test_guard_finds_missing_and_stale_rows():
    assert missing_rows({"a", "b"}, {"a": {}, "c": {}}) == [
        "b: no row in matrix.yaml",
        "c: a row without a route",
    ]


def test_guard_expects_403_before_404_and_404_for_other_places():
    row = {"roles": ["clerk"], "post": 302}
    assert expected(row, "auditor", "get", foreign=True) == {403}
    assert expected(row, "clerk", "get", foreign=False) == {200}
    assert expected(row, "clerk", "post", foreign=False) == {302}
    assert expected(row, "clerk", "post", foreign=True) == {404}
    assert expected({"roles": ["clerk"]}, "clerk", "post", foreign=True) == {404, 405}


def test_guard_sees_english_on_a_page():
    page = (
        '<p title="Save">保存 Excel</p><script>let it = be</script><b>This field is required.</b>'
    )
    assert english_words(page) == {"Save", "This", "field", "required"}


def test_guard_sees_a_write_but_not_the_trail():
    assert writes([{"sql": 'INSERT INTO "audit_auditevent" (x)'}]) == set()
    assert writes([{"sql": 'UPDATE "households_resident" SET'}]) == {"households_resident"}
    assert writes([{"sql": "SELECT 1"}]) == set()
