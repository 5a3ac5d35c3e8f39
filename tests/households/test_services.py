"""Services of the registry: outcome, event, refusal, rollback."""

from datetime import date

import pytest
from django.utils import timezone

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.errors import EditConflict, RuleViolation
from households import services
from households.identifiers import link_waiting, set_identifier
from households.models import ChildRecord, Household, Residency, Resident
from tests.factories.households import (
    make_birth,
    make_household,
    make_id_number,
    make_resident,
)

BORN = date(2018, 5, 29)
TODAY = date(2018, 10, 9)


def values(**extra):
    return {
        "name": "段敏丽", "sex": "女", "birth_date": BORN, "relation": "女", "hukou": "农业",
        "residence": "常住", "hukou_region_code": "", "marital": "未婚",
    } | extra  # fmt: skip


def register(clerk, household, **extra):
    return services.register_resident(
        by=clerk, household=household, values=values(**extra), change=services.Change(BORN, "出生")
    )


def edit(clerk, resident, change=None, household=None, row_version=None, **new):
    version = resident.row_version if row_version is None else row_version
    return services.edit_resident(
        by=clerk,
        today=TODAY,
        resident=Resident.objects.select_related("household", "village").get(pk=resident.pk),
        row_version=version,
        household=household or resident.household,
        values=new,
        change=change or services.Change(),
    )


@pytest.fixture
def broken_audit(monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("audit is down")

    monkeypatch.setattr(log, "record", fail)


# Register ---------------------------------------------------------------------------------------


def test_registering_opens_a_spell_and_records_the_event(clerk, household):
    resident = register(clerk, household)

    spell = resident.residencies.get()
    assert (spell.household, spell.relation, spell.started_on) == (household, "女", BORN)
    event = AuditEvent.objects.get(type="resident.registered")
    assert (event.actor_id, event.target_id, event.region_path) == (
        clerk.pk, str(resident.pk), household.village.path,
    )  # fmt: skip


def test_registering_rolls_back_without_its_event(clerk, household, broken_audit):
    with pytest.raises(RuntimeError):
        register(clerk, household)

    assert not Resident.objects.exists()
    assert not Residency.objects.exists()


def test_identifiers_and_digests_are_kept_in_step(clerk, household):
    number = make_id_number(BORN, "女")

    resident = register(
        clerk, household, id_number=number.lower(), phone="130 0000-8404", bank_account="62 99"
    )

    assert (resident.id_number, resident.id_number_digest) == (number, digest(number))
    assert (resident.phone, resident.phone_digest) == ("13000008404", digest("13000008404"))
    assert resident.bank_account == "6299"
    set_identifier(resident, "id_number", "")
    assert resident.id_number_digest is None


def test_number_registered_anywhere_is_refused(clerk, household, far_village):
    other = make_resident(make_household(far_village))

    with pytest.raises(RuleViolation) as refusal:
        register(clerk, household, id_number=other.id_number)

    assert refusal.value.field == "id_number"
    assert other.name not in refusal.value.message


def test_number_registered_between_check_and_save_is_refused(clerk, household, head, monkeypatch):
    """Two clerks at once: the unique digest decides, and the second is told in words."""
    monkeypatch.setattr(services.residents, "_refuse_taken_number", lambda number, pk: None)

    with pytest.raises(RuleViolation, match="已在本系统登记"):
        register(clerk, household, id_number=head.id_number)


def test_second_head_between_check_and_save_is_refused(clerk, household, head, monkeypatch):
    monkeypatch.setattr(services.residents, "_refuse_second_head", lambda resident: None)

    with pytest.raises(RuleViolation, match="本户已有户主"):
        register(clerk, household, relation="户主")


def test_dead_head_leaves_room_for_the_next(clerk, household):
    make_resident(household, "老户主", death_date=date(2018, 1, 1))

    assert register(clerk, household, relation="户主").relation == "户主"


def test_household_of_another_region_is_refused(clerk, far_village):
    household = make_household(far_village)

    with pytest.raises(RuleViolation, match="不在您的区划内"):
        register(clerk, household)

    assert not Resident.objects.exists()


def test_new_household_comes_with_its_first_member_or_not_at_all(clerk, village, head):
    new = services.NewHousehold(village, None, "00099", "某路1号")

    with pytest.raises(RuleViolation):
        register(clerk, new, id_number=head.id_number)
    assert not Household.objects.filter(number="00099").exists()
    register(clerk, new)
    assert Household.objects.get(number="00099").members.get().name == "段敏丽"


# Edit -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "new",
    [
        {"relation": "其他"},
        {"residence": "流出"},
        {"hukou": "非农业"},
        {"hukou_region_code": "530102"},
    ],
)
def test_change_of_what_a_spell_holds_opens_the_next(clerk, head, new):
    edit(clerk, head, services.Change(date(2018, 9, 1), "其他"), **new)

    old, now = Residency.objects.filter(resident=head).order_by("pk")
    ((field, value),) = new.items()
    assert (old.ended_on, now.started_on, now.ended_on) == (
        date(2018, 9, 1),
        date(2018, 9, 1),
        None,
    )
    assert getattr(now, field) == value != getattr(old, field)


