"""check_invariants finds each kind of damage and nothing else."""

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from fpadmin import invariants
from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.imports.models import ImportBatch
from fpadmin.jobs.models import Job
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.services import make_return
from households.invariants import wrong_digests
from households.models import Household, LifeEvent, Merge, Residency, Resident
from households.services import merge_residents
from tests.factories.accounts import make_region
from tests.factories.households import (
    make_birth,
    make_household,
    make_id_number,
    make_resident,
    make_spell,
)

NOW = datetime(2018, 10, 9, 4, 0, tzinfo=UTC)


@pytest.fixture
def registry(village, other_village):
    """A couple with a child, an empty second household, and a job and an import that went well."""
    home = make_household(village)
    wife = make_resident(home, "妻", sex="女", marital="初婚", relation="配偶", phone="13000000001")
    husband = make_resident(
        home, "夫", marital="初婚", spouse=wife, spouse_id_number=wife.id_number,
        spouse_id_number_digest=wife.id_number_digest,
    )  # fmt: skip
    Resident.objects.filter(pk=wife.pk).update(phone_digest=digest("13000000001"))
    make_birth(wife, date(2010, 5, 1), father=husband)
    ImportBatch.objects.create(
        kind="residents", office=village, file_name="a.xlsx", sha256="0" * 64, size=1,
        changed_on=date(2018, 10, 9), state="committed", rows=3, created=2, unchanged=1,
        committed_at=NOW,
    )  # fmt: skip
    Job.objects.create(
        kind="x", key="x", title="x", region_path=village.path, state="running",
        lease_until=NOW + timedelta(seconds=60),
    )  # fmt: skip
    log.record("invariants.checked", by=log.SystemJob("测试"))
    return wife, husband, make_household(other_village)


def broken() -> dict[str, list[str]]:
    return {r.key: r.findings for r in invariants.check_all(NOW) if not r.ok}


