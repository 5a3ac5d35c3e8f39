"""Drafts and single submission, through the forms that use them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fpadmin.audit.models import AuditEvent
from fpadmin.entry import services, tasks
from fpadmin.entry.models import Draft, Submission
from households.models import Household
from tests.factories.accounts import make_user
from tests.factories.households import make_household

CREATE = "/registry/households/new/"


@pytest.fixture
def client(sign_in, clerk):
    return sign_in(clerk)


@pytest.fixture
def household(village):
    household = make_household(village, "00016")
    household.address = "庄科一组"
    household.save(update_fields=["address"])
    return household


def token_of(response) -> str:
    return re.search(r'name="once" value="([^"]+)"', response.text)[1]


def typed(village, **values):
    return {
        "village": village.pk,
        "number": "00021",
        "address": "庄科二组",
        "low_income": "no",
    } | values


def autosave(client, path, data, token):
    return client.post(path, {**data, "once": token, "entry": "save", "csrfmiddlewaretoken": "x"})


def begun(client, path, data) -> str:
    """A page opened, typed into, kept; its token."""
    token = token_of(client.get(path))
    assert autosave(client, path, data, token).status_code == 204
    return token


# Drafts -----------------------------------------------------------------------------------------


def test_autosave_keeps_what_was_typed_and_saves_nothing(client, clerk, village):
    begun(client, CREATE, typed(village, password="secret"))
    draft = Draft.objects.get()
    assert (draft.user, draft.form, draft.region) == (
        clerk,
        "households:household-create",
        clerk.region,
    )
    kept = dict(services.restored(draft).items())
    assert kept == {
        "village": str(village.pk),
        "number": "00021",
        "address": "庄科二组",
        "low_income": "no",
    }
    assert Household.objects.count() == 0
    assert AuditEvent.objects.filter(type="household.registered").count() == 0


def test_draft_is_offered_restored_and_gone_after_saving(client, village):
    begun(client, CREATE, typed(village))
    offered = client.get(CREATE)
    assert "有未保存的草稿" in offered.text
    assert "庄科二组" not in offered.text

    restored = client.get(CREATE, {"draft": "restore"})
    assert 'value="庄科二组"' in restored.text
    assert "处需要修改" not in restored.text

    saved = client.post(CREATE, typed(village, once=token_of(restored)))
    assert saved.status_code == 302
    assert Draft.objects.count() == 0
    assert "有未保存的草稿" not in client.get(CREATE).text


def test_half_a_form_comes_back_as_it_was_typed_without_messages(client, village):
    begun(client, CREATE, {"village": "", "number": "00021", "low_income_on": "2018年6月31日"})
    page = client.get(CREATE, {"draft": "restore"})
    assert 'value="2018年6月31日"' in page.text
    assert "is-invalid" not in page.text


def test_second_page_never_writes_over_a_waiting_draft(client, village):
    begun(client, CREATE, typed(village))
    other = token_of(client.get(CREATE))
    answer = autosave(client, CREATE, typed(village, address="别处"), other)
    assert (answer.status_code, answer.text) == (409, services.OTHER_PAGE)
    assert services.restored(Draft.objects.get())["address"] == "庄科二组"


def test_saving_another_page_leaves_the_waiting_draft(client, village):
    begun(client, CREATE, typed(village))
    other = token_of(client.get(CREATE))
    assert client.post(CREATE, typed(village, number="00030", once=other)).status_code == 302
    assert Draft.objects.count() == 1


def test_refused_post_is_kept_and_not_offered_to_itself(client, village):
    token = token_of(client.get(CREATE))
    page = client.post(CREATE, typed(village, number="", once=token))
    assert page.status_code == 200
    assert "有未保存的草稿" not in page.text
    assert token_of(page) == token
    assert services.restored(Draft.objects.get())["address"] == "庄科二组"


def test_last_save_of_a_submitted_page_leaves_nothing(client, clerk, village):
    """The browser's last autosave may reach the server after the form itself."""
    token = token_of(client.get(CREATE))
    client.post(CREATE, typed(village, once=token))
    assert autosave(client, CREATE, typed(village), token).status_code == 204
    assert Draft.objects.count() == 0
    # … or pass the look at the submission, and commit after it.
    Draft.objects.create(
        user=clerk, form="households:household-create", token=token, content="[]",
        role=clerk.role, region=clerk.region, updated_at=timezone.now(),
    )  # fmt: skip
    assert "有未保存的草稿" not in client.get(CREATE).text


