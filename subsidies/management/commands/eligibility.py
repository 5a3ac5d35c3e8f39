"""eligibility --policy CODE --as-of DATE --region CODE: who qualifies, or why one person does, as JSON."""

from datetime import date

from django.core.management.base import CommandParser

from fpadmin.accounts.models import Region
from fpadmin.audit.log import SystemJob
from fpadmin.commands import JsonCommand, find_region, read_day
from fpadmin.errors import RuleViolation
from households.models import Household, Residency, Resident
from subsidies.eligibility.explaining import Case, explain
from subsidies.eligibility.finding import found
from subsidies.policies import catalogue
from subsidies.services import answers

JOB = SystemJob("eligibility")


class Command(JsonCommand):
    """[{"village_code", "household_no", "name"}] of everybody who qualifies, whether the policy is on or off.

    Facts that need a proof are left aside, so that those who have it to bring are in the list. With
    --explain one person's case: every criterion, whether it holds (null: needs a proof), the value.
    """

    help = "Who qualifies for a policy on a day, or why one person does."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--policy", required=True, help="code of the catalogue, CN-RURAL")
        parser.add_argument("--as-of", required=True, metavar="DATE", help="2018-12-31")
        parser.add_argument("--region", help="code of the region")
        parser.add_argument("--explain", metavar="VILLAGE/HOUSEHOLD/NAME", help="one person's case")

    def answer(self, options):
        code, day = _policy(options["policy"]), read_day(options["as_of"])
        if options["explain"]:
            region = find_region(options["region"]) if options["region"] else None
            person = _person(options["explain"], day, region)
            case = explain(person, code, day)
            answers.record_explained(by=JOB, resident=person)
            return _told(case)
        region = find_region(options["region"])
        people = _listed(found(code, day, region.path))
        answers.record_listed(by=JOB, region=region, count=len(people))
        return people


def _policy(code: str) -> str:
    if code not in catalogue.policies():
        known = "、".join(catalogue.policies())
        raise RuleViolation(f"没有代码为{code}的政策。现有：{known}。")
    return code


def _listed(units) -> list[dict]:
    """The units in order of village, household number and name, each named as the registry has it."""
    names = _by_key(Resident, [u.resident_id for u in units], "name")
    numbers = _by_key(Household, [u.household_id for u in units], "number")
    villages = _by_key(Region, {u.village_id for u in units}, "code")
    rows = [
        {
            "village_code": villages[u.village_id],
            "household_no": numbers[u.household_id],
            "name": names[u.resident_id],
        }
        for u in units
    ]
    return sorted(rows, key=lambda row: tuple(row.values()))


def _by_key(model, keys, column: str) -> dict[int, str]:
    keys, found_values = list(keys), {}
    for start in range(0, len(keys), 30_000):  # databases limit the parameters of a statement
        some = model.objects.filter(pk__in=keys[start : start + 30_000])
        found_values.update(some.order_by().values_list("pk", column))
    return found_values


def _person(text: str, day: date, region: Region | None) -> Resident:
    """The person of VILLAGE/HOUSEHOLD/NAME: as registered on the day, else as last registered there."""
    try:
        village, rest = text.split("/", 1)
        number, name = rest.rsplit("/", 1)
    except ValueError:
        raise RuleViolation("请写成 --explain 村居代码/户编号/姓名。") from None
    spells = Residency.objects.filter(
        village__code=village, household__number=number, resident__name=name
    )
    if region is not None:
        spells = spells.within(region)
    keys = set(spells.in_force_on(day).values_list("resident", flat=True)) or set(
        spells.values_list("resident", flat=True)
    )
    if not keys:
        raise RuleViolation(f"没有登记“{text}”这个人，请核对村居代码、户编号和姓名。")
    if len(keys) > 1:
        raise RuleViolation(f"“{text}”有{len(keys)}个同名的人，请先核对登记资料。")
    return Resident.objects.select_related("village").get(pk=keys.pop())


def _told(case: Case) -> dict:
    rule = case.rule
    return {
        "policy": rule.code,
        "name": case.resident.name,
        "through": case.through.name,
        "as_of": case.day.isoformat(),
        "qualifies": case.qualifies,
        "candidate": case.candidate,
        "version": rule.number,
        "document": rule.document,
        "criteria": [
            {"key": o.key, "text": o.text, "holds": o.holds, "value": o.value, "basis": o.basis}
            for o in case.criteria
        ],
    }
