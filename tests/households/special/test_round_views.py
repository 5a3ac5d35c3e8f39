"""The pages of rounds: list, a new one, one with its families, ticking off, files, home."""

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
import pyzipper
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from fpadmin.errors import RuleViolation
from fpadmin.exports import services as exports
from fpadmin.ui.listing import LISTS, Asked, Selection
from fpadmin.ui.todos import todos_for
from households.models import CareRound, ContactRecord, RoundVisit
from households.services import edit_contact_record, void_contact_record
from households.services import special_rounds as services
from households.special import invariants, round_section, rounds
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.special import make_archive, make_contact, make_person, make_record
from tests.factories.special_rounds import make_round, make_visit

pytestmark = pytest.mark.django_db
LIST = "households:special-round-list"
VISITS = "households:special-visit-list"
DETAIL = "households:special-round-detail"
TICK = "households:special-visit-tick"
DAY = date(2018, 9, 20)


@pytest.fixture
def contact(village):
    """The village's user as a contact of its families."""
    return make_user("propagandist", village, "contact", name="周美丽")


@pytest.fixture
def own(village, contact):
    """A family whose contact the village's user is."""
    family = make_archive(village, number="00011")
    make_contact(family, make_person(village, "周美丽", user=contact))
    return family


@pytest.fixture
def other(village):
    """A family of the same village with another contact."""
    return make_archive(village, number="00022", contacts=1)


@pytest.fixture
def care_round(own, other, township):
    made = make_round(township)
    for family in (own, other):
        make_visit(family, made)
    return made


def visit_of(family) -> RoundVisit:
    return family.round_visits.get()


def tick(by, visit, day=DAY, **values):
    values = {"contact": visit.contact, "signed_by": "戴飞飞", "today": TODAY} | values
    return services.tick_off(by=by, visit=visit, happened_on=day, **values)


def url(name, target) -> str:
    return reverse(name, args=[target.pk])


def tick_data(visit, **values) -> dict:
    return {
        "contact": visit.contact_id, "happened_on": "2018年9月20日", "signer": "0", "note": "",
    } | values  # fmt: skip


# Lists ------------------------------------------------------------------------------------------


def test_list_shows_progress_of_what_the_user_sees(care_round, own, clerk, contact, sign_in):
    tick(clerk, visit_of(own))
    shown = {}
    for user in (clerk, contact):
        page = sign_in(user).get(reverse(LIST)).content.decode()
        shown[user] = ("1/2" in page, "1/1" in page, "制定慰问" in page)
    assert shown == {clerk: (True, False, True), contact: (False, True, False)}


def test_contact_sees_no_round_without_own_families(village, township, contact, sign_in):
    made = make_round(township)
    visit = make_visit(make_archive(village, contacts=1), made)
    client = sign_in(contact)
    assert made.name not in client.get(reverse(LIST)).content.decode()
    for address in (url(DETAIL, made), url(TICK, visit)):
        assert client.get(address).status_code == 404


