"""Pages of the shell: home, help, own settings, errors, health."""

import pytest
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.models import AuditEvent
from fpadmin.ui import errors, menu
from fpadmin.ui.menu import Card, MenuEntry


def body(response) -> str:
    return response.content.decode()


@pytest.fixture
def own_registries(monkeypatch):
    """Menu and cards of this test only."""
    monkeypatch.setattr(menu, "ENTRIES", {"home": menu.ENTRIES["home"]})
    monkeypatch.setattr(menu, "CARDS", {})


# Home and menu


def test_home_shows_the_day_and_marks_the_place(clerk, sign_in):
    page = body(sign_in(clerk).get("/"))
    assert "2018年10月9日　星期二" in page
    assert '<a href="/" aria-current="page">' in page
    assert "<title>今日工作 - 人口与家庭服务系统</title>" in page


def test_home_shows_only_permitted_cards_with_links(own_registries, clerk, auditor, sign_in):
    menu.register_card(
        Card("due", "到期", Permission.REGISTRY_VIEW, lambda user, day: [("见面", 1200, "/x/")])
    )
    shown = body(sign_in(clerk).get("/"))
    assert (
        '<a href="/x/"><span class="fp-k">见面</span><span class="fp-v">1,200</span></a>' in shown
    )
    assert "到期" not in body(sign_in(auditor).get("/"))


def test_card_and_entry_keys_are_taken_once(own_registries):
    card = Card("due", "到期", Permission.REGISTRY_VIEW, lambda user, day: [])
    menu.register_card(card)
    with pytest.raises(ValueError, match="twice"):
        menu.register_card(card)
    with pytest.raises(ValueError, match="twice"):
        menu.register_entry(menu.ENTRIES["home"])


def test_menu_opens_only_the_group_of_the_place(own_registries, clerk):
    for key, group in (("a", ""), ("a1", "a"), ("a2", "a"), ("b", ""), ("b1", "b")):
        menu.register_entry(
            MenuEntry(key, key, "help", Permission.SIGNED_IN, group=group, active=(f"{key}:",))
        )
    lines = {line.entry.key: line for line in menu.menu_for(clerk, "a2:detail")}
    assert lines["a"].is_open
    assert [child.is_current for child in lines["a"].children] == [False, True]
    assert not lines["b"].is_open


def test_menu_leaves_out_what_the_role_may_not(own_registries, clerk, auditor):
    menu.register_entry(MenuEntry("trail", "审计", "help", Permission.AUDIT_VIEW))
    assert "trail" not in {line.entry.key for line in menu.menu_for(clerk, "home")}
    assert "trail" in {line.entry.key for line in menu.menu_for(auditor, "home")}


def test_group_without_its_own_permission_leads_to_the_first_line(own_registries, auditor):
    menu.register_entry(MenuEntry("g", "组", "home", Permission.REGISTRY_VIEW))
    menu.register_entry(MenuEntry("g1", "行", "help", Permission.AUDIT_VIEW, group="g"))
    line = menu.menu_for(auditor, "home")[-1]
    assert (line.entry.key, line.url) == ("g", reverse("help"))


def test_every_menu_entry_has_a_page():
    for entry in menu.ENTRIES.values():
        assert reverse(entry.url_name)


def test_demo_is_marked_on_every_page(clerk, sign_in, settings):
    assert "演示数据" not in body(sign_in(clerk).get("/"))
    settings.DEMO = True
    page = body(sign_in(clerk).get("/"))
    assert "演示数据" in page
    assert "今天按2018-10-09" in page


def test_search_box_posts_and_is_only_for_the_registry(clerk, auditor, sign_in):
    search = f'action="{reverse("households:resident-search")}" method="post"'
    assert search in body(sign_in(clerk).get("/"))
    assert search not in body(sign_in(auditor).get("/"))


def test_visitor_is_sent_to_sign_in(client, db):
    response = client.get("/")
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("accounts:sign-in"))


# Help, own settings, gallery


def test_help_is_open_before_sign_in_with_fewer_topics(client, db):
    page = body(client.get("/help/"))
    assert "登录不了怎么办" in page
    assert "怎样导入Excel" not in page


