"""Contacts on their pages: who they are, whose they are, handed over, and the card for the family."""

from datetime import date

import pytest
from django.urls import reverse

from fpadmin.accounts.models import User
from fpadmin.audit.models import AuditEvent
from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation
from fpadmin.ui.todos import todos_for
from households.models import CareRule, ContactPerson, FamilyContact
from households.services import special_staffing
from households.services.special_staffing import Move
from households.special import contact_section, people
from tests.factories.accounts import make_user
from tests.factories.special import OPENED, make_archive, make_contact, make_person, make_record

pytestmark = pytest.mark.django_db
TODAY = date(2018, 10, 9)
LIST = "/registry/special/people/"


def name_url(family):
    return reverse("households:special-contact-name", args=[family.pk])


def hand_over_url(term):
    return reverse("households:special-contact-hand-over", args=[term.pk])


def leave_url(person):
    return reverse("households:special-person-leave", args=[person.pk])


def text_of(answer) -> str:
    return answer.content.decode()


# Who they are ----------------------------------------------------------------------------------


def test_clerk_registers_a_contact_of_the_township(clerk, township, propagandist, sign_in):
    data = {
        "name": "林霞丹", "kind": "街道领导", "post": "副主任", "phone": "13011118404",
        "user": propagandist.pk,
    }  # fmt: skip
    answer = sign_in(clerk).post(f"{LIST}new/", data)
    person = ContactPerson.objects.get()
    assert answer.status_code == 302
    assert (person.region, person.user, person.phone) == (township, propagandist, "13011118404")
    assert "13011118404" not in str(AuditEvent.objects.get(type="special.person_added").changes)


def test_form_says_that_an_account_opens_archives_and_offers_only_free_ones(
    clerk, village, propagandist, other_clerk, sign_in
):
    make_person(village, user=propagandist)
    off = make_user("propagandist", village, "off", name="停用的", is_active=False)
    free = make_user("propagandist", village, "free", name="有空的")
    page = sign_in(clerk).get(f"{LIST}new/")
    offered = set(page.context["form"].fields["user"].queryset)
    assert free in offered
    assert not {off, propagandist, other_clerk} & offered
    assert "可以打开此人现在联系的全部家庭的档案" in text_of(page)


def test_account_of_the_same_name_is_asked_about_once(clerk, village, sign_in):
    account = make_user("propagandist", village, "luo", name="罗晓梅")
    data = {"name": "罗晓梅", "kind": "村居干部"}
    asked = sign_in(clerk).post(f"{LIST}new/", data)
    assert asked.status_code == 200
    assert asked.context["namesake"] == account
    assert not ContactPerson.objects.exists()
    sign_in(clerk).post(f"{LIST}new/", data | {"asked": "1"})
    assert ContactPerson.objects.get().user is None


def test_two_accounts_of_one_name_give_no_hint(clerk, village, other_village, sign_in):
    for place in (village, other_village):
        make_user("propagandist", place, f"luo{place.code}", name="罗晓梅")
    sign_in(clerk).post(f"{LIST}new/", {"name": "罗晓梅", "kind": "村居干部"})
    assert ContactPerson.objects.get().user is None


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"name": "李四", "phone": "13011118404"}, "已有同名、同电话的联系人"),
        ({"kind": "镇长"}, "没有这个选项"),
        ({"name": ""}, "请填写姓名"),
    ],
    ids=["known", "kind", "nameless"],
)
def test_wrong_contact_is_refused_on_the_form(clerk, village, sign_in, fault, words):
    make_person(village, "李四", phone="13011118404", phone_digest=digest("13011118404"))
    data = {"name": "王五", "kind": "家庭医生", "post": "", "phone": ""}
    answer = sign_in(clerk).post(f"{LIST}new/", data | fault)
    assert words in text_of(answer)
    assert ContactPerson.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("13011118404", "13011118404"),
        ("130 1111-8404", "13011118404"),
        ("１３０１１１１８４０４", "13011118404"),
        ("0532-81234567", "053281234567"),
        ("(010) 8123 4567", "01081234567"),
        ("7123456", "7123456"),
        ("8123-4567-806", "81234567806"),
        ("0532-81234567转806", "053281234567转806"),
        ("", ""),
    ],
)
def test_phone_of_a_contact_is_kept_without_spaces_and_dashes(clerk, sign_in, typed, kept):
    data = {"name": "王五", "kind": "家庭医生", "phone": typed}
    assert sign_in(clerk).post(f"{LIST}new/", data).status_code == 302
    assert ContactPerson.objects.get().phone == kept


