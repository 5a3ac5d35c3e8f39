"""What the gate lets in, and each way in which it keeps a file out."""

import io
import random
import struct
import time
import tracemalloc
import zipfile
from contextlib import suppress

import openpyxl
import pytest
from python_calamine import CalamineWorkbook

from fpadmin.imports import gate
from fpadmin.imports.kinds import Unreadable

from .files import MAIN_TYPE, ole, sheet_xml, workbook, xls, xlsx

FAR_CELL = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
FAR_EMPTY = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'


def refused(content: bytes, name: str = "表.xlsx") -> Unreadable:
    """The refusal; a file that passes fails the test."""
    with pytest.raises(Unreadable) as caught:
        gate.check(content, name)
    return caught.value


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (workbook([["姓名"], ["段光"]]), "居民.xlsx", "xlsx"),
        (workbook([["姓名"], ["段光"]]), "居民.XLSX", "xlsx"),
        (xls([["姓名", "性别"], ["段光", "男"]]), "居民.xls", "xls"),
        ("姓名,性别\n段光,男\n".encode(), "居民.csv", "csv"),
        ("姓名,性别\n段光,男\n".encode("utf-8-sig"), "居民.csv", "csv"),
        ("姓名,性别\n段光,男\n".encode("gb18030"), "居民.csv", "csv"),
        ("姓名\n𠮷䶮\n".encode("gb18030"), "居民.csv", "csv"),
    ],
)
def test_good_files_pass(content, name, kind):
    assert gate.check(content, name) == kind


def test_the_xls_of_these_tests_is_one_that_the_reader_reads():
    book = CalamineWorkbook.from_filelike(
        io.BytesIO(xls([["姓名", "性别"], ["段光", "男"]], "表一"))
    )
    assert book.get_sheet_by_name("表一").to_python() == [["姓名", "性别"], ["段光", "男"]]


@pytest.mark.parametrize(
    ("content", "name", "code", "says"),
    [
        (b"", "表.xlsx", "empty", "0字节"),
        (b"  \n", "表.csv", "empty", "没有内容"),
        (b"x", "表.txt", "wrong_type", ".txt"),
        (b"x", "居民登记表", "wrong_type", "没有扩展名"),
        (b"x", "表.et", "wrong_type", ".et"),
        (xlsx(), "表.xlsm", "macro", "宏"),
        (b"MZ\x90\0" + b"\0" * 200, "表.xlsx", "wrong_type", "程序"),
        (b"MZ\x90\0" + b"\0" * 200, "表.csv", "wrong_type", "程序"),
        (b"<html><table><tr><td>1</td></tr></table>", "表.xls", "wrong_type", "网页"),
        (workbook([["a"]]), "表.xls", "wrong_type", "xlsx工作簿"),
        (xls([["a"]]), "表.xlsx", "wrong_type", "xls工作簿"),
        (workbook([["a"]]), "表.csv", "wrong_type", "xlsx工作簿"),
        (b"\xff\xfe" + "姓名\n".encode("utf-16-le"), "表.csv", "encoding", "编码"),
        (b"\x81\xff\xff\n", "表.csv", "encoding", "编码"),
        (b"a,b\n\0\0", "表.csv", "encoding", "编码"),
        (ole({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}), "表.xlsx", "encrypted", "密码"),
        (ole({"EncryptedPackage": b"x", "EncryptionInfo": b"y"}), "表.xls", "encrypted", "密码"),
        (xls([["a"]], before=struct.pack("<HHH", 0x2F, 2, 0)), "表.xls", "encrypted", "密码"),
        (ole({"Workbook": b""}, ("_VBA_PROJECT_CUR",)), "表.xls", "macro", "宏"),
        (ole({"WordDocument": b"x"}), "表.xls", "wrong_type", "不是工作簿"),
        (xls([["a"]], dimensions=(0, 1 << 20, 0, 1 << 14)), "表.xls", "damaged", "损坏"),
        (xls([[""] * 299 + ["a"]]), "表.xls", "damaged", "损坏"),
        (xls([["a"]])[:700], "表.xls", "damaged", "损坏"),
        (workbook([["a"]])[:-300], "表.xlsx", "damaged", "损坏"),
        (xlsx(extra={"xl/vbaProject.bin": b"x"}), "表.xlsx", "macro", "宏"),
        (
            xlsx(main_type=MAIN_TYPE.replace("sheet.main", "x.macroEnabled")),
            "表.xlsx",
            "macro",
            "宏",
        ),
        (xlsx(extra={"xl/macrosheets/sheet1.xml": "<a/>"}), "表.xlsx", "macro", "宏"),
        (
            xlsx(extra={"xl/externalLinks/externalLink1.xml": "<a/>"}),
            "表.xlsx",
            "links",
            "断开链接",
        ),
        (xlsx(compress_type=zipfile.ZIP_LZMA), "表.xlsx", "damaged", "损坏"),
        (
            xlsx(sheet_xml(before='<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>')),
            "表.xlsx",
            "entity",
            "DOCTYPE",
        ),
        (
            xlsx(extra={"xl/sharedStrings.xml": "<!DOCTYPE lolz><sst/>"}),
            "表.xlsx",
            "entity",
            "声明",
        ),
        (xlsx(sheet_xml().encode("utf-16")), "表.xlsx", "damaged", "损坏"),
        (
            xlsx(sheet_xml(before='<?xml version="1.0" encoding="cp037"?>')),
            "表.xlsx",
            "damaged",
            "损坏",
        ),
        (
            xlsx(extra={f"xl/media/{i}.png": b"x" for i in range(300)}),
            "表.xlsx",
            "entries",
            "200个",
        ),
    ],
)
def test_each_cause_has_its_own_sentence(content, name, code, says):
    error = refused(content, name)
    assert (error.code, says in error.message) == (code, True), (error.code, error.message)


