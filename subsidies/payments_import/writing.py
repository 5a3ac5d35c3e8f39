"""Writes past payments in bulk, and keeps the batches that hold them: one per office, policy and years."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from django.db.models import Count, DecimalField, F, Max, Q, Sum
from django.db.models.functions import Coalesce

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.crypto import encryptor
from fpadmin.imports.journal import Journal
from fpadmin.imports.undo import Dependent, Reversal
from fpadmin.scoping import below
from households.counting import upwards
from households.models import Household
from subsidies.models import BatchState, LineState, PaymentBatch, PaymentLine
from subsidies.payments.making import COLUMNS
from subsidies.payments.periods import benefit_months, last_day
from subsidies.payments.shares import FEN
from subsidies.payments_import.plan import ACCOUNT, NOTE, PAYEE, PaymentPlan
from subsidies.policies import catalogue
from subsidies.policies.book import policy_books


class Holder(NamedTuple):
    """Which batch of history a line stands in."""

    office: int
    code: str
    year: int
    pay_year: int


def write_payments(plan: PaymentPlan, journal: Journal) -> list[log.Entry]:
    """Everything the plan holds, in the caller's transaction; returns the entries of changed lines."""
    entries = _write_changed(plan, journal)
    if not plan.new:
        return entries
    holders = _holders(plan)
    batches = _batches(set(holders.values()))
    ids = bulk.reserve_ids(PaymentLine, len(plan.new))
    # Asked before: nothing can be asked while rows stream into the database.
    numbers = _last_numbers(batches.values())
    homes = {plan.person(index).household for index in plan.new}
    households = dict(bulk.lookup(Household, "id", homes, ["number"]))
    rows = _rows(plan, ids, holders, batches, numbers, households)
    bulk.insert(PaymentLine, COLUMNS, rows)
    journal.created(PaymentLine, ids)
    bulk.analyze(PaymentLine, rows=len(plan.new))
    recount(PaymentBatch.objects.filter(pk__in=batches.values()))
    return entries


def recount(batches) -> None:
    """Let batches of history say what they hold; those that hold nothing any more go."""
    counted = batches.filter(kind=PaymentBatch.Kind.HISTORY).annotate(
        lines_now=Count("lines"),
        sum_now=Coalesce(
            Sum("lines__amount"), 0, output_field=DecimalField(max_digits=14, decimal_places=2)
        ),
    )
    empty = []
    for batch in counted.order_by("pk"):
        whole = batch.sum_now.quantize(FEN)
        if not batch.lines_now:
            empty.append(batch.pk)
        elif (batch.count, batch.total) != (batch.lines_now, whole):
            PaymentBatch.objects.filter(pk=batch.pk).update(
                count=batch.lines_now, total=whole, row_version=F("row_version") + 1
            )
    PaymentBatch.objects.filter(pk__in=empty).delete()


def settle(reversal: Reversal) -> None:
    """After an import was taken back: batches of the office without its lines."""
    recount(PaymentBatch.objects.filter(below(reversal.batch.office.path, "office__path")))


def asked_back_since(reversal: Reversal) -> Iterator[Dependent]:
    """Lines that are being asked back, or came back, after they were imported."""
    for ours in reversal.created(PaymentLine):
        moved = PaymentLine.objects.filter(ours).exclude(state=LineState.PAID)
        for pk in moved.values_list("pk", flat=True):
            yield Dependent(PaymentLine, pk, "已办理追回")


def _holders(plan: PaymentPlan) -> dict[int, Holder]:
    """The batch of each new record: of the township that the person's village belongs to."""
    townships = dict(
        Region.objects.filter(
            Q(path__in=list(upwards(plan.ground.office.path))) | below(plan.ground.office.path),
            level=Region.Level.TOWNSHIP,
        ).values_list("path", "pk")
    )
    offices: dict[str, int] = {}
    found = {}
    for index in plan.new:
        path = plan.path(index)
        if path not in offices:
            offices[path] = next(townships[p] for p in upwards(path) if p in townships)
        found[index] = Holder(
            offices[path], plan.code(index), plan.year(index), plan.paid_on(index).year
        )
    return found


