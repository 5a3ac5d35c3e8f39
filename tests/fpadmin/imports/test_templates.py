"""The workbooks that an office downloads to fill in."""

import io

import openpyxl
import pytest

from fpadmin.imports import engine, gate, reader, templates_out
from fpadmin.imports.kinds import KINDS, Ground

from .conftest import TODAY


def opened(kind):
    return openpyxl.load_workbook(io.BytesIO(templates_out.template(kind)))


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return KINDS[request.param]


def test_first_sheet_has_title_headings_and_no_record(kind):
    sheet = opened(kind).worksheets[0]
    assert sheet.title == kind.sheet
    headings = [cell.value for cell in sheet[1]]
    assert headings == [c.heading + ("*" if c.required else "") for c in kind.columns]
    assert [c.value for row in sheet.iter_rows(min_row=2) for c in row if c.value] == []


def test_columns_of_numbers_that_are_names_are_typed_as_text(kind):
    sheet = opened(kind).worksheets[0]
    for place, column in enumerate(kind.columns, start=1):
        style = sheet.column_dimensions[openpyxl.utils.get_column_letter(place)].number_format
        if column.type in ("idno", "code", "text", "date"):
            assert style == "@", column.heading
            assert sheet.cell(2, place).number_format == "@", column.heading


def test_choices_are_drop_downs_with_the_values_that_the_import_takes(kind):
    sheet = opened(kind).worksheets[0]
    found = {
        str(rule.sqref).split(":")[0]: rule.formula1
        for rule in sheet.data_validations.dataValidation
        if rule.type == "list"
    }
    for place, column in enumerate(kind.columns, start=1):
        cell = f"{openpyxl.utils.get_column_letter(place)}2"
        choices = column.choices or (("是", "否") if column.type == "bool" else ())
        if choices:
            assert found.pop(cell) == f'"{",".join(choices)}"', column.heading
    assert found == {}


def test_the_sample_stands_on_its_own_sheet_and_is_explained(kind):
    book = opened(kind)
    sample = book[templates_out.SAMPLE_SHEET]
    values = {c.key: sample.cell(2, i).value for i, c in enumerate(kind.columns, start=1)}
    assert {k: v for k, v in values.items() if v} == kind.sample
    notes = book[templates_out.HELP_SHEET]
    described = {row[0].value for row in notes.iter_rows()}
    assert {c.heading for c in kind.columns} <= described


@pytest.mark.django_db
def test_an_unchanged_template_is_recognised_and_brings_nobody_in(kind, clerk):
    content = templates_out.template(kind)
    name = templates_out.file_name(kind)
    assert gate.check(content, name) == "xlsx"
    assert reader.locate(kind, content, name) == (kind.sheet, 1)
    outcome = engine.check(kind, content, name, Ground(clerk.region, TODAY, TODAY, clerk))
    assert (outcome.rows, outcome.created, outcome.issues) == (0, 0, [])


@pytest.mark.django_db
def test_the_sample_itself_would_be_read_without_a_fault_of_its_own(kind, clerk):
    """The sample shows how to write; a row written alike must parse."""
    book = opened(kind)
    for name in book.sheetnames:
        if name not in (kind.sheet, templates_out.SAMPLE_SHEET):
            del book[name]
    sheet = book[kind.sheet]
    for place, column in enumerate(kind.columns, start=1):
        sheet.cell(2, place, kind.sample.get(column.key))
    out = io.BytesIO()
    book.save(out)
    table = reader.read_table(kind, out.getvalue(), "样.xlsx", TODAY)
    assert [i.message for i in table.issues if i.error] == []
    assert len(table) == 1
