"""What the backup job and the administrator do: make a backup, put one back into an empty place."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.sessions.models import Session
from django.core.management import call_command

from fpadmin.audit import log
from fpadmin.audit import services as audit_services
from fpadmin.deploy import backups
from fpadmin.invariants import Result
from fpadmin.jobs import services as job_services

EVENT_TYPES = {"backup.made": "生成备份", "backup.restored": "从备份恢复"}
CHANGE_LABELS = {"backup": "备份", "dropped": "清除的旧备份"}


@dataclass(frozen=True)
class Restored:
    """What came of a restore: which tables differ, whether the audit chain and the invariants hold."""

    backup: backups.Backup
    differing: list[str]
    audit: log.Verification
    invariants: list[Result]

    @property
    def ok(self) -> bool:
        return not (
            self.differing
            or self.audit.broken_id
            or any(not result.ok for result in self.invariants)
        )


def make_backup(
    *, directory: Path, recipient: str, keep_days: int, now: datetime, by
) -> tuple[backups.Backup, int]:
    """A new whole backup, and how many older than `keep_days` were removed for it.

    Nothing is removed unless the new one was written to the end. Raises BackupFailed.
    """
    backup = backups.make(directory=directory, recipient=recipient, now=now)
    dropped = backups.drop_old(directory=directory, before=now - timedelta(days=keep_days))
    log.record(
        "backup.made",
        by=by,
        count=backup.rows,
        changes={"backup": backup.path.name, "dropped": dropped},
    )
    return backup, dropped


def restore_backup(*, path: Path, identity: str, now: datetime, by) -> Restored:
    """Put a backup into an empty database and an empty file folder, and prove that it is whole.

    Raises BackupFailed, with nothing written, for a backup that was changed, cut off, sealed for
    another key or made by a newer program. One of an older program is migrated. Nobody stays
    signed in.
    """
    backups.refuse_occupied()
    backup = backups.check(path)
    backups.open_all(backup, identity)
    backups.put_back(backup, identity)
    differing = backups.differing_tables(backup)
    call_command("migrate", interactive=False, verbosity=0)
    Session.objects.all().delete()
    audit = audit_services.finish_verification(outcome=log.verify(), by=by)
    results = job_services.check_invariants(now=now, by=by)
    outcome = Restored(backup, differing, audit, results)
    log.record(
        "backup.restored",
        by=by,
        count=backup.rows,
        changes={"backup": path.name},
        result="ok" if outcome.ok else "broken",
    )
    return outcome
