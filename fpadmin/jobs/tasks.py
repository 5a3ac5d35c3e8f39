"""Celery entry points: the message carries at most a job's id."""

from celery import shared_task

from fpadmin.jobs import runner, runs


@shared_task
def run_job(job_id: int) -> None:
    """Run the job unless somebody else has it."""
    runner.run(job_id)


@shared_task
def sweep() -> None:
    """Send what was never taken, take back what a dead worker held."""
    runner.sweep()


@shared_task
def check_invariants() -> None:
    """Each night: have the invariants checked by a job, so that the ledger keeps what was found."""
    runs.start(by=runner.SCHEDULE)
