"""Two requests of one page at the very same time, over real HTTP on threads of a real server."""

import threading
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from fpadmin.accounts.models import SignInAttempt
from fpadmin.entry import services
from fpadmin.entry.models import Submission
from tests.fpadmin.entry import trial

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "t" * 43


class Stay(urllib.request.HTTPRedirectHandler):
    """Shows a redirect instead of following it."""

    def redirect_request(self, *args):
        return None


def send(url: str, cookies: str, data: dict, start: threading.Barrier) -> tuple[int, str]:
    """One POST, begun when the other is ready too: (status, where to)."""
    request = urllib.request.Request(
        url, urllib.parse.urlencode(data).encode(), headers={"Cookie": cookies}
    )
    start.wait(10)
    try:
        with urllib.request.build_opener(Stay).open(request, timeout=60) as answer:
            return answer.status, ""
    except urllib.error.HTTPError as answer:
        return answer.code, answer.headers.get("Location", "")


@pytest.fixture
def post_twice_at_once(live_server, sign_in, clerk, settings):
    """post_twice_at_once() → the two answers to one page, sent twice."""
    settings.ROOT_URLCONF = trial.__name__
    client = sign_in(clerk)
    client.get("/display/")
    cookies = "; ".join(f"{c.key}={c.value}" for c in client.cookies.values())
    data = {"once": TOKEN, "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    trial.meeting.reset()
    trial.entered.clear()

    def post(**more):
        start = threading.Barrier(2)
        with ThreadPoolExecutor(2) as pool:
            sent = [
                pool.submit(send, f"{live_server.url}/trial/", cookies, data | more, start)
                for _ in range(2)
            ]
            return [future.result() for future in sent]

    return post


def test_two_at_once_do_the_work_of_one(post_twice_at_once):
    assert post_twice_at_once() == [(302, "/help/")] * 2
    assert trial.entered == ["POST"]
    assert SignInAttempt.objects.count() == 1
    assert Submission.objects.count() == 1


def test_without_the_guard_they_do_it_twice(post_twice_at_once, monkeypatch):
    """The control: the test above would notice if the guard did nothing."""
    monkeypatch.setattr(services, "answer_once", lambda *, act, **_: (act(), ""))
    assert post_twice_at_once() == [(302, "/help/")] * 2
    assert trial.entered == ["POST"] * 2
    assert SignInAttempt.objects.count() == 2


def test_second_does_its_work_when_the_first_was_refused(post_twice_at_once):
    """A refusal spends nothing: the one that waited is asked too."""
    assert post_twice_at_once(refuse="yes") == [(200, "")] * 2
    assert trial.entered == ["POST"] * 2
    assert Submission.objects.count() == 0
