"""A clerk of a township with a village, and workbooks of residents for it."""

from datetime import date

import pytest

TODAY = date(2018, 10, 9)


@pytest.fixture(autouse=True)
def _files_of_this_test(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
