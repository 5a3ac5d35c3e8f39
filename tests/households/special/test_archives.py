"""The archives' list, the page of one, its health, and what the registry tells of it."""

from datetime import date

import pytest
from django.http import QueryDict
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.exports.selectors import sensitive_kinds
from fpadmin.ui.listing import HEALTH, LISTS, Asked, Selection
from households.models import CareRule, SpecialFamily
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.special import (
    make_archive,
    make_contact,
    make_person,
    make_record,
)

LIST = "households:special-family-list"
DETAIL = "households:special-family-detail"

pytestmark = pytest.mark.django_db


def _listed(client, **conditions) -> list[str]:
    page = client.get(reverse(LIST), conditions)
    return [row.record.household.number for row in page.context["list"].table.rows]


def test_list_shows_open_archives_with_contacts_and_this_month(family, clerk, sign_in):
    make_record(family.contacts.first(), TODAY.replace(day=2))
    SpecialFamily.objects.filter(pk=make_archive(family.household.village).pk).update(
        closed_on=TODAY, close_reason="other"
    )

    page = sign_in(clerk).get(reverse(LIST))

    rows = list(page.context["list"].table.rows)
    assert len(rows) == 1
    text = page.content.decode()
    assert "戴飞飞、董丽怡" in text
    assert "2/3" in text
    assert "2018-10-02" in text
    assert "已联系" in text


def test_closed_archives_are_behind_a_condition(family, clerk, sign_in):
    SpecialFamily.objects.filter(pk=family.pk).update(closed_on=TODAY, close_reason="other")
    client = sign_in(clerk)

    assert _listed(client) == []
    assert _listed(client, state="closed") == [family.household.number]
    assert _listed(client, state="all") == [family.household.number]


def test_propagandist_lists_the_families_whose_contact_he_is(family, contact, sign_in):
    own = make_archive(family.household.village)
    make_contact(own, make_person(own.household.village, user=contact))

    assert _listed(sign_in(contact)) == [own.household.number]


def test_former_contact_lists_the_family_no_longer(family, contact, sign_in):
    make_contact(
        family,
        make_person(family.household.village, user=contact),
        ended_on=TODAY,
        end_reason="换人",
    )

    assert _listed(sign_in(contact)) == []


@pytest.mark.parametrize(
    ("contacts", "conditions", "is_listed"),
    [
        (2, {"contacts": "short"}, True),
        (3, {"contacts": "short"}, False),
        (0, {"contacts": "none"}, True),
        (1, {"contacts": "none"}, False),
        (3, {"kind": "死亡"}, True),
        (3, {"kind": "伤残"}, False),
        (3, {"month": "due"}, True),
        (3, {"month": "met"}, False),
    ],
)
def test_list_is_narrowed_by(village, clerk, sign_in, contacts, conditions, is_listed):
    make_archive(village, contacts=contacts)

    assert bool(_listed(sign_in(clerk), **conditions)) is is_listed


def test_missed_months_of_the_year_are_found(village, clerk, sign_in):
    whole, lacking = make_archive(village, contacts=1), make_archive(village, contacts=1)
    for month in range(1, 10):
        make_record(whole.contacts.get(), TODAY.replace(month=month, day=9))
        if month != 5:
            make_record(lacking.contacts.get(), TODAY.replace(month=month, day=9))

    assert _listed(sign_in(clerk), missed="year") == [lacking.household.number]


def test_month_that_runs_is_not_missed_on_its_last_day(village, clerk, sign_in, settings):
    settings.TODAY = "2018-10-31"
    term = make_archive(village, contacts=1).contacts.get()
    for month in range(1, 10):
        make_record(term, date(2018, month, 9))
    assert _listed(sign_in(clerk), missed="year") == []
    assert _listed(sign_in(clerk), missed="twelve") == []
    settings.TODAY = "2018-11-01"
    assert _listed(sign_in(clerk), missed="year") == [term.family.household.number]


