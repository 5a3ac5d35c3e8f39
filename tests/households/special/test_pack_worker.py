"""The inspection pack made by a real worker that is killed half-way, and by the one that follows it."""

import signal

import pytest
from django.utils import timezone

from fpadmin.exports.models import Export
from fpadmin.jobs.models import Job
from tests.factories.special import make_archive, make_document
from tests.fpadmin.jobs.test_faults import machine, signal_all, until  # noqa: F401
from tests.households.special.test_pack import ask, opened

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]
FAMILIES = 60


def test_worker_killed_half_way_is_replaced_and_the_pack_is_made_once(
    clerk,
    village,
    settings,
    tmp_path,
    machine,  # noqa: F811
):
    settings.MEDIA_ROOT = tmp_path
    families = [make_archive(village) for _ in range(FAMILIES)]
    make_document(families[0], clerk)
    machine.broker()
    machine.beat()
    worker = machine.worker()
    export = ask(clerk, now=timezone.now())
    job = Job.objects.filter(pk=export.job_id)
    until(lambda: job.filter(progress__gt=0, state="running").exists())

    signal_all(worker, signal.SIGKILL)
    assert Export.objects.get().state == "granted"
    machine.worker()
    until(lambda: job.filter(state="done").exists())

    assert job.get().attempts == 2
    archive = opened(export)
    papers = [name for name in archive.namelist() if name.endswith("一户一档.docx")]
    assert len(papers) == FAMILIES
    assert archive.testzip() is None
    assert len(list((tmp_path / "exports").iterdir())) == 1
