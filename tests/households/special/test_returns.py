"""The returns of special families: figures, examination, files, and who may open the lists behind them."""

import io
import json
from datetime import date

import openpyxl
import pytest
from django.core.management import call_command
from django.urls import reverse

from fpadmin.audit.models import AuditEvent
from fpadmin.dates import parse_period
from fpadmin.reporting import sheets
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import GROUPS
from fpadmin.reporting.rendering import shown
from households.models import CareRule
from tests.factories.accounts import make_region
from tests.factories.special import make_archive, make_record

pytestmark = pytest.mark.django_db
MONTHLY, ANNUAL = "special-families-monthly", "special-families-annual"
NAMES = ("戴飞飞", "董丽怡")
MISSED = "special_monthly_contacts_missed"


@pytest.fixture
def families(village, other_village):
    """One archive in either village; the first was contacted in August and September, the other never."""
    first, second = make_archive(village, contacts=1), make_archive(other_village, kind="伤残")
    for month in (8, 9):
        make_record(first.contacts.get(), date(2018, month, 3))
    return [first, second]


def sheet_of(code, period, region):
    return sheets.build(sheets.find_return(code), region, parse_period(period))


def live(code, region, period):
    return reverse("reporting:return-detail", args=[code, region.code, period])


def figure(code, region, **query):
    query = query or {"start": "2018-01-01", "as_of": "2018-09-30"}
    return reverse("reporting:figure-list", args=[code, region.code], query=query)


def test_monthly_return_has_every_figure_by_village(families, township, village, other_village):
    sheet = sheet_of(MONTHLY, "2018-09", township)
    assert [r.code for r in sheet.rows] == [township.code, village.code, other_village.code]
    codes = ("special_families", "special_monthly_contacts_done", MISSED)
    assert [[row.figures[c] for c in codes] for row in sheet.rows] == [
        [2, 1, 1], [1, 1, 0], [1, 0, 1]
    ]  # fmt: skip
    (rate,) = [c for c in sheet.columns if c.code == "special_monthly_contact_rate"]
    assert [shown(row, rate) for row in sheet.rows] == [
        "50.00%（1/2）", "100.00%（1/1）", "0.00%（0/1）"
    ]  # fmt: skip
    shown_codes = {c.code for c in sheet_of(ANNUAL, "2018", township).columns}
    assert set(GROUPS["special_families"].codes) == shown_codes


def test_annual_return_counts_the_months_of_the_statistical_year(families, township):
    (whole, *_) = sheet_of(ANNUAL, "2018", township).rows
    assert (whole.figures["special_monthly_contacts_due"], whole.figures[MISSED]) == (18, 16)


def test_examination_names_what_is_missing_and_its_list(
    families, township, reviewer, other_village
):
    CareRule.objects.create(
        region=township, from_on=date(2018, 1, 1), contacts_required=1, kinds_required=["街道领导"],
        document="文件", set_by=reviewer,
    )  # fmt: skip
    checks = {c.code or c.text: c for c in sheet_of(ANNUAL, "2018", township).checks}
    expected = {
        MISSED: "有16个户月没有联系记录",
        "special_contacts_missing": "有1户的联系人少于要求的人数",
        "special_contact_kinds_missing": "有2户的联系人缺少要求的类别",
        "special_medical_cards_missing": "有2户没有有效的就医卡",
        "special_doctors_missing": "有4位父母没有有效的家庭医生签约",
        "special_checkups_missing": "有4位父母当年还没有体检",
        "special_visits_short": "有2户本年度走访慰问少于要求的次数",
    }
    assert {code: checks[code].text for code in expected} == expected
    assert checks["special_contacts_missing"].detail == f"{other_village.name}1"
    assert all((checks[c].level, checks[c].region) == ("warn", township.code) for c in expected)
    assert checks["按条件应建档的家庭都有档案"].level == "ok"
    assert checks["特殊家庭2＝死亡1＋伤残1＋并发症0"].level == "ok"
    assert checks["应联系户月18＝已联系2＋未联系16"].level == "ok"
    assert checks["各下级单位相加等于合计"].level == "ok"


