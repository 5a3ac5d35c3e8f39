"""重 and 漏: planted doubles and omissions are found exactly."""

from datetime import date

from django.utils import timezone

from households.models import Duplicate, LowIncomeSpell, Resident
from tests.factories.benefits import (
    make_application,
    make_enrolment,
    make_old_couple,
    switch_on,
)
from tests.factories.households import make_household, make_resident
from tests.factories.rosters import make_entry

ACCOUNT = "account-of-nine"


def enrolled(village, name="赵四", code="CN-RURAL", **values):
    person = make_resident(make_household(village), name, birth_date=date(1950, 3, 4), **values)
    make_enrolment(person, code)
    return person


def people_of(rows):
    return [row.resident for row in rows]


def test_two_excluding_policies_in_one_month(run, village):
    both = enrolled(village, hukou="非农业")
    make_enrolment(both, "SD-URBAN", date(2016, 1, 1))
    changed = enrolled(village, "改换的")
    changed.enrolments.update(end_month=date(2015, 12, 1), end_reason="户口性质变更")
    make_enrolment(changed, "SD-URBAN", date(2016, 1, 1))
    apart = enrolled(village, "两项都可", "CN-SPECIAL-DEATH")
    make_enrolment(apart, "LOCAL-LIVING")

    found = run()

    assert people_of(found.pop("excluding")) == [both]
    assert found == {}


def test_couple_with_two_lines_of_one_for_both(run, village):
    head, wife = make_old_couple(village, "00001")
    for one in (head, wife):
        make_enrolment(one, "SD-ONLY-CHILD")
        make_enrolment(one, "CN-RURAL")  # one for each: right

    found = run(rules=["twice", "excluding"])

    assert len(found["twice"]) == 1
    assert {found["twice"][0].enrolment.resident, found["twice"][0].other_enrolment.resident} == {
        head, wife
    }  # fmt: skip

    Resident.objects.filter(pk__in=[head.pk, wife.pk]).update(marital="离婚")
    assert run(rules=["twice", "excluding"]) == {}


def test_household_with_two_lines_of_one_for_all(run, village):
    head, wife = make_old_couple(village, "00001")
    son = make_resident(head.household, "儿子", relation="子")
    for one in (head, son):
        make_enrolment(one, "LOCAL-DIBAO")

    found = run(rules=["twice"])

    assert len(found["twice"]) == 1
    assert found["twice"][0].detail.startswith("一户登记了两份")


def test_one_account_for_nine_people_names_all_nine(run, village):
    nine = [enrolled(village, f"共用{n}") for n in range(9)]
    Resident.objects.filter(pk__in=[one.pk for one in nine]).update(bank_account_digest=ACCOUNT)
    head, wife = make_old_couple(village, "00001")
    Resident.objects.filter(pk__in=[head.pk, wife.pk]).update(bank_account_digest="one-home")
    for one in (head, wife):
        make_enrolment(one)
    stranger = make_resident(make_household(village), "不在册")
    Resident.objects.filter(pk=stranger.pk).update(bank_account_digest="one-home")

    found = run(rules=["account"])

    assert set(people_of(found["account"])) == set(nine)
    assert {row.detail for row in found["account"]} == {"9人9户共用一个银行账号"}


def test_two_registrations_of_one_person(run, village, far_village):
    first, second = enrolled(village, "王秀英"), enrolled(village, "王秀英")
    enrolled(village, "王秀兰")
    enrolled(far_village, "王秀英")  # with a number of her own in another township

    found = run()

    assert [(d.resident, d.other_enrolment.resident) for d in found.pop("registrations")] == [
        (first, second)
    ]
    assert found == {}

    Duplicate.objects.create(
        first=first, second=second, reason="姓名相同", state="different",
        decided_at=timezone.now(),
    )  # fmt: skip
    assert run() == {}


def test_a_pair_of_the_queue_counts_under_any_name(run, village, far_village, other_township):
    first, second = enrolled(village, "王秀英"), enrolled(far_village, "王秀莹")
    Duplicate.objects.create(first=first, second=second, reason="母亲相同")

    assert people_of(run()["registrations"]) == [first]
    assert people_of(run(other_township)["registrations"]) == [second]


def test_whoever_qualifies_without_a_line_is_missing(run, village, county, clerk):
    switch_on("CN-RURAL", county)
    (missing, on_roll), (applying, waived) = (
        make_old_couple(village, "00001"), make_old_couple(village, "00002")
    )  # fmt: skip
    make_old_couple(village, "00003", born=date(1959, 1, 1))  # too young
    make_enrolment(on_roll)
    make_application(applying, clerk)
    make_enrolment(waived, end_month=date(2016, 12, 1), end_reason="主动放弃")

    found = run()

    assert people_of(found.pop("missing")) == [missing]
    assert found == {}


def test_nobody_is_missing_from_a_policy_that_is_off_or_rests_on_attested_facts(
    run, village, county
):
    switch_on("CN-RURAL", county, is_on=False)
    switch_on("YN-MEDICAL", county)
    make_old_couple(village, "00001")

    assert run() == {}


def test_a_village_with_a_rule_of_its_own_is_asked_by_that(run, village, other_village, county):
    switch_on("CN-RURAL", county)
    switch_on("CN-RURAL", village, is_on=False)
    make_old_couple(village, "00001")
    there = make_old_couple(other_village, "00001")

    assert set(people_of(run()["missing"])) == set(there)


def test_the_line_of_husband_or_household_is_the_wifes_too(run, village, county):
    switch_on("LOCAL-DIBAO", county)
    head, wife = make_old_couple(village, "00001")
    LowIncomeSpell.objects.create(household=head.household)

    assert people_of(run()["missing"]) == [head]

    make_enrolment(wife, "LOCAL-DIBAO")
    assert run() == {}


def test_low_income_household_that_we_have_not_as_such(run, village, county, township):
    switch_on("LOCAL-DIBAO", county)
    head, wife = make_old_couple(village, "00001")
    three, _ = make_old_couple(village, "00002", girls=3)
    entry = make_entry(township, "民政低保", wife, date(2018, 1, 1))
    make_entry(township, "民政低保", three, date(2018, 1, 1))

    found = run()

    assert [(d.resident, d.entry) for d in found.pop("low_income")] == [(head, entry)]
    assert found == {}

    LowIncomeSpell.objects.create(household=head.household, started_on=date(2018, 1, 1))
    assert list(run()) == ["missing"]