def test_lists_cost_the_same_for_more_rows(
    care_round, village, township, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def look():
        for address in (reverse(LIST), reverse(VISITS), url(DETAIL, care_round)):
            assert client.get(address).status_code == 200

    def grow():
        for n in range(6):
            make_visit(make_archive(village, contacts=1), care_round)
            made = make_round(township, name=f"第{n}次")
            tick(clerk, make_visit(make_archive(village, contacts=1), made))

    assert reverse("households:special-round-list") == reverse(LIST)
    assert reverse("households:special-visit-list") == reverse(VISITS)
    look()
    assert_query_count_does_not_grow(look, grow)


def test_contacts_page_and_receipt_cost_the_same_for_more_families(
    care_round, own, village, contact, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(contact)
    person = own.contacts.get().person

    def look():
        assert client.get(url(DETAIL, care_round)).status_code == 200
        assert client.get(url("households:special-round-receipt", care_round)).status_code == 200

    def grow():
        for _ in range(5):
            family = make_archive(village)
            make_contact(family, person)
            make_visit(family, care_round)

    look()
    assert_query_count_does_not_grow(look, grow)


# A new round ------------------------------------------------------------------------------------


def test_clerk_makes_a_round_and_changes_the_visitors(own, other, clerk, sign_in):
    client = sign_in(clerk)
    page = client.post(
        reverse("households:special-round-create"),
        {
            "festival": "重阳节", "starts_on": "20181010", "due_on": "2018-10-17",
            "gift": "大米10公斤", "amount": "300",
        },
        follow=True,
    )  # fmt: skip
    made = CareRound.objects.get()
    assert made.name == "2018年重阳节慰问"
    assert "2户×300.00元" in page.content.decode()
    assert "600.00" in page.content.decode()

    second = make_contact(own, make_person(own.household.village, "史健国", kind="街道领导"))
    form_url = url("households:special-round-visitors", made)
    assert "史健国（街道领导）" in client.get(form_url).content.decode()
    data = {
        f"visitor_{visit_of(own).pk}": second.pk,
        f"visitor_{visit_of(other).pk}": "",
    }
    client.post(form_url, data)
    assert (visit_of(own).contact, visit_of(other).contact) == (second, None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({}, "请选择节日"),
        ({"festival": "其他"}, "请写明是什么节日"),
        ({"amount": "很多"}, "慰问金"),
        ({"due_on": "2018-09-01"}, "完成期限不能早于开始日期"),
        ({"gift": "", "amount": ""}, "至少一项"),
    ],
    ids=["empty", "no words", "no number", "due before start", "brings nothing"],
)
def test_form_says_what_is_wrong(own, clerk, sign_in, data, words):
    whole = {
        "festival": "中秋节", "starts_on": "2018-09-10", "due_on": "2018-09-24", "gift": "月饼",
        "amount": "500",
    }  # fmt: skip
    page = sign_in(clerk).post(
        reverse("households:special-round-create"), whole | data if data else {}
    )
    assert words in page.content.decode()
    assert not CareRound.objects.exists()


def test_visitor_of_another_family_is_no_choice(care_round, own, other, clerk, sign_in):
    form_url = url("households:special-round-visitors", care_round)
    data = {f"visitor_{visit_of(own).pk}": visit_of(other).contact_id}
    page = sign_in(clerk).post(form_url, data)
    assert "没有这个选项" in page.content.decode()


# One round --------------------------------------------------------------------------------------


def test_detail_counts_money_and_villages(care_round, own, other_village, clerk, sign_in):
    make_visit(make_archive(other_village, contacts=1), care_round)
    excused = make_visit(make_archive(other_village), care_round)
    services.leave_out(by=clerk, visit=excused, reason="本人不愿意")
    tick(clerk, visit_of(own))

    page = sign_in(clerk).get(url(DETAIL, care_round))

    progress = page.context["progress"]
    assert (progress.whole, progress.done, progress.open, progress.left_out) == (3, 1, 2, 1)
    assert (progress.planned_money, progress.paid_money) == (Decimal(1500), Decimal(500))
    villages = [(v.label, v.done, v.whole, v.gap) for v in page.context["villages"]]
    assert villages == [("庄科村", 1, 2, "差1户"), ("安丰营村", 0, 1, "差1户")]
    assert "本人不愿意" in page.content.decode()


@pytest.mark.parametrize(
    ("conditions", "numbers"),
    [
        ({"state": "open"}, ["00022"]),
        ({"state": "visited"}, ["00011"]),
        ({"state": "left"}, []),
        ({}, ["00011", "00022"]),
        ({"who": "own"}, []),
    ],
)
def test_detail_is_filtered(care_round, own, clerk, sign_in, conditions, numbers):
    tick(clerk, visit_of(own))
    page = sign_in(clerk).get(url(DETAIL, care_round), conditions)
    rows = page.context["list"].table.rows
    assert [row.record.family.household.number for row in rows] == numbers


def test_acts_follow_state_and_permission(care_round, own, other, clerk, reviewer, sign_in):
    tick(clerk, visit_of(own))
    pages = {u: sign_in(u).get(url(DETAIL, care_round)).content.decode() for u in (clerk, reviewer)}
    for user, page in pages.items():
        assert url(TICK, visit_of(other)) in page
        assert url("households:special-visit-receipt", visit_of(other)) in page  # to carry along
        assert url(TICK, visit_of(own)) not in page
        assert url("households:special-visit-untick", visit_of(own)) in page
        may_leave_out = url("households:special-visit-leave-out", visit_of(other)) in page
        assert may_leave_out == (user == clerk)


def test_contact_sees_own_rows_only(care_round, own, other, contact, sign_in):
    page = sign_in(contact).get(url(DETAIL, care_round)).content.decode()
    assert "00011户" in page
    assert "00022户" not in page
    assert "未慰问　1户" in page


def test_clerk_refreshes_leaves_out_and_takes_in(care_round, village, own, clerk, sign_in):
    make_archive(village, contacts=1)
    client = sign_in(clerk)
    page = client.post(url("households:special-round-refresh", care_round), follow=True)
    assert "新列入1户，移出0户" in page.content.decode()
    client.post(url("households:special-visit-leave-out", visit_of(own)), {"reason": "本人不愿意"})
    assert visit_of(own).left_out == "本人不愿意"
    client.post(url("households:special-visit-take-in", visit_of(own)))
    assert visit_of(own).left_out == ""


# Ticking off ------------------------------------------------------------------------------------


def test_contact_ticks_off_on_the_phone(care_round, own, contact, sign_in):
    client = sign_in(contact)
    visit = visit_of(own)
    form = client.get(url(TICK, visit)).content.decode()
    assert "戴飞飞" in form
    assert "checked" in form  # the user as visitor

    page = client.post(url(TICK, visit), tick_data(visit, note="身体不错"), follow=True)

    assert "已登记慰问" in page.content.decode()
    visit.refresh_from_db()
    record = ContactRecord.objects.get()
    assert (visit.record, visit.signed_by, visit.note) == (record, "戴飞飞", "身体不错")
    assert (record.happened_on, record.recorded_by) == (DAY, contact)
    assert "未慰问　0户" in page.content.decode()
    again = client.get(url(TICK, visit), follow=True).content.decode()
    assert "：已慰问。" in again


def test_somebody_else_signs(care_round, own, contact, sign_in):
    visit = visit_of(own)
    client = sign_in(contact)
    page = client.post(url(TICK, visit), tick_data(visit, signer="other"))
    assert "请填写代签人" in page.content.decode()
    client.post(url(TICK, visit), tick_data(visit, signer="other", other_signer="戴强（侄子）"))
    assert visit_of(own).signed_by == "戴强（侄子）"


def test_day_outside_the_round_asks_once_more(care_round, own, contact, sign_in):
    visit = visit_of(own)
    client = sign_in(contact)
    data = tick_data(visit, happened_on="2018-10-01")
    page = client.post(url(TICK, visit), data).content.decode()
    assert "不在活动期间（2018-09-10至2018-09-24）" in page
    assert not ContactRecord.objects.exists()
    client.post(url(TICK, visit), data | {"confirmed": "on"})
    assert ContactRecord.objects.get().happened_on == date(2018, 10, 1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"happened_on": "2018-10-10", "confirmed": "on"}, "不能晚于今天"),
        ({"happened_on": "2018-01-01", "confirmed": "on"}, "不在周美丽担任"),
        ({"contact": ""}, "请选择慰问人"),
        ({"signer": ""}, "请选择签收人"),
    ],
    ids=["future", "before the term", "nobody went", "nobody signed"],
)
def test_tick_says_what_is_wrong(care_round, own, contact, sign_in, values, words):
    visit = visit_of(own)
    page = sign_in(contact).post(url(TICK, visit), tick_data(visit, **values))
    assert words in page.content.decode()
    assert not ContactRecord.objects.exists()


