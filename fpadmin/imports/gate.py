"""The gate: what an uploaded file must be before any parser of workbooks sees it.

Every refusal is a kinds.Unreadable with its own code and sentence; limits come from the settings
and are named in the sentence.
"""

from django.conf import settings

from fpadmin.imports import gate_xls, gate_xlsx
from fpadmin.imports.kinds import Unreadable

_MACRO_ENDINGS = frozenset({"xlsm", "xltm", "xlam", "xla"})
_TYPE = "只能上传xlsx、xls或csv文件，{found}。请在Excel或WPS中另存为xlsx后重新上传。"
_CONTENT_NAMES = {
    "xlsx": "xlsx工作簿",
    "xls": "xls工作簿",
    "html": "网页",
    "pdf": "PDF文件",
    "program": "程序",
    "picture": "图片",
    "": "不是表格的数据",
}
_MAGIC = (
    (b"PK\x03\x04", "xlsx"),
    (b"PK\x05\x06", "xlsx"),
    (gate_xls.MAGIC, "xls"),
    (b"%PDF", "pdf"),
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
)


def check(content: bytes, file_name: str) -> str:
    """The format of the file: xlsx, xls or csv. Raises Unreadable with the cause.

    A file that passes is whole, without macros, passwords, outside links and entities, and small
    enough in every direction that reading it stays within the memory that the limits allow.
    """
    ending = file_name.rpartition(".")[2].lower() if "." in file_name else ""
    if ending in _MACRO_ENDINGS:
        raise Unreadable("macro", gate_xls.MACRO)
    if ending not in ("xlsx", "xls", "csv"):
        found = f"这个文件是.{ending[:10]}" if ending else "这个文件没有扩展名"
        raise Unreadable("wrong_type", _TYPE.format(found=found))
    if not content:
        raise Unreadable("empty", "文件是空的（0字节）。请确认选对了文件，重新上传。")
    check_size(len(content))
    kind = _kind_of(content, ending)
    if kind == "xls" and ending in ("xls", "xlsx"):
        # A workbook with a password is such a container, whichever ending it has.
        gate_xls.check_password(content)
    if kind != ending:
        raise Unreadable(
            "wrong_type",
            f"文件扩展名是.{ending}，内容却是{_CONTENT_NAMES[kind]}。"
            "请用Excel或WPS打开，另存为xlsx后重新上传。",
        )
    if kind == "xlsx":
        gate_xlsx.check(content)
    elif kind == "xls":
        gate_xls.check(content)
    else:
        csv_text(content)
    return kind


def check_size(size: int) -> None:
    """Refuse a file over IMPORT_MAX_BYTES, before it is read into memory."""
    if size > settings.IMPORT_MAX_BYTES:
        limit = settings.IMPORT_MAX_BYTES / 1024 / 1024
        raise Unreadable(
            "too_big",
            f"文件有{size / 1024 / 1024:.1f}MB，超过{limit:g}MB的上限。"
            "请删除多余的工作表和图片，或者分成几个文件上传。",
        )


def csv_text(content: bytes) -> str:
    """The text of a csv in UTF-8 (with or without BOM) or GB18030. Raises Unreadable."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in content:
        raise Unreadable("encoding", _ENCODING)
    # A carriage return alone ends a line too, for the reader as for the old Macintosh.
    lines = max(content.count(b"\n"), content.count(b"\r"))
    if lines > settings.IMPORT_MAX_ROWS + gate_xlsx.ROWS_ABOVE:
        raise Unreadable("too_many_rows", gate_xlsx.too_many_rows(f"这个文件有{lines:,}行"))
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not text.strip():
            raise Unreadable("empty", "文件里没有内容。请确认选对了文件，重新上传。")
        return text
    raise Unreadable("encoding", _ENCODING)


_ENCODING = (
    "看不懂文件的文字编码。csv须是UTF-8或GB18030（GBK）编码；请用Excel打开，另存为xlsx后重新上传。"
)


def _kind_of(content: bytes, ending: str) -> str:
    """What the first bytes say; text without a known start counts as csv."""
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    head = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml")):
        return "html"
    if ending == "csv":
        return "csv"
    if ending == "xlsx" and b"PK\x01\x02" in content[-65536:]:
        return "xlsx"  # the end of an archive without its beginning: damaged, says gate_xlsx
    return ""
