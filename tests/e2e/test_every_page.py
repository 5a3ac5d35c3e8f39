"""Every page of every role: reachable, accessible, in Chinese, as wide as the screen, without a fault."""

import re
from datetime import date
from decimal import Decimal

import pytest
import yaml
from django.urls import resolve, reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from fpadmin import dates
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Permission, Role
from fpadmin.audit.models import AuditEvent
from fpadmin.imports import services
from fpadmin.imports.kinds import KINDS
from fpadmin.imports.models import ImportBatch
from fpadmin.jobs.models import Job
from fpadmin.reporting.services import make_return
from households.models import (
    ArchiveReview,
    ChildRecord,
    Duplicate,
    Household,
    LedgerLock,
    Merge,
    Resident,
    SpecialFamily,
)
from households.services import (
    find_duplicates,
    lock_month,
    merge_residents,
    propose_change,
    record_event,
    special_rounds,
)
from households.special import uploads
from subsidies.bank_files.layouts import SHIPPED
from subsidies.comparison.rules import RULES
from subsidies.models import (
    AnnualReview,
    Application,
    BatchState,
    Difference,
    Enrolment,
    Notice,
    PaymentBatch,
    PaymentPersons,
    PolicyExclusion,
    ReturnDeadline,
    Scenario,
    StipendSheet,
)
from subsidies.outlook.whatif import Change
from subsidies.policies import catalogue
from subsidies.policies.catalogue import Criterion
from subsidies.services import enrolments, stipends
from subsidies.services.application_papers import add_paper
from subsidies.services.bank_layouts import add_layout
from subsidies.services.bank_returns import post_answers
from subsidies.services.exams import record_points
from subsidies.services.payments import hold_line, send_batch
from subsidies.services.pensions import set_case
from subsidies.services.reviews import make_review
from subsidies.services.scenarios import keep_scenario
from tests.conftest import TODAY
from tests.e2e import office
from tests.e2e.conftest import watch
from tests.e2e.looking import faults_of
from tests.factories.accounts import make_region, make_user
from tests.factories.bank_files import seal_with_file
from tests.factories.benefits import (
    make_application,
    make_enrolment,
    make_old_couple,
    set_rate,
    switch_on,
)
from tests.factories.exports import make_export
from tests.factories.households import make_household, make_resident
from tests.factories.meetings import make_meeting, make_payee_to_see
from tests.factories.notices import make_applicant, make_notice, make_objection
from tests.factories.payments import NOW, bring_to, make_batch, make_payee
from tests.factories.rosters import make_difference, make_entry
from tests.factories.special import (
    make_archive,
    make_contact,
    make_document,
    make_need,
    make_person,
    make_record,
    picture,
)
from tests.factories.special_care import (
    make_aid,
    make_anniversary,
    make_card,
    make_check,
    make_doctor_contract,
    make_insurance,
    make_priority,
)
from tests.factories.special_rounds import make_round, make_visit
from tests.factories.workbooks import run_import
from tests.guards.source import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
MATRIX = yaml.safe_load((ROOT / "tests/guards/matrix.yaml").read_text(encoding="utf-8"))["routes"]
# Answers that are no page: files, and a part that htmx puts into one.
NO_PAGE = {
    "imports:template-download", "reporting:figure-export", "reporting:version-download", "healthz",
    "jobs:job-progress", "jobs:job-download", "accounts:session-left",
    "households:special-document-file", "subsidies:notice-photo-file",
    "subsidies:application-paper-file",
}  # fmt: skip
READERS = (Role.PROPAGANDIST, Role.REVIEWER, Role.COUNTY)
# Widths at which axe looks, the slowest part by far. What readers see is among the clerk's pages.
AXE_AT = {Role.PROPAGANDIST: (360,), Role.REVIEWER: (), Role.COUNTY: (1366,)}
STATION = {
    Role.PROPAGANDIST: "539981001201",
    Role.CLERK: office.TOWNSHIP,
    Role.REVIEWER: office.TOWNSHIP,
}