def test_month_is_due_until_it_has_as_many_contacts_as_are_asked_for(
    village, township, clerk, sign_in
):
    CareRule.objects.create(
        region=township, from_on=date(2018, 10, 1), contacts_per_month=2, document="办法",
        set_by=clerk,
    )  # fmt: skip
    term = make_archive(village, contacts=1).contacts.get()
    make_record(term, date(2018, 10, 1))
    number = term.family.household.number
    assert _listed(sign_in(clerk), month="due") == [number]
    make_record(term, date(2018, 10, 8))
    assert _listed(sign_in(clerk), month="due") == []
    assert _listed(sign_in(clerk), month="met") == [number]


def test_list_asks_as_often_for_many_archives(
    village, clerk, sign_in, assert_query_count_does_not_grow
):
    make_archive(village, contacts=2)
    client = sign_in(clerk)

    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-family-list"), {"contacts": "short"}),
        lambda: [make_archive(village, contacts=2) for _ in range(5)],
    )


def test_opening_an_archive_is_recorded_and_shown(family, clerk, reviewer, sign_in):
    sign_in(clerk).get(reverse(DETAIL, args=[family.pk]))

    page = sign_in(reviewer).get(reverse(DETAIL, args=[family.pk]))

    opened = AuditEvent.objects.filter(type="special.viewed", target_id=str(family.pk))
    assert [e.actor_id for e in opened.order_by("pk")] == [clerk.pk, reviewer.pk]
    assert [o.actor for o in page.context["openings"]] == [actor_of(reviewer), actor_of(clerk)]


def actor_of(user) -> str:
    return f"{user.name}（{user.username}）"


def test_contact_sees_the_archive_without_who_looked(family, contact, sign_in):
    make_contact(family, make_person(family.household.village, user=contact))

    page = sign_in(contact).get(reverse(DETAIL, args=[family.pk]))

    assert page.status_code == 200
    assert "谁看过" not in page.content.decode()
    assert "戴小飞" in page.content.decode()


def test_archive_of_others_is_not_found(family, contact, other_clerk, sign_in):
    assert sign_in(contact).get(reverse(DETAIL, args=[family.pk])).status_code == 404
    assert sign_in(other_clerk).get(reverse(DETAIL, args=[family.pk])).status_code == 404


def test_page_masks_numbers(family, clerk, sign_in):
    text = sign_in(clerk).get(reverse(DETAIL, args=[family.pk])).content.decode()

    for parent in family.parents.all():
        assert parent.resident.id_number not in text


def test_household_and_parents_lead_to_the_archive(family, clerk, sign_in):
    client = sign_in(clerk)
    pages = [family.household, *(p.resident for p in family.parents.all())]

    for one in pages:
        assert (
            f'href="{family.get_absolute_url()}"'
            in client.get(one.get_absolute_url()).content.decode()
        )


def test_household_without_archive_offers_one_to_the_clerk_alone(
    bereaved, clerk, reviewer, sign_in
):
    household = bereaved[0].household
    create = reverse("households:special-family-create", args=[household.pk])

    assert create in sign_in(clerk).get(household.get_absolute_url()).content.decode()
    assert create not in sign_in(reviewer).get(household.get_absolute_url()).content.decode()


@pytest.mark.parametrize("role", ["propagandist", "county"])
def test_nobody_else_learns_of_the_archive(family, village, county, role, sign_in):
    place = village if role == "propagandist" else county
    client = sign_in(make_user(role, place, "nobody"))
    head = family.parents.first().resident
    pages = [
        family.household.get_absolute_url(), head.get_absolute_url(),
        reverse("households:household-history", args=[family.household_id]),
        reverse("households:resident-history", args=[head.pk]),
        reverse("households:household-list"), reverse("households:resident-list"),
    ]  # fmt: skip

    for page in pages:
        body = client.get(page).content.decode().split("<main", 1)[1]
        assert "特殊家庭" not in body, page


def test_every_file_of_the_list_counts_as_health(family, clerk):
    spec = LISTS["special-families"]
    asked = Asked(clerk, QueryDict(), {}, TODAY)

    kinds = sensitive_kinds(spec, Selection(asked, is_all=True), [spec.column("parents")])

    assert kinds == {HEALTH}