@pytest.mark.parametrize(
    "typed", ["123", "1301111840", "130111184040", "12011118404", "没有", "0532-123", "0" * 11]
)
def test_what_is_no_phone_is_refused_with_a_sentence(clerk, sign_in, typed):
    data = {"name": "王五", "kind": "家庭医生", "phone": typed}
    answer = sign_in(clerk).post(f"{LIST}new/", data)
    assert "手机号11位" in text_of(answer)
    assert not ContactPerson.objects.exists()


def test_phone_of_a_contact_is_still_cleared_and_checked_on_editing(clerk, village, sign_in):
    person = make_person(village, "李四", phone="123", phone_digest=digest("123"))
    url = reverse("households:special-person-edit", args=[person.pk])
    page = sign_in(clerk).get(url)
    data = {"name": "李四", "kind": "家庭医生", "post": "", "user": ""}
    data |= {"row_version": page.context["row_version"], "opened": page.context["opened"]}
    assert "手机号11位" in text_of(sign_in(clerk).post(url, data | {"phone": "1234"}))
    assert sign_in(clerk).post(url, data | {"phone": "清空"}).status_code == 302
    person.refresh_from_db()
    assert person.phone == ""


def test_edit_keeps_a_phone_left_blank_and_never_sends_it_back(clerk, village, sign_in):
    person = make_person(village, "李四", phone="13011118404", phone_digest=digest("13011118404"))
    url = reverse("households:special-person-edit", args=[person.pk])
    page = sign_in(clerk).get(url)
    assert "13011118404" not in text_of(page)
    data = {"name": "李四", "kind": "家庭医生", "post": "院长", "phone": "", "user": ""}
    data |= {"row_version": page.context["row_version"], "opened": page.context["opened"]}
    assert sign_in(clerk).post(url, data).status_code == 302
    person.refresh_from_db()
    assert (person.kind, person.phone) == ("家庭医生", "13011118404")
    stale = sign_in(clerk).post(url, data | {"post": "副院长"})
    assert stale.status_code == 409


def test_list_shows_kind_account_families_and_who_left(clerk, village, propagandist, sign_in):
    family = make_archive(village)
    make_contact(family, make_person(village, "有户", user=propagandist))
    make_person(village, "没户", kind="家庭医生")
    make_person(village, "走了", left_on=TODAY)
    client = sign_in(clerk)

    def names(query):
        return {row.name for row in client.get(LIST + query).context["list"].page.object_list}

    assert names("") == {"有户", "没户"}
    assert names("?state=all") == {"有户", "没户", "走了"}
    assert names("?state=gone") == {"走了"}
    assert names("?kind=家庭医生") == {"没户"}
    assert names("?account=yes") == {"有户"}
    assert names("?account=no") == {"没户"}
    assert [p.family_count for p in people.people(clerk).filter(name="有户")] == [1]


def test_list_asks_no_more_for_more_contacts(
    clerk, village, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)
    client.get(reverse("households:special-person-list"))

    def grow():
        make_archive(village, contacts=6)

    make_archive(village, contacts=1)
    assert_query_count_does_not_grow(
        lambda: client.get(reverse("households:special-person-list")), grow
    )


# Whose they are --------------------------------------------------------------------------------