@pytest.fixture
def full(db, settings, tmp_path, run_jobs_now):
    """A township at work: people, births, batches in every state, jobs, returns, events."""
    settings.MEDIA_ROOT = tmp_path
    county = make_region("539981", "安宁市")
    make_region(office.TOWNSHIP, "禄脿街道")
    for code, name in office.VILLAGES.items():
        make_region(code, name, urban_rural="乡村")
    users = {
        role: make_user(role, Region.objects.get(code=STATION.get(role, "539981")), name=role.label)
        for role in Role
    }
    everybody = office.people()
    clerk, village = users[Role.CLERK], users[Role.PROPAGANDIST].region
    township = clerk.region
    register = office.residents_workbook(everybody)
    run_import("residents", register, township, good_rows=True)
    committed = _upload(clerk, "births", office.births_workbook(everybody))
    _upload(clerk, "births", b"no workbook at all", "坏.csv")
    _upload(users[Role.ADMINISTRATOR], "regions", office.regions_workbook())
    moved = [*everybody]
    moved[0].married = "2007年6月1日"
    _upload(clerk, "residents", office.residents_workbook(moved))
    run_jobs_now()
    committed.refresh_from_db()
    services.confirm(batch=committed, good_rows=True, by=clerk)
    run_jobs_now()
    # The newest two still wait; one of the others went wrong.
    _upload(clerk, "residents", office.residents_workbook(everybody[:9]))
    _upload(users[Role.ADMINISTRATOR], "regions", office.regions_workbook() + b" ")
    for role in (Role.CLERK, Role.ADMINISTRATOR):
        done = Job.objects.filter(requested_by=users[role], state=Job.State.DONE).first()
        Job.objects.filter(pk=done.pk).update(state=Job.State.FAILED, error="磁盘空间不足。")
    make_user("propagandist", make_region("539981001202"), name="停用", is_active=False)
    for place in (village, township, county):
        for code, period in (("population-monthly", "2018-09"), ("population-annual", "2018")):
            make_return(code=code, region=place, period=period, by=clerk, today=TODAY)
    make_export(clerk)
    _doubles(clerk)
    child = Resident.objects.filter(village=village, relation="子").first()
    record_event(
        by=clerk, kind="outflow", values={"members": [child]}, happened_on=TODAY, today=TODAY
    )
    propose_change(
        by=users[Role.PROPAGANDIST],
        kind="outflow",
        village=village,
        resident=None,
        household=child.household,
        content={"happened_on": ["2018-10-1"]},
        happened_on=TODAY,
    )
    for period in ("2018-08", "2018-09"):
        make_return(code="population-ledger", region=township, period=period, by=clerk, today=TODAY)
    lock_month(by=users[Role.REVIEWER], township=township, period="2018-08", today=TODAY)
    _special_family(users[Role.PROPAGANDIST])
    make_document(SpecialFamily.objects.first(), clerk)
    _rounds(clerk)
    _differences(village, clerk)
    _notices(clerk, village)
    _policies(county)
    _applications(clerk, village)
    _scenario(clerk)
    _rolls(clerk, users[Role.REVIEWER], village)
    _reviews(clerk, village)
    _meetings(users[Role.PROPAGANDIST])
    _payments(users, village)
    _oneoff(users, village)
    return users


def _special_family(contact: User) -> None:
    """An archive in the village, whose contacts are its own user, with a need, and one who left."""
    family = make_archive(contact.region)
    term = make_contact(family, make_person(contact.region, user=contact))
    make_need(term, record=make_record(term, date(2018, 9, 3), recorded_by=contact))
    make_contact(family, make_person(contact.region, kind="街道领导", left_on=TODAY))
    for make in (
        make_card, make_priority, make_check, make_doctor_contract, make_insurance, make_aid,
        make_anniversary,
    ):  # fmt: skip
        make(family)


