"""The way in: lockout, throttle, one answer for every failure, sessions that end at once."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from fpadmin.accounts import services, sign_in
from fpadmin.accounts.middleware import POLLED_VIEWS
from fpadmin.accounts.models import SignInAttempt, User
from fpadmin.audit.models import AuditEvent
from fpadmin.errors import RuleViolation
from fpadmin.jobs.models import Job
from tests.factories.accounts import PASSWORD, make_region, make_user
from tests.guards.source import templates

SIGN_IN = "/accounts/sign-in/"


def attempt(user, password=PASSWORD, address="10.0.0.1"):
    username = user if isinstance(user, str) else user.username
    return sign_in.check_credentials(username=username, password=password, address=address)


def fail(user, times=1, address="10.0.0.1"):
    for _ in range(times):
        with pytest.raises(RuleViolation):
            attempt(user, "wrong", address)


def post(client, username, password=PASSWORD, **extra):
    return client.post(SIGN_IN, {"username": username, "password": password}, **extra)


def reasons():
    events = AuditEvent.objects.filter(type="sign_in.failed").order_by("pk")
    return [event.changes["reason"] for event in events]


def test_right_password_opens_home_and_is_recorded(clerk):
    client = Client()
    answer = post(client, clerk.username, REMOTE_ADDR="10.1.2.3", HTTP_USER_AGENT="Firefox")
    assert answer.status_code == 302
    assert answer["Location"] == "/"
    event = AuditEvent.objects.get(type="sign_in.ok")
    assert (event.actor_id, event.address, event.user_agent) == (clerk.pk, "10.1.2.3", "Firefox")
    assert event.request_id == answer["X-Request-Id"]


def test_login_name_is_read_without_blanks_and_case(clerk):
    assert attempt(f" {clerk.username.upper()} ") == clerk


def test_sign_in_goes_back_to_the_page_asked_for_and_never_elsewhere(clerk):
    def target(address):
        data = {"username": clerk.username, "password": PASSWORD, "next": address}
        return Client().post(SIGN_IN, data)["Location"]

    assert target("/accounts/password/") == "/accounts/password/"
    assert target("https://evil.example/") == "/"
    assert target("//evil.example/") == "/"


def test_fifth_failure_locks_the_account_for_fifteen_minutes(clerk, settings):
    fail(clerk, settings.SIGN_IN_FAILURES - 1)
    assert User.objects.get(pk=clerk.pk).locked_until is None
    fail(clerk)
    with pytest.raises(RuleViolation):
        attempt(clerk, address="10.9.9.9")  # the right password, from anywhere
    assert AuditEvent.objects.filter(type="account.locked", target_id=clerk.pk).count() == 1
    later = timezone.now() + timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES, seconds=1)
    with time_machine.travel(later, tick=False):
        assert attempt(clerk) == clerk
    clerk.refresh_from_db()
    assert (clerk.failed_sign_ins, clerk.locked_until) == (0, None)


def test_counting_starts_anew_after_a_lock_has_run_out(clerk, settings):
    fail(clerk, settings.SIGN_IN_FAILURES)
    later = timezone.now() + timedelta(minutes=settings.SIGN_IN_LOCK_MINUTES, seconds=1)
    with time_machine.travel(later, tick=False):
        fail(clerk)
        assert attempt(clerk) == clerk


def test_success_in_between_starts_counting_anew(clerk, settings):
    fail(clerk, settings.SIGN_IN_FAILURES - 1)
    attempt(clerk)
    fail(clerk, settings.SIGN_IN_FAILURES - 1)
    assert attempt(clerk) == clerk


def test_one_address_is_refused_after_many_names(township, settings):
    settings.SIGN_IN_ADDRESS_FAILURES = 3
    users = [make_user("clerk", township, f"clerk{n}") for n in range(4)]
    for user in users[:3]:
        fail(user)
    with pytest.raises(RuleViolation) as refusal:
        attempt(users[3])
    assert refusal.value.message == sign_in.throttled_message()
    assert attempt(users[3], address="10.0.0.2") == users[3]


def test_throttled_attempts_write_nothing(clerk, settings):
    settings.SIGN_IN_ADDRESS_FAILURES = 2
    fail("nobody", 2)
    before = (AuditEvent.objects.count(), SignInAttempt.objects.count())
    fail("nobody", 3)
    assert (AuditEvent.objects.count(), SignInAttempt.objects.count()) == before


def test_forwarded_for_header_does_not_change_the_address_that_is_throttled(clerk, settings):
    settings.SIGN_IN_ADDRESS_FAILURES = 2
    for number in range(4):
        answer = post(Client(), "nobody", HTTP_X_FORWARDED_FOR=f"1.2.3.{number}")
    assert sign_in.throttled_message() in answer.content.decode()


def test_own_proxy_names_the_client_last(clerk, settings):
    settings.BEHIND_PROXY = True
    post(Client(), "nobody", HTTP_X_FORWARDED_FOR="6.6.6.6, 10.4.4.4")
    assert SignInAttempt.objects.get().address == "10.4.4.4"


def test_every_failure_looks_the_same(clerk, township, settings):
    disabled = make_user("clerk", township, "disabled", is_active=False)
    locked = make_user("clerk", township, "locked")
    fail(locked, settings.SIGN_IN_FAILURES, address="10.5.5.5")
    bodies = set()
    for username, password in [
        ("nobody", PASSWORD), (clerk.username, "wrong"), (locked.username, PASSWORD),
        (disabled.username, PASSWORD),
    ]:  # fmt: skip
        client = Client(enforce_csrf_checks=False)
        answer = post(client, username, password)
        assert answer.status_code == 200
        token = str(answer.context["csrf_token"])
        body = answer.content.decode().replace(token, "").replace(username, "")
        bodies.add(body)
    assert len(bodies) == 1
    assert sign_in.refused_message() in bodies.pop()
    assert reasons()[-4:] == ["unknown_account", "wrong_password", "locked", "disabled"]


def test_every_failure_costs_one_password_hash(clerk, township, monkeypatch):
    """Equal time comes from equal work: exactly one hash whatever is wrong."""
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashes = []
    original = MD5PasswordHasher.encode
    monkeypatch.setattr(
        MD5PasswordHasher, "encode", lambda *args: (hashes.append(1), original(*args))[1]
    )
    make_user("clerk", township, "disabled", is_active=False)
    for username in ("nobody", clerk.username, "disabled"):
        hashes.clear()
        fail(username)
        assert len(hashes) == 1, username


def test_attempt_never_keeps_the_typed_name_in_clear(db):
    fail("MySecretPassword1")
    attempt_row = SignInAttempt.objects.get()
    event = AuditEvent.objects.get(type="sign_in.failed")
    assert "secret" not in attempt_row.username_digest.lower()
    assert "secret" not in str(event.changes).lower()
    assert event.actor == "系统：登录"


def test_last_security_administrator_is_locked_only_at_the_address_that_failed(
    security_administrator, settings
):
    fail(security_administrator, settings.SIGN_IN_FAILURES, address="10.6.6.6")
    with pytest.raises(RuleViolation):
        attempt(security_administrator, address="10.6.6.6")
    assert attempt(security_administrator, address="10.0.0.1") == security_administrator


def test_second_to_last_security_administrator_is_locked_like_everybody(
    security_administrator, county, settings
):
    second = make_user("security_administrator", county, "second")
    fail(second, settings.SIGN_IN_FAILURES, address="10.6.6.6")
    with pytest.raises(RuleViolation):
        attempt(second, address="10.0.0.1")
    fail(security_administrator, settings.SIGN_IN_FAILURES, address="10.7.7.7")
    assert attempt(security_administrator, address="10.0.0.1") == security_administrator


def test_unlocking_lets_in_at_once(clerk, security_administrator, settings):
    fail(clerk, settings.SIGN_IN_FAILURES)
    services.unlock_account(account=clerk, by=security_administrator)
    assert attempt(clerk) == clerk
    event = AuditEvent.objects.get(type="account.unlocked")
    assert (event.actor_id, event.target_id) == (security_administrator.pk, str(clerk.pk))


def test_old_temporary_password_is_refused(township, administrator):
    account, password = services.create_account(
        username="newcomer", name="新人", role="clerk", region=township, by=administrator
    )
    later = timezone.now() + timedelta(days=sign_in.TEMPORARY_DAYS, seconds=1)
    with time_machine.travel(later, tick=False), pytest.raises(RuleViolation):
        attempt(account, password)
    assert reasons() == ["temporary_password_expired"]
    assert attempt(account, password) == account


def test_failed_event_rolls_back_the_sign_in(clerk, monkeypatch):
    fail(clerk, 2)

    def broken(*args, **kwargs):
        raise OSError("no audit")

    monkeypatch.setattr(sign_in.log, "record", broken)
    with pytest.raises(OSError, match="no audit"):
        attempt(clerk)
    assert User.objects.get(pk=clerk.pk).failed_sign_ins == 2


# Sessions ---------------------------------------------------------------------------------------


def test_sign_in_starts_a_new_session_id(clerk):
    client = Client()
    session = client.session
    session["planted"] = "x"
    session.save()
    before = session.session_key
    post(client, clerk.username)
    assert client.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def is_signed_in(client):
    return client.get("/accounts/password/").status_code == 200


def other_events(account, by, township):
    return {
        "sign-out elsewhere": lambda: services.sign_out(account=account),
        "disable": lambda: services.disable_account(account=account, by=by),
        "reset": lambda: services.reset_password(account=account, by=by),
        "role": lambda: services.change_role(
            account=account, row_version=0, role="reviewer", region=township, by=by
        ),
        "own password": lambda: services.change_own_password(
            account=account, current=PASSWORD, password="Xin-mi.ma77"
        ),
    }


@pytest.mark.parametrize(
    "event", ["sign-out elsewhere", "disable", "reset", "role", "own password"]
)
def test_every_open_session_ends_at_once(event, clerk, administrator, township):
    client = Client()
    post(client, clerk.username)
    cookie = client.cookies["sessionid"].value
    assert is_signed_in(client)
    other_events(clerk, administrator, township)[event]()
    replay = Client()
    replay.cookies["sessionid"] = cookie
    assert replay.get("/accounts/password/")["Location"].startswith(SIGN_IN)


def test_sign_out_ends_the_session_and_empties_the_browser(clerk):
    client, elsewhere = Client(), Client()
    post(client, clerk.username)
    post(elsewhere, clerk.username)
    answer = client.post(reverse("accounts:sign-out"))
    assert answer["Location"] == SIGN_IN
    assert '"cache"' in answer["Clear-Site-Data"]
    assert not is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert Session.objects.count() == 0 or not is_signed_in(client)
    assert AuditEvent.objects.filter(type="sign_out", actor_id=clerk.pk).count() == 1


def test_sign_out_is_a_post(clerk, sign_in):
    client = sign_in(clerk)
    assert client.get(reverse("accounts:sign-out")).status_code == 405
    assert is_signed_in(client)


def test_idle_session_ends_and_a_used_one_goes_on(clerk, settings):
    start = timezone.now()
    half = timedelta(minutes=settings.SESSION_IDLE_MINUTES / 2)
    client = Client()
    with time_machine.travel(start, tick=False):
        post(client, clerk.username)
    for step in (1, 2, 3):
        with time_machine.travel(start + half * step, tick=False):
            assert is_signed_in(client)
    late = start + half * 3 + timedelta(minutes=settings.SESSION_IDLE_MINUTES, seconds=1)
    with time_machine.travel(late, tick=False):
        assert not is_signed_in(client)


def test_session_ends_after_twelve_hours_of_work(clerk, settings):
    settings.SESSION_COOKIE_AGE = 10**9  # the cookie's own age would end it as well
    start = timezone.now()
    client = Client()
    with time_machine.travel(start, tick=False):
        post(client, clerk.username)
    for minutes in range(20, settings.SESSION_ABSOLUTE_HOURS * 60, 20):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            assert is_signed_in(client)
    end = start + timedelta(hours=settings.SESSION_ABSOLUTE_HOURS, seconds=1)
    with time_machine.travel(end, tick=False):
        assert not is_signed_in(client)


def at_half_time(client, settings, *addresses):
    """Whether a session is alive after its idle time, when `addresses` were asked for at half of it."""
    start = timezone.now()
    idle = timedelta(minutes=settings.SESSION_IDLE_MINUTES)
    with time_machine.travel(start, tick=False):
        client.get("/help/")
    with time_machine.travel(start + idle / 2, tick=False):
        for address in addresses:
            assert client.get(address).status_code == 200
    with time_machine.travel(start + idle + timedelta(seconds=1), tick=False):
        return is_signed_in(client)


def test_page_that_asks_by_itself_keeps_no_session_alive(clerk, sign_in, settings):
    job = Job.objects.create(
        kind="x", key="x", title="x", requested_by=clerk, region_path=clerk.region.path
    )
    polls = [reverse("jobs:job-progress", args=[job.pk]), reverse("accounts:session-left")]
    assert not at_half_time(sign_in(clerk), settings)
    assert not at_half_time(sign_in(clerk), settings, *polls)
    assert at_half_time(sign_in(clerk), settings, job.get_absolute_url())


def test_session_tells_its_end_and_goes_on_when_told_to(clerk, settings):
    settings.SESSION_COOKIE_AGE = 10**9
    settings.SESSION_ABSOLUTE_HOURS = 1
    start, client = timezone.now(), Client()
    address = reverse("accounts:session-left")

    def left(minutes, method="get"):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            return getattr(client, method)(address).json()

    with time_machine.travel(start, tick=False):
        post(client, clerk.username)
    assert left(0) == {"left": 1800, "extends": True}
    assert left(28) == {"left": 120, "extends": True}
    assert left(29, "post") == {"left": 1800, "extends": True}
    assert left(50, "post") == {"left": 600, "extends": False}  # an hour is an hour
    with time_machine.travel(start + timedelta(minutes=60, seconds=1), tick=False):
        assert client.get(address).status_code == 302


def test_every_page_that_asks_again_by_itself_is_known():
    """A poll that isn't in POLLED_VIEWS would keep a session alive for ever."""
    polling = re.compile(r"""<[^>]*hx-trigger="[^"]*\bevery\b[^>]*>""")
    asked = re.compile(r"""hx-get="{% url '([^']+)'""")
    found = set()
    for path in templates():
        for tag in polling.findall(path.read_text(encoding="utf-8")):
            found |= set(asked.findall(tag)) or {f"{path.name}: no {{% url %}}"}
    assert found - POLLED_VIEWS == set()
    assert "jobs:job-progress" in found


