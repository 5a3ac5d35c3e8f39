"""Reads the whole audit trail and names the first event that was changed, moved or cut away."""

from django.core.management.base import BaseCommand

from fpadmin.audit import log, services


class Command(BaseCommand):
    help = "Verify the chain of audit events; exit status 1 when it is broken."

    def handle(self, **options):
        outcome = services.finish_verification(
            outcome=log.verify(), by=log.SystemJob("verify_audit")
        )
        if outcome.broken_id is None:
            self.stdout.write(f"ok: {outcome.rows} events")
            return
        self.stdout.write(f"broken at event {outcome.broken_id} after {outcome.rows} events read")
        raise SystemExit(1)
