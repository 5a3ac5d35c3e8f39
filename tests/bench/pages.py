"""The list of residents: the number of its queries with one row and with fifty."""

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from households.models import Resident
from tests.factories.accounts import make_region, make_user
from tests.factories.households import make_household, make_resident


def pages() -> dict:
    """As a propagandist of a village with one resident, and as a county user with all of them."""
    lonely = make_region("539999001201")
    make_resident(make_household(lonely))
    one = _client(make_user("propagandist", lonely, "bench-one"))
    everybody = Resident.objects.exclude(village=lonely).select_related("village")[0]
    county = everybody.village.parent.parent
    many = _client(make_user("county", county, "bench-many"))
    url = reverse("households:resident-list") + "?per_page=50"
    of_one, of_fifty = _queries(one, url), _queries(many, url)
    return {"queries_of_one": of_one, "queries_of_fifty": of_fifty}


def _client(user) -> Client:
    client = Client()
    client.force_login(user)
    _get(client, reverse("households:resident-list"))  # the session's own first writes
    return client


def _get(client: Client, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 200, answer.status_code


def _queries(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        _get(client, url)
    return len(queries)  # now: the next request empties the log
