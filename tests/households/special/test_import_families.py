"""The workbook of archives (特殊家庭档案): every rule of the contract, by record."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.imports.kinds import KINDS
from households.models import (
    ContactPerson,
    FamilyContact,
    FamilyParent,
    MedicalCard,
    NursingInsurance,
    SpecialFamily,
)
from households.services import close_archive
from households.special.families import parents_of
from tests.factories.accounts import make_region
from tests.factories.households import make_birth, make_household, make_resident
from tests.factories.special import make_bereaved
from tests.factories.workbooks import (
    TODAY,
    archive_row,
    make_workbook,
    run_import,
    workbook_of,
)
from tests.households.special.archive_books import (
    JUNE,
    KIND,
    NEW,
    WORKER,
    counts,
    found,
    look,
    odd,
    take,
    terms,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(village):
    """A household of 庄科村 whose only child died."""
    head, _ = make_bereaved(village, "00001")
    return head.household


# A new archive ------------------------------------------------------------------------------------


def test_new_archive_comes_with_parents_contacts_card_and_insurance(township, home):
    outcome = take(
        township,
        archive_row(
            home, medical_card_no="YK0001", medical_card_date="2018.2.10", nursing_insurance="有",
            difficulties="养老缺人照料",
        ),
    )  # fmt: skip
    assert counts(outcome) == (1, 0, 0, [])
    assert odd(outcome) == []
    family = SpecialFamily.objects.get()
    assert (family.household, family.kind, family.opened_on) == (home, "死亡", date(2018, 1, 2))
    assert (family.difficulties, family.closed_on, family.cause_of_death) == (
        "养老缺人照料",
        None,
        "",
    )
    assert [p.name for p in parents_of(home, TODAY)] == ["戴飞飞", "董丽怡"]
    assert sorted(family.parents.values_list("resident__name", "started_on")) == [
        ("戴飞飞", date(2018, 1, 2)), ("董丽怡", date(2018, 1, 2)),
    ]  # fmt: skip
    opened = date(2018, 1, 2)
    assert terms() == [(name, opened, None) for name in ("史健国", "周美丽", "林霞丹")]
    leader = ContactPerson.objects.get(name="史健国")
    assert (leader.region, leader.post, leader.kind) == (township, "街道分管领导", "街道领导")
    assert (leader.phone, leader.phone_digest) == ("13000001001", digest("13000001001"))
    assert leader.user is None
    card = MedicalCard.objects.get()
    assert (card.number, card.issued_on, card.resident) == ("YK0001", date(2018, 2, 10), None)
    insurance = NursingInsurance.objects.get()
    assert (insurance.starts_on, insurance.ends_on) == (None, None)


def test_same_file_again_changes_nothing(township, village, home):
    other, _ = make_bereaved(village, "00002")
    rows = [
        archive_row(
            home, medical_card_no="YK1", medical_card_date="2018-2-1", nursing_insurance="是"
        ),
        archive_row(other.household, nursing_insurance="否", contact3=""),
    ]
    assert take(township, *rows).created == 2
    events = AuditEvent.objects.exclude(type="import.committed").count()
    before = terms()
    for on in (TODAY, JUNE):
        assert counts(take(township, *rows, on=on)) == (0, 0, 2, [])
    assert (terms(), MedicalCard.objects.count()) == (before, 1)
    assert NursingInsurance.objects.count() == 1
    assert AuditEvent.objects.exclude(type="import.committed").count() == events


def test_contacts_are_shared_by_the_families_of_a_township(township, village, home):
    other, _ = make_bereaved(village, "00002")
    take(township, archive_row(home), archive_row(other.household, contact2=NEW))
    assert ContactPerson.objects.count() == 4
    assert FamilyContact.objects.count() == 6
    third, _ = make_bereaved(village, "00003")
    take(township, archive_row(third.household))
    assert ContactPerson.objects.count() == 4


def test_parents_are_those_of_the_day_and_of_the_child(township, village, home):
    """A grandfather who is 户主 is no parent; who moved in after the day isn't either."""
    head, wife = (p for p in parents_of(home, TODAY))
    grandfather = make_resident(home, "戴老", birth_date=date(1938, 1, 1), relation="父")
    wife.residencies.update(started_on=date(2018, 2, 1))
    take(township, archive_row(home))
    assert list(FamilyParent.objects.values_list("resident__name", flat=True)) == ["戴飞飞"]
    assert grandfather.special_archives.count() == 0


def test_archives_of_different_days_cost_no_query_each(township, village):
    homes = [make_bereaved(village, f"{n:05}")[0].household for n in range(1, 15)]
    rows = [archive_row(h, opened_on=f"2018-01-{n:02}") for n, h in enumerate(homes, start=1)]
    with CaptureQueriesContext(connection) as few:
        take(township, *rows[:2])
    with CaptureQueriesContext(connection) as many:
        take(township, *rows[2:])
    assert len(many) <= len(few)
    assert FamilyParent.objects.count() == 28


