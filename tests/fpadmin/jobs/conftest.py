"""A job kind whose work is the test's own function."""

import itertools

import pytest

from fpadmin.accounts.permissions import Permission
from fpadmin.jobs.kinds import KINDS, JobKind

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _own_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def job_kind():
    """job_kind(run) → the key of a kind that exists for this test only."""
    made = []

    def make(run, permission=Permission.IMPORT) -> str:
        key = f"trial-{next(_numbers)}"
        KINDS[key] = JobKind(key=key, label="试验", run=run, permission=permission)
        made.append(key)
        return key

    yield make
    for key in made:
        del KINDS[key]
