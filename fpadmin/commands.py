"""What the management commands share."""

import json
import sys

from django.core.management.base import BaseCommand, CommandParser

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
