"""import_workbook KIND FILE --office CODE: an office's workbook into the registry, without a broker."""

import json
import sys
from datetime import date
from pathlib import Path

from django.core.management.base import CommandParser

from fpadmin import dates
from fpadmin.accounts.models import CODE_LENGTHS, Region
from fpadmin.accounts.workbooks import office_from_code
from fpadmin.audit.log import SystemJob
from fpadmin.commands import JsonArguments
from fpadmin.imports import engine
from fpadmin.imports.kinds import KINDS, Ground, Issue, Outcome, Unreadable, WorkbookKind, in_order
from fpadmin.imports.widgets import CellError, parse_date

DONE, ERRORS, UNREADABLE = 0, 1, 2


class Command(JsonArguments):
    """Prints the outcome as JSON on stdout with --json, else as lines.

    Exit 0: done, with --good-rows also when some rows were refused. 1: errors, nothing written.
    2: the file, the kind, the office or the date cannot be read.
    """

    help = "Import a workbook (regions, residents, births, …) into the registry."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", help="one of: " + ", ".join(k.key for k in in_order()))
        parser.add_argument("file")
        parser.add_argument(
            "--office", required=True, help="code of the office; rows outside are errors"
        )
        parser.add_argument("--dry-run", action="store_true", help="check only, write nothing")
        parser.add_argument(
            "--good-rows", action="store_true", help="import the good rows, refuse the rest"
        )
        parser.add_argument(
            "--on", help="day on which a changed household or hukou counts; default today"
        )
        parser.add_argument("--json", action="store_true", help="print only JSON on stdout")

    def wrong_arguments(self, message: str) -> dict:
        issue = Issue(0, "", "arguments", f"命令的参数不对：{message}")
        return _as_json(Outcome("", issues=[issue]))

    def handle(self, *args, **options):
        try:
            kind, ground = self._kind(options["kind"]), self._ground(options)
            content = self._content(options["file"])
            outcome = self._run(kind, content, Path(options["file"]).name, ground, options)
        except Unreadable as error:
            self._unreadable(options, error)
            sys.exit(UNREADABLE)
        self._print(outcome, options)
        refused = outcome.errors and not (options["good_rows"])
        sys.exit(ERRORS if refused else DONE)

    def _run(self, kind, content, name, ground, options) -> Outcome:
        if options["dry_run"]:
            return engine.check(kind, content, name, ground, progress=self._progress)
        return engine.commit(
            kind, content, name, ground, good_rows=options["good_rows"], progress=self._progress
        )

    def _kind(self, key: str) -> WorkbookKind:
        if key not in KINDS:
            known = "、".join(k.key for k in in_order())
            raise Unreadable("unknown_kind", f"没有“{key}”这一类。可用的类别：{known}。")
        return KINDS[key]

    def _ground(self, options) -> Ground:
        today = dates.today()
        code = options["office"]
        if not (code.isdigit() and len(code) in CODE_LENGTHS.values()):
            raise Unreadable("unknown_office", f"单位代码“{code}”不对，应为2到12位区划代码。")
        if options["kind"] != "regions" and not Region.objects.filter(code=code).exists():
            raise Unreadable("unknown_office", f"没有代码为{code}的单位。请先导入行政区划。")
        return Ground(
            office_from_code(code),
            self._on(options["on"], today),
            today,
            SystemJob("import_workbook"),
        )

    def _on(self, text: str | None, today: date) -> date:
        if not text:
            return today
        try:
            day = parse_date(text)
            if day > today:
                raise CellError("date", "在今天之后。")
            return day
        except CellError as error:
            raise Unreadable("date", f"变动日期“{text}”：{error}") from None

    def _content(self, path: str) -> bytes:
        try:
            return Path(path).read_bytes()
        except OSError:
            raise Unreadable("no_file", f"打不开文件{path}。请核对路径和权限。") from None

    def _progress(self, done: int, total: int, step: str) -> None:
        if self._verbose:
            print(f"{step} {done}/{total}" if total else step, file=sys.stderr)

    @property
    def _verbose(self) -> bool:
        return sys.stderr.isatty()

    def _unreadable(self, options, error: Unreadable) -> None:
        issue = Issue(0, "", error.code, error.message)
        if options["json"]:
            self._print(Outcome(options["kind"], issues=[issue]), options)
        else:
            print(error.message, file=sys.stderr)

    def _print(self, outcome: Outcome, options) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(outcome), ensure_ascii=False))
            return
        for issue in outcome.errors:
            self.stdout.write(f"第{issue.row}行 {issue.column} {issue.value}：{issue.message}")
        self.stdout.write(
            f"共{outcome.rows}行：新增{outcome.created}，更新{outcome.updated}，"
            f"无变化{outcome.unchanged}，错误{outcome.refused}，提示{len(outcome.warnings)}"
        )
        if outcome.written:
            changed = outcome.created or outcome.updated
            self.stdout.write("已写入。" if changed else "与登记资料一致，没有要写入的。")
        else:
            self.stdout.write("没有写入任何数据。")


def _as_json(outcome: Outcome) -> dict:
    return {
        "kind": outcome.kind,
        "rows": outcome.rows,
        "created": outcome.created,
        "updated": outcome.updated,
        "unchanged": outcome.unchanged,
        "errors": [_issue(i) for i in outcome.errors],
        "warnings": [_issue(i) for i in outcome.warnings],
    }


def _issue(issue: Issue) -> dict:
    return {"row": issue.row, "column": issue.column, "code": issue.code, "message": issue.message}
