"""What the page of one batch shows: its steps, figures, exceptions, payers and villages."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, DecimalField, Exists, OuterRef, Q, QuerySet, Sum
from django.urls import reverse
from django.utils.timezone import localdate, localtime

from fpadmin.accounts.permissions import Permission
from fpadmin.money import capital_yuan
from fpadmin.ui.templatetags.ui import money, number
from subsidies.bank_returns import desk
from subsidies.models import (
    OPEN_BATCHES,
    REISSUED_STATES,
    SENT_BATCHES,
    BatchState,
    Fund,
    LineState,
    PaymentBatch,
    PaymentLine,
    PaymentStep,
    Recovery,
    reissued,
)
from subsidies.payments.changes import short_day, with_changes
from subsidies.payments.counted import COUNTED, FAILED
from subsidies.payments.line_list import act_of, lines_url, reason_words
from subsidies.payments.shares import FEN, split
from subsidies.payments.turns import ACTIONS, waiting_words

_SUM = DecimalField(max_digits=16, decimal_places=2)
# How many exceptions and held lines stand on the page; all are one link away.
SHOWN = 50
SHORT_DIGEST = 12
# Of a line that came to nothing: it waits until it is paid again.
_STATE = BatchState
ACT_WORDS = {
    "hold": "暂缓", "release": "恢复", "recover": "追回", "look": "核实", "mend": "更正",
    "answer": "登记结果",
}  # fmt: skip
ACT_ROUTES = {
    "hold": "line-hold", "release": "line-release", "recover": "recovery-create",
    "answer": "line-answer",
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One step for _components/steps.html."""

    label: str
    note: str
    state: str


@dataclass(frozen=True)
class Sums:
    """So many lines, and their sum."""

    count: int = 0
    total: Decimal = Decimal(0)

    @property
    def in_words(self) -> str:
        """The sum as 大写."""
        return capital_yuan(self.total)


@dataclass(frozen=True)
class Figure:
    """A key figure of the batch: value and unit, how many lines, what is said of it, what it links to."""

    label: str
    value: str
    unit: str
    hint: str
    icon: str = ""
    css: str = ""
    count: int | None = None
    url: str = ""


@dataclass(frozen=True)
class Village:
    """One village's lines in the list."""

    name: str
    sums: Sums
    url: str
    shares: dict[str, Decimal]


@dataclass(frozen=True)
class Payer:
    """Who bears how much of it."""

    name: str
    percent: str
    amount: Decimal


@dataclass(frozen=True)
class Troubled:
    """A line to look at and why; `act`, a key of ACT_WORDS or "", is what is to be done."""

    line: PaymentLine
    reason: str
    is_bad: bool
    act: str

    @property
    def word(self) -> str:
        """The button."""
        return ACT_WORDS[self.act]

    @property
    def url(self) -> str:
        """Where it leads: an account and a record are mended on the person's own page."""
        if self.act in ("look", "mend"):
            return reverse("households:resident-detail", args=[self.line.beneficiary_id])
        return reverse(f"subsidies:{ACT_ROUTES[self.act]}", args=[self.line.pk])


@dataclass(frozen=True)
class Parts:
    """The list village by village, and who pays: both add to the same sum, to the fen."""

    villages: list[Village]
    payers: list[Payer]
    whole: Sums


def listed(batch: PaymentBatch) -> QuerySet:
    """The lines that the batch is about: those submitted, in the draft those that go on."""
    return batch.lines.filter(COUNTED["listed"][1])


def sums_of(batch: PaymentBatch) -> dict[str, Sums]:
    """Of what is listed, held, arrived, failed and not paid again, in one query."""
    kinds = {key: which for key, (_, which) in COUNTED.items()} | {
        "failed": FAILED,
        "out": Q(state__in=[LineState.INSTRUCTED, LineState.UNKNOWN]),
    }
    counted = batch.lines.order_by().aggregate(
        **{f"n_{key}": Count("pk", filter=one) for key, one in kinds.items()},
        **{
            f"sum_{key}": Sum(
                "deduction" if key == "cut" else "amount", filter=one, output_field=_SUM
            )
            for key, one in kinds.items()
        },
    )
    return {
        key: Sums(counted[f"n_{key}"], (counted[f"sum_{key}"] or Decimal(0)).quantize(FEN))
        for key in kinds
    }