def test_record_in_the_way_is_led_to_and_what_was_typed_stays(care_round, own, contact, sign_in):
    visit = visit_of(own)
    record = make_record(visit.contact, DAY, recorded_by=contact)
    client = sign_in(contact)
    page = client.post(url(TICK, visit), tick_data(visit, note="身体不错")).content.decode()
    edit = url("households:special-record-edit", record)
    assert "已有一条“日常联系”的联系记录" in page
    assert f'href="{edit}" target="_blank"' in page
    assert "身体不错" in page
    opened = client.get(edit)
    assert opened.status_code == 200

    record.purpose = "节日慰问"
    record.save()
    client.post(url(TICK, visit), tick_data(visit, note="身体不错"))
    assert visit_of(own).record == record


def test_record_in_the_way_that_somebody_else_wrote_has_no_link(
    care_round, own, contact, clerk, sign_in
):
    visit = visit_of(own)
    record = make_record(visit.contact, DAY, recorded_by=clerk)
    page = sign_in(contact).post(url(TICK, visit), tick_data(visit)).content.decode()
    assert url("households:special-record-edit", record) not in page
    assert "请登记人或镇办经办修改类别" in page


def test_other_refusals_lead_to_no_record(care_round, own, contact, sign_in):
    visit = visit_of(own)
    data = tick_data(visit, happened_on="2018-10-10", confirmed="on")
    assert "在新页打开" not in sign_in(contact).post(url(TICK, visit), data).content.decode()


