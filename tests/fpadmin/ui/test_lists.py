"""list_page(): filters, sorting, paging, counting, chips and the empty state of every list."""

import django_filters
import django_tables2
import pytest
from django.test import RequestFactory

from fpadmin.accounts.models import Region
from fpadmin.ui import lists
from fpadmin.ui.filters import FilterSet
from fpadmin.ui.lists import list_page
from fpadmin.ui.tables import NameColumn, NumberColumn, Table
from tests.factories.accounts import make_region


class RegionTable(Table):
    name = NameColumn(orderable=True)
    code = django_tables2.Column()
    level = django_tables2.Column(orderable=True)
    size = NumberColumn(verbose_name="人数", accessor="pk")


class RegionFilter(FilterSet):
    SHORT = 1

    level = django_filters.ChoiceFilter(label="级别", choices=Region.Level.choices)
    span = django_filters.RangeFilter(label="级别范围", field_name="level")
    code = django_filters.CharFilter(label="代码", lookup_expr="startswith")

    class Meta:
        model = Region
        fields = ()


@pytest.fixture
def villages(township):
    """庄科村 and 29 more: 34 regions in all."""
    for number in range(29):
        make_region(f"539981001{300 + number}", f"第{number}村")


@pytest.fixture
def shown(clerk):
    """shown("?query") → the page's text."""

    def show(query=""):
        request = RequestFactory().get(f"/{query}")
        request.user, request.resolver_match = clerk, None
        return list_page(
            request,
            Region.objects.order_by("-level"),
            template="_components/list.html",
            title="区划",
            unit="个",
            table_class=RegionTable,
            filter_class=RegionFilter,
        ).content.decode()

    return show


def names(page: str) -> list[str]:
    return [part.split("<")[0] for part in page.split('<th scope="row" class="fp-name">')[1:]]


def test_first_page_has_twenty_rows_with_numbers_and_the_whole_count(villages, shown):
    page = shown()
    assert len(names(page)) == 20
    assert "<strong>34</strong>个" in page
    assert "第1–20个，共34个" in page
    assert '<td class="fp-num fp-2nd fp-skip-s">20</td>' in page


def test_second_page_goes_on_numbering(villages, shown):
    page = shown("?page=2")
    assert len(names(page)) == 14
    assert '<td class="fp-num fp-2nd fp-skip-s">21</td>' in page
    assert "第21–34个，共34个" in page


def test_pages_together_show_each_row_once_though_the_order_has_ties(villages, shown):
    seen = names(shown()) + names(shown("?page=2"))
    assert len(seen) == len(set(seen)) == 34


@pytest.mark.parametrize("query", ["?page=99", "?page=x", "?page=-1", "?per_page=7", "?page="])
def test_wrong_page_numbers_and_sizes_fall_back(villages, shown, query):
    assert "共34个" in shown(query)


def test_page_size_can_be_chosen(villages, shown):
    page = shown("?per_page=50")
    assert len(names(page)) == 34
    assert '<option value="50" selected>' in page


def test_sorting_by_an_orderable_column_is_marked_and_turned_round(villages, shown):
    page = shown("?sort=level&page=2")
    assert 'aria-sort="ascending"' in page
    assert '<a href="?sort=-level">' in page
    assert names(shown("?sort=level"))[0] == "云南省"
    assert 'aria-sort="descending"' in shown("?sort=-level")


@pytest.mark.parametrize("sort", ["code", "path", "users__password", "-", ",,", "level__x"])
def test_sorting_by_anything_else_is_ignored(villages, shown, sort):
    page = shown(f"?sort={sort}")
    assert "aria-sort" not in page
    assert names(page) == names(shown())


def test_columns_that_do_not_sort_have_no_link(shown, township):
    assert '<th scope="col">区划代码</th>' in shown()


def test_filter_narrows_and_shows_a_removable_chip(villages, shown):
    page = shown("?level=5&sort=name&page=1")
    assert "<strong>30</strong>个" in page
    assert "级别：村" in page
    assert 'href="?sort=name" aria-label="去掉条件：级别 村"' in page


def test_range_chip_drops_both_ends(villages, shown):
    page = shown("?span_min=3&span_max=4")
    assert names(page) == ["禄脿街道", "安宁市"]
    assert "级别范围：3至4" in page
    assert 'href="?" aria-label="去掉条件：级别范围 3至4"' in page
    assert "级别范围：5及以上" in shown("?span_min=5")
    assert 'aria-label="级别范围从"' in page


def test_condition_that_cannot_be_understood_is_an_error_and_shows_nothing(villages, shown):
    page = shown("?level=99")
    assert "有1处需要修改" in page
    assert "级别没有这个选项" in page
    assert names(page) == []


def test_more_conditions_are_folded_until_asked_for_or_in_force(shown, township):
    assert 'class="fp-filter"' in shown()
    assert 'class="fp-filter is-open"' in shown("?more=1")
    assert 'class="fp-filter is-open"' in shown("?code=53")


def test_nothing_found_offers_to_drop_the_conditions(shown, township):
    page = shown("?code=99")
    assert "没有符合条件的记录" in page
    assert "重置条件" in page
    assert "<table" not in page


def test_cells_carry_their_label_for_phones_and_the_row_its_heading(shown, township):
    page = shown("?code=539981001")
    assert '<td data-label="区划代码">539981001</td>' in page
    assert '<th scope="row" class="fp-name">禄脿街道</th>' in page


def test_text_of_rows_and_conditions_is_escaped(shown, township):
    make_region("539981001999", "<script>村")
    page = shown("?code=539981001999")
    assert "&lt;script&gt;村" in page
    assert "<script>" not in page
    assert "<b>" not in shown("?code=<b>")


def test_counting_stops_at_the_cap(villages, shown, monkeypatch):
    monkeypatch.setattr(lists, "COUNT_CAP", 25)
    page = shown()
    assert "超过<strong>25</strong>个" in page
    assert "共25多个" in page
    assert len(names(shown("?page=2"))) == 5


def test_list_costs_the_same_for_one_row_and_many(
    shown, township, assert_query_count_does_not_grow
):
    def grow():
        for number in range(15):
            make_region(f"539981001{300 + number}", f"第{number}村")

    assert_query_count_does_not_grow(shown, grow)


def test_plain_list_can_be_shown_too(clerk, township):
    request = RequestFactory().get("/")
    request.user, request.resolver_match = clerk, None
    page = list_page(
        request,
        [township],
        template="_components/list.html",
        title="区划",
        table_class=RegionTable,
    ).content.decode()
    assert names(page) == ["禄脿街道"]
    assert "<strong>1</strong>条" in page
