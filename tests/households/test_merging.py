"""Two records of one person become one with everything that hangs on them, and two again."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest
from django.apps import apps
from django.core import serializers
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from fpadmin import invariants
from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation
from households import services
from households.models import (
    ChangeRequest,
    ChildRecord,
    Duplicate,
    EventChange,
    LedgerMember,
    LifeEvent,
    Merge,
    Residency,
    Resident,
)
from households.row_journal import COUNTERS
from households.services.merging import UNDO_DAYS
from tests.factories.households import (
    make_birth,
    make_household,
    make_id_number,
    make_resident,
    make_spell,
)

TODAY = date(2018, 10, 9)
NOW = datetime(2018, 10, 9, 4, 0, tzinfo=UTC)
BORN = date(2012, 3, 4)
pytestmark = pytest.mark.django_db


@pytest.fixture
def home(village):
    """The mother's household."""
    return make_household(village, "00016")


@pytest.fixture
def mother(home):
    return make_resident(home, "段光超", sex="女", birth_date=date(1983, 6, 1), marital="初婚")


@pytest.fixture
def pair(home, mother, other_village):
    """The same girl twice: with a number beside her mother, and without one in another village."""
    kept = child_of(mother, home)
    other = make_household(other_village)
    make_resident(other, "祖父", birth_date=date(1950, 1, 1))
    merged = child_of(
        mother,
        other,
        relation="孙子女",
        id_number="",
        phone="13087650001",
        phone_digest=digest("13087650001"),
    )
    return kept, merged


def child_of(mother, household, **extra):
    values = {"sex": "女", "relation": "女", "birth_date": BORN} | extra
    return make_resident(
        household, "张小丽", mother=mother, mother_id_number=mother.id_number,
        mother_id_number_digest=mother.id_number_digest or "", **values,
    )  # fmt: skip


def merge(by, kept, merged, **extra):
    return services.merge_residents(
        by=by, kept=kept, merged=merged, today=TODAY, now=NOW, **extra
    )  # fmt: skip


def undo(by, done):
    return services.undo_merge(by=by, merge=done, now=timezone.now())


def tables():
    """Every row of every table, without what counts writes, records merges or the trail."""
    state = {}
    for model in apps.get_models(include_auto_created=True):
        if model is Merge or model._meta.app_label in ("audit", "sessions", "jobs"):
            continue
        for row in serializers.serialize("python", model._base_manager.order_by("pk")):
            fields = row["fields"]
            for counter in COUNTERS:
                fields.pop(counter, None)
            state[model._meta.label, row["pk"]] = fields
    return state


def broken():
    return {r.key: r.findings for r in invariants.check_all(NOW) if not r.ok}


def test_merged_record_stays_and_leads_to_the_kept_one(clerk, pair):
    kept, merged = pair
    done = merge(clerk, kept, merged)
    merged.refresh_from_db()
    assert (merged.merged_into_id, merged.departed_on) == (kept.pk, TODAY)
    assert (merged.id_number, merged.id_number_digest) == ("", None)
    assert not Residency.objects.filter(resident=merged).exists()
    assert (done.kept, done.merged, done.made_by) == (kept, merged, clerk)
    assert broken() == {}


def test_kept_record_takes_the_only_number_and_what_it_lacks(clerk, pair):
    kept, merged = pair
    merge(clerk, merged, kept)
    merged.refresh_from_db()
    assert (merged.id_number, merged.phone) == (kept.id_number, "13087650001")
    assert merged.id_number_digest == kept.id_number_digest


def test_chosen_values_win_and_others_do_not(clerk, pair):
    kept, merged = pair
    Resident.objects.filter(pk=kept.pk).update(education="小学")
    Resident.objects.filter(pk=merged.pk).update(education="学龄前", ethnicity="彝", name="张晓丽")
    merge(clerk, kept, merged, taken={"name", "ethnicity"})
    kept.refresh_from_db()
    assert (kept.name, kept.ethnicity, kept.education, kept.phone) == ("张晓丽", "彝", "小学", "")


def test_relatives_lead_to_the_kept_record_and_hold_its_number(clerk, home, pair):
    kept, merged = pair
    son = make_resident(
        home, "小孙", relation="其他", birth_date=date(2017, 1, 1), mother=merged, id_number=""
    )
    merge(clerk, kept, merged)
    son.refresh_from_db()
    assert (son.mother, son.mother_id_number) == (kept, kept.id_number)
    assert son.mother_id_number_digest == kept.id_number_digest