def _rounds(clerk: User) -> None:
    """The archive on the lists of three rounds: to be visited, visited, left out."""
    family = SpecialFamily.objects.first()
    names = ("2018年端午节慰问", "2018年中秋节慰问", "2018年重阳节慰问")
    done, out, _ = (make_visit(family, make_round(clerk.region, name)) for name in names)
    special_rounds.tick_off(
        by=clerk, visit=done, contact=done.contact, happened_on=TODAY, signed_by="本人", today=TODAY
    )
    special_rounds.leave_out(by=clerk, visit=out, reason="本人不愿意")


def _differences(village: Region, clerk: User) -> None:
    """One that a list tells of and waits, and one found to be our mistake."""
    people = Resident.objects.filter(village=village).order_by("pk")[:2]
    for person, rule in zip(people, ("police_death", "hukou"), strict=True):
        entry = make_entry(clerk.region, RULES[rule].source, person, date(2018, 5, 3), "非农业")
        make_difference(
            person, rule, entry=entry, enrolment=make_enrolment(person), policy_code="CN-RURAL"
        )
    Difference.objects.filter(rule="hukou").update(
        verdict="right", proof="看了户口簿", decided_by=clerk, decided_at=timezone.now()
    )


def _policies(county: Region) -> None:
    """Something of each kind that is set for next year, and can be cancelled."""
    next_year = date(2019, 1, 1)
    switch_on("CN-RURAL", county, next_year, is_on=False)
    set_rate("CN-RURAL", county, 1080, next_year)
    values = {"policy_code": "CN-RURAL", "region": county, "from_on": next_year, "document": "试行"}
    PolicyExclusion.objects.create(other_code="YN-LUMP", **values)
    ReturnDeadline.objects.create(month=3, day=31, **values)
    del values["policy_code"]
    PaymentPersons.objects.create(persons=2, **values)


def _notices(clerk: User, village: Region) -> None:
    """One that hangs, objected to; one whose term is over; an application that waits for its own."""
    hanging, over, _ = (make_applicant(village, clerk) for _ in range(3))
    make_objection(make_notice([hanging], clerk), hanging, clerk)
    before = date(2018, 9, 10)
    make_notice([over], clerk, posted_on=before, today=before)


def _applications(clerk: User, village: Region) -> None:
    """An unsent form with a paper, one sent back, and one that waits at each step."""
    switch_on("CN-RURAL", village.parent)
    states = ("draft", "returned", "village", "township", "county")
    for number, state in enumerate(states):
        head, _ = make_old_couple(village)
        one = make_application(head, clerk)
        paper = uploads.paper_of("户口簿.jpg", picture(colour=f"#{number}b6ea5"))
        add_paper(by=clerk, application=one, kind="identity", title="户口簿", paper=paper)
        sent = {} if state == "draft" else {"submitted_by": clerk, "waiting_since": timezone.now()}
        Application.objects.filter(pk=one.pk).update(state=state, **sent)
        if state == "returned":
            one.steps.create(
                action="return", from_state="village", to_state=state, reason="请补材料。",
                by=clerk, at=timezone.now(),
            )  # fmt: skip


def _rolls(clerk: User, reviewer: User, village: Region) -> None:
    """A line with a story behind it, and a change of it that waits."""
    now = timezone.now()
    person = make_old_couple(village)[0]
    make_enrolment(person.spouse, "SD-URBAN", end_month=date(2017, 12, 1), end_reason="其他")
    line = make_enrolment(person)
    asked = {"by": clerk, "enrolment": line, "note": "村里核实", "now": now}
    change = enrolments.propose_change(kind="suspend", month=date(2018, 3, 1), **asked)
    enrolments.decide_change(by=reviewer, change=change, accept=True, now=now)
    enrolments.propose_change(kind="resume", month=date(2018, 10, 1), **asked)


