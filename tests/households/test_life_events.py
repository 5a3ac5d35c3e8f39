"""Life events: what they change, what they refuse, and that taking one back restores everything."""

from datetime import UTC, date, datetime

import pytest
from django.core import serializers

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households import services
from households.invariants import crossed_links
from households.models import (
    ChildRecord,
    EventKind,
    Household,
    LifeEvent,
    Residency,
    Resident,
)
from households.services import life_events
from tests.factories.households import make_household, make_id_number, make_resident

TODAY = date(2018, 10, 9)
NOW = datetime(2018, 10, 9, tzinfo=UTC)
DAY = date(2018, 9, 1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def family(village):
    """A couple and their daughter in one household."""
    household = make_household(village)
    head = make_resident(household, "张建国", marital="初婚", birth_date=date(1980, 1, 1))
    wife = make_resident(
        household, "李芳", sex="女", relation="配偶", marital="初婚", birth_date=date(1982, 2, 2)
    )
    for one, other in ((head, wife), (wife, head)):
        one.spouse, one.spouse_id_number = other, other.id_number
        one.spouse_id_number_digest = other.id_number_digest
        one.save()
    child = make_resident(
        household, "张小丽", sex="女", relation="女", birth_date=date(2005, 3, 3), id_number=""
    )
    return head, wife, child


def record(by, kind, values, day=DAY, **more):
    return services.record_event(
        by=by, kind=kind, values=values, happened_on=day, today=TODAY, **more
    )


def undo(by, event):
    return services.undo_event(by=by, event=event, today=TODAY, reason="登记错了")


def registry():
    """Everything the registry says, without what only counts edits."""
    state = {}
    for model in (Household, Resident, Residency, ChildRecord):
        for row in serializers.serialize("python", model.objects.order_by("pk")):
            fields = row["fields"]
            for counter in ("row_version", "updated_at"):
                fields.pop(counter, None)
            key = row["pk"]
            if model is Residency:
                key = (fields["resident"], fields["started_on"])
            state[model.__name__, key] = fields
    return state


def values_for(kind, family, village):
    head, wife, child = family
    other = make_household(village)
    make_resident(other, "王大", relation="户主")
    target = services.NewHousehold(village=village, group=None, number="77777")
    young = make_resident(other, "王小", relation="子", birth_date=date(1990, 1, 1), marital="未婚")
    bride = make_resident(
        head.household, "张红", sex="女", relation="女", birth_date=date(1992, 1, 1)
    )
    person = {
        "name": "赵新来", "sex": "男", "birth_date": date(1970, 1, 1), "relation": "其他",
        "id_number": make_id_number(date(1970, 1, 1)), "hukou": "农业", "residence": "常住",
        "hukou_region_code": "", "marital": "未婚",
    }  # fmt: skip
    birth = {
        "child_name": "张小宝", "sex": "男", "birth_date": DAY, "order": 2, "origin": "亲生",
        "within_policy": True, "hospital": "", "birth_certificate_no": "", "survival": "存活",
        "death_date": None, "disability_grade": "", "disability_date": None,
    }  # fmt: skip
    newborn = {
        "name": "张小宝", "sex": "男", "birth_date": DAY, "relation": "子", "hukou": "农业",
        "residence": "常住", "hukou_region_code": "", "marital": "未婚",
        "mother_id_number": wife.id_number, "father_id_number": head.id_number,
    }  # fmt: skip
    new_head = {wife.pk: "户主"}
    return {
        "birth": {
            "parent": wife, "household": head.household, "child": newborn, "birth": birth
        },
        "death": {"resident": head, "relations": new_head},
        "marriage": {
            "resident": young, "spouse": bride, "mover": "spouse", "relation": "儿媳"
        },
        "divorce": {"resident": wife},
        "move_in": {"household": other, "person": person},
        "inflow": {"household": other, "person": person},
        "move_out": {"members": [head, child], "relations": new_head},
        "outflow": {"members": [wife]},
        "return": {"members": [make_resident(other, "王出", relation="其他", residence="流出")]},
        "split": {
            "household": head.household, "members": [wife, child], "target": target,
            "relations": {wife.pk: "户主", child.pk: "女"},
        },
        "merge": {
            "household": head.household, "target": other,
            "relations": {
                head.pk: "其他", wife.pk: "其他", child.pk: "其他", bride.pk: "其他"
            },
        },
        "head_change": {
            "household": head.household, "relations": {head.pk: "配偶", wife.pk: "户主"}
        },
        "household_move": {
            "members": [child], "target": other, "relations": {child.pk: "其他"}
        },
        "hukou_change": {"members": [child], "hukou": "非农业", "hukou_region_code": ""},
        "correction": {"resident": child, "person": {"name": "张小莉", "sex": "女"}},
    }[kind]  # fmt: skip


KINDS = [k for k in EventKind.values if k != "undo"]


@pytest.mark.parametrize("kind", KINDS)
def test_event_changes_the_registry_and_undo_restores_it(kind, family, village, clerk):
    values = values_for(kind, family, village)
    before = registry()

    event = record(clerk, kind, values)

    assert registry() != before
    assert AuditEvent.objects.filter(type="event.recorded", target_id=str(event.pk)).exists()
    for resident in Resident.objects.filter(departed_on__isnull=True):
        spell = resident.residencies.get(ended_on__isnull=True)
        assert spell.household_id == resident.household_id
        assert spell.relation == resident.relation

    undo(clerk, event)

    after = registry()
    created = {key for key in after.keys() - before.keys() if key[0] == "Resident"}
    assert {after[key]["departed_on"] for key in created} <= {DAY}
    assert {k: v for k, v in after.items() if k not in created} == before
    assert LifeEvent.objects.get(pk=event.pk).undone_by.kind == EventKind.UNDO


def test_event_on_the_day_the_spell_began_is_undone_too(family, village, clerk):
    head, wife, child = family
    first = record(clerk, "outflow", {"members": [child]})
    before = registry()
    second = record(clerk, "return", {"members": [child]})
    assert child.residencies.count() == 2
    undo(clerk, second)
    assert registry() == before
    undo(clerk, first)
    assert child.residencies.get().started_on is None


def test_leaving_on_the_day_of_arrival_leaves_no_spell_of_that_day(family, clerk):
    head, wife, child = family
    record(clerk, "outflow", {"members": [child]})
    before = registry()
    leave = record(clerk, "move_out", {"members": [child]})
    assert list(child.residencies.values_list("ended_on", flat=True)) == [DAY]
    undo(clerk, leave)
    assert registry() == before


def test_return_after_leaving_is_a_new_stay(family, village, clerk):
    head, wife, child = family
    record(clerk, "move_out", {"members": [child]}, day=date(2018, 5, 1))
    child.refresh_from_db()
    assert child.departed_on == date(2018, 5, 1)
    person = {"relation": "女", "residence": "常住", "hukou": "农业", "hukou_region_code": ""}
    record(
        clerk,
        "move_in",
        {"household": head.household, "person": person, "existing": child},
        day=date(2018, 8, 1),
    )
    child.refresh_from_db()
    assert child.departed_on is None
    spells = list(child.residencies.order_by("pk").values_list("started_on", "ended_on"))
    assert spells == [(None, date(2018, 5, 1)), (date(2018, 8, 1), None)]


def test_earlier_event_is_not_undone_before_the_later_one(family, clerk):
    head, wife, child = family
    first = record(clerk, "outflow", {"members": [child]}, day=date(2018, 3, 1))
    record(clerk, "hukou_change", {"members": [child], "hukou": "非农业"})
    with pytest.raises(RuleViolation, match="请先撤销"):
        undo(clerk, first)
    assert not LifeEvent.objects.filter(kind="undo").exists()


def test_event_is_undone_only_once(family, clerk):
    event = record(clerk, "divorce", {"resident": family[0]})
    undo(clerk, event)
    with pytest.raises(RuleViolation, match="已经撤销"):
        undo(clerk, event)


def test_death_of_a_child_reaches_the_birth_history_of_the_mother(family, village, clerk):
    values = values_for("birth", family, village)
    birth = record(clerk, "birth", values)
    child = Resident.objects.get(name="张小宝")
    assert child.mother_id == family[1].pk
    assert birth.birth.child_id == child.pk
    death = record(clerk, "death", {"resident": child}, day=date(2018, 9, 5))
    line = ChildRecord.objects.get(child=child)
    assert (line.survival, line.death_date) == ("死亡", date(2018, 9, 5))
    with pytest.raises(RuleViolation, match="请先撤销"):
        undo(clerk, birth)
    undo(clerk, death)
    line.refresh_from_db()
    assert (line.survival, line.death_date) == ("存活", None)


def test_death_makes_the_living_spouse_widowed(family, clerk):
    head, wife, _ = family
    record(clerk, "death", {"resident": head, "relations": {wife.pk: "户主"}})
    wife.refresh_from_db()
    assert (wife.marital, wife.relation) == ("丧偶", "户主")


def test_death_leaves_a_spouse_of_another_township_to_their_office(family, far_village, clerk):
    head, wife, _ = family
    Resident.objects.filter(pk=wife.pk).update(
        household=make_household(far_village), village=far_village, relation="户主"
    )
    child = family[2]
    record(clerk, "death", {"resident": head, "relations": {child.pk: "户主"}})
    wife.refresh_from_db()
    assert wife.marital == "初婚"


def test_marriage_to_somebody_without_a_number_links_both(family, clerk):
    head = family[0]
    son = make_resident(head.household, "张小军", relation="子", marital="未婚")
    bride = make_resident(
        head.household, "王无号", sex="女", relation="儿媳", marital="未婚", id_number=""
    )
    before = registry()
    event = record(clerk, "marriage", {"resident": son, "spouse": bride, "mover": ""})
    son.refresh_from_db()
    bride.refresh_from_db()
    assert (son.spouse_id, bride.spouse_id) == (bride.pk, son.pk)
    assert bride.spouse_id_number == son.id_number
    undo(clerk, event)
    assert registry() == before


def test_relatives_follow_a_corrected_number_and_its_undo(family, village, clerk):
    head, wife, _ = family
    record(clerk, "birth", values_for("birth", family, village))
    before = registry()
    number = make_id_number(wife.birth_date, "女")
    person = {"name": wife.name, "sex": "女", "birth_date": wife.birth_date, "id_number": number}
    event = record(clerk, "correction", {"resident": wife, "person": person})
    head.refresh_from_db()
    baby = Resident.objects.get(name="张小宝")
    line = ChildRecord.objects.get(child=baby)
    numbers = {head.spouse_id_number, baby.mother_id_number, line.mother_id_number}
    assert numbers == {number}
    assert list(crossed_links(NOW)) == []
    undo(clerk, event)
    assert registry() == before


def test_number_under_which_another_history_waits_is_refused(family, village, clerk):
    head, wife, _ = family
    number = make_id_number(wife.birth_date, "女")
    for digits in (wife.id_number, number):  # the same child, once under either number
        services.record_birth(
            by=clerk,
            today=TODAY,
            parent=head,
            values=values_for("birth", family, village)["birth"] | {"mother_id_number": digits},
        )
    person = {"name": wife.name, "sex": "女", "birth_date": wife.birth_date, "id_number": number}
    with pytest.raises(RuleViolation, match="另一份生育史"):
        record(clerk, "correction", {"resident": wife, "person": person})


def test_undo_takes_away_only_the_household_that_the_event_founded(family, village, clerk):
    wife, child = family[1:]
    there = make_household(village)
    values = {
        "household": wife.household, "members": [wife, child], "target": there,
        "relations": {wife.pk: "户主", child.pk: "女"},
    }  # fmt: skip
    before = registry()
    undo(clerk, record(clerk, "split", values))
    assert registry() == before


def test_event_writes_only_what_it_changes(family, clerk, monkeypatch):
    """Who was read without a lock, as a widow is, may have been edited meanwhile."""
    head, wife, _ = family
    plan = life_events.plan_event

    def edited_meanwhile(*args):
        planned = plan(*args)
        Resident.objects.filter(pk=wife.pk).update(name="李芳芳")
        return planned

    monkeypatch.setattr(life_events, "plan_event", edited_meanwhile)
    record(clerk, "death", {"resident": head, "relations": {wife.pk: "户主"}})
    wife.refresh_from_db()
    assert (wife.name, wife.marital) == ("李芳芳", "丧偶")


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("death", {"relations": {}}, "新户主"),
        ("move_out", {"relations": {}}, "新户主"),
        ("head_change", {"relations": {}}, "没有改变"),
        ("move_out", {"members": []}, "至少选一个人"),
        ("hukou_change", {"hukou": "农业", "hukou_region_code": ""}, "没有变更"),
        ("correction", {"person": {"name": "张小丽"}}, "没有改变"),
    ],
)
def test_event_that_makes_no_sense_is_refused(kind, change, words, family, village, clerk):
    values = values_for(kind, family, village) | change
    before = registry()
    with pytest.raises(RuleViolation, match=words):
        record(clerk, kind, values)
    assert registry() == before


