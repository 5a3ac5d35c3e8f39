"""The residents' and births' workbooks: every rule of the contract, by record."""

from datetime import date, datetime

import pytest
from django.db import transaction
from django.db.models import F

from fpadmin.audit.log import SystemJob
from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.imports.journal import Journal
from fpadmin.imports.kinds import KINDS, Ground, Unreadable
from fpadmin.imports.reader import read_table
from households.models import ChildRecord, Household, LowIncomeSpell, Residency, Resident
from tests.factories.accounts import make_region
from tests.factories.households import make_household, make_id_number, make_resident
from tests.factories.workbooks import (
    TODAY,
    birth,
    check_import,
    resident,
    run_import,
    workbook_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def group(village):
    return make_region("53998100120102", "2组")


def import_residents(township, *records, **options):
    return run_import("residents", workbook_of("residents", list(records)), township, **options)


def found(outcome) -> list[tuple]:
    return [(i.row, i.column, i.code) for i in outcome.errors]


def test_new_people_get_households_spells_and_links(township, village, group):
    wife, husband, child = (
        make_id_number(date(1982, 1, 2), "女"),
        make_id_number(date(1980, 1, 2)),
        make_id_number(date(2008, 3, 4)),
    )
    outcome = import_residents(
        township,
        resident(
            village, name="段光超", idno=husband, marital="初婚", spouse_idno=wife, group="2组"
        ),
        resident(
            village, name="丁艳娟", idno=wife, relation="配偶", marital="初婚", spouse_idno=husband
        ),
        resident(
            village, name="段一", idno=child, relation="子", father_idno=husband, mother_idno=wife
        ),
    )
    assert (outcome.created, outcome.updated, outcome.errors) == (3, 0, [])
    people = {r.name: r for r in Resident.objects.all()}
    assert people["段光超"].spouse == people["丁艳娟"]
    assert people["丁艳娟"].spouse == people["段光超"]
    assert people["段一"].mother == people["丁艳娟"]
    assert people["段一"].father == people["段光超"]
    assert people["段光超"].id_number == husband
    assert people["段光超"].name_initials == "dgc"
    assert (people["丁艳娟"].sex, people["丁艳娟"].birth_date) == ("女", date(1982, 1, 2))
    assert Household.objects.get().group == group
    assert Residency.objects.filter(started_on=None, ended_on=None).count() == 3


def test_same_file_again_changes_nothing(township, village):
    content = workbook_of(
        "residents",
        [
            resident(village, phone="13800001111", bank_account="6299990000000001", dibao="是"),
            resident(village, "00002", name="李四", idno="", birth_date="2015-1-2", sex="女"),
        ],
    )
    assert run_import("residents", content, township).created == 2
    again = run_import("residents", content, township)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2)
    assert LowIncomeSpell.objects.count() == 1


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"idno": "539981198005010010"}, "公民身份号码", "idno_check"),
        ({"idno": 539981198005010010}, "公民身份号码", "digits_lost"),
        ({"idno": "5.39981E+17"}, "公民身份号码", "digits_lost"),
        ({"idno": ""}, "公民身份号码", "required"),
        ({"idno": "", "birth_date": "2000-1-1", "sex": "男"}, "公民身份号码", "required"),
        ({"sex": "女"}, "性别", "sex_conflict"),
        ({"birth_date": "1981-5-1"}, "出生日期", "birth_date_conflict"),
        ({"birth_date": "1985-2-30"}, "出生日期", "date"),
        ({"death_date": "2018-10-10"}, "死亡日期", "date_future"),
        ({"death_date": "1970-1-1"}, "死亡日期", "death_before_birth"),
        ({"village_code": "539981001299"}, "村居代码", "unknown_village"),
        ({"village_code": "539981100201"}, "村居代码", "outside_office"),
        ({"village_code": ""}, "村居代码", "required"),
        ({"group": "99组"}, "小组", "unknown_group"),
        ({"relation": "朋友"}, "与户主关系", "choice"),
        ({"relation": ""}, "与户主关系", "required"),
        ({"hukou": "城市"}, "户口性质", "choice"),
        ({"name": " "}, "姓名", "required"),
        ({"name": "清空"}, "姓名", "required"),
        ({"residence": "流入"}, "户籍地代码", "required"),
        ({"residence": "流入", "hukou_region_code": "5115"}, "户籍地代码", "region_code"),
        ({"hukou_region_code": "995115"}, "户籍地代码", "region_code"),
        ({"bank_account": 6299992590153999935}, "银行账号", "digits_lost"),
        ({"spouse_idno": "123"}, "配偶公民身份号码", "idno_length"),
        ({"dibao": "也许"}, "低保", "bool"),
        ({"phone": "1" * 31}, "联系电话", "too_long"),
    ],
)
def test_impossible_record_is_refused_where_excel_shows_it(
    township, village, far_village, cells, column, code
):
    record = resident(village, "00002", idno="53998119800501001X") | cells
    outcome = import_residents(township, resident(village), record)
    assert found(outcome) == [(3, column, code)]
    assert not outcome.written
    assert Resident.objects.count() == 0