def test_other_number_is_given_up_and_free(clerk, home, pair):
    kept, merged = pair
    number = make_id_number(BORN, "女")
    merge(clerk, kept, child_of(kept.mother, home, id_number=number))
    assert not Resident.objects.with_id_number(number).exists()


def test_everything_of_any_table_follows(clerk, propagandist, village, pair):
    kept, merged = pair
    event = LifeEvent.objects.create(
        kind="correction", resident=merged, household=merged.household, village=merged.village,
        happened_on=TODAY, reported_on=TODAY,
    )  # fmt: skip
    change = EventChange.objects.create(event=event, resident=merged, before="{}", after="{}")
    request = ChangeRequest.objects.create(
        kind="death", village=village, resident=merged, content="{}", requested_by=propagandist
    )
    merge(clerk, kept, merged)
    for row in (event, change, request):
        row.refresh_from_db()
        assert row.resident == kept


def test_event_that_concerned_both_tells_of_both(clerk, home, pair):
    kept, merged = pair
    event = LifeEvent.objects.create(
        kind="split", resident=kept, household=home, village=home.village, happened_on=TODAY,
        reported_on=TODAY,
    )  # fmt: skip
    for person in pair:
        EventChange.objects.create(event=event, resident=person, before="{}", after="{}")
    merge(clerk, kept, merged)
    assert set(event.people.values_list("resident", flat=True)) == {kept.pk, merged.pk}


def test_child_of_both_histories_keeps_one_line(clerk, home, village):
    one = make_resident(home, "李芳", sex="女", birth_date=date(1982, 2, 2), marital="初婚")
    other = make_resident(
        make_household(village), "李芳", sex="女", birth_date=date(1982, 2, 2), id_number=""
    )
    line = make_birth(one, BORN, child_name="张小丽")
    twin = make_birth(other, BORN, child_name="张小丽", hospital="县医院")
    second = make_birth(other, date(2015, 1, 1), child_name="张小强", sex="男", order=2)
    event = LifeEvent.objects.create(
        kind="birth", resident=other, household=home, village=village, birth=twin,
        happened_on=TODAY, reported_on=TODAY,
    )  # fmt: skip
    merge(clerk, one, other)
    line.refresh_from_db()
    second.refresh_from_db()
    event.refresh_from_db()
    assert list(ChildRecord.objects.filter(mother=one).order_by("order")) == [line, second]
    assert (line.hospital, event.birth) == ("县医院", line)
    assert second.mother_id_number_digest == one.id_number_digest
    assert broken() == {}


def test_child_that_stands_twice_in_one_history_stands_once(clerk, mother, pair):
    kept, merged = pair
    make_birth(mother, BORN, child=merged, child_name="张小丽", order=1)
    second = make_birth(
        mother, BORN, child=kept, child_id_number=kept.id_number,
        child_id_number_digest=kept.id_number_digest, order=2,
    )  # fmt: skip
    merge(clerk, kept, merged)
    line = mother.births.get()
    assert (line.pk, line.order, line.child, line.child_name) == (second.pk, 1, kept, "张小丽")
    assert broken() == {}


def test_different_children_of_one_order_are_refused(clerk, home, village):
    one = make_resident(home, "李芳", sex="女", birth_date=date(1982, 2, 2))
    other = make_resident(
        make_household(village), "李芳", sex="女", birth_date=date(1982, 2, 2), id_number=""
    )
    make_birth(one, BORN, child_name="张小丽")
    make_birth(other, date(2014, 1, 1), child_name="王小明", sex="男")
    refused(clerk, one, other, "两份生育史合不到一起")


def refused(by, kept, merged, words, **extra):
    before = tables()
    with pytest.raises(RuleViolation, match=words):
        merge(by, kept, merged, **extra)
    assert tables() == before
    assert not Merge.objects.exists()


def test_relatives_of_each_other_are_refused(clerk, mother, pair):
    refused(clerk, mother, pair[0], "不会是同一人")


def test_record_on_the_books_does_not_go_into_one_that_left(clerk, pair):
    kept, merged = pair
    Resident.objects.filter(pk=kept.pk).update(departed_on=TODAY)
    refused(clerk, kept, merged, "请保留在册的那一份")


def test_household_does_not_lose_its_head(clerk, home, mother, village):
    other = make_household(village)
    head = make_resident(other, "段光超", sex="女", birth_date=date(1983, 6, 1), id_number="")
    make_resident(other, "小孩", relation="子", birth_date=BORN)
    refused(clerk, mother, head, "没有户主")


def test_values_that_contradict_the_number_are_refused(clerk, pair):
    kept, merged = pair
    Resident.objects.filter(pk=merged.pk).update(birth_date=date(2012, 3, 5))
    refused(clerk, kept, merged, "不一致", taken={"birth_date"})


