"""Pages of a list: cut by number, by key, near the end and behind the cap; nothing lost, nothing twice."""

import re
from datetime import date
from unittest import mock
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from fpadmin.accounts.models import Region
from fpadmin.audit.models import AuditEvent
from fpadmin.ui import paging
from fpadmin.ui.paging import ListPaginator
from households.models import Household, Resident
from tests.factories.accounts import make_region
from tests.factories.households import make_household, make_resident

ORDERS = [
    ["village__path", "household__number", "pk"],
    ["name", "pk"],
    ["-name", "pk"],
    ["birth_date", "pk"],
    ["-birth_date", "-pk"],
    ["household__number", "pk"],
    ["-household__number", "pk"],
    ["sex", "-name", "birth_date", "pk"],
]


def page_of(rows, query: str, **options):
    return ListPaginator(rows, QueryDict(query), **options).asked_page()


def walk(rows, query: str, direction: str = "next", **options) -> tuple[list[int], str]:
    """The keys of all pages from the one of `query` on, following the links; the last one's query."""
    seen: list[int] = []
    while True:
        asked = QueryDict(query)
        page = page_of(rows, query, **options)
        seen = seen + page.keys if direction == "next" else page.keys + seen
        url = page.next_url(asked) if direction == "next" else page.previous_url(asked)
        if not url:
            return seen, query
        assert len(seen) < 1000, "the links lead in a circle"
        query = url.removeprefix("?")


def keys(rows) -> list[int]:
    return list(rows.values_list("pk", flat=True))


@pytest.fixture(params=[0, 500], ids=["cut by the database", "sorted whole"])
def few(request, monkeypatch):
    """Both ways of taking a page's keys from the order."""
    monkeypatch.setattr(paging, "FEW", request.param)


@pytest.fixture
def people(few, village, other_village):
    """50 people of many equal names, birth dates and numbers of households."""
    homes = [make_household(v, f"0000{n}") for n in range(4) for v in (other_village, village)]
    for number in range(50):
        make_resident(
            homes[number * 7 % 8], "张李王"[number % 3] + "三四"[number % 2], relation="其他",
            birth_date=date(1960 + number % 5, 1, 1),
        )  # fmt: skip
    return Resident.objects.all()