def test_clerk_names_a_contact(clerk, village, sign_in):
    family, person = make_archive(village), make_person(village)
    answer = sign_in(clerk).post(name_url(family), {"person": person.pk, "started_on": "2018-2-1"})
    assert answer["Location"] == family.get_absolute_url()
    term = family.contacts.get()
    assert (term.person, term.started_on) == (person, date(2018, 2, 1))


@pytest.mark.parametrize(
    ("day", "words"),
    [("2018-10-10", "开始日期不能晚于今天"), ("2018-1-1", "开始日期不能早于建档日期2018-01-02")],
)
def test_contact_begins_within_the_archive_and_by_today(clerk, village, sign_in, day, words):
    family = make_archive(village)
    data = {"person": make_person(village).pk, "started_on": day}
    answer = sign_in(clerk).post(name_url(family), data)
    assert answer.context["form"].errors["started_on"][0].startswith(words)
    assert not family.contacts.exists()


def test_leaver_is_not_named_again(clerk, village, sign_in):
    family, gone = make_archive(village), make_person(village, "走了", left_on=date(2018, 9, 1))
    page = sign_in(clerk).get(name_url(family))
    assert str(gone.pk) not in dict(page.context["form"].fields["person"].choices)
    answer = sign_in(clerk).post(name_url(family), {"person": gone.pk, "started_on": "2018-8-1"})
    assert "走了已于2018-09-01离岗" in answer.context["form"].errors["person"][0]
    assert not family.contacts.exists()


def test_contact_of_the_family_is_not_named_twice(clerk, village, sign_in):
    family = make_archive(village)
    person = make_contact(family).person
    data = {"person": person.pk, "started_on": "2018-10-9"}
    answer = sign_in(clerk).post(name_url(family), data)
    assert answer.status_code == 200
    assert family.contacts.count() == 1
    with pytest.raises(RuleViolation, match="已经是这一户的联系人"):
        special_staffing.hand_over(
            by=clerk, term=make_contact(family), person=person, day=TODAY, today=TODAY, reason=""
        )


def test_account_that_cannot_open_the_archive_is_refused(
    clerk, village, other_propagandist, sign_in
):
    family, away = make_archive(village), make_person(village, "邻村", user=other_propagandist)
    data = {"person": away.pk, "started_on": "2018-10-9"}
    answer = sign_in(clerk).post(name_url(family), data)
    assert "打不开庄科村的档案" in answer.context["form"].errors["person"][0]
    assert not family.contacts.exists()


def test_contact_of_another_township_is_no_choice(clerk, village, far_village, sign_in):
    family, far = make_archive(village), make_person(far_village)
    answer = sign_in(clerk).post(name_url(family), {"person": far.pk, "started_on": "2018-10-9"})
    assert answer.status_code == 200
    assert not family.contacts.exists()


def test_hand_over_by_form_and_its_chain_on_the_page(clerk, village, sign_in):
    family = make_archive(village, contacts=1)
    term, successor = family.contacts.get(), make_person(village, "接班的")
    data = {"person": successor.pk, "day": "2018-9-1", "reason": "调岗"}
    assert sign_in(clerk).post(hand_over_url(term), data).status_code == 302
    context = contact_section.contacts_context(clerk, family, TODAY)
    (now,), (before,) = context["current"], context["past"]
    assert (now.person, now.follows) == (successor, term)
    assert (before.successor, before.end_reason) == (now, "调岗")
    current, past = contact_section.contacts_paper(clerk, family, TODAY)
    assert current.rows[0][-2:] == ("2018-09-01", term.person.name)
    assert past.rows[0][-3:] == ("2018-01-02至2018-09-01", "调岗", "接班的")