def tamper(statement: str, *values) -> None:
    """Past the model: what a service must never do."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_every_app_brings_its_invariants():
    known = {
        "INV6",
        "INV9",
        "INV10",
        "INV11",
        "REG1",
        "REG2",
        "REG3",
        "REG4",
        "REG5",
        "REG6",
        "REG7",
        "REG8",
        "REG9",
        "REG10",
        "REG11",
        "REG12",
        "SPF1",
        "SPF2",
        "SPF3",
        "SPF4",
        "SPF5",
    }
    assert invariants.INVARIANTS.keys() >= known


def test_whole_registry_breaks_nothing(registry):
    assert broken() == {}


def test_state_that_left_its_spell_is_found(registry):
    wife, _, _ = registry
    Resident.objects.filter(pk=wife.pk).update(residence="流出")
    assert broken() == {"REG1": [f"居民{wife.pk}的现状与在册经历不一致"]}


def test_person_without_open_spell_is_found(registry):
    wife, _, _ = registry
    Residency.objects.filter(resident=wife).update(ended_on=date(2018, 1, 1))
    assert broken().keys() == {"REG1"}


def test_village_that_isnt_the_households_is_found(registry):
    wife, _, other_home = registry
    Resident.objects.filter(pk=wife.pk).update(village=other_home.village)
    found = broken()
    assert found["REG4"] == [f"居民{wife.pk}所在的村与家庭的村不同"]


def test_group_of_another_village_is_found(registry):
    _, husband, other_home = registry
    group = make_region(f"{other_home.village.code}01", "1组")
    Household.objects.filter(pk=husband.household_id).update(group=group)
    assert broken() == {"REG4": [f"家庭{husband.household_id}的小组不属于本村"]}


def test_spouse_with_another_number_is_found(registry):
    _, husband, _ = registry
    Resident.objects.filter(pk=husband.pk).update(spouse_id_number_digest=digest("别的号码"))
    found = broken()
    assert found["REG5"] == [f"居民{husband.pk}的配偶关联与号码不符"]
    assert found["REG6"] == [f"居民{husband.pk}的配偶公民身份号码与摘要不符"]


def test_cipher_that_was_changed_is_found(registry):
    wife, _, _ = registry
    tamper(
        "UPDATE households_resident SET phone = replace(phone, '1:', '9:') WHERE id = %s", wife.pk
    )
    assert broken() == {"REG6": [f"居民{wife.pk}的联系电话不能解密"]}


def test_many_ciphers_that_do_not_open_cost_no_query_each(
    registry, assert_query_count_does_not_grow
):
    """A lost key spoils every row: the check still ends."""
    wife, husband, _ = registry
    spoil = (
        "UPDATE households_resident SET id_number = replace(id_number, '1:', '9:') WHERE id = %s"
    )
    tamper(spoil, wife.pk)
    assert_query_count_does_not_grow(
        lambda: list(wrong_digests(NOW)), lambda: tamper(spoil, husband.pk)
    )
    assert {f.region_path for f in wrong_digests(NOW)} == {wife.village.path}


def test_job_past_its_lease_is_found(registry):
    Job.objects.update(lease_until=NOW - timedelta(minutes=4))
    assert [f.endswith("没有重新排队") for f in broken()["INV10"]] == [True]


def test_job_a_moment_past_its_lease_is_left_to_the_sweeper(registry):
    Job.objects.update(lease_until=NOW - timedelta(minutes=2))
    assert broken() == {}


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param({"created": 1}, id="rows-missing"),
        pytest.param({"committed_at": None}, id="no-instant"),
        pytest.param({"created": 1, "refused": 1}, id="refused-without-consent"),
        pytest.param({"state": "checked"}, id="written-but-not-committed"),
    ],
)
def test_half_written_import_is_found(registry, damage):
    ImportBatch.objects.update(**damage)
    assert broken().keys() == {"INV11"}


def test_return_that_was_changed_is_found(registry, village):
    version = make_return(
        code="population-monthly", region=village, period="2018-09", by=log.SystemJob("测试"),
        today=date(2018, 10, 9),
    )[0]  # fmt: skip
    assert broken() == {}
    ReturnVersion.objects.update(content=version.content | {"title": "改过的"})
    assert broken() == {"INV9": [f"报表版本{version.pk}的内容与摘要不符"]}


def test_return_whose_first_version_is_gone_is_found(registry, village):
    version = make_return(
        code="population-monthly", region=village, period="2018-09", by=log.SystemJob("测试"),
        today=date(2018, 10, 9),
    )[0]  # fmt: skip
    ReturnVersion.objects.update(version=2)
    assert broken() == {"INV9": [f"报表版本{version.pk}之前少了一版"]}


def test_audit_chain_without_its_head_is_found(registry):
    tamper("UPDATE audit_chainhead SET last_hash = %s", "0" * 64)
    last = AuditEvent.objects.order_by("pk").last()
    assert broken() == {"INV6": [f"审计记录{last.pk + 1}起，链条不符"]}


def test_long_list_of_findings_is_cut_but_counted(registry, village):
    home = make_household(village)
    for _ in range(invariants.MOST_FINDINGS + 2):
        make_resident(home, relation="其他")
    Resident.objects.filter(household=home).update(hukou="非农业")
    (result,) = [r for r in invariants.check_all(NOW) if not r.ok]
    assert (result.count, len(result.findings)) == (22, invariants.MOST_FINDINGS)


def make_event(resident, **extra) -> LifeEvent:
    return LifeEvent.objects.create(
        resident=resident, household=resident.household, village=resident.village,
        happened_on=NOW.date(), reported_on=NOW.date(), **{"kind": "move_in"} | extra,
    )  # fmt: skip


def test_departed_person_with_an_open_spell_is_found(registry):
    wife, _, _ = registry
    Resident.objects.filter(pk=wife.pk).update(departed_on=date(2018, 1, 1))
    assert broken()["REG8"] == [f"居民{wife.pk}已离册，在册经历却没有结束"]


@pytest.mark.parametrize("link", ["opened_by", "closed_by"])
def test_spell_of_an_event_that_was_taken_back_is_found(registry, link):
    wife, _, _ = registry
    event = make_event(wife)
    Residency.objects.filter(resident=wife).update(**{link: event})
    assert broken() == {}
    make_event(wife, kind="undo", undoes=event)
    assert broken() == {"REG9": [f"居民{wife.pk}的在册经历还带着已撤销的变动"]}


def test_taking_back_that_was_taken_back_is_found(registry):
    wife, _, _ = registry
    undo = make_event(wife, kind="undo", undoes=make_event(wife))
    assert broken() == {}
    again = make_event(wife, kind="undo", undoes=undo)
    assert broken() == {"REG10": [f"变动{again.pk}撤销的是一次撤销"]}


@pytest.fixture
def merged(registry, clerk):
    """A record of the wife's that was merged into hers."""
    wife, _, home = registry
    double = make_resident(home, "妻", sex="女", id_number="", relation="其他")
    merge_residents(by=clerk, kept=wife, merged=double, today=NOW.date(), now=NOW)
    double.refresh_from_db()
    return double


