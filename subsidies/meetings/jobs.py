"""The propagandist's list on a phone: people to be seen, under headings of urgency."""

from dataclasses import dataclass
from datetime import date, timedelta

from fpadmin.identity import mask_phone
from households.models import Resident
from subsidies.meetings import waiting
from subsidies.notices import terms

MOST = 200  # on one page; the others come up as these are seen


@dataclass(frozen=True)
class Job:
    """One person, big enough for a thumb."""

    resident: Resident
    what: str
    phone: str
    kind: str
    words: str

    @property
    def place(self) -> str:
        """3组　12户"""
        home = self.resident.household
        return f"{home.group.name}　{home}" if home.group else str(home)


@dataclass(frozen=True)
class Group:
    """People under one heading."""

    title: str
    jobs: list[Job]
    is_bad: bool = False


def groups_of(user, day: date) -> tuple[list[Group], int]:
    """已逾期, 本周 and 以后, none empty, and how many people wait in all."""
    everybody = waiting.people(user)
    changed = terms.changes()
    found = [
        (one.see_by, Job(one, waiting.projects_of(one.projects),
                         mask_phone(one.phone) if one.phone else "",
                         *waiting.due_tag(one.see_by, day, changed)))
        for one in everybody[:MOST]
    ]  # fmt: skip
    sunday = day + timedelta(days=6 - day.weekday())
    late = [job for see_by, job in found if see_by < day]
    count = len(found) if len(found) < MOST else everybody.order_by().count()
    groups = [
        Group(f"已逾期　{len(late)}人", late, is_bad=True),
        Group("本周到期", [job for see_by, job in found if day <= see_by <= sunday]),
        Group("以后到期", [job for see_by, job in found if see_by > sunday]),
    ]
    return [group for group in groups if group.jobs], count