def _reviews(clerk: User, village: Region) -> None:
    """Of a plain policy and of one that tells of a child's death; somebody entered and somebody left."""
    head, wife = make_old_couple(village)
    make_enrolment(head, start=date(2018, 1, 1))
    make_enrolment(wife, start=date(2012, 1, 1), end_month=date(2018, 6, 1), end_reason="主动放弃")
    make_enrolment(wife, "CN-SPECIAL-DEATH", date(2018, 7, 1))
    for code in ("CN-RURAL", "CN-SPECIAL-DEATH"):
        make_review(
            by=clerk, region=clerk.region, policy_code=code, year=2018, today=TODAY,
            now=timezone.now(),
        )  # fmt: skip


def _meetings(worker: User) -> None:
    """Somebody paid and to be seen, and somebody seen today who hadn't got the money."""
    make_payee_to_see(worker.region)
    make_meeting(worker, make_payee_to_see(worker.region), delivered="no", now=dates.now())


def _payments(users: dict, village: Region) -> None:
    """A batch at each step; the draft with a line that is held, the last one with one that failed."""
    clerk = users[Role.CLERK]
    people = {
        "clerk": clerk, "reviewer": users[Role.REVIEWER], "county_user": users[Role.COUNTY]
    }  # fmt: skip
    for state in ("reconciled", "sent", "sealed", "approved", "checked", "submitted", "draft"):
        for name in ("甲", "乙"):
            make_payee(village, f"{BatchState(state).label}{name}")
        batch = make_batch(clerk, village.parent, is_on_already=True)
        if state != "draft":
            has_file = state in ("reconciled", "sent", "sealed")
            bring_to("approved" if has_file else state, batch, **people)
            if has_file:
                seal_with_file(batch, clerk)
            if state in ("reconciled", "sent"):
                send_batch(by=clerk, batch=batch, today=TODAY, now=NOW)
        if state == "reconciled":
            failed, *paid = batch.lines.filter(state="instructed").values_list("pk", flat=True)
            post_answers(
                by=clerk, batch=batch, paid=dict.fromkeys(paid, TODAY),
                failed={failed: "户名与账号不符"}, today=TODAY, now=NOW,
            )  # fmt: skip
    add_layout(by=clerk, region=village.parent, layout=SHIPPED["text"])
    hold_line(by=clerk, line=batch.lines.filter(state="planned").first(), reason="待核实", now=NOW)


def _oneoff(users: dict, village: Region) -> None:
    """A pension with its facts, a pupil who ought to move up, points, and a sheet at each step."""
    clerk, reviewer = users[Role.CLERK], users[Role.REVIEWER]
    retired = make_payee(village, "赵退休", "SD-PENSION", start=date(2018, 5, 1))
    set_case(
        by=clerk, enrolment=retired, row_version=0, retired_month=date(2018, 5, 1), part="第七批",
        payer="insurance", today=TODAY,
    )  # fmt: skip
    make_payee(village, "李小学", "YN-SCHOLARSHIP", start=date(2010, 9, 1), grade="小学")
    exam = make_payee(village, "李考生", "YN-EXAM", start=date(2018, 6, 1))
    record_points(
        by=clerk, enrolment=exam, row_version=0, exam="senior", year=2018, school="一中", today=TODAY,
        now=NOW,
    )  # fmt: skip
    for year, steps in ((2018, 0), (2017, 1), (2016, 2)):
        sheet = stipends.create_sheet(
            by=clerk, office=clerk.region, year=year, monthly=Decimal(660), today=TODAY
        )
        if steps:
            stipends.submit_sheet(by=clerk, sheet=sheet, row_version=0)
        if steps > 1:
            stipends.approve_sheet(by=reviewer, sheet=sheet, row_version=1, now=NOW)


