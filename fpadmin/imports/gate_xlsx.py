"""The gate for xlsx: looks at the archive and at the bytes of its parts, without an XML parser.

Headers of an archive can lie, so every part is really unpacked, in pieces that are counted and
thrown away. What the reader keeps in memory is a rectangle as wide as the last filled column and
as high as the last filled row, so the reach of filled cells is measured too; cells that carry only
a style take no room there and don't count.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator

from django.conf import settings

from fpadmin.imports.gate_xls import ENCRYPTED, MACRO
from fpadmin.imports.kinds import Unreadable

# Title and heading rows above the records; the reader counts the records themselves.
ROWS_ABOVE = 100
_PIECE = 1 << 20
_LONGEST_TOKEN = 1 << 18  # a cell holds 32,767 characters at most
_SMALL = 10 << 20  # unpacked; below it a high ratio does no harm

_ORDINARY = rb"(?:[A-Z]|[AB][A-Z]|C[A-V])1?\d{1,5}"
# A cell that is neither at an ordinary place (up to CV199999) nor an empty one with a reference.
_UNUSUAL_CELL = re.compile(
    rb'<c(?=[\s>/])(?! r="' + _ORDINARY + rb'"| r="[A-Z]{1,3}\d{1,7}"[^>]*/>)([^>]*)>'
)
_ANY_CELL_OR_ROW = re.compile(rb"<(?:\w+:)?(c|row)(?=[\s>/])([^>]*)>")
_REFERENCE = re.compile(rb"""\br\s*=\s*["']\s*([A-Za-z]*)(\d+)\s*["']""")
_NOTHING_IN_IT = re.compile(
    rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v\s*>)?\s*</(?:\w+:)?c\s*>"
)
_WRAPPED = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"))
_DECLARED = re.compile(rb"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")

_DAMAGED = (
    "文件已损坏，打不开。请在Excel或WPS中打开原文件，另存为xlsx后重新上传；打不开就向填报人要一份。"
)


def check(content: bytes) -> None:
    """Pass, or raise Unreadable with the cause."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, struct.error, EOFError, OSError, NotImplementedError):
        raise Unreadable("damaged", _DAMAGED) from None
    with archive:
        entries = archive.infolist()
    _check_directory(entries, len(content))
    _check_kind(content, entries)
    for entry in entries:
        _check_part(content, entry)


def too_many_rows(found: str) -> str:
    return f"{found}，超过{settings.IMPORT_MAX_ROWS:,}行的上限。请分成几个文件上传。"


def _check_directory(entries: list[zipfile.ZipInfo], packed: int) -> None:
    if len(entries) > settings.IMPORT_MAX_ENTRIES:
        raise Unreadable(
            "entries",
            f"工作簿里有{len(entries)}个部件，超过{settings.IMPORT_MAX_ENTRIES}个的上限。"
            "请删除图片和多余的工作表后重新上传。",
        )
    if any(e.flag_bits & 1 for e in entries):
        raise Unreadable("encrypted", ENCRYPTED)
    unpacked = sum(e.file_size for e in entries)
    if unpacked > settings.IMPORT_MAX_UNPACKED:
        limit = settings.IMPORT_MAX_UNPACKED / 1024 / 1024
        raise Unreadable(
            "unpacked",
            f"文件解压后有{unpacked / 1024 / 1024:.0f}MB，超过{limit:g}MB的上限。"
            "请删除多余的工作表，或者分成几个文件上传。",
        )
    if unpacked > max(_SMALL, settings.IMPORT_MAX_RATIO * packed):
        raise Unreadable("ratio", _ratio(unpacked / packed))
    if len({e.filename.lower() for e in entries}) < len(entries):
        raise Unreadable("damaged", _DAMAGED)


def _ratio(found: float) -> str:
    return (
        f"文件解压后是原来的{found:.0f}倍，超过{settings.IMPORT_MAX_RATIO}倍的上限，不像正常的工作簿。"
        "请在Excel中另存一份后重新上传。"
    )


def _check_kind(content: bytes, entries: list[zipfile.ZipInfo]) -> None:
    """A workbook and nothing else: no macros, no links to other files."""
    by_name = {e.filename.lower().replace("\\", "/").lstrip("/"): e for e in entries}
    types = by_name.get("[content_types].xml")
    if types is None or not any(name.startswith("xl/") for name in by_name):
        raise Unreadable(
            "wrong_type",
            "文件扩展名是.xlsx，内容却不是工作簿。请用Excel或WPS打开，另存为xlsx后重新上传。",
        )
    declared = b"".join(unpacked(content, types)).lower()
    names = " ".join(by_name)
    if "vbaproject" in names or "macrosheets/" in names or b"macro" in declared:
        raise Unreadable("macro", MACRO)
    if "xl/externallinks/" in names or "xl/connections.xml" in names:
        raise Unreadable(
            "links",
            "工作簿链接了别的文件。请在Excel中“数据→编辑链接→断开链接”，保存后重新上传。",
        )
    if "xl/workbook.xml" not in by_name:
        raise Unreadable("damaged", _DAMAGED)


def unpacked(content: bytes, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of one part in pieces. Raises Unreadable where the archive's headers lie."""
    start = entry.header_offset
    if start < 0 or content[start : start + 4] != b"PK\x03\x04" or start + 30 > len(content):
        raise Unreadable("damaged", _DAMAGED)
    name_length, extra_length = struct.unpack_from("<HH", content, start + 26)
    start += 30 + name_length + extra_length
    packed = memoryview(content)[start : start + entry.compress_size]
    if entry.compress_type == zipfile.ZIP_STORED:
        pieces = (bytes(packed[i : i + _PIECE]) for i in range(0, len(packed), _PIECE))
    elif entry.compress_type == zipfile.ZIP_DEFLATED:
        pieces = _inflated(packed)
    else:
        raise Unreadable("damaged", _DAMAGED)
    size = checksum = 0
    for piece in pieces:
        size += len(piece)
        if size > entry.file_size:
            raise Unreadable("damaged", _DAMAGED)
        checksum = zlib.crc32(piece, checksum)
        yield piece
    if size != entry.file_size or checksum != entry.CRC:
        raise Unreadable("damaged", _DAMAGED)


