"""Making a return in the background: what the job kind make-return does."""

import io

import openpyxl

from fpadmin import dates
from fpadmin.accounts.models import Region
from fpadmin.jobs.kinds import JobContext, JobFailed
from fpadmin.jobs.models import Job
from fpadmin.jobs.services import enqueue
from fpadmin.reporting import services, sheets
from fpadmin.reporting.models import ReturnVersion


def run(context: JobContext) -> dict:
    """Make params["return"] of params["region"] and params["period"], with its workbook as result.

    Safe to repeat: equal figures make no second version. Fails where the figures don't balance or
    the workbook cannot be opened again.
    """
    code, period = context.params["return"], context.params["period"]
    region = Region.objects.get(code=context.params["region"])
    context.progress(0, 2, "计算")
    version, is_new = services.make_return(
        code=code,
        region=region,
        period=period,
        by=context.by,
        today=dates.today(),
        before_commit=context.check_fence,
    )
    context.progress(1, 2, "写文件")
    sheet = sheets.from_json(version.content)
    content = services.download_version(version=version, suffix="xlsx", by=context.by)
    _check(sheet, content)
    context.attach(file_name(version, "xlsx"), content)
    context.progress(2, 2)
    return {"version": version.pk, "number": version.version, "new": is_new}


def start(*, code: str, region: Region, period: str, by, once: bool = False) -> Job:
    """Ask for such a run; the same return asked for twice is one open job."""
    report = sheets.find_return(code)
    label = sheets.period_of(report, period).label
    return enqueue(
        kind="make-return",
        params={"return": code, "region": region.code, "period": period},
        key=f"make-return:{code}:{region.code}:{period}:{getattr(by, 'pk', '')}",
        title=f"{region.name} {report.name} {label}",
        by=by,
        region=region,
        once=once,
    )


def file_name(version: ReturnVersion, suffix: str) -> str:
    """单位_表名_期间_版次."""
    name = version.content["name"]
    return f"{version.region.name}_{name}_{version.period}_第{version.version}版.{suffix}"


def _check(sheet: sheets.Sheet, content: bytes) -> None:
    wrong = [check.text for check in sheet.checks if check.level == "bad"]
    if wrong:
        raise JobFailed("审核没有通过：" + "；".join(wrong))
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True)
    if book.sheetnames != [sheet.name]:
        raise JobFailed("生成的文件打不开，请重试。")