def test_birth_after_a_spell_began_is_refused(clerk, pair):
    kept, merged = pair
    Resident.objects.filter(pk=kept.pk).update(id_number="", id_number_digest=None)
    Residency.objects.filter(resident=kept).update(started_on=BORN)
    Resident.objects.filter(pk=merged.pk).update(birth_date=date(2012, 3, 5))
    refused(clerk, kept, merged, "在册经历", taken={"birth_date"})


def test_record_that_somebody_changed_meanwhile_is_refused(clerk, pair):
    kept, merged = pair
    Resident.objects.filter(pk=merged.pk).update(row_version=3)
    refused(clerk, kept, merged, "有人修改", versions=(kept.row_version, merged.row_version))


def test_record_of_another_township_is_refused(other_clerk, clerk, pair, far_village):
    kept, merged = pair
    stranger = make_resident(make_household(far_village), "张小丽", sex="女", birth_date=BORN)
    refused(clerk, kept, stranger, "不在您的区划内")
    refused(other_clerk, kept, merged, "不在您的区划内")


def test_record_is_not_merged_into_itself_or_twice(clerk, pair):
    kept, merged = pair
    with pytest.raises(RuleViolation, match="同一份记录"):
        merge(clerk, kept, kept)
    merge(clerk, kept, merged)
    with pytest.raises(RuleViolation, match="已经合并过"):
        merge(clerk, kept, merged)


@pytest.fixture
def grants(monkeypatch, settings):
    """A table of a later app: one grant a person, with money in it."""
    with apps_restored():

        class Grant(models.Model):
            person = models.OneToOneField(Resident, models.CASCADE, related_name="+")
            amount = models.IntegerField()

            class Meta:
                app_label = "households"
                verbose_name = "待遇"

        apps.clear_cache()
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE households_grant (id integer PRIMARY KEY, person_id bigint UNIQUE, "
                "amount integer)"
            )
        yield Grant


class apps_restored:
    """A model class that only this test knows."""

    def __enter__(self):
        self.known = dict(apps.all_models["households"])

    def __exit__(self, *error):
        apps.all_models["households"].clear()
        apps.all_models["households"].update(self.known)
        apps.clear_cache()


def test_money_of_a_later_app_follows(clerk, pair, grants):
    kept, merged = pair
    grants(pk=1, person=merged, amount=960).save(force_insert=True)
    merge(clerk, kept, merged)
    assert grants.objects.get().person == kept


def test_money_that_may_stand_only_once_is_not_dropped(clerk, pair, grants):
    kept, merged = pair
    grants(pk=1, person=merged, amount=960).save(force_insert=True)
    grants(pk=2, person=kept, amount=960).save(force_insert=True)
    with pytest.raises(RuleViolation, match="两份记录都有“待遇”"):
        merge(clerk, kept, merged)
    assert grants.objects.count() == 2


def test_marriage_that_is_taken_back_leads_to_the_kept_record_of_the_spouse_before(
    clerk, home, mother, village
):
    born = {"birth_date": date(1980, 1, 1)}
    before = make_resident(make_household(village), "张建国", marital="离婚", **born)
    mother.spouse, mother.spouse_id_number = before, before.id_number
    mother.spouse_id_number_digest, mother.marital = before.id_number_digest, "离婚"
    mother.save()
    groom = make_resident(home, "李大山", relation="其他", birth_date=date(1981, 1, 1))
    marriage = services.record_event(
        by=clerk, kind="marriage", happened_on=date(2018, 9, 1), today=TODAY, confirmed=True,
        values={"resident": mother, "spouse": groom},
    )  # fmt: skip
    kept = make_resident(make_household(village), "张建国", marital="离婚", **born)
    merge(clerk, kept, before)
    services.undo_event(by=clerk, event=marriage, today=TODAY, reason="登记错了")
    mother.refresh_from_db()
    assert (mother.spouse, mother.spouse_id_number) == (kept, kept.id_number)
    assert broken() == {}


def test_birth_recorded_later_finds_the_kept_child(clerk, mother, pair):
    kept, merged = pair
    Resident.objects.filter(pk=merged.pk).update(household=mother.household, village=mother.village)
    Residency.objects.filter(resident=merged).update(
        household=mother.household, village=mother.village
    )
    merge(clerk, kept, merged)
    line = services.record_birth(
        by=clerk, parent=mother, today=TODAY,
        values={
            "child_name": "张小丽", "sex": "女", "birth_date": BORN, "order": 1, "origin": "亲生",
            "within_policy": True, "hospital": "", "birth_certificate_no": "", "survival": "存活",
            "death_date": None, "disability_grade": "", "disability_date": None,
        },
    )  # fmt: skip
    assert line.child == kept


