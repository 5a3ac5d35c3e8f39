"""岗位补贴: the sheet's amounts, its steps by different people, and what stands once it is approved."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from subsidies.models import StipendLine, StipendSheet
from subsidies.oneoff.stipends import Worker, by_rule, lines_of, total_of
from subsidies.services import stipends as services
from tests.factories.accounts import make_region, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2018, 3, 20, 2, 0, tzinfo=UTC)
TODAY = date(2018, 10, 9)
LIST = reverse("subsidies:stipend-list")
PAID_ON = date(2018, 3, 28)


@pytest.fixture
def workers(township):
    """Eight village workers of the township, one a village."""
    return [
        make_user("propagandist", make_region(f"53998100120{n}", f"村{n}"), name=f"宣传员{n}")
        for n in range(1, 9)
    ]


@pytest.fixture
def sheet(clerk, township, workers):
    return made(clerk, township)


def made(by, office, year=2017, monthly="660"):
    return services.create_sheet(
        by=by, office=office, year=year, monthly=Decimal(monthly), document="聘用办法", today=TODAY
    )


def edited(by, sheet, workers, **values):
    return services.edit_sheet(
        by=by, sheet=sheet, row_version=StipendSheet.objects.get(pk=sheet.pk).row_version,
        **({"monthly": Decimal(660), "document": "", "workers": workers} | values),
    )  # fmt: skip


def step(name, by, sheet, **values):
    sheet.refresh_from_db()
    done = getattr(services, f"{name}_sheet")
    return done(by=by, sheet=sheet, row_version=sheet.row_version, **values)


def approved(sheet, clerk, reviewer):
    step("submit", clerk, sheet)
    return step("approve", reviewer, sheet, now=NOW)


# Amounts


def test_eight_workers_at_660_for_a_year_are_63360(sheet):
    total = total_of(lines_of(sheet))
    assert (total.count, total.yuan) == (8, Decimal("63360.00"))
    assert total.in_words == "陆万叁仟叁佰陆拾元整"
    assert [line.name for line in lines_of(sheet)] == [f"宣传员{n}" for n in range(1, 9)]


@pytest.mark.parametrize(
    ("months", "appraisal", "yuan"),
    [
        (12, "good", "7920"), (12, "passed", "7920"), (12, "failed", "0"), (0, "passed", "0"),
        (7, "passed", "4620"),
    ],
)  # fmt: skip
def test_amount_by_the_rule(months, appraisal, yuan):
    assert by_rule(months, appraisal, Decimal("660.00")) == Decimal(yuan)


def test_another_amount_needs_a_note(clerk, sheet, village):
    odd = {"village": village, "name": "周", "appraisal": "failed", "amount": Decimal(1000)}
    with pytest.raises(RuleViolation, match="说明"):
        edited(clerk, sheet, [Worker(**odd)])
    edited(clerk, sheet, [Worker(**odd, note="会议纪要3号")])
    assert sheet.lines.get().amount == 1000
    edited(clerk, sheet, [Worker(**(odd | {"amount": None}))])
    assert sheet.lines.get().amount == 0


def test_account_that_is_not_typed_again_is_kept(clerk, sheet, village):
    edited(clerk, sheet, [Worker(village, "周", account="62290000000000001")])
    line = sheet.lines.get()
    edited(clerk, sheet, [Worker(village, "周", months=6, line=line.pk)])
    line = sheet.lines.get()
    assert (line.account, line.months, line.amount) == ("62290000000000001", 6, Decimal(3960))


@pytest.mark.parametrize(
    ("worker", "message"),
    [
        ({"months": 13}, "0到12"),
        ({"elsewhere": True}, "不属于"),
        ({"twice": True}, "填了两次"),
    ],
)
def test_worker_that_makes_no_sense_is_refused(clerk, sheet, village, far_village, worker, message):
    place = far_village if worker.pop("elsewhere", False) else village
    times = 2 if worker.pop("twice", False) else 1
    with pytest.raises(RuleViolation, match=message):
        edited(clerk, sheet, [Worker(place, "周", **worker)] * times)
    assert sheet.lines.count() == 8


# Sheets


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"year": 2019}, "年度应在"),
        ({"monthly": "0"}, "月标准"),
        ({"monthly": "1.005"}, "月标准"),
        ({"year": 2017}, "已经建过"),
    ],
)
def test_sheet_that_makes_no_sense_is_refused(clerk, township, sheet, values, message):
    with pytest.raises(RuleViolation, match=message):
        made(clerk, township, **({"year": 2018} | values))
    assert StipendSheet.objects.count() == 1


def test_sheet_of_a_village_or_of_another_township_is_refused(clerk, village, other_township):
    with pytest.raises(RuleViolation, match="乡镇"):
        made(clerk, village)
    with pytest.raises(RuleViolation, match="不在您的区划"):
        made(clerk, other_township)


def test_sheet_is_rolled_back_with_its_event(monkeypatch, clerk, township):
    monkeypatch.setattr(log, "record", _broken)
    with pytest.raises(ValueError, match="broken"):
        made(clerk, township)
    assert not StipendSheet.objects.exists()


# Steps


def test_sheet_goes_from_the_clerk_to_the_reviewer_to_the_day_it_was_paid(clerk, reviewer, sheet):
    approved(sheet, clerk, reviewer)
    step("pay", clerk, sheet, paid_on=PAID_ON, today=TODAY)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.approved_by, sheet.paid_on) == ("paid", reviewer, PAID_ON)
    events = AuditEvent.objects.filter(type__startswith="stipend.").order_by("pk")
    assert [one.type for one in events] == [
        "stipend.created", "stipend.submitted", "stipend.approved", "stipend.paid",
    ]  # fmt: skip
    assert events[3].changes == {
        "state": "已发放", "lines": 8, "yuan": "63360.00", "paid_on": ["", "2018-03-28"],
    }  # fmt: skip


def test_nobody_approves_what_he_made(clerk, sheet):
    step("submit", clerk, sheet)
    with pytest.raises(RuleViolation, match="自己经办"):
        step("approve", clerk, sheet, now=NOW)
    with pytest.raises(IntegrityError), transaction.atomic():
        StipendSheet.objects.filter(pk=sheet.pk).update(
            state="approved", approved_by=clerk, approved_at=NOW
        )


def test_who_edits_last_has_made_it(clerk, reviewer, township, village, sheet):
    other = make_user("clerk", township, "clerk-2")
    edited(other, sheet, [Worker(village, "周")])
    sheet.refresh_from_db()
    assert sheet.made_by == other


def test_sheet_that_changed_since_it_was_looked_at_is_not_approved(clerk, reviewer, village, sheet):
    step("submit", clerk, sheet)
    seen = StipendSheet.objects.get(pk=sheet.pk)
    step("return", reviewer, sheet, note="月数不对")
    edited(clerk, sheet, [Worker(village, "周")])
    step("submit", clerk, sheet)
    with pytest.raises(RuleViolation, match="不一样"):
        services.approve_sheet(by=reviewer, sheet=seen, row_version=seen.row_version, now=NOW)


def test_returned_sheet_says_why_until_it_is_submitted_again(clerk, reviewer, sheet):
    step("submit", clerk, sheet)
    with pytest.raises(RuleViolation, match="原因"):
        step("return", reviewer, sheet, note=" ")
    step("return", reviewer, sheet, note="月数不对")
    sheet.refresh_from_db()
    assert (sheet.state, sheet.returned_note) == ("draft", "月数不对")
    step("submit", clerk, sheet)
    sheet.refresh_from_db()
    assert sheet.returned_note == ""


@pytest.mark.parametrize("state", ["submitted", "approved", "paid"])
def test_sheet_out_of_the_draft_is_not_changed(clerk, reviewer, village, sheet, state):
    step("submit", clerk, sheet)
    if state != "submitted":
        step("approve", reviewer, sheet, now=NOW)
    if state == "paid":
        step("pay", clerk, sheet, paid_on=PAID_ON, today=TODAY)
    with pytest.raises(RuleViolation, match="不能这样办理"):
        edited(clerk, sheet, [Worker(village, "周")])
    with pytest.raises(RuleViolation, match="不能这样办理"):
        step("submit", clerk, sheet)
    assert sheet.lines.count() == 8


@pytest.mark.parametrize(
    ("day", "message"), [(date(2018, 10, 10), "之后"), (date(2018, 3, 19), "批准日期")]
)
def test_sheet_paid_on_a_wrong_day_is_refused(clerk, reviewer, sheet, day, message):
    approved(sheet, clerk, reviewer)
    with pytest.raises(RuleViolation, match=message):
        step("pay", clerk, sheet, paid_on=day, today=TODAY)
    sheet.refresh_from_db()
    assert sheet.state == "approved"


def test_sheet_without_money_is_not_submitted(clerk, village, sheet):
    edited(clerk, sheet, [Worker(village, "周", appraisal="failed")])
    with pytest.raises(RuleViolation, match="没有要发的金额"):
        step("submit", clerk, sheet)


@pytest.mark.parametrize(
    "values",
    [
        {"state": "approved"}, {"state": "paid"}, {"monthly": 0},
        {"state": "draft", "approved_at": NOW, "approved_by": "reviewer"},
    ],
)  # fmt: skip
def test_database_refuses_a_sheet_that_cannot_be(reviewer, sheet, values):
    if "approved_by" in values:
        values = values | {"approved_by": reviewer}
    with pytest.raises(IntegrityError), transaction.atomic():
        StipendSheet.objects.filter(pk=sheet.pk).update(**values)


@pytest.mark.parametrize("values", [{"months": 13}, {"amount": -1}])
def test_database_refuses_a_line_that_cannot_be(sheet, values):
    with pytest.raises(IntegrityError), transaction.atomic():
        StipendLine.objects.filter(sheet=sheet).update(**values)


# Pages


def post_data(sheet, **first):
    lines = lines_of(sheet)
    data = {
        "row_version": sheet.row_version, "monthly": "660", "document": "聘用办法",
        "w-TOTAL_FORMS": len(lines) + 1, "w-INITIAL_FORMS": len(lines),
        "w-MIN_NUM_FORMS": 0, "w-MAX_NUM_FORMS": 200,
    }  # fmt: skip
    for at, line in enumerate(lines):
        row = {
            "line": line.pk, "village": line.village_id, "name": line.name, "months": line.months,
            "appraisal": line.appraisal,
        }  # fmt: skip
        data |= {
            f"w-{at}-{name}": value for name, value in (row | (first if not at else {})).items()
        }
    # A row that nobody touched, as a browser sends it.
    empty = {
        "name": "",
        "village": "",
        "months": 12,
        "appraisal": "passed",
        "amount": "",
        "bank": "",
    }
    return data | {f"w-{len(lines)}-{name}": value for name, value in empty.items()}


def test_sheet_by_its_pages(sign_in, clerk, reviewer, township, workers):
    maker, approver = sign_in(clerk), sign_in(reviewer)
    url = reverse("subsidies:stipend-create")
    answer = maker.post(url, {"year": "2017", "monthly": "660", "document": "聘用办法"})
    sheet = StipendSheet.objects.get()
    edit = reverse("subsidies:stipend-edit", args=[sheet.pk])
    assert answer.url == edit
    assert "宣传员8" in maker.get(edit).content.decode()
    wrong = maker.post(edit, post_data(sheet, months="13"))
    assert "12" in wrong.content.decode()
    saved = maker.post(
        edit, post_data(sheet, account="6229 0000 0000 0001", appraisal="good", bank="信用社")
    )
    assert saved.url == sheet.get_absolute_url()
    page = maker.get(sheet.get_absolute_url()).content.decode()
    assert "63,360.00" in page
    assert "陆万叁仟叁佰陆拾元整" in page
    assert "6229000000000001" not in page + maker.get(edit).content.decode()
    sheet.refresh_from_db()
    version = {"row_version": sheet.row_version}
    maker.post(reverse("subsidies:stipend-submit", args=[sheet.pk]), version)
    sheet.refresh_from_db()
    assert maker.get(edit).url == sheet.get_absolute_url()
    decide = reverse("subsidies:stipend-approve", args=[sheet.pk])
    version = {"row_version": sheet.row_version}
    assert maker.post(decide, version | {"decision": "approve"}).status_code == 403
    assert (
        "退回要写明原因" in approver.post(decide, version | {"decision": "return"}).content.decode()
    )
    assert approver.post(decide, version | {"decision": "maybe"}).status_code == 404
    approver.post(decide, version | {"decision": "approve"})
    sheet.refresh_from_db()
    assert sheet.approved_by == reviewer
    pay = reverse("subsidies:stipend-pay", args=[sheet.pk])
    version = {"row_version": sheet.row_version}
    assert "之后" in maker.post(pay, version | {"paid_on": "2018-10-10"}).content.decode()
    maker.post(pay, version | {"paid_on": "2018-10-09"})
    StipendSheet.objects.get(state="paid", paid_on="2018-10-09")
    paper = approver.get(reverse("subsidies:stipend-print", args=[sheet.pk])).content.decode()
    assert "人民币陆万叁仟叁佰陆拾元整" in paper
    assert AuditEvent.objects.get(type="roster.printed").count == 8


def test_dropped_row_leaves_the_sheet(sign_in, clerk, sheet):
    sign_in(clerk).post(
        reverse("subsidies:stipend-edit", args=[sheet.pk]), post_data(sheet, drop="on")
    )
    assert sheet.lines.count() == 7


def test_list_is_of_the_region_and_does_not_ask_more_for_more(
    sign_in, clerk, county_user, other_clerk, township, sheet, assert_query_count_does_not_grow
):
    assert "还没有记录" in sign_in(other_clerk).get(LIST).content.decode()
    client = sign_in(county_user)
    assert "63,360.00" in client.get(LIST).content.decode()

    def grow():
        for year in range(2010, 2016):
            made(clerk, township, year)

    assert_query_count_does_not_grow(lambda: client.get(LIST), grow)


def _broken(*args, **kwargs):
    raise ValueError("broken")
