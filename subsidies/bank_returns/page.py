"""What came back for one batch: by village, by reason, what is still out, and one line to be looked up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from django.db.models import Count, DecimalField, QuerySet, Sum

from fpadmin.ui.templatetags.ui import status_tag
from subsidies.bank_returns.lines import is_late
from subsidies.bank_returns.ways import OUTCOMES, WAITING
from subsidies.models import PAID_STATES, REISSUED_STATES, PaymentBatch, PaymentLine
from subsidies.notices.terms import changes
from subsidies.payments.line_list import TAGS, lines_url

_SUM = DecimalField(max_digits=16, decimal_places=2)
SHOWN = 50
PAID, FAILED, OUT = "paid", "failed", "out"
_GROUP = {
    **dict.fromkeys(PAID_STATES, PAID), **dict.fromkeys(REISSUED_STATES, FAILED),
    **dict.fromkeys(WAITING, OUT),
}  # fmt: skip


@dataclass
class Sums:
    """So many payments and their sum."""

    count: int = 0
    total: Decimal = Decimal(0)

    def add(self, count: int, total: Decimal) -> None:
        """Some more."""
        self.count += count
        self.total += total


def _three() -> dict[str, Sums]:
    return {PAID: Sums(), FAILED: Sums(), OUT: Sums()}


@dataclass
class Village:
    """One village's payments."""

    name: str
    url: str
    sums: dict[str, Sums] = field(default_factory=_three)


@dataclass(frozen=True)
class Answers:
    """All that the page shows of a batch."""

    whole: dict[str, Sums]
    villages: list[Village]
    reasons: list[tuple[str, Sums]]
    out: list[PaymentLine]
    failed: list[PaymentLine]
    is_late: bool
    can_mark: bool  # some that wait are not 结果不明 yet


def answers_of(batch: PaymentBatch, user, today: date) -> Answers:
    """In a fixed number of queries."""
    lines = PaymentLine.objects.visible_to(user).filter(batch=batch).order_by()
    whole, villages, reasons = _three(), {}, {}
    counted = lines.filter(state__in=_GROUP).values_list(
        "village__path", "village__name", "village", "state", "failed_reason"
    )
    for path, name, key, state, reason, count, total in counted.annotate(
        Count("pk"), Sum("amount", output_field=_SUM)
    ):
        group, total = _GROUP[state], total.quantize(Decimal("0.01"))
        village = villages.setdefault(path, Village(name, lines_url(batch, village=key)))
        whole[group].add(count, total)
        village.sums[group].add(count, total)
        if group == FAILED:
            reasons.setdefault(reason, Sums()).add(count, total)
    late = is_late(batch, today, changes())
    return Answers(
        whole=whole,
        villages=[villages[path] for path in sorted(villages)],
        reasons=sorted(reasons.items(), key=lambda one: (-one[1].count, one[0])),
        out=_first(lines.filter(state__in=WAITING)),
        failed=_first(lines.filter(state__in=REISSUED_STATES)),
        is_late=late,
        can_mark=late and lines.filter(state=WAITING[0]).exists(),
    )


def line_numbered(batch: PaymentBatch, user, number: str) -> PaymentLine | None:
    """The payment of that number, to type in what the bank said of it."""
    if not number.isdecimal() or len(number) > 7:
        return None
    lines = PaymentLine.objects.visible_to(user).filter(batch=batch, line_no=int(number))
    return lines.select_related("village").first()


def _first(lines: QuerySet) -> list[PaymentLine]:
    return list(lines.select_related("village").order_by("line_no")[:SHOWN])


def line_tag(line: PaymentLine):
    """Where the payment stands."""
    return status_tag(TAGS[line.state], line.get_state_display())


def with_tags(lines: Iterable[PaymentLine]) -> list[tuple]:
    """(line, tag, whether something may be typed in of it)."""
    return [(line, line_tag(line), line.state in OUTCOMES) for line in lines]
