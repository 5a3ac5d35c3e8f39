"""发放记录: what people were paid, on the pages of a person and a household, and in full on one page."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.ui.templatetags.ui import money, status_tag
from households import panels
from households.models import Resident
from households.panels import Panel, PanelRow
from subsidies.models import PAID_STATES, LineState, PaymentLine
from subsidies.models.payments import MONTHS
from subsidies.payments.periods import months_in, year_words
from subsidies.policies import catalogue

# Of so many years a panel tells; its link leads to all of them.
PANEL_YEARS = 2
TAGS = {
    LineState.PLANNED: "wait", LineState.HELD: "warn", LineState.INSTRUCTED: "run",
    LineState.PAID: "ok", LineState.FAILED: "bad", LineState.RETURNED: "bad",
    LineState.UNKNOWN: "warn", LineState.RECALL_ASKED: "warn", LineState.RECOVERED: "off",
}  # fmt: skip


@dataclass(frozen=True)
class Payment:
    """One line as pages show it."""

    line: PaymentLine

    @property
    def name(self) -> str:
        """What the policy is called."""
        return catalogue.name_of(self.line.policy_code)

    @property
    def year(self) -> str:
        """2018年度, with its months where it isn't the calendar's."""
        return year_words(self.line.policy, self.line.year)

    @property
    def months(self) -> str:
        """1月至6月, 全年, 一次性, or 补差 for the rest of months already paid."""
        return months_words(self.line)

    @property
    def tag(self):
        """Its state as the look shows it."""
        return status_tag(TAGS[self.line.state], self.line.get_state_display())

    @property
    def met_on(self) -> date | None:
        """When the person was seen about it."""
        return self.line.meeting.met_on if self.line.meeting else None


@dataclass(frozen=True)
class Year:
    """What came in one calendar year, and what is on its way; `paid` is the sum that arrived and stayed."""

    year: int
    payments: list[Payment]
    paid: Decimal


def months_words(line: PaymentLine) -> str:
    """Which months of its year a payment is for."""
    if line.months == 0:
        return "补差"
    policy = line.policy
    if policy.cycle == "once" or line.slot.startswith("once"):
        return "一次性"
    if line.month_count == MONTHS or policy.cycle != "month":
        return "全年" if line.month_count == MONTHS else f"{line.month_count}个月"
    found = list(months_in(policy, line.year, line.months))
    first, last = found[0], found[-1]
    if len(found) == 1:
        return f"{first.month}月"
    whole = (last.year - first.year) * MONTHS + last.month - first.month + 1 == len(found)
    if whole:
        return f"{first.month}月至{last.month}月"
    return "、".join(f"{month.month}月" for month in found)


def payments_of(user, resident_ids: Collection[int]) -> list[Year]:
    """What these people were, are being or failed to be paid, as far as `user` may know; latest first.

    By the year that counts it. Drafts, and what was called off, are nobody's payment yet.
    """
    lines = (
        PaymentLine.objects.visible_to(user)
        .filter(beneficiary__in=list(resident_ids))
        .exclude(state=LineState.VOID)
        .exclude(batch__state__in=["draft", "void"])
        .select_related("batch", "beneficiary", "meeting")
        .order_by("-batch__pay_year", "-year", "-paid_on", "-pk")
    )
    years: dict[int, list[PaymentLine]] = defaultdict(list)
    for line in lines:
        years[line.batch.pay_year].append(line)
    return [Year(year, [Payment(one) for one in own], _sum(own)) for year, own in years.items()]


def rows(user, people: Sequence[Resident], day: date) -> list[PanelRow]:
    """The panel: for each of the last years the sum, then each payment."""
    names = {one.pk: one.name for one in people} if len(people) > 1 else {}
    found = []
    for year in payments_of(user, [one.pk for one in people])[:PANEL_YEARS]:
        found.append(PanelRow(f"{year.year}年已入账　{money(year.paid)}元"))
        found += [_row(names, one) for one in year.payments]
    return found


def _row(names: dict[int, str], one: Payment) -> PanelRow:
    line = one.line
    words = [
        names.get(line.beneficiary_id, ""),
        f"{one.year}{one.months}",
        f"{line.paid_on}入账" if line.paid_on else "",
        f"{one.met_on}见面" if one.met_on else "",
    ]
    return PanelRow(
        f"{one.name}　{money(line.amount)}元",
        "　".join(filter(None, words)),
        TAGS[line.state],
        line.get_state_display(),
    )


def _sum(lines: list[PaymentLine]) -> Decimal:
    """What arrived and was not taken back."""
    kept = [one.amount for one in lines if one.state in PAID_STATES and one.state != "recovered"]
    return sum(kept, Decimal("0.00"))


def load() -> None:
    """Register the panel. Called once, by ready()."""
    panels.register(
        Panel(
            key="payments",
            label="发放记录",
            link_label="全部发放",
            url_for=lambda one: reverse("subsidies:payment-person", args=[one.pk]),
            permission=Permission.BENEFIT_VIEW,
            rows=rows,
            empty="没有发放记录",
        )
    )