class EveryOrder(TestCase):
    """Hypothesis needs the unittest form to roll each example back."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(
            st.tuples(st.integers(0, 5), st.sampled_from("甲乙丙𠮷"), st.booleans()), max_size=70
        ),
        st.sampled_from(ORDERS),
        st.integers(1, 60),
        st.sampled_from([0, 500]),
    )
    def test_links_walk_the_whole_list_both_ways(self, rows, order, cap, few):
        for code in ("53", "5399", "539981", "539981001"):
            make_region(code)
        villages = [make_region(f"53998100120{n}") for n in (2, 1)]
        homes = [make_household(v, str(n)) for n in range(3) for v in villages]
        Resident.objects.bulk_create(
            Resident(
                name=name, sex="男" if man else "女", birth_date=f"198{place}-03-01",
                household=homes[place], village=homes[place].village, relation="其他",
                hukou="农业", residence="常住", marital="未婚",
            )
            for place, name, man in rows
        )  # fmt: skip
        people = Resident.objects.order_by(*order)
        whole = keys(people)

        with mock.patch.object(paging, "FEW", few):
            there, last = walk(people, "", cap=cap)
            back, _ = walk(people, last, "previous", cap=cap)

        assert there == back == whole


@pytest.mark.parametrize("order", ORDERS, ids=["-".join(order) for order in ORDERS])
def test_a_number_and_the_links_lead_to_the_same_page(people, order):
    rows = people.order_by(*order)
    whole = keys(rows)

    for number in (1, 2, 3):
        expected = whole[(number - 1) * 20 : number * 20]
        assert page_of(rows, f"page={number}").keys == expected
        assert [r.pk for r in page_of(rows, f"page={number}")] == expected
    assert walk(rows, "")[0] == walk(rows, "page=3", "previous")[0] == whole


def test_default_order_is_village_then_number_of_household_then_key(people):
    by_hand = sorted(
        people.select_related("village", "household"),
        key=lambda r: (r.village.path, r.household.number, r.pk),
    )

    assert walk(people, "")[0] == [r.pk for r in by_hand]
    homes = Household.objects.select_related("village")
    assert keys(homes) == [h.pk for h in sorted(homes, key=lambda h: (h.village.path, h.number))]


def test_somebody_registered_meanwhile_shifts_no_page(people, village):
    rows = people.order_by("name", "pk")
    first = page_of(rows, "")
    url = first.next_url(QueryDict(""))
    expected = keys(rows)[20:40]

    make_resident(make_household(village, "99999"), "一一")  # stands before all others

    assert page_of(rows, url[1:]).keys == expected
    assert page_of(rows, "page=2").keys != expected


def test_the_row_the_page_began_after_may_leave_the_list(people):
    rows = people.order_by("name", "pk")
    url = page_of(rows, "").next_url(QueryDict(""))
    last_of_first = keys(rows)[19]

    Resident.objects.filter(pk=last_of_first).update(name="丁")
    gone = rows.exclude(pk=last_of_first)

    assert page_of(gone, url[1:]).keys == keys(gone)[20:40]


@pytest.mark.parametrize("key", ["", "x", "0", "-1", "9" * 30, "١", "1e3", "1;2"])
def test_a_wrong_key_falls_back_to_the_number(people, key):
    rows = people.order_by("pk")

    page = page_of(rows, urlencode({"page": 2, "after": key}))

    assert page.keys == keys(rows)[20:40]


def test_a_key_outside_the_list_tells_nothing(people, village, other_village):
    """Else trying keys would tell where a person whom the user may not see stands in the order."""
    rows = Resident.objects.filter(village=village).order_by("name", "pk")
    stranger = Resident.objects.filter(village=other_village).last()

    assert page_of(rows, f"after={stranger.pk}").keys == page_of(rows, "").keys
    assert page_of(rows, f"before={stranger.pk}").keys == page_of(rows, "").keys


def test_addresses_carry_keys_and_nothing_of_the_person(people):
    query = QueryDict("sort=name&page=2&after=1")
    page = ListPaginator(people.order_by("name", "pk"), query).asked_page()
    urls = [
        page.next_url(query),
        page.previous_url(query),
        *(link.url for link in page.links(query)),
    ]

    for url in filter(None, urls):
        assert re.fullmatch(r"\?sort=name&page=\d+(&(after|before)=\d+)?", url)


def test_behind_the_cap_the_links_go_on(people):
    rows = people.order_by("pk")

    page = page_of(rows, "page=2", cap=40)
    assert page.paginator.is_capped
    assert page.paginator.count == 40
    assert page.has_next()
    assert [link.label for link in page.links(QueryDict("page=2"))] == ["1", "2", "…"]
    last = page_of(rows, page.next_url(QueryDict("page=2"))[1:], cap=40)

    assert last.keys == keys(rows)[40:]
    assert (last.start_index(), last.end_index(), last.has_next()) == (41, 50, False)
    assert [link.label for link in last.links(QueryDict(""))] == ["1", "2", "3"]


def test_a_number_behind_the_cap_leads_to_the_last_counted_page(people):
    assert page_of(people.order_by("pk"), "page=9", cap=40).number == 2


def test_pages_near_the_end_are_counted_from_the_end(people, django_assert_num_queries):
    rows = people.order_by("pk")
    with django_assert_num_queries(3) as captured:
        page = page_of(rows, "page=3")

    assert page.keys == keys(rows)[40:]
    assert "DESC" in captured[1]["sql"]


def test_boxes_are_elided_in_the_middle(village):
    Region.objects.bulk_create(
        Region(code=f"9{n:04}", name=str(n), level=1, path=f"9{n:04}.") for n in range(400)
    )
    rows = Region.objects.filter(path__startswith="9").order_by("pk")

    def boxes(query):
        return [link.label for link in page_of(rows, query).links(QueryDict(query))]

    assert boxes("") == ["1", "2", "3", "…", "20"]
    assert boxes("page=10") == ["1", "…", "8", "9", "10", "11", "12", "…", "20"]
    assert boxes("page=20") == ["1", "…", "18", "19", "20"]


@pytest.mark.parametrize(
    "rows",
    [
        lambda: AuditEvent.objects.order_by("count", "pk"),
        lambda: Resident.objects.order_by("death_date", "pk"),
        lambda: Household.objects.order_by("group__code", "pk"),
        lambda: Household.objects.for_list("2018-10-09").order_by("head_name", "pk"),
        lambda: Resident.objects.order_by("name"),
        lambda: [1, 2, 3],
    ],
    ids=["empty number", "empty day", "empty link", "annotation", "no key at the end", "list"],
)
def test_what_cannot_be_compared_is_cut_by_number(db, rows):
    assert ListPaginator(rows(), QueryDict("")).order is None


def test_of_nothing_found_only_the_count_is_asked(people, django_assert_num_queries):
    with django_assert_num_queries(1):
        page = page_of(people.filter(name="龘").order_by("name", "pk"), "")
    assert (page.keys, page.start_index(), page.end_index()) == ([], 0, 0)


def test_few_rows_are_asked_for_without_a_limit(people, django_assert_num_queries, monkeypatch):
    """With one the database walks through everybody when it takes the few for many."""
    monkeypatch.setattr(paging, "FEW", 50)
    with django_assert_num_queries(3) as captured:
        page_of(people.order_by("name", "pk"), "")
    assert "LIMIT" not in captured[1]["sql"]

    monkeypatch.setattr(paging, "FEW", 49)
    with django_assert_num_queries(3) as captured:
        page_of(people.order_by("name", "pk"), "")
    assert "LIMIT 20" in captured[1]["sql"]


def test_only_the_rows_of_the_page_are_loaded(people, django_assert_num_queries):
    with django_assert_num_queries(3) as captured:
        page = page_of(people.order_by("name", "pk").for_list(), "")
        [r.household.group for r in page]

    loaded = [q["sql"] for q in captured if "id_number" in q["sql"]]
    assert len(loaded) == 1
    assert " IN (" in loaded[0]


def test_pages_cost_the_same_for_few_and_many(people, village, assert_query_count_does_not_grow):
    def grow():
        home = make_household(village)
        for _ in range(30):
            make_resident(home, relation="其他")

    rows = people.order_by("name", "pk")
    first = page_of(rows, "")
    assert_query_count_does_not_grow(lambda: page_of(rows, first.next_url(QueryDict(""))[1:]), grow)


def test_a_township_is_counted_whole_and_a_county_to_a_cap():
    assert paging.WIDE_COUNT_CAP < paging.COUNT_CAP
    for cap in (paging.WIDE_COUNT_CAP, paging.COUNT_CAP):
        assert all(cap % size == 0 for size in paging.PAGE_SIZES)