def test_discarding_asks_first_and_is_recorded(client, village):
    begun(client, CREATE, typed(village))
    question = client.get(CREATE, {"draft": "discard"})
    assert "不能找回" in question.text
    assert Draft.objects.count() == 1
    assert client.post(CREATE, {"entry": "discard"})["Location"] == CREATE
    assert Draft.objects.count() == 0
    event = AuditEvent.objects.get(type="draft.discarded")
    assert event.changes == {"form": "households:household-create"}
    client.post(CREATE, {"entry": "discard"})
    assert AuditEvent.objects.filter(type="draft.discarded").count() == 1


def test_draft_is_its_writers_alone(client, sign_in, township, village):
    begun(client, CREATE, typed(village))
    colleague = sign_in(make_user("clerk", township, "colleague"))
    for query in ({}, {"draft": "restore"}, {"draft": "discard"}):
        page = colleague.get(CREATE, query)
        assert "庄科二组" not in page.text
        assert "有未保存的草稿" not in page.text
    colleague.post(CREATE, {"entry": "discard"})
    assert Draft.objects.count() == 1


@pytest.mark.parametrize("change", ["role", "region"])
def test_draft_of_an_earlier_role_or_place_is_never_shown(
    client, sign_in, clerk, village, other_township, change
):
    token = begun(client, CREATE, typed(village))
    if change == "region":
        clerk.region = other_township
        clerk.save(update_fields=["region"])
    else:
        Draft.objects.update(role="reviewer")
    moved = sign_in(clerk)
    page = moved.get(CREATE, {"draft": "restore"})
    assert "庄科二组" not in page.text
    assert autosave(moved, CREATE, {"address": "新的"}, token_of(page)).status_code == 204
    assert [services.restored(d)["address"] for d in Draft.objects.all()] == ["新的"]
    assert Draft.objects.filter(token=token).count() == 0


def test_draft_of_an_edit_brings_its_version_along(client, sign_in, township, household):
    """What somebody else saved meanwhile is shown, not overwritten."""
    path = reverse("households:household-edit", args=[household.pk])
    page = client.get(path)
    hidden = {
        name: re.search(rf'name="{name}" value="([^"]*)"', page.text)[1]
        for name in ("row_version", "opened")
    }
    typed_text = {"address": "我写的", "low_income": "no", **hidden}
    begun(client, path, typed_text)
    other = sign_in(make_user("clerk", township, "colleague"))
    theirs = other.get(path)
    version = re.search(r'name="row_version" value="(\d+)"', theirs.text)[1]
    answer = other.post(path, {"address": "别人写的", "low_income": "no", "row_version": version})
    assert answer.status_code == 302

    restored = client.get(path, {"draft": "restore"})
    again = {
        name: re.search(rf'name="{name}" value="([^"]*)"', restored.text)[1]
        for name in ("row_version", "opened", "once")
    }
    assert again["row_version"] == hidden["row_version"]
    conflict = client.post(path, {"address": "我写的", "low_income": "no", **again})
    assert conflict.status_code == 409
    assert "别人写的" in conflict.text
    assert "庄科一组" in conflict.text


def test_draft_of_a_record_outside_stays_closed(client, other_clerk, sign_in, household):
    path = reverse("households:household-edit", args=[household.pk])
    begun(client, path, {"address": "我写的"})
    assert sign_in(other_clerk).get(path, {"draft": "restore"}).status_code == 404


def test_who_may_not_edit_keeps_no_draft(sign_in, reviewer):
    assert autosave(sign_in(reviewer), CREATE, {"address": "x"}, "a" * 43).status_code == 403
    assert Draft.objects.count() == 0


def test_too_long_a_text_is_not_kept(client, monkeypatch):
    monkeypatch.setattr(services, "MAX_CONTENT", 100)
    token = token_of(client.get(CREATE))
    answer = autosave(client, CREATE, {"address": "长" * 100}, token)
    assert (answer.status_code, answer.text) == (409, services.TOO_LONG)
    assert Draft.objects.count() == 0


def test_text_is_stored_encrypted(client, village):
    begun(client, CREATE, typed(village))
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM entry_draft")
        stored = cursor.fetchone()[0]
    assert stored.startswith("1:")
    assert "庄科" not in stored