def test_a_document_with_the_ending_of_a_workbook_is_no_workbook():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", "<a/>")
    assert refused(out.getvalue()).code == "wrong_type"


def test_a_file_over_the_limit_is_refused_with_the_limit_named(settings):
    settings.IMPORT_MAX_BYTES = 1 << 20
    error = refused(b"PK\x03\x04" + b"x" * (1 << 20))
    assert error.code == "too_big"
    assert "1MB的上限" in error.message


def test_a_password_on_the_archive_itself_is_named():
    content = bytearray(workbook([["a"]]))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(signature)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(signature, at + 4)
    assert refused(bytes(content)).code == "encrypted"


# Reach: what stands far away --------------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        FAR_CELL,
        "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
        '<row r="1048576">\n<c\n r = "XFD1048576" ><v>1</v></c></row>',
        '<row r="1048576"><c s="1" r="xfd1048576"><v>1</v></c></row>',
        '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t></t></is></c></row>',
        '<x:row r="1048576"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>',
        '<row r="200000">' + "<c><v>1</v></c>" * 16000 + "</row>",
        '<row r="1"><c r="XFD1"><v>1</v></c></row><row r="150000"><c r="A150000"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="150000"><c><v>1</v></c><c r="XFD150000"><v>1'
        "</v></c></row>",
    ],
)
def test_a_cell_far_away_is_refused_however_it_is_written(rows):
    error = refused(xlsx(sheet_xml(rows)))
    assert error.code == "reach", error.message
    assert "200,000行" in error.message
    assert "100列" in error.message


@pytest.mark.parametrize(
    "rows",
    [
        FAR_EMPTY,
        '<row r="1048576"><c r="XFD1048576" s="1"></c></row>',
        '<row r="1048576"><c r="XFD1048576" t="s"><v></v></c></row>',
        '<row r="1048576"><c r="XFD1048576" t="s"><v/></c></row>',
        '<row r="1"><c r="ZZ1"><v>1</v></c></row>',  # a wide sheet that is low
    ],
)
def test_formats_without_content_may_stand_far_away(rows):
    assert gate.check(xlsx(sheet_xml(rows)), "表.xlsx") == "xlsx"


def test_a_lying_dimension_is_no_matter():
    sheet = sheet_xml().replace("<sheetData>", '<dimension ref="A1:XFD1048576"/><sheetData>')
    assert gate.check(xlsx(sheet), "表.xlsx") == "xlsx"


def test_too_many_rows_are_refused_with_the_limit_named(settings):
    settings.IMPORT_MAX_ROWS = 200_000
    error = refused(xlsx(sheet_xml('<row r="200102"><c r="A200102"><v>1</v></c></row>')))
    assert (error.code, "200,000行的上限" in error.message) == ("too_many_rows", True)
    assert gate.check(
        xlsx(sheet_xml('<row r="200002"><c r="A200002"><v>1</v></c></row>')), "表.xlsx"
    )
    error = refused(b"a,b\n" * 200_102, "表.csv")
    assert (error.code, "200,000行的上限" in error.message) == ("too_many_rows", True)


