"""As at a past day: lists, pages, counts that equal the indicators, and what is refused."""

from datetime import date

import pytest

from fpadmin.reporting.registry import Span
from fpadmin.ui.listing import LISTS, Asked, Selection, pack, rows_of, unpack
from households import services
from households.indicators import compute_population
from households.models import Residency
from tests.factories.households import make_household, make_resident
from tests.households.small_population import make_small_population

TODAY = date(2018, 10, 9)
JUNE = date(2018, 6, 30)
RESIDENTS, HOUSEHOLDS = "/registry/residents/", "/registry/households/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def home(village):
    return make_household(village, "00001")


@pytest.fixture
def family(home, other_village, far_village, clerk):
    """A head; a daughter who married into another village; a son who left the township; a newcomer."""
    head = make_resident(home, "张一", birth_date=date(1950, 7, 1))
    daughter = make_resident(home, "张二", sex="女", relation="女", birth_date=date(1990, 1, 1))
    son = make_resident(home, "张三", relation="子", birth_date=date(2002, 8, 1), hukou="非农业")
    newcomer = make_resident(home, "张四", relation="儿媳", sex="女")
    other = make_household(other_village, "00002")
    make_resident(other, "李大")
    services.record_event(
        by=clerk, kind="household_move", happened_on=date(2018, 8, 1), today=TODAY,
        values={"members": [daughter], "target": other, "relations": {daughter.pk: "儿媳"}},
    )  # fmt: skip
    Residency.objects.filter(resident=newcomer).update(started_on=date(2018, 9, 1))
    far = make_household(far_village, "00003")
    Residency.objects.filter(resident=son).update(ended_on=date(2018, 7, 15))
    Residency.objects.create(
        resident=son, household=far, village=far_village, relation="户主", residence="常住",
        hukou="非农业", started_on=date(2018, 7, 15),
    )  # fmt: skip
    son.household, son.village, son.relation = far, far_village, "户主"
    son.save()
    return head, daughter, son, newcomer


def listed(client, url, **query):
    page = client.get(url, {"as_of": "2018-06-30"} | query)
    return [row.record for row in page.context["list"].table.rows], page


def test_list_shows_who_was_where_then(family, clerk, sign_in):
    rows, page = listed(sign_in(clerk), RESIDENTS)
    found = [(r.resident.name, r.household.number, r.relation) for r in rows]
    assert sorted(found) == [
        ("张一", "00001", "户主"), ("张三", "00001", "子"), ("张二", "00001", "女"),
        ("李大", "00002", "户主"),
    ]  # fmt: skip
    text = page.content.decode()
    assert "2018年6月30日的情况" in text
    assert "4</strong>人" in text
    assert "选中张三" in text


def test_somebody_who_has_left_the_region_is_named_without_a_link(family, clerk, sign_in):
    head, daughter, son, _ = family
    _, page = listed(sign_in(clerk), RESIDENTS)
    text = page.content.decode()
    assert f"{head.get_absolute_url()}?as_of=2018-06-30" in text
    assert "张三" in text
    assert son.get_absolute_url() not in text


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"relation": "女"}, {"张二"}),
        ({"hukou": "非农业"}, {"张三"}),
        ({"sex": "女"}, {"张二"}),
        ({"aged": "60"}, {"张一"}),  # 67 that day
        ({"age_min": "68"}, set()),  # 68 only since 1 July
        ({"aged": "under16"}, {"张三"}),  # 15 that day, 16 today
        ({"residence": "流入"}, set()),
    ],
)
def test_conditions_are_on_the_state_of_that_day(query, names, family, clerk, sign_in):
    rows, _ = listed(sign_in(clerk), RESIDENTS, **query)
    assert {r.resident.name for r in rows} == names


def test_village_and_its_households_are_those_of_that_day(
    family, village, other_village, clerk, sign_in
):
    client = sign_in(clerk)
    rows, _ = listed(client, RESIDENTS, village=village.pk)
    assert {r.resident.name for r in rows} == {"张一", "张二", "张三"}
    rows, page = listed(client, HOUSEHOLDS)
    assert [(h.number, h.head_name, h.member_count) for h in rows] == [
        ("00001", "张一", 3), ("00002", "李大", 1),
    ]  # fmt: skip
    assert "2018年6月30日的情况" in page.content.decode()
    rows, _ = listed(client, HOUSEHOLDS, village=other_village.pk)
    assert [h.number for h in rows] == ["00002"]


def test_search_finds_people_in_the_list_of_that_day(family, clerk, sign_in):
    client = sign_in(clerk)
    posted = {"list": "residents", "name": "张三", "as_of": "2018-06-30", "relation": "子"}
    page = client.post(f"{RESIDENTS}search/", posted, follow=True)
    assert [r.record.resident.name for r in page.context["list"].table.rows] == ["张三"]
    assert "张三" not in page.redirect_chain[0][0]
    assert "relation=%E5%AD%90" in page.redirect_chain[0][0]