def test_nobody_lives_there_on_the_day_is_odd(township, village):
    empty = make_household(village, "00005")
    outcome = take(township, archive_row(empty, contact1="", contact2="", contact3=""))
    assert odd(outcome) == [(2, "户编号", "no_parents"), (2, "联系人1", "no_contact")]
    assert outcome.created == 1


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"village_code": "539981001299"}, "村居代码", "unknown_village"),
        ({"village_code": "539981100201"}, "村居代码", "outside_office"),
        ({"village_code": ""}, "村居代码", "required"),
        ({"household_no": "00077"}, "户编号", "household_missing"),
        ({"household_no": ""}, "户编号", "required"),
        ({"kind": "独生子女死亡"}, "家庭类型", "choice"),
        ({"kind": "清空"}, "家庭类型", "required"),
        ({"opened_on": "2018-10-10"}, "建档日期", "date_future"),
        ({"opened_on": "2018-2-30"}, "建档日期", "date"),
        ({"opened_on": ""}, "建档日期", "required"),
        ({"medical_card_date": "2019-1-1"}, "发卡日期", "date_future"),
        ({"medical_card_no": 123456789012345678}, "就医卡号", "digits_lost"),
        ({"nursing_insurance": "也许"}, "住院护理保险", "bool"),
        ({"difficulties": "难" * 501}, "主要困难", "too_long"),
        ({"contact1": "史健国"}, "联系人1", "contact_form"),
        ({"contact1": "史健国;街道分管领导;13000001001"}, "联系人1", "contact_form"),
        ({"contact1": "史健国，街道分管领导，13000001001，街道领导"}, "联系人1", "contact_form"),
        ({"contact1": ";街道分管领导;13000001001;街道领导"}, "联系人1", "contact_form"),
        ({"contact1": "史健国;13000001001;街道分管领导;街道领导"}, "联系人1", "contact_form"),
        ({"contact1": "史健国;街道分管领导;不详;街道领导"}, "联系人1", "contact_form"),
        ({"contact1": "a;b;1;街道领导;c"}, "联系人1", "contact_form"),
        ({"contact1": "史健国;街道分管领导;13000001001;"}, "联系人1", "contact_kind"),
        ({"contact1": "史健国;街道分管领导;13000001001;领导"}, "联系人1", "contact_kind"),
        ({"contact1": f"{'史' * 51};;;街道领导"}, "联系人1", "too_long"),
        ({"contact1": f"史健国;{'主' * 61};;街道领导"}, "联系人1", "too_long"),
        ({"contact1": f"史健国;;{'1' * 31};街道领导"}, "联系人1", "too_long"),
        ({"contact1": WORKER}, "联系人3", "contact_twice"),
    ],
)
def test_impossible_record_is_refused_where_excel_shows_it(
    township, village, home, far_village, cells, column, code
):
    other, _ = make_bereaved(village, "00002")
    outcome = take(township, archive_row(other.household), archive_row(home) | cells)
    assert found(outcome) == [(3, column, code)]
    assert not outcome.written
    assert SpecialFamily.objects.count() == ContactPerson.objects.count() == 0


def test_message_says_what_is_missing_and_hides_the_phone(township, home):
    (issue,) = look(township, archive_row(home, contact2="周美丽;主任;13000001002;主任")).errors
    assert "街道领导、村居干部、家庭医生、计生专干、志愿者" in issue.message
    assert "13000001002" not in issue.message + issue.value
    (issue,) = look(township, archive_row(home, household_no="88")).errors
    assert "请先导入居民登记表" in issue.message


def test_second_open_archive_is_refused(township, home):
    take(township, archive_row(home))
    outcome = take(township, archive_row(home, opened_on="2018-03-01"))
    assert found(outcome) == [(2, "建档日期", "second_archive")]
    assert "2018-01-02" in outcome.errors[0].message
    assert SpecialFamily.objects.count() == 1


def test_two_archives_of_a_household_in_the_file(township, village, home):
    same = take(township, archive_row(home), archive_row(home))
    assert found(same) == [(r, "建档日期", "duplicate_in_file") for r in (2, 3)]
    later = take(township, archive_row(home), archive_row(home, opened_on="2018-5-1"))
    assert found(later) == [(3, "建档日期", "second_archive")]


def test_row_with_a_fault_of_its_own_makes_no_error_elsewhere(township, home):
    outcome = take(township, archive_row(home, kind="死"), archive_row(home), good_rows=True)
    assert found(outcome) == [(2, "家庭类型", "choice")]
    assert (outcome.written, outcome.created, outcome.refused) == (True, 1, 1)