def test_correction_rewrites_the_spell_in_force(clerk, head):
    edit(clerk, head, hukou="非农业")

    spell = head.residencies.get()
    assert (spell.hukou, spell.started_on) == ("非农业", None)


def test_second_change_on_the_same_day_stays_one_spell(clerk, head):
    day = services.Change(date(2018, 9, 1))
    head = edit(clerk, head, day, hukou="非农业")
    edit(clerk, head, day, residence="流出")

    assert head.residencies.count() == 2
    assert head.residencies.get(ended_on=None).residence == "流出"


def test_move_to_another_household_follows_with_its_village(clerk, head, other_village):
    target = make_household(other_village, "00200")

    edit(clerk, head, services.Change(date(2018, 9, 1), "迁移"), household=target, relation="其他")

    head.refresh_from_db()
    assert (head.household, head.village) == (target, other_village)
    assert head.residencies.get(ended_on=None).village == other_village
    changes = AuditEvent.objects.get(type="resident.changed").changes
    assert changes["household"] == ["00016", "00200"]


@pytest.mark.parametrize("day", [date(1983, 5, 31), date(2018, 8, 31)])
def test_change_before_birth_or_before_the_spell_is_refused(clerk, head, day):
    if day.year == 2018:
        head = edit(clerk, head, services.Change(date(2018, 9, 1)), hukou="非农业")

    with pytest.raises(RuleViolation) as refusal:
        edit(clerk, head, services.Change(day), residence="流出")

    assert refusal.value.field == "changed_on"


def test_move_out_of_the_region_is_refused_and_nothing_changes(propagandist, head, other_village):
    target = make_household(other_village)

    with pytest.raises(RuleViolation, match="不在您的区划内"):
        edit(propagandist, head, services.Change(date(2018, 9, 1)), household=target)

    head.refresh_from_db()
    assert head.row_version == 0
    assert head.residencies.count() == 1


def test_successful_edits_equal_versions_and_the_late_one_sees_the_current(clerk, head):
    edit(clerk, head, education="初中")

    with pytest.raises(EditConflict) as conflict:
        edit(clerk, head, row_version=0, education="高中")

    assert conflict.value.current.education == "初中"
    assert Resident.objects.get(pk=head.pk).row_version == 1


def test_edit_records_personal_fields_only_as_changed(clerk, head):
    edit(clerk, head, name="段光朝", phone="13000008404", hukou="非农业")

    changes = AuditEvent.objects.get(type="resident.changed").changes
    assert changes["name"] == changes["phone"] == ["已变更"]
    assert changes["hukou"] == ["农业", "非农业"]
    assert Resident.objects.get(pk=head.pk).name_initials == "dgc"


def test_edit_rolls_back_without_its_event(clerk, head, broken_audit):
    with pytest.raises(RuntimeError):
        edit(clerk, head, name="改名")

    head.refresh_from_db()
    assert (head.name, head.row_version) == ("段光超", 0)


def test_changed_own_number_is_followed_by_relatives(clerk, head, household):
    child = register(clerk, household, father_id_number=head.id_number)
    number = make_id_number(head.birth_date)
    edit(clerk, head, id_number=number)
    child.refresh_from_db()
    assert (child.father_id, child.father_id_number) == (head.pk, number)
    assert child.father_id_number_digest == digest(number)


def test_changed_number_of_a_relative_moves_the_link(clerk, head, household):
    first = make_resident(household, "前妻", sex="女", relation="其他")
    second = make_resident(household, "后妻", sex="女", relation="配偶")
    resident = edit(clerk, head, spouse_id_number=first.id_number)
    assert resident.spouse == first

    resident = edit(clerk, resident, spouse_id_number=second.id_number)
    assert resident.spouse == second

    resident = edit(clerk, resident, spouse_id_number="")
    assert (resident.spouse, resident.spouse_id_number_digest) == (None, "")


# Links ------------------------------------------------------------------------------------------


