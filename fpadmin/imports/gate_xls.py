"""The gate for xls (BIFF8 in an OLE2 container): walks the container and the records' heads only.

The reader follows chains of sectors and trusts the size that the file declares; so loops, passwords,
macros and cells beyond the format's own limits are found here first.
"""

import struct
from dataclasses import dataclass

from django.conf import settings

from fpadmin.imports.kinds import Unreadable

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = (
    "文件设了打开密码，系统读不了。请在Excel中“文件→信息→保护工作簿”取消密码，保存后重新上传。"
)
MACRO = "文件带有宏，为安全起见不能上传。请在Excel中另存为“Excel工作簿（*.xlsx）”后重新上传。"
_DAMAGED = (
    "文件已损坏，打不开。请在Excel或WPS中打开原文件，另存为xlsx后重新上传；打不开就向填报人要一份。"
)
_END = 0xFFFFFFFC  # marks of free, last and table sectors start here
_FILEPASS, _DIMENSIONS, _BOF = 0x2F, 0x200, 0x809
# Records of one cell start with row and column; MULRK and MULBLANK end with the last column.
_CELLS = frozenset({0x06, 0xFD, 0x203, 0x204, 0x205, 0x27E, 0xD6})
_CELL_RUNS = frozenset({0xBD, 0xBE})
_COLUMNS = 256
_HEAD = struct.Struct("<HH")


def check_password(content: bytes) -> None:
    """Refuse a workbook that Excel keeps encrypted, whichever ending it has."""
    if "EncryptedPackage" in _Container.of(content).streams:
        raise Unreadable("encrypted", ENCRYPTED)


def check(content: bytes) -> None:
    """Pass, or raise Unreadable with the cause."""
    container = _Container.of(content)
    if "_VBA_PROJECT_CUR" in container.storages or "VBA" in container.storages:
        raise Unreadable("macro", MACRO)
    name = next((n for n in ("Workbook", "Book") if n in container.streams), None)
    if name is None:
        raise Unreadable(
            "wrong_type",
            "文件扩展名是.xls，内容却不是工作簿。请用Excel或WPS打开，另存为xlsx后重新上传。",
        )
    _check_records(container.read(name))


def _check_records(book: bytes) -> None:
    position, end = 0, len(book) - 4
    most_cells = settings.IMPORT_MAX_ROWS * settings.IMPORT_MAX_COLUMNS
    while position <= end:
        kind, length = _HEAD.unpack_from(book, position)
        start = position + 4
        position = start + length
        if kind in _CELLS:
            if length < 6 or _HEAD.unpack_from(book, start)[1] >= _COLUMNS:
                raise Unreadable("damaged", _DAMAGED)
        elif kind in _CELL_RUNS:
            if length < 6 or struct.unpack_from("<H", book, position - 2)[0] >= _COLUMNS:
                raise Unreadable("damaged", _DAMAGED)
        elif kind == _FILEPASS:
            raise Unreadable("encrypted", ENCRYPTED)
        elif kind == _DIMENSIONS and length >= 14:
            first_row, last_row, first_column, last_column = struct.unpack_from(
                "<IIHH", book, start
            )
            height, width = max(last_row - first_row, 0) + 1, max(last_column - first_column, 0) + 1
            if height * width > most_cells:
                raise Unreadable("damaged", _DAMAGED)
        elif kind == 0 and length == 0:
            break  # the padding of the last sector
        if position > len(book):
            raise Unreadable("damaged", _DAMAGED)


@dataclass
class _Container:
    """The names and streams of an OLE2 file, every chain of sectors checked for its end."""

    content: bytes
    sector: int
    table: list[int]
    streams: dict[str, tuple[int, int]]  # name → first sector, size
    storages: set[str]
    small_cutoff: int
    small_table: list[int]
    small: bytes

    @classmethod
    def of(cls, content: bytes) -> "_Container":
        try:
            return cls._parse(content)
        except (struct.error, IndexError, UnicodeDecodeError):
            raise Unreadable("damaged", _DAMAGED) from None

    @classmethod
    def _parse(cls, content):
        shift, small_shift = struct.unpack_from("<HH", content, 30)
        if shift not in (9, 12) or small_shift != 6:
            raise Unreadable("damaged", _DAMAGED)
        sector = 1 << shift
        tables, directory = struct.unpack_from("<I", content, 44)[0], 48
        first_directory = struct.unpack_from("<I", content, directory)[0]
        cutoff, first_small, _, first_more, _ = struct.unpack_from("<5I", content, 56)
        per_sector = sector // 4
        found = list(struct.unpack_from("<109I", content, 76))
        seen = set()
        while first_more < _END:
            if first_more in seen:
                raise Unreadable("damaged", _DAMAGED)
            seen.add(first_more)
            more = struct.unpack_from(f"<{per_sector}I", content, (first_more + 1) * sector)
            found += more[:-1]
            first_more = more[-1]
        table: list[int] = []
        for number in [n for n in found if n < _END][:tables]:
            table += struct.unpack_from(f"<{per_sector}I", content, (number + 1) * sector)
        self = cls(content, sector, table, {}, set(), cutoff, [], b"")
        root = self._read_directory(first_directory)
        if first_small < _END:
            raw = self._chain(first_small)
            self.small_table = list(struct.unpack(f"<{len(raw) // 4}I", raw))
        if root and root[0] < _END:
            self.small = self._chain(root[0])
        return self

    def _chain(self, first: int) -> bytes:
        pieces, number, left = [], first, len(self.table)
        while number < _END:
            if left == 0:  # longer than there are sectors: a loop
                raise Unreadable("damaged", _DAMAGED)
            left -= 1
            start = (number + 1) * self.sector
            pieces.append(self.content[start : start + self.sector])
            number = self.table[number]
        return b"".join(pieces)

    def _read_directory(self, first: int) -> tuple[int, int] | None:
        raw, root = self._chain(first), None
        for at in range(0, len(raw) - 127, 128):
            length = struct.unpack_from("<H", raw, at + 64)[0]
            kind = raw[at + 66]
            name = raw[at : at + max(min(length, 64) - 2, 0)].decode("utf-16-le")
            place = struct.unpack_from("<II", raw, at + 116)
            if kind == 5:
                root = place
            elif kind == 2:
                self.streams[name] = place
            elif kind == 1:
                self.storages.add(name)
        return root

    def read(self, name: str) -> bytes:
        """The whole stream. Raises Unreadable where its chain is broken."""
        first, size = self.streams[name]
        try:
            if size >= self.small_cutoff:
                return self._chain(first)[:size]
            pieces, left = [], len(self.small_table)
            while first < _END:
                if left == 0:
                    raise Unreadable("damaged", _DAMAGED)
                left -= 1
                pieces.append(self.small[first * 64 : first * 64 + 64])
                first = self.small_table[first]
            return b"".join(pieces)[:size]
        except IndexError:
            raise Unreadable("damaged", _DAMAGED) from None
