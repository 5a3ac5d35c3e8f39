"""Accounts and regions: what each service does, refuses, records and rolls back."""

from datetime import date

import pytest
from django.db import IntegrityError, transaction

from fpadmin.accounts import services
from fpadmin.accounts.models import Region, User
from fpadmin.accounts.permissions import Role
from fpadmin.audit import log
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import EditConflict, RuleViolation
from tests.factories.accounts import PASSWORD, make_region, make_user
from tests.factories.workbooks import run_import, workbook_of


def create(by, region, **extra):
    values = {"username": "luoxm", "name": "罗晓梅", "role": "clerk"} | extra
    return services.create_account(region=region, by=by, **values)


def last_event(type):
    return AuditEvent.objects.filter(type=type).order_by("-pk").first()


def test_new_account_has_a_random_password_to_be_changed(administrator, township):
    account, password = create(administrator, township, username=" LuoXM ")
    assert account.username == "luoxm"
    assert account.check_password(password)
    assert account.must_change_password
    event = last_event("account.created")
    assert (event.actor_id, event.target_id) == (administrator.pk, str(account.pk))
    assert event.region_path == township.path
    assert event.changes["role"] == [None, "clerk"]
    assert "罗晓梅" not in str(event.changes)
    assert password not in str(event.changes)


def test_command_may_give_a_password_that_stays(township):
    account, password = create(
        log.SystemJob("demo"), township, password="Yanshi.2018", must_change_password=False
    )
    assert (password, account.must_change_password) == ("Yanshi.2018", False)


@pytest.mark.parametrize("username", ["ab", "1abc", "罗晓梅", "a b c", "a" * 51, "a/b"])
def test_malformed_login_name_is_refused(username, administrator, township):
    with pytest.raises(RuleViolation) as refusal:
        create(administrator, township, username=username)
    assert refusal.value.field == "username"


def test_taken_login_name_is_refused_whatever_its_case(administrator, township):
    create(administrator, township)
    with pytest.raises(RuleViolation, match="已有人使用"):
        create(administrator, township, username="LUOXM")


@pytest.mark.parametrize(
    ("role", "level", "allowed"),
    [
        (Role.PROPAGANDIST, "village", True),
        (Role.PROPAGANDIST, "township", False),
        (Role.CLERK, "township", True),
        (Role.CLERK, "village", False),
        (Role.CLERK, "county", False),
        (Role.REVIEWER, "township", True),
        (Role.REVIEWER, "county", False),
        (Role.COUNTY, "county", True),
        (Role.COUNTY, "township", False),
        (Role.AUDITOR, "county", True),
        (Role.AUDITOR, "village", False),
        (Role.SECURITY_ADMINISTRATOR, "county", True),
        (Role.SECURITY_ADMINISTRATOR, "township", False),
        (Role.ADMINISTRATOR, "county", True),
        (Role.ADMINISTRATOR, "township", False),
    ],
)
def test_role_stands_at_its_level_only(role, level, allowed, administrator, village):
    region = {"village": village, "township": village.parent, "county": village.parent.parent}[
        level
    ]
    if allowed:
        assert create(administrator, region, role=role)[0].role == role
        return
    with pytest.raises(RuleViolation) as refusal:
        create(administrator, region, role=role)
    assert refusal.value.field == "region"


def test_unknown_role_is_refused_by_the_database(clerk):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=clerk.pk).update(role="superuser")


def test_moved_account_keeps_its_role_and_signs_in_again(clerk, other_township, administrator):
    version = clerk.session_version
    services.update_account(
        account=clerk, row_version=0, name="新名", region=other_township, by=administrator
    )
    clerk.refresh_from_db()
    assert (clerk.name, clerk.region, clerk.role) == ("新名", other_township, "clerk")
    assert clerk.session_version == version + 1
    event = last_event("account.changed")
    assert event.changes == {"name": ["已变更"], "region": ["539981001", "539981100"]}
    with pytest.raises(RuleViolation):
        services.update_account(
            account=clerk, row_version=1, name="新名", region=other_township.parent,
            by=administrator,
        )  # fmt: skip
    assert User.objects.get(pk=clerk.pk).row_version == 1


