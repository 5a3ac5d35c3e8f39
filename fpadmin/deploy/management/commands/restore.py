"""Puts a backup into an empty database and proves that it is whole: see Command."""

import sys
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from fpadmin.audit.log import SystemJob
from fpadmin.deploy import backups, services


class Command(BaseCommand):
    """Restores into DATABASE_URL and MEDIA_ROOT, both of which must be empty.

    Then compares the rows of every table, verifies the audit trail and checks the invariants; exit
    1 where anything differs. --check only opens and checks the backup and writes nothing.
    """

    help = "把备份恢复到空数据库和空文件目录，并核对。"
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "backup", nargs="?", type=Path, help="备份目录；不写时取BACKUP_DIR里最新的"
        )
        parser.add_argument("--identity", required=True, help="保存恢复私钥的文件；-为标准输入")
        parser.add_argument("--database", help="恢复到同一服务器的另一个空数据库（演练用）")
        parser.add_argument("--check", action="store_true", help="只检查备份能否打开，不写入")

    def handle(self, *, backup, identity, database, check, **options):
        if database:
            connection.close()
            connection.settings_dict["NAME"] = database
        try:
            path = backup or _newest()
            key = _identity(identity)
            if check:
                found = backups.check(path)
                backups.open_all(found, key)
                self.stdout.write(f"可以恢复：{path}，{len(found.tables)}张表{found.rows}行")
                return
            self._report(
                services.restore_backup(
                    path=path, identity=key, now=timezone.now(), by=SystemJob("恢复备份")
                )
            )
        except backups.BackupFailed as problem:
            raise CommandError(str(problem))

    def _report(self, outcome: services.Restored):
        backup = outcome.backup
        made = timezone.localtime(backup.made_at)
        self.stdout.write(f"已恢复：{backup.path.name}，数据截至{made:%Y-%m-%d %H:%M:%S}")
        if outcome.differing:
            self.stdout.write(f"异常 行数与备份时不同的表：{'、'.join(outcome.differing)}")
        else:
            self.stdout.write(f"正常 {len(backup.tables)}张表{backup.rows}行，与备份时相同")
        if outcome.audit.broken_id:
            self.stdout.write(f"异常 审计记录从第{outcome.audit.broken_id}条起不连续")
        else:
            self.stdout.write(f"正常 审计记录{outcome.audit.rows}条")
        for result in outcome.invariants:
            self.stdout.write(f"{'正常' if result.ok else '异常'} {result.key} {result.label}")
        if not outcome.ok:
            sys.exit(1)


def _newest() -> Path:
    found = backups.names(settings.BACKUP_DIR)
    if not found:
        raise CommandError(f"{settings.BACKUP_DIR}里没有完整的备份。")
    return found[-1]


def _identity(name: str) -> str:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise CommandError(f"读不了恢复私钥文件{name}。")
    lines = text.splitlines()
    return next((line for line in lines if line and not line.startswith("#")), "")