def test_visits_due_stand_among_the_tasks_and_lead_back_there(
    care_round, own, other, village, township, contact, sign_in
):
    later = make_round(township, name="春节", starts_on=date(2018, 10, 10), due_on=date(2019, 2, 4))
    current = make_round(
        township, name="重阳", starts_on=date(2018, 10, 9), due_on=date(2018, 10, 17)
    )
    for made in (later, current):
        make_visit(own, made)
    make_visit(other, current)
    done = make_visit(own, make_round(township, name="做完的"))
    tick(contact, done)
    make_visit(own, make_round(township, name="不去的"), left_out="本人不愿意")
    client = sign_in(contact)

    def tasks(asked: str) -> list:
        context = client.get(reverse("households:special-my-tasks") + asked).context
        return [(t.title, t.due_on, t.days_late) for g in context["groups"] for t in g.tasks]

    late, soon = date(2018, 9, 24), date(2018, 10, 17)
    names = "戴飞飞、董丽怡"
    assert tasks("?kind=visit") == [(names, late, 15), (names, soon, 0)]
    assert tasks("?kind=visit&show=today") == [(names, late, 15)]
    assert set(tasks("?kind=visit")) <= set(tasks(""))
    assert not set(tasks("?kind=visit")) & set(tasks("?kind=need") + tasks("?kind=contact"))

    page = client.get(reverse("households:special-my-tasks"), {"kind": "visit"}).content.decode()
    mine = care_round.visits.get(family=own)
    assert f'{url(TICK, mine)}?from=tasks"' in page
    answer = client.post(f"{url(TICK, mine)}?from=tasks", tick_data(mine, happened_on="2018-9-21"))
    assert answer.url == reverse("households:special-my-tasks")
    assert tasks("?kind=visit") == [(names, soon, 0)]


