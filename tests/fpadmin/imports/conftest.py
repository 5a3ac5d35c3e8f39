"""A clerk of a township with a village, and workbooks of residents for it."""

from datetime import date

import pytest

from fpadmin.imports import runs, services
from fpadmin.imports.kinds import KINDS
from fpadmin.imports.models import ImportBatch
from tests.factories.households import make_id_number

from .files import workbook

TODAY = date(2018, 10, 9)
HEADINGS = [
    "村居代码", "户编号", "姓名", "公民身份号码", "与户主关系", "户口性质", "居住状态", "婚姻状况",
    "文化程度",
]  # fmt: skip
VILLAGE = "539981001201"


class Context:
    """A job's context that counts how often its fence was asked."""

    job_id = 1

    def __init__(self, by, *, batch, fence=None, on_progress=None, **params):
        self.by, self.fenced = by, 0
        self.params = {"batch": batch.pk} | params
        self.fence, self.on_progress = fence, on_progress
        self.files = {}

    def progress(self, done, total, step=""):
        if self.on_progress:
            self.on_progress(step)

    def check_fence(self):
        self.fenced += 1
        if self.fence:
            self.fence()

    def attach(self, name, content):
        self.files[name] = content


@pytest.fixture(autouse=True)
def _files_of_this_test(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def person(name: str, number: str, **extra) -> list[str]:
    """A row of HEADINGS: the head of the household `number`."""
    values = {
        "村居代码": VILLAGE, "户编号": number, "姓名": name,
        "公民身份号码": make_id_number(date(1980, 5, 1)), "与户主关系": "户主", "户口性质": "农业",
        "居住状态": "常住", "婚姻状况": "未婚", "文化程度": "小学",
    } | extra  # fmt: skip
    return [values[heading] for heading in HEADINGS]


def residents(*rows, above=()) -> bytes:
    """A workbook of residents."""
    return workbook([HEADINGS, *rows], above=above)


@pytest.fixture
def upload(clerk):
    """upload(content, name) → a batch, not yet checked."""

    def put(content, name="居民.xlsx", by=clerk, kind="residents", on=TODAY) -> ImportBatch:
        return services.upload(
            kind=KINDS[kind],
            office=by.region,
            content=content,
            file_name=name,
            changed_on=on,
            by=by,
        )

    return put


@pytest.fixture
def checked(upload, clerk):
    """checked(content, name) → a batch after its check."""

    def put(content, name="居民.xlsx", **extra) -> ImportBatch:
        batch = upload(content, name, **extra)
        runs.check(Context(batch.uploaded_by, batch=batch))
        batch.refresh_from_db()
        return batch

    return put


@pytest.fixture
def committed(checked, clerk):
    """committed(content, good_rows=…) → a batch that was confirmed and written."""

    def put(content, name="居民.xlsx", good_rows=False) -> ImportBatch:
        batch = checked(content, name)
        services.confirm(batch=batch, good_rows=good_rows, by=clerk)
        runs.commit(Context(clerk, batch=batch))
        batch.refresh_from_db()
        return batch

    return put
