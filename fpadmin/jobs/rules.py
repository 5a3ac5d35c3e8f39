"""Whose job it is."""

from fpadmin.accounts.models import User
from fpadmin.accounts.permissions import Permission
from fpadmin.jobs.kinds import KINDS
from fpadmin.jobs.models import Job


def may_steer(user: User, job: Job) -> bool:
    """Whether `user` may cancel or retry the job: who asked for it, or who manages jobs.

    A job of the schedule belongs to everybody who may start its kind.
    """
    if user.may(Permission.JOBS_MANAGE):
        return True
    kind = KINDS.get(job.kind)
    return bool(kind and user.may(kind.permission) and job.requested_by_id in (None, user.pk))