def test_two_heads_are_refused(family, village, clerk):
    head, wife, child = family
    relations = {wife.pk: "户主"}
    with pytest.raises(RuleViolation, match="2位户主"):
        record(clerk, "head_change", {"household": head.household, "relations": relations})


@pytest.mark.parametrize("kind", KINDS)
def test_event_in_the_future_is_refused(kind, family, village, clerk):
    with pytest.raises(RuleViolation, match="今天"):
        record(clerk, kind, values_for(kind, family, village), day=date(2018, 10, 10))


def test_death_before_birth_is_refused(family, clerk):
    with pytest.raises(RuleViolation, match="出生日期"):
        record(clerk, "death", {"resident": family[2]}, day=date(2005, 3, 2))


def test_marriage_of_the_dead_is_refused(family, village, clerk):
    values = values_for("marriage", family, village)
    record(clerk, "death", {"resident": values["spouse"]})
    with pytest.raises(RuleViolation, match="去世"):
        record(clerk, "marriage", values)


def test_marriage_under_age_waits_for_confirmation(family, village, clerk):
    values = values_for("marriage", family, village)
    young = values["spouse"]
    Resident.objects.filter(pk=young.pk).update(birth_date=date(2000, 1, 1))
    with pytest.raises(RuleViolation, match="法定婚龄20岁") as refusal:
        record(clerk, "marriage", values)
    assert refusal.value.field == "confirmed"
    event = record(clerk, "marriage", values, confirmed=True)
    young.refresh_from_db()
    assert young.spouse_id == values["resident"].pk
    undo(clerk, event)
    young.refresh_from_db()
    assert (young.spouse_id, young.spouse_id_number, young.marital) == (None, "", "未婚")


