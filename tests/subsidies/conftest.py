"""What the benefits' tests share."""

import io

import openpyxl
import pytest
import pyzipper
from django.http import QueryDict
from django.utils import timezone

from fpadmin.exports import services
from fpadmin.ui.listing import LISTS, Asked, Selection
from tests.conftest import TODAY


@pytest.fixture
def export(settings, tmp_path, run_jobs_now):
    """export(by, key, query, heading) → the sheet's rows below the line that holds `heading`."""
    settings.MEDIA_ROOT = tmp_path

    def make(by, key, query="", heading="姓名") -> list[dict]:
        spec = LISTS[key]
        made = services.request_export(
            by=by, spec=spec, columns=[c for c in spec.columns if c.in_file], scope="found",
            selection=Selection(Asked(by, QueryDict(query), {}, TODAY), is_all=True), clear=False,
            purpose="check", note="", now=timezone.now(),
        )  # fmt: skip
        run_jobs_now()
        made.refresh_from_db()
        content = b"".join(services.open_file(export=made, by=by))
        with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
            archive.setpassword(made.password.encode())
            sheet = openpyxl.load_workbook(io.BytesIO(archive.read(archive.namelist()[0]))).active
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        start = next(i for i, row in enumerate(rows) if heading in row)
        return [dict(zip(rows[start], row, strict=True)) for row in rows[start + 1 :] if row[1]]

    return make
