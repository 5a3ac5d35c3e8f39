"""A batch that was approved, with lines for the bank, in a storage of the test's own."""

import pytest

from subsidies.bank_files import writing
from subsidies.bank_files.layouts import SHIPPED
from subsidies.services import bank_files
from tests.factories.payments import TODAY, bring_to, make_batch, make_payee


@pytest.fixture(autouse=True)
def _own_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def people(clerk, reviewer, county_user):
    return {"clerk": clerk, "reviewer": reviewer, "county_user": county_user}


@pytest.fixture
def approved(township, clerk, village, other_village, people):
    """approved(*names) → an approved batch of these people, the first three in two villages."""

    def made(*names, code="CN-RURAL"):
        for at, name in enumerate(names or ("陶有田", "宋桂兰", "李山")):
            make_payee(other_village if at == 2 else village, name, code=code)
        return bring_to("approved", make_batch(clerk, township, code), **people)

    return made


@pytest.fixture
def sealed_batch(approved, clerk, run_jobs_now):
    """sealed_batch(*names) → the batch with its file, made by the real job."""

    def made(*names, layout="xlsx", code="CN-RURAL"):
        batch = approved(*names, code=code)
        bank_files.request_file(by=clerk, batch=batch, layout=SHIPPED[layout], today=TODAY)
        run_jobs_now()
        batch.refresh_from_db()
        return batch

    return made


@pytest.fixture
def content():
    """content(batch, layout) → the bytes that a file of that layout would have."""

    def made(batch, layout) -> bytes:
        return writing.make(batch, layout, writing.words_of(batch, TODAY)).content.getvalue()

    return made