def test_month_asks_nothing_of_the_year(families, township):
    codes = {c.code for c in sheet_of(MONTHLY, "2018-09", township).checks}
    assert not codes & {"special_checkups_missing", "special_visits_short"}


def test_figure_that_does_not_add_up_is_told(families, township):
    sheet = sheet_of(MONTHLY, "2018-09", township)
    sheet.rows[1].figures["special_families"] += 1
    texts = [c.text for c in sheets.find_return(MONTHLY).checks(sheet.rows) if c.level == "bad"]
    assert texts == ["特殊家庭＝死亡＋伤残＋并发症不成立：庄科村", "各下级单位相加不等于合计"]


# Who may open the lists --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clerk", "reviewer"])
def test_keepers_of_the_archives_open_every_figure_and_it_is_recorded(
    name, families, township, request, sign_in
):
    user = request.getfixturevalue(name)
    client = sign_in(user)
    page = client.get(live(ANNUAL, township, "2018"))
    cells = [c for s in page.context["sections"] for line in s.lines for c in line.cells]
    urls = [c.url for c in cells if c.url]
    assert len(urls) > 20
    rates = [c for c in cells if c.url and "（" not in c.text and c.hint]
    assert rates
    for cell in cells:
        if cell.url and cell not in rates:
            assert client.get(cell.url).context["list"].total == int(cell.text)
    for cell in rates:
        assert client.get(cell.url).context["list"].total == int(cell.hint.split("/")[0])
    opened = AuditEvent.objects.filter(type="figure.opened", actor_id=user.pk)
    assert opened.count() == len(urls)
    assert set(opened.values_list("region_path", flat=True)) >= {township.path}
    assert not any(n in json.dumps(e.changes, ensure_ascii=False) for e in opened for n in NAMES)


def test_check_leads_keepers_to_the_missed_months(families, township, clerk, sign_in):
    client = sign_in(clerk)
    checks = client.get(live(MONTHLY, township, "2018-09")).context["checks"]
    (missed,) = [c for c in checks if MISSED in c.url]
    page = client.get(missed.url)
    assert page.context["list"].unit == "户月"
    (line,) = page.context["list"].lines
    assert ("月份", "2018-09") in line.facts


@pytest.mark.parametrize("name", ["propagandist", "county_user"])
def test_everybody_else_gets_the_number_only(name, families, village, township, request, sign_in):
    user = request.getfixturevalue(name)
    client = sign_in(user)
    place = village if name == "propagandist" else township
    for code, period in ((MONTHLY, "2018-09"), (ANNUAL, "2018")):
        page = client.get(live(code, place, period))
        sections = page.context["sections"]
        assert sections[0].lines[0].cells[0].text in ("1", "2")
        assert not any(c.url for s in sections for line in s.lines for c in line.cells)
        assert not any(c.url for c in page.context["checks"])
        body = page.content.decode()
        assert "figures/special" not in body
        assert "点数字看名单" not in body
    body = client.get(reverse("reporting:indicator-list"), {"region": place.code}).content.decode()
    assert "figures/special" not in body
    assert "figures/population/" in body
    for code in GROUPS["special_families"].codes:
        assert client.get(figure(code, place)).status_code == 403
        export = reverse("reporting:figure-export", args=[code, place.code])
        assert client.get(export).status_code == 403
    by_return = figure(MISSED, place, returned=MONTHLY, period="2018-09")
    assert client.get(by_return).status_code == 403
    assert not AuditEvent.objects.filter(type__in=["figure.opened", "figure.exported"]).exists()


def test_list_of_another_place_is_404(
    families, other_village, far_village, propagandist, clerk, sign_in
):
    assert sign_in(propagandist).get(figure("special_families", other_village)).status_code == 404
    assert sign_in(clerk).get(figure("special_families", far_village)).status_code == 404