def whole_of(batch: PaymentBatch, sums: dict[str, Sums]) -> Sums:
    """What the batch comes to: as agreed, in the draft what goes on."""
    if batch.kind == PaymentBatch.Kind.HISTORY or (batch.state != _STATE.DRAFT and batch.sha256):
        return Sums(batch.count, batch.total)
    return sums["planned"]


def parts_of(batch: PaymentBatch) -> Parts:
    """Each village's sum is split among the payers, and these are added up."""
    shares = {payer: Decimal(part) for payer, part in batch.shares.items()}
    rows = (
        listed(batch)
        .order_by("village__path")
        .values_list("village", "village__name")
        .annotate(n=Count("pk"), total=Sum("amount", output_field=_SUM))
    )
    villages = []
    for pk, name, count, total in rows:
        sums = Sums(count, (total or Decimal(0)).quantize(FEN))
        villages.append(
            Village(
                name,
                sums,
                lines_url(batch, village=pk, counted="listed"),
                split(sums.total, shares),
            )
        )
    payers = list(villages[0].shares) if villages else list(shares)
    by_payer = {payer: sum((one.shares[payer] for one in villages), Decimal(0)) for payer in payers}
    return Parts(
        villages,
        [Payer(payer, _percent(shares, payer), amount) for payer, amount in by_payer.items()],
        Sums(
            sum(one.sums.count for one in villages),
            sum((one.sums.total for one in villages), Decimal(0)),
        ),
    )


def figures_of(batch: PaymentBatch, sums: dict[str, Sums], fund: Fund | None) -> list[Figure]:
    """The four figures of where the batch stands."""
    whole = whole_of(batch, sums)
    if batch.state in OPEN_BATCHES:
        return [
            _money("拟发金额", whole, lines_url(batch, counted="listed"), prefix="人民币"),
            _free(whole, fund),
            _money("暂缓", sums["held"], lines_url(batch, counted="held")),
            _money("抵扣多发款", sums["cut"], lines_url(batch, counted="cut")),
        ]
    if batch.state in (_STATE.APPROVED, _STATE.SEALED):
        return [
            _money("批准金额", whole, lines_url(batch, counted="listed"), prefix="人民币"),
            _money("送银行的", sums["planned"], lines_url(batch, counted="planned")),
            _money("批准后暂缓", sums["held_later"], lines_url(batch, counted="held_later")),
            _money("抵扣多发款", sums["cut"], lines_url(batch, counted="cut")),
        ]
    waits = sums["waits"]
    if batch.kind == PaymentBatch.Kind.HISTORY:
        return [_money("发放金额", whole, lines_url(batch, counted="listed"), prefix="人民币")]
    return [
        _money("批准金额", whole, lines_url(batch, counted="listed"), prefix="人民币"),
        _money("已入账", sums["paid"], lines_url(batch, counted="paid"),
               icon="check-circle-fill", css="fp-ok-text"),
        _money("失败待补发", waits, lines_url(batch, counted="waits"),
               icon="exclamation-octagon-fill" if waits.count else "",
               css="fp-bad-text" if waits.count else ""),
        Figure("兑现率", *rate_words(sums["paid"].total, whole.total)),
    ]  # fmt: skip


def rate_words(paid: Decimal, whole: Decimal) -> tuple[str, str, str]:
    """兑现率: the figure, its sign, and both sums beside it."""
    if not whole:
        return number(None), "", "没有批准金额"
    return f"{paid / whole * 100:.2f}", "%", f"已入账{money(paid)}/批准{money(whole)}"


