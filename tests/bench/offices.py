"""Whole requests of a clerk and of a county user on one registry, timed when asked (see turns)."""

import json
import sys
import time
from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.urls import reverse

from fpadmin.accounts.models import Region
from fpadmin.dates import today
from households.demo.places import CITY
from households.models import Household, Resident
from tests.factories.accounts import make_user

COMMON_PART, PART, NOBODY = "国", "建国", "龘"
FILTERS = {
    "list, women of one hukou": "sex=女&hukou=农业",
    "list, moved out": "residence=流出",
    "list, divorced": "marital=离婚",
    "list, 80 and over": "aged=80",
    "list, aged 30 to 40": "age_min=30&age_max=40",
    "list, certificate": "certificate=yes",
    "list, disability": "disability=yes",
    "list, the dead": "state=dead",
    "list, four conditions": "marital=丧偶&hukou=非农业&aged=60&sex=女",
    "list by name": "sort=name",
    "list by age, falling": "sort=-age",
    "list by number of household": "sort=household",
}


def answer() -> None:
    """Reads {"role", "page"} line by line and writes the seconds that it took."""
    with connection.cursor() as cursor:
        # As the server's own vacuum leaves the tables some minutes after a load.
        cursor.execute("VACUUM ANALYZE")
    city = Region.objects.get(code=CITY)
    township = Region.objects.filter(level=Region.Level.TOWNSHIP, path__startswith=city.path)[0]
    acts = {
        "county": acts_of(make_user("county", city, "bench-county")),
        "clerk": acts_of(make_user("clerk", township, "bench-clerk")),
    }
    print(json.dumps({"pages": list(acts["clerk"])}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps({"seconds": _timed(acts[asked["role"]][asked["page"]])}), flush=True)


def acts_of(user) -> dict[str, Callable[[], None]]:
    """What this person does, by name; each call is one act, a search its two requests."""
    client = Client()
    client.force_login(user)
    people = Resident.objects.visible_to(user).registered_on(today())
    homes = Household.objects.visible_to(user)
    count = people.count()
    listed, houses = reverse("households:resident-list"), reverse("households:household-list")
    keys = list(people.values_list("pk", flat=True)[: min(count, 2000) : 50])
    deep = list(people.values_list("pk", flat=True)[int(count * 0.95) :][:1])[0]
    rare = Resident.objects.filter(pk__in=keys, name__regex="^...$").order_by("pk")[0].name
    village = Resident.objects.get(pk=deep).village_id
    home_keys = list(homes.values_list("pk", flat=True)[:40])

    def show(url: str) -> Callable[[], None]:
        return lambda: _found(client.get(url))

    def search(name: str) -> Callable[[], None]:
        values = {"list": "residents", "name": name}
        return lambda: _found(
            client.post(reverse("households:resident-search"), values, follow=True)
        )

    def one_after_the_other(model, keys) -> Callable[[], None]:
        urls = [model(pk=key).get_absolute_url() for key in keys]

        def act():
            urls.append(urls.pop(0))
            _found(client.get(urls[0]))

        return act

    return {
        "list": show(listed),
        "list, fifty rows": show(f"{listed}?per_page=50"),
        "list of one village": show(f"{listed}?village={village}"),
        **{name: show(f"{listed}?{query}") for name, query in FILTERS.items()},
        "list, page 100 by its number": show(f"{listed}?page=100"),
        "list, 95 % down by its key": show(f"{listed}?page={count * 95 // 2000}&after={deep}"),
        "search of a common character": search(COMMON_PART),
        "search of two characters": search(PART),
        "search of a whole name": search(rare),
        "search of initials": search("wjg"),
        "search of a name nobody has": search(NOBODY),
        "households": show(houses),
        "household page": one_after_the_other(Household, home_keys),
        "resident page": one_after_the_other(Resident, keys),
    }


def _found(answer) -> None:
    assert answer.status_code == 200, answer.status_code


def _timed(act: Callable[[], None]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