def _scenario(clerk: User) -> None:
    """A lower age, kept for the budget."""
    criteria = [
        Criterion(one.key, {"min": 55} if one.key == "age" else one.params)
        for one in catalogue.policy("CN-RURAL").criteria
    ]
    keep_scenario(
        by=clerk, code="CN-RURAL", region=clerk.region, as_of=date(2018, 12, 31), today=TODAY,
        change=Change(tuple(criteria)), name="2019年预算", note="按县里通知。",
    )  # fmt: skip


def _doubles(clerk: User) -> None:
    """Three registered twice: one waits, one lies between two townships, one was merged."""
    mother = Resident.objects.filter(village__code=STATION[Role.PROPAGANDIST], sex="女").first()
    homes = [mother.household, make_household(make_region("539981100201", "远处村"))]
    for name, other in (("王一", homes[0]), ("王二", homes[0]), ("王三", homes[1])):
        for home in (homes[0], other):
            make_resident(
                home, name, relation="其他", id_number="", mother=mother,
                mother_id_number=mother.id_number, birth_date=date(2015, 1, 1),
                mother_id_number_digest=mother.id_number_digest,
            )  # fmt: skip
    now = timezone.now()
    find_duplicates(by=clerk, now=now)
    pair = Duplicate.objects.filter(first__name="王二").get()
    merge_residents(by=clerk, kept=pair.first, merged=pair.second, today=TODAY, now=now)


def _upload(by, kind: str, content: bytes, name: str = "花名册.xlsx") -> ImportBatch:
    return services.upload(
        kind=KINDS[kind], office=by.region, content=content, file_name=name, changed_on=TODAY, by=by
    )


def seeds(role: Role, user: User) -> list[str]:
    """Where a crawl begins: home, and what a list shows further down than in its first row."""
    found = [reverse("home")]
    if role in (Role.CLERK, Role.ADMINISTRATOR):
        mine = Job.objects.filter(requested_by=user)
        waiting, failed = (mine.filter(state=state).first() for state in ("queued", "failed"))
        found += [reverse("jobs:job-cancel", args=[waiting.pk]), failed.get_absolute_url()]
    if role in (Role.CLERK, Role.REVIEWER):  # linked for who is a contact himself
        found.append(reverse("households:special-my-tasks"))
    if role == Role.CLERK:
        found.append(reverse("households:resident-list") + "?residence=流入&sex=男&sort=name")
        found += [batch.get_absolute_url() for batch in ImportBatch.objects.exclude(kind="regions")]
        found.append(reverse("households:birth-edit", args=[ChildRecord.objects.first().pk]))
        found.append(Merge.objects.get().get_absolute_url())
        found += _archive_pages()
        mistake = Difference.objects.get(rule="hukou")
        found += [
            mistake.get_absolute_url(), reverse("subsidies:difference-exit", args=[mistake.pk])
        ]  # fmt: skip
        line = Enrolment.objects.get(suspensions__isnull=False)
        found.append(line.get_absolute_url())
        free = Enrolment.objects.filter(end_month__isnull=True, changes__isnull=True).first()
        found.append(reverse("subsidies:enrolment-change-create", args=[free.pk]))
    if role == Role.PROPAGANDIST:  # linked for who may know of every such roll
        found.append(reverse("subsidies:enrolment-sensitive-list"))
    if role in (Role.CLERK, Role.PROPAGANDIST):
        found += [notice.get_absolute_url() for notice in Notice.objects.all()]
        place = Notice.objects.first().village_id
        found.append(reverse("subsidies:notice-create") + f"?village={place}&policy=CN-RURAL")
        found += _application_pages()
    if role in (Role.CLERK, *READERS):
        found.append(reverse("subsidies:outlook-list"))
    if user.may(Permission.PAYMENT_VIEW):
        found += [sheet.get_absolute_url() for sheet in StipendSheet.objects.all()]
    if user.may(Permission.BENEFIT_BUDGET):
        scenario = Scenario.objects.get()
        found.append(reverse("subsidies:scenario-people-list") + f"?scenario={scenario.pk}")
    if user.may(Permission.PAYMENT_VIEW):
        found += [batch.get_absolute_url() for batch in PaymentBatch.objects.order_by("pk")]
        found.append(reverse("subsidies:line-sensitive-list"))
    if user.may(Permission.PAYMENT_MAKE):
        found.append(reverse("subsidies:batch-create") + "?policy=CN-RURAL")
    if user.may(Permission.BENEFIT_ANNUAL):
        found += [review.get_absolute_url() for review in AnnualReview.objects.all()]
        found += _roster_pages()
    if role == Role.COUNTY:
        found.append(reverse("subsidies:policy-detail", args=["CN-RURAL"]))
        found.append(reverse("households:ledger-unlock", args=[LedgerLock.objects.get().pk]))
    if role == Role.AUDITOR:
        event = AuditEvent.objects.exclude(target_type="").first()
        found.append(reverse("audit:event-detail", args=[event.pk]))
    if role == Role.ADMINISTRATOR:
        accounts = User.objects.filter(role__in=[Role.CLERK, Role.PROPAGANDIST]).order_by("pk")
        found += [reverse("accounts:account-detail", args=[a.pk]) for a in accounts]
    return found


