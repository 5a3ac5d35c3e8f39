"""Names with rare characters and long names: typed, listed, found, printed and put in a file unharmed."""

import io
import re
from datetime import date
from html import unescape

import openpyxl
import pytest
import pyzipper
from django.http import QueryDict
from django.urls import reverse
from django.utils import timezone

from fpadmin.exports import services as exports
from fpadmin.ui.listing import LISTS, Asked, Selection
from households.models import Resident
from households.rules import name_initials
from tests.conftest import TODAY
from tests.factories.households import make_household, make_resident

LONG = "买买提·" * 12 + "阿卜"  # 50 characters
NAMES = {
    "𠮷野㼆": "jyy",  # outside the first plane of Unicode, and from an extension of it
    "龚䶮": "gy",
    "迪丽热巴·迪力木拉提": "dlrbdlmlt",
    LONG: "mmt" * 12 + "ab",
}


@pytest.fixture
def household(village):
    return make_household(village, "00016")


@pytest.fixture
def client(sign_in, clerk):
    return sign_in(clerk)


@pytest.fixture
def named(household):
    """One person of each name, registered in reverse."""
    return [
        make_resident(
            household, name, name_initials=name_initials(name), relation="其他",
            birth_date=date(1990, 1, number + 1),
        )
        for number, name in enumerate(reversed(NAMES))
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_name_is_kept_as_typed(client, household, name):
    data = {
        "name": f" {name} ", "birth_date": "2018-09-03", "sex": "女", "household_choice": "existing",
        "village": household.village_id, "number": "00016", "relation": "女", "hukou": "农业",
        "residence": "常住", "marital": "未婚",
    }  # fmt: skip
    create = reverse("households:resident-create")
    check = client.post(create, data | {"step": "check"})
    assert name in unescape(check.text)
    client.post(create, data | {"step": "save"})
    resident = Resident.objects.get()
    assert (resident.name, resident.name_initials) == (name, NAMES[name])
    assert name in client.get(resident.get_absolute_url()).text
    edit = client.get(reverse("households:resident-edit", args=[resident.pk])).text
    assert f'value="{name}"' in edit


def test_longer_name_is_refused_and_never_cut(client, household):
    page = client.post(reverse("households:resident-create"), {"name": LONG + "都"})
    assert "姓名最多50个字，现在有51个" in page.text
    assert LONG + "都" in page.text


def listed(text: str) -> list[str]:
    """The names in the order of the page; each must stand there whole."""
    places = {name: text.find(f">{name}<") for name in NAMES}
    return sorted((name for name in NAMES if places[name] >= 0), key=places.get)


def test_list_shows_them_whole_and_in_the_order_of_pinyin(client, named):
    by_pinyin = sorted(NAMES, key=lambda name: (NAMES[name], name))
    address = reverse("households:resident-list")
    for _ in range(2):
        assert listed(client.get(address, {"sort": "name"}).text) == by_pinyin
    assert listed(client.get(address, {"sort": "-name"}).text) == by_pinyin[::-1]


@pytest.mark.parametrize("typed", ["𠮷", "㼆", "䶮", "·迪力", "jyy"])
def test_search_finds_them(client, named, typed):
    page = client.post(reverse("households:resident-search"), {"q": typed}, follow=True)
    found = {name for name in NAMES if name in page.text}
    assert found == {name for name in NAMES if typed in name or NAMES[name].startswith(typed)}


def test_paper_carries_them_whole(client, named):
    page = client.get(reverse("households:resident-print")).text
    cells = {unescape(cell) for cell in re.findall(r"<t[dh][^>]*>([^<]*)</t[dh]>", page)}
    assert set(NAMES) <= cells


def test_file_carries_them_whole(clerk, named, settings, tmp_path, run_jobs_now):
    settings.MEDIA_ROOT = tmp_path
    spec = LISTS["residents"]
    export = exports.request_export(
        by=clerk, spec=spec, selection=Selection(Asked(clerk, QueryDict(), {}, TODAY), (), is_all=True),
        columns=[column for column in spec.columns if column.key == "name"], scope="found",
        clear=False, purpose="check", note="", now=timezone.now(),
    )  # fmt: skip
    run_jobs_now()
    export.refresh_from_db()
    with pyzipper.AESZipFile(
        io.BytesIO(b"".join(exports.open_file(export=export, by=clerk)))
    ) as archive:
        archive.setpassword(export.password.encode())
        sheet = openpyxl.load_workbook(io.BytesIO(archive.read(archive.namelist()[0]))).active
    assert set(NAMES) <= {value for row in sheet.values for value in row}
