"""The archives' pages: list, candidates, one archive, its forms and its paper."""

import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from households.models import ArchiveReview, FollowUp, Residency, Resident, SpecialFamily
from households.special import sections
from households.special.archive_paper import cut
from households.special.sections import PaperTable
from households.views import special_print
from tests.conftest import TODAY
from tests.factories.accounts import make_user
from tests.factories.households import make_household
from tests.factories.special import (
    make_archive,
    make_bereaved,
    make_contact,
    make_person,
    make_record,
)

LIST = "households:special-family-list"
DETAIL = "households:special-family-detail"

pytestmark = pytest.mark.django_db


@pytest.fixture
def family(village):
    return make_archive(village, contacts=2)


@pytest.fixture
def contact(village):
    """The village's user as a contact of its families."""
    return make_user("propagandist", village, "contact", name="周美丽")


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


# Candidates ------------------------------------------------------------------------------------

CANDIDATES, DOUBTS = "households:special-candidate-list", "households:special-doubt-list"


def test_found_household_without_archive_is_a_candidate(village, clerk, sign_in):
    head, _ = make_bereaved(village, "00007")

    page = sign_in(clerk).get(reverse(CANDIDATES))

    text = page.content.decode()
    assert page.context["missing"] == 1
    assert "戴飞飞、董丽怡" in text
    assert "独生子女死亡" in text
    assert reverse("households:special-family-create", args=[head.household_id]) in text
    assert "生育史中有1个子女" in text


def test_household_with_an_open_archive_is_no_candidate(family, clerk, sign_in):
    page = sign_in(clerk).get(reverse(CANDIDATES))

    assert page.context["missing"] == 0
    assert page.context["rate"] == {"rate": 100, "done": 1, "due": 1}


def test_candidate_whose_parents_stand_in_another_archive_is_to_be_moved(family, clerk, sign_in):
    new = make_household(family.household.village, "00099")
    Resident.objects.filter(household=family.household).update(household=new)
    Residency.objects.filter(household=family.household).update(household=new)

    text = sign_in(clerk).get(reverse(CANDIDATES)).content.decode()

    assert reverse("households:special-family-move", args=[family.pk]) in text
    assert reverse("households:special-family-create", args=[new.pk]) not in text


def test_candidates_of_another_township_are_not_shown(far_village, clerk, sign_in):
    make_bereaved(far_village)

    assert sign_in(clerk).get(reverse(CANDIDATES)).context["missing"] == 0


@pytest.mark.parametrize(
    ("kind", "child", "is_in_doubt"),
    [
        ("死亡", {}, False),
        ("伤残", {}, True),  # found as the other kind
        ("死亡", {"died": None}, True),  # the child lives
        ("手术并发症", {"died": None}, False),  # attested, not found
        ("伤残", {"died": None, "disability_grade": "三级"}, False),
        ("伤残", {"died": None, "disability_grade": "四级"}, True),
    ],
)
def test_archive_is_in_doubt_where_the_criteria_say_otherwise(
    village, clerk, sign_in, kind, child, is_in_doubt
):
    family = make_archive(village, kind=kind, **child)

    page = sign_in(clerk).get(reverse(DOUBTS))

    assert page.context["doubtful"] == is_in_doubt
    acts = [
        reverse(f"households:special-family-{act}", args=[family.pk]) for act in ("edit", "close")
    ]
    assert [act in page.content.decode() for act in acts] == [is_in_doubt] * 2


def test_doubt_says_which_criterion_fails_and_on_what_value(village, clerk, sign_in):
    make_archive(village, died=None)

    text = sign_in(clerk).get(reverse(DOUBTS)).content.decode()

    assert "存活1个，其中三级以上伤残0个" in text
    assert "不符合：" in text


def test_candidates_ask_as_often_for_many(
    village, clerk, sign_in, assert_query_count_does_not_grow
):
    make_bereaved(village)
    client = sign_in(clerk)

    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-candidate-list")),
        lambda: [make_bereaved(village) for _ in range(5)],
    )


