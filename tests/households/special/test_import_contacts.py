"""The log of contacts (特殊家庭联系记录): every rule of the contract, by record."""

from datetime import date

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from fpadmin.imports import engine, undo
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import KINDS, Ground, Unreadable
from fpadmin.imports.models import ImportBatch
from fpadmin.imports.reader import read_table
from fpadmin.imports.selectors import kinds_for
from households.models import ContactRecord, FollowUp, SpecialFamily
from households.services import close_archive, hand_over, open_archive, void_contact_record
from tests.factories.accounts import make_user
from tests.factories.households import make_household
from tests.factories.special import make_archive, make_contact, make_person, make_record
from tests.factories.special_rounds import make_round, make_visit
from tests.factories.workbooks import (
    TODAY,
    log_row,
    make_workbook,
    run_import,
    workbook_of,
)

pytestmark = pytest.mark.django_db
KIND = "contacts"
JUNE = date(2018, 6, 1)


@pytest.fixture
def family(village):
    """An archive since 2018-01-02 with the contact 史健国."""
    return make_archive(village, number="00001")


@pytest.fixture
def term(family, village):
    return make_contact(family, make_person(village, "史健国"))


@pytest.fixture
def home(family, term):
    return family.household


def take(township, *records, **options):
    return run_import(KIND, workbook_of(KIND, list(records)), township, **options)


def found(outcome) -> list[tuple]:
    return [(i.row, i.column, i.code) for i in outcome.errors]


def counts(outcome) -> tuple:
    return outcome.created, outcome.updated, outcome.unchanged, found(outcome)


def test_new_record_stands_in_the_log_of_its_contact(township, home, term, clerk):
    row = log_row(home, request="想换医院", outcome="已联系", channel="电话", purpose="生病探望")
    ground = Ground(township, TODAY, TODAY, clerk)
    content = workbook_of(KIND, [row])
    outcome = engine.commit(KINDS[KIND], content, "记录.xlsx", ground, good_rows=False)
    assert counts(outcome) == (1, 0, 0, [])
    record = ContactRecord.objects.get()
    assert (record.contact, record.happened_on) == (term, date(2018, 3, 9))
    assert (record.channel, record.purpose) == ("电话", "生病探望")
    assert (record.request, record.outcome) == ("想换医院", "已联系")
    assert (record.recorded_on, record.recorded_by, record.row_version) == (TODAY, clerk, 0)


def test_same_file_again_changes_nothing(township, home):
    rows = [log_row(home), log_row(home, date="2018-4-1", request="看病", outcome="已办")]
    assert take(township, *rows).created == 2
    assert ContactRecord.objects.filter(recorded_by=None).count() == 2
    assert counts(take(township, *rows)) == (0, 0, 2, [])


def test_changed_record_is_corrected_and_empty_keeps(township, home):
    take(township, log_row(home, request="看病", outcome="已办"))
    outcome = take(township, log_row(home, channel="微信", request="清空"))
    assert counts(outcome) == (0, 1, 0, [])
    assert [(c.heading, c.old, c.new) for c in outcome.changes] == [
        ("联系方式", "入户", "微信"), ("诉求", "看病", ""),
    ]  # fmt: skip
    record = ContactRecord.objects.get()
    assert (record.channel, record.request, record.outcome) == ("微信", "", "已办")
    assert record.row_version == 1
    event = AuditEvent.objects.get(type="special.contact_imported")
    assert event.changes == {"fields": ["channel", "request"]}
    assert event.target_id == str(record.pk)
    assert event.region_path == home.village.path


def test_record_of_a_round_stays_a_visit(township, home, term):
    record = make_record(term, date(2018, 3, 9), purpose="节日慰问")
    visit = make_visit(term.family, make_round(township), record=record, ticked_on=TODAY)
    assert found(take(township, log_row(home))) == [(2, "类别", "record_of_round")]
    assert take(township, log_row(home, purpose="节日慰问", channel="电话")).updated == 1
    record.refresh_from_db()
    assert (record.purpose, record.channel, visit.record_id) == ("节日慰问", "电话", record.pk)