@pytest.mark.parametrize(
    ("day", "words"),
    [("2018-10-10", "交接日期不能晚于今天"), ("2018-1-1", "交接日期不能早于")],
)
def test_hand_over_on_a_wrong_day_says_so_at_the_day(clerk, village, sign_in, day, words):
    term = make_contact(make_archive(village))
    data = {"person": make_person(village).pk, "day": day, "reason": "调岗"}
    answer = sign_in(clerk).post(hand_over_url(term), data)
    assert words in answer.context["form"].errors["day"][0]
    assert FamilyContact.objects.get().ended_on is None


def test_hand_over_to_oneself_is_refused(clerk, village, sign_in):
    term = make_contact(make_archive(village))
    answer = sign_in(clerk).post(
        hand_over_url(term), {"person": term.person_id, "day": "2018-10-9", "reason": "调岗"}
    )
    assert answer.status_code == 200
    with pytest.raises(RuleViolation, match="同一个人"):
        special_staffing.hand_over(
            by=clerk, term=term, person=term.person, day=TODAY, today=TODAY, reason=""
        )
    assert FamilyContact.objects.get().ended_on is None


def test_last_contact_is_not_ended_and_another_is(clerk, village, sign_in):
    family = make_archive(village, contacts=1)
    url = reverse("households:special-contact-end", args=[family.contacts.get().pk])
    data = {"day": "2018-10-9", "reason": "调岗"}
    assert "最后一位联系人" in text_of(sign_in(clerk).post(url, data))
    make_contact(family)
    assert sign_in(clerk).post(url, data).status_code == 302
    assert family.contacts.filter(ended_on__isnull=True).count() == 1


# Leaving ---------------------------------------------------------------------------------------


@pytest.fixture
def leaver(village, other_village):
    """A contact of two families, one in each village."""
    person = make_person(village, "要走的")
    for place in (village, other_village):
        make_contact(make_archive(place), person)
    return person


def test_leaving_shows_every_family_and_hands_all_over_at_once(clerk, leaver, village, sign_in):
    client = sign_in(clerk)
    gone = client.post(leave_url(leaver), {"step": "leave", "left_on": "2018-10-1"}, follow=True)
    assert "还有2户要交接" in text_of(gone)
    assert len(gone.context["families"].terms) == 2
    successor = make_person(village, "接班的")
    data = {"person": successor.pk, "day": "2018-10-1", "reason": "离岗"}
    check = client.post(leave_url(leaver), data | {"step": "check"})
    assert not FamilyContact.objects.filter(person=successor).exists()
    assert not AuditEvent.objects.filter(type="special.handed_over").exists()
    posted = dict(check.context["posted"])
    done = client.post(leave_url(leaver), posted | {"step": "save"}, follow=True)
    assert "2户已全部交接" in text_of(done)
    assert not leaver.terms.filter(ended_on__isnull=True).exists()
    assert set(successor.terms.values_list("started_on", flat=True)) == {date(2018, 10, 1)}
    assert AuditEvent.objects.get(type="special.person_handed_over").count == 2


def test_each_family_may_get_another_successor_and_day(clerk, leaver, village, sign_in):
    first, second = leaver.terms.order_by("pk")
    one, other = make_person(village), make_person(village)
    data = {
        "step": "save", "person": one.pk, "day": "2018-10-9", "reason": "离岗",
        f"term_{second.pk}": other.pk, f"day_{second.pk}": "2018-10-2",
    }  # fmt: skip
    assert sign_in(clerk).post(leave_url(leaver), data).status_code == 302
    assert (first.family.contacts.last().person, second.family.contacts.last().person) == (
        one,
        other,
    )
    assert second.family.contacts.last().started_on == date(2018, 10, 2)


def test_what_is_not_chosen_remains_and_is_told(clerk, leaver, village, sign_in):
    first, second = leaver.terms.order_by("pk")
    data = {"day": "2018-10-9", "reason": "离岗", f"term_{first.pk}": make_person(village).pk}
    answer = sign_in(clerk).post(leave_url(leaver), data | {"step": "save"}, follow=True)
    assert "已交接1户，还有1户没有交接" in text_of(answer)
    assert [term.pk for term in answer.context["families"].terms] == [second.pk]
    nobody = sign_in(clerk).post(
        leave_url(leaver), data | {"step": "check", f"term_{first.pk}": ""}
    )
    assert "还没有选接替的人" in text_of(nobody)


