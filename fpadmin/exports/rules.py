"""How much a person may take alone, and for how long a file can be fetched (S30, S31)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings


@dataclass(frozen=True)
class Taken:
    """Rows of one day: all of them, those with bank accounts, those with health data."""

    rows: int = 0
    bank: int = 0
    health: int = 0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.rows + other.rows, self.bank + other.bank, self.health + other.health)


def over_limit(day: Taken) -> str:
    """Why the day's sum needs a second person, in words; "" where it needs none."""
    for count, limit, label in (
        (day.bank, settings.EXPORT_LIMIT_BANK, "含账户的记录"),
        (day.health, settings.EXPORT_LIMIT_HEALTH, "含健康信息的记录"),
        (day.rows, settings.EXPORT_LIMIT_ROWS, "记录"),
    ):
        if count > limit:
            return f"今天导出的{label}合计{count:,}条，超过{limit:,}条"
    return ""


def link_ends(made_at: datetime) -> datetime:
    """After this the file cannot be fetched any more."""
    return made_at + timedelta(hours=settings.EXPORT_LINK_HOURS)


def purged_before(now: datetime) -> datetime:
    """Files made before this are deleted."""
    return now - timedelta(days=settings.EXPORT_KEEP_DAYS)