def steps_of(batch: PaymentBatch, sums: dict[str, Sums], today: date) -> list[Step]:
    """草稿 to 已结清, who took each and when; a batch that was given up ends where it was."""
    if batch.kind == PaymentBatch.Kind.HISTORY:
        return []
    sent = batch.state in SENT_BATCHES
    answered = _answer_words(batch, sums) if sent else ""
    answer_at = _answered_on(batch) if sent else None
    settled = batch.state == _STATE.CLOSED or (
        batch.state == _STATE.RECONCILED and not sums["waits"].count
    )
    rows = [
        ("草稿", batch.made_by, batch.made_at, batch.state != _STATE.DRAFT, ""),
        ("已核对", batch.checked_by, batch.checked_at, bool(batch.checked_at), ""),
        ("已批准", batch.approved_by, batch.approved_at, bool(batch.approved_at), ""),
        ("已送银行", batch.sent_by, batch.sent_at, bool(batch.sent_at), ""),
        ("已回盘", None, answer_at, settled, answered),
        ("已结清", batch.closed_by, batch.closed_at, bool(batch.closed_at), ""),
    ]
    current = next((place for place, row in enumerate(rows) if not row[3]), len(rows))
    steps = []
    for place, (label, who, at, _, words) in enumerate(rows):
        is_now = place == current and not batch.voided_at
        note = "　".join(filter(None, (_who_when(who, at, today), words)))
        state = "done" if place < current else "now" if is_now else ""
        steps.append(Step(label, note or (waiting_words(batch.state) if is_now else ""), state))
    return steps


def troubled(batch: PaymentBatch, user, today: date) -> tuple[list[Troubled], int]:
    """Failed lines that nobody paid again, unanswered ones, and those about which something changed."""
    lines = with_changes(PaymentLine.objects.filter(batch=batch), batch).annotate(
        is_again=reissued(),
        is_asked_back=Exists(Recovery.objects.filter(line=OuterRef("pk"))),
    )
    wanted = (
        Q(state__in=REISSUED_STATES, is_again=False)
        | Q(state=LineState.UNKNOWN)
        | (~Q(change="") & ~Q(state=LineState.HELD) & Q(is_asked_back=False))
    )
    found = lines.filter(wanted)
    shown = list(found.select_related("batch", "village").order_by("line_no")[:SHOWN])
    count = len(shown) if len(shown) < SHOWN else found.count()
    return [
        Troubled(
            line,
            reason_words(line, today) or line.get_state_display(),
            line.state in REISSUED_STATES,
            _act(line, user),
        )
        for line in shown
    ], count


def _act(line: PaymentLine, user) -> str:
    if line.state in REISSUED_STATES:
        return "mend"
    if user.may(Permission.PAYMENT_MAKE):
        if line.state == LineState.PAID:
            return "recover"
        if line.state == LineState.UNKNOWN:
            return "answer"
    return act_of(line, user) or "look"


def tell_url(batch: PaymentBatch, user, sums: dict[str, Sums]) -> str:
    """Where wrong accounts are handed to the villages, once lines have failed."""
    if not (sums["waits"].count and user.may(Permission.PAYMENT_MAKE)):
        return ""
    return reverse("subsidies:account-tell", args=[batch.pk])


def exceptions_of(batch: PaymentBatch, user) -> tuple[int, str]:
    """How many answers of the bank fit none of its payments and wait, and where they are listed."""
    count = desk.exceptions_for(user).open().filter(batch=batch).count()
    return count, desk.url_of(batch)


def held_lines(batch: PaymentBatch, user, today: date) -> list[Troubled]:
    """The lines that stay out, with the reason and what changed about them."""
    lines = with_changes(batch.lines.filter(state=LineState.HELD), batch)
    shown = lines.select_related("batch", "village").order_by("line_no")[:SHOWN]
    return [Troubled(line, reason_words(line, today), False, act_of(line, user)) for line in shown]


