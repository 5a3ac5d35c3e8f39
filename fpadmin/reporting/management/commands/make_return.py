"""make_return CODE --region CODE --period 2018-09 --out FILE: one return as a file."""

import os
from pathlib import Path

from django.core.management.base import CommandParser

from fpadmin import dates
from fpadmin.audit.log import SystemJob
from fpadmin.commands import JsonCommand, find_region
from fpadmin.errors import RuleViolation
from fpadmin.reporting import services, sheets
from fpadmin.reporting.registry import RETURNS
from fpadmin.reporting.rendering import RENDERERS

JOB = SystemJob("make_return")


class Command(JsonCommand):
    """Stores a version (unless nothing changed) and writes it; prints what it wrote, or the list."""

    help = "Make a return and write it as .xlsx, .docx or .json; --list names the returns."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("code", nargs="?", help="code of the return")
        parser.add_argument("--list", action="store_true", help="the returns there are")
        parser.add_argument("--region", help="code of the region")
        parser.add_argument("--period", help="2018-09, 2018Q3 or 2018 (statistical year)")
        parser.add_argument("--out", metavar="FILE", help="file ending in .xlsx, .docx or .json")

    def answer(self, options):
        if options["list"]:
            return [{"code": r.code, "name": r.name, "cycle": r.cycle} for r in RETURNS.values()]
        missing = [f"--{n}" for n in ("region", "period", "out") if not options[n]]
        if not options["code"] or missing:
            raise RuleViolation(f"还缺：{'、'.join(missing) or '报表代码'}。")
        out = Path(options["out"])
        suffix = out.suffix.lower().lstrip(".")
        if suffix not in RENDERERS:
            raise RuleViolation(f"文件名要以 .xlsx、.docx 或 .json 结尾，不能是“{out.name}”。")
        version, is_new = services.make_return(
            code=options["code"],
            region=find_region(options["region"]),
            period=options["period"],
            by=JOB,
            today=dates.today(),
        )
        _write(out, services.download_version(version=version, suffix=suffix, by=JOB))
        return {
            "code": version.code,
            "region": version.region.code,
            "period": version.period,
            "version": version.version,
            "new": is_new,
            "sha256": version.sha256,
            "balances": sheets.from_json(version.content).balances,
            "out": str(out),
        }


def _write(out: Path, content: bytes) -> None:
    """The whole file or none. Raises RuleViolation where the place cannot be written."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(out)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise RuleViolation(f"写不了文件{out}：{problem.strerror}。")