def test_tasks_cost_the_same_for_more_visits(
    care_round, own, village, contact, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(contact)
    person = own.contacts.get().person

    def look():
        assert client.get(reverse("households:special-my-tasks")).status_code == 200

    def grow():
        for _ in range(5):
            family = make_archive(village)
            make_contact(family, person)
            make_visit(family, care_round)

    look()
    assert_query_count_does_not_grow(look, grow)


def test_former_contact_is_a_choice_for_a_day_of_the_round(
    care_round, own, village, clerk, sign_in
):
    former = visit_of(own).contact
    former.ended_on, former.end_reason = date(2018, 10, 1), "调岗"
    former.save()
    make_contact(own, make_person(village, "新人"), started_on=date(2018, 10, 1))
    client = sign_in(clerk)
    assert (
        "周美丽（村居干部，到2018-10-01）" in client.get(url(TICK, visit_of(own))).content.decode()
    )
    client.post(url(TICK, visit_of(own)), tick_data(visit_of(own)))
    assert ContactRecord.objects.get().contact == former


def test_family_without_a_contact_cannot_be_ticked(village, township, clerk, sign_in):
    visit = make_visit(make_archive(village), make_round(township))
    page = sign_in(clerk).get(url(TICK, visit)).content.decode()
    assert "这一户没有联系人" in page


def test_tick_is_taken_back_with_a_reason(care_round, own, contact, sign_in):
    visit = visit_of(own)
    tick(contact, visit)
    client = sign_in(contact)
    address = url("households:special-visit-untick", visit)
    assert "这条联系记录作废" in client.get(address).content.decode()
    assert "请填写撤回原因" in client.post(address, {}).content.decode()
    client.post(address, {"reason": "登记错了户"})
    assert visit_of(own).record is None
    assert ContactRecord.objects.get().void_reason == "登记错了户"


# Files -------------------------------------------------------------------------------------------


def test_file_of_a_round_has_amounts_as_numbers(
    care_round, own, clerk, settings, tmp_path, run_jobs_now
):
    settings.MEDIA_ROOT = tmp_path
    tick(clerk, visit_of(own))
    spec = LISTS["special-round-visits"]
    export = exports.request_export(
        by=clerk, spec=spec,
        selection=Selection(
            Asked(clerk, QueryDict(f"round={care_round.pk}"), {}, TODAY), (), is_all=True
        ),
        columns=[column for column in spec.columns if column.in_file], scope="found",
        clear=False, purpose="check", note="", now=timezone.now(),
    )  # fmt: skip
    assert export.has_health
    run_jobs_now()
    export.refresh_from_db()
    content = b"".join(exports.open_file(export=export, by=clerk))
    with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
        archive.setpassword(export.password.encode())
        sheet = openpyxl.load_workbook(io.BytesIO(archive.read(archive.namelist()[0]))).active
    rows = [row[:9] for row in sheet.iter_rows(min_row=6, values_only=True)]
    assert rows[0] == (
        "戴飞飞、董丽怡", care_round.name, "庄科村", "00011", "月饼一盒", 500, "周美丽", "已慰问",
        rows[0][8],
    )  # fmt: skip
    assert rows[0][8].date() == DAY
    assert rows[1][7] == "未慰问"


# Archive and home -------------------------------------------------------------------------------


def test_archive_tells_its_rounds_on_page_and_paper(care_round, own, clerk, sign_in):
    tick(clerk, visit_of(own), note="身体不错")
    page = sign_in(clerk).get(own.get_absolute_url()).content.decode()
    assert url(DETAIL, care_round) in page
    (table,) = round_section.paper(clerk, own, TODAY)
    assert table.rows == [
        (
            care_round.name, "月饼一盒", "500.00", "已慰问", "周美丽", "2018-09-20", "戴飞飞",
            "身体不错",
        )
    ]  # fmt: skip


def due(user, day=TODAY) -> list[tuple[str, int, str, str]]:
    return [
        (todo.label, todo.count, todo.kind, todo.word)
        for todo in todos_for(user, day)
        if "慰问" in todo.label
    ]


def test_home_tells_a_contact_of_own_families_and_the_clerk_of_overdue_rounds(
    care_round, own, other, contact, clerk, sign_in
):
    name = care_round.name
    mine = f"{name}，我联系的家庭"
    assert due(contact, date(2018, 9, 9)) == []
    assert due(contact, date(2018, 9, 16)) == [(mine, 1, "wait", "待慰问")]
    assert due(contact, date(2018, 9, 17)) == [(mine, 1, "warn", "还有7天")]
    assert due(contact, date(2018, 9, 24)) == [(mine, 1, "warn", "今天到期")]
    assert due(clerk, date(2018, 9, 24)) == []
    assert due(contact) == [(mine, 1, "bad", "逾期15天")]
    assert due(clerk) == [(f"{name}没有办完", 2, "bad", "逾期15天")]
    tick(contact, visit_of(own))
    assert due(contact) == []
    assert due(clerk)[0][1] == 1
    (todo,) = [t for t in todos_for(clerk, TODAY) if "慰问" in t.label]
    rows = sign_in(clerk).get(todo.url).context["list"].table.rows
    assert [row.record.family for row in rows] == [other]


def test_round_tag_says_where_it_stands(care_round, own, other, clerk):
    def tag(day):
        annotated = rounds.with_progress(CareRound.objects.all(), clerk)
        return rounds.round_tag(annotated.get(), day)

    assert tag(date(2018, 9, 9)) == ("wait", "未开始")
    assert tag(date(2018, 9, 10)) == ("wait", "进行中")
    assert tag(date(2018, 9, 25)) == ("bad", "逾期1天")
    for family in (own, other):
        tick(clerk, visit_of(family))
    assert tag(date(2018, 9, 25)) == ("ok", "已完成")


def test_record_of_a_visit_stays_one_and_is_taken_back_in_the_round_only(care_round, own, clerk):
    record = tick(clerk, visit_of(own)).record
    with pytest.raises(RuleViolation, match="慰问活动"):
        void_contact_record(by=clerk, record=record, reason="写错", now=timezone.now())
    values = {
        "row_version": 0, "happened_on": DAY, "channel": "电话", "request": "", "outcome": "",
        "today": TODAY,
    }  # fmt: skip
    with pytest.raises(RuleViolation, match="类别不能改"):
        edit_contact_record(by=clerk, record=record, purpose="日常联系", **values)
    changed = edit_contact_record(by=clerk, record=record, purpose="节日慰问", **values)
    assert changed.channel == "电话"


def test_check_of_the_data_finds_a_tick_without_its_visit(care_round, own, other, clerk):
    def found():
        return [one.text for one in invariants.visits_without_a_visit(timezone.now())]

    record = tick(clerk, visit_of(own)).record
    assert found() == []
    records = ContactRecord.objects.filter(pk=record.pk)
    words = [f"档案{own.pk}登记了慰问，联系记录对不上"]
    for wrong, right in (
        ({"purpose": "日常联系"}, {"purpose": "节日慰问"}),
        ({"contact": visit_of(other).contact}, {"contact": record.contact}),
        (
            {"voided_at": timezone.now(), "voided_by": clerk, "void_reason": "写错"},
            {"voided_at": None, "voided_by": None, "void_reason": ""},
        ),
    ):
        records.update(**wrong)
        assert found() == words
        records.update(**right)
        assert found() == []
