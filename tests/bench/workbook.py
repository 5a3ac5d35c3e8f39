"""A residents' workbook of any size, as an office would hand it in."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import xlsxwriter

from households.demo.people import Family, IdNumbers, Person
from households.demo.places import Place
from households.demo.population import Village, families
from households.resources import RESIDENTS

DATES = {column.key for column in RESIDENTS.columns if column.type == "date"}


def write(path: Path, places: list[Place], today: date, *, rows: int) -> None:
    """The first `rows` invented residents of `places` under the template's headings."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(RESIDENTS.sheet)
    sheet.write_row(0, 0, [column.heading for column in RESIDENTS.columns])
    for number, values in enumerate(_rows(places, today), start=1):
        for position, column in enumerate(RESIDENTS.columns):
            value = values.get(column.key)
            if value in ("", None):
                continue
            if column.key in DATES:
                sheet.write_datetime(number, position, value, day)
            else:
                sheet.write_string(number, position, value)
        if number == rows:
            break
    book.close()


def _rows(places: list[Place], today: date) -> Iterator[dict]:
    numbers: dict[str, IdNumbers] = {}
    for place in places:
        if place.people:
            area = place.code[:6]
            village = Village(
                Random(place.code), area, today, numbers.setdefault(area, IdNumbers())
            )
            for family in families(village, place.people):
                for person in family.people:
                    yield _row(place, family, person)


def _row(place: Place, family: Family, person: Person) -> dict:
    def number_of(relative: Person | None) -> str:
        return relative.id_number if relative else ""

    return {
        "village_code": place.code,
        "group": f"{family.group + 1}组",
        "household_no": family.number,
        "name": person.name,
        "idno": person.id_number,
        "dibao": "是" if family.low_income else "否",
        "spouse_idno": number_of(person.spouse),
        "father_idno": number_of(person.father),
        "mother_idno": number_of(person.mother),
        **{
            key: getattr(person, key)
            for key in (
                "sex", "birth_date", "ethnicity", "relation", "hukou", "residence",
                "hukou_region_code", "marital", "first_marriage_date", "education", "employment",
                "phone", "only_child_cert_no", "only_child_cert_date", "disability_grade", "bank",
                "bank_account", "death_date",
            )
        },
    }  # fmt: skip
