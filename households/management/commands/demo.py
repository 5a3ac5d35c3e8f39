"""Fills a database with invented people: see Command."""

import json
import sys

from fpadmin.accounts.models import Region
from fpadmin.audit.log import SystemJob
from fpadmin.commands import JsonArguments
from fpadmin.dates import today
from fpadmin.errors import RuleViolation
from fpadmin.scoping import below
from households.demo import loading, places, township
from households.demo.accounts import make_accounts
from households.demo.special import link_propagandist
from households.demo.steps import Demonstration, run_all
from households.models import Resident

JOB = SystemJob("演示数据")
CITY_PATH = f"{places.PROVINCE}.{places.CITY}."
TOWNSHIP_VILLAGE = "539981001201"


class Command(JsonArguments):
    """The township of lubiao-2018, or with --residents an invented one (or county) of any size.

    A second run changes nothing and says so. Refuses a database that holds real residents, and to
    mix the two demonstrations. Accounts are made only where FPADMIN_DEMO=True. Exit 1 on refusal.
    """

    help = "生成演示数据：禄脿2018，或任意人数的虚构乡镇。"

    def add_arguments(self, parser):
        parser.add_argument("--residents", type=int, metavar="N", help="虚构N名居民")
        parser.add_argument("--seed", type=int, default=1, help="同样的种子生成同样的人")
        parser.add_argument("--json", action="store_true", help="标准输出只打印JSON")

    def handle(self, *, residents, seed, **options):
        self._as_json = options["json"]
        try:
            outcome = self._load(residents, seed)
        except (RuleViolation, ValueError) as error:
            self._print({"error": str(error)}, [str(error)])
            sys.exit(1)
        lines = outcome.pop("lines")
        self._print(outcome, lines)

    def _load(self, residents: int | None, seed: int) -> dict:
        invented = residents is not None
        self._refuse_other_residents(invented)
        outcome = self._invent(residents, seed) if invented else self._township()
        village = Region.objects.get(code=outcome["village"])
        try:
            outcome["accounts"] = make_accounts(village=village, by=JOB)
            accounts = f"演示账号：新建{len(outcome['accounts'])}个"
            link_propagandist(village=village, by=JOB)
        except RuleViolation as refusal:
            outcome["accounts"], accounts = [], refusal.message
        # After the accounts, in whose names some of the steps are taken.
        steps = run_all(Demonstration(village, today(), invented), by=JOB)
        outcome["lines"] += [*steps, accounts]
        return outcome

    def _refuse_other_residents(self, invented: bool) -> None:
        """Real residents, or those of the other demonstration, are not mixed with invented ones."""
        lubiao = below(f"{CITY_PATH}{places.LUBIAO_COUNTY}.", "village__path")
        if Resident.objects.exclude(below(CITY_PATH, "village__path")).exists():
            raise RuleViolation(
                "数据库里已有单位的居民登记，不能再生成演示数据。请换一个空的数据库。"
            )
        demo = Resident.objects.filter(lubiao) if invented else Resident.objects.exclude(lubiao)
        if demo.exists():
            raise RuleViolation("数据库里已有另一套演示数据，不能混在一起。请换一个空的数据库。")

    def _township(self) -> dict:
        loaded = township.load(today=today(), by=JOB, progress=self._progress)
        lines = [
            f"{item.kind}：{item.rows}行，早已导入，没有改动"
            if item.already
            else f"{item.kind}：{item.rows}行，新增{item.created}，更新{item.updated}"
            for item in loaded
        ]
        kinds = {item.kind: {"rows": item.rows, "created": item.created} for item in loaded}
        return {"village": TOWNSHIP_VILLAGE, "kinds": kinds, "lines": lines}

    def _invent(self, residents: int, seed: int) -> dict:
        here = Resident.objects.count()
        if here:
            first = Region.objects.filter(below(CITY_PATH), level=Region.Level.VILLAGE).order_by(
                "code"
            )[0]
            line = f"已有{here}名演示居民，没有改动"
            return {"village": first.code, "residents": 0, "lines": [line]}
        plan = list(places.plan(residents))
        counts = loading.load(
            plan,
            seed=seed,
            today=today(),
            by=JOB,
            progress=lambda done, total: self._progress("虚构居民", done, total),
        )
        first = next(place for place in plan if place.people)
        line = "，".join(
            (
                f"区划{counts['regions']}个", f"家庭{counts['households']}户",
                f"居民{counts['residents']}人", f"生育{counts['births']}条",
                f"特殊家庭档案{counts['archives']}份",
            )
        )  # fmt: skip
        return {"village": first.code, **counts, "lines": [line]}

    def _progress(self, step: str, done: int, total: int) -> None:
        share = f" {done}/{total}" if total else ""
        self.stderr.write(f"{step}{share}")

    def _print(self, outcome: dict, lines: list[str]) -> None:
        if self._as_json:
            self.stdout.write(json.dumps(outcome, ensure_ascii=False))
            return
        for line in lines:
            self.stdout.write(line)
