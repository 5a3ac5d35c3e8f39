"""Pages of the returns: figures that open lists, versions, scope, and what each role may."""

import io

import openpyxl
import pytest
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.jobs.models import Job
from fpadmin.reporting.models import ReturnVersion
from tests.factories.accounts import make_region
from tests.factories.households import make_birth, make_household, make_resident

LIVE = ("population-monthly", "539981001", "2018-09")
PAGES = [
    ("reporting:return-list", ()),
    ("reporting:return-monthly", ()),
    ("reporting:return-annual", ()),
    ("reporting:indicator-list", ()),
    ("reporting:figure-list", ("population", "539981001")),
    ("reporting:return-detail", LIVE),
    ("reporting:return-detail", ("population-annual", "539981001", "2018")),
]


@pytest.fixture
def client(small, clerk, sign_in):
    return sign_in(clerk)


def make(client, *names):
    return client.post(reverse("reporting:return-make", args=names or LIVE))


def text_of(response):
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize(("name", "arguments"), PAGES)
def test_page_opens_and_asks_the_same_queries_for_more_people(
    name, arguments, small, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def grow():
        for number in range(203, 207):
            home = make_household(make_region(f"{small.township.code}{number}"))
            mother = make_resident(home, sex="女")
            make_birth(mother, mother.birth_date.replace(year=2018))

    def page():
        assert client.get(reverse(name, args=arguments)).status_code == 200

    page()  # the session's first visit writes
    assert_query_count_does_not_grow(page, grow)


def test_every_figure_links_to_a_list_of_as_many_rows(client):
    page = client.get(reverse("reporting:return-detail", args=LIVE))
    checked = 0
    for section in page.context["sections"]:
        for line in section.lines:
            for cell in line.cells:
                if cell.url:
                    assert client.get(cell.url).context["list"].total == int(cell.text)
                    checked += 1
                else:
                    assert cell.text == "0"
    assert checked > 20


def test_page_shows_the_ratio_with_n_and_interval_and_warns_of_few_births(client):
    body = text_of(
        client.get(
            reverse("reporting:return-detail", args=("population-annual", *LIVE[1:2], "2018"))
        )
    )
    assert "300.00</a>" in body
    assert "n=4，95%区间" in body
    assert "样本量不足" in body


def test_check_offers_the_list_of_births_without_a_registered_child(client):
    page = client.get(reverse("reporting:return-detail", args=LIVE))
    check = page.context["checks"][0]
    assert check.level == "warn"
    assert "周三" in text_of(client.get(check.url))


def test_making_downloading_and_printing_a_version(client, small, clerk):
    response = make(client)
    version = ReturnVersion.objects.get()
    assert response.url == version.get_absolute_url()
    assert "第1版" in text_of(client.get(response.url))
    make(client)
    assert ReturnVersion.objects.count() == 1
    download = client.get(reverse("reporting:version-download", args=[version.pk, "xlsx"]))
    assert "%E7%AC%AC1%E7%89%88.xlsx" in download["Content-Disposition"]
    assert openpyxl.load_workbook(io.BytesIO(download.content)).active["B5"].value == 14
    printed = text_of(client.get(reverse("reporting:version-print", args=[version.pk])))
    assert "填报人：" in printed
    assert "负责人：" in printed
    assert (
        client.get(reverse("reporting:version-download", args=[version.pk, "exe"])).status_code
        == 404
    )


def test_live_page_says_how_it_stands_to_the_newest_version(client, small):
    url = reverse("reporting:return-detail", args=LIVE)
    assert "还没有生成" in text_of(client.get(url))
    make(client)
    assert "与第1版相同" in text_of(client.get(url))
    make_resident(small.first, "新人", relation="其他")
    body = text_of(client.get(url))
    assert "数字与第1版不同" in body
    assert "生成第2版" in body
    assert client.get(reverse("reporting:version-detail", args=[ReturnVersion.objects.get().pk])).context[
        "sheet"
    ].rows[0].figures["closing"] == 13  # fmt: skip


def test_overview_shows_which_periods_are_made(client):
    make(client)
    reports = client.get(reverse("reporting:return-list")).context["reports"]
    (monthly, lines), (annual, _) = reports[:2]
    assert (monthly.cycle, annual.cycle) == ("month", "year")
    states = {
        line.period.code: (line.version and line.version.version, line.is_over) for line in lines
    }
    assert states["2018-10"] == (None, False)
    assert states["2018-09"] == (1, True)
    assert states["2018-08"] == (None, True)


def test_future_period_is_refused_with_a_sentence(client):
    response = client.post(
        reverse("reporting:return-make", args=(*LIVE[:2], "2018-12")), follow=True
    )
    assert "还没有开始" in text_of(response)
    assert ReturnVersion.objects.count() == 0


@pytest.mark.parametrize(
    "arguments",
    [("nothing", "539981001", "2018"), (*LIVE[:2], "2018"), ("population-annual", "1", "2018")],
)
def test_unknown_return_period_or_region_is_404(client, arguments):
    assert client.get(reverse("reporting:return-detail", args=arguments)).status_code == 404
    assert make(client, *arguments).status_code == 404


@pytest.mark.parametrize(
    "query",
    ["as_of=2018-13-01", "returned=nothing&period=2018", "returned=population-annual&period=x"],
)
def test_list_of_a_nonsense_query_is_404(client, query):
    url = reverse("reporting:figure-list", args=("births", "539981001"))
    assert client.get(f"{url}?{query}").status_code == 404
    assert (
        client.get(reverse("reporting:figure-list", args=("nothing", "539981001"))).status_code
        == 404
    )


def test_county_makes_its_return_in_the_background(small, county_user, county, sign_in):
    client = sign_in(county_user)
    names = ("population-annual", county.code, "2018")
    assert "还没有生成" in text_of(client.get(reverse("reporting:return-detail", args=names)))
    response = make(client, *names)
    job = Job.objects.get()
    assert response.url == job.get_absolute_url()
    assert (job.requested_by, job.params["region"]) == (county_user, county.code)


def test_other_places_are_404_and_other_roles_403(
    small, far_village, clerk, auditor, propagandist, sign_in
):
    foreign = reverse("reporting:figure-list", args=("population", far_village.code))
    assert sign_in(clerk).get(foreign).status_code == 404
    above = reverse("reporting:return-detail", args=("population-annual", "539981", "2018"))
    assert sign_in(clerk).get(above).status_code == 404
    assert sign_in(auditor).get(reverse("reporting:return-list")).status_code == 403
    assert make(sign_in(propagandist)).status_code == 403
    other = reverse("reporting:figure-list", args=("population", small.other.code))
    assert sign_in(propagandist).get(other).status_code == 404
    assert (
        sign_in(clerk)
        .get(reverse("reporting:return-list"), {"region": far_village.code})
        .status_code
        == 404
    )


def test_village_worker_sees_the_own_village_only(small, propagandist, sign_in):
    body = text_of(sign_in(propagandist).get(reverse("reporting:indicator-list")))
    assert "安丰营村" not in body
    page = sign_in(propagandist).get(
        reverse("reporting:figure-list", args=("population", small.village.code))
    )
    assert page.context["list"].total == 9


def test_list_is_paged_without_personal_data_in_the_address(client, small):
    for number in range(30):
        make_resident(small.third, f"多{number}", relation="其他")
    url = reverse("reporting:figure-list", args=("population", small.township.code))
    page = client.get(url, {"as_of": "2018-09-30", "page": "2"})
    assert [line.number for line in page.context["list"].lines][0] == 21
    assert "as_of=2018-09-30&amp;page=1" in text_of(page)
    assert client.get(url, {"page": "999"}).status_code == 200
    assert client.get(url, {"page": "x", "per_page": "7"}).context["list"].page.number == 1


def test_export_of_a_list_is_a_workbook_and_recorded(client, small, clerk):
    url = reverse("reporting:figure-export", args=("births", small.township.code))
    response = client.get(url, {"returned": "population-annual", "period": "2018"})
    page = openpyxl.load_workbook(io.BytesIO(response.content)).active
    assert page.max_row == 7
    assert AuditEvent.objects.get(type="figure.exported").actor_id == clerk.pk


def test_home_card_shows_the_year_that_ended(client, small):
    body = text_of(client.get(reverse("home")))
    assert "出生人数（2018年度）" in body