def test_help_finds_words_and_says_what_to_do_when_there_are_none(clerk, sign_in):
    client = sign_in(clerk)
    found = body(client.get("/help/?q=excel"))
    assert "怎样导入Excel" in found
    assert "为什么要重新登录" not in found
    assert "没有找到相关的帮助" in body(client.get("/help/?q=%3Cscript%3E"))


def test_text_size_and_contrast_are_kept_on_the_account(clerk, sign_in):
    client = sign_in(clerk)
    response = client.post("/display/", {"text_size": "a2", "high_contrast": "on"}, follow=True)
    assert '<html lang="zh-CN" class="fp-a2 fp-hc">' in body(response)
    assert "显示设置已保存" in body(response)
    event = AuditEvent.objects.get(type="ui.display-saved")
    assert event.actor_id == clerk.pk
    assert event.changes == {"text_size": ["", "a2"], "high_contrast": [False, True]}


def test_unknown_text_size_is_refused_with_a_message(clerk, sign_in):
    page = body(sign_in(clerk).post("/display/", {"text_size": "a9"}))
    assert "字号没有这个选项，请重新选择" in page
    assert "<title>错误：" in page
    clerk.refresh_from_db()
    assert clerk.text_size == ""


def test_gallery_is_shown_only_while_debugging(clerk, sign_in, settings):
    client = sign_in(clerk)
    assert client.get("/components/").status_code == 404
    settings.DEBUG = True
    assert client.get("/components/").status_code == 200


# Errors


def test_forbidden_names_the_role_and_a_reference(clerk, sign_in):
    response = sign_in(clerk).get(reverse("audit:event-list"))
    assert response.status_code == 403
    page = body(response)
    assert "您的岗位是经办" in page
    assert f"-403-{response['X-Request-Id'][:8].upper()}" in page


def test_not_found_is_the_same_for_a_wrong_address_and_keeps_the_menu(clerk, sign_in):
    response = sign_in(clerk).get("/nowhere/")
    assert response.status_code == 404
    assert "没有找到这个页面" in body(response)
    assert 'aria-label="主菜单"' in body(response)


def test_visitor_gets_the_error_page_without_the_menu(client, db):
    page = body(client.get("/nowhere/"))
    assert "没有找到这个页面" in page
    assert 'aria-label="主菜单"' not in page


def test_form_without_token_is_told_to_reload(clerk):
    client = Client(enforce_csrf_checks=True)
    client.force_login(clerk)
    response = client.post("/display/", {"text_size": "a1"})
    assert response.status_code == 403
    assert "页面打开太久" in body(response)


@pytest.fixture
def request_of(clerk):
    request = RequestFactory().get("/")
    request.user, request.resolver_match = clerk, None
    request.request_id = "0123456789abcdef"
    return request


def test_too_large_a_request_is_413(request_of):
    assert errors.bad_request(request_of, RequestDataTooBig()).status_code == 413
    assert errors.bad_request(request_of, SuspiciousOperation()).status_code == 400


def test_throttled_request_says_how_long_to_wait(request_of):
    response = errors.too_many_requests(request_of, retry_after=40)
    assert (response.status_code, response["Retry-After"]) == (429, "40")
    assert "请等40秒再试" in body(response)


def test_server_error_page_needs_no_query(request_of, django_assert_num_queries, caplog):
    with django_assert_num_queries(0):
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            response = errors.server_error(request_of)
    assert response.status_code == 500
    assert "-500-01234567" in body(response)
    assert "0123456789abcdef" in caplog.text


def test_unreachable_database_is_503(request_of, caplog):
    try:
        raise OperationalError
    except OperationalError:
        response = errors.server_error(request_of)
    assert (response.status_code, response["Retry-After"]) == (503, "60")
    assert "系统暂时不能使用" in body(response)


# Health and headers


def test_health_answers_without_account(client, db):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_health_fails_when_the_database_does(client, db, monkeypatch):
    def broken():
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr("fpadmin.ui.views.connection.cursor", broken)
        assert client.get("/healthz").status_code == 503


def test_every_response_has_the_content_policy_and_is_not_stored(client, db):
    response = client.get("/help/")
    assert response["Content-Security-Policy"].startswith(
        "default-src 'self'; img-src 'self' data:"
    )
    assert "unsafe" not in response["Content-Security-Policy"]
    assert response["Cache-Control"] == "no-store"
