"""Undoing one import: everything as before, or nothing where something depends on it."""

from datetime import date

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from fpadmin import invariants
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.imports import runs, services
from fpadmin.imports.models import ImportBatch, ImportEffect
from fpadmin.jobs.kinds import LeaseLost
from fpadmin.jobs.models import Job
from households.models import ChildRecord, Household, LowIncomeSpell, Residency, Resident
from tests.factories.accounts import make_region, make_user
from tests.factories.households import make_birth, make_household, make_id_number, make_resident
from tests.factories.workbooks import birth, resident, workbook_of
from tests.guards.source import PACKAGES

from .conftest import Context

pytestmark = pytest.mark.django_db
State = ImportBatch.State
APART = {"audit", "imports", "jobs"}
# They rise with every write, an undo too: a form opened before must see it.
RISING = {"row_version", "updated_at"}


def snapshot() -> dict[str, list]:
    """Every row of every table of ours but the trail, the batches and the jobs."""
    tables = {}
    for config in apps.get_app_configs():
        if config.name.split(".")[0] in PACKAGES and config.label not in APART:
            for model in config.get_models(include_auto_created=True):
                names = [f.attname for f in model._meta.concrete_fields if f.name not in RISING]
                rows = model._base_manager.order_by("pk").values_list(*names)
                tables[model._meta.label] = list(rows)
    return tables


def assert_sound() -> None:
    broken = {r.key: r.findings for r in invariants.check_all(timezone.now()) if not r.ok}
    assert broken == {}


@pytest.fixture
def imported(checked, clerk):
    """imported(kind, records) → a batch that was confirmed and written."""

    def put(kind, records, by=clerk, on=date(2018, 10, 9)) -> ImportBatch:
        batch = checked(workbook_of(kind, records), f"{kind}.xlsx", kind=kind, by=by, on=on)
        services.confirm(batch=batch, good_rows=False, by=by)
        runs.commit(Context(by, batch=batch))
        batch.refresh_from_db()
        assert batch.state == State.COMMITTED, [i.message for i in batch.issues.all()]
        return batch

    return put


def undo(batch, by) -> ImportBatch:
    services.request_undo(batch=batch, by=by)
    runs.take_back(Context(by, batch=batch))
    batch.refresh_from_db()
    return batch


def numbers(count: int, sex="男") -> list[str]:
    return [make_id_number(date(1980 + n, 5, 1), sex) for n in range(count)]


def test_new_people_go_and_the_file_can_be_imported_again(imported, clerk, village):
    before = snapshot()
    husband, wife = make_id_number(date(1980, 1, 2)), make_id_number(date(1982, 1, 2), "女")
    records = [
        resident(village, name="段光超", idno=husband, marital="初婚", spouse_idno=wife, dibao="是"),
        resident(village, name="丁艳娟", idno=wife, relation="配偶", marital="初婚", spouse_idno=husband),
    ]  # fmt: skip
    batch = imported("residents", records)
    assert ImportEffect.objects.count() == 4  # a range per table, whatever the number of people
    undo(batch, clerk)
    assert (batch.state, batch.undone_by) == (State.UNDONE, clerk)
    assert snapshot() == before
    assert ImportEffect.objects.count() == 0
    assert_sound()
    again = imported("residents", records)
    assert (again.pk != batch.pk, again.created) == (True, 2)