def _application_pages() -> list[str]:
    """The form for somebody, an unsent one, one sent back, and the page after sending."""
    state = {one.state: one.pk for one in Application.objects.order_by("pk")}
    head = Application.objects.get(state="draft").resident
    return [
        reverse("subsidies:application-create", args=[head.pk]),
        reverse("subsidies:application-create", args=[head.pk]) + "?policy=CN-RURAL",
        *(
            reverse("subsidies:application-detail", args=[state[name]])
            for name in ("draft", "returned", "township")
        ),
        reverse("subsidies:application-submitted", args=[state["village"]]),
    ]


def _roster_pages() -> list[str]:
    """The form, each paper of the township, and the lists of both sides."""
    exits = reverse("subsidies:review-exits") + "?policy=CN-RURAL&year=2018&side="
    paper = reverse("subsidies:roster-print") + f"?year=2018&place={office.TOWNSHIP}&policy="
    return [
        reverse("subsidies:roster-print"),
        *(f"{exits}{side}" for side in ("entered", "exited")),
        *(f"{paper}CN-RURAL&kind={kind}" for kind in ("roster", "entered", "exited")),
        f"{paper}CN-SPECIAL-DEATH&kind=roster",
    ]


def _archive_pages() -> list[str]:
    """Forms of an archive that no page leads to while nothing is amiss with it."""
    family = SpecialFamily.objects.filter(closed_on__isnull=True).first()
    review, _ = ArchiveReview.objects.get_or_create(
        family=family, cause="迁出", finding="户主已迁出", found_on=TODAY
    )
    without = Household.objects.filter(special_families__isnull=True, members__isnull=False)
    return [
        *(
            reverse(f"households:special-family-{act}", args=[family.pk])
            for act in ("move", "health-edit")
        ),
        reverse("households:special-review-decide", args=[review.pk]),
        reverse(
            "reporting:return-detail", args=["special-families-annual", office.TOWNSHIP, "2018"]
        ),
        reverse("reporting:figure-list", args=["special_families", office.TOWNSHIP]),
        reverse("households:special-family-create", args=[without.first().pk]),
    ]


def crawl(page: Page, start: list[str], axe_at: tuple[int, ...]) -> tuple[set[str], list[str]]:
    """Each kind of page once, each of `start` in any case; the names of what was seen, and faults."""
    todo, asked, seen, faults = list(start), set(), set(), []
    while todo:
        address = todo.pop(0)
        name = resolve(address.partition("?")[0]).view_name
        if name in NO_PAGE or address in asked or (name in seen and address not in start):
            continue
        asked.add(address)
        seen.add(name)
        response = page.goto(address)
        if response.status != 200:
            faults.append(f"{address}: {response.status}")
        faults += [f"{address}: {fault}" for fault in faults_of(page, axe_at=axe_at)]
        todo += page.eval_on_selector_all(
            "a[href^='/']", "links => links.map(a => a.getAttribute('href').split('#')[0])"
        )
    return seen, faults