def test_fragment_of_an_ended_session_sends_the_whole_page_to_sign_in(db):
    answer = Client().get(
        "/accounts/password/",
        HTTP_HX_REQUEST="true",
        HTTP_HX_CURRENT_URL="http://testserver/accounts/people/?page=2",
    )
    assert answer.status_code == 204
    assert answer["HX-Redirect"] == f"{SIGN_IN}?next=%2Faccounts%2Fpeople%2F"


def test_temporary_password_opens_only_the_change_page(township, sign_in):
    newcomer = make_user("clerk", township, "newcomer", must_change_password=True)
    client = sign_in(newcomer)
    change = reverse("accounts:password-change")
    for address in ("/", "/accounts/regions/", "/accounts/people/"):
        assert client.get(address)["Location"] == change
    assert client.get(change).status_code == 200
    answer = client.post(
        change, {"current": PASSWORD, "password": "Xin-mi.ma77", "again": "Xin-mi.ma77"}
    )
    assert answer["Location"] == "/"
    assert client.get("/accounts/regions/").status_code == 200
    assert User.objects.get(pk=newcomer.pk).must_change_password is False


@pytest.mark.django_db(transaction=True)
def test_parallel_guesses_are_all_counted(settings):
    """Eight guesses at once must not get more tries than five one after another."""
    user = make_user("clerk", make_region("539981001"))

    def guess(number):
        try:
            fail(user, address=f"10.0.1.{number}")
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(8)))
    assert reasons().count("wrong_password") == settings.SIGN_IN_FAILURES
    assert reasons().count("locked") == 8 - settings.SIGN_IN_FAILURES