def test_everything_that_an_import_can_do_is_taken_back(imported, clerk, village, other_village):
    """Values, numbers, links that follow, spells, groups, 低保 opened, ended and removed, heads."""
    groups = [make_region(f"539981001201{n}", f"{n}组") for n in ("01", "02")]
    moved, head, heir, wife, single = (
        make_id_number(date(1970 + n, 5, 1), sex) for n, sex in enumerate("男男男女男")
    )
    base = [
        resident(village, "00001", name="老户主", idno=head, group="01组", dibao="是", phone="13800001111"),
        resident(village, "00001", name="小户主", idno=heir, relation="子", group="01组"),
        resident(village, "00002", name="迁走", idno=moved, bank_account="6299990000000001"),
        resident(village, "00003", name="丈夫", idno=single, marital="初婚", spouse_idno=wife),
    ]  # fmt: skip
    for record in base:
        record["group"] = record.get("group", "").replace("01组", "1组")
    groups[0].name, groups[1].name = "1组", "2组"
    for one in groups:
        one.save(update_fields=["name"])
    imported("residents", base)
    newborn = make_resident(
        Household.objects.get(number="00001"), "未上号", birth_date=date(2015, 1, 2), relation="子",
        id_number="",
    )  # fmt: skip
    waiting = make_resident(make_household(village, "00009"), "等号", marital="初婚")
    child_number = make_id_number(date(2015, 1, 2))
    waiting.father_id_number_digest = ""
    waiting.save()
    today_spell = LowIncomeSpell.objects.create(
        household=Household.objects.get(number="00002"), started_on=date(2018, 10, 9)
    )
    before = snapshot()
    assert_sound()
    batch = imported(
        "residents",
        [
            base[0] | {"relation": "父", "phone": "13900002222", "dibao": "否", "group": "2组"},
            base[1] | {"relation": "户主", "dibao": "否", "group": "2组", "name": "小户主改名"},
            base[2]
            | {
                "village_code": other_village.code, "household_no": "00077", "dibao": "是",
                "bank_account": "清空",
            },
            base[3] | {"education": "初中", "dibao": "是"},
            resident(
                village, "00003", name="妻子", idno=wife, relation="配偶", marital="初婚",
                spouse_idno=single,
            ),
            resident(
                village, "00001", name="未上号", idno=child_number, relation="子", group="2组",
                father_idno=heir,
            ),
            resident(village, "00002", name="新户主", idno=make_id_number(date(1990, 1, 1)), dibao="否"),
        ],
    )  # fmt: skip
    assert (batch.created, batch.updated) == (2, 5)
    assert not LowIncomeSpell.objects.filter(pk=today_spell.pk).exists()
    husband = Resident.objects.get(name="丈夫")
    assert husband.spouse.name == "妻子"
    newborn.refresh_from_db()
    assert newborn.id_number == child_number
    versions = dict(Resident.objects.values_list("pk", "row_version"))
    assert_sound()
    assert snapshot() != before
    undo(batch, clerk)
    assert batch.state == State.UNDONE
    after = snapshot()
    for label, rows in before.items():
        assert after[label] == rows, label
    assert_sound()
    assert Resident.objects.get(pk=newborn.pk).row_version > versions[newborn.pk]


def test_swapped_heads_of_two_households_return(imported, clerk, village):
    first, second, third = numbers(3)
    base = [
        resident(village, "00001", name="甲", idno=first),
        resident(village, "00002", name="乙", idno=second),
        resident(village, "00002", name="丙", idno=third, relation="子"),
    ]
    imported("residents", base)
    before = snapshot()
    batch = imported(
        "residents",
        [
            base[0] | {"household_no": "00003"},
            base[1] | {"household_no": "00001"},
            base[2] | {"relation": "户主"},
        ],
    )
    undo(batch, clerk)
    assert snapshot() == before
    assert_sound()


def test_births_and_their_changes_are_taken_back(imported, clerk, village):
    mother = make_resident(make_household(village), name="母", sex="女", marital="初婚")
    known = make_birth(mother, date(2010, 3, 4), order=1)
    child = make_id_number(date(2010, 3, 4), "女")
    before = snapshot()
    batch = imported(
        "births",
        [
            birth(mother.id_number, child_idno=child, hospital="县医院", sex=known.sex)
            | {"child_idno": child if known.sex == "女" else make_id_number(date(2010, 3, 4))},
            birth(mother.id_number, order=2, birth_date=date(2014, 3, 4)),
        ],
    )
    assert (batch.created, batch.updated) == (1, 1)
    undo(batch, clerk)
    assert snapshot() == before
    assert_sound()


def test_regions_are_taken_back_while_nothing_uses_them(imported, administrator, county):
    before = snapshot()
    rows = [
        {"code": "539981200", "name": "新镇", "level": "乡"},
        {"code": "539981200201", "name": "新村", "level": "村", "urban_rural": "乡村"},
        {"code": "539981", "name": "安宁市改名", "level": "县"},
    ]
    batch = imported("regions", rows, by=administrator)
    user = make_user("clerk", make_region("539981200"))
    with pytest.raises(RuleViolation):
        undo(batch, administrator)
    user.delete()
    undo(batch, administrator)
    assert snapshot() == before
    assert AuditEvent.objects.filter(type="region.import-undone").count() == 3


