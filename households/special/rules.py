"""What the office asks of contacts on a day: the nearest region's rule in force, else the defaults."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Case, Field, Value, When

from fpadmin.scoping import below
from households.models import CareRule

DEFAULT = CareRule(kinds_required=[])


@dataclass(frozen=True)
class RuleBook:
    """The rules in force on one day: {path of the region: rule}, the deepest path first."""

    rules: dict[str, CareRule]

    def of(self, path: str) -> CareRule:
        """The rule of the place with this path."""
        return next((r for prefix, r in self.rules.items() if path.startswith(prefix)), DEFAULT)

    def case(self, value: Callable[[CareRule], Any], path_field: str, output_field: Field):
        """An SQL expression: value(rule) of the place whose path stands in `path_field`."""
        return Case(
            *(
                When(below(prefix, path_field), then=Value(value(rule), output_field=output_field))
                for prefix, rule in self.rules.items()
            ),
            default=Value(value(DEFAULT), output_field=output_field),
            output_field=output_field,
        )


def rule_book(day: date) -> RuleBook:
    """In one query."""
    return rule_books([day])[day]


def rule_books(days: Collection[date]) -> dict[date, RuleBook]:
    """The rule book of each day, in one query for all of them."""
    rules = list(CareRule.objects.select_related("region").order_by("from_on"))
    return {day: _book_of(rules, day) for day in days}


def _book_of(rules: list[CareRule], day: date) -> RuleBook:
    newest = {rule.region.path: rule for rule in rules if rule.from_on <= day}
    return RuleBook(dict(sorted(newest.items(), key=lambda item: -len(item[0]))))