def test_doubts_ask_as_often_for_many(village, clerk, sign_in, assert_query_count_does_not_grow):
    make_archive(village, died=None)
    client = sign_in(clerk)

    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-doubt-list")),
        lambda: [make_archive(village, died=None) for _ in range(5)],
    )


# Forms -----------------------------------------------------------------------------------------


def _filled(page, **typed) -> dict:
    """What a browser posts of the form of `page`, with other answers."""
    form = page.context["form"]
    values = {f.html_name: f.value() for f in form if f.value() not in (None, False, "")}
    for name in ("row_version", "opened"):
        if name in page.context:
            values[name] = page.context[name]
    return values | typed


@pytest.fixture
def bereaved(village):
    return make_bereaved(village, "00007")


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
    assert "健在、没有伤残鉴定的子女" in page.content.decode()
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


# Health ----------------------------------------------------------------------------------------


@pytest.fixture
def ill(family):
    family.cause_of_death, family.health_note = "车祸", "高血压"
    family.save()
    return family


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


# What the rest of the registry tells ----------------------------------------------------------


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


# Paper -----------------------------------------------------------------------------------------

PRINT = "households:special-family-print"


def test_paper_has_cover_contents_and_every_part_without_health(ill, clerk, sign_in):
    page = sign_in(clerk).get(reverse(PRINT, args=[ill.pk]))

    text = page.content.decode()
    (paper,) = page.context["papers"]
    assert [title for title, _ in paper.contents] == [
        "档案概况", *(one.title for one in sections.in_order())
    ]  # fmt: skip
    assert f"第{paper.total}页　共{paper.total}页" in text
    assert clerk.name in text
    assert "车祸" not in text
    assert AuditEvent.objects.filter(type="special.printed", target_id=str(ill.pk)).count() == 1
    assert not AuditEvent.objects.filter(type="special.health_viewed").exists()


def test_health_is_printed_for_a_purpose_and_recorded(ill, clerk, sign_in):
    client = sign_in(clerk)
    address = reverse(PRINT, args=[ill.pk])

    assert "车祸" not in client.post(address, {"health": "1", "purpose": "无"}).content.decode()
    assert "车祸" in client.post(address, {"health": "1", "purpose": "迎接检查"}).content.decode()

    event = AuditEvent.objects.get(type="special.health_viewed")
    assert event.changes == {"what": "打印，迎接检查"}


def test_contact_prints_nothing(family, contact, sign_in):
    make_contact(family, make_person(family.household.village, user=contact))

    assert sign_in(contact).get(reverse(PRINT, args=[family.pk])).status_code == 403


def test_all_of_a_list_are_printed_up_to_a_limit(village, clerk, sign_in, monkeypatch):
    families = [make_archive(village) for _ in range(3)]
    client = sign_in(clerk)
    address = reverse("households:special-print")

    assert len(client.get(address).context["papers"]) == 3
    ticked = client.post(address, {"picked": [families[1].pk]})
    assert [p.family for p in ticked.context["papers"]] == [families[1]]
    monkeypatch.setattr(special_print, "MOST_FAMILIES", 2)
    assert client.get(address)["Location"] == reverse(LIST)


def test_ticked_archive_of_another_township_is_not_printed(family, far_village, clerk, sign_in):
    far = make_archive(far_village)

    page = sign_in(clerk).post(reverse("households:special-print"), {"picked": [far.pk, family.pk]})

    assert [p.family for p in page.context["papers"]] == [family]


def test_long_tables_go_on_on_the_next_sheet_and_no_heading_stands_alone():
    rows = [(str(number), "甲" * 60) for number in range(60)]
    tables = [PaperTable("一", ("序号", "内容"), rows), PaperTable("二", ("序号", "内容"), [])]

    contents, sheets = cut([("甲部分", tables), ("乙部分", [tables[1]])])

    assert [
        block.part for sheet in sheets for block in sheet.blocks if block.title == "一"
    ] == list(range(1, len(sheets) + (sheets[-1].blocks[0].title == "一")))
    assert [row for s in sheets for b in s.blocks if b.title == "一" for row in b.rows] == rows
    assert contents[0] == ("甲部分", 2)
    assert contents[1][1] == sheets[-1].number
    assert len(sheets) > 1
