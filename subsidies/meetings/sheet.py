"""见面记录表: who was paid in a year in a village, and what came of seeing them; A4 across.

It goes from house to house: a policy that tells of a child's death or illness is not named on it, and
no amount, which would tell the same.
"""

from dataclasses import dataclass
from datetime import date
from itertools import groupby

from subsidies.meetings import waiting
from subsidies.models import Meeting

PER_SHEET = 10  # look.css has their height


@dataclass(frozen=True)
class SheetRow:
    """One person; without a meeting the cells stay empty for the pen."""

    number: int
    name: str
    household: str
    group: str
    what: str
    paid_on: list[date]
    meeting: Meeting | None

    @property
    def difficulties(self) -> str:
        """What the person asked for, and of what else was said the note."""
        return "；".join(filter(None, (self.meeting.difficulties, self.meeting.note)))


def sheets_of(user, village, year: int) -> list[list[SheetRow]]:
    """The people of the village who were paid in `year`, in walking order, cut into sheets."""
    lines = (
        waiting.to_see(user)
        .filter(village=village, paid_on__year=year)
        .select_related("beneficiary__household__group", "meeting__met_by")
        .order_by(
            "beneficiary__household__group__path", "beneficiary__household__number", "beneficiary",
            "paid_on", "pk",
        )
    )  # fmt: skip
    rows = []
    for person, own in groupby(lines, key=lambda line: line.beneficiary):
        rows.append(_row(len(rows) + 1, person, list(own)))
    return [rows[start : start + PER_SHEET] for start in range(0, len(rows), PER_SHEET)]


def _row(number: int, person, lines) -> SheetRow:
    home = person.household
    open_ones = [line for line in lines if line.meeting_id is None]
    shown = open_ones or lines
    return SheetRow(
        number=number,
        name=person.name,
        household=home.number,
        group=home.group.name if home.group else "",
        what=waiting.names_of(",".join({line.policy_code for line in shown})),
        paid_on=list(dict.fromkeys(line.paid_on for line in shown)),
        meeting=None if open_ones else lines[-1].meeting,
    )