def changed_count(batch: PaymentBatch) -> int:
    """How many listed lines something changed about: a warning to whoever checks or approves."""
    return with_changes(listed(batch), batch).exclude(change="").count()


def fund_of(user, batch: PaymentBatch) -> Fund | None:
    """The money that the batch is paid from, where the user may see it and there is any."""
    return (
        Fund.objects.visible_to(user)
        .filter(office=batch.office, policy_code=batch.policy_code, year=batch.pay_year)
        .first()
    )


def last_return(batch: PaymentBatch) -> PaymentStep | None:
    """Why a draft came back, if it did since it was made or submitted last."""
    if batch.state != _STATE.DRAFT:
        return None
    last = batch.steps.exclude(action="recalculate").select_related("by").order_by("-pk").first()
    return last if last and last.action == "return" else None


def last_words(batch: PaymentBatch, today: date) -> str:
    """Who took the last step and when: 普光华已于10-09 10:02核对。"""
    step = batch.steps.select_related("by").order_by("-pk").first()
    if step is None:
        return ""
    at = localtime(step.at)
    who = step.by.name if step.by else "系统"
    done = ACTIONS.get(step.action, step.action)
    return f"{who}已于{short_day(at.date(), today)} {at:%H:%M}{done}，现在是“{batch.get_state_display()}”。"


def digest_words(batch: PaymentBatch) -> str:
    """The first signs of the list's digest, to be compared by two people."""
    return batch.sha256[:SHORT_DIGEST]


def _money(
    label: str, sums: Sums, url: str = "", *, prefix: str = "", icon: str = "", css: str = ""
) -> Figure:
    words = f"{prefix}{sums.in_words}" if sums.total else ""
    return Figure(
        label, money(sums.total), "元", words, icon, css, sums.count, url if sums.count else ""
    )


def _free(whole: Sums, fund: Fund | None) -> Figure:
    free = fund.free if fund else Decimal(0)
    url = reverse("subsidies:fund-detail", args=[fund.pk]) if fund else ""
    if free >= whole.total:
        return Figure("可用资金", money(free), "元", "够发这一批", url=url)
    return Figure(
        "可用资金", money(free), "元", f"还差{money(whole.total - free)}元，到账后才能批准",
        "exclamation-triangle-fill", "fp-warn-text", url=url,
    )  # fmt: skip


def _percent(shares: dict[str, Decimal], payer: str) -> str:
    part = shares.get(payer, Decimal(100)).normalize()
    return f"{part:f}%"


def _answered_on(batch: PaymentBatch):
    return batch.lines.order_by("-answered_at").exclude(answered_at=None).values_list(
        "answered_at", flat=True
    ).first()  # fmt: skip


def _answer_words(batch: PaymentBatch, sums: dict[str, Sums]) -> str:
    if sums["out"].count:
        return f"{sums['out'].count}笔还没有结果"
    return f"待补发{sums['waits'].count}笔" if sums["waits"].count else ""


def _who_when(who, at, today: date) -> str:
    if at is None:
        return ""
    return " ".join(filter(None, (who.name if who else "", short_day(localdate(at), today))))


@dataclass(frozen=True)
class Recorded:
    """One row of 办理记录."""

    at: datetime
    who: str
    what: str
    before: str
    after: str
    note: str


def record_of(batch: PaymentBatch) -> list[Recorded]:
    """The steps taken, newest first."""
    return [
        Recorded(
            step.at,
            step.by.name if step.by else "系统",
            ACTIONS.get(step.action, step.action),
            step.get_from_state_display() if step.from_state else "",
            step.get_to_state_display(),
            step.note,
        )
        for step in batch.steps.select_related("by").order_by("-pk")
    ]


def void_step(batch: PaymentBatch) -> PaymentStep | None:
    """Who gave it up, and why."""
    if batch.state != _STATE.VOID:
        return None
    return batch.steps.filter(action="void").select_related("by").order_by("-pk").first()