def test_archive_inside_an_earlier_one_is_refused_and_after_it_comes_in(township, home, clerk):
    take(township, archive_row(home))
    family = SpecialFamily.objects.get()
    close_archive(by=clerk, family=family, closed_on=JUNE, reason="moved", today=TODAY)
    outcome = look(township, archive_row(home, opened_on="2018-05-31"))
    assert found(outcome) == [(2, "建档日期", "archive_overlap")]
    assert take(township, archive_row(home, opened_on="2018-06-01")).created == 1


def test_row_of_a_closed_archive_changes_nothing(township, home, clerk):
    take(township, archive_row(home))
    family = SpecialFamily.objects.get()
    close_archive(by=clerk, family=family, closed_on=JUNE, reason="moved", today=TODAY)
    before = terms()
    outcome = take(township, archive_row(home, difficulties="别的", contact1=NEW))
    assert (outcome.unchanged, odd(outcome)) == (1, [(2, "建档日期", "archive_closed")])
    assert terms() == before


def test_number_that_lost_its_zeros_finds_its_household(township, village, home):
    outcome = take(township, archive_row(home, household_no=1, village_code=539981001201))
    assert (outcome.created, odd(outcome)) == (1, [(2, "户编号", "household_padded")])
    make_household(village, "0002")
    make_household(village, "002")
    assert found(look(township, archive_row(home, household_no=2))) == [
        (2, "户编号", "household_missing")
    ]


def test_healthy_child_is_a_warning_on_import(township, village, home):
    wife = parents_of(home, TODAY)[1]
    make_birth(wife, date(1992, 1, 1), order=2)
    outcome = take(township, archive_row(home))
    assert (outcome.created, odd(outcome)) == (1, [(2, "家庭类型", "healthy_child")])
    other, mother = make_bereaved(village, "00002")
    make_birth(mother, date(1992, 1, 1), order=2)
    outcome = take(township, archive_row(other.household, kind="手术并发症"))
    assert (outcome.created, odd(outcome)) == (1, [])
    outcome = take(township, archive_row(other.household, kind="伤残"))
    assert (outcome.updated, odd(outcome)) == (1, [(2, "家庭类型", "healthy_child")])


# What changes in a known archive ------------------------------------------------------------------


def test_empty_cell_keeps_and_the_word_clears(township, home):
    take(
        township,
        archive_row(home, difficulties="养老", medical_card_no="K1", nursing_insurance="是"),
    )
    bare = {
        "village_code": home.village.code, "household_no": home.number, "kind": "死亡",
        "opened_on": "2018-1-2",
    }  # fmt: skip
    assert counts(take(township, bare)) == (0, 0, 1, [])
    outcome = take(
        township,
        bare | {"difficulties": "清空", "medical_card_no": "清空", "nursing_insurance": "清空"},
        on=JUNE,
    )
    assert outcome.updated == 1
    assert SpecialFamily.objects.get().difficulties == ""
    assert (MedicalCard.objects.get().ended_on, NursingInsurance.objects.get().ends_on) == (
        JUNE,
        JUNE,
    )
    assert [ended for *_, ended in terms()] == [None] * 3


def test_changed_card_number_is_another_card(township, home):
    take(township, archive_row(home, medical_card_no="K1", medical_card_date="2018-2-1"))
    row = archive_row(home, medical_card_no="K2", medical_card_date="2018-6-1")
    outcome = take(township, row, on=JUNE)
    assert [(c.heading, c.old, c.new) for c in outcome.changes] == [("就医卡号", "K1", "K2")]
    cards = list(MedicalCard.objects.values_list("number", "issued_on", "ended_on", "end_reason"))
    assert cards == [("K1", date(2018, 2, 1), JUNE, "换卡"), ("K2", JUNE, None, "")]
    assert counts(take(township, row)) == (0, 0, 1, [])
    outcome = take(township, archive_row(home, medical_card_no="K1"))
    assert (outcome.unchanged, odd(outcome)) == (1, [(2, "就医卡号", "card_ended")])


def test_date_of_a_card_is_corrected_and_stays_before_its_end(township, home):
    take(township, archive_row(home, medical_card_no="K1"))
    take(township, archive_row(home, medical_card_date="2018-3-1"))
    MedicalCard.objects.update(expires_on=date(2018, 12, 31))
    assert MedicalCard.objects.get().issued_on == date(2018, 3, 1)
    MedicalCard.objects.update(expires_on=date(2018, 4, 1))
    assert found(look(township, archive_row(home, medical_card_date="2018-4-2"))) == [
        (2, "发卡日期", "card_dates")
    ]
    take(township, archive_row(home, medical_card_date="清空"))
    assert MedicalCard.objects.get().issued_on is None


