"""Proves that the data is whole: see Command."""

import json
import sys

from django.utils import timezone

from fpadmin.audit import log
from fpadmin.commands import JsonArguments
from fpadmin.invariants import INVARIANTS, MOST_FINDINGS, Result
from fpadmin.jobs import services


class Command(JsonArguments):
    """Runs every registered invariant. Exit 0 where all hold, 1 where one is broken.

    A rule that only warns breaks nothing. In words each finding has the page that mends it.
    With --json prints {"ok": bool, "checks": [{"key", "label", "ok", "count", "findings"}]} only.
    """

    help = "核对数据是否完整一致。"

    def add_arguments(self, parser):
        parser.add_argument("--json", action="store_true", help="标准输出只打印JSON")

    def handle(self, **options):
        results = services.check_invariants(now=timezone.now(), by=log.SystemJob("核对数据"))
        broken = any(not result.ok for result in results)
        if options["json"]:
            checks = [
                {
                    "key": r.key, "label": r.label, "ok": r.ok, "count": r.count,
                    "findings": r.findings,
                }
                for r in results
            ]  # fmt: skip
            self.stdout.write(json.dumps({"ok": not broken, "checks": checks}, ensure_ascii=False))
        else:
            for result in results:
                self.stdout.write(f"{_word(result)} {result.key} {result.label}")
                for finding in result.kept[:MOST_FINDINGS]:
                    page = INVARIANTS[result.key].page_of(finding.target, finding.pk)
                    self.stdout.write(f"    {finding}　{page}".rstrip())
                if result.count > len(result.findings):
                    self.stdout.write(f"    共{result.count}处")
        if broken:
            sys.exit(1)


def _word(result: Result) -> str:
    if not result.ok:
        return "异常"
    return "提醒" if result.count else "正常"