def test_one_refusal_leaves_every_family_where_it_was(clerk, leaver, village, sign_in):
    first, second = leaver.terms.order_by("pk")
    make_record(second, TODAY)
    data = {"person": make_person(village).pk, "day": "2018-10-1", "reason": "离岗"}
    answer = sign_in(clerk).post(leave_url(leaver), data | {"step": "save"})
    assert "还有联系记录" in answer.context["families"].errors[f"term_{second.pk}"][0]
    assert leaver.terms.filter(ended_on__isnull=True).count() == 2
    assert not AuditEvent.objects.filter(type="special.handed_over").exists()


@pytest.mark.parametrize(
    ("successor", "day", "words"),
    [
        ("known", "2018-10-9", "已经是这一户的联系人"),
        ("new", "2018-10-10", "交接日期不能晚于今天"),
        ("new", "2018-1-1", "交接日期不能早于"),
    ],
    ids=["known", "ahead", "before"],
)
def test_check_refuses_what_saving_would_and_keeps_nothing(
    clerk, leaver, village, sign_in, successor, day, words
):
    first, second = leaver.terms.order_by("pk")
    person = make_person(village) if successor == "new" else make_contact(second.family).person
    data = {"step": "check", "person": person.pk, "day": day, "reason": "离岗"}
    answer = sign_in(clerk).post(leave_url(leaver), data)
    faults = answer.context["families"].errors
    assert words in str(faults.get(f"term_{first.pk}", "")) + str(faults.get(f"term_{second.pk}"))
    assert leaver.terms.filter(ended_on__isnull=True).count() == 2
    assert not AuditEvent.objects.filter(type="special.handed_over").exists()


def test_families_of_another_person_are_none_of_the_move(clerk, leaver, village):
    term = make_contact(make_archive(village))
    with pytest.raises(ValueError, match="is not one of person"):
        special_staffing.hand_over_families(
            by=clerk, person=leaver, moves=[Move(term, make_person(village), TODAY)], today=TODAY,
            reason="",
        )  # fmt: skip


def test_hand_over_of_all_rolls_back_with_its_event(clerk, leaver, village, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("households.services.special_staffing.log.record", fail)
    moves = [Move(term, make_person(village), TODAY) for term in leaver.terms.all()]
    with pytest.raises(RuntimeError):
        special_staffing.hand_over_families(
            by=clerk, person=leaver, moves=moves, today=TODAY, reason="离岗"
        )
    assert leaver.terms.filter(ended_on__isnull=True).count() == 2


def test_leaving_ahead_is_refused_and_leaving_by_mistake_taken_back(clerk, leaver, sign_in):
    client = sign_in(clerk)
    ahead = client.post(leave_url(leaver), {"step": "leave", "left_on": "2018-10-10"})
    assert "离岗日期不能晚于今天" in text_of(ahead)
    client.post(leave_url(leaver), {"step": "leave", "left_on": "2018-10-9"})
    client.post(leave_url(leaver), {"step": "back_in_office"})
    leaver.refresh_from_db()
    assert leaver.left_on is None
    assert AuditEvent.objects.get(type="special.person_back").changes == {
        "left_on": ["2018-10-09", ""]
    }
    with pytest.raises(RuleViolation, match="没有登记离岗"):
        special_staffing.take_back_leaving(by=clerk, person=leaver)


def waiting(user) -> dict[str, int]:
    return {todo.label: todo.count for todo in todos_for(user, TODAY)}


def test_leaver_is_a_task_until_no_family_is_left(clerk, reviewer, leaver, village):
    assert "联系人待交接" not in waiting(clerk)
    ContactPerson.objects.filter(pk=leaver.pk).update(left_on=TODAY)
    assert waiting(clerk)["联系人待交接"] == 1
    assert "联系人待交接" not in waiting(reviewer)
    for term in leaver.terms.all():
        special_staffing.hand_over(
            by=clerk, term=term, person=make_person(village), day=TODAY, today=TODAY, reason=""
        )
    assert "联系人待交接" not in waiting(clerk)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda user, place: {"is_active": False}, people.DISABLED),
        (lambda user, place: {"region": place}, people.AWAY),
    ],
    ids=["disabled", "moved"],
)
def test_account_disabled_or_moved_makes_its_contact_a_task(
    clerk, village, other_village, propagandist, sign_in, change, why
):
    person = make_person(village, user=propagandist)
    make_contact(make_archive(village), person)
    assert not people.to_hand_over(clerk).exists()
    User.objects.filter(pk=propagandist.pk).update(**change(propagandist, other_village))
    assert [p.why_hand_over for p in people.to_hand_over(clerk)] == [why]
    assert waiting(clerk)["联系人待交接"] == 1
    page = sign_in(clerk).get(f"{LIST}?state=handover")
    assert [row.pk for row in page.context["list"].page.object_list] == [person.pk]
    assert people.REASONS[why] in text_of(sign_in(clerk).get(leave_url(person)))


