"""平均工资: entered by counties or shipped, each with what a retiree of the year after gets."""

from dataclasses import dataclass
from decimal import Decimal

import django_tables2 as tables

from fpadmin.accounts.models import Region
from fpadmin.ui.tables import NOWRAP, NOWRAP_WIDE, WIDE, NameColumn, Table, TimeColumn
from fpadmin.ui.templatetags.ui import money, status_tag
from subsidies.models import AverageWage
from subsidies.oneoff.pensions import CODE
from subsidies.payments.wages import supplement
from subsidies.policies import catalogue

SHIPPED = "系统自带"
NUMERIC_WIDE = {"th": {"class": "fp-num"}, "td": {"class": "fp-num fp-wide"}}


@dataclass(frozen=True)
class Wage:
    """One wage. `row` None came with the product."""

    place: str
    year: int
    amount: Decimal
    document: str
    row: AverageWage | None = None

    @property
    def supplement(self) -> Decimal:
        """What somebody gets who retires in the year after."""
        return supplement(catalogue.policy(CODE), self.amount)


def wages_of(user) -> list[Wage]:
    """Entered for the user's region, above or below it, and shipped for its city; the newest first."""
    rows = AverageWage.objects.visible_to(user).select_related("region", "set_by")
    entered = [Wage(one.region.name, one.year, one.amount, one.document, one) for one in rows]
    known, code = catalogue.policy(CODE).wages, user.region.code
    mine = [key for key in known if code.startswith(key[0]) or key[0].startswith(code)]
    names = dict(Region.objects.filter(code__in=[c for c, _ in mine]).values_list("code", "name"))
    shipped = [Wage(names.get(c, c), year, known[c, year], SHIPPED) for c, year in mine]
    return sorted([*entered, *shipped], key=_order)


def _order(one: Wage):
    newest = one.row.pk if one.row else 0
    return -one.year, one.place, -newest


class WageTable(Table):
    """One wage a row."""

    year = NameColumn("年度")
    place = tables.Column("市或县（区）", attrs=NOWRAP)
    amount = tables.Column("年平均工资（元）", attrs=NUMERIC_WIDE)
    retired = tables.Column("次年退休每人（元）", accessor="supplement", attrs=NUMERIC_WIDE)
    document = tables.Column("依据文件", attrs=WIDE)
    state = tables.Column("状态", empty_values=(), attrs=NOWRAP)
    set_by = tables.Column("登记人", accessor="row__set_by__name", attrs=NOWRAP)
    set_at = TimeColumn("登记时间", accessor="row__set_at", attrs=NOWRAP_WIDE)

    class Meta:
        fields = ("year", "place", "amount", "retired", "document", "state", "set_by", "set_at")

    def render_year(self, value):
        return f"{value}年"

    def render_amount(self, value):
        return money(value)

    def render_retired(self, value):
        return money(value)

    def render_state(self, record):
        if record.row and record.row.cancelled_at:
            return status_tag("off", "已更正")
        return status_tag("ok", "执行")
