"""Care of special families: what is recorded, refused, ended and removed, and what the trail says."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from households.models import (
    AidReceived,
    Anniversary,
    DoctorContract,
    HealthCheck,
    MedicalCard,
    NursingInsurance,
    PriorityService,
)
from households.services import special_care as care
from households.special import benefits, doctor_contracts
from households.special.benefits import BenefitRow
from tests.factories.households import make_household, make_resident
from tests.factories.special import make_archive, make_contact, make_person
from tests.factories.special_care import (
    make_aid,
    make_anniversary,
    make_card,
    make_check,
    make_doctor_contract,
    make_insurance,
    make_priority,
    parent_of,
)

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)
TOMORROW = date(2018, 10, 10)
DAY = date(2018, 9, 1)


def values_for(model, family) -> dict:
    one = parent_of(family)
    return {
        MedicalCard: {"resident": one, "number": "A1", "issued_on": DAY, "expires_on": TODAY},
        PriorityService: {"resident": one, "kind": "取药", "hospital": "市医院", "used_on": DAY},
        HealthCheck: {"resident": one, "checked_on": DAY, "hospital": "卫生院", "result": "高血压"},
        DoctorContract: {
            "resident": one, "institution": "卫生院", "doctor": "林霞丹", "signed_on": DAY,
            "until": date(2019, 8, 31),
        },
        NursingInsurance: {"insurer": "人寿", "starts_on": DAY, "ends_on": date(2019, 8, 31)},
        AidReceived: {"resident": one, "name": "临时救助", "received_on": DAY, "amount": Decimal(5)},
        Anniversary: {"title": "小飞的生日", "month": 2, "day": 29},
    }[model]  # fmt: skip


def record(by, model, family, **changes):
    values = values_for(model, family) | changes
    return care.record_care(by=by, model=model, family=family, values=values, today=TODAY)


MODELS = [
    MedicalCard, PriorityService, HealthCheck, DoctorContract, NursingInsurance, AidReceived,
    Anniversary,
]  # fmt: skip


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_row_is_kept_and_recorded_without_particulars(clerk, village, model):
    family = make_archive(village)
    row = record(clerk, model, family)
    row.refresh_from_db()
    for name, value in values_for(model, family).items():
        assert getattr(row, name) == value
    event = AuditEvent.objects.get(type="special.care_recorded")
    assert (event.target_type, event.target_id) == (model._meta.label_lower, str(row.pk))
    assert event.region_path == village.path
    for particular in ("高血压", "戴飞飞", "小飞", "市医院", "A1", "救助"):
        assert particular not in str(event.changes)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_nothing_new_comes_into_a_closed_archive(clerk, village, model):
    family = make_archive(village)
    family.closed_on, family.close_reason = DAY, "other"
    family.save(update_fields=["closed_on", "close_reason"])
    with pytest.raises(RuleViolation, match="已经结案"):
        record(clerk, model, family)
    assert not model.objects.exists()


@pytest.mark.parametrize(
    ("model", "changes", "words", "field"),
    [
        (MedicalCard, {"issued_on": TOMORROW, "expires_on": None}, "不能晚于今天", "issued_on"),
        (MedicalCard, {"expires_on": date(2018, 8, 31)}, "不能早于发卡日期", "expires_on"),
        (PriorityService, {"used_on": TOMORROW}, "不能晚于今天", "used_on"),
        (HealthCheck, {"checked_on": TOMORROW}, "不能晚于今天", "checked_on"),
        (DoctorContract, {"signed_on": TOMORROW}, "不能晚于今天", "signed_on"),
        (DoctorContract, {"until": date(2018, 8, 31)}, "不能早于签约日期", "until"),
        (NursingInsurance, {"ends_on": date(2018, 8, 31)}, "不能早于起保日期", "ends_on"),
        (NursingInsurance, {"insurer": ""}, "请填写保险公司或保单号", "insurer"),
        (AidReceived, {"received_on": TOMORROW}, "不能晚于今天", "received_on"),
        (AidReceived, {"amount": Decimal(0)}, "要大于0", "amount"),
        (Anniversary, {"day": 30}, "没有2月30日这一天", "day"),
    ],
)
def test_wrong_days_and_amounts_are_refused_in_words(clerk, village, model, changes, words, field):
    family = make_archive(village)
    with pytest.raises(RuleViolation, match=words) as refusal:
        record(clerk, model, family, **changes)
    assert refusal.value.field == field
    assert not model.objects.exists()
    assert not AuditEvent.objects.filter(type="special.care_recorded").exists()


@pytest.mark.parametrize(
    "model",
    [MedicalCard, PriorityService, HealthCheck, DoctorContract, AidReceived],
    ids=lambda m: m.__name__,
)
def test_somebody_of_another_family_is_refused(clerk, village, model):
    family = make_archive(village)
    stranger = make_resident(make_household(village), "外人")
    with pytest.raises(RuleViolation, match="外人不是") as refusal:
        record(clerk, model, family, resident=stranger)
    assert refusal.value.field == "resident"


def test_member_who_is_no_parent_may_hold_a_card_but_not_sign_a_contract(clerk, village):
    family = make_archive(village)
    grandmother = make_resident(family.household, "奶奶", sex="女", relation="母")
    assert record(clerk, MedicalCard, family, resident=grandmother).resident == grandmother
    with pytest.raises(RuleViolation, match="不是这份档案的父母"):
        record(clerk, DoctorContract, family, resident=grandmother)


def test_number_of_another_family_of_the_township_is_refused_without_naming_it(
    clerk, village, other_village
):
    first, second = make_archive(village), make_archive(other_village)
    record(clerk, MedicalCard, first)
    with pytest.raises(RuleViolation, match="就医卡A1在本乡镇（街道）已登记给另一户") as refusal:
        record(clerk, MedicalCard, second)
    assert "戴" not in refusal.value.message
    assert first.household.number not in refusal.value.message


def test_number_is_free_again_once_ended_and_in_another_township(
    clerk, other_clerk, village, other_village, far_village
):
    card = record(clerk, MedicalCard, make_archive(village))
    assert record(other_clerk, MedicalCard, make_archive(far_village)).number == "A1"
    care.end_card(by=clerk, card=card, ended_on=TODAY, reason="登记错误", today=TODAY)
    assert record(clerk, MedicalCard, make_archive(other_village)).number == "A1"


def test_family_has_a_number_once(clerk, village):
    family = make_archive(village)
    record(clerk, MedicalCard, family)
    with pytest.raises(RuleViolation, match="这一户已登记过就医卡A1"):
        record(clerk, MedicalCard, family, resident=None)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_card(family, "A1")


def test_card_ends_once_by_today_and_not_before_its_issue(clerk, village):
    card = make_card(make_archive(village), issued_on=DAY)
    end = {"by": clerk, "card": card, "reason": "遗失", "today": TODAY}
    with pytest.raises(RuleViolation, match="不能晚于今天"):
        care.end_card(ended_on=TOMORROW, **end)
    with pytest.raises(RuleViolation, match="不能早于发卡日期"):
        care.end_card(ended_on=date(2018, 8, 31), **end)
    care.end_card(ended_on=TODAY, **end)
    card.refresh_from_db()
    assert (card.ended_on, card.end_reason) == (TODAY, "遗失")
    assert AuditEvent.objects.get(type="special.card_ended").target_id == str(card.pk)
    with pytest.raises(RuleViolation, match="已于2018-10-09停用"):
        care.end_card(ended_on=TODAY, **end)


def test_second_card_of_a_holder_who_has_a_valid_one_is_refused_towards_replacing(clerk, village):
    family = make_archive(village)
    one, other = parent_of(family), make_resident(family.household, "奶奶", sex="女", relation="母")
    record(clerk, MedicalCard, family)
    with pytest.raises(RuleViolation, match="已有有效的就医卡A1.*“换卡”") as refusal:
        record(clerk, MedicalCard, family, number="A2", expires_on=None)
    assert refusal.value.field == "number"
    assert record(clerk, MedicalCard, family, number="A3", resident=other).number == "A3"
    history = {"issued_on": date(2016, 1, 1), "expires_on": date(2017, 12, 31)}
    past = record(clerk, MedicalCard, family, number="A0", **history)
    with pytest.raises(RuleViolation, match="已有有效的就医卡A1"):
        care.correct_care(by=clerk, row=past, values={"expires_on": TODAY}, today=TODAY)
    moved = MedicalCard.objects.get(number="A3")
    with pytest.raises(RuleViolation, match="已有有效的就医卡A1"):
        care.correct_care(by=clerk, row=moved, values={"resident": one}, today=TODAY)

    record(clerk, MedicalCard, family, number="A4", resident=None)
    with pytest.raises(RuleViolation, match="这一户已有有效的就医卡A4"):
        record(clerk, MedicalCard, family, number="A5", resident=None)
    assert set(MedicalCard.objects.values_list("number", flat=True)) == {"A0", "A1", "A3", "A4"}


def test_card_may_follow_one_that_ran_out_and_cards_side_by_side_may_be_corrected(clerk, village):
    family = make_archive(village)
    one = parent_of(family)
    make_card(family, "A1", resident=one, expires_on=date(2018, 10, 8))
    record(clerk, MedicalCard, family, number="A2")
    twin = make_card(family, "A3", resident=one)
    care.correct_care(by=clerk, row=twin, values={"number": "A33"}, today=TODAY)
    assert MedicalCard.objects.filter(number="A33").exists()


def test_replacing_a_card_ends_it_and_issues_another_to_the_same_holder(clerk, village):
    family = make_archive(village)
    card = make_card(family, "A1", resident=parent_of(family))
    new = care.replace_card(
        by=clerk, card=card, number="A2", day=TODAY, expires_on=None, today=TODAY
    )
    card.refresh_from_db()
    assert (card.ended_on, card.end_reason) == (TODAY, "换卡")
    assert (new.number, new.resident, new.issued_on) == ("A2", card.resident, TODAY)


def test_refused_replacement_leaves_the_old_card(clerk, village, other_village):
    make_card(make_archive(other_village), "A2")
    card = make_card(make_archive(village), "A1")
    with pytest.raises(RuleViolation, match="就医卡A2"):
        care.replace_card(by=clerk, card=card, number="A2", day=TODAY, expires_on=None, today=TODAY)
    card.refresh_from_db()
    assert card.ended_on is None


@pytest.mark.parametrize(
    ("signed_on", "until", "refused"),
    [
        (date(2018, 5, 5), date(2018, 5, 31), True),
        (date(2017, 1, 1), date(2018, 1, 1), True),  # the last day of one, the first of the other
        (date(2017, 1, 1), date(2017, 12, 31), False),
        (date(2018, 6, 30), date(2019, 6, 29), True),
        (date(2018, 7, 1), date(2019, 6, 30), False),
    ],
)
def test_contracts_of_one_person_never_run_side_by_side(clerk, village, signed_on, until, refused):
    family = make_archive(village)
    make_doctor_contract(family, date(2018, 1, 1), until=date(2018, 6, 30))
    if refused:
        with pytest.raises(RuleViolation, match="2018-01-01至2018-06-30已有家庭医生签约"):
            record(clerk, DoctorContract, family, signed_on=signed_on, until=until)
    else:
        assert record(clerk, DoctorContract, family, signed_on=signed_on, until=until).pk


def test_on_the_day_a_contract_is_ended_another_begins(clerk, village):
    family = make_archive(village)
    old = make_doctor_contract(family, DAY)
    end = {"by": clerk, "contract": old, "today": TODAY}
    with pytest.raises(RuleViolation, match="要在签约期间"):
        care.end_contract(ended_on=date(2018, 8, 31), **end)
    with pytest.raises(RuleViolation, match="不能晚于今天"):
        care.end_contract(ended_on=TOMORROW, **end)
    care.end_contract(ended_on=TODAY, **end)
    assert AuditEvent.objects.get(type="special.contract_ended").changes == {
        "ended_on": ["", "2018-10-09"]
    }
    with pytest.raises(RuleViolation, match="已于2018-10-09终止"):
        care.end_contract(ended_on=TODAY, **end)
    new = record(clerk, DoctorContract, family, signed_on=TODAY, until=date(2019, 10, 8))
    before, now = (doctor_contracts.own_contracts(d) for d in (date(2018, 10, 8), TODAY))
    assert ([c.pk for c in before], [c.pk for c in now]) == ([old.pk], [new.pk])


def test_wife_and_husband_sign_side_by_side(clerk, village):
    family = make_archive(village)
    wife = family.parents.order_by("pk").last().resident
    record(clerk, DoctorContract, family)
    assert record(clerk, DoctorContract, family, resident=wife).resident == wife


def test_second_check_of_a_day_is_refused(clerk, village):
    family = make_archive(village)
    record(clerk, HealthCheck, family)
    with pytest.raises(RuleViolation, match="2018-09-01的体检已经登记"):
        record(clerk, HealthCheck, family)


def test_correction_says_what_changed_but_not_how(clerk, village):
    check = make_check(make_archive(village), date(2018, 9, 2), result="正常")
    care.correct_care(
        by=clerk, row=check, values={"result": "高血压", "checked_on": DAY}, today=TODAY
    )
    check.refresh_from_db()
    assert (check.result, check.checked_on) == ("高血压", DAY)
    event = AuditEvent.objects.get(type="special.care_corrected")
    assert event.changes == {"result": ["已变更"], "checked_on": ["2018-09-02", "2018-09-01"]}


def test_correction_is_refused_like_a_new_row(clerk, village):
    check = make_check(make_archive(village), DAY)
    with pytest.raises(RuleViolation, match="不能晚于登记日期2018-09-01"):
        care.correct_care(by=clerk, row=check, values={"checked_on": TODAY}, today=TODAY)
    card = make_card(make_archive(village), "A1", ended_on=TODAY)
    with pytest.raises(RuleViolation, match="不能再更正"):
        care.correct_care(by=clerk, row=card, values={"number": "A2"}, today=TODAY)


@pytest.mark.parametrize(
    "make", [make_priority, make_check, make_insurance, make_aid, make_anniversary]
)
def test_row_is_removed_and_the_trail_says_why(clerk, village, make):
    row = make(make_archive(village))
    care.remove_care(by=clerk, row=row, reason="double")
    assert not type(row).objects.filter(pk=row.pk).exists()
    event = AuditEvent.objects.get(type="special.care_removed")
    assert event.target_id == str(row.pk)
    assert event.changes["reason"] == ["", "重复登记"]
    if hasattr(row, "used_on"):
        assert event.changes["used_on"] == ["2018-05-06", ""]


@pytest.mark.parametrize("make", [make_card, make_doctor_contract])
def test_cards_and_contracts_are_not_removed(clerk, village, make):
    row = make(make_archive(village))
    with pytest.raises(RuleViolation, match="请停用或终止"):
        care.remove_care(by=clerk, row=row, reason="mistake")
    assert type(row).objects.filter(pk=row.pk).exists()


def test_nothing_is_written_for_a_family_of_another_place(other_clerk, village):
    family = make_archive(village)
    card, check = make_card(family), make_check(family)
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        record(other_clerk, AidReceived, family)
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        care.end_card(by=other_clerk, card=card, ended_on=TODAY, reason="x", today=TODAY)
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        care.remove_care(by=other_clerk, row=check, reason="mistake")
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        care.record_checks(
            by=other_clerk, parents=list(family.parents.all()), checked_on=TODAY, hospital="x",
            today=TODAY,
        )  # fmt: skip
    card.refresh_from_db()
    assert card.ended_on is None
    assert not AidReceived.objects.exists()
    assert list(HealthCheck.objects.all()) == [check]


def test_contact_records_a_use_and_nobody_elses_contact(propagandist, village):
    own, other = make_archive(village), make_archive(village)
    make_contact(own, make_person(village, user=propagandist))
    assert record(propagandist, PriorityService, own).recorded_by == propagandist
    with pytest.raises(RuleViolation, match="不在您的区划内"):
        record(propagandist, PriorityService, other)


def test_check_of_many_is_one_day_at_one_hospital(clerk, village):
    first, second = make_archive(village), make_archive(village)
    parents = [*first.parents.all(), *second.parents.all()]
    make_check(first, TODAY, parents[0].resident)
    dead = parents[1].resident
    dead.death_date = date(2018, 10, 1)
    dead.save(update_fields=["death_date"])
    refused = care.record_checks(
        by=clerk, parents=parents, checked_on=TODAY, hospital="卫生院", today=TODAY
    )
    assert refused == {
        parents[0].pk: "2018-10-09的体检已经登记",
        parents[1].pk: "已于2018-10-01去世",
    }
    new = HealthCheck.objects.filter(hospital="卫生院")
    assert {check.resident for check in new} == {p.resident for p in parents[2:]}
    assert AuditEvent.objects.filter(type="special.check_recorded").count() == 2
    with pytest.raises(RuleViolation, match="不能晚于今天"):
        care.record_checks(
            by=clerk, parents=parents, checked_on=TOMORROW, hospital="卫生院", today=TODAY
        )


def test_nothing_stays_where_the_event_fails(clerk, village, monkeypatch):
    family = make_archive(village)
    card, contract = make_card(family), make_doctor_contract(family)
    check = make_check(family)

    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr(log, "record", fail)
    monkeypatch.setattr(log, "record_many", fail)
    parents = list(family.parents.all())
    for act in (
        lambda: record(clerk, AidReceived, family),
        lambda: care.correct_care(by=clerk, row=check, values={"hospital": "x"}, today=TODAY),
        lambda: care.remove_care(by=clerk, row=check, reason="mistake"),
        lambda: care.end_card(by=clerk, card=card, ended_on=TODAY, reason="x", today=TODAY),
        lambda: care.end_contract(by=clerk, contract=contract, ended_on=TODAY, today=TODAY),
        lambda: care.record_checks(
            by=clerk, parents=parents, checked_on=TODAY, hospital="x", today=TODAY
        ),
    ):
        with pytest.raises(RuntimeError):
            act()
    for row in (card, contract, check):
        row.refresh_from_db()
    assert (card.ended_on, contract.ended_on, check.hospital) == (None, None, "街道卫生院")
    assert not AidReceived.objects.exists()
    assert HealthCheck.objects.count() == 1


# Registries -------------------------------------------------------------------------------------


def test_contracts_of_other_sources_count_beside_our_own(village, monkeypatch):
    """As eldercare will register its own: here with a second look at the same table."""
    family = make_archive(village)
    first, second = (p.resident for p in family.parents.order_by("pk"))
    make_doctor_contract(family, resident=first)
    monkeypatch.setattr(doctor_contracts, "SOURCES", dict(doctor_contracts.SOURCES))
    monkeypatch.setattr(doctor_contracts, "LABELS", dict(doctor_contracts.LABELS))
    parents = family.parents.order_by("pk")
    assert [p.pk for p in parents.filter(doctor_contracts.under_contract(TODAY))] == [parents[0].pk]
    make_doctor_contract(family, resident=second, doctor="别处的医生", ended_on=DAY)
    doctor_contracts.register(
        "elsewhere", lambda day: DoctorContract.objects.filter(doctor="别处的医生"), "医养结合"
    )
    found = doctor_contracts.contracts_of([first.pk, second.pk], TODAY)
    assert [c.source for c in found[first.pk]] == ["特殊家庭登记"]
    assert [(c.doctor, c.source) for c in found[second.pk]] == [("别处的医生", "医养结合")]
    doctors = parents.filter(doctor_contracts.under_contract(TODAY)).annotate(
        doctor=doctor_contracts.contract_value(TODAY, "doctor")
    )
    assert [p.doctor for p in doctors] == ["林霞丹", "别处的医生"]
    with pytest.raises(ValueError, match="twice"):
        doctor_contracts.register("elsewhere", doctor_contracts.own_contracts, "x")


def test_benefits_of_other_sources_follow_in_order(village, monkeypatch):
    family = make_archive(village)
    monkeypatch.setattr(benefits, "SOURCES", {})
    row = BenefitRow("特别扶助金", date(2018, 1, 1), amount=Decimal(450))
    benefits.register("subsidies", lambda family, day: [row])
    assert benefits.benefits_of(family, TODAY) == [row]
    with pytest.raises(ValueError, match="twice"):
        benefits.register("subsidies", lambda family, day: [])


# What the database holds ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (make_card, {"number": ""}),
        (make_card, {"issued_on": TODAY, "expires_on": DAY}),
        (make_card, {"issued_on": TODAY, "ended_on": DAY}),
        (make_priority, {"kind": "住院"}),
        (make_priority, {"used_on": TODAY, "recorded_on": DAY}),
        (make_check, {"checked_on": TODAY, "recorded_on": DAY}),
        (make_doctor_contract, {"until": date(2018, 1, 1)}),
        (make_doctor_contract, {"ended_on": date(2018, 1, 1)}),
        (make_insurance, {"ends_on": date(2018, 1, 1)}),
        (make_aid, {"amount": 0}),
        (make_anniversary, {"month": 13}),
        (make_anniversary, {"day": 32}),
    ],
)
def test_database_refuses(village, make, values):
    family = make_archive(village)
    if make is make_card and values.get("number") == "":
        with pytest.raises(IntegrityError), transaction.atomic():
            MedicalCard.objects.create(family=family, number="")
        return
    with pytest.raises(IntegrityError), transaction.atomic():
        make(family, **values)


@pytest.mark.parametrize("make", [make_check, make_doctor_contract])
def test_database_holds_one_a_day(village, make):
    family = make_archive(village)
    make(family)
    with pytest.raises(IntegrityError), transaction.atomic():
        make(family)
