"""The workbook of other departments' lists (外部名单): kept beside the registry, never merged into it."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.imports.kinds import KINDS
from fpadmin.jobs.models import Job
from households.models import Resident
from subsidies.models import RosterEntry
from tests.factories.benefits import make_enrolment, make_old_couple
from tests.factories.households import make_household, make_id_number, make_resident
from tests.factories.workbooks import make_workbook, run_import
from tests.subsidies.imports.books import LIST, counts, entry, found, look, odd, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(village):
    return make_resident(make_household(village), "陶有田", birth_date=date(1950, 3, 4))


def take_list(township, *records, **options):
    return take(township, *records, kind=LIST, **options)


def test_entries_are_kept_beside_the_registry(township, person):
    before = Resident.objects.values().get()
    stranger = make_id_number(date(1960, 1, 1))
    outcome = take_list(
        township,
        entry(person.id_number, name="陶有田", event_date="2018年6月2日", detail="死亡注销户口"),
        entry(stranger, name="外人", source="民政低保"),
        entry(person.id_number, source="公安户籍", event_date=date(2018, 5, 1)),
    )
    assert (counts(outcome), odd(outcome)) == ((3, 0, 0, []), [])
    known, unknown, undated = RosterEntry.objects.order_by("pk")
    assert (known.office, known.source, known.name) == (township, "公安死亡注销", "陶有田")
    assert (known.event_date, known.detail) == (date(2018, 6, 2), "死亡注销户口")
    assert (known.resident, known.compared_at) == (person, None)
    assert (known.id_number, known.id_number_digest) == (person.id_number, digest(person.id_number))
    assert (unknown.resident, unknown.event_date, unknown.id_number) == (None, None, stranger)
    assert (undated.resident, undated.name, undated.detail) == (person, "", "")
    assert Resident.objects.values().get() == before
    with connection.cursor() as cursor:
        cursor.execute("SELECT id_number FROM subsidies_rosterentry")
        assert all(person.id_number not in row[0] for row in cursor.fetchall())


def test_same_file_again_changes_nothing_also_once_compared(township, person):
    rows = [entry(person.id_number), entry(person.id_number, event_date="2018-6-2", detail="注销")]
    assert take_list(township, *rows).created == 2
    RosterEntry.objects.update(compared_at=timezone.now())
    assert counts(take_list(township, *rows)) == (0, 0, 2, [])
    assert RosterEntry.objects.filter(compared_at=None).count() == 0
    assert not AuditEvent.objects.filter(type="roster.imported").exists()


def test_list_with_other_headings_and_a_total(township, person):
    content = make_workbook(
        ["名单来源", "姓名", "证件号码", "发生日期", "备注", "派出所"],
        [["公安死亡注销", "陶 有田", f" {person.id_number}", 20180602, "", "禄脿所"], ["总计", 1]],
        above=[["2018年死亡注销名单"]],
    )
    outcome = run_import(LIST, content, township)
    assert (counts(outcome), odd(outcome)) == ((1, 0, 0, []), [(2, "派出所", "unknown_column")])
    assert RosterEntry.objects.get().event_date == date(2018, 6, 2)


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"source": ""}, "来源", "required"),
        ({"source": "公安"}, "来源", "choice"),
        ({"idno": ""}, "公民身份号码", "required"),
        ({"idno": "539981195003040011"}, "公民身份号码", "idno_check"),
        ({"idno": 539981195003040010}, "公民身份号码", "digits_lost"),
        ({"event_date": "2018-10-10"}, "事件日期", "date_future"),
        ({"event_date": "2018-2-30"}, "事件日期", "date"),
        ({"name": "名" * 51}, "姓名", "too_long"),
        ({"detail": "说" * 501}, "说明", "too_long"),
    ],
)
def test_impossible_record_is_refused_where_excel_shows_it(township, person, cells, column, code):
    stranger = make_id_number(date(1960, 1, 1))
    outcome = take_list(township, entry(stranger), entry(person.id_number) | cells)
    assert found(outcome) == [(3, column, code)]
    assert not outcome.written
    assert RosterEntry.objects.count() == 0


def test_both_rows_of_a_duplicate_are_refused(township, person):
    rows = [
        entry(person.id_number, event_date="2018-6-2"),
        entry(person.id_number),
        entry(person.id_number, event_date="2018年6月2日", detail="另一说法"),
    ]
    outcome = take_list(township, *rows, good_rows=True)
    assert found(outcome) == [(r, "公民身份号码", "duplicate_in_file") for r in (2, 4)]
    assert outcome.created == 1
    assert found(take_list(township, rows[1], rows[1])) == [
        (r, "公民身份号码", "duplicate_in_file") for r in (2, 3)
    ]


def test_other_name_for_a_number_is_odd_and_comes_in(township, person):
    outcome = take_list(township, entry(person.id_number, name="陶有"))
    assert odd(outcome) == [(2, "姓名", "name_unlike")]
    assert RosterEntry.objects.get().name == "陶有"
    nameless = entry(person.id_number, source="民政低保")
    assert odd(look(township, nameless, kind=LIST)) == []


def test_person_of_another_office_stays_unknown(township, far_village):
    away = make_resident(make_household(far_village), "远人")
    outcome = take_list(township, entry(away.id_number, name="近人"))
    assert (outcome.created, odd(outcome)) == (1, [])
    assert RosterEntry.objects.get().resident is None
    county = township.parent
    take_list(county, entry(away.id_number))
    assert RosterEntry.objects.get(office=county).resident == away


def test_each_office_keeps_its_own_list(township, other_township, person):
    row = entry(person.id_number, event_date="2018-6-2")
    for office in (township, other_township):
        assert counts(take_list(office, row)) == (1, 0, 0, [])
    assert counts(take_list(township, row)) == (0, 0, 1, [])


def test_corrected_words_are_compared_again(township, person):
    take_list(township, entry(person.id_number, name="陶有田", detail="死亡"))
    RosterEntry.objects.update(compared_at=timezone.now())
    outcome = take_list(township, entry(person.id_number, detail="迁出"))
    assert counts(outcome) == (0, 1, 0, [])
    (change,) = outcome.changes
    assert (change.target, change.heading, change.old, change.new) == (
        "陶有田", "说明", "死亡", "迁出",
    )  # fmt: skip
    kept = RosterEntry.objects.get()
    assert (kept.name, kept.detail, kept.compared_at) == ("陶有田", "迁出", None)
    event = AuditEvent.objects.get(type="roster.imported")
    assert (event.region_path, event.changes) == (township.path, {"fields": ["detail"]})
    assert counts(take_list(township, entry(person.id_number, detail="清空"))) == (0, 1, 0, [])
    assert RosterEntry.objects.get().detail == ""


def test_list_that_came_in_is_compared_in_the_background(township, village, run_jobs_now):
    head, _ = make_old_couple(village)
    make_enrolment(head)
    take_list(township, entry(head.id_number, event_date="2018-6-2"))
    (job,) = Job.objects.all()
    assert (job.kind, job.region_path) == ("compare-rosters", township.path)
    run_jobs_now()
    assert RosterEntry.objects.get().compared_at is not None
    assert head.differences.filter(entry__isnull=False).exists()
    take_list(township, entry(head.id_number, event_date="2018-6-2"))
    assert Job.objects.count() == 1


def test_more_rows_cost_no_more_queries(township, village):
    people = [make_resident(make_household(village)) for _ in range(8)]
    with CaptureQueriesContext(connection) as few:
        take_list(township, *(entry(p.id_number, name="别人") for p in people[:2]))
    with CaptureQueriesContext(connection) as many:
        take_list(township, *(entry(p.id_number, name="别人") for p in people[2:]))
    assert len(many) <= len(few)
    assert RosterEntry.objects.count() == 8


def test_template_names_the_columns_of_the_contract():
    kind = KINDS[LIST]
    assert [c.heading for c in kind.columns] == [
        "来源", "姓名", "公民身份号码", "事件日期", "说明",
    ]  # fmt: skip
    assert {c.key for c in kind.columns if c.required} == {"source", "idno"}