def waiting_for(number, household):
    """A wife, a son and a birth record that name somebody who isn't registered yet."""
    wife = make_resident(
        household, "妻", sex="女", relation="配偶", spouse_id_number=number,
        spouse_id_number_digest=digest(number),
    )  # fmt: skip
    son = make_resident(
        household, "子", relation="子", father_id_number=number,
        father_id_number_digest=digest(number),
    )  # fmt: skip
    record = make_birth(wife, date(2009, 1, 1))
    ChildRecord.objects.filter(pk=record.pk).update(
        father_id_number=number, father_id_number_digest=digest(number)
    )
    return wife, son, record


@pytest.mark.parametrize("everything", [False, True])
def test_links_that_waited_follow_the_registration(household, everything):
    number = make_id_number(date(1980, 1, 1))
    wife, son, record = waiting_for(number, household)
    husband = make_resident(household, "夫", id_number=number, relation="其他")

    link_waiting(None if everything else [husband.pk])

    for found in (wife, son, record):
        found.refresh_from_db()
    assert wife.spouse == son.father == record.father == husband


def test_links_leave_others_alone(household):
    number = make_id_number(date(1980, 1, 1))
    wife, _, _ = waiting_for(number, household)
    make_resident(household, "夫", id_number=number, relation="其他")
    stranger = make_resident(household, "外人", relation="其他")

    link_waiting([stranger.pk])

    wife.refresh_from_db()
    assert wife.spouse is None


def test_nobody_is_linked_to_oneself(household):
    number = make_id_number(date(1980, 1, 1))
    person = make_resident(
        household, id_number=number, spouse_id_number=number, spouse_id_number_digest=digest(number)
    )

    link_waiting([person.pk])
    link_waiting()

    person.refresh_from_db()
    assert person.spouse is None


def test_links_cost_the_same_for_many(household, assert_query_count_does_not_grow):
    def grow():
        for _ in range(5):
            waiting_for(make_id_number(date(1980, 1, 1)), household)

    assert_query_count_does_not_grow(link_waiting, grow)


def test_registering_a_child_links_its_birth_record(clerk, household):
    number = make_id_number(BORN, "女")
    mother = make_resident(household, "母", sex="女", birth_date=date(1987, 1, 1))
    record = make_birth(mother, BORN, child_id_number=number, child_id_number_digest=digest(number))

    child = register(clerk, household, id_number=number, mother_id_number=mother.id_number)

    record.refresh_from_db()
    assert record.child == child
    assert child.mother == mother


# Reveal -----------------------------------------------------------------------------------------


def test_reveal_stops_after_sixty_in_an_hour(clerk, reviewer, head):
    for _ in range(services.REVEALS_PER_HOUR):
        services.reveal(
            by=clerk, resident=head, field="id_number", reason="核对证件", now=timezone.now()
        )

    with pytest.raises(RuleViolation, match="一小时内最多显示60个"):
        services.reveal(
            by=clerk, resident=head, field="id_number", reason="核对证件", now=timezone.now()
        )

    refused = AuditEvent.objects.get(type="resident.revealed", result="refused")
    assert refused.actor_id == clerk.pk
    assert services.reveal(
        by=reviewer, resident=head, field="id_number", reason="核对证件", now=timezone.now()
    )


def test_reveal_of_something_else_is_a_programming_error(clerk, head):
    with pytest.raises(ValueError, match="note"):
        services.reveal(by=clerk, resident=head, field="note", reason="", now=timezone.now())


# Households and births --------------------------------------------------------------------------


def test_low_income_opens_and_closes_its_spell(clerk, household):
    def save(low_income, on):
        household.refresh_from_db()
        services.edit_household(
            by=clerk, household=household, row_version=household.row_version, group=None,
            address="", low_income=low_income, low_income_on=on,
        )  # fmt: skip

    save(True, date(2018, 1, 1))
    save(True, date(2018, 2, 1))
    save(False, date(2018, 9, 1))

    spell = household.low_income_spells.get()
    assert (spell.started_on, spell.ended_on) == (date(2018, 1, 1), date(2018, 9, 1))
    save(True, date(2018, 10, 1))
    save(False, date(2018, 10, 1))
    assert household.low_income_spells.count() == 1


def test_taken_household_number_between_check_and_save_is_refused(clerk, household, monkeypatch):
    with pytest.raises(RuleViolation, match="已有户编号00016"):
        services.register_household(by=clerk, village=household.village, group=None, number="00016")


def test_birth_of_another_region_is_refused(other_clerk, head):
    with pytest.raises(RuleViolation):
        services.record_birth(
            by=other_clerk,
            today=TODAY,
            parent=head,
            values={
                "child_name": "", "sex": "女", "birth_date": BORN, "order": 1, "origin": "亲生",
                "within_policy": True, "hospital": "", "birth_certificate_no": "", "survival": "存活",
                "death_date": None, "disability_grade": "", "disability_date": None,
            },
        )  # fmt: skip

    assert not ChildRecord.objects.exists()