def test_many_unknown_villages_cost_one_look(township, village, django_assert_max_num_queries):
    rows = [
        resident(village, idno=make_id_number(date(1980, 5, 1)))
        | {"village_code": f"5399810019{n:02}"}
        for n in range(30)
    ]
    with django_assert_max_num_queries(10):
        outcome = check_import("residents", workbook_of("residents", rows), township)
    assert {i.code for i in outcome.errors} == {"unknown_village"}


def test_own_number_as_spouse_is_refused(township, village):
    record = resident(village)
    record["spouse_idno"] = record["idno"]
    assert found(import_residents(township, record)) == [(2, "配偶公民身份号码", "own_number")]


def test_good_rows_come_in_and_the_bad_stay_out(township, village):
    outcome = import_residents(
        township, resident(village), resident(village, "00002", relation="朋友"), good_rows=True
    )
    assert outcome.written
    assert (outcome.created, outcome.refused) == (1, 1)
    assert Household.objects.count() == 1


def test_both_rows_of_a_duplicate_are_refused(township, village):
    record = resident(village)
    other = resident(village, "00002", idno=record["idno"])
    outcome = import_residents(township, record, other, resident(village, "00003"))
    assert found(outcome) == [
        (2, "公民身份号码", "duplicate_in_file"),
        (3, "公民身份号码", "duplicate_in_file"),
    ]


def test_row_with_a_fault_of_its_own_makes_no_error_elsewhere(township, village):
    record = resident(village)
    faulty = resident(village, "00002", idno=record["idno"], relation="朋友")
    assert found(import_residents(township, record, faulty)) == [(3, "与户主关系", "choice")]


def test_second_living_head_is_refused_at_the_later_row(township, village):
    outcome = import_residents(township, resident(village), resident(village, name="李四"))
    assert found(outcome) == [(3, "与户主关系", "two_heads")]


def test_dead_head_leaves_room_for_the_next(township, village):
    outcome = import_residents(
        township, resident(village, death_date="2017-1-1"), resident(village, name="李四")
    )
    assert outcome.errors == []


def test_registered_head_who_is_not_in_the_file_counts(township, village):
    make_resident(make_household(village, "00001"))
    assert found(import_residents(township, resident(village, name="李四"))) == [
        (2, "与户主关系", "two_heads")
    ]


def test_change_of_head_within_the_file(township, village):
    first = resident(village, name="父")
    second = resident(village, name="子", relation="子")
    import_residents(township, first, second)
    outcome = import_residents(township, first | {"relation": "父"}, second | {"relation": "户主"})
    assert (outcome.updated, outcome.errors) == (2, [])
    assert Resident.objects.get(name="子").relation == "户主"


def test_empty_keeps_and_the_word_clears(township, village):
    record = resident(village, phone="13800001111", education="小学", note="老户")
    import_residents(township, record)
    outcome = import_residents(township, record | {"phone": "", "education": "清空", "note": ""})
    assert outcome.updated == 1
    person = Resident.objects.get()
    assert (person.phone, person.education, person.note) == ("13800001111", "", "老户")


def test_changed_hukou_closes_the_spell_on_the_day_asked(township, village):
    record = resident(village)
    import_residents(township, record)
    import_residents(township, record | {"hukou": "非农业"}, on=date(2018, 9, 1))
    spells = Residency.objects.order_by("pk").values_list("hukou", "started_on", "ended_on")
    assert list(spells) == [
        ("农业", None, date(2018, 9, 1)),
        ("非农业", date(2018, 9, 1), None),
    ]
    assert Resident.objects.get().hukou == "非农业"
    early = import_residents(township, record | {"hukou": "农业"}, on=date(2018, 8, 1))
    assert [i.code for i in early.errors] == ["before_current_spell"]


