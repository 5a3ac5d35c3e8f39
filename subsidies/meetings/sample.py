"""抽查表: meetings of a month that the township looks into itself, chosen by nobody.

One in twenty of each village, one at least. The same number and month always give the same people; the
order comes from a keyed digest, so that nobody knows it while he records.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

from fpadmin.accounts.models import Region
from fpadmin.crypto import digest
from fpadmin.dates import Period, month_period
from subsidies.models import Meeting

ONE_IN = 20
PER_SHEET = 10  # look.css has their height


@dataclass(frozen=True)
class Sample:
    """The meetings chosen, under the number that chose them, of so many held."""

    number: str
    held: int
    meetings: list[Meeting]

    @property
    def sheets(self) -> list[list[tuple[int, Meeting]]]:
        """Numbered and cut into sheets."""
        lines = list(enumerate(self.meetings, start=1))
        return [lines[start : start + PER_SHEET] for start in range(0, len(lines), PER_SHEET)]


def months(day: date) -> list[Period]:
    """The month before that of `day`, and this."""
    first = day.replace(day=1)
    last = first - timedelta(days=1)
    return [month_period(one.year, one.month) for one in (last, first)]


def sample_of(user, office: Region, month: Period) -> Sample:
    """Of the meetings held in `month` that `user` may know of; those seen again later count too."""
    number = f"{office.code}-{month.code}"
    held = Meeting.objects.visible_to(user).filter(met_on__range=(month.start, month.end))
    rows = list(held.order_by("village__path").values_list("village", "pk"))
    chosen = []
    for _, own in groupby(rows, key=lambda row: row[0]):
        keys = sorted((pk for _, pk in own), key=lambda pk: (digest(f"{number}:{pk}"), pk))
        chosen += keys[: -(-len(keys) // ONE_IN)]
    found = (
        Meeting.objects.visible_to(user)
        .filter(pk__in=chosen)
        .select_related("resident__household__group", "village", "met_by")
        .order_by("village__path", "resident__household__number", "pk")
    )
    return Sample(number, len(rows), list(found))