def test_month_that_is_locked_keeps_whom_it_counted(clerk, pair, township):
    kept, merged = pair
    counted = LedgerMember.objects.create(
        township=township, resident=merged, village=merged.village, sex="女", hukou_class="农业",
        since=date(2018, 9, 30),
    )  # fmt: skip
    done = merge(clerk, kept, merged)
    counted.refresh_from_db()
    assert counted.resident == merged
    undo(clerk, done)


def test_merge_is_recorded_on_both_without_values(clerk, pair):
    kept, merged = pair
    merge(clerk, kept, merged, taken={"phone", "id_number"})
    events = AuditEvent.objects.filter(type="resident.merged")
    assert {e.target_id for e in events} == {str(kept.pk), str(merged.pk)}
    assert {e.actor_id for e in events} == {clerk.pk}
    assert all(e.changes == {"fields": ["id_number", "phone"]} for e in events)


def test_merge_rolls_back_without_its_event(clerk, pair, monkeypatch):
    before = tables()
    monkeypatch.setattr("households.services.merging.log.record_many", _fails)
    with pytest.raises(RuntimeError), transaction.atomic():
        merge(clerk, *pair)
    assert tables() == before


def _fails(*args, **kwargs):
    raise RuntimeError


def test_undo_restores_every_table(clerk, propagandist, mother, pair, village):
    kept, merged = pair
    make_birth(mother, BORN, child=merged, child_name="张小丽", order=1)
    make_birth(mother, BORN, child=kept, order=2, child_id_number=kept.id_number,
               child_id_number_digest=kept.id_number_digest)  # fmt: skip
    make_resident(
        make_household(village), "小孙", birth_date=date(2017, 1, 1), mother=merged, id_number=""
    )
    ChangeRequest.objects.create(
        kind="death", village=village, resident=merged, content="{}", requested_by=propagandist
    )
    services.find_duplicates(by=clerk, now=NOW)
    before = tables()
    done = merge(clerk, kept, merged, taken={"phone"})
    assert tables() != before
    undone = undo(clerk, done)
    assert tables() == before
    assert (undone.undone_by, undone.undone_at is not None) == (clerk, True)
    assert broken() == {}
    event = AuditEvent.objects.first()
    assert (event.type, event.target_type) == ("resident.merge_undone", "households.resident")


def test_undo_rolls_back_without_its_event(clerk, pair, monkeypatch):
    done = merge(clerk, *pair)
    before = tables()
    monkeypatch.setattr("households.services.merging.log.record_many", _fails)
    with pytest.raises(RuntimeError), transaction.atomic():
        undo(clerk, done)
    assert tables() == before


def undo_refused(by, done, words):
    before = tables()
    with pytest.raises(RuleViolation, match=words):
        undo(by, done)
    assert tables() == before


def test_undo_twice_is_refused(clerk, pair):
    done = merge(clerk, *pair)
    undo(clerk, done)
    undo_refused(clerk, done, "已经撤销过")


def test_undo_is_possible_on_the_thirtieth_day_and_not_after(clerk, pair):
    done = merge(clerk, *pair)
    late = done.made_at + timedelta(days=UNDO_DAYS)
    with pytest.raises(RuleViolation, match="超过30天"):
        services.undo_merge(by=clerk, merge=done, now=late + timedelta(seconds=1))
    services.undo_merge(by=clerk, merge=done, now=late)


def test_undo_is_refused_after_an_edit_of_the_person(clerk, pair):
    kept, merged = pair
    done = merge(clerk, kept, merged)
    Resident.objects.filter(pk=kept.pk).update(education="小学")
    undo_refused(clerk, done, "张小丽的资料又改过")


def test_undo_is_refused_after_something_new_hangs_on_the_person(clerk, pair):
    kept, merged = pair
    done = merge(clerk, kept, merged)
    make_birth(kept, date(2018, 1, 1))
    undo_refused(clerk, done, "生育史又有新的登记")


def test_undo_is_refused_after_a_row_that_moved_was_changed(clerk, home, pair, village):
    kept, merged = pair
    son = make_resident(home, "小孙", relation="其他", mother=merged, id_number="")
    done = merge(clerk, kept, merged)
    Resident.objects.filter(pk=son.pk).update(mother=None)
    undo_refused(clerk, done, "居民又有新的登记")


