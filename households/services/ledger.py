"""Months of the ledger: locked with everything that was counted in them, and opened again."""

from collections.abc import Iterator
from itertools import islice

from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Value
from django.utils import timezone

from fpadmin import bulk, dates
from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.dates import Period
from fpadmin.errors import RuleViolation
from fpadmin.reporting import sheets
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import Span
from households import ledger_lists, ledger_locks
from households.ledger import CLASS_KEYS, CLASSES, COLUMNS, SEX_KEYS, code_of
from households.models import LedgerEntry, LedgerLock, LedgerMember
from households.movements import counted_on, eve

RETURN = "population-ledger"
STATES = ("opening", "closing")  # columns whose people stand in the membership
CHANGED = "登记在锁定时有变动，请经办人重新生成总人口账后再锁定。"
_BATCH = 2_000


@transaction.atomic
def lock_month(*, by, township: Region, period: str, today) -> LedgerLock:
    """Lock the newest version of the township's ledger of a month, with everything it counted.

    Refuses a month that isn't over, one that doesn't follow the last locked one, a ledger that
    was never made, was made by the same person, doesn't balance, or differs from the registry.
    """
    if township.level != Region.Level.TOWNSHIP:
        raise RuleViolation("只有乡镇（街道）可以锁定总人口账。")
    report = sheets.find_return(RETURN)
    month = sheets.period_of(report, period)
    Region.objects.select_for_update(no_key=True).get(pk=township.pk)
    previous = ledger_locks.newest_lock(township)
    _refuse_out_of_turn(month, previous, today)
    version = (
        ReturnVersion.objects.filter(code=RETURN, region=township, period=month.code)
        .order_by("-version")
        .first()
    )
    if version is None:
        raise RuleViolation(f"{month.label}的总人口账还没有生成，请经办人先生成。")
    if version.made_by_id == by.pk:
        raise RuleViolation("生成和锁定应由不同的人办理，请另一位审核人锁定。")
    sheet = sheets.build(report, township, month)
    if sheets.sha256_of(sheets.to_json(sheet)) != version.sha256:
        raise RuleViolation(
            f"登记有变动，第{version.version}版的数字已经不是现在的，请经办人重新生成后再锁定。"
        )
    if not sheet.balances:
        raise RuleViolation("审核没有通过，不能锁定。请先处理审核中的问题。")
    lock = LedgerLock.objects.create(
        township=township, period=month.code, starts_on=month.start, closes_on=month.end,
        version=version, locked_by=by, locked_at=timezone.now(),
    )  # fmt: skip
    span = Span(month.start, month.end)
    _keep_entries(lock, span, previous)
    if previous is None:
        _keep_members(township, eve(span))
    _keep_members(township, month.end)
    _refuse_other_figures(lock, sheet)
    log.record(
        "ledger.locked",
        by=by,
        target=lock,
        region_path=township.path,
        changes={"period": month.code, "version": version.version},
    )
    return lock


@transaction.atomic
def unlock_month(*, by, lock: LedgerLock, reason: str) -> LedgerLock:
    """Open the township's last locked month again: its figures follow the registry from now on.

    Refuses an earlier month, one that is open already, and an empty reason. The version stays.
    """
    lock = (
        LedgerLock.objects.select_for_update(of=("self",))
        .select_related("township")
        .get(pk=lock.pk)
    )
    if lock.unlocked_at:
        raise RuleViolation(f"{lock.label}已经解锁。")
    if not reason.strip():
        raise RuleViolation("请写明解锁的原因。", field="reason")
    newest = ledger_locks.newest_lock(lock.township)
    if newest != lock:
        raise RuleViolation(f"请先解锁后面的月份：{newest.label}已锁定。")
    lock.unlocked_by, lock.unlocked_at, lock.unlock_reason = by, timezone.now(), reason.strip()
    lock.save(update_fields=["unlocked_by", "unlocked_at", "unlock_reason"])
    lock.entries.all().delete()
    members = LedgerMember.objects.filter(township=lock.township)
    members.filter(since=lock.closes_on).delete()
    members.filter(until=lock.closes_on).update(until=None)
    if ledger_locks.newest_lock(lock.township) is None:
        members.delete()
    log.record(
        "ledger.unlocked",
        by=by,
        target=lock,
        region_path=lock.township.path,
        changes={"period": lock.period},
    )
    return lock


