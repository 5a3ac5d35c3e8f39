"""An act on many rows, step by step: gather the rows, say what would happen, do it, report."""

import secrets
from dataclasses import dataclass
from typing import Any

from fpadmin.ui.acts import Act
from fpadmin.ui.filters import words_of
from fpadmin.ui.listing import Asked, ListSpec, Selection

ROWS_SHOWN = 10
KEPT_RESULTS = 5
_SESSION_KEY = "act_results"


@dataclass(frozen=True)
class Batch:
    """The selected rows that the user may see; `missing` of those ticked are not among them."""

    spec: ListSpec
    act: Act
    selection: Selection
    rows: list
    total: int
    missing: int

    @property
    def is_too_many(self) -> bool:
        return self.total > self.act.most


@dataclass(frozen=True)
class Line:
    """One row as the pages call it, and why nothing happens to it ("" where something does)."""

    name: str
    place: str
    reason: str = ""


@dataclass(frozen=True)
class Preview:
    """What the act would do now. `values` is what the form says, `said` the same in words."""

    values: dict[str, Any]
    said: list[tuple[str, str]]
    allowed: list
    refused: dict[int, str]
    first: list[Line]
    cannot: list[Line]

    @property
    def more(self) -> int:
        """How many rows beyond the first ones."""
        return len(self.allowed) - len(self.first)


@dataclass(frozen=True)
class Result:
    """What came of it, by primary key."""

    done: list[int]
    refused: dict[int, str]
    missing: int


@dataclass(frozen=True)
class Report:
    """A result with the rows called by their names."""

    done: int
    refused: list[Line]
    missing: int


def gather(spec: ListSpec, act: Act, selection: Selection) -> Batch:
    """Load the selected rows, at most one more than the act takes."""
    found = selection.rows(spec)
    rows = list(found[: act.most + 1])
    total = len(rows) if len(rows) <= act.most else found.order_by().count()
    missing = 0 if selection.is_all else len(selection.picked) - total
    return Batch(spec, act, selection, rows, total, missing)


def form_of(batch: Batch, data):
    """The act's form, bound to `data` unless that is None; None for an act that needs no values."""
    if batch.act.form is None or batch.is_too_many:
        return None
    return batch.act.form(data, asked=batch.selection.asked, rows=batch.rows)


def preview(batch: Batch, form) -> Preview:
    """Ask the act which rows cannot. Changes nothing."""
    values, said = {}, []
    if form is not None:
        values = form.values() if hasattr(form, "values") else form.cleaned_data
        said = [(field.label, words_of(field, form.cleaned_data[field.name])) for field in form]
    asked, check = batch.selection.asked, batch.act.check
    refused = check(batch.rows, by=asked.user, values=values, day=asked.day) if check else {}
    allowed = [row for row in batch.rows if row.pk not in refused]
    return Preview(
        values=values,
        said=[(label, text) for label, text in said if text],
        allowed=allowed,
        refused=refused,
        first=[_line(batch.spec, row) for row in allowed[:ROWS_SHOWN]],
        cannot=[_line(batch.spec, r, refused[r.pk]) for r in batch.rows if r.pk in refused],
    )


def carry_out(batch: Batch, checked: Preview) -> Result:
    """Do it to the rows that may. Raises RuleViolation where the service refuses them all."""
    asked = batch.selection.asked
    refused = {}
    if checked.allowed:
        refused = batch.act.apply(
            checked.allowed, by=asked.user, values=checked.values, day=asked.day
        )
    done = [row.pk for row in checked.allowed if row.pk not in refused]
    return Result(done, checked.refused | refused, batch.missing)


def keep(session, result: Result) -> str:
    """The token under which the session holds the result, so that its page can be loaded again."""
    newest = list(session.get(_SESSION_KEY, {}).items())[-KEPT_RESULTS + 1 :]
    token = secrets.token_hex(8)
    refused = [[pk, reason] for pk, reason in result.refused.items()]
    session[_SESSION_KEY] = dict(newest) | {token: [len(result.done), refused, result.missing]}
    return token


def report(spec: ListSpec, asked: Asked, session, token: str) -> Report | None:
    """The result that the session holds under `token`, as far as the user may still see its rows."""
    kept = session.get(_SESSION_KEY, {}).get(token)
    if kept is None:
        return None
    done, refused, missing = kept
    reasons = {int(pk): reason for pk, reason in refused}
    rows = spec.queryset(asked).filter(pk__in=list(reasons)).order_by("pk")
    return Report(done, [_line(spec, row, reasons[row.pk]) for row in rows], missing)


def _line(spec: ListSpec, row, reason: str = "") -> Line:
    return Line(spec.name_of(row), spec.place_of(row), reason)
