"""Real broker, workers and schedule, killed and stopped at the wrong moment."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from fpadmin.jobs import processes, results, runner, sending, services
from fpadmin.jobs.models import Job
from tests.database import database_url
from tests.fpadmin.jobs import trial  # noqa: F401 - the kinds must be known here too

pytestmark = [pytest.mark.broker, pytest.mark.django_db(transaction=True)]


class Machine:
    """Processes of one installation on the test database; the sweep runs each second."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.children = []
        self.environment = {
            "DATABASE_URL": database_url(),
            "MEDIA_ROOT": str(folder),
            "JOB_LEASE_SECONDS": "1",
            "PYTHONPATH": os.getcwd(),
        }

    def broker(self):
        socket = Path(settings.CELERY_BROKER_URL.removeprefix("redis+socket://"))
        child = self._start("broker", processes.broker_command(socket))
        until(socket.exists)
        return child

    def worker(self):
        return self._start(
            "worker", processes.worker_command("default", 1, "tests.fpadmin.jobs.trial")
        )

    def beat(self):
        return self._start(
            "beat", processes.beat_command(self.folder / "schedule", "tests.fpadmin.jobs.trial")
        )

    def _start(self, name, command):
        log = self.folder / "log" / f"{name}{len(self.children)}.log"
        child = processes.start(command, environment=self.environment, log=log)
        self.children.append(child)
        return child

    def end(self):
        for child in self.children:
            if child.process.poll() is None:
                child.process.send_signal(signal.SIGCONT)
        processes.stop(self.children, patience=3)


@pytest.fixture
def machine(tmp_path):
    made = Machine(tmp_path)
    yield made
    made.end()


@pytest.fixture
def enqueue(clerk, township, tmp_path):
    def queued(kind, key="a"):
        return services.enqueue(
            kind=f"fault-{kind}", params={"diary": str(tmp_path / f"{key}.txt")}, key=key,
            title="试验", by=clerk, region=township,
        )  # fmt: skip

    return queued


def until(condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def state_of(job):
    job.refresh_from_db()
    return job.state


def process_group(child):
    """The main process and its pool children, children first."""
    pool = Path(f"/proc/{child.process.pid}/task/{child.process.pid}/children").read_text().split()
    return [*map(int, pool), child.process.pid]


def signal_all(child, number):
    for pid in process_group(child):
        os.kill(pid, number)


def test_worker_killed_half_way_is_replaced_and_the_file_is_made_once(machine, enqueue, tmp_path):
    machine.broker()
    machine.beat()
    worker = machine.worker()
    diary = tmp_path / "a.txt"
    job = enqueue("steps")
    until(lambda: diary.exists() and "1 4" in diary.read_text())

    signal_all(worker, signal.SIGKILL)
    assert results.read(job) is None
    diary.with_suffix(".go").touch()
    machine.worker()
    until(lambda: state_of(job) == "done")

    assert (job.attempts, job.result) == (2, {"fence": 2})
    assert diary.read_text().split("\n").count("2 9") == 1
    assert [file.suffix for file in (tmp_path / f"jobs/{job.pk}").iterdir()] == [".bin"]


def test_long_step_without_progress_keeps_its_lease(machine, enqueue, tmp_path):
    machine.broker()
    machine.beat()
    machine.worker()
    diary = tmp_path / "a.txt"
    job = enqueue("steps")
    until(lambda: diary.exists() and "1 4" in diary.read_text())

    job.refresh_from_db()
    after_three_leases = job.lease_until + timedelta(seconds=3)
    until(lambda: state_of(job) and job.lease_until > after_three_leases)
    diary.with_suffix(".go").touch()

    until(lambda: state_of(job) == "done")
    assert job.attempts == 1


def test_overtaken_copy_cannot_write_when_it_wakes_up(machine, enqueue, tmp_path):
    """The first worker is frozen past its lease, a second one finishes, then the first goes on."""
    machine.broker()
    machine.beat()
    frozen = machine.worker()
    diary = tmp_path / "a.txt"
    job = enqueue("steps")
    until(lambda: diary.exists() and "1 4" in diary.read_text())
    signal_all(frozen, signal.SIGSTOP)
    machine.worker()
    until(lambda: "2 4" in diary.read_text())

    diary.with_suffix(".go").touch()
    until(lambda: state_of(job) == "done")
    for pid in process_group(frozen):
        os.kill(pid, signal.SIGCONT)
    until(lambda: "was taken over" in (tmp_path / "log/worker2.log").read_text())

    assert (state_of(job), job.fence, job.result) == ("done", 2, {"fence": 2})
    assert "1 6" not in diary.read_text()


def test_poison_job_ends_dead_and_its_neighbours_run(machine, enqueue):
    machine.broker()
    machine.beat()
    machine.worker()

    poison, neighbour = enqueue("poison", "p"), enqueue("neighbour", "n")

    until(lambda: state_of(neighbour) == "done")
    until(lambda: state_of(poison) == "dead")
    assert poison.attempts == 5


def test_job_asked_for_without_a_broker_runs_when_it_is_back(machine, enqueue):
    begun = time.monotonic()
    job = enqueue("neighbour")
    assert time.monotonic() - begun < 5
    assert (state_of(job), job.lease_until) == ("queued", None)

    machine.broker()
    machine.worker()
    runner.sweep()

    until(lambda: state_of(job) == "done")


def test_job_lost_with_the_broker_is_sent_again(machine, enqueue):
    broker = machine.broker()
    job = enqueue("neighbour")
    broker.process.kill()
    broker.process.wait()
    while_down = enqueue("neighbour", "while it is down")  # over a connection that just broke
    machine.broker()
    machine.worker()
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now())  # a minute later

    machine.beat()

    until(lambda: state_of(job) == "done")
    until(lambda: state_of(while_down) == "done")


def test_message_delivered_twice_runs_once(machine, enqueue, tmp_path):
    machine.broker()
    machine.worker()
    machine.worker()
    (tmp_path / "a.go").touch()
    job = enqueue("steps")
    sending.send(job)

    until(lambda: state_of(job) == "done")
    sending.send(job)
    after = enqueue("neighbour", "after")
    until(lambda: state_of(after) == "done")

    assert (state_of(job), job.attempts, job.fence) == ("done", 1, 1)
    assert len((tmp_path / "a.txt").read_text().splitlines()) == 10


def test_request_does_not_wait_for_a_broker_that_hangs(machine, enqueue):
    broker = machine.broker()
    enqueue("neighbour", "before")
    broker.process.send_signal(signal.SIGSTOP)

    begun = time.monotonic()
    job = enqueue("neighbour", "while it hangs")

    assert time.monotonic() - begun < 20
    assert (state_of(job), job.lease_until) == ("queued", None)
