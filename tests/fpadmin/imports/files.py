"""Files as offices and strangers send them, made in memory."""

import io
import struct
import zipfile

from openpyxl import Workbook

NS = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
ONE_CELL = '<row r="1"><c r="A1" t="inlineStr"><is><t>x</t></is></c></row>'


def sheet_xml(rows: str = ONE_CELL, before: str = "") -> str:
    return f"{before}<worksheet {NS}><sheetData>{rows}</sheetData></worksheet>"


def xlsx(
    sheet: str | bytes | None = None,
    *,
    extra: dict | None = None,
    main_type: str = MAIN_TYPE,
    compress_type: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """A small true workbook with one sheet of the given XML and any further parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress_type) as archive:
        archive.writestr(
            "[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{main_type}"/>'
            '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.'
            'openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>',
        )
        package = "http://schemas.openxmlformats.org/package/2006/relationships"
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
            f'Type="{RELS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {NS} xmlns:r="{RELS}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="rId1" '
            f'Type="{RELS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.xml", sheet_xml() if sheet is None else sheet)
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return out.getvalue()


def workbook(rows, title: str = "Sheet1", above=()) -> bytes:
    """What openpyxl writes of the rows, under the rows `above`."""
    book = Workbook()
    sheet = book.active
    sheet.title = title
    for row in (*above, *rows):
        sheet.append(list(row))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ole(streams: dict[str, bytes], storages: tuple[str, ...] = ()) -> bytes:
    """An OLE2 container of sectors of 512 bytes; streams are padded over the small-stream limit."""
    bodies, table, entries = [], [], []
    position = 0
    for name, body in streams.items():
        body = body.ljust(max(4096, -(-len(body) // 512) * 512), b"\0")
        count = len(body) // 512
        table += [*range(position + 1, position + count), 0xFFFFFFFE]
        entries.append((name, 2, position, len(body)))
        bodies.append(body)
        position += count
    entries = [("Root Entry", 5, 0xFFFFFFFE, 0), *entries, *((n, 1, 0, 0) for n in storages)]
    directory = b"".join(_directory_entry(*e) for e in entries)
    directory = directory.ljust(-(-len(directory) // 512) * 512, b"\0")
    count = len(directory) // 512
    first_directory = position
    table += [*range(position + 1, position + count), 0xFFFFFFFE]
    position += count
    tables = -(-(position + 2) // 128)
    first_table = position
    table += [0xFFFFFFFD] * tables
    table += [0xFFFFFFFF] * (tables * 128 - len(table))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
    head += struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack(
        "<IIIIIIIII", 0, tables, first_directory, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0
    )
    difat = [first_table + i for i in range(tables)]
    head += struct.pack("<109I", *(difat + [0xFFFFFFFF] * (109 - len(difat))))
    return head + b"".join(bodies) + directory + struct.pack(f"<{len(table)}I", *table)


def _directory_entry(name: str, kind: int, first: int, size: int) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    return (
        encoded.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(encoded), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
        + b"\0" * 36
        + struct.pack("<IQ", first, size)
    )


def xls(rows, title: str = "Sheet1", *, dimensions=None, before: bytes = b"") -> bytes:
    """A BIFF8 workbook of text cells, as old programs write it. `before` are raw records."""

    def record(kind: int, body: bytes = b"") -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def text(value: str) -> bytes:
        return struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")

    head = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)) + before
    name = struct.pack("<BB", len(title), 1) + title.encode("utf-16-le")
    boundsheet_length = 4 + 6 + len(name)
    start = len(head) + boundsheet_length + 4
    head += record(0x85, struct.pack("<IH", start, 0) + name) + record(0x0A)
    sheet = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))
    width = max(map(len, rows))
    first_row, last_row, first_column, last_column = dimensions or (0, len(rows), 0, width)
    sheet += record(0x200, struct.pack("<IIHHH", first_row, last_row, first_column, last_column, 0))
    for r, row in enumerate(rows):
        for c, value in enumerate(row):
            if value != "":
                sheet += record(0x204, struct.pack("<HHH", r, c, 0) + text(value))
    return ole({"Workbook": head + sheet + record(0x0A)})
