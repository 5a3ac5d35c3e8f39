"""Screens of accounts, roles and regions."""

import pytest
from django.urls import reverse
from django.utils import timezone

from fpadmin.accounts import services
from fpadmin.accounts.models import Region, User
from fpadmin.audit.models import AuditEvent
from tests.factories.accounts import make_region, make_user

LISTS = ["accounts:account-list", "accounts:role-list", "accounts:region-list"]


def body(answer):
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def opened(client, url):
    """What an opened edit form carries along."""
    context = client.get(url).context
    return {name: context[name] for name in ("row_version", "opened")}


@pytest.fixture
def other_county_user(db):
    return make_user("clerk", make_region("539982100"), "far-clerk", name="外县人")


def test_account_list_shows_own_county_only(sign_in, administrator, clerk, other_county_user):
    text = body(sign_in(administrator).get(reverse("accounts:account-list")))
    assert clerk.username in text
    assert "外县人" not in text


def test_account_list_filters_by_role_state_and_place(
    sign_in, administrator, clerk, propagandist, village
):
    client, url = sign_in(administrator), reverse("accounts:account-list")
    User.objects.filter(pk=clerk.pk).update(is_active=False)
    assert clerk.username not in body(client.get(url, {"role": "propagandist"}))
    assert propagandist.username in body(client.get(url, {"role": "propagandist"}))
    disabled = body(client.get(url, {"state": "disabled"}))
    assert clerk.username in disabled
    assert propagandist.username not in disabled
    place = body(client.get(url, {"place": village.code}))
    assert propagandist.username in place
    assert clerk.username not in place
    assert propagandist.username not in body(client.get(url, {"state": "locked"}))


def test_account_is_found_by_name_by_post_and_the_name_stays_out_of_links(
    sign_in, administrator, township, other_county_user
):
    make_user("clerk", township, "luoxm", name="罗晓梅")
    client = sign_in(administrator)
    text = body(client.post(reverse("accounts:account-search"), {"q": "晓梅"}))
    assert "luoxm" in text
    assert "q=" not in text
    assert "far-clerk" not in body(client.post(reverse("accounts:account-search"), {"q": "外县"}))
    assert client.get(reverse("accounts:account-search")).status_code == 405


def test_new_account_page_shows_the_password_once(sign_in, administrator, township):
    client = sign_in(administrator)
    data = {"username": "luoxm", "name": "罗晓梅", "role": "clerk", "region": township.code}
    answer = client.post(reverse("accounts:account-create"), data | {"password": "Mine-is.1234"})
    account = User.objects.get(username="luoxm")
    shown = answer.context["password"]
    assert shown in body(answer)
    assert account.check_password(shown)
    assert not account.check_password("Mine-is.1234")
    assert answer["Cache-Control"] == "no-store"
    detail = body(client.get(reverse("accounts:account-detail", args=[account.pk])))
    assert shown not in detail


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"region": "539982100"}, "没有代码为"),
        ({"region": "999"}, "没有代码为"),
        ({"region": "539981001201"}, "要设在乡级"),
        ({"username": "X"}, "3到50个"),
        ({"role": "superuser"}, "有1处需要修改"),
        ({"name": ""}, "有1处需要修改"),
    ],
)
def test_wrong_new_account_keeps_what_was_typed(
    change, words, sign_in, administrator, village, other_county_user
):
    data = {"username": "luoxm", "name": "罗晓梅", "role": "clerk", "region": "539981001"}
    text = body(sign_in(administrator).post(reverse("accounts:account-create"), data | change))
    assert words in text
    assert "<title>错误：" in text
    assert ('value="罗晓梅"' in text) or "name" in change
    assert not User.objects.filter(username="luoxm").exists()


def test_account_is_edited_disabled_enabled_and_reset(sign_in, administrator, clerk, township):
    client = sign_in(administrator)

    def post(action, **data):
        return client.post(reverse(f"accounts:account-{action}", args=[clerk.pk]), data)

    def opened_form():
        return opened(client, reverse("accounts:account-update", args=[clerk.pk]))

    for name in ("update", "disable", "enable", "reset"):
        assert (
            clerk.username in body(client.get(reverse(f"accounts:account-{name}", args=[clerk.pk])))
            or name == "update"
        )
    named = opened_form() | {"name": "改名", "region": township.code}
    assert post("update", **named).status_code == 302
    assert User.objects.get(pk=clerk.pk).name == "改名"
    assert post("disable").status_code == 302
    assert not User.objects.get(pk=clerk.pk).is_active
    shown = post("enable").context["password"]
    assert User.objects.get(pk=clerk.pk).check_password(shown)
    shown = post("reset").context["password"]
    assert User.objects.get(pk=clerk.pk).check_password(shown)