def test_purge_takes_old_moved_and_submitted_drafts(
    client, clerk, village, other_township, settings
):
    def draft(form, age=0, **values):
        return Draft.objects.create(
            **{"user": clerk, "form": form, "token": form, "content": "[]", "role": clerk.role,
               "region": clerk.region, "updated_at": timezone.now() - timedelta(days=age), **values}
        )  # fmt: skip

    fresh = draft("fresh", settings.DRAFT_KEEP_DAYS - 1)
    draft("old", settings.DRAFT_KEEP_DAYS + 1)
    draft("role", role="reviewer")
    draft("region", region=other_township)
    draft("sent")
    Submission.objects.create(user=clerk, token="sent", location="/", at=timezone.now())
    long_ago = timezone.now() - timedelta(days=settings.DRAFT_KEEP_DAYS + 1)
    Submission.objects.create(user=clerk, token="gone", location="/", at=long_ago)

    assert tasks.purge() == 4

    assert list(Draft.objects.all()) == [fresh]
    assert [s.token for s in Submission.objects.all()] == ["sent"]
    event = AuditEvent.objects.get(type="entry.purged")
    assert (event.count, event.actor) == (4, "系统：草稿清理")


# After the session has run out ----------------------------------------------------------------


def ended(client, minutes=31) -> None:
    session = client.session
    session["seen_at"] -= minutes * 60
    session.save()


@pytest.mark.parametrize("sent", ["form", "autosave"])
def test_post_of_an_ended_session_is_kept_and_not_carried_out(client, clerk, village, sent):
    token = token_of(client.get(CREATE))
    ended(client)
    wish = {"entry": "save"} if sent == "autosave" else {}
    answer = client.post(CREATE, typed(village, once=token, **wish))
    assert answer["Location"] == "/accounts/sign-in/?next=/registry/households/new/"
    assert Household.objects.count() == 0
    client.force_login(clerk)
    assert "有未保存的草稿" in client.get(CREATE).text
    assert "庄科二组" in client.get(CREATE, {"draft": "restore"}).text


def test_post_without_the_forms_own_token_is_not_kept(clerk, sign_in, village):
    """Another site could send one; the cookie alone proves nothing."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = sign_in(clerk).cookies
    page = strict.get(CREATE)
    session = strict.session
    session["seen_at"] -= 31 * 60
    session.save()
    answer = strict.post(CREATE, typed(village, once=token_of(page)))
    assert answer.status_code == 403
    assert Draft.objects.count() == 0


def test_who_may_no_longer_edit_leaves_no_draft(client, clerk, village):
    token = token_of(client.get(CREATE))
    ended(client)
    clerk.role = "reviewer"
    clerk.save(update_fields=["role"])
    client.post(CREATE, typed(village, once=token))
    assert Draft.objects.count() == 0


# Once -------------------------------------------------------------------------------------------


def test_second_post_of_a_page_goes_where_the_first_went(client, village):
    token = token_of(client.get(CREATE))
    first = client.post(CREATE, typed(village, once=token))
    second = client.post(CREATE, typed(village, number="00099", once=token), follow=True)
    assert second.redirect_chain == [(first["Location"], 302)]
    assert "该表单已提交，没有重复保存。" in second.text
    assert Household.objects.count() == 1


def test_refused_page_may_be_sent_again(client, village):
    token = token_of(client.get(CREATE))
    assert client.post(CREATE, typed(village, number="", once=token)).status_code == 200
    assert client.post(CREATE, typed(village, once=token)).status_code == 302
    assert Household.objects.count() == 1


def test_token_counts_for_its_user_only(client, sign_in, township, village):
    token = token_of(client.get(CREATE))
    client.post(CREATE, typed(village, once=token))
    colleague = sign_in(make_user("clerk", township, "colleague"))
    colleague.post(CREATE, typed(village, number="00022", once=token))
    assert Household.objects.count() == 2


def test_failing_service_leaves_neither_row_nor_note(client, village, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("disk full")

    token = token_of(client.get(CREATE))
    with monkeypatch.context() as patch:
        patch.setattr("fpadmin.audit.log.record", fail)
        with pytest.raises(RuntimeError, match="disk full"):
            client.post(CREATE, typed(village, once=token))
    assert (Household.objects.count(), Submission.objects.count()) == (0, 0)
    assert client.post(CREATE, typed(village, once=token)).status_code == 302


@pytest.mark.parametrize("token", ["", "short", "x" * 44, "ü" * 43])
def test_foreign_token_is_none(client, village, token):
    client.post(CREATE, typed(village, once=token))
    assert Submission.objects.count() == 0
    assert Household.objects.count() == 1