def _batches(wanted: set[Holder]) -> dict[Holder, int]:
    """The key of each batch; those that are missing are made."""
    offices = {holder.office for holder in wanted}
    history = PaymentBatch.objects.filter(kind=PaymentBatch.Kind.HISTORY, office__in=offices)
    for office, pay_year in sorted({(one.office, one.pay_year) for one in wanted}):
        bulk.one_at_a_time(f"payment-number-{office}-{pay_year}")
    found, last = {}, defaultdict(int)
    columns = ("office", "policy_code", "year", "pay_year", "pk", "number")
    for *holder, pk, number in history.values_list(*columns):
        found[Holder(*holder)] = pk
        key = holder[0], holder[3]
        last[key] = max(last[key], int(number.rsplit("-H", 1)[1]))
    missing = sorted(wanted - found.keys(), key=_by_catalogue)
    regions = Region.objects.in_bulk(offices)
    books = policy_books(
        {last_day(catalogue.policy(holder.code), holder.year) for holder in missing}
    )
    for holder in missing:
        key = holder.office, holder.pay_year
        last[key] += 1
        found[holder] = _made(holder, regions[holder.office], last[key], books).pk
    return {holder: found[holder] for holder in wanted}


def _by_catalogue(holder: Holder):
    return (
        holder.office,
        holder.pay_year,
        list(catalogue.policies()).index(holder.code),
        holder.year,
    )


def _made(holder: Holder, office: Region, number: int, books: Mapping) -> PaymentBatch:
    policy = catalogue.policy(holder.code)
    months = benefit_months(policy, holder.year)
    rule = books[last_day(policy, holder.year)].rule(holder.code, office.path)
    return PaymentBatch.objects.create(
        number=f"{office.code}-{holder.pay_year}-H{number:02d}", office=office,
        policy_code=holder.code, kind=PaymentBatch.Kind.HISTORY, year=holder.year,
        from_month=months[0], to_month=months[-1], pay_year=holder.pay_year,
        state=BatchState.CLOSED, version=rule.version,
        shares={payer: str(part) for payer, part in rule.shares.items()},
    )  # fmt: skip


def _rows(
    plan: PaymentPlan,
    ids: list[int],
    holders: Mapping[int, Holder],
    batches: Mapping[Holder, int],
    numbers: dict[int, int],
    households: Mapping[int, str],
) -> Iterator[tuple]:
    """The rows, numbered on from the last of each batch; households are known by number."""
    seal = encryptor(PaymentLine._meta.get_field("account").context())
    for pk, index in zip(ids, plan.new, strict=True):
        person, amount = plan.person(index), plan.amount(index)
        batch, code = batches[holders[index]], plan.code(index)
        numbers[batch] += 1
        account = plan.cell(ACCOUNT, index)
        *_, slot = plan.slot(index)
        yield (
            pk, batch, numbers[batch], LineState.PAID, True, PaymentLine.Kind.CURRENT, code, slot,
            plan.year(index), plan.bits[index], plan.month_count(index), None, person.pk,
            person.village, households[person.household], plan.grade(index),
            plan.cell(PAYEE, index) or person.name, "", seal(account) if account else "",
            plan.accounts[index], amount, 0, amount, _basis(plan.cell(NOTE, index) or ""), "", None,
            plan.paid_on(index), "", None, None, None, None, None,
        )  # fmt: skip


def _last_numbers(batches: Iterable[int]) -> dict[int, int]:
    rows = PaymentLine.objects.filter(batch__in=list(batches)).order_by()
    counted = rows.values("batch").annotate(last=Max("line_no")).values_list("batch", "last")
    return defaultdict(int, counted)


def _basis(note: str) -> str:
    """As lines of batches have it: nothing is known of rates, only what the file says."""
    basis = {"version": None, "rates": [], "months": [], "note": note}
    return json.dumps(basis, ensure_ascii=False)


def _write_changed(plan: PaymentPlan, journal: Journal) -> list[log.Entry]:
    """Days that are corrected; what was paid to whom stays."""
    lines = {index: plan.known[index] for index in plan.changed}
    journal.changed(
        PaymentLine,
        [
            (line.pk, None, {"paid_on": [line.paid_on, plan.paid_on(index)]})
            for index, line in lines.items()
        ],
    )
    bulk.update(
        PaymentLine, ("paid_on",), [(line.pk, plan.paid_on(index)) for index, line in lines.items()]
    )
    return [
        log.Entry(
            "payment.imported", "subsidies.paymentline", str(line.pk), plan.path(index),
            {"fields": ["paid_on"]},
        )
        for index, line in lines.items()
    ]  # fmt: skip