# The card --------------------------------------------------------------------------------------


def test_card_tells_the_family_names_phones_and_the_hotline(
    clerk, county_user, village, township, county, sign_in
):
    family = make_archive(village)
    make_contact(family, make_person(village, "林霞丹", phone="13011118404"))
    make_contact(family, make_person(village, "走了的", phone="13022225678", left_on=TODAY))
    common = {"from_on": OPENED, "document": "文件", "set_by": county_user}
    CareRule.objects.create(region=county, hotline="0871-1111111", **common)
    CareRule.objects.create(region=township, **common)
    page = sign_in(clerk).get(reverse("households:special-contact-card", args=[family.pk]))
    text = text_of(page)
    assert "13011118404" in text
    assert "0871-1111111" in text
    assert "13022225678" not in text
    assert "死亡" not in text
    event = AuditEvent.objects.get(type="special.card_printed")
    assert (event.target_id, event.region_path) == (str(family.pk), village.path)


def test_cards_of_ticked_families_stand_two_to_a_page(clerk, village, far_village, sign_in):
    families = [make_archive(village, contacts=1) for _ in range(3)]
    far = make_archive(far_village, contacts=1)
    url = reverse("households:special-contact-cards")
    picked = ",".join(str(f.pk) for f in [*families, far])
    page = sign_in(clerk).post(url, {"picked": picked})
    assert [len(sheet) for sheet in page.context["sheets"]] == [2, 1]
    assert {card.family.pk for card in page.context["cards"]} == {f.pk for f in families}
    assert AuditEvent.objects.filter(type="special.card_printed").count() == 3
    assert "还没有选中家庭" in text_of(sign_in(clerk).post(url, follow=True))


def test_cards_ask_no_more_for_more_families(
    clerk, village, sign_in, assert_query_count_does_not_grow
):
    client, url = sign_in(clerk), reverse("households:special-contact-cards")
    make_archive(village, contacts=2)
    client.get(url)
    assert_query_count_does_not_grow(
        lambda: client.get(url), lambda: [make_archive(village, contacts=3) for _ in range(4)]
    )


def test_contact_prints_the_card_of_an_own_family_only(village, propagandist, sign_in):
    own, other = make_archive(village), make_archive(village, contacts=1)
    make_contact(own, make_person(village, user=propagandist))
    client = sign_in(propagandist)
    card = "households:special-contact-card"
    assert client.get(reverse(card, args=[own.pk])).status_code == 200
    assert client.get(reverse(card, args=[other.pk])).status_code == 404
