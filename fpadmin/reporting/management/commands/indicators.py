"""indicators --region CODE --as-of DATE: the figures of a region, or the people behind one, as JSON."""

from django.core.management.base import CommandParser

from fpadmin.accounts.models import Region
from fpadmin.audit.log import SystemJob
from fpadmin.commands import JsonCommand, find_region, read_day
from fpadmin.dates import statistical_year_start
from fpadmin.errors import RuleViolation
from fpadmin.reporting import services
from fpadmin.reporting.registry import GROUPS, Span

JOB = SystemJob("indicators")


class Command(JsonCommand):
    """{region code: {indicator: number or null}}; with --list the records that one figure counted."""

    help = "Indicators of a region as of a day, from the first day of its statistical year."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--region", required=True, help="code of the region")
        parser.add_argument("--as-of", required=True, metavar="DATE", help="last day, 2018-09-30")
        parser.add_argument("--from", dest="start", metavar="DATE", help="first day of the period")
        parser.add_argument(
            "--children", action="store_true", help="also each region directly below"
        )
        parser.add_argument("--codes", help="only these indicators, separated by commas")
        parser.add_argument("--list", metavar="CODE", help="the records counted by this indicator")

    def answer(self, options):
        region = find_region(options["region"])
        as_of = read_day(options["as_of"])
        start = read_day(options["start"]) if options["start"] else statistical_year_start(as_of)
        if start > as_of:
            raise RuleViolation(f"起始日期{start}晚于截止日期{as_of}。")
        span = Span(start, as_of)
        if options["list"]:
            return _listed(options["list"], region, span)
        return _computed(_codes(options["codes"]), region, span, options["children"])


def _codes(text: str | None) -> list[str]:
    known = [code for group in GROUPS.values() for code in group.codes]
    if not text:
        return known
    codes = [code.strip() for code in text.split(",") if code.strip()]
    _refuse_unknown(codes, known)
    return codes


def _refuse_unknown(codes: list[str], known: list[str]) -> None:
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise RuleViolation(f"没有指标“{'、'.join(unknown)}”。现有：{'、'.join(known)}。")


def _computed(codes: list[str], region: Region, span: Span, children: bool) -> dict:
    regions = [region, *(Region.objects.children_of(region) if children else [])]
    figures: dict[str, dict] = {r.code: {} for r in regions}
    for group in GROUPS.values():
        wanted = [code for code in group.codes if code in codes]
        if wanted:
            for code, row in group.compute(regions, span, wanted).items():
                figures[code] |= row
    services.record_computed(region=region, codes=codes, span=span, by=JOB)
    return figures


def _listed(code: str, region: Region, span: Span) -> list[dict]:
    groups = {code: group for group in GROUPS.values() for code in group.codes}
    _refuse_unknown([code], list(groups))
    rows = groups[code].people(code, region, span)
    services.record_listed(region=region, code=code, rows=rows, span=span, by=JOB)
    return [
        {"village_code": r.village_code, "household_no": r.household_no, "name": r.name}
        for r in rows
    ]
