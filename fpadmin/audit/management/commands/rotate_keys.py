"""Puts every encrypted value under the first key, so that an older one can be retired."""

from django.core.management.base import BaseCommand

from fpadmin import rotation
from fpadmin.audit.log import SystemJob
from fpadmin.crypto import writing_key_id


class Command(BaseCommand):
    help = (
        "Re-encrypt all values that are not under the first key of FIELD_ENCRYPTION_KEYS. "
        "Safe to run beside the program, to stop and to run again."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only count the values")

    def handle(self, *, dry_run, **options):
        unreadable = 0
        for column in rotation.encrypted_columns():
            if dry_run:
                self.stdout.write(f"{column}: {rotation.waiting(column)} to rotate")
                continue
            outcome = rotation.rotate_column(column=column, by=SystemJob("rotate_keys"))
            unreadable += len(outcome.unreadable)
            self.stdout.write(f"{column}: {outcome.rotated} rotated to {writing_key_id()}")
            for pk in outcome.unreadable[:5]:
                self.stderr.write(f"{column}: row {pk} cannot be read; its key is missing")
        if unreadable:
            self.stderr.write(f"{unreadable} values could not be read and were left as they are")
            raise SystemExit(1)
