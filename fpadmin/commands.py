"""What the management commands share."""

import json
import sys
from datetime import date

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from fpadmin.accounts.models import Region
from fpadmin.errors import RuleViolation

WRONG_ARGUMENTS = 2


class JsonArguments(BaseCommand):
    """A command whose --json holds also for wrong arguments: one JSON value on stdout, exit 2."""

    _asked_for_json = False

    def run_from_argv(self, argv: list[str]) -> None:
        self._asked_for_json = "--json" in argv
        super().run_from_argv(argv)

    def create_parser(self, *args, **kwargs) -> CommandParser:
        parser = super().create_parser(*args, **kwargs)
        if self._asked_for_json:
            parser.error = self._refuse
        return parser

    def wrong_arguments(self, message: str) -> dict:
        """The JSON that says so."""
        return {"error": message}

    def _refuse(self, message: str) -> None:
        self.stdout.write(json.dumps(self.wrong_arguments(message), ensure_ascii=False))
        sys.exit(WRONG_ARGUMENTS)


class JsonCommand(BaseCommand):
    """Prints one JSON value on stdout. What is refused prints {"error": …} there, exit 2.

    `answer(options)` returns the value; a RuleViolation is a refusal. Wrong arguments and an
    unready database are refusals too. Everything else for people goes to stderr.
    """

    def create_parser(self, *args, **kwargs):
        parser = super().create_parser(*args, **kwargs)
        parser.add_argument("--json", action="store_true", help="standard output is JSON anyway")
        parser.error = self.refuse
        return parser

    def execute(self, *args, **options):
        try:
            return super().execute(*args, **options)
        except CommandError as problem:
            self.refuse(str(problem))

    def handle(self, *args, **options):
        try:
            value = self.answer(options)
        except RuleViolation as problem:
            self.refuse(problem.message)
        except DatabaseError as problem:
            self.refuse(f"数据库不能用，请先运行 migrate：{problem}")
        self.stdout.write(json.dumps(value, ensure_ascii=False))

    def refuse(self, message: str) -> None:
        self.stdout.write(json.dumps({"error": message}, ensure_ascii=False))
        self.stderr.write(message)
        sys.exit(WRONG_ARGUMENTS)


def find_region(code: str | None) -> Region:
    """The region of this code. Raises RuleViolation."""
    if not code:
        raise RuleViolation("请用 --region 写明区划代码。")
    region = Region.objects.filter(code=code).first()
    if region is None:
        raise RuleViolation(f"没有代码为{code}的区划。请先导入行政区划。")
    return region


def read_day(text: str) -> date:
    """A date written 2018-09-30. Raises RuleViolation."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RuleViolation(f"日期“{text}”不对，请写成2018-09-30。")
