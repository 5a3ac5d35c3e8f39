"""payments --policy CODE --year Y --region CODE: what the rolls make payable for a year, as JSON."""

from django.core.management.base import CommandParser

from fpadmin.audit.log import SystemJob
from fpadmin.commands import JsonCommand, find_region
from fpadmin.errors import RuleViolation
from subsidies.payments.entitlement import payables
from subsidies.policies import catalogue
from subsidies.services import answers

JOB = SystemJob("payments")


class Command(JsonCommand):
    """[{"village_code", "household_no", "name", "months", "amount"}] of everybody on the roll who is paid.

    For the whole benefit year, before any batch; the name is of who is paid: of a couple or family
    the head. What is paid by the year counts twelve months, what is paid once counts one. Who cannot be
    paid because no rate is known is left out, and counted on stderr.
    """

    help = "What the rolls make payable for a year."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--policy", required=True, help="code of the catalogue, CN-RURAL")
        parser.add_argument("--year", required=True, type=int, help="benefit year, 2018")
        parser.add_argument("--region", help="code of the region")

    def answer(self, options):
        code, year = options["policy"], options["year"]
        if code not in catalogue.policies():
            known = "、".join(catalogue.policies())
            raise RuleViolation(f"没有代码为{code}的政策。现有：{known}。")
        if not 1980 <= year <= 2100:
            raise RuleViolation("年度请写成四位数，如2018。")
        region = find_region(options["region"])
        found = list(payables(code, region.path, year))
        unknown = sum(one.gross is None for one in found)
        if unknown:
            self.stderr.write(f"{unknown}人没有标准，未列出。")
        rows = [
            {
                "village_code": one.village_code,
                "household_no": one.household_no,
                "name": one.name,
                "months": one.month_count,
                "amount": float(one.gross),
            }
            for one in found
            if one.gross is not None
        ]
        answers.record_payable(by=JOB, region=region, count=len(rows))
        return rows