DEPENDENTS = {
    "edited": lambda person, clerk: Resident.objects.filter(pk=person.pk).update(row_version=9),
    "household edited": lambda person, clerk: Household.objects.filter(
        pk=person.household_id
    ).update(row_version=3),
    "birth": lambda person, clerk: make_birth(person, date(2015, 1, 1)),
    "spouse": lambda person, clerk: make_resident(
        make_household(person.village, "00999"), "后来的妻", sex="女", spouse=person
    ),
    "member": lambda person, clerk: make_resident(person.household, "后来的人", relation="子"),
    "later spell": lambda person, clerk: (
        Residency.objects.filter(resident=person).update(ended_on=date(2018, 1, 1)),
        Residency.objects.create(
            resident=person, household=person.household, village=person.village,
            relation="户主", residence="常住", hukou="农业", started_on=date(2018, 1, 1),
        ),
    ),
    "deleted": lambda person, clerk: (
        Residency.objects.filter(resident=person).delete(), person.delete(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("depend", DEPENDENTS.values(), ids=DEPENDENTS.keys())
def test_undo_refuses_as_a_whole_while_something_depends_on_it(imported, clerk, village, depend):
    batch = imported("residents", [resident(village), resident(village, "00002", name="李四")])
    depend(Resident.objects.get(name="张三"), clerk)
    before = snapshot()
    with pytest.raises(RuleViolation, match="又有登记或修改"):
        services.request_undo(batch=batch, by=clerk)
    # And where it comes between the request and the job.
    ImportBatch.objects.filter(pk=batch.pk).update(state=State.UNDOING)
    assert runs.take_back(Context(clerk, batch=batch)) == {"undone": False}
    batch.refresh_from_db()
    assert (batch.state, "又有登记或修改" in batch.failure) == (State.COMMITTED, True)
    assert snapshot() == before


def test_a_later_import_that_changed_a_row_is_named(imported, clerk, village, sign_in):
    record = resident(village)
    batch = imported("residents", [record])
    imported("residents", [record | {"education": "大学"}])
    page = sign_in(clerk).get(reverse("imports:batch-undo", args=[batch.pk])).content.decode()
    person = Resident.objects.get()
    assert "不能撤销" in page
    assert person.get_absolute_url() in page
    assert "后来导入“residents.xlsx”时又修改过" in page
    assert "确认撤销" not in page


def test_the_later_of_two_imports_goes_first(imported, clerk, village):
    before = snapshot()
    record = resident(village)
    first = imported("residents", [record])
    second = imported("residents", [record | {"education": "大学"}])
    undo(second, clerk)
    assert second.state == State.UNDONE
    # The undo itself raised the version of the row: the first batch's journal doesn't know it.
    undo(first, clerk)
    assert (first.state, snapshot()) == (State.UNDONE, before)


def test_a_number_that_came_with_the_import_and_was_linked_by_hand_stands_against_it(
    imported, clerk, village
):
    home = make_household(village, "00001")
    child = make_resident(
        home, "小孩", birth_date=date(2015, 1, 2), relation="子", id_number="", sex="男"
    )
    number = make_id_number(date(2015, 1, 2))
    batch = imported(
        "residents", [resident(village, name="小孩", idno=number, relation="子", hukou="农业")]
    )
    child.refresh_from_db()
    assert child.id_number == number
    mother = make_resident(home, "母", sex="女", relation="配偶")
    make_birth(mother, date(2015, 1, 2), child=child)
    line = ChildRecord.objects.get()
    line.child_id_number, line.child_id_number_digest = number, child.id_number_digest
    line.save()
    with pytest.raises(RuleViolation):
        undo(batch, clerk)


def test_links_that_changed_hands_meanwhile_stay(imported, clerk, village):
    wife = make_id_number(date(1982, 1, 2), "女")
    imported("residents", [resident(village, name="丈夫", marital="初婚", spouse_idno=wife)])
    batch = imported(
        "residents",
        [resident(village, name="妻", idno=wife, relation="配偶", marital="初婚")],
    )
    husband = Resident.objects.get(name="丈夫")
    other = make_resident(make_household(village, "00008"), "再婚妻", sex="女")
    Resident.objects.filter(pk=husband.pk).update(
        spouse=other, spouse_id_number_digest=other.id_number_digest
    )
    undo(batch, clerk)
    assert batch.state == State.UNDONE
    husband.refresh_from_db()
    assert husband.spouse == other


def test_undo_is_recorded_with_one_event_per_person(imported, clerk, village):
    record = resident(village)
    imported("residents", [record])
    batch = imported(
        "residents", [record | {"education": "大学"}, resident(village, "00002", name="李四")]
    )
    people = set(map(str, Resident.objects.values_list("pk", flat=True)))
    undo(batch, clerk)
    events = AuditEvent.objects.filter(type="resident.import-undone")
    assert {e.target_id for e in events} == people
    assert {e.region_path for e in events} == {village.path}
    run = AuditEvent.objects.get(type="import.undone")
    assert (run.target_id, run.actor_id, run.count) == (str(batch.pk), clerk.pk, 2)


def test_undo_through_a_failing_event_changes_nothing(imported, clerk, village, monkeypatch):
    batch = imported("residents", [resident(village)])
    services.request_undo(batch=batch, by=clerk)
    before = snapshot()
    real = services.log.record

    def fail(type, **rest):
        if type == "import.undone":
            raise RuntimeError
        return real(type, **rest)

    monkeypatch.setattr(runs.log, "record", fail)
    with pytest.raises(RuntimeError):
        runs.take_back(Context(clerk, batch=batch))
    batch.refresh_from_db()
    assert (batch.state, snapshot() == before) == (State.UNDOING, True)


def test_undo_that_lost_its_lease_changes_nothing_and_can_run_again(imported, clerk, village):
    batch = imported("residents", [resident(village)])
    services.request_undo(batch=batch, by=clerk)
    services.request_undo(batch=batch, by=clerk)
    assert Job.objects.filter(kind="import-undo").count() == 1

    def lost():
        raise LeaseLost

    with pytest.raises(LeaseLost):
        runs.take_back(Context(clerk, fence=lost, batch=batch))
    assert Resident.objects.count() == 1
    for _ in range(2):
        runs.take_back(Context(clerk, batch=batch))
    assert Resident.objects.count() == 0
    assert AuditEvent.objects.filter(type="import.undone").count() == 1


def test_only_a_written_batch_with_its_journal_can_be_undone(checked, imported, clerk, village):
    waiting = checked(workbook_of("residents", [resident(village)]), kind="residents")
    with pytest.raises(RuleViolation):
        services.request_undo(batch=waiting, by=clerk)
    batch = imported("residents", [resident(village, "00002")])
    batch.effects.all().delete()
    with pytest.raises(RuleViolation, match="已清除"):
        services.request_undo(batch=batch, by=clerk)


def test_the_page_says_what_goes_and_what_returns(imported, clerk, village, sign_in):
    record = resident(village)
    imported("residents", [record | {"education": "小学"}])
    batch = imported(
        "residents", [record | {"education": "大学"}, resident(village, "00002", name="李四")]
    )
    client = sign_in(clerk)
    assert "撤销本次导入" in client.get(batch.get_absolute_url()).content.decode()
    address = reverse("imports:batch-undo", args=[batch.pk])
    page = client.get(address).content.decode()
    assert "李四" in page
    assert "<del>大学</del>" in page
    assert "<ins>小学</ins>" in page
    client.post(address)
    Job.objects.get(kind="import-undo")
    page = client.get(batch.get_absolute_url()).content.decode()
    assert "正在撤销" in page
    batch.refresh_from_db()
    runs.take_back(Context(clerk, batch=batch))
    page = client.get(batch.get_absolute_url()).content.decode()
    assert "已撤销" in page
    assert client.get(address).status_code == 302


def test_what_depends_on_it_elsewhere_is_counted_but_not_shown(
    imported, clerk, village, far_village, sign_in
):
    batch = imported("residents", [resident(village)])
    make_resident(make_household(far_village), "远处的妻", spouse=Resident.objects.get())
    page = sign_in(clerk).get(reverse("imports:batch-undo", args=[batch.pk])).content.decode()
    assert "远处的妻" not in page
    assert "另有1条不在您的管辖范围" in page


def test_a_return_is_taken_back(imported, clerk, village):
    person = make_resident(make_household(village, "00001"), "离开")
    Residency.objects.update(ended_on=date(2018, 3, 1))
    Resident.objects.update(departed_on=date(2018, 3, 1), name_initials="lk")
    before = snapshot()
    batch = imported("residents", [resident(village, "00001", name="离开", idno=person.id_number)])
    person.refresh_from_db()
    assert person.departed_on is None
    undo(batch, clerk)
    assert snapshot() == before
    assert_sound()
