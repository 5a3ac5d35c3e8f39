"""What the office asks of contacts: rules by region and day, and the families that fall short of them."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.ui.todos import todos_for
from households import services
from households.models import CareRule, FamilyContact, SpecialFamily
from households.special import contact_section, rule_list, staffing
from households.special.rules import rule_book
from tests.factories.special import make_archive, make_contact, make_person

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)
VALUES = {
    "contacts_required": 2, "kinds_required": ["街道领导", "村居干部"], "contacts_per_month": 1,
    "visits_per_year": 2, "archive_age": 35, "overdue_days": 10, "hotline": "", "document": "双岗",
}  # fmt: skip
CREATE = "/registry/special/rules/new/"


def set_rule(by, region, from_on=TODAY, **values):
    return services.set_care_rule(
        by=by, region=region, from_on=from_on, values=VALUES | values, today=TODAY
    )


def short(day=TODAY) -> dict[int, list[str]]:
    found = staffing.shortfalls(SpecialFamily.objects.all(), day)
    return {family.pk: staffing.words_of(family) for family in found}


# Who falls short -------------------------------------------------------------------------------


@pytest.mark.parametrize(("contacts", "falls_short"), [(2, True), (3, False), (4, False)])
def test_default_asks_for_three_contacts(village, contacts, falls_short):
    family = make_archive(village, contacts=contacts)
    assert short() == ({family.pk: ["要求3名联系人，现有2名"]} if falls_short else {})


def test_kinds_that_are_missing_are_named(village, township, reviewer):
    set_rule(reviewer, township)
    family = make_archive(village, contacts=2)
    assert short() == {family.pk: ["没有街道领导"]}
    make_contact(family, make_person(village, kind="街道领导"))
    assert short() == {}


def test_number_and_kind_may_both_be_missing(village, township, reviewer):
    set_rule(reviewer, township, contacts_required=3, kinds_required=["街道领导", "家庭医生"])
    family = make_archive(village, contacts=1)
    assert short() == {family.pk: ["要求3名联系人，现有1名", "没有街道领导、家庭医生"]}


def test_day_of_a_hand_over_counts_the_new_contact_once(village, township, reviewer):
    set_rule(reviewer, township, contacts_required=1, kinds_required=["街道领导"])
    family = make_archive(village)
    old = make_contact(family, make_person(village, kind="街道领导"), ended_on=TODAY)
    make_contact(family, started_on=TODAY, follows=old)
    assert short(TODAY - timedelta(days=1)) == {family.pk: ["要求3名联系人，现有1名"]}
    assert short(TODAY) == {family.pk: ["没有街道领导"]}


def test_nearest_rule_counts(village, far_village, county, township, county_user, reviewer):
    set_rule(county_user, county, contacts_required=1, kinds_required=[])
    set_rule(reviewer, township, contacts_required=2, kinds_required=[])
    near, far = make_archive(village, contacts=1), make_archive(far_village, contacts=1)
    assert set(short()) == {near.pk}
    assert set(short(TODAY - timedelta(days=1))) == {near.pk, far.pk}


def test_shortfalls_of_many_families_are_one_query(
    village, township, reviewer, django_assert_num_queries
):
    set_rule(reviewer, township)
    for _ in range(3):
        make_archive(village, contacts=1)
    book = rule_book(TODAY)
    with django_assert_num_queries(1):
        found = list(staffing.shortfalls(SpecialFamily.objects.all(), TODAY, book))
    assert len(found) == 3


def test_section_warns_and_names_what_is_missing(clerk, village, township, reviewer):
    set_rule(reviewer, township)
    family = make_archive(village, contacts=1)
    context = contact_section.contacts_context(clerk, family, TODAY)
    assert context["missing"] == ["要求2名联系人，现有1名", "没有街道领导"]
    assert context["asked"] == "每户2名，其中须有街道领导、村居干部"
    make_contact(family, make_person(village, kind="街道领导"))
    assert contact_section.contacts_context(clerk, family, TODAY)["missing"] == []


def test_closed_archive_misses_nobody(clerk, village):
    family = make_archive(village, contacts=1)
    services.close_archive(by=clerk, family=family, closed_on=TODAY, reason="moved", today=TODAY)
    assert contact_section.contacts_context(clerk, family, TODAY)["missing"] == []


def test_task_counts_what_its_list_shows(clerk, village, township, reviewer, sign_in):
    set_rule(reviewer, township)
    make_archive(village, contacts=2)
    complete = make_archive(village, contacts=1)
    make_contact(complete, make_person(village, kind="街道领导"))
    (todo,) = [t for t in todos_for(clerk, TODAY) if t.label == "特殊家庭联系人不足"]
    shown = sign_in(clerk).get(todo.url).context["list"].total
    assert todo.count == shown == 1


# The rule --------------------------------------------------------------------------------------


def test_rule_begins_this_month_at_the_earliest(reviewer, township):
    with pytest.raises(RuleViolation, match="不能早于本月1日（2018-10-01）"):
        set_rule(reviewer, township, date(2018, 9, 30))
    rule = set_rule(reviewer, township, date(2018, 10, 1))
    assert CareRule.objects.get() == rule
    event = AuditEvent.objects.get(type="special.rule_set")
    assert (event.region_path, event.changes["document"]) == (township.path, ["", "双岗"])


def test_rule_of_the_same_day_is_replaced(reviewer, township):
    set_rule(reviewer, township, contacts_required=3)
    set_rule(reviewer, township, contacts_required=4)
    assert CareRule.objects.get().contacts_required == 4


def test_more_kinds_than_contacts_are_refused(reviewer, township):
    with pytest.raises(RuleViolation, match="不够分"):
        set_rule(reviewer, township, contacts_required=1)
    assert not CareRule.objects.exists()


def test_rule_of_another_region_is_refused(reviewer, other_township):
    with pytest.raises(RuleViolation):
        set_rule(reviewer, other_township)
    assert not CareRule.objects.exists()


def test_rule_rolls_back_with_its_event(reviewer, township, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("households.services.special_families.log.record", fail)
    with pytest.raises(RuntimeError):
        set_rule(reviewer, township)
    assert not CareRule.objects.exists()


def test_preview_counts_families_of_the_region_under_the_new_rule(
    village, far_village, county, township, other_township, county_user
):
    set_rule(county_user, other_township, contacts_required=1, kinds_required=[])
    make_archive(village, contacts=1)
    make_archive(village, contacts=3)
    make_archive(far_village, contacts=1)
    assert staffing.numbers_now(county, TODAY) == (1, 3)
    # The other township keeps its own rule.
    assert staffing.numbers_under(county, VALUES | {"contacts_required": 4}, TODAY) == (2, 3)
    assert not CareRule.objects.filter(region=county).exists()


def test_list_says_which_rule_counts_and_where_it_comes_from(
    clerk, reviewer, county_user, county, township, sign_in
):
    assert rule_list.in_force(clerk, TODAY).source == rule_list.DEFAULT_SOURCE
    set_rule(county_user, county)
    page = sign_in(clerk).get(reverse("households:special-rule-list"))
    assert page.context["current"].source == county.name
    assert "本级没有另外设定" in page.content.decode()
    assert [r.region for r in page.context["list"].page.object_list] == [county]
    set_rule(reviewer, township)
    set_rule(reviewer, township, date(2018, 11, 1))
    states = {(r.region_id, r.from_on): r.state for r in rule_list.rules_for(clerk, TODAY)}
    assert states == {
        (county.pk, TODAY): "now",
        (township.pk, TODAY): "now",
        (township.pk, date(2018, 11, 1)): "later",
    }
    assert rule_list.in_force(clerk, TODAY).is_own
    later = {r.state for r in rule_list.rules_for(clerk, date(2018, 11, 1)) if r.from_on == TODAY}
    assert later == {"now", "past"}


def test_rules_of_another_township_are_not_shown(clerk, county_user, other_township):
    set_rule(county_user, other_township)
    assert not rule_list.rules_for(clerk, TODAY).exists()


def test_list_asks_no_more_for_more_rules(
    reviewer, township, sign_in, assert_query_count_does_not_grow
):
    client, url = sign_in(reviewer), reverse("households:special-rule-list")
    set_rule(reviewer, township)
    client.get(url)

    def grow():
        for day in range(10, 16):
            set_rule(reviewer, township, date(2018, 10, day))

    assert_query_count_does_not_grow(lambda: client.get(url), grow)


def test_county_sets_a_rule_after_seeing_the_numbers_only(county_user, village, county, sign_in):
    family = make_archive(village, contacts=3)
    client = sign_in(county_user)
    data = VALUES | {"from_on": "2018-10-1", "hotline": "0871-1234567"}
    check = client.post(CREATE, data | {"step": "check"})
    assert (check.context["short"], check.context["total"]) == (1, 1)
    assert not CareRule.objects.exists()
    assert "戴飞飞" not in check.content.decode()
    save = client.post(CREATE, data | {"step": "save"})
    assert save.status_code == 302
    rule = CareRule.objects.get()
    assert (rule.region, rule.kinds_required) == (county, ["街道领导", "村居干部"])
    assert FamilyContact.objects.filter(family=family).count() == 3


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"from_on": "2018-9-30"}, "生效日期不能早于本月1日"),
        ({"contacts_required": "0"}, "不能小于1"),
        ({"kinds_required": ["镇长"]}, "其中须有"),
        ({"document": ""}, "请填写依据文件"),
        ({"contacts_required": "1"}, "不够分"),
    ],
    ids=["past", "none", "kind", "document", "kinds"],
)
def test_wrong_rule_is_refused_on_the_form(reviewer, sign_in, fault, words):
    data = VALUES | {"from_on": "2018-10-9", "step": "save"} | fault
    answer = sign_in(reviewer).post(CREATE, data)
    assert answer.context["form"].errors
    assert words in answer.content.decode()
    assert not CareRule.objects.exists()


def test_county_is_led_to_no_page_that_is_closed_to_it(county_user, reviewer, sign_in):
    archives = reverse("households:special-family-list")
    for url in (reverse("households:special-rule-list"), CREATE):
        assert f'href="{archives}"' not in sign_in(county_user).get(url).content.decode()
        assert f'href="{archives}"' in sign_in(reviewer).get(url).content.decode()
