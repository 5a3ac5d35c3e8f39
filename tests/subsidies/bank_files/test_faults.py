"""A real worker killed while it writes the file (F07), and one that wakes up too late (F09)."""

import hashlib
import os
import signal

import pytest
from django.utils import timezone

from fpadmin import sealed
from fpadmin.audit.log import SystemJob
from fpadmin.jobs import processes
from subsidies.bank_files import kept
from subsidies.bank_files.layouts import SHIPPED
from subsidies.models import BankFile
from subsidies.services import bank_files
from tests.factories.payments import TODAY, bring_to, make_batch, make_payee
from tests.fpadmin.jobs.test_faults import Machine, process_group, signal_all, state_of, until

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]
APPLICATION = "tests.subsidies.bank_files.slowly"


class Office(Machine):
    """A machine whose workers write bank files slowly."""

    def slow(self, stop: str):
        self.environment |= {"BANK_FILE_DIARY": str(self.diary), "BANK_FILE_STOP": stop}

    @property
    def diary(self):
        return self.folder / "diary.txt"

    def worker(self):
        return self._start("worker", processes.worker_command("default", 1, APPLICATION))

    def beat(self):
        return self._start("beat", processes.beat_command(self.folder / "schedule", APPLICATION))

    def reached(self, step: str, times: int = 1) -> bool:
        return self.diary.exists() and self.diary.read_text().split().count(step) >= times


@pytest.fixture
def office(tmp_path):
    made = Office(tmp_path)
    yield made
    made.end()


@pytest.fixture
def batch(people, clerk, township, village):
    for name in ("陶有田", "宋桂兰", "李山"):
        make_payee(village, name)
    return bring_to("approved", make_batch(clerk, township), **people)


def ask(clerk, batch):
    return bank_files.request_file(by=clerk, batch=batch, layout=SHIPPED["xlsx"], today=TODAY)


def no_file_of(batch) -> bool:
    batch.refresh_from_db()
    return batch.state == "approved" and not BankFile.objects.exists()


@pytest.mark.parametrize(("stop", "orphans"), [("written", 0), ("kept", 1)])
def test_worker_killed_while_it_writes_leaves_none_and_the_next_makes_the_file(
    office, batch, clerk, stop, orphans
):
    office.slow(stop)
    office.broker()
    office.beat()
    worker = office.worker()
    job = ask(clerk, batch)
    until(lambda: office.reached(stop))

    signal_all(worker, signal.SIGKILL)
    assert no_file_of(batch)
    assert len(sealed.names(kept.FOLDER)) == orphans
    office.diary.with_suffix(".go").touch()
    office.worker()
    until(lambda: state_of(job) == "done")

    assert job.attempts == 2
    batch.refresh_from_db()
    file = BankFile.objects.get()
    content = b"".join(kept.content_of(file))
    assert (batch.state, file.count) == ("sealed", 3)
    assert hashlib.sha256(content).hexdigest() == file.sha256
    assert kept.regenerate(file) == content
    bank_files.sweep_files(before=timezone.now(), by=SystemJob("定时任务"))
    assert sealed.names(kept.FOLDER) == {file.file}


def test_worker_that_wakes_up_after_another_made_the_file_keeps_nothing(office, batch, clerk):
    office.slow("kept")
    office.broker()
    office.beat()
    frozen = office.worker()
    job = ask(clerk, batch)
    until(lambda: office.reached("kept"))
    signal_all(frozen, signal.SIGSTOP)
    office.worker()
    until(lambda: office.reached("kept", times=2))

    office.diary.with_suffix(".go").touch()
    until(lambda: state_of(job) == "done")
    made = BankFile.objects.values().get()
    for pid in process_group(frozen):
        os.kill(pid, signal.SIGCONT)
    until(lambda: "was taken over" in (office.folder / "log/worker2.log").read_text())

    assert BankFile.objects.values().get() == made
    assert batch.steps.filter(action="seal").count() == 1
    until(lambda: sealed.names(kept.FOLDER) == {made["file"]})