def test_undo_is_refused_where_another_head_has_come(clerk, home, mother, village):
    other = make_household(village)
    alone = make_resident(other, "段光超", sex="女", birth_date=date(1983, 6, 1), id_number="")
    done = merge(clerk, mother, alone)
    make_resident(other, "新户主", birth_date=date(1970, 1, 1))
    undo_refused(clerk, done, "户主、号码或孩次")


def test_undo_goes_backwards_through_several_merges(clerk, mother, pair, village):
    kept, merged = pair
    third = child_of(mother, make_household(village), relation="其他", id_number="")
    before = tables()
    first = merge(clerk, merged, third)
    second = merge(clerk, kept, merged)
    undo_refused(clerk, first, "先撤销后一次合并")
    undo(clerk, second)
    undo(clerk, first)
    assert tables() == before


def test_undo_by_another_township_is_refused(clerk, other_clerk, pair):
    undo_refused(other_clerk, merge(clerk, *pair), "不在您的区划内")


def test_decision_of_the_merged_record_counts_for_the_kept_one(clerk, mother, pair, village):
    kept, merged = pair
    third = child_of(mother, make_household(village), relation="其他", id_number="")
    first, second = sorted((merged, third), key=lambda p: p.pk)
    Duplicate.objects.create(
        first=first, second=second, reason="相同", state="different", decided_by=clerk,
        decided_at=NOW,
    )  # fmt: skip
    merge(clerk, kept, merged)
    services.find_duplicates(by=clerk, now=NOW)
    found = Duplicate.objects.get(first=kept, second=third)
    assert (found.state, Duplicate.objects.waiting().count()) == ("different", 0)


def test_database_refuses_a_merge_into_itself_and_a_second_one(clerk, pair):
    kept, merged = pair
    row = {"before": "{}", "made_by": clerk}
    for people in ({"kept": kept, "merged": kept}, {"kept": kept, "merged": merged}):
        if people["kept"] != people["merged"]:
            Merge.objects.create(**people, **row)
        with pytest.raises(IntegrityError), transaction.atomic():
            Merge.objects.create(**people, **row)


def test_database_wants_to_know_who_took_a_merge_back(clerk, pair):
    kept, merged = pair
    with pytest.raises(IntegrityError), transaction.atomic():
        Merge.objects.create(kept=kept, merged=merged, before="{}", made_by=clerk, undone_at=NOW)


@pytest.mark.parametrize("seed", range(12))
def test_random_families_merge_and_part_without_a_trace(clerk, village, other_village, seed):
    """Whatever hangs on whom: after a merge everything agrees, after its undo nothing is left."""
    chance = random.Random(seed)
    homes = [make_household(chance.choice([village, other_village])) for _ in range(3)]
    people = []
    for number in range(8):
        home = chance.choice(homes)
        has_head = any(p.household == home and p.relation == "户主" for p in people)
        person = make_resident(
            home, f"人{number % 3}", sex="女", birth_date=date(1970, 1, 1 + number),
            relation="其他" if has_head else "户主",
            id_number="" if chance.random() < 0.5 else None,
        )  # fmt: skip
        if chance.random() < 0.5:
            Residency.objects.filter(resident=person).update(started_on=date(2010, 1, 1))
            make_spell(person, None, date(2010, 1, 1), chance.choice(homes))
        people.append(person)
    for _ in range(10):
        child = chance.choice(people)
        mother = chance.choice([p for p in people if p != child])
        child.mother, child.mother_id_number = mother, mother.id_number
        child.mother_id_number_digest = mother.id_number_digest or ""
        child.save()
        order = ChildRecord.objects.filter(mother=mother).count() + 1
        born = date(1990 + order, 1, 1)
        make_birth(
            mother, born, order=order, child=child, child_name=child.name,
            child_id_number=child.id_number, child_id_number_digest=child.id_number_digest or "",
        )  # fmt: skip
    for one, other in (chance.sample(people, 2) for _ in range(3)):
        one.spouse, one.spouse_id_number = other, other.id_number
        one.spouse_id_number_digest = other.id_number_digest or ""
        one.save()
    services.find_duplicates(by=clerk, now=NOW)
    assert broken() == {}
    before, done = tables(), []
    for _ in range(40):
        kept, merged = chance.sample(people, 2)
        taken = set(chance.sample(["phone", "mother", "id_number", "birth_date", "name"], 2))
        try:
            done.append(merge(clerk, kept, merged, taken=taken))
        except RuleViolation:
            continue
        assert broken() == {}
    assert done, "nothing was merged: the families are too odd"
    for one in reversed(done):
        undo(clerk, one)
        assert broken() == {}
    assert tables() == before
