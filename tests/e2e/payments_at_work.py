"""Payments of a township at every step, for a crawl of all pages: batches, meetings, one-off ones."""

from datetime import date
from decimal import Decimal

from fpadmin import dates
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from subsidies.bank_files.layouts import SHIPPED
from subsidies.models import BatchState
from subsidies.services import stipends
from subsidies.services.bank_layouts import add_layout
from subsidies.services.bank_returns import post_answers
from subsidies.services.exams import record_points
from subsidies.services.payments import hold_line, send_batch
from subsidies.services.pensions import set_case
from tests.conftest import TODAY
from tests.factories.bank_files import seal_with_file
from tests.factories.meetings import make_meeting, make_payee_to_see
from tests.factories.payments import (
    NOW,
    bring_to,
    make_batch,
    make_exception,
    make_payee,
    second_clerk,
)
from tests.factories.recoveries import ask_back


def pay(users: dict[Role, User], village: Region) -> None:
    """Everything that the pages of payments can show, of the village's people."""
    _meetings(users[Role.PROPAGANDIST])
    _payments(users, village)
    _oneoff(users, village)


def _meetings(worker: User) -> None:
    """Somebody paid and to be seen, and somebody seen today who hadn't got the money."""
    make_payee_to_see(worker.region)
    make_meeting(worker, make_payee_to_see(worker.region), delivered="no", now=dates.now())


def _payments(users: dict, village: Region) -> None:
    """A batch at each step, those on their way also of a colleague's, who leaves them to the clerk.

    The draft has a line that is held, the oldest one that failed and two that are asked back.
    """
    clerk, reviewer = users[Role.CLERK], users[Role.REVIEWER]
    colleague = second_clerk(village.parent)
    people = {"clerk": clerk, "reviewer": reviewer, "county_user": users[Role.COUNTY]}
    for state in ("checked", "submitted"):
        make_payee(village, f"{BatchState(state).label}丙")
        batch = make_batch(colleague, village.parent, is_on_already=True)
        bring_to(state, batch, **people | {"clerk": colleague, "reviewer": clerk})
    for state in ("reconciled", "sent", "sealed", "approved", "checked", "submitted", "draft"):
        for name in ("甲", "乙", "丙", "丁"):
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
            ask_back(colleague, batch.lines.get(pk=paid[0]))
            ask_back(colleague, batch.lines.get(pk=paid[1]), decided_by=reviewer)
        if state == "sent":
            make_exception(batch.lines.filter(state="instructed").first(), name="别人")
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