def test_merge_breaks_nothing(merged):
    assert broken() == {}


def test_merged_record_that_still_counts_is_found(merged):
    make_spell(merged)
    found = broken()
    assert found["REG11"] == [f"居民{merged.pk}已并入别的记录，却还有在册经历"]


def test_merged_record_with_a_number_is_found(merged):
    number = make_id_number(merged.birth_date)
    Resident.objects.filter(pk=merged.pk).update(id_number=number, id_number_digest=digest(number))
    assert broken() == {"REG11": [f"居民{merged.pk}已并入别的记录，却还有公民身份号码"]}


def test_merged_record_without_its_merge_is_found(merged):
    Merge.objects.all().delete()
    assert broken() == {"REG11": [f"居民{merged.pk}并入了别的记录，却没有合并记录"]}


@pytest.mark.parametrize(
    ("link", "word"), [("spouse", "配偶"), ("father", "父亲"), ("mother", "母亲")]
)
def test_relative_that_was_merged_away_is_found(registry, merged, link, word):
    _, husband, _ = registry
    Resident.objects.filter(pk=husband.pk).update(
        **{link: merged, f"{link}_id_number": "", f"{link}_id_number_digest": ""}
    )
    assert broken() == {"REG11": [f"居民{husband.pk}的{word}关联指向已并入的记录"]}


@pytest.mark.parametrize(
    ("link", "word"), [("mother", "母亲"), ("father", "父亲"), ("child", "子女")]
)
def test_birth_line_of_a_record_merged_away_is_found(registry, merged, link, word):
    line = registry[0].births.get()
    line.__class__.objects.filter(pk=line.pk).update(
        **{link: merged, f"{link}_id_number": "", f"{link}_id_number_digest": ""}
    )
    assert broken() == {"REG11": [f"生育史{line.pk}的{word}关联指向已并入的记录"]}


def test_household_without_a_head_is_told_and_breaks_nothing(registry):
    _, husband, _ = registry
    for model, key in ((Resident, "pk"), (Residency, "resident")):
        model.objects.filter(**{key: husband.pk}).update(relation="其他")
    assert broken() == {}
    (told,) = [r for r in invariants.check_all(NOW) if r.count]
    assert (told.key, told.findings) == ("REG12", [f"家庭{husband.household_id}有成员，没有户主"])


def test_registering_a_key_twice_raises():
    with pytest.raises(ValueError, match="REG1"):
        invariants.register("REG1", "又一个", lambda now: [])


def run(*arguments) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("check_invariants", *arguments, stdout=out)
    except SystemExit as end:
        return end.code, out.getvalue()
    return 0, out.getvalue()


def test_command_prints_json_only_and_leaves_an_event(registry, time_machine):
    time_machine.move_to(NOW, tick=False)
    status, printed = run("--json")
    answer = json.loads(printed)
    assert (status, answer["ok"]) == (0, True)
    assert {"key", "label", "ok", "count", "findings"} == answer["checks"][0].keys()
    event = AuditEvent.objects.first()
    assert (event.type, event.actor, event.result) == ("invariants.checked", "系统：核对数据", "ok")


def test_command_exits_1_and_says_what_is_broken(registry, time_machine):
    time_machine.move_to(NOW, tick=False)
    wife, _, _ = registry
    Resident.objects.filter(pk=wife.pk).update(hukou="非农业")
    status, printed = run()
    assert status == 1
    assert "异常 REG1" in printed
    status, printed = run("--json")
    assert (status, json.loads(printed)["ok"]) == (1, False)
    assert AuditEvent.objects.first().result == "failed"
