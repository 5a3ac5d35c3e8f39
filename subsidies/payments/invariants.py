"""What must hold of payments and of the money behind them, to the fen.

Sums are made by the database and rounded before they are compared: SQLite adds binary fractions.
What was paid before this system (history) had neither money here nor signatures, and is left out
where these are asked for.
"""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import (
    Count,
    DecimalField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.expressions import Window
from django.db.models.functions import Coalesce, Concat, Lag
from django.utils import timezone

from fpadmin import crypto
from fpadmin.audit.models import AuditEvent
from fpadmin.invariants import Finding, register
from fpadmin.workdays import workdays_between
from subsidies.bank_files.kept import content_of
from subsidies.bank_files.writing import going
from subsidies.funds.sums import BALANCES, even, to_fen
from subsidies.models import (
    BATCH_TRANSITIONS,
    BOUND_BATCHES,
    ENTRY_KINDS,
    LIVE_STATES,
    BankFile,
    BatchState,
    Fund,
    FundEntry,
    LineState,
    PaymentBatch,
    PaymentLine,
    PaymentPersons,
    PaymentStep,
    RecoveryPart,
    arrived,
)
from subsidies.notices.terms import changes
from subsidies.payments.digest import agreed

BATCH, FUND = PaymentBatch._meta.label_lower, Fund._meta.label_lower
HISTORY = PaymentBatch.Kind.HISTORY
WAITING = (LineState.INSTRUCTED, LineState.UNKNOWN)
PATIENCE = 3  # working days for which the bank may leave open what became of a payment
FILED = ("sealed", "sent", "partly_returned", "reconciled", "closed")
# Which events of the audit trail go with a step; each step has one of its own.
STEP_EVENTS = {
    "create": ("payment.created", "payment.reissued"), "recalculate": ("payment.recalculated",),
    "submit": ("payment.submitted",), "return": ("payment.returned",),
    "check": ("payment.checked",), "approve": ("payment.approved",), "seal": ("payment.sealed",),
    "send": ("payment.sent",), "close": ("payment.closed",), "void": ("payment.voided",),
}  # fmt: skip
# The bank's answers bring these about; an answer that leads no further has its event too.
ANSWERS, ANSWERED = ("post", "reconcile"), "payment.answered"
STEPS = [">create>draft", "draft>recalculate>draft"] + [
    f"{before}>{action}>{after}"
    for before, actions in BATCH_TRANSITIONS.items()
    for action, after in actions.items()
]
Key = tuple[int, str, int]  # office, policy, year: a fund


def months_paid_twice(now: datetime) -> Iterator[Finding]:
    """Two lines, paid or on their way, that pay one person the same month of one policy."""
    live = PaymentLine.objects.filter(state__in=LIVE_STATES).order_by()
    both = ExpressionWrapper(
        F("months").bitand(ExpressionWrapper(OuterRef("months"), IntegerField())), IntegerField()
    )
    earlier = live.alias(both=both).filter(
        policy_code=OuterRef("policy_code"), beneficiary=OuterRef("beneficiary"),
        slot=OuterRef("slot"), pk__lt=OuterRef("pk"), both__gt=0,
    )  # fmt: skip
    yield from _lines(live.filter(Exists(earlier)), "和另一笔重复发放同一月份")


def payments_unlike_the_ledger(now: datetime) -> Iterator[Finding]:
    """What lines say was paid and came back, against what the funds say."""
    paid = _by_fund(
        PaymentLine.objects.filter(arrived()).exclude(batch__kind=HISTORY), "batch__", "amount"
    )
    # Of history too: what comes back of it is money of today.
    repaid = RecoveryPart.objects.filter(line__isnull=True, counts=True)
    back = _by_fund(repaid, "recovery__line__batch__", "amount")
    for key, fund, path in _funds({*paid, *back}):
        for words, name, sums in (("已发", "paid", paid), ("追回", "recovered", back)):
            kept, lines = to_fen(getattr(fund, name, None)), sums.get(key, Decimal(0))
            if kept != lines:
                pk = fund.pk if fund else ""
                text = f"资金台账{pk or '（没有）'}：{words}{kept}元，发放明细合计{lines}元"
                yield Finding(text, FUND if fund else "", pk, path)


def funds_out_of_balance(now: datetime) -> Iterator[Finding]:
    """Balances that are not what the movements come to, or what is promised to batches."""
    moved: dict[int, dict[str, Decimal]] = {}
    rows = FundEntry.objects.order_by().values_list("fund", "kind").annotate(whole=_whole("amount"))
    for fund, kind, whole in rows:
        own = moved.setdefault(fund, dict.fromkeys(BALANCES, Decimal(0)))
        for name, amount in _effect(kind, to_fen(whole)):
            own[name] += amount
    agreed = Q(batch__state__in=["approved", "sealed"], is_agreed=True)
    promised = _by_fund(
        PaymentLine.objects.filter(agreed | Q(state__in=WAITING)).exclude(batch__kind=HISTORY),
        "batch__", "amount",
    )  # fmt: skip
    for key, fund, path in _funds({*promised}):
        if fund is None:
            yield Finding(f"待发{promised[key]}元没有资金台账", region_path=path)
            continue
        own = moved.get(fund.pk, {})
        wrong = [n for n in BALANCES if to_fen(getattr(fund, n)) != own.get(n, Decimal(0))]
        if wrong:
            yield Finding(f"资金台账{fund.pk}的余额和流水不符", FUND, fund.pk, path)
        if not even(fund):
            yield Finding(
                f"资金台账{fund.pk}：到账不等于可用、待发、已发减追回", FUND, fund.pk, path
            )
        if to_fen(fund.reserved) != promised.get(key, Decimal(0)):
            text = f"资金台账{fund.pk}：待发{fund.reserved}元，批次占用{promised.get(key, 0)}元"
            yield Finding(text, FUND, fund.pk, path)


def lists_that_changed(now: datetime) -> Iterator[Finding]:
    """Batches whose count, sum or digest is no longer that of the lines that were submitted."""
    # Given up as a draft: it may have been sent back before, and its totals are of then.
    submitted = (
        _own_batches()
        .exclude(state=BatchState.DRAFT)
        .exclude(state=BatchState.VOID, submitted_by__isnull=True)
    )
    for batch in submitted.select_related("office").order_by("pk").iterator(chunk_size=200):
        if (batch.count, batch.total, batch.sha256) != tuple(agreed(batch)):
            yield _of(batch, "的笔数、金额或校验码和名单不符")


def bank_files_that_changed(now: datetime) -> Iterator[Finding]:
    """Stored files that are gone, are other bytes, or hold other lines than the batch's."""
    filed = _own_batches().filter(state__in=FILED, bank_file__isnull=True)
    for batch in filed.select_related("office").order_by("pk"):
        yield _of(batch, "已生成银行文件，但是没有文件")
    files = BankFile.objects.select_related("batch__office").order_by("pk")
    for bank_file in files.iterator(chunk_size=200):
        batch = bank_file.batch
        sums = going(batch).aggregate(number=Count("pk"), whole=_whole("amount"))
        if (bank_file.count, bank_file.total) != (sums["number"], to_fen(sums["whole"])):
            yield _of(batch, "的银行文件和名单的笔数或金额不符")
        try:
            size, sha256 = _bytes_of(bank_file)
        except (FileNotFoundError, crypto.DecryptionFailed):
            yield _of(batch, "的银行文件丢失或被改动")
            continue
        if (size, sha256) != (bank_file.size, bank_file.sha256):
            yield _of(batch, "的银行文件和登记的校验码不符")


def answers_missing(now: datetime) -> Iterator[Finding]:
    """Lines without an outcome in batches of which everything is said to have come out."""
    done = (BatchState.RECONCILED, BatchState.CLOSED)
    lines = PaymentLine.objects.filter(state__in=WAITING, batch__state__in=done)
    yield from _lines(lines, "没有结果，批次却已对平")


def answers_overdue(now: datetime) -> Iterator[Finding]:
    """Lines of which the bank has not known for more than three working days what became of them."""
    since = Coalesce("answered_at", "batch__sent_at")
    cut = _begin_of(_last_patient_day(timezone.localtime(now).date()))
    lines = PaymentLine.objects.filter(state=LineState.UNKNOWN).alias(since=since)
    yield from _lines(lines.filter(since__lt=cut), f"结果不明超过{PATIENCE}个工作日")


def too_few_people(now: datetime) -> Iterator[Finding]:
    """Money promised or gone without three different people, or two where the county set two."""
    made = Q(checked_by=F("made_by")) | Q(checked_by=F("submitted_by"))
    approved = Q(approved_by=F("made_by")) | Q(approved_by=F("submitted_by"))
    nobody = Q()
    for name in ("made_by", "submitted_by", "checked_by", "approved_by"):
        nobody |= Q(**{f"{name}__isnull": True})
    same = Q(persons=3, approved_by=F("checked_by"))
    bound = _own_batches().filter(state__in=BOUND_BATCHES)
    for batch in bound.filter(made | approved | nobody | same).select_related("office"):
        yield _of(batch, "没有由足够的不同的人办理")
    yield from _two_without_a_rule(bound.filter(persons=2))


def steps_with_gaps(now: datetime) -> Iterator[Finding]:
    """Batches whose steps don't lead from the draft to where they stand, or lack their events."""
    steps = PaymentStep.objects.exclude(batch__kind=HISTORY)
    unknown = steps.alias(
        way=Concat("from_state", Value(">"), "action", Value(">"), "to_state")
    ).exclude(way__in=STEPS)
    before = Window(Lag("to_state", default=Value("")), partition_by="batch", order_by="pk")
    gaps = steps.annotate(before=before).exclude(from_state=F("before"))
    broken = {*unknown.values_list("batch", flat=True), *gaps.values_list("batch", flat=True)}
    newest = PaymentStep.objects.filter(batch=OuterRef("pk")).order_by("-pk").values("to_state")
    ends = _own_batches().alias(end=Coalesce(Subquery(newest[:1]), Value("")))
    broken |= {*ends.exclude(state=F("end")).values_list("pk", flat=True)}
    wrong = {pk: "的办理步骤不连贯" for pk in sorted(broken)}
    for pk in _without_events():
        wrong.setdefault(pk, "的办理步骤和审计记录不符")
    batches = PaymentBatch.objects.select_related("office").in_bulk(list(wrong))
    for pk, words in wrong.items():
        yield _of(batches[pk], words)


def _two_without_a_rule(batches: QuerySet) -> Iterator[Finding]:
    """Two people, though no rule said so by the day on which the lines were last made."""
    two = PaymentPersons.objects.filter(persons=2, cancelled_at__isnull=True)
    rules = list(two.values_list("region__path", "from_on"))
    made = PaymentStep.objects.filter(
        batch=OuterRef("pk"), action__in=["create", "recalculate"]
    ).order_by("-pk")
    rows = batches.select_related("office").annotate(lines_at=Subquery(made.values("at")[:1]))
    for batch in rows:
        day = timezone.localtime(batch.lines_at or batch.made_at).date()
        if not any(batch.office.path.startswith(path) and on <= day for path, on in rules):
            yield _of(batch, "按两人办理，但是没有这样的规定")


def _without_events() -> list[int]:
    """Batches with steps that no event tells of, or events that no step belongs to."""
    taken: dict[tuple[str, str], int] = {}
    rows = PaymentStep.objects.exclude(batch__kind=HISTORY).order_by()
    for pk, action, number in rows.values_list("batch", "action").annotate(number=Count("pk")):
        name = "answer" if action in ANSWERS else action
        taken[str(pk), name] = taken.get((str(pk), name), 0) + number
    name_of = {event: name for name, events in STEP_EVENTS.items() for event in events}
    name_of[ANSWERED] = "answer"
    told: dict[tuple[str, str], int] = {}
    events = AuditEvent.objects.filter(target_type=BATCH, type__in=name_of, result="ok").order_by()
    for pk, event, number in events.values_list("target_id", "type").annotate(number=Count("pk")):
        told[pk, name_of[event]] = told.get((pk, name_of[event]), 0) + number
    wrong = {
        int(pk)
        for pk, name in {*taken, *told}
        if not _told(name, taken.get((pk, name), 0), told.get((pk, name), 0))
    }
    return sorted({*_own_batches().filter(pk__in=wrong).values_list("pk", flat=True)})


def _told(name: str, steps: int, events: int) -> bool:
    """Every answer is told of, also one that the batch had to take no step for."""
    return events >= steps if name == "answer" else events == steps


def _own_batches() -> QuerySet:
    return PaymentBatch.objects.exclude(kind=HISTORY)


def _whole(name: str) -> Sum:
    return Sum(name, output_field=DecimalField())


def _effect(kind: str, amount: Decimal) -> Iterator[tuple[str, Decimal]]:
    """What a movement of that kind does to the balances."""
    _, source, target = ENTRY_KINDS[kind]
    for account, sign in ((source, -1), (target, 1)):
        if account == "source":
            yield "allotted", -sign * amount
        else:
            yield account, (-sign if account == "recovered" else sign) * amount


def _by_fund(rows: QuerySet, batch: str, column: str) -> dict[Key, Decimal]:
    """{office, policy, year: the sum of the column}, `batch` being the way to the rows' batch."""
    names = [f"{batch}{name}" for name in ("office", "policy_code", "pay_year")]
    sums = rows.order_by().values_list(*names).annotate(whole=_whole(column))
    return {(office, code, year): to_fen(whole) for office, code, year, whole in sums}


def _funds(asked: set[Key]) -> Iterator[tuple[Key, Fund | None, str]]:
    """Every fund with its key and place, and each key asked for that has none."""
    for fund in Fund.objects.select_related("office").order_by("pk").iterator(chunk_size=500):
        key = (fund.office_id, fund.policy_code, fund.year)
        asked.discard(key)
        yield key, fund, fund.office.path
    for key in sorted(asked):
        offices = PaymentBatch.objects.filter(office=key[0]).values_list("office__path", flat=True)
        yield key, None, offices.first() or ""


def _bytes_of(bank_file: BankFile) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    for part in content_of(bank_file):
        size += len(part)
        digest.update(part)
    return size, digest.hexdigest()


def _last_patient_day(today: date) -> date:
    """The earliest day after which no more than PATIENCE working days have gone by."""
    day, changed = today, changes()
    while workdays_between(day - timedelta(days=1), today, changed) <= PATIENCE:
        day -= timedelta(days=1)
    return day


def _begin_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def _of(batch: PaymentBatch, words: str) -> Finding:
    return Finding(f"发放批次{batch.number}{words}", BATCH, batch.pk, batch.office.path)


def _lines(lines: QuerySet, words: str) -> Iterator[Finding]:
    """Lines by the number of their batch and their own, at the batch."""
    columns = ("batch", "batch__number", "line_no", "batch__office__path")
    rows = lines.order_by("batch", "line_no").values_list(*columns)
    for pk, number, line_no, path in rows.iterator(chunk_size=500):
        yield Finding(f"发放批次{number}第{line_no}号{words}", BATCH, pk, path)


def load() -> None:
    """Register what must hold. Called once, by ready()."""
    pages = {BATCH: "subsidies:batch-detail", FUND: "subsidies:fund-detail"}
    stop = "请停止办理，联系技术支持核对：系统不会自己写出这样的数据。"
    register(
        "PAY1", "同一人同一政策的月份只发一次", months_paid_twice, pages=pages,
        advice="打开批次，把还没有送银行的一笔暂缓；已经发放的，提出追回。",
    )  # fmt: skip
    register(
        "PAY2", "已发和追回与发放明细一分不差", payments_unlike_the_ledger, pages=pages, advice=stop
    )
    register("PAY3", "资金台账与流水和批次相符", funds_out_of_balance, pages=pages, advice=stop)
    register(
        "PAY4", "提交后的名单没有改变", lists_that_changed, pages=pages,
        advice="不要送银行。请联系技术支持，并告诉县级主管。",
    )  # fmt: skip
    register(
        "PAY5", "银行文件完好，与名单相符", bank_files_that_changed, pages=pages,
        advice="不要把下载的文件送银行。请联系技术支持重新生成。",
    )  # fmt: skip
    register("PAY6", "对平的批次每一笔都有结果", answers_missing, pages=pages, advice=stop)
    register(
        "PAY7", f"结果不明不超过{PATIENCE}个工作日", answers_overdue, pages=pages, warning=True,
        advice="请向银行查询这一笔，再导入回盘或者登记结果。",
    )  # fmt: skip
    register(
        "PAY8", "发放由不同的人经办、核对、批准", too_few_people, pages=pages,
        advice="请告诉县级主管和安全审计员，并停止送银行。",
    )  # fmt: skip
    register("PAY9", "批次的每一步都连贯，有审计记录", steps_with_gaps, pages=pages, advice=stop)