def test_record_that_was_taken_back_is_not_known(township, home, clerk):
    take(township, log_row(home))
    record = ContactRecord.objects.get()
    void_contact_record(by=clerk, record=record, reason="写错", now=timezone.now())
    assert take(township, log_row(home)).created == 1
    assert counts(take(township, log_row(home))) == (0, 0, 1, [])


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"village_code": "539981001299"}, "村居代码", "unknown_village"),
        ({"village_code": "539981100201"}, "村居代码", "outside_office"),
        ({"household_no": "00099"}, "户编号", "household_missing"),
        ({"household_no": "00007"}, "户编号", "archive_missing"),
        ({"date": "2018-10-10"}, "联系日期", "date_future"),
        ({"date": "2018-13-1"}, "联系日期", "date"),
        ({"date": ""}, "联系日期", "required"),
        ({"date": "2018-1-1"}, "联系日期", "archive_not_open"),
        ({"contact": "夏桂"}, "联系人", "contact_unknown"),
        ({"contact": ""}, "联系人", "required"),
        ({"contact": "周美丽"}, "联系人", "contact_outside_term"),
        ({"contact": "同名"}, "联系人", "contact_ambiguous"),
        ({"channel": "上门"}, "联系方式", "choice"),
        ({"channel": ""}, "联系方式", "required"),
        ({"purpose": "聊天"}, "类别", "choice"),
        ({"request": "求" * 501}, "诉求", "too_long"),
    ],
)
def test_impossible_record_is_refused_where_excel_shows_it(
    township, village, far_village, home, family, cells, column, code
):
    make_household(village, "00007")
    make_contact(family, make_person(village, "周美丽"), started_on=JUNE)
    for phone in ("1", "2"):
        make_contact(family, make_person(village, "同名", phone_digest=phone))
    outcome = take(township, log_row(home, date="2018-4-1"), log_row(home) | cells)
    assert found(outcome) == [(3, column, code)]
    assert not outcome.written
    assert ContactRecord.objects.count() == 0


def test_messages_name_the_term_the_choices_and_what_comes_first(township, village, home, family):
    make_contact(family, make_person(village, "周美丽"), started_on=JUNE)
    rows = [
        log_row(home, contact="周美丽"), log_row(home, contact="夏桂"),
        log_row(home, household_no="00099"),
        log_row(make_household(village, "00007")),
    ]  # fmt: skip
    term, choices, household, archive = (i.message for i in take(township, *rows).errors)
    assert "2018-06-01至今" in term
    assert "史健国" in choices
    assert "周美丽" not in choices
    assert "请先导入居民登记表" in household
    assert "请先导入特殊家庭档案" in archive


def test_on_the_day_of_a_hand_over_both_may_have_been_there(township, home, term, clerk):
    successor = make_person(home.village, "夏桂")
    hand_over(by=clerk, term=term, person=successor, day=JUNE, today=TODAY, reason="调离")
    both = [log_row(home, date=JUNE), log_row(home, date=JUNE, contact="夏桂")]
    assert take(township, *both).created == 2
    late = log_row(home, date=date(2018, 6, 2))
    early = log_row(home, date=date(2018, 5, 31), contact="夏桂")
    assert found(take(township, late, early)) == [
        (2, "联系人", "contact_outside_term"), (3, "联系人", "contact_outside_term"),
    ]  # fmt: skip


def test_last_day_of_a_closed_archive_still_counts(township, home, family, clerk):
    close_archive(by=clerk, family=family, closed_on=JUNE, reason="moved", today=TODAY)
    outcome = take(
        township, log_row(home, date=JUNE), log_row(home, date="2018-6-2"), good_rows=True
    )
    assert found(outcome) == [(3, "联系日期", "archive_not_open")]
    assert ContactRecord.objects.get().happened_on == JUNE