def test_other_changes_are_corrections(township, village):
    record = resident(village)
    import_residents(township, record)
    outcome = import_residents(township, record | {"name": "张三丰", "relation": "其他"})
    assert outcome.updated == 1
    assert {(c.heading, c.old, c.new) for c in outcome.changes} == {
        ("姓名", "张三", "张三丰"),
        ("与户主关系", "户主", "其他"),
    }
    spell = Residency.objects.get()
    assert (spell.relation, spell.started_on) == ("其他", None)
    event = AuditEvent.objects.get(type="resident.imported")
    assert event.changes == {"name": ["已变更"], "relation": ["户主", "其他"]}


def test_move_to_another_household(township, village, other_village):
    record = resident(village)
    import_residents(township, record)
    import_residents(township, record | {"village_code": other_village.code}, on=date(2018, 9, 1))
    person = Resident.objects.get()
    assert person.village == other_village
    assert person.residencies.count() == 2


def test_changes_end_the_forms_that_are_open(township, village, group):
    household = make_household(village, "00001")
    head = make_resident(household, "张三")
    row = resident(village, name="张三", idno=head.id_number, phone="13800001111", dibao="是")
    import_residents(township, row | {"group": "2组"})
    head.refresh_from_db()
    household.refresh_from_db()
    assert (head.row_version, household.row_version > 0) == (1, True)
    event = AuditEvent.objects.get(type="resident.imported")
    assert set(event.changes) == {"phone", "group", "low_income"}


@pytest.mark.parametrize("kind", ["residents", "births"])
def test_record_saved_between_comparison_and_writing_is_not_overwritten(
    township, village, mother, kind
):
    record = resident(village, name="母亲", idno=mother.id_number, relation="户主", marital="离婚")
    model, rows = Resident, [record]
    if kind == "births":
        import_births(township, birth(mother.id_number))
        model, rows = ChildRecord, [birth(mother.id_number, hospital="县医院")]
    ground = Ground(township, TODAY, TODAY, SystemJob("test"))
    table = read_table(KINDS[kind], workbook_of(kind, rows), "名册.xlsx", TODAY)
    plan = KINDS[kind].plan(table, ground)
    assert plan.updated == 1
    model.objects.update(row_version=F("row_version") + 1)
    with pytest.raises(Unreadable, match="被别人改动"), transaction.atomic():
        KINDS[kind].write(plan, Journal())


def test_changed_phone_shows_masked(township, village):
    record = resident(village, phone="13012341187")
    import_residents(township, record)
    content = workbook_of("residents", [record | {"phone": "13012346620"}])
    change = check_import("residents", content, township).changes[0]
    assert (change.old, change.new) == ("130****1187", "130****6620")


def test_newborn_without_number_gets_it_later(township, village):
    born = {"idno": "", "birth_date": "2018-5-29", "sex": "女", "relation": "女", "name": "段敏丽"}
    import_residents(township, resident(village), resident(village) | born)
    number = make_id_number(date(2018, 5, 29), "女")
    head = Resident.objects.get(relation="户主")
    outcome = import_residents(
        township,
        resident(village, idno=head.id_number),
        resident(village) | born | {"idno": number},
    )
    assert (outcome.created, outcome.updated) == (0, 1)
    assert Resident.objects.get(name="段敏丽").id_number_digest == digest(number)


def test_twins_are_two_people(township, village):
    twin = {"idno": "", "birth_date": "2018-5-29", "sex": "女", "relation": "女"}
    outcome = import_residents(
        township,
        resident(village),
        resident(village) | twin | {"name": "大双"},
        resident(village) | twin | {"name": "小双"},
    )
    assert (outcome.created, outcome.errors) == (3, [])


def test_person_of_another_office_is_not_taken_over(township, village, far_village):
    theirs = make_resident(make_household(far_village))
    outcome = import_residents(township, resident(village, idno=theirs.id_number))
    assert [i.code for i in outcome.errors] == ["registered_elsewhere"]
    theirs.refresh_from_db()
    assert theirs.village == far_village


def test_fifteen_digit_number_is_the_same_person(township, village):
    import_residents(township, resident(village, idno="539981800501001"))
    outcome = import_residents(township, resident(village, idno="53998119800501001X"))
    assert outcome.unchanged == 1


def test_low_income_that_began_later_is_taken_back_by_an_earlier_no(township, village):
    household = make_household(village, "00001")
    head = make_resident(household, "张三")
    LowIncomeSpell.objects.create(household=household, started_on=date(2018, 9, 20))
    row = resident(village, name="张三", idno=head.id_number, dibao="否")
    import_residents(township, row, on=date(2018, 9, 1))
    assert not LowIncomeSpell.objects.exists()