def test_nobody_disables_or_resets_or_promotes_himself(administrator, security_administrator):
    with pytest.raises(RuleViolation, match="自己"):
        services.disable_account(account=administrator, by=administrator)
    with pytest.raises(RuleViolation, match="自己"):
        services.reset_password(account=administrator, by=administrator)
    with pytest.raises(RuleViolation, match="自己的角色"):
        services.change_role(
            account=security_administrator,
            row_version=0,
            role="administrator",
            region=security_administrator.region,
            by=security_administrator,
        )
    security_administrator.refresh_from_db()
    assert security_administrator.role == "security_administrator"


def test_last_administrators_cannot_be_removed(administrator, security_administrator, county):
    with pytest.raises(RuleViolation, match="最后一个"):
        services.disable_account(account=security_administrator, by=administrator)
    with pytest.raises(RuleViolation, match="最后一个"):
        services.change_role(
            account=administrator, row_version=0, role="county", region=county,
            by=security_administrator,
        )  # fmt: skip
    make_user("security_administrator", county, "second")
    services.disable_account(account=security_administrator, by=administrator)
    assert not User.objects.get(pk=security_administrator.pk).is_active


def test_enabling_gives_a_new_temporary_password(clerk, administrator):
    services.disable_account(account=clerk, by=administrator)
    assert last_event("account.disabled").changes == {"is_active": [True, False]}
    account, password = services.enable_account(account=clerk, by=administrator)
    assert account.is_active
    assert account.must_change_password
    assert account.check_password(password)
    assert not account.check_password(PASSWORD)


def test_reset_of_a_disabled_account_is_refused(clerk, administrator):
    services.disable_account(account=clerk, by=administrator)
    with pytest.raises(RuleViolation, match="已停用"):
        services.reset_password(account=clerk, by=administrator)


def test_role_change_is_recorded_with_both_roles(clerk, township, security_administrator):
    services.change_role(
        account=clerk, row_version=0, role="reviewer", region=township, by=security_administrator
    )
    event = last_event("account.role_changed")
    assert event.changes == {"role": ["clerk", "reviewer"]}
    assert event.actor_id == security_administrator.pk


def test_own_password_needs_the_current_one(clerk):
    with pytest.raises(RuleViolation) as refusal:
        services.change_own_password(account=clerk, current="wrong", password="Xin-mi.ma77")
    assert refusal.value.field == "current"
    with pytest.raises(RuleViolation) as refusal:
        services.change_own_password(account=clerk, current=PASSWORD, password="short")
    assert refusal.value.field == "password"
    assert last_event("account.password_changed") is None


@pytest.mark.parametrize(
    "act",
    [
        lambda a, by, place: create(by, place),
        lambda a, by, place: services.update_account(
            account=a, row_version=0, name="x", region=place, by=by
        ),
        lambda a, by, place: services.disable_account(account=a, by=by),
        lambda a, by, place: services.reset_password(account=a, by=by),
        lambda a, by, place: services.change_role(
            account=a, row_version=0, role="reviewer", region=place, by=by
        ),
        lambda a, by, place: services.unlock_account(account=a, by=by),
        lambda a, by, place: services.change_own_password(
            account=a, current=PASSWORD, password="Xin-mi.ma77"
        ),
        lambda a, by, place: services.sign_out(account=a),
        lambda a, by, place: services.update_region(
            region=place,
            row_version=0,
            name="x",
            urban_rural="",
            valid_from=None,
            valid_until=None,
            by=by,
        ),
    ],
    ids=["create", "update", "disable", "reset", "role", "unlock", "password", "out", "region"],
)
def test_service_changes_nothing_when_its_event_fails(
    act, clerk, administrator, township, monkeypatch
):
    def state():
        return (list(User.objects.order_by("pk").values()), list(Region.objects.values()))

    def broken(*args, **kwargs):
        raise OSError("no audit")

    before = state()
    monkeypatch.setattr(log, "record", broken)
    with pytest.raises(OSError, match="no audit"):
        act(clerk, administrator, township)
    assert state() == before


@pytest.mark.parametrize(
    "act",
    [
        lambda a, by, place: services.update_account(
            account=a, row_version=0, name="李四", region=place, by=by
        ),
        lambda a, by, place: services.change_role(
            account=a, row_version=0, role="reviewer", region=place, by=by
        ),
    ],
    ids=["update", "role"],
)
def test_second_edit_of_an_account_is_a_conflict(
    act, clerk, administrator, security_administrator, township
):
    services.update_account(
        account=clerk, row_version=0, name="张三", region=township, by=administrator
    )
    with pytest.raises(EditConflict) as conflict:
        act(clerk, security_administrator, township)
    assert conflict.value.current.name == "张三"
    clerk.refresh_from_db()
    assert (clerk.name, clerk.role, clerk.row_version) == ("张三", "clerk", 1)


