"""A batch of 50,000 lines from its making to the bank's file, beside COPY of its rows and bare XlsxWriter.

The township is invented as the demonstration is, all of it one township; whoever is on the roll has an
account. The steps are the product's own services by three people, and the job as a worker runs it.
"""

import resource as rusage
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile

import xlsxwriter
from django.db import connection, transaction
from django.utils import timezone

from fpadmin import bulk
from fpadmin.accounts.models import Region
from fpadmin.crypto import digest, encryptor
from fpadmin.jobs import runner
from households.models import Resident
from subsidies.bank_files.layouts import SHIPPED
from subsidies.models import BankFile, Enrolment, PaymentBatch, PaymentLine
from subsidies.services import bank_files, funds, payments
from tests.bench.child import TODAY
from tests.factories.accounts import make_user
from tests.factories.benefits import switch_on

LINES = 50_000
CODE, YEAR = "CN-RURAL", 2018


def payees() -> dict:
    """Puts the first LINES people on the roll, each with an account."""
    started = time.perf_counter()
    seal = encryptor(Resident._meta.get_field("bank_account").context())
    living = Resident.objects.filter(death_date__isnull=True).order_by("pk")
    people = list(living.values_list("pk", flat=True)[:LINES])
    rows = ((pk, "农村信用社", f"62290000{pk:011d}") for pk in people)
    with transaction.atomic():
        bulk.update(
            Resident,
            ["bank", "bank_account", "bank_account_digest"],
            ((pk, bank, seal(account), digest(account)) for pk, bank, account in rows),
        )
        Enrolment.objects.bulk_create(
            (
                Enrolment(policy_code=CODE, resident_id=pk, start_month=date(2015, 1, 1))
                for pk in people
            ),
            batch_size=2_000,
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"seconds": time.perf_counter() - started, "people": len(people)}


def batch() -> dict:
    """Every step from "make" to the written file: seconds of each, of all, and the highest memory."""
    office = Region.objects.get(level=Region.Level.TOWNSHIP)
    clerk = make_user("clerk", office, "bench-clerk")
    reviewer = make_user("reviewer", office, "bench-reviewer")
    county = make_user("county", office.parent, "bench-county")
    switch_on(CODE, office)
    now = timezone.now()
    funds.move(
        by=clerk, office=office, policy_code=CODE, year=YEAR, kind="receive",
        amount=Decimal(100_000_000), happened_on=TODAY, now=now, payer="县", document="试行",
    )  # fmt: skip
    before = _peak()
    steps: dict[str, float] = {}

    def step(name: str, act: Callable):
        started = time.perf_counter()
        answer = act()
        steps[name] = time.perf_counter() - started
        return answer

    made: PaymentBatch = step(
        "make",
        lambda: payments.create_batch(
            by=clerk,
            office=office,
            policy_code=CODE,
            year=YEAR,
            pay_year=YEAR,
            today=TODAY,
            now=now,
        ),
    )
    step(
        "submit",
        lambda: payments.submit_batch(by=clerk, batch=made, row_version=made.row_version, now=now),
    )
    made.refresh_from_db()
    step(
        "check",
        lambda: payments.check_batch(by=reviewer, batch=made, sha256=made.sha256, now=now),
    )
    step(
        "approve",
        lambda: payments.approve_batch(
            by=county, batch=made, sha256=made.sha256, today=TODAY, now=now
        ),
    )
    job = step(
        "ask",
        lambda: bank_files.request_file(by=clerk, batch=made, layout=SHIPPED["xlsx"], today=TODAY),
    )
    if step("file", lambda: runner.run(job.pk)) != "done":
        job.refresh_from_db()
        raise SystemExit(job.error)
    file = BankFile.objects.get(batch=made)
    return {
        "seconds": sum(steps.values()),
        "steps": steps,
        "lines": file.count,
        "bytes": file.size,
        "before_mb": before,
        "peak_mb": _peak(),
    }


def floor(path: Path) -> dict:
    """COPY of the lines' own rows into a table like theirs, and XlsxWriter writing the same cells."""
    table = PaymentLine._meta.db_table
    columns = ("batch__number", "line_no", "name", "account", "amount")
    cells = [
        (number, line, name, account, float(amount))
        for number, line, name, account, amount in PaymentLine.objects.order_by("line_no")
        .values_list(*columns)
        .iterator()
    ]
    with connection.cursor() as cursor, TemporaryFile() as dump:
        cursor.copy_expert(f"COPY {table} TO STDOUT", dump)
        dump.seek(0)
        cursor.execute(f"CREATE TABLE floor (LIKE {table} INCLUDING ALL)")
        started = time.perf_counter()
        cursor.copy_expert("COPY floor FROM STDIN", dump)
        copied = time.perf_counter() - started
        cursor.execute("DROP TABLE floor")
    started = time.perf_counter()
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    page = book.add_worksheet()
    for row, (number, line, name, account, amount) in enumerate(cells):
        page.write_string(row, 0, number)
        page.write_number(row, 1, line)
        page.write_string(row, 2, name)
        page.write_string(row, 3, account)
        page.write_number(row, 4, amount)
    book.close()
    written = time.perf_counter() - started
    return {"seconds": copied + written, "copy": copied, "written": written, "rows": len(cells)}


def _peak() -> float:
    return rusage.getrusage(rusage.RUSAGE_SELF).ru_maxrss / 1024