def test_ticks_make_blank_a_no_only_where_ticks_stand(township, village):
    first, second = resident(village), resident(village, "00002")
    import_residents(township, first | {"dibao": "是"}, second | {"dibao": "是"})
    import_residents(township, first | {"dibao": ""}, second)
    assert LowIncomeSpell.objects.filter(ended_on=None).count() == 2
    import_residents(township, first | {"dibao": ""}, second | {"dibao": "√"})
    assert LowIncomeSpell.objects.filter(ended_on=None).count() == 1


def test_odd_is_a_warning_and_comes_in(township, village):
    outcome = import_residents(
        township,
        resident(
            village,
            marital="初婚",
            first_marriage_date="1995-1-1",
            spouse_idno=make_id_number(date(1975, 1, 1), "女"),
        ),
    )
    assert outcome.created == 1
    assert {w.code for w in outcome.warnings} == {"marriage_under_age", "spouse_not_registered"}


def test_spouse_registered_later_is_linked(township, village):
    wife, husband = make_id_number(date(1982, 1, 2), "女"), make_id_number(date(1980, 1, 2))
    import_residents(township, resident(village, idno=husband, marital="初婚", spouse_idno=wife))
    import_residents(
        township, resident(village, name="妻", idno=wife, relation="配偶", marital="初婚")
    )
    assert Resident.objects.get(relation="户主").spouse.name == "妻"


def test_mixed_dates_and_full_width_digits(township, village):
    cells = [datetime(2012, 3, 4), "2012-3-4", "2012/3/4", "2012.3.4", "2012年3月4日", "20120304"]
    records = [
        resident(village, f"{i:05d}", only_child_cert_date=cell, only_child_cert_no="ＤＳ８７")
        for i, cell in enumerate(cells)
    ]
    records[0]["idno"] = "５３９９８１１９８００５０１００１Ｘ"
    outcome = import_residents(township, *records)
    assert outcome.errors == []
    people = Resident.objects.all()
    assert {p.only_child_cert_date for p in people} == {date(2012, 3, 4)}
    assert {p.only_child_cert_no for p in people} == {"DS87"}
    assert Resident.objects.with_id_number("53998119800501001X").exists()


# Births ------------------------------------------------------------------------------------------


@pytest.fixture
def mother(village):
    household = make_household(village, "00001")
    return make_resident(household, "母亲", sex="女", birth_date=date(1985, 1, 1), marital="初婚")


def import_births(township, *records, **options):
    return run_import("births", workbook_of("births", list(records)), township, **options)


def test_birth_history_comes_in_and_links(township, village, mother):
    child_number = make_id_number(date(2010, 3, 4), "女")
    child = make_resident(
        mother.household, "女儿", id_number=child_number, birth_date=date(2010, 3, 4), sex="女",
        relation="女",
    )  # fmt: skip
    record = birth(mother.id_number, child_idno=child_number, child_name="女儿")
    assert import_births(township, record).created == 1
    line = ChildRecord.objects.get()
    assert (line.mother, line.child, line.origin) == (mother, child, "亲生")
    assert import_births(township, record).unchanged == 1


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        ({"birth_date": date(1996, 1, 1)}, "出生日期", "mother_age"),
        ({"birth_date": ""}, "出生日期", "required"),
        ({"birth_date": "2018-12-1"}, "出生日期", "date_future"),
        ({"order": 16}, "孩次", "int_range"),
        ({"order": "一"}, "孩次", "int"),
        ({"sex": "未知"}, "性别", "choice"),
        ({"within_policy": ""}, "符合政策", "required"),
        ({"survival": "死亡"}, "子女死亡日期", "required"),
        ({"survival": "死亡", "death_date": "2009-1-1"}, "子女死亡日期", "death_before_birth"),
        ({"death_date": "2015-1-1"}, "子女死亡日期", "survival_conflict"),
        ({"mother_idno": ""}, "母亲公民身份号码", "required"),
        ({"child_idno": make_id_number(date(2011, 1, 1), "女")}, "出生日期", "birth_date_conflict"),
        ({"father_idno": make_id_number(date(1980, 1, 1), "女")}, "父亲公民身份号码", "parent_sex"),
        ({"father_idno": make_id_number(date(2000, 1, 1))}, "出生日期", "father_age"),
    ],
)
def test_impossible_birth_is_refused(township, mother, cells, column, code):
    outcome = import_births(township, birth(mother.id_number) | cells)
    assert found(outcome) == [(2, column, code)]