def _refuse_out_of_turn(month: Period, previous: LedgerLock | None, today) -> None:
    if month.end >= today:
        raise RuleViolation(f"{month.label}还没有过完，不能锁定。")
    if previous is None:
        return
    if month.end <= previous.closes_on:
        raise RuleViolation(f"{previous.label}已锁定，{month.label}不能再锁定。")
    year, number = divmod(previous.closes_on.year * 12 + previous.closes_on.month, 12)
    following = dates.month_period(year, number + 1)
    if month.code != following.code:
        raise RuleViolation(f"应按月份先后锁定，请先锁定{following.label}。")


def _keep_members(township: Region, day) -> None:
    """Bring the membership to what counts on `day`: rows that no longer hold end, new ones begin."""
    alike = {
        "resident": OuterRef("resident"), "village": OuterRef("village"),
        "sex": OuterRef("sex"), "hukou_class": OuterRef("hukou_class"),
    }  # fmt: skip
    known = LedgerMember.objects.filter(township=township, until__isnull=True)
    now = counted_on(day).within(township)
    known.filter(~Exists(counted_on(day).filter(**alike))).update(until=day)
    new = (
        now.filter(~Exists(known.filter(**alike)))
        .order_by()
        .values_list(
            Value(township.pk), "resident_id", "village_id", "sex", "hukou_class", Value(day)
        )
    )
    statement, values = new.query.sql_with_params()
    columns = ("township_id", "resident_id", "village_id", "sex", "hukou_class", "since")
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{LedgerMember._meta.db_table}" ({names}) {statement}', values)
        added = cursor.rowcount
    bulk.analyze(LedgerMember, rows=added)


def _keep_entries(lock: LedgerLock, span: Span, previous: LedgerLock | None) -> None:
    """Every record that a column but opening and closing counted, with what its list said."""
    kept = ledger_locks.Books([lock.township], span, (), (previous,) if previous else ())
    for column in COLUMNS:
        if column in STATES:
            continue
        for records, to_row in ledger_lists.open_parts(column, "", kept):
            rows = (
                _entry(lock, column, record, to_row(record))
                for record in records.iterator(chunk_size=_BATCH)
            )
            while batch := list(islice(rows, _BATCH)):
                LedgerEntry.objects.bulk_create(batch)


def _entry(lock: LedgerLock, column: str, record: dict, row) -> LedgerEntry:
    return LedgerEntry(
        lock=lock, column=column, village_id=record.get("place") or record["village"],
        sex=record["sex"], hukou_class=record["hukou_class"],
        of_village=record.get("of_village", True), of_sex=record.get("of_sex", True),
        of_class=record.get("of_class", True), household_no=row.household_no, name=row.name,
        resident_key=row.resident_id, household_key=row.household_id, facts=row.facts,
    )  # fmt: skip


def _refuse_other_figures(lock: LedgerLock, sheet: sheets.Sheet) -> None:
    """What was kept is what the version says, also if somebody wrote while it was being kept."""
    kept: dict[str, int] = {}
    for column, keys, number in _kept(lock):
        for key in keys:
            code = code_of(column, key)
            kept[code] = kept.get(code, 0) + number
    figures = sheet.rows[0].figures
    codes = [code_of(column, key) for column in COLUMNS for key in CLASSES]
    if any(figures[code] != kept.get(code, 0) for code in codes):
        raise RuleViolation(CHANGED)


def _kept(lock: LedgerLock) -> Iterator[tuple[str, list[str], int]]:
    for column, day in (
        ("opening", eve(Span(lock.starts_on, lock.closes_on))),
        ("closing", lock.closes_on),
    ):
        members = LedgerMember.objects.counted_on(day).filter(township=lock.township)
        for sex, hukou, number in (
            members.order_by().values_list("sex", "hukou_class").annotate(n=Count("pk"))
        ):
            yield column, ["all", SEX_KEYS[sex], CLASS_KEYS[hukou]], number
    flags = ("of_village", "of_sex", "of_class")
    groups = lock.entries.order_by().values_list("column", "sex", "hukou_class", *flags)
    for column, sex, hukou, *counts, number in groups.annotate(n=Count("pk")):
        keys = ["all", SEX_KEYS[sex], CLASS_KEYS[hukou]]
        yield column, [k for k, counted in zip(keys, counts, strict=True) if counted], number
