"""Making a version of a return, and everything that takes figures or names out of the house.

Files are made outside a transaction: SQLite has one writer, who would wait for them.
"""

from collections.abc import Callable, Iterable
from datetime import date

from django.db import transaction
from django.utils import timezone

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from fpadmin.exports.rules import over_limit
from fpadmin.exports.selectors import taken_on
from fpadmin.reporting import rendering, sheets
from fpadmin.reporting.models import ReturnVersion
from fpadmin.reporting.registry import ListRows

EVENT_TYPES = {
    "return.made": "生成报表",
    "return.downloaded": "下载报表",
    "figure.opened": "打开限制查看的名单",
    "figure.exported": "导出数字的名单",
    "figures.computed": "命令计算指标",
    "figure.listed": "命令列出名单",
}
CHANGE_LABELS = {
    "return": "报表",
    "format": "格式",
    "figure": "指标",
    "figures": "指标",
    "span": "期间",
}


def make_return(
    *,
    code: str,
    region: Region,
    period: str,
    by,
    today: date,
    before_commit: Callable[[], None] = lambda: None,
) -> tuple[ReturnVersion, bool]:
    """The newest version of the return and whether it is a new one.

    Equal figures make no new version, and neither does a period that is locked: its version stands.
    Refuses an unknown return, a period of another cycle and one that hasn't begun. `before_commit`
    runs last inside the transaction.
    """
    report = sheets.find_return(code)
    span = sheets.period_of(report, period)
    if span.start > today:
        raise RuleViolation(f"{span.label}还没有开始，不能生成报表。")
    content = sheets.to_json(sheets.build(report, region, span))
    digest = sheets.sha256_of(content)
    with transaction.atomic():
        # One maker of this region at a time, so that two of them don't take the same number.
        Region.objects.select_for_update(no_key=True).get(pk=region.pk)
        locked = report.frozen(region, span)
        newest = (
            ReturnVersion.objects.filter(code=report.code, region=region, period=span.code)
            .order_by("-version")
            .first()
        )
        if locked and locked.version:
            newest, is_new = locked.version, False
        else:
            is_new = newest is None or newest.sha256 != digest
        if is_new:
            newest = ReturnVersion.objects.create(
                code=report.code,
                region=region,
                period=span.code,
                version=newest.version + 1 if newest else 1,
                as_of=span.end,
                content=content,
                sha256=digest,
                made_by=by if hasattr(by, "pk") else None,
            )
        log.record(
            "return.made",
            by=by,
            target=newest,
            region_path=region.path,
            changes={"return": f"{report.code} {span.code}", "version": newest.version},
            result="ok" if is_new else "unchanged",
        )
        before_commit()
    return newest, is_new


def signature_of(version: ReturnVersion) -> rendering.Signature:
    """Who made the version, and on which day."""
    on = timezone.localtime(version.made_at).date()
    return rendering.Signature(version.made_by.name if version.made_by else "", on.isoformat())


def download_version(*, version: ReturnVersion, suffix: str, by) -> bytes:
    """The version as a file, recorded; a village's ratio of too few births is left out of it."""
    sheet = sheets.for_file(sheets.from_json(version.content))
    content = rendering.RENDERERS[suffix](sheet, signature_of(version))
    log.record(
        "return.downloaded",
        by=by,
        target=version,
        region_path=version.region.path,
        changes={"format": suffix},
    )
    return content


def export_people(*, title: str, meta: str, code: str, region: Region, rows: ListRows, by) -> bytes:
    """The records behind a figure as a workbook, recorded.

    Refused where it brings what `by` exported today over the limit of one person (S30): more needs
    a request, from a list.
    """
    with transaction.atomic():
        # Recording locks the trail, so that two requests of one person are summed up in turn.
        log.record(
            "figure.exported",
            by=by,
            target=region,
            region_path=region.path,
            changes={"figure": code},
            count=len(rows),
        )
        over = over_limit(taken_on(by, timezone.now()))
        if over:
            raise RuleViolation(f"{over}。更多的名单请在居民列表上申请导出，由另一人审批。")
    places = dict(Region.objects.within(region).values_list("code", "name"))
    return rendering.list_as_xlsx(title, meta, rows, places)


def record_opened(*, region: Region, code: str, rows: ListRows, span, by) -> None:
    """Note that somebody looked at the names behind a figure whose list few may open."""
    _record_names("figure.opened", region, code, rows, span, by)


def record_computed(*, region: Region, codes: Iterable[str], span, by) -> None:
    """Note that figures left by a command."""
    log.record(
        "figures.computed",
        by=by,
        target=region,
        region_path=region.path,
        changes={"span": f"{span.start}..{span.as_of}", "figures": ",".join(codes)},
    )


def record_listed(*, region: Region, code: str, rows: ListRows, span, by) -> None:
    """Note that the names behind a figure left by a command."""
    _record_names("figure.listed", region, code, rows, span, by)


def _record_names(type_: str, region: Region, code: str, rows: ListRows, span, by) -> None:
    log.record(
        type_,
        by=by,
        target=region,
        region_path=region.path,
        changes={"span": f"{span.start}..{span.as_of}", "figure": code},
        count=len(rows),
    )
