"""Celery entry points: the message carries a job's id and nothing else."""

from celery import shared_task

from fpadmin.jobs import runner


@shared_task
def run_job(job_id: int) -> None:
    """Run the job unless somebody else has it."""
    runner.run(job_id)


@shared_task
def sweep() -> None:
    """Send what was never taken, take back what a dead worker held."""
    runner.sweep()
