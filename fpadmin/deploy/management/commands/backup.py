"""Makes a backup, once or each day: see Command."""

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from fpadmin.deploy import backups, services

TOO_OLD = timedelta(hours=26)
PAUSE = 60
PAUSE_AFTER_FAILURE = 15 * 60


class Command(BaseCommand):
    """Writes a sealed backup of database and files into BACKUP_DIR and removes what is too old.

    With --daily it stays and makes one each day at BACKUP_AT, or at once where that was missed.
    With --check it only says whether the newest is younger than 26 hours; exit 1 where it isn't.
    """

    help = "备份数据库和文件，加密后写入BACKUP_DIR。"

    def add_arguments(self, parser):
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--daily", action="store_true", help="一直运行，每天BACKUP_AT备份一次")
        how.add_argument("--check", action="store_true", help="只检查最近一次备份是否在26小时以内")

    def handle(self, *, daily, check, **options):
        if check:
            self._check()
        elif daily:
            self._every_day()
        else:
            self._make()

    def _check(self):
        newest = backups.newest(settings.BACKUP_DIR)
        if newest is None or timezone.now() - newest > TOO_OLD:
            raise CommandError(f"最近26小时没有备份。最近一次：{newest or '没有'}")
        self.stdout.write(f"最近一次备份：{timezone.localtime(newest):%Y-%m-%d %H:%M}")

    def _every_day(self):
        while True:
            pause = PAUSE
            if is_due(
                timezone.localtime(), settings.BACKUP_AT, backups.newest(settings.BACKUP_DIR)
            ):
                try:
                    self._make()
                except (
                    Exception
                ) as problem:  # whatever it was: it is tried again, and --check tells
                    self.stderr.write(f"{type(problem).__name__}: {problem}")
                    pause = PAUSE_AFTER_FAILURE
                finally:
                    connection.close()
            time.sleep(pause)

    def _make(self):
        if not settings.BACKUP_RECIPIENT:
            raise CommandError("没有设置BACKUP_RECIPIENT（备份公钥），没有备份。")
        try:
            backup, dropped = services.make_backup(
                directory=settings.BACKUP_DIR,
                recipient=settings.BACKUP_RECIPIENT,
                keep_days=settings.BACKUP_KEEP_DAYS,
                now=timezone.now(),
                by=SystemJob("备份"),
            )
        except backups.BackupFailed as problem:
            raise CommandError(str(problem))
        self.stdout.write(
            f"已备份：{backup.path}，{len(backup.tables)}张表{backup.rows}行；清除旧备份{dropped}份"
        )


def is_due(now: datetime, at: str, newest: datetime | None) -> bool:
    """Whether the last time that the clock showed `at` (HH:MM) has no backup after it yet."""
    hour, minute = map(int, at.split(":"))
    last = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if last > now:
        last -= timedelta(days=1)
    return newest is None or newest < last
