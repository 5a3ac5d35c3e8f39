"""What keeps an import of rolls or lists from being undone, beside what leads to its rows."""

from collections.abc import Iterator

from django.db.models import Q

from fpadmin.imports.undo import Dependent, Reversal
from subsidies.models import Difference, Enrolment, RosterEntry

# Differences say something of the lines and entries that they lead to, and go with them.
SWEPT = {"subsidies.difference": ("enrolment", "other_enrolment", "entry")}


def decided_since(reversal: Reversal) -> Iterator[Dependent]:
    """Differences about new lines or entries that somebody has taken up or judged."""
    for model, links in (
        (Enrolment, ("enrolment", "other_enrolment")),
        (RosterEntry, ("entry",)),
    ):
        for link in links:
            for ours in reversal.created(model, link):
                yield from _taken_up(ours)


def _taken_up(ours: Q) -> Iterator[Dependent]:
    taken = Difference._base_manager.filter(ours).exclude(owner__isnull=True, verdict="")
    for pk in taken.values_list("pk", flat=True):
        yield Dependent(Difference, pk, "已有人核实的比对差异用到")
