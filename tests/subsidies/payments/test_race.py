"""Twenty people approve one batch at the same moment, over real HTTP on threads of a real server."""

import threading
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.urls import reverse

from subsidies.models import Fund, FundEntry, PaymentBatch, PaymentStep
from subsidies.services import payments
from tests.factories.accounts import PASSWORD, make_user
from tests.factories.payments import bring_to, make_batch, make_money, make_payee

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20


class Stay(urllib.request.HTTPRedirectHandler):
    """Shows a redirect instead of following it."""

    def redirect_request(self, *args):
        return None


@pytest.fixture
def checked(clerk, reviewer, township, village):
    """A batch that waits to be approved, with the money for it twice over."""
    make_payee(village, "陶有田")
    make_payee(village, "宋桂兰")
    batch = bring_to(
        "checked", make_batch(clerk, township), clerk=clerk, reviewer=reviewer, county_user=None
    )
    make_money(clerk, township)
    return batch


@pytest.fixture
def approve_at_once(live_server, sign_in, county, checked):
    """approve_at_once() → how often each status was answered to twenty POSTs sent together."""
    url = live_server.url + reverse("subsidies:batch-approve", args=[checked.pk])
    sessions = []
    for number in range(MANY):
        client = sign_in(make_user("county", county, f"county-{number}"))
        page = client.get(reverse("subsidies:batch-approve", args=[checked.pk]))
        assert page.status_code == 200
        cookies = "; ".join(f"{c.key}={c.value}" for c in client.cookies.values())
        fields = page.context["form"].initial | {"password": PASSWORD, "sha256": checked.sha256}
        token = client.cookies["csrftoken"].value
        sessions.append((cookies, fields | {"csrfmiddlewaretoken": token}))

    def post() -> Counter:
        start = threading.Barrier(MANY)

        def send(cookies: str, data: dict) -> int:
            body = urllib.parse.urlencode(data).encode()
            request = urllib.request.Request(url, body, headers={"Cookie": cookies})
            start.wait(30)
            try:
                with urllib.request.build_opener(Stay).open(request, timeout=120) as answer:
                    return answer.status
            except urllib.error.HTTPError as answer:
                return answer.code

        with ThreadPoolExecutor(MANY) as pool:
            sent = [pool.submit(send, *session) for session in sessions]
            return Counter(future.result() for future in sent)

    return post


def paid_once(batch: PaymentBatch) -> bool:
    """Whether the approval was taken once, with its step and its money."""
    batch.refresh_from_db()
    fund = Fund.objects.get()
    return (
        batch.state == "approved"
        and PaymentStep.objects.filter(batch=batch, action="approve").count() == 1
        and FundEntry.objects.filter(batch=batch, kind="reserve").count() == 1
        and fund.reserved == batch.total
        and fund.free == fund.allotted - batch.total
    )


def test_twenty_approvals_at_once_are_one(approve_at_once, checked):
    assert approve_at_once() == {302: 1, 409: MANY - 1}
    assert paid_once(checked)


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="its immediate transactions are themselves the lock"
)
def test_without_the_lock_twenty_approvals_go_wrong(approve_at_once, checked, monkeypatch):
    """The control: were the row not held, the test above would fail."""
    met = threading.Barrier(MANY)

    def unlocked(batch):
        found = PaymentBatch.objects.select_related("office", "version").get(pk=batch.pk)
        met.wait(60)
        return found

    monkeypatch.setattr(payments, "locked", unlocked)
    answered = approve_at_once()
    assert answered != {302: 1, 409: MANY - 1} or not paid_once(checked)