def test_of_two_archives_the_one_open_on_the_day_gets_the_record(township, home, family, clerk):
    close_archive(by=clerk, family=family, closed_on=JUNE, reason="moved", today=TODAY)
    second = open_archive(by=clerk, household=home, kind="死亡", opened_on=JUNE, today=TODAY)
    make_contact(second, make_person(home.village, "夏桂"))
    rows = [log_row(home), log_row(home, date="2018-7-1", contact="夏桂")]
    assert take(township, *rows).created == 2
    assert family.contacts.get().records.count() == second.contacts.get().records.count() == 1
    wrong = take(township, log_row(home, date="2018-7-1"))
    assert found(wrong) == [(2, "联系人", "contact_outside_term")]


def test_both_rows_of_a_duplicate_are_refused(township, home):
    spaced = log_row(home, contact="史　健国", household_no=1)
    outcome = take(township, log_row(home), spaced, log_row(home, date="2018-4-1"), good_rows=True)
    assert found(outcome) == [(r, "联系日期", "duplicate_in_file") for r in (2, 3)]
    assert outcome.created == 1


def test_many_records_cost_no_query_each(township, village, home):
    for n in range(2, 6):
        other = make_archive(village, number=f"{n:05}")
        make_contact(other, make_person(village, "史健国", phone_digest=str(n)))
    homes = [f.household for f in SpecialFamily.objects.all()]
    rows = [log_row(h, date=date(2018, 2, day)) for day in range(1, 29) for h in homes]
    with CaptureQueriesContext(connection) as few:
        take(township, *rows[:1])
    with CaptureQueriesContext(connection) as many:
        assert take(township, *rows).created == 139
    assert len(many) <= len(few)


def test_files_as_offices_have_them(township, home):
    headings = [
        "办理情况",
        "联系日期",
        "类　别",
        "户号",
        "联系人*",
        "村代码",
        "联系\n方式",
        "诉求",
        "天气",
    ]
    rows = [
        ["已联系", date(2018, 3, 9), "日常联系", "00001", " 史健国 ", 539981001201, "入户", None, "晴"],
        ["", "2018年4月5日", "节日慰问", 1, "史健国", "539981001201", " 电话", "＝看病", ""],
        ["", 20180506, "日常联系", "00001", "史健国", "539981001201", "微信", "", ""],
        ["总 计", 3, "", "", "", "", "", "", ""],
    ]  # fmt: skip
    content = make_workbook(headings, rows, title="Sheet9", above=[["联系服务台账"], []])
    outcome = run_import(KIND, content, township)
    assert counts(outcome) == (3, 0, 0, [])
    assert {i.code for i in outcome.warnings} == {"unknown_column", "household_padded"}
    days = ContactRecord.objects.order_by("happened_on").values_list("happened_on", flat=True)
    assert list(days) == [date(2018, 3, 9), date(2018, 4, 5), date(2018, 5, 6)]
    assert counts(run_import(KIND, content, township)) == (0, 0, 3, [])


def test_term_that_ended_meanwhile_is_told_of_in_words(township, home, term, clerk):
    table = read_table(KINDS[KIND], workbook_of(KIND, [log_row(home)]), "记录.xlsx", TODAY)
    plan = KINDS[KIND].plan(table, Ground(township, TODAY, TODAY, SystemJob("test")))
    successor = make_person(home.village, "夏桂")
    day = date(2018, 2, 1)
    hand_over(by=clerk, term=term, person=successor, day=day, today=TODAY, reason="调离")
    with pytest.raises(Unreadable, match="被别人改动"), transaction.atomic():
        KINDS[KIND].write(plan, Journal())


def test_record_saved_meanwhile_is_not_overwritten(township, home):
    take(township, log_row(home))
    content = workbook_of(KIND, [log_row(home, outcome="已办")])
    plan = KINDS[KIND].plan(
        read_table(KINDS[KIND], content, "记录.xlsx", TODAY),
        Ground(township, TODAY, TODAY, SystemJob("test")),
    )
    ContactRecord.objects.update(row_version=F("row_version") + 1)
    with pytest.raises(Unreadable, match="被别人改动"), transaction.atomic():
        KINDS[KIND].write(plan, Journal())


