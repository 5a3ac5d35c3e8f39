"""The ledger as its page shows it: a line for each class of people, and a line for each place."""

from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.dates import Period
from fpadmin.reporting import pages, selectors, sheets
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import Frozen, Return
from fpadmin.reporting.rendering import head
from fpadmin.reporting.sheets import Sheet
from households.ledger import CLASSES
from households.ledger_locks import newest_lock, superseded
from households.models import LedgerLock

RETURN = "population-ledger"
LOCKS_SHOWN = 12


@dataclass(frozen=True)
class LedgerPage:
    """One month of one place. Without `sheet` a county's has not been made yet."""

    report: Return
    sheet: Sheet | None
    sections: list[pages.Section]
    checks: list[pages.CheckLine]
    frozen: Frozen | None
    version: ReturnVersion | None
    is_live: bool
    locks: list[LedgerLock]
    superseded: LedgerLock | None
    may_lock: bool
    may_unlock: LedgerLock | None


def ledger_page(region: Region, month: Period, who: str, user, today: date) -> LedgerPage:
    """The figures of now, or as locked; above the township those of the newest version."""
    report = sheets.find_return(RETURN)
    frozen = report.frozen(region, month)
    versions = selectors.versions_of(report, region, month, user)
    version = (frozen and frozen.version) or (versions[0] if versions else None)
    is_live = region.level >= Region.Level.TOWNSHIP
    if frozen and frozen.version:
        sheet = sheets.from_json(frozen.version.content)
    elif is_live:
        sheet = sheets.build(report, region, month)
    else:
        sheet = sheets.from_json(version.content) if version else None
    locks = list(
        LedgerLock.objects.visible_to(user)
        .in_force()
        .within(region)
        .select_related("township", "locked_by")[:LOCKS_SHOWN]
    )
    lock = newest_lock(region) if region.level == Region.Level.TOWNSHIP else None
    return LedgerPage(
        report=report,
        sheet=sheet,
        sections=_sections(sheet, who, user) if sheet else [],
        checks=pages.checks_of(sheet, user) if sheet else [],
        frozen=frozen,
        version=version,
        is_live=is_live,
        locks=locks,
        superseded=superseded(region, month),
        may_lock=user.may(Permission.LEDGER_LOCK)
        and region.level == Region.Level.TOWNSHIP
        and frozen is None
        and month.end < today
        and (lock is None or lock.closes_on < month.start),
        may_unlock=lock if lock and user.may(Permission.LEDGER_UNLOCK) else None,
    )


def _sections(sheet: Sheet, who: str, user) -> list[pages.Section]:
    query = urlencode({"returned": sheet.code, "period": sheet.period})
    whole = sheet.rows[0]
    by_class = [
        (word, [c for c in sheet.columns if c.section == word]) for word in CLASSES.values()
    ]
    classes = pages.Section(
        "全部口径",
        head(by_class[0][1], "口径"),
        [
            pages.Line(word, word == CLASSES["all"], pages.cells_of(whole, columns, query))
            for word, columns in by_class
        ],
    )
    if len(sheet.rows) == 1:
        return [classes]
    chosen = replace(sheet, columns=[c for c in sheet.columns if c.section == CLASSES[who]])
    (places,) = pages.sections_of(chosen, user)
    return [classes, replace(places, title=f"按村（社区）　{CLASSES[who]}")]