def test_odd_cards_come_in(township, village, home):
    other, _ = make_bereaved(village, "00002")
    third, _ = make_bereaved(village, "00003")
    take(township, archive_row(home, medical_card_no="K1"))
    outcome = take(
        township,
        archive_row(other.household, medical_card_no="K1"),
        archive_row(third.household, medical_card_date="2018-2-1"),
    )
    assert odd(outcome) == [
        (2, "就医卡号", "card_taken"), (3, "发卡日期", "card_number_missing"),
    ]  # fmt: skip
    assert outcome.created == 2


def test_member_keeps_the_own_card_when_the_family_gets_another(township, home):
    take(township, archive_row(home, medical_card_no="K1"))
    MedicalCard.objects.update(resident=parents_of(home, TODAY)[0])
    take(township, archive_row(home, medical_card_no="K2"))
    assert MedicalCard.objects.filter(ended_on=None).count() == 2


def test_insurance_ends_on_the_day_asked_and_begins_again(township, home):
    take(township, archive_row(home, nursing_insurance="是"))
    row = archive_row(home, nursing_insurance="否")
    assert take(township, row, on=JUNE).updated == 1
    assert NursingInsurance.objects.get().ends_on == JUNE
    assert counts(take(township, row)) == (0, 0, 1, [])
    july = date(2018, 7, 1)
    assert take(township, archive_row(home, nursing_insurance="√"), on=july).updated == 1
    spans = NursingInsurance.objects.order_by("pk").values_list("starts_on", "ends_on")
    assert list(spans) == [(None, JUNE), (july, None)]


def test_blank_beside_a_tick_ends_the_insurance(township, village, home):
    other, _ = make_bereaved(village, "00002")
    take(township, archive_row(home, nursing_insurance="是"))
    take(township, archive_row(home), archive_row(other.household, nursing_insurance="√"), on=JUNE)
    ends = NursingInsurance.objects.order_by("pk").values_list("ends_on", flat=True)
    assert list(ends) == [JUNE, None]


def test_nothing_personal_stands_in_the_trail(township, home):
    take(township, archive_row(home, difficulties="养老", medical_card_no="YK0001"))
    take(
        township,
        archive_row(home, kind="伤残", difficulties="重病", contact1=NEW, medical_card_no="YK2"),
    )
    told = " ".join(str(e.changes) for e in AuditEvent.objects.all())
    for word in ("史健国", "夏桂", "1300000", "伤残", "养老", "重病", "YK"):
        assert word not in told
    event = AuditEvent.objects.get(type="special.imported")
    assert event.changes == {"fields": ["contacts", "difficulties", "kind", "medical_cards"]}


def test_files_as_offices_have_them(township, home):
    """Title rows, other headings in another order, Excel dates, full-width marks, a last 合计 row."""
    headings = [
        "方便就医卡号", "联系人 1", "户　号", "建档日期*", "村（居）代码", "家庭\n类型", "发卡日期", "备注",
        "联系人２", "住院护理保险",
    ]  # fmt: skip
    row = [
        9001.0, "史健国；街道分管领导；１３０００００１００１；街道领导", "０0001", date(2018, 1, 2),
        539981001201, "死亡 ", "2018年2月10日", "老户", "周美丽；村委会主任；13000001002；村居干部；", "√",
    ]  # fmt: skip
    content = make_workbook(
        headings, [row, [], ["合计", "", 1]], title="台账", above=[["2018年特殊家庭"], []]
    )
    outcome = run_import(KIND, content, township)
    assert counts(outcome) == (1, 0, 0, [])
    assert odd(outcome) == [(3, "备注", "unknown_column")]
    assert MedicalCard.objects.get().number == "9001"
    assert [n for n, *_ in terms()] == ["史健国", "周美丽"]
    assert ContactPerson.objects.get(name="史健国").phone == "13000001001"
    again = run_import(KIND, workbook_of(KIND, [archive_row(home)]), township)
    assert (again.updated, again.changes[0].heading) == (1, "联系人3")


def test_hostile_text_is_kept_as_text(township, home):
    formula = "=cmd|' /C calc'!A0"
    row = archive_row(home, difficulties=formula, contact1=f"<b>史</b>;{formula};1;志愿者")
    lines = [{c.key: c.heading for c in KINDS[KIND].columns}, row]
    text = "\n".join(",".join(line.get(c.key, "") for c in KINDS[KIND].columns) for line in lines)
    assert run_import(KIND, text.encode(), township, name="名册.csv").created == 1
    assert SpecialFamily.objects.get().difficulties == formula
    assert ContactPerson.objects.get(name="<b>史</b>").post == formula


def test_office_of_a_county_keeps_its_contacts_by_township(county, home, other_township):
    far = make_region("539981100202", "又远村")
    head, _ = make_bereaved(far, "00001")
    take(county, archive_row(home), archive_row(head.household))
    regions = ContactPerson.objects.filter(name="史健国").values_list("region__code", flat=True)
    assert sorted(regions) == ["539981001", "539981100"]