def test_only_who_keeps_archives_may_import_them(clerk, administrator, reviewer, propagandist):
    def may(user):
        return {k.key for k in kinds_for(user)} & {"special_families", "contacts"}

    assert may(clerk) == {"special_families", "contacts"}
    assert may(administrator) == may(reviewer) == may(propagandist) == set()


# Undoing ------------------------------------------------------------------------------------------


def put(township, *records) -> ImportBatch:
    """A batch that was written, with its journal."""
    batch = ImportBatch.objects.create(
        kind=KIND, office=township, file_name="记录.xlsx", sha256="", size=1, changed_on=TODAY,
        state=ImportBatch.State.COMMITTED,
    )  # fmt: skip
    engine.commit(
        KINDS[KIND], workbook_of(KIND, list(records)), "记录.xlsx",
        Ground(township, TODAY, TODAY, SystemJob("test")), good_rows=False, batch_id=batch.pk,
    )  # fmt: skip
    return batch


def log() -> list[tuple]:
    fields = ("pk", "contact_id", "happened_on", "channel", "purpose", "request", "outcome")
    return list(ContactRecord.objects.order_by("pk").values_list(*fields))


def test_new_records_go_and_changed_ones_are_as_before(township, home, term):
    make_record(term, date(2018, 3, 9), request="看病")
    before = log()
    batch = put(
        township, log_row(home, channel="微信", request="清空"), log_row(home, date="2018-4-1")
    )
    assert len(log()) == 2
    reversal = undo.Reversal(batch)
    assert list(undo.dependents(reversal)) == []
    with transaction.atomic():
        undo.take_back(reversal, by=SystemJob("test"))
    assert log() == before
    assert AuditEvent.objects.filter(type="special.contact-import-undone").count() == 2


def _void(record):
    user = make_user("clerk", record.contact.person.region)
    void_contact_record(by=user, record=record, reason="写错", now=timezone.now())


DEPENDENTS = {
    "need": lambda record: FollowUp.objects.create(
        family=record.contact.family, record=record, kind="就医", need="看病",
        owner=record.contact.person, opened_on=TODAY, due_on=TODAY,
    ),
    "edited": lambda record: ContactRecord.objects.update(row_version=1),
    "voided": _void,
}  # fmt: skip


@pytest.mark.parametrize("depend", DEPENDENTS.values(), ids=DEPENDENTS.keys())
def test_import_that_something_rests_on_is_not_taken_back(township, home, depend):
    batch = put(township, log_row(home))
    depend(ContactRecord.objects.get())
    assert list(undo.dependents(undo.Reversal(batch)))


def test_page_of_undoing_names_the_records_without_a_link(township, home, clerk, sign_in):
    batch = put(township, log_row(home))
    page = sign_in(clerk).get(reverse("imports:batch-undo", args=[batch.pk])).content.decode()
    assert "2018-03-09 入户" in page
    assert 'href=""' not in page


@pytest.mark.parametrize(
    ("kind", "own_words"),
    [
        (KIND, {"date": "日期", "contact": "联系人姓名", "purpose": "联系类别"}),
        (
            "special_families",
            {"kind": "家庭类别", "opened_on": "建档时间", "medical_card_no": "就医卡"},
        ),
    ],
)
def test_headings_that_offices_use_are_known(kind, own_words):
    columns = KINDS[kind].columns
    headings = [own_words.get(column.key, column.heading) for column in columns]
    cells = {"date": "2018-03-09", "opened_on": "2018-03-09"}
    cells |= {c.key: c.choices[0] for c in columns if c.choices}
    row = [cells.get(column.key, "1") for column in columns]
    table = read_table(KINDS[kind], make_workbook(headings, [row]), "台账.xlsx", TODAY)
    assert all(table.columns[key] not in ([None], [""]) for key in own_words)
    assert "unknown_column" not in {issue.code for issue in table.issues}
