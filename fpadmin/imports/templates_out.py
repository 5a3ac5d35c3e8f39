"""The blank workbook of a kind, to be filled in by an office and uploaded again."""

import io

import xlsxwriter

from fpadmin.imports.kinds import Column, WorkbookKind

HELP_SHEET = "填写说明"
SAMPLE_SHEET = "示例"
# As far down as drop-downs and text format reach.
ROWS = 5_000
_EMPTY_CELLS = "空白单元格不改动登记资料；要清除原来的内容，填“清空”。"
_TYPE_WORDS = {
    "text": "文本",
    "code": "代码（文本）",
    "idno": "18位公民身份号码（文本）",
    "date": "日期，如2018-09-03",
    "month": "月份，如2018-09",
    "int": "整数",
    "money": "金额，元",
    "bool": "是或否",
    "choice": "从下拉列表选",
}


def template(kind: WorkbookKind) -> bytes:
    """An xlsx whose first sheet carries the kind's title and headings and no record at all.

    The sample stands on a sheet of its own, so that a template which comes back unchanged, or with
    records below, never brings the sample person into the registry.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"title": kind.sheet})
        book.set_size(1800, 1200)
        formats = _formats(book)
        _write_sheet(book.add_worksheet(kind.sheet), kind, formats)
        _write_sample(book.add_worksheet(SAMPLE_SHEET), kind, formats)
        _write_help(book.add_worksheet(HELP_SHEET), kind, formats)
    return out.getvalue()


def file_name(kind: WorkbookKind) -> str:
    """What the template is called on the clerk's machine."""
    return f"{kind.sheet}_模板.xlsx"


def _formats(book) -> dict:
    heading = {
        "bold": True, "border": 1, "border_color": "#a8b4bb", "valign": "vcenter", "align": "center",
        "text_wrap": True,
    }  # fmt: skip
    return {
        "required": book.add_format({**heading, "bg_color": "#e4f1f4", "font_color": "#a3271d"}),
        "optional": book.add_format({**heading, "bg_color": "#f2f5f6"}),
        "text": book.add_format({"num_format": "@"}),
        "number": book.add_format({"num_format": "0"}),
        "money": book.add_format({"num_format": "0.00"}),
        "sample": book.add_format({"num_format": "@", "font_color": "#586974"}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"}),
        "head": book.add_format({**heading, "bg_color": "#f2f5f6"}),
    }


def _column_format(column: Column, formats: dict):
    if column.type == "money":
        return formats["money"]
    return formats["number"] if column.type == "int" else formats["text"]


def _heading(column: Column) -> str:
    return f"{column.heading}*" if column.required else column.heading


def _width(column: Column) -> float:
    widest = {"idno": 21, "date": 12, "month": 10, "bool": 8, "int": 8, "money": 12}
    return max(widest.get(column.type, 12), 2.2 * len(column.heading) + 2)


def _write_headings(sheet, kind: WorkbookKind, formats: dict) -> None:
    sheet.set_row(0, 32)
    for place, column in enumerate(kind.columns):
        style = formats["required" if column.required else "optional"]
        # Neighbours differ a little, else they share one entry, which some programs lose.
        width = _width(column) + place % 2
        sheet.set_column(place, place, width, _column_format(column, formats))
        sheet.write_string(0, place, _heading(column), style)
    sheet.freeze_panes(1, 0)


def _write_sheet(sheet, kind: WorkbookKind, formats: dict) -> None:
    _write_headings(sheet, kind, formats)
    for place, column in enumerate(kind.columns):
        sheet.write_blank(1, place, None, _column_format(column, formats))
        note = _note(column)
        if note:
            sheet.write_comment(0, place, note, {"x_scale": 1.6, "author": "fpadmin"})
        choices = _choices(column)
        if choices:
            sheet.data_validation(
                1, place, ROWS, place,
                {
                    "validate": "list",
                    "source": choices,
                    "error_title": column.heading,
                    "error_message": f"只能填：{'、'.join(choices)}"[:255],
                },
            )  # fmt: skip
        if column.type == "idno":
            sheet.data_validation(
                1, place, ROWS, place,
                {
                    "validate": "any",
                    "input_title": column.heading[:32],
                    "input_message": "本列已设为文本，请直接录入18位号码，不要改格式。",
                },
            )  # fmt: skip


def _choices(column: Column) -> list[str]:
    return ["是", "否"] if column.type == "bool" else list(column.choices)


def _note(column: Column) -> str:
    return ("必填。" if column.required else "") + column.note


def _write_sample(sheet, kind: WorkbookKind, formats: dict) -> None:
    _write_headings(sheet, kind, formats)
    for place, column in enumerate(kind.columns):
        sheet.write_string(1, place, kind.sample.get(column.key, ""), formats["sample"])
    sheet.write_string(
        3, 0, f"这一张只是示例，不会导入。请填在“{kind.sheet}”表里。", formats["title"]
    )


def _write_help(sheet, kind: WorkbookKind, formats: dict) -> None:
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, 1, 8)
    sheet.set_column(2, 2, 26)
    sheet.set_column(3, 3, 60)
    sheet.write_string(0, 0, f"{kind.sheet}怎样填写", formats["title"])
    lines = [
        *([kind.note] if kind.note else []),
        "带*的列必填。列的先后可以调整，列名不要改；多出来的列不会导入。",
        "身份号码、账号、代码各列已设为文本，请不要改成数字，否则Excel会改掉末几位。",
        *([_EMPTY_CELLS] if kind.edits_registry else []),
        "最后一行可以是合计，不会当作记录。",
    ]
    for row, line in enumerate(lines, start=1):
        sheet.write_string(row, 0, line)
    top = len(lines) + 2
    for place, name in enumerate(("列名", "必填", "填写什么", "说明")):
        sheet.write_string(top, place, name, formats["head"])
    for row, column in enumerate(kind.columns, start=top + 1):
        choices = "、".join(column.choices) if column.type == "choice" else ""
        for place, text in enumerate(
            (
                column.heading,
                "必填" if column.required else "",
                choices or _TYPE_WORDS[column.type],
                column.note,
            )
        ):
            sheet.write_string(row, place, text, formats["wrap"])