# Regions ----------------------------------------------------------------------------------------


def new_region(by, code="539981001203", **extra):
    values = {"name": "新村", "urban_rural": "乡村", "valid_from": None, "valid_until": None}
    return services.create_region(code=code, by=by, **(values | extra))


def test_new_region_takes_level_and_parent_from_its_code(administrator, township):
    region = new_region(administrator)
    assert (region.level, region.parent, region.path) == (
        5,
        township,
        f"{township.path}{region.code}.",
    )
    assert last_event("region.created").target_id == str(region.pk)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("5399810012", "不对"),
        ("53998100120a", "不对"),
        ("539981001201", "已经有了"),
        ("539981999201", "上级区划539981999还没有登记"),
    ],
)
def test_impossible_region_is_refused(code, words, administrator, village):
    with pytest.raises(RuleViolation, match=words) as refusal:
        new_region(administrator, code=code)
    assert refusal.value.field == "code"


def test_code_taken_a_moment_ago_is_refused_in_words(administrator, township, monkeypatch):
    def meanwhile(*dates):
        make_region("539981001203", "先登记的村")

    monkeypatch.setattr(services, "_check_dates", meanwhile)
    with pytest.raises(RuleViolation, match="539981001203已经有了") as refusal:
        new_region(administrator)
    assert refusal.value.field == "code"


def test_region_ends_after_those_below_it(administrator, village, township):
    def end(region, day):
        return services.update_region(
            region=region, row_version=0, name=region.name, urban_rural="", valid_from=None,
            valid_until=day, by=administrator,
        )  # fmt: skip

    with pytest.raises(RuleViolation, match="庄科村"):
        end(township, date(2018, 10, 1))
    end(village, date(2018, 9, 30))
    assert end(township, date(2018, 10, 1)).valid_until == date(2018, 10, 1)
    assert last_event("region.changed").changes["valid_until"] == [None, "2018-10-01"]


def test_second_edit_of_a_region_is_a_conflict(administrator, village):
    def rename(name):
        services.update_region(
            region=village, row_version=0, name=name, urban_rural="乡村", valid_from=None,
            valid_until=None, by=administrator,
        )  # fmt: skip

    rename("庄科")
    with pytest.raises(EditConflict) as conflict:
        rename("庄科社区")
    assert (conflict.value.current.name, conflict.value.current.row_version) == ("庄科", 1)
    assert Region.objects.get(pk=village.pk).name == "庄科"


def test_import_of_a_region_is_an_edit_too(administrator, village, township):
    rows = [
        {"code": township.code, "name": township.name, "level": "乡"},
        {"code": village.code, "name": "庄科社区", "level": "村"},
    ]
    assert run_import("regions", workbook_of("regions", rows), township).updated == 1
    township.refresh_from_db()
    assert township.row_version == 0
    with pytest.raises(EditConflict):
        services.update_region(
            region=village, row_version=0, name="庄科", urban_rural="", valid_from=None,
            valid_until=None, by=administrator,
        )  # fmt: skip


def test_region_dates_are_ordered(administrator, village):
    with pytest.raises(RuleViolation) as refusal:
        new_region(administrator, valid_from=date(2018, 1, 2), valid_until=date(2018, 1, 2))
    assert refusal.value.field == "valid_until"
    with pytest.raises(IntegrityError), transaction.atomic():
        Region.objects.filter(pk=village.pk).update(
            valid_from=date(2018, 1, 2), valid_until=date(2018, 1, 1)
        )


def test_unknown_start_counts_as_always(village):
    assert village in Region.objects.valid_on(date(1900, 1, 1))
    Region.objects.filter(pk=village.pk).update(
        valid_from=date(2018, 1, 1), valid_until=date(2019, 1, 1)
    )
    for day, valid in [
        (date(2017, 12, 31), False), (date(2018, 1, 1), True), (date(2018, 12, 31), True),
        (date(2019, 1, 1), False),
    ]:  # fmt: skip
        assert (village in Region.objects.valid_on(day)) is valid