def test_number_only_holds_for_a_version_made_by_a_keeper(
    families, township, clerk, county_user, sign_in
):
    keeper, office = sign_in(clerk), sign_in(county_user)
    keeper.post(reverse("reporting:return-make", args=[MONTHLY, township.code, "2018-09"]))
    version = ReturnVersion.objects.get()
    assert "figures/special" in keeper.get(version.get_absolute_url()).content.decode()
    page = office.get(version.get_absolute_url()).content.decode()
    assert "50.00%" in page
    assert "figures/special" not in page
    printed = keeper.get(reverse("reporting:version-print", args=[version.pk])).content.decode()
    assert "figures/special" not in printed


@pytest.mark.parametrize("suffix", ["xlsx", "docx", "json"])
def test_files_of_a_return_hold_numbers_and_no_names(families, township, tmp_path, capsys, suffix):
    out = tmp_path / f"return.{suffix}"
    call_command(
        "make_return", MONTHLY, "--region", township.code, "--period", "2018-09", "--out", str(out)
    )
    assert json.loads(capsys.readouterr().out)["balances"] is True
    if suffix == "xlsx":
        page = openpyxl.load_workbook(out).active
        heads = [[c.value for c in row] for row in page.iter_rows(3, 5)]
        assert [h for h in heads[0] if h] == ["村（社区）", "档案", "联系", "照护"]
        whole = dict(zip(heads[2], [c.value for c in page[6]], strict=True))
        assert (whole["应联系"], whole["已联系"], whole["月联系率（%）"]) == (2, 1, 50)
        text = " ".join(str(c.value) for row in page.iter_rows() for c in row)
    elif suffix == "docx":
        import docx

        tables = docx.Document(io.BytesIO(out.read_bytes())).tables
        text = " ".join(c.text for t in tables for row in t.rows for c in row.cells)
        assert "50.00%（1/2）" in text
    else:
        text = out.read_text(encoding="utf-8")
        rows = json.loads(text)["rows"]
        assert rows[0]["figures"]["special_monthly_contact_rate"] == 50
    assert not any(name in text for name in NAMES)


def test_list_is_exported_by_keepers_and_recorded(families, township, clerk, sign_in):
    export = reverse("reporting:figure-export", args=["special_families", township.code])
    answer = sign_in(clerk).get(export, {"as_of": "2018-09-30"})
    page = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    assert [page.cell(4, 5).value, page.cell(5, 5).value] == [NAMES[0]] * 2
    event = AuditEvent.objects.get(type="figure.exported")
    assert (event.actor_id, event.count) == (clerk.pk, 2)


def test_command_lists_and_records(families, township, capsys):
    call_command(
        "indicators", "--region", township.code, "--as-of", "2018-09-30", "--from", "2018-09-01",
        "--list", MISSED,
    )  # fmt: skip
    (row,) = json.loads(capsys.readouterr().out)
    assert row["household_no"] == families[1].household.number
    assert AuditEvent.objects.get(type="figure.listed").actor == "系统：indicators"


@pytest.mark.parametrize(("code", "period"), [(MONTHLY, "2018-09"), (ANNUAL, "2018")])
def test_page_asks_the_same_queries_for_more_families(
    code, period, families, township, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def page():
        assert client.get(live(code, township, period)).status_code == 200

    def grow():
        for number in range(203, 207):
            make_archive(make_region(f"{township.code}{number}"), contacts=2)

    page()
    assert_query_count_does_not_grow(page, grow)


def test_list_asks_the_same_queries_for_more_rows(
    families, township, village, clerk, sign_in, assert_query_count_does_not_grow
):
    client = sign_in(clerk)

    def page():
        assert client.get(figure(MISSED, township)).status_code == 200

    page()
    assert_query_count_does_not_grow(page, lambda: [make_archive(village) for _ in range(4)])
