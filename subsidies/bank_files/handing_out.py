"""How the file leaves the house: a zip under a password that is shown once and kept nowhere.

The page that shows the password carries it on in a ticket, encrypted, bound to person and file.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import BinaryIO

import xlsxwriter
from django.utils import timezone

from fpadmin import crypto
from fpadmin.errors import RuleViolation
from fpadmin.exports.files import make_password, zipped
from fpadmin.exports.workbook import FONT
from fpadmin.money import capital_yuan
from fpadmin.sealed import PART
from subsidies.bank_files.kept import content_of
from subsidies.models import SENT_BATCHES, BankFile, BatchState

OPEN_STATES = (BatchState.SEALED, *SENT_BATCHES)
GOOD_FOR = timedelta(minutes=15)
CONTEXT = "bank-file.ticket"
OVER = "密码已经过期。请重新显示密码，再下载。"
BROKEN = "文件和生成时不一样，不能下载。请联系系统管理员。"
TOTALS_NAME = "合计单.xlsx"


@dataclass(frozen=True)
class Packed:
    """A zip to be sent: its name, its size and what it holds, piece by piece."""

    name: str
    size: int
    parts: Iterator[bytes]


def make_ticket(by, bank_file: BankFile, now: datetime) -> tuple[str, str]:
    """A new password, and the ticket that carries it."""
    password = make_password()
    said = {"user": by.pk, "file": bank_file.pk, "password": password, "at": now.timestamp()}
    return password, crypto.encrypt(json.dumps(said), context=CONTEXT)


def password_of(ticket: str, by, bank_file: BankFile, now: datetime) -> str:
    """The password that the ticket carries. Refuses one that is over, changed, or another's."""
    try:
        said = json.loads(crypto.decrypt(ticket, context=CONTEXT))
    except (crypto.DecryptionFailed, ValueError):
        raise RuleViolation(OVER) from None
    age = now.timestamp() - said["at"]
    if (said["user"], said["file"]) != (by.pk, bank_file.pk) or age > GOOD_FOR.total_seconds():
        raise RuleViolation(OVER)
    return said["password"]


def pack(bank_file: BankFile, password: str) -> Packed:
    """The bank's file and the totals sheet. Refuses content that is not what was sealed."""
    digest = hashlib.sha256()

    def copy(stream: BinaryIO) -> None:
        for part in content_of(bank_file):
            digest.update(part)
            stream.write(part)

    with zipped(password) as archive:
        try:
            archive.add(bank_file.name, copy)
        except (FileNotFoundError, crypto.DecryptionFailed):
            raise RuleViolation(BROKEN) from None
        if digest.hexdigest() != bank_file.sha256:
            raise RuleViolation(BROKEN)
        archive.add(TOTALS_NAME, lambda stream: stream.write(totals_sheet(bank_file)))
        whole = archive.finish().read()
    name = f"{bank_file.batch.number}.zip"
    return Packed(name, len(whole), (whole[at : at + PART] for at in range(0, len(whole), PART)))


def totals_sheet(bank_file: BankFile) -> bytes:
    """批次号, 笔数, 金额 in figures and in words, 校验码, 生成时间: what the bank's clerk compares."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    page = book.add_worksheet("合计单")
    plain = book.add_format({"font_name": FONT, "font_size": 11})
    label = book.add_format({"font_name": FONT, "font_size": 11, "bold": True})
    money = book.add_format({"font_name": FONT, "font_size": 11, "num_format": "0.00"})
    made_at = timezone.localtime(bank_file.made_at)
    for at, (name, value) in enumerate(
        (
            ("批次号", bank_file.batch.number),
            ("发放单位", bank_file.batch.office.name),
            ("文件名", bank_file.name),
            ("笔数", bank_file.count),
            ("金额（元）", bank_file.total),
            ("金额大写", capital_yuan(bank_file.total)),
            ("SHA-256校验码", bank_file.sha256),
            ("生成时间", f"{made_at:%Y-%m-%d %H:%M}"),
        )
    ):
        page.write_string(at, 0, name, label)
        if isinstance(value, str):
            page.write_string(at, 1, value, plain)
        else:
            page.write_number(at, 1, value, money if isinstance(value, Decimal) else plain)
    page.set_column(0, 0, 16)
    page.set_column(1, 1, 70)
    book.close()
    return buffer.getvalue()