def test_mother_aged_nine_is_refused(family, village, clerk):
    values = values_for("birth", family, village)
    Resident.objects.filter(pk=values["parent"].pk).update(birth_date=date(2009, 1, 1))
    with pytest.raises(RuleViolation, match="母亲生育时9岁"):
        record(clerk, "birth", values)


def test_move_to_the_same_household_is_refused(family, clerk):
    head, _, child = family
    values = {"members": [child], "target": head.household, "relations": {}}
    with pytest.raises(RuleViolation, match="就在这一户"):
        record(clerk, "household_move", values)


def test_move_to_another_village_is_refused_to_who_does_not_see_it(family, far_village, clerk):
    head, _, child = family
    target = make_household(far_village)
    values = {"members": [child], "target": target, "relations": {child.pk: "户主"}}
    with pytest.raises(RuleViolation, match="不在您的区划"):
        record(clerk, "household_move", values)
    child.refresh_from_db()
    assert child.household_id == head.household_id


def test_event_before_the_last_change_is_refused_with_what_it_was(family, clerk):
    child = family[2]
    record(clerk, "outflow", {"members": [child]})
    with pytest.raises(RuleViolation, match="流出"):
        record(clerk, "move_out", {"members": [child]}, day=date(2018, 8, 1))


def test_event_that_fails_to_be_recorded_changes_nothing(family, clerk, monkeypatch):
    from households.services import life_events

    def broken(*args, **kwargs):
        raise RuntimeError("audit is down")

    monkeypatch.setattr(life_events.log, "record_many", broken)
    before = registry()
    with pytest.raises(RuntimeError):
        record(clerk, "divorce", {"resident": family[0]})
    assert registry() == before
    assert not LifeEvent.objects.exists()


def test_birth_taken_back_can_be_registered_again_with_the_same_number(family, village, clerk):
    values = values_for("birth", family, village)
    number = values["child"]["id_number"] = make_id_number(DAY)
    first = record(clerk, "birth", values)
    undone = undo(clerk, first)
    void = first.resident
    assert (void.name, Resident.objects.get(pk=void.pk).id_number) == ("张小宝", "")
    assert number in undone.people.get().before

    again = record(clerk, "birth", values)

    assert again.resident.pk != void.pk
    assert Resident.objects.with_id_number(number).get() == again.resident


def test_birth_taken_back_can_be_registered_again_without_a_number(family, village, clerk):
    values = values_for("birth", family, village)
    undo(clerk, record(clerk, "birth", values))
    assert record(clerk, "birth", values).resident.residencies.exists()
