"""A village of three people, and what asks for a file of them."""

import io
from datetime import date, datetime

import openpyxl
import pytest
import pyzipper
from django.http import QueryDict
from django.utils import timezone

from fpadmin.crypto import digest
from fpadmin.exports import services
from fpadmin.exports.models import Export
from fpadmin.ui.listing import LISTS, Asked, Selection
from tests.conftest import TODAY
from tests.factories.households import make_household, make_resident

PHONE, ACCOUNT = "13012348404", "6299000011118225"


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def people(village, other_village):
    """Two people of 庄科村 and one of 安丰营村, whom a propagandist of 庄科村 doesn't see."""
    household = make_household(village, "00001")
    zhang = make_resident(
        household,
        "张三",
        phone=PHONE,
        phone_digest=digest(PHONE),
        bank="农村信用社",
        bank_account=ACCOUNT,
        bank_account_digest=digest(ACCOUNT),
        ethnicity="彝",
        birth_date=date(1980, 5, 1),
    )
    wife = make_resident(household, "=李四", relation="配偶", sex="女", disability_grade="二级")
    other = make_resident(make_household(other_village, "00001"), "王五")
    return zhang, wife, other


@pytest.fixture
def ask(people):
    """ask(user, …) → the export asked for now, of the whole list of residents unless said otherwise."""

    def request(by, query="", picked=(), columns=("name", "id_number"), **extra) -> Export:
        spec = LISTS[extra.pop("list_key", "residents")]
        asked = Asked(by, QueryDict(query), extra.pop("session", {}), TODAY)
        values = {
            "scope": "picked" if picked else "found",
            "clear": False,
            "purpose": "check",
            "note": "",
            "now": timezone.now(),
        } | extra
        return services.request_export(
            by=by,
            spec=spec,
            selection=Selection(asked, tuple(picked), is_all=not picked),
            columns=[column for column in spec.columns if column.key in columns],
            **values,
        )

    return request


@pytest.fixture
def opened():
    """opened(export) → (its sheet, the workbook), unpacked with the password as the clerk does."""

    def open_export(export: Export):
        export.refresh_from_db()
        assert export.state == "made", export.job.error if export.job else export.state
        password = export.password
        content = b"".join(services.open_file(export=export, by=export.requested_by))
        with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
            archive.setpassword(password.encode())
            (name,) = archive.namelist()
            book = openpyxl.load_workbook(io.BytesIO(archive.read(name)))
        return book.active, book

    return open_export


def rows_of(sheet) -> list[list]:
    """The sheet's rows below its headings."""
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=6)]


def at(hour: int) -> datetime:
    """An instant of the test's day."""
    return timezone.make_aware(datetime(2018, 10, 9, hour))


@pytest.fixture
def village_exporter(propagandist, monkeypatch):
    """A village's account that may export: no such role has the right, so it is lent here."""
    from fpadmin.accounts import permissions

    role = permissions.Role.PROPAGANDIST
    rights = permissions.ROLE_PERMISSIONS[role] | {permissions.Permission.EXPORT}
    monkeypatch.setitem(permissions.ROLE_PERMISSIONS, role, rights)
    return propagandist