def test_refused_disabling_says_why(sign_in, administrator):
    url = reverse("accounts:account-disable", args=[administrator.pk])
    assert "不能停用自己的账号" in body(sign_in(administrator).post(url))


def test_administrator_cannot_change_roles(sign_in, administrator, clerk):
    client = sign_in(administrator)
    for name in ("role-update", "role-unlock"):
        assert client.post(reverse(f"accounts:{name}", args=[clerk.pk])).status_code == 403
    edit = reverse("accounts:account-update", args=[clerk.pk])
    data = {"name": "x", "region": clerk.region.code, "role": "reviewer"}
    client.post(edit, opened(client, edit) | data)
    saved = User.objects.get(pk=clerk.pk)
    assert (saved.name, saved.role) == ("x", "clerk")


def test_security_administrator_changes_a_role_and_unlocks(
    sign_in, security_administrator, clerk, township
):
    client = sign_in(security_administrator)
    locked_until = timezone.now() + timezone.timedelta(minutes=9)
    User.objects.filter(pk=clerk.pk).update(locked_until=locked_until, failed_sign_ins=5)
    assert "解除锁定" in body(client.get(reverse("accounts:role-list")))
    client.post(reverse("accounts:role-unlock", args=[clerk.pk]))
    assert (
        "解除锁定"
        not in body(client.get(reverse("accounts:role-list"))).split("<main")[1].split("fp-note")[0]
    )
    url = reverse("accounts:role-update", args=[clerk.pk])
    form = opened(client, url) | {"region": township.code}
    assert "要设在村级" in body(client.post(url, form | {"role": "propagandist"}))
    assert client.post(url, form | {"role": "reviewer"}).status_code == 302
    assert User.objects.get(pk=clerk.pk).role == "reviewer"


def test_own_role_is_refused_on_the_page(sign_in, security_administrator):
    url = reverse("accounts:role-update", args=[security_administrator.pk])
    data = {"role": "administrator", "region": security_administrator.region.code}
    client = sign_in(security_administrator)
    assert "不能改自己的角色" in body(client.post(url, opened(client, url) | data))


@pytest.mark.parametrize(
    ("name", "who"),
    [("account-update", "administrator"), ("role-update", "security_administrator")],
)
@pytest.mark.parametrize("version", ["", "x", "-1"])
def test_edit_without_version_is_a_bad_request(name, who, version, request, sign_in, clerk):
    url = reverse(f"accounts:{name}", args=[clerk.pk])
    client = sign_in(request.getfixturevalue(who))
    data = {"name": "改名", "role": "reviewer", "region": clerk.region.code}
    answer = client.post(url, opened(client, url) | data | {"row_version": version})
    assert answer.status_code == 400


def test_second_of_two_administrators_sees_both_versions_and_chooses(
    sign_in, administrator, county, clerk, other_township
):
    url = reverse("accounts:account-update", args=[clerk.pk])
    mine = sign_in(administrator)
    theirs = sign_in(make_user("administrator", county, "second", name="李四"))
    my_form, their_form = opened(mine, url), opened(theirs, url)
    here = clerk.region.code
    theirs.post(url, their_form | {"name": "他改", "region": other_township.code})

    page = mine.post(url, my_form | {"name": "我改", "region": here})

    assert page.status_code == 409
    assert "李四（second）在" in page.content.decode()
    shown = {d.name: (d.mine, d.theirs, d.keep) for d in page.context["differences"]}
    assert shown == {
        "name": ("我改", "他改", "mine"),
        "region": (here, other_township.code, "theirs"),
    }
    assert User.objects.get(pk=clerk.pk).name == "他改"

    chosen = dict(page.context["posted"]) | {
        "row_version": page.context["row_version"], "opened": page.context["opened"],
        "use_name": "mine", "use_region": "theirs", "step": "resolve",
    }  # fmt: skip
    assert mine.post(url, chosen).status_code == 302
    saved = User.objects.get(pk=clerk.pk)
    assert (saved.name, saved.region) == ("我改", other_township)


def test_role_and_place_changed_meanwhile_are_both_shown(
    sign_in, security_administrator, administrator, clerk, other_township
):
    url = reverse("accounts:role-update", args=[clerk.pk])
    client = sign_in(security_administrator)
    form = opened(client, url)
    services.update_account(
        account=clerk, row_version=0, name=clerk.name, region=other_township, by=administrator
    )

    page = client.post(url, form | {"role": "reviewer", "region": clerk.region.code})

    assert page.status_code == 409
    assert [d.name for d in page.context["differences"]] == ["region"]
    assert User.objects.get(pk=clerk.pk).role == "clerk"


