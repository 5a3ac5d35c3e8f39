"""A township where something stands on every page: what a crawl of all pages walks through."""

from datetime import date

from django.utils import timezone

from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from fpadmin.imports import services
from fpadmin.imports.kinds import KINDS
from fpadmin.imports.models import ImportBatch
from fpadmin.jobs.models import Job
from fpadmin.reporting.services import make_return
from households.models import (
    Duplicate,
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
from subsidies.comparison.rules import RULES
from subsidies.models import (
    Application,
    Difference,
    PaymentPersons,
    PolicyExclusion,
    ReturnDeadline,
)
from subsidies.outlook.whatif import Change
from subsidies.policies import catalogue
from subsidies.policies.catalogue import Criterion
from subsidies.services import enrolments
from subsidies.services.application_papers import add_paper
from subsidies.services.reviews import make_review
from subsidies.services.scenarios import keep_scenario
from tests.conftest import TODAY
from tests.e2e import office, payments_at_work
from tests.factories.accounts import make_region, make_user
from tests.factories.benefits import (
    make_application,
    make_enrolment,
    make_old_couple,
    set_rate,
    switch_on,
)
from tests.factories.exports import make_export
from tests.factories.households import make_household, make_resident
from tests.factories.notices import make_applicant, make_notice, make_objection
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

STATION = {
    Role.PROPAGANDIST: "539981001201",
    Role.CLERK: office.TOWNSHIP,
    Role.REVIEWER: office.TOWNSHIP,
}


def make_township(run_jobs_now) -> dict[Role, User]:
    """People, births, imports in every state, jobs, returns, events; one user of each role."""
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
    payments_at_work.pay(users, village)
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
