"""An archive opened, corrected, closed, moved; its health; what came of a review."""

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from households.models import ArchiveReview, FollowUp, Resident, SpecialFamily
from tests.conftest import TODAY
from tests.factories.households import make_household
from tests.factories.special import (
    make_bereaved,
    make_contact,
    make_person,
)

DETAIL = "households:special-family-detail"

pytestmark = pytest.mark.django_db


def _filled(page, **typed) -> dict:
    """What a browser posts of the form of `page`, with other answers."""
    form = page.context["form"]
    values = {f.html_name: f.value() for f in form if f.value() not in (None, False, "")}
    for name in ("row_version", "opened"):
        if name in page.context:
            values[name] = page.context[name]
    return values | typed


def test_create_form_ticks_the_parents_and_knows_the_kind(bereaved, clerk, sign_in):
    head, wife = bereaved
    client = sign_in(clerk)
    address = reverse("households:special-family-create", args=[head.household_id])

    answer = client.post(address, _filled(client.get(address), needs="陪同就医"))

    family = SpecialFamily.objects.get(household=head.household)
    assert answer["Location"] == family.get_absolute_url()
    assert (family.kind, family.needs) == ("死亡", "陪同就医")
    assert {p.resident_id for p in family.parents.all()} == {head.pk, wife.pk}


def test_create_form_shows_the_refusal_of_a_living_healthy_child(village, clerk, sign_in):
    head, _ = make_bereaved(village, died=None)
    client = sign_in(clerk)
    address = reverse("households:special-family-create", args=[head.household_id])

    page = client.post(address, _filled(client.get(address), kind="死亡"))

    assert page.status_code == 200
    assert "1个健在的子女" in page.content.decode()
    assert not SpecialFamily.objects.exists()


def test_create_form_refuses_a_second_archive(family, clerk, sign_in):
    client = sign_in(clerk)
    address = reverse("households:special-family-create", args=[family.household_id])
    head = family.parents.first().resident

    page = client.post(
        address, {"kind": "死亡", "opened_on": "2018-10-09", f"parent_{head.pk}": "on"}
    )

    assert "不能再建一份" in page.content.decode()
    assert client.get(address)["Location"] == family.get_absolute_url()


def test_create_form_asks_for_a_parent(bereaved, clerk, sign_in):
    address = reverse("households:special-family-create", args=[bereaved[0].household_id])

    page = sign_in(clerk).post(address, {"kind": "死亡", "opened_on": "2018-10-09"})

    assert "请选择这份档案的父母，至少一位。" in page.content.decode()


def test_edit_saves_kind_and_leaves_out_a_parent(family, clerk, sign_in):
    client = sign_in(clerk)
    address = reverse("households:special-family-edit", args=[family.pk])
    gone = family.parents.last()
    values = _filled(client.get(address), difficulties="独居")
    del values[f"parent_{gone.resident_id}"]

    assert client.post(address, values)["Location"] == family.get_absolute_url()

    family.refresh_from_db()
    gone.refresh_from_db()
    assert family.difficulties == "独居"
    assert gone.ended_on == TODAY


def test_two_edits_at_once_show_both_sides(family, clerk, sign_in):
    client = sign_in(clerk)
    address = reverse("households:special-family-edit", args=[family.pk])
    wife = family.parents.last().resident
    mine = _filled(client.get(address), needs="我的")
    theirs = _filled(client.get(address), needs="他的")
    del theirs[f"parent_{wife.pk}"]
    client.post(address, theirs)

    page = client.post(address, mine)

    assert page.status_code == 409
    differences = {d.name: (d.mine, d.theirs) for d in page.context["differences"]}
    assert differences == {"needs": ("我的", "他的"), f"parent_{wife.pk}": ("是", "否")}
    chosen = {
        **mine, "row_version": page.context["row_version"], "opened": page.context["opened"],
        "step": "resolve", "use_needs": "mine", f"use_parent_{wife.pk}": "theirs",
    }  # fmt: skip
    assert client.post(address, chosen).status_code == 302
    family.refresh_from_db()
    assert family.needs == "我的"
    assert family.parents.get(resident=wife).ended_on == TODAY