def test_counts_equal_the_indicators_of_that_day(village, other_village, township, clerk, sign_in):
    make_small_population(village, other_village)
    client = sign_in(clerk)
    for day in (date(2018, 9, 9), date(2018, 9, 30), date(2017, 12, 31), date(1960, 1, 1)):
        figures = compute_population([township, village], Span(day, day))
        for region, query in ((township, {}), (village, {"village": village.pk})):
            known = figures[region.code]
            asked = {"as_of": day.isoformat(), **query}
            people = client.get(RESIDENTS, asked).context["list"]
            homes = client.get(HOUSEHOLDS, asked).context["list"]
            assert (people.total, homes.total) == (known["population"], known["households"])
            aged = client.get(RESIDENTS, asked | {"aged": "60"}).context["list"].total
            assert aged == known["aged_60_plus"]
            inflow = client.get(RESIDENTS, asked | {"residence": "流入"}).context["list"].total
            assert inflow == known["inflow"]


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("2018-10-10", "2018年10月10日还没有到"),
        ("明天", "不是一个日期"),
        ("2018-02-30", "不是一个日期"),
        ("0999-01-01", "1900年以前没有登记"),
    ],
)
def test_future_days_and_nonsense_are_refused_in_words(day, words, family, clerk, sign_in):
    client = sign_in(clerk)
    head = family[0]
    for url in (RESIDENTS, HOUSEHOLDS):
        page = client.get(url, {"as_of": day})
        assert words in page.content.decode()
        assert page.context["list"].total == 0
    for url in (head.get_absolute_url(), head.household.get_absolute_url()):
        page = client.get(url, {"as_of": day})
        assert page.status_code == 200
        assert words in page.content.decode()
        assert "的情况</strong>" not in page.content.decode()


def test_day_may_be_typed_as_offices_write_it(family, clerk, sign_in):
    rows, _ = listed(sign_in(clerk), RESIDENTS, as_of="２０１８年６月３０日")
    assert len(rows) == 4


def test_page_of_a_person_shows_the_state_of_that_day(family, clerk, sign_in):
    head, daughter, _, newcomer = family
    client = sign_in(clerk)
    then = client.get(daughter.get_absolute_url(), {"as_of": "2018-06-30"})
    text = then.content.decode()
    assert "2018年6月30日的情况" in text
    assert then.context["then"].spell.relation == "女"
    assert "28岁" in text
    assert "户编号00001" in text
    for person, day, words in (
        (newcomer, "2018-06-30", "这一天不在册"),
        (daughter, "1989-12-31", "还没有出生"),
    ):
        assert words in client.get(person.get_absolute_url(), {"as_of": day}).content.decode()


def test_page_of_a_dead_person_and_of_one_who_lived_elsewhere_says_so(
    family, far_village, other_clerk, clerk, sign_in
):
    head, _, son, _ = family
    head.death_date = date(2018, 3, 3)
    head.save()
    page = sign_in(clerk).get(head.get_absolute_url(), {"as_of": "2018-06-30"})
    assert "已于2018-03-03去世" in page.content.decode()
    page = sign_in(other_clerk).get(son.get_absolute_url(), {"as_of": "2018-06-30"})
    assert "这一天在辖区外登记" in page.content.decode()
    assert page.context["then"].spell is None


def test_page_of_a_household_shows_its_members_of_that_day(family, home, clerk, sign_in):
    head, daughter, son, newcomer = family
    page = sign_in(clerk).get(home.get_absolute_url(), {"as_of": "2018-06-30"})
    text = page.content.decode()
    assert [s.resident.name for s, _ in page.context["then"].members] == ["张一", "张三", "张二"]
    assert "张一户" in text
    assert "3人（常住3）" in text
    assert f"{daughter.get_absolute_url()}?as_of=2018-06-30" in text
    assert son.get_absolute_url() not in text
    assert "张四" not in text


def test_other_township_sees_nobody_of_that_day(family, other_clerk, propagandist, sign_in):
    rows, _ = listed(sign_in(other_clerk), RESIDENTS)
    assert rows == []
    rows, _ = listed(sign_in(propagandist), RESIDENTS)
    assert {r.resident.name for r in rows} == {"张一", "张二", "张三"}


def test_export_carries_the_day(family, clerk, sign_in):
    client = sign_in(clerk)
    _, page = listed(client, RESIDENTS)
    assert "as_of=2018-06-30" in page.context["list"].tools.export_url
    spec = LISTS["residents-as-at"]
    request = page.wsgi_request
    packed = pack(spec, Selection(Asked.by(request), is_all=True))
    again = unpack(packed, user=clerk, day=TODAY)
    assert again.asked.as_of == JUNE
    assert again.rows(spec).count() == 4
    assert rows_of(spec, again.asked).first().as_of == JUNE
    page = client.get(page.context["list"].tools.export_url)
    assert page.status_code == 200


@pytest.mark.parametrize("url", [RESIDENTS, HOUSEHOLDS])
def test_more_rows_cost_no_more_queries(
    url, family, village, other_village, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for number in range(5):
            make_resident(make_household(other_village, f"0010{number}"), f"王{number}")

    assert_query_count_does_not_grow(lambda: client.get(url, {"as_of": "2018-06-30"}), grow)


@pytest.mark.parametrize("sort", ["name", "-name", "age", "birth_date", "household", ""])
def test_pages_in_any_order_show_everybody_once(sort, family, other_village, clerk, sign_in):
    for number in range(25):
        make_resident(make_household(other_village, f"0010{number:02d}"), f"王{number % 7}")
    client = sign_in(clerk)
    rows, page = listed(client, RESIDENTS, sort=sort)
    second = client.get(f"{RESIDENTS}{page.context['list'].next_url}")
    rows += [row.record for row in second.context["list"].table.rows]
    assert len({r.pk for r in rows}) == len(rows) == 29
