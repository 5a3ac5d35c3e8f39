"""The auditor's pages and verify_audit."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from fpadmin.accounts import services
from fpadmin.audit import log, presenters
from fpadmin.audit import views as audit_views
from fpadmin.audit.models import AuditEvent

LIST = "audit:event-list"


def body(answer):
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def rows(answer):
    body(answer)
    return [row.record for row in answer.context["list"].table.rows]


@pytest.fixture
def trail(clerk, township, administrator, security_administrator):
    services.change_role(
        account=clerk, row_version=0, role="reviewer", region=township, by=security_administrator
    )
    services.reset_password(account=clerk, by=administrator)
    log.record("access.denied", by=clerk, changes={"page": "x"}, result="refused")
    log.record("audit.verified", by=log.SystemJob("verify_audit"), count=3)
    return list(AuditEvent.objects.order_by("-pk"))


def break_chain(event):
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER ALL")
        else:
            cursor.execute("DROP TRIGGER audit_no_update")
        cursor.execute("UPDATE audit_auditevent SET role = 'x' WHERE id = %s", [event.pk])


def test_list_shows_the_newest_first_in_words(sign_in, auditor, trail):
    answer = sign_in(auditor).get(reverse(LIST))
    assert rows(answer)[:4] == trail
    text = body(answer)
    assert "调整角色" in text
    assert "account.role_changed" not in text.split("<main")[1].split("</form>")[1]


@pytest.mark.parametrize(
    ("query", "types"),
    [
        ({"type": "account.password_reset"}, ["account.password_reset"]),
        ({"result": "refused"}, ["access.denied"]),
        ({"target_type": "accounts.user"}, ["account.password_reset", "account.role_changed"]),
        ({"since": "2000-01-01", "until": "2000-01-02"}, []),
    ],
)
def test_filters_narrow_the_list(query, types, sign_in, auditor, trail):
    assert [e.type for e in rows(sign_in(auditor).get(reverse(LIST), query))] == types


def test_filter_by_account_and_day(sign_in, auditor, trail, administrator):
    client = sign_in(auditor)
    found = rows(client.get(reverse(LIST), {"account": administrator.pk}))
    assert [e.type for e in found] == ["account.password_reset"]
    day = f"{trail[0].at.astimezone():%Y-%m-%d}"
    assert len(rows(client.get(reverse(LIST), {"since": day, "until": day}))) == len(trail)


def test_nobody_but_the_auditor_reads_the_trail(sign_in, trail, administrator, county_user):
    for user in (administrator, county_user):
        client = sign_in(user)
        for url in (
            reverse(LIST),
            reverse("audit:event-detail", args=[trail[0].pk]),
            reverse("audit:record-history", args=["accounts.user", "1"]),
            reverse("audit:chain-verify"),
        ):
            assert client.get(url).status_code == 403


def test_event_of_another_county_is_404(sign_in, auditor):
    foreign = log.record("access.denied", by=log.SystemJob("x"), region_path="53.5399.539982.")
    client = sign_in(auditor)
    assert client.get(reverse("audit:event-detail", args=[foreign.pk])).status_code == 404
    assert foreign not in rows(client.get(reverse(LIST)))


def test_detail_reads_changes_in_words(sign_in, auditor, trail):
    event = next(e for e in trail if e.type == "account.role_changed")
    text = body(sign_in(auditor).get(reverse("audit:event-detail", args=[event.pk])))
    assert "<del>经办</del>" in text
    assert "<ins>审核</ins>" in text
    assert event.hash in text


def test_history_of_one_record(sign_in, auditor, trail, clerk):
    client = sign_in(auditor)
    url = reverse("audit:record-history", args=["accounts.user", str(clerk.pk)])
    found = rows(client.get(url))
    assert {e.target_id for e in found} == {str(clerk.pk)}
    assert len(found) == 2
    empty = reverse("audit:record-history", args=["accounts.user", "999999"])
    assert client.get(empty).status_code == 404


def test_page_verifies_and_records_it(sign_in, auditor, trail):
    client = sign_in(auditor)
    assert "没有发现改动" in body(client.post(reverse("audit:chain-verify")))
    event = AuditEvent.objects.filter(type="audit.verified").order_by("-pk").first()
    assert (event.actor_id, event.result, event.count) == (auditor.pk, "ok", len(trail))


def test_page_names_the_first_broken_event(sign_in, auditor, trail):
    break_chain(trail[2])
    text = body(sign_in(auditor).post(reverse("audit:chain-verify")))
    assert f"从编号{trail[2].pk}开始对不上" in text
    assert AuditEvent.objects.filter(type="audit.verified", result="broken").count() == 1


def test_long_trail_is_verified_in_steps(sign_in, auditor, trail, monkeypatch):
    monkeypatch.setattr(audit_views, "ROWS_A_STEP", 2)
    client = sign_in(auditor)
    url = reverse("audit:chain-verify")
    text = body(client.post(url))
    assert "已核验2条" in text
    assert 'hx-trigger="load"' in text
    for _ in range(2):
        text = body(client.post(url, {"go_on": "1"}))
    assert f"共核验{len(trail)}条" in text


def test_command_names_the_first_broken_event(trail):
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue() == f"ok: {len(trail)} events\n"
    break_chain(trail[1])
    out = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("verify_audit", stdout=out)
    assert stop.value.code == 1
    assert f"broken at event {trail[1].pk}" in out.getvalue()


def test_list_costs_the_same_for_more_events(
    sign_in, auditor, trail, assert_query_count_does_not_grow
):
    client = sign_in(auditor)
    client.get(reverse("audit:event-list"))
    assert_query_count_does_not_grow(
        lambda: client.get(reverse("audit:event-list")),
        lambda: [log.record("access.denied", by=auditor) for _ in range(6)],
    )


def test_presenter_reads_whatever_an_event_says():
    event = AuditEvent(
        type="gone.type", target_type="no.model", target_id="7", result="odd", role="gone",
        changes={"one": ["已变更"], "pair": [None, True], "text": "x", "map": {"a": 1}},
    )  # fmt: skip
    assert presenters.type_label(event) == "gone.type"
    assert presenters.target_label(event) == "no.model 7"
    assert presenters.result_tag(event) == ("off", "odd")
    assert presenters.role_label(event) == "—"
    lines = presenters.change_lines(event)
    assert [(line.label, line.text, line.old, line.new) for line in lines] == [
        ("one", "已变更", None, None),
        ("pair", "", "—", "是"),
        ("text", "x", None, None),
        ("map", "a：1", None, None),
    ]