def test_close_names_what_is_still_open_and_closes(family, clerk, sign_in):
    owner = family.contacts.first().person
    FollowUp.objects.create(
        family=family, kind="就医", need="陪同复查", owner=owner, opened_on=TODAY, due_on=TODAY
    )
    client = sign_in(clerk)
    address = reverse("households:special-family-close", args=[family.pk])

    assert "陪同复查" in client.get(address).content.decode()
    answer = client.post(address, {"reason": "moved", "closed_on": "2018-10-09", "note": ""})

    family.refresh_from_db()
    assert answer["Location"] == family.get_absolute_url()
    assert (family.closed_on, family.close_reason) == (TODAY, "moved")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"closed_on": "2018-10-10"}, "结案日期不能晚于今天。"),
        ({"closed_on": "2017-10-10"}, "结案日期不能早于建档日期。"),
        ({"reason": "other"}, "请写明情况"),
        ({"reason": ""}, "请选择结案原因"),
    ],
)
def test_close_is_refused_in_words(family, clerk, sign_in, typed, message):
    values = {"reason": "moved", "closed_on": "2018-10-09", "note": ""} | typed

    page = sign_in(clerk).post(reverse("households:special-family-close", args=[family.pk]), values)

    assert message in page.content.decode()
    family.refresh_from_db()
    assert family.closed_on is None


def test_archive_moves_where_its_parents_are(family, clerk, sign_in):
    client = sign_in(clerk)
    address = reverse("households:special-family-move", args=[family.pk])
    assert "档案中的父母没有在别的户" in client.get(address).content.decode()
    new = make_household(family.household.village, "00099")
    Resident.objects.filter(household=family.household).update(household=new)

    answer = client.post(address, {"household": new.pk})

    family.refresh_from_db()
    assert answer.status_code == 302
    assert family.household == new


def test_archive_cannot_move_to_any_household(family, clerk, sign_in):
    other = make_household(family.household.village, "00098")

    page = sign_in(clerk).post(
        reverse("households:special-family-move", args=[family.pk]), {"household": other.pk}
    )

    assert page.status_code == 200
    family.refresh_from_db()
    assert family.household != other


@pytest.fixture
def review(family):
    return ArchiveReview.objects.create(
        family=family, cause="死亡", finding="戴飞飞已去世", found_on=TODAY
    )


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"decision": "kept", "note": ""}, "请写明档案不变的理由。"),
        ({"decision": "closed", "note": ""}, "这份档案还没有结案"),
    ],
)
def test_review_is_not_decided_without_a_ground(review, clerk, sign_in, typed, message):
    page = sign_in(clerk).post(reverse("households:special-review-decide", args=[review.pk]), typed)

    assert message in page.content.decode()
    review.refresh_from_db()
    assert review.decision == ""


def test_review_is_decided(review, clerk, sign_in):
    client = sign_in(clerk)
    page = client.get(reverse(DETAIL, args=[review.family_id])).content.decode()
    assert reverse("households:special-review-decide", args=[review.pk]) in page

    client.post(
        reverse("households:special-review-decide", args=[review.pk]),
        {"decision": "kept", "note": "女方仍在"},
    )

    review.refresh_from_db()
    assert (review.decision, review.note, review.decided_by) == ("kept", "女方仍在", clerk)


def test_health_shows_only_for_a_purpose_and_is_recorded(ill, reviewer, sign_in):
    client = sign_in(reviewer)
    address = reverse("households:special-family-health", args=[ill.pk])

    pages = [
        client.get(reverse(DETAIL, args=[ill.pk])), client.get(address), client.post(address, {})
    ]  # fmt: skip
    assert not any(word in p.content.decode() for p in pages for word in ("车祸", "高血压"))
    assert not AuditEvent.objects.filter(type="special.health_viewed").exists()
    shown = client.post(address, {"purpose": "核对材料"}).content.decode()

    assert "车祸" in shown
    assert "高血压" in shown
    event = AuditEvent.objects.get(type="special.health_viewed")
    assert (event.actor_id, event.changes) == (reviewer.pk, {"what": "核对材料"})
    openings = client.get(reverse(DETAIL, args=[ill.pk])).context["openings"]
    assert "核对材料" in " ".join(o.what for o in openings)


def test_contact_cannot_read_health(ill, contact, sign_in):
    make_contact(ill, make_person(ill.household.village, user=contact))

    answer = sign_in(contact).post(
        reverse("households:special-family-health", args=[ill.pk]), {"purpose": "核对材料"}
    )

    assert answer.status_code == 403


def test_health_is_corrected_by_the_clerk(ill, clerk, sign_in):
    client = sign_in(clerk)
    address = reverse("households:special-family-health-edit", args=[ill.pk])

    answer = client.post(address, _filled(client.get(address), health_note="已好转"))

    ill.refresh_from_db()
    assert answer.status_code == 302
    assert (ill.cause_of_death, ill.health_note) == ("车祸", "已好转")
    assert AuditEvent.objects.filter(type="special.health_viewed").count() == 1