def test_second_edit_of_a_region_shows_both_versions(sign_in, administrator, village):
    url = reverse("accounts:region-update", args=[village.code])
    client = sign_in(administrator)
    first, second = opened(client, url), opened(client, url)
    values = {"urban_rural": "乡村", "valid_from": "2018-01-01", "valid_until": ""}
    assert client.post(url, first | values | {"name": "庄科"}).status_code == 302

    page = client.post(url, second | values | {"name": "庄科社区", "valid_from": "2017-01-01"})

    assert page.status_code == 409
    shown = {d.name: (d.opened, d.mine, d.theirs) for d in page.context["differences"]}
    assert shown == {
        "name": ("庄科村", "庄科社区", "庄科"),
        "valid_from": ("—", "2017-01-01", "2018-01-01"),
    }
    without = {"name": "庄科社区"} | values
    assert client.post(url, without).status_code == 400
    assert Region.objects.get(pk=village.pk).name == "庄科"


def test_permission_table_is_the_literal_one(sign_in, security_administrator):
    text = body(sign_in(security_administrator).get(reverse("accounts:permission-table")))
    assert "查看审计记录" in text
    assert text.count("系统管理员</th>") == 1


def test_every_permission_has_words():
    from fpadmin.accounts.permissions import PERMISSION_LABELS, Permission

    assert set(PERMISSION_LABELS) == set(Permission)


def test_region_list_and_page_show_own_subtree(sign_in, clerk, village, far_village):
    client = sign_in(clerk)
    text = body(client.get(reverse("accounts:region-list")))
    assert village.name in text
    assert far_village.name not in text
    page = body(client.get(village.get_absolute_url()))
    assert village.name in page
    assert client.get(far_village.get_absolute_url()).status_code == 404
    assert client.get("/accounts/regions/12345/").status_code == 404


def test_clerk_sees_regions_but_does_not_change_them(sign_in, clerk, village):
    client = sign_in(clerk)
    assert client.get(reverse("accounts:region-update", args=[village.code])).status_code == 403
    assert client.get(reverse("accounts:region-create")).status_code == 403
    assert "修改" not in body(client.get(village.get_absolute_url())).split("<main")[1]


def test_region_is_made_and_ended(sign_in, administrator, township):
    client = sign_in(administrator)
    data = {"code": "539981001209", "name": "新村", "urban_rural": "", "valid_from": "2018年1月1日"}
    assert client.post(reverse("accounts:region-create"), data).status_code == 302
    region = Region.objects.get(code="539981001209")
    assert str(region.valid_from) == "2018-01-01"
    url = reverse("accounts:region-update", args=[region.code])
    assert "新村" in body(client.get(url))
    form = opened(client, url) | {"name": "新村", "valid_from": "2018-01-01"}
    wrong = form | {"valid_until": "20171231"}
    assert "停用日期必须晚于启用日期" in body(client.post(url, wrong))
    client.post(url, form | {"valid_until": "20181001"})
    assert "已停用" in body(client.get(region.get_absolute_url()))


def test_region_outside_the_own_county_cannot_be_made(sign_in, administrator, other_county_user):
    data = {"code": "539982100201", "name": "外村"}
    text = body(sign_in(administrator).post(reverse("accounts:region-create"), data))
    assert "不在您管理的范围内" in text
    assert not Region.objects.filter(code="539982100201").exists()


@pytest.mark.parametrize("name", LISTS)
def test_list_costs_the_same_for_more_rows(
    name, sign_in, administrator, security_administrator, township, assert_query_count_does_not_grow
):
    users = {LISTS[0]: administrator, LISTS[1]: security_administrator, LISTS[2]: administrator}
    client = sign_in(users[name])
    client.get(reverse(name))

    def grow():
        for number in range(6):
            region = make_region(f"5399810013{number:02d}")
            make_user("propagandist", region)

    assert_query_count_does_not_grow(lambda: body(client.get(reverse(name))), grow)


def test_region_page_costs_the_same_for_more_villages(
    sign_in, administrator, township, assert_query_count_does_not_grow
):
    client = sign_in(administrator)
    client.get(township.get_absolute_url())
    assert_query_count_does_not_grow(
        lambda: body(client.get(township.get_absolute_url())),
        lambda: [make_region(f"5399810013{number:02d}") for number in range(6)],
    )


def test_denied_page_is_recorded_and_one_session_cannot_flood_the_trail(
    sign_in, clerk, monkeypatch
):
    from fpadmin.audit import middleware

    monkeypatch.setattr(middleware, "DENIALS_AN_HOUR", 3)
    client = sign_in(clerk)
    for _ in range(6):
        assert client.get(reverse("accounts:account-list")).status_code == 403
    events = AuditEvent.objects.filter(type="access.denied")
    assert events.count() == 3
    assert events[0].changes == {"page": "accounts:account-list", "method": "GET"}
    assert events[0].actor_id == clerk.pk