def test_birth_before_its_residents_says_what_to_do(township, village):
    outcome = import_births(township, birth(make_id_number(date(1985, 1, 1), "女")))
    assert found(outcome) == [(2, "母亲公民身份号码", "resident_missing")]
    assert "请先导入居民登记表" in outcome.errors[0].message


def test_birth_of_another_office_is_refused(township, far_village):
    theirs = make_resident(make_household(far_village), sex="女", birth_date=date(1985, 1, 1))
    assert [i.code for i in import_births(township, birth(theirs.id_number)).errors] == [
        "outside_office"
    ]


def test_adopted_child_may_be_older_than_the_rules_for_own(township, mother):
    outcome = import_births(
        township, birth(mother.id_number, origin="收养", birth_date=date(1996, 1, 1))
    )
    assert outcome.errors == []


def test_single_father_has_a_history_of_his_own(township, village):
    father = make_resident(make_household(village), birth_date=date(1980, 1, 1))
    record = birth("", father_idno=father.id_number)
    assert import_births(township, record).created == 1
    assert import_births(township, record).unchanged == 1
    assert ChildRecord.objects.get().father == father


def test_twins_share_a_day_and_order_follows_birth(township, mother):
    first = birth(mother.id_number)
    outcome = import_births(township, first, first | {"order": 2})
    assert outcome.created == 2
    outcome = import_births(township, birth(mother.id_number, order=3, birth_date=date(2009, 1, 1)))
    assert found(outcome) == [(2, "孩次", "order_out_of_step")]


def test_same_order_twice_is_refused_in_both_rows(township, mother):
    outcome = import_births(
        township, birth(mother.id_number), birth(mother.id_number, birth_date=date(2012, 1, 1))
    )
    assert found(outcome) == [(2, "孩次", "duplicate_in_file"), (3, "孩次", "duplicate_in_file")]


def test_survival_is_corrected_both_ways(township, mother):
    record = birth(mother.id_number, survival="死亡", death_date="2015-1-1")
    import_births(township, record)
    outcome = import_births(township, birth(mother.id_number))
    assert outcome.updated == 1
    line = ChildRecord.objects.get()
    assert (line.survival, line.death_date, line.row_version) == ("存活", None, 1)
    import_births(township, record)
    line.refresh_from_db()
    assert line.death_date == date(2015, 1, 1)


def test_odd_births_are_warnings(township, village):
    single = make_resident(
        make_household(village), sex="女", birth_date=date(1985, 1, 1), marital="未婚"
    )
    outcome = import_births(township, birth(single.id_number))
    assert outcome.created == 1
    assert [w.code for w in outcome.warnings] == ["mother_unmarried"]


def test_kept_hukou_code_suffices_for_somebody_known(township, village):
    record = resident(village, residence="流入", hukou_region_code="511500")
    import_residents(township, record)
    assert import_residents(township, record | {"hukou_region_code": ""}).unchanged == 1


def test_child_who_died_young_needs_no_number(township, village):
    child = {"idno": "", "birth_date": "2000-1-1", "sex": "男", "relation": "子"}
    record = resident(village, "00002") | child | {"death_date": "2003-5-1"}
    assert import_residents(township, record).errors == []


def test_newborn_who_moved_without_a_number_is_pointed_out(township, village):
    born = {"idno": "", "birth_date": "2018-5-29", "sex": "女", "relation": "女", "name": "段敏丽"}
    import_residents(township, resident(village) | born)
    outcome = import_residents(township, resident(village, "00009") | born)
    assert "possible_duplicate" in {w.code for w in outcome.warnings}


def test_birth_recorded_under_the_father_alone_is_not_doubled(township, village, mother):
    father = make_resident(make_household(village), birth_date=date(1980, 1, 1))
    import_births(township, birth("", father_idno=father.id_number))
    record = birth(mother.id_number, father_idno=father.id_number)
    assert import_births(township, record).updated == 1
    line = ChildRecord.objects.get()
    assert (line.mother, line.father) == (mother, father)
    assert import_births(township, record).unchanged == 1


def test_apostrophe_before_a_number_and_full_width_dates(township, village):
    number = make_id_number(date(1980, 5, 1))
    outcome = import_residents(
        township, resident(village, idno=f"'{number}", birth_date="１９８０－５－１")
    )
    assert outcome.errors == []
