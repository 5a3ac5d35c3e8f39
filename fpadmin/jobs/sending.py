"""Puts the ids of queued jobs on the broker, as often as it takes."""

import logging
from datetime import timedelta

from django.utils import timezone
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from fpadmin.celery import app
from fpadmin.jobs.kinds import KINDS
from fpadmin.jobs.models import Job

logger = logging.getLogger(__name__)

RUN_TASK = "fpadmin.jobs.tasks.run_job"  # by name: tasks.py imports this module
# A queued job whose message may have been lost is sent again after this long. A message too many
# does no harm: only the first one finds the job queued.
RESEND_AFTER = timedelta(seconds=60)


def send(job: Job) -> bool:
    """Put the job's id on the broker. False where the broker cannot be reached; never raises for it."""
    # For a queued job the lease means: not sent again before.
    Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(
        lease_until=timezone.now() + RESEND_AFTER
    )
    try:
        app.send_task(RUN_TASK, [job.pk], queue=_queue(job.kind), retry=False)
    except (OperationalError, RedisError, OSError) as problem:
        logger.warning("job %s not sent, the broker cannot be reached: %s", job.pk, problem)
        Job.objects.filter(pk=job.pk, state=Job.State.QUEUED).update(lease_until=None)
        return False
    return True


def _queue(kind_key: str) -> str:
    return KINDS[kind_key].queue if kind_key in KINDS else "default"