def pages_of(role: Role) -> set[str]:
    """Names of the pages that the access matrix gives this role."""
    # One's own jobs alone can be cancelled, and a reader has none here.
    not_met = NO_PAGE | ({"jobs:job-cancel"} if role in READERS else set())
    return {
        name
        for name, row in MATRIX.items()
        if role in row.get("roles", ())
        and row.get("get", 200) == 200
        and role not in row.get("except", {})
    } - not_met


@pytest.mark.parametrize("role", Role)
def test_every_page_of_a_role_is_sound(full, sign_in_as, role):
    user = full[role]
    page = sign_in_as(user)

    seen, faults = crawl(page, seeds(role, user), AXE_AT.get(role, (1366, 360)))

    assert faults == []
    assert pages_of(role) - seen == set()


@pytest.mark.parametrize(
    ("role", "name", "arguments"),
    [
        (Role.CLERK, "households:resident-create", ()),
        (Role.CLERK, "households:household-create", ()),
        (Role.CLERK, "households:birth-create", (Resident,)),
        (Role.CLERK, "imports:batch-create", ()),
        (Role.ADMINISTRATOR, "accounts:account-create", ()),
        (Role.ADMINISTRATOR, "accounts:region-create", ()),
        (Role.AUDITOR, "accounts:password-change", ()),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value else "",
)
def test_form_left_empty_says_what_is_missing_and_takes_the_focus(
    full, sign_in_as, role, name, arguments
):
    page = sign_in_as(full[role])
    page.goto(reverse(name, args=[model.objects.first().pk for model in arguments]))

    page.locator("main form:not([role=search]) button[type=submit]").first.click()

    expect(page).to_have_title(re.compile("^错误："))
    summary = page.locator("[data-fp-focus]")
    expect(summary).to_contain_text("处需要修改")
    expect(summary).to_be_focused()
    assert faults_of(page) == []


@pytest.mark.parametrize("role", [Role.CLERK, Role.AUDITOR, Role.ADMINISTRATOR])
def test_lists_of_an_office_that_begins_are_sound(db, sign_in_as, role):
    user = make_user(role, make_region(STATION.get(role, "539981")))
    page = sign_in_as(user)
    lists = [n for n in pages_of(role) if n.endswith("-list") and "args" not in MATRIX[n]]
    faults = []
    for name in sorted(lists):
        page.goto(reverse(name))
        faults += [f"{name}: {fault}" for fault in faults_of(page)]
    assert lists != []
    assert faults == []


def test_look_finds_each_fault(open_browser):
    page = open_browser()
    page.set_content(
        "<html lang=en><title></title><main><p>Please save</p><img src='data:,'>"
        "<p style='color:#aaa;background:#fff'>看不清</p><div style='width:1400px'>宽</div></main>"
    )
    found = " ".join(faults_of(page))
    for words in (
        "Chinese",
        "no title",
        "'Please', 'save'",
        "image-alt",
        "color-contrast",
        "too wide",
    ):
        assert words in found, words


def test_watch_sees_scripts_policies_and_requests_that_go_wrong(chromium, live_server):
    context = chromium.new_context(base_url=live_server.url)
    seen = watch(context, live_server.url)
    page = context.new_page()
    page.goto(reverse("accounts:sign-in"))
    assert seen == []
    page.evaluate("() => { console.error('oops'); }")
    page.evaluate("() => { document.body.setAttribute('style', 'color: red'); }")
    page.goto("about:blank")
    page.evaluate("() => fetch('http://127.0.0.1:1/').catch(() => null)")
    page.wait_for_function("() => true")
    context.close()
    said = " ".join(seen)
    for words in ("oops", "Content Security Policy", "leaves the server"):
        assert words in said, said