def _inflated(packed: memoryview) -> Iterator[bytes]:
    machine = zlib.decompressobj(-15)
    try:
        for i in range(0, len(packed), _PIECE):
            rest = packed[i : i + _PIECE]
            while rest:
                piece = machine.decompress(rest, _PIECE)
                if piece:
                    yield piece
                rest = machine.unconsumed_tail
        while piece := machine.decompress(machine.unconsumed_tail, _PIECE):
            yield piece
    except zlib.error:
        raise Unreadable("damaged", _DAMAGED) from None


def _check_part(content: bytes, entry: zipfile.ZipInfo) -> None:
    """Text parts: known encoding, no declarations, no giant tokens; sheets: the reach of cells."""
    pieces = unpacked(content, entry)
    first = next(pieces, b"")
    if not _is_xml(first):
        for _piece in pieces:  # only counted
            pass
        return
    odd = False
    for text in _whole_tokens(_chained(first, pieces)):
        if b"<!" in text and (b"<!DOCTYPE" in text.upper() or b"<!ENTITY" in text.upper()):
            raise Unreadable(
                "entity",
                "文件里有不该出现的声明（DOCTYPE），可能有害，不能上传。"
                "请在Excel中另存一份后重新上传。",
            )
        odd = odd or _has_odd_cell(text)
    if odd:
        _check_reach(_whole_tokens(unpacked(content, entry)))


def _is_xml(first: bytes) -> bool:
    head = first[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if first[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<\0" in first[:4] or b"\0<" in first[:4]:
        raise Unreadable("damaged", _DAMAGED)  # other encodings could hide a declaration
    if not head.startswith(b"<"):
        return False
    declared = _DECLARED.match(head)
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii", b"ascii"):
        raise Unreadable("damaged", _DAMAGED)
    return True


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _whole_tokens(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The text in pieces that end before a tag, where possible before a whole cell."""
    carried = b""
    for piece in pieces:
        text = carried + piece
        end = max(len(text) - 256, 0)
        cut = text.rfind(b"<c ", max(end - (1 << 16), 0), end)
        if cut < 0:
            cut = text.rfind(b"<", 0, end)
        for opening, closing in _WRAPPED:
            start = text.rfind(opening, 0, cut + 1) if cut > 0 else -1
            if start >= 0 and text.find(closing, start) < 0:
                cut = start
        if cut > 0:
            yield text[:cut]
        carried = text[max(cut, 0) :]
        if len(carried) > _LONGEST_TOKEN + _PIECE:
            raise Unreadable("damaged", _DAMAGED)
    yield carried


def _has_odd_cell(text: bytes) -> bool:
    """Whether a filled cell is far right or its place is not written, so that all must be walked.

    Names with a prefix (x:c) count as odd. A filled cell that is too far down is refused at once.
    """
    for match in _UNUSUAL_CELL.finditer(text):
        reference = _REFERENCE.search(match[1])
        if reference is None or not reference[1]:
            return True
        if match[1].endswith(b"/") or _NOTHING_IN_IT.match(text, match.end()):
            continue
        row, column = int(reference[2]), column_number(reference[1])
        if row > settings.IMPORT_MAX_ROWS + ROWS_ABOVE:
            _refuse_reach(row, column)
        if column > settings.IMPORT_MAX_COLUMNS:
            return True
    return any(mark in text for mark in (b":c ", b":c>", b":c\n", b":c\t", b":c\r"))


def column_number(letters: bytes) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def column_letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _check_reach(texts: Iterator[bytes]) -> None:
    """Walk every row and cell; refuse as soon as the rectangle of filled cells is too large."""
    row = column = last_row = last_column = 0
    most_cells = settings.IMPORT_MAX_ROWS * settings.IMPORT_MAX_COLUMNS
    for text in texts:
        for match in _ANY_CELL_OR_ROW.finditer(text):
            reference = _REFERENCE.search(match[2])
            if match[1] == b"row":
                row, column = int(reference[2]) if reference else row + 1, 0
                continue
            if reference and reference[1]:
                column, at_row = column_number(reference[1]), int(reference[2])
            else:
                column, at_row = column + 1, row
            if match[2].endswith(b"/") or _NOTHING_IN_IT.match(text, match.end()):
                continue
            last_row, last_column = max(last_row, at_row), max(last_column, column)
            if (
                at_row > settings.IMPORT_MAX_ROWS + ROWS_ABOVE
                or last_row * last_column > most_cells
            ):
                _refuse_reach(last_row, last_column)


def _refuse_reach(row: int, column: int) -> None:
    if column <= settings.IMPORT_MAX_COLUMNS:
        raise Unreadable(
            "too_many_rows",
            too_many_rows(f"工作表到第{row:,}行还有内容")
            + "如果那里不该有内容，请删除后重新上传。",
        )
    raise Unreadable(
        "reach",
        f"工作表的内容一直到第{row:,}行、{column_letters(column)}列；"
        f"最多{settings.IMPORT_MAX_ROWS:,}行、{settings.IMPORT_MAX_COLUMNS}列。"
        "请删除表格以外的内容后重新上传。",
    )