def test_a_far_cell_is_seen_wherever_the_pieces_are_cut():
    filler = '<row r="1"><c r="A1" t="inlineStr"><is><t>'
    noise = "".join(random.Random(1).choices("abcdefgh", k=1 << 20))
    for size in range((1 << 20) - 400, (1 << 20) + 60, 20):
        text = noise[: size - len(sheet_xml(filler))]
        empty = f'{filler}{text}</t></is></c></row><row r="9"><c r="XFD1048576" s="1"></c></row>'
        stored = {"compress_type": zipfile.ZIP_STORED}
        assert gate.check(xlsx(sheet_xml(empty), **stored), "表.xlsx") == "xlsx", size
        filled = empty.replace("></c></row>", "><v>1</v></c></row>")
        assert refused(xlsx(sheet_xml(filled), **stored)).code == "reach", size


# Bombs ------------------------------------------------------------------------------------------


def bomb(before: str, megabytes: int, after: str, filler: bytes = b"x") -> bytes:
    """A workbook whose sheet holds that much filler, made without holding it here."""
    out = io.BytesIO(xlsx(sheet=""))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.filelist = [i for i in archive.filelist if "sheet1" not in i.filename]
        archive.NameToInfo = {i.filename: i for i in archive.filelist}
        with archive.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(before.encode())
            for _ in range(megabytes):
                part.write(filler * ((1 << 20) // len(filler)))
            part.write(after.encode())
    return out.getvalue()


def lying(content: bytes, claimed: int) -> bytes:
    """The same archive, its directory claiming another size for the sheet."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        real = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    assert content.count(struct.pack("<I", real)) >= 1
    return content.replace(struct.pack("<I", real), struct.pack("<I", claimed))


def bombs():
    noise = bytes(random.Random(1).choices(b"abcdefghijklmnop", k=1 << 20))
    comment = bomb(sheet_xml("").replace("</sheetData></worksheet>", "<!--"), 300, "-->")
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    one_cell = '<worksheet><sheetData><row r="1"><c r="A1"><is><t>'
    yield "a comment of 300 MB", comment, "ratio"
    yield "the same with a lying directory", lying(comment, 5000), "damaged"
    yield "a cell of 8 MB", bomb(one_cell, 8, "", noise), "damaged"
    yield "spaces in a tag", bomb('<worksheet><sheetData><c r="A1"', 30, "/>", b" "), "ratio"
    yield "a few spaces in a tag", bomb('<worksheet><sheetData><c r="A1"', 9, "/>", b" "), "damaged"
    yield "a far cell", xlsx(sheet_xml(FAR_CELL)), "reach"
    yield "a billion laughs", xlsx(sheet_xml(before=f"<!DOCTYPE l [{laughs}]>")), "entity"
    yield "unpacked over 500 MB", lying(xlsx(), 600 << 20), "unpacked"


@pytest.mark.parametrize(
    ("name", "content", "code"), bombs(), ids=lambda v: v if isinstance(v, str) else ""
)
def test_bombs_are_refused_quickly_and_in_little_memory(name, content, code):
    tracemalloc.start()
    try:
        started = time.process_time()
        error = refused(content)
        assert time.process_time() - started < 2
        assert error.code == code, error.message
        # However much it unpacks to, a few megabytes are held at a time.
        assert tracemalloc.get_traced_memory()[1] < 30 << 20
    finally:
        tracemalloc.stop()


def test_a_large_honest_file_passes_quickly():
    cells = "".join(f'<c r="{c}%d" t="s"><v>12345</v></c>' for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    rows = "".join(
        f'<row r="{i}">' + cells.replace("%d", str(i)) + "</row>" for i in range(1, 20_001)
    )
    content = xlsx(sheet_xml(rows))
    started = time.process_time()
    assert gate.check(content, "表.xlsx") == "xlsx"
    assert time.process_time() - started < 1


def test_a_sheet_of_empty_formatted_rows_passes():
    rows = "".join(f'<row r="{i}"><c r="A{i}" s="1"/></row>' for i in range(2, 300_000))
    assert gate.check(xlsx(sheet_xml(rows)), "表.xlsx") == "xlsx"


def test_openpyxl_refuses_entities_too():
    assert openpyxl.xml.DEFUSEDXML is True


def test_any_cut_or_changed_byte_is_refused_or_passes_but_is_never_a_crash():
    chance = random.Random(7)
    outcomes = set()
    for good, name in (
        (workbook([["姓名"], ["段光"]]), "a.xlsx"),
        (xls([["a", "b"]] * 20), "a.xls"),
    ):
        for _ in range(300):
            content = bytearray(good)
            for _ in range(chance.randrange(1, 6)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            if chance.random() < 0.2:
                content = content[: chance.randrange(1, len(content))]
            with suppress(Unreadable):
                outcomes.add(gate.check(bytes(content), name))
    assert outcomes <= {"xlsx", "xls"}
