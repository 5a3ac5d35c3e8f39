"""The workbooks of a small township, as its office keeps them."""

import io
from dataclasses import dataclass
from datetime import date

import openpyxl

from tests.factories.households import make_id_number

TOWNSHIP = "539981001"
VILLAGES = {"539981001201": "庄科村", "539981001202": "安丰营村"}
SURNAMES = "段罗杨李赵陈王张刘黄周吴徐孙马朱胡林郭何"
# The row that the office typed wrongly, and what is wrong there: the number's last character.
WRONG_HOUSEHOLD = 7
BORN_IN_SEPTEMBER = 4


@dataclass
class Person:
    village: str
    household: str
    name: str
    born: date
    sex: str
    relation: str
    number: str
    marital: str = "未婚"
    married: object = ""
    spouse: str = ""
    mother: str = ""


def people() -> list[Person]:
    """Twenty households of a couple and one or two children, 60 people; four babies of September."""
    found = []
    for n, surname in enumerate(SURNAMES):
        village = list(VILLAGES)[n >= 14]
        household = f"{n + 1:05d}"
        his, hers = date(1980, 1, 5 + n), date(1983, 3, 4 + n)
        husband = Person(
            village, household, f"{surname}建国", his, "男", "户主", make_id_number(his)
        )
        wife = Person(
            village, household, f"{surname}秀英", hers, "女", "配偶", make_id_number(hers, "女")
        )
        for one, other in ((husband, wife), (wife, husband)):
            one.marital, one.married, one.spouse = "初婚", date(2006, 5, 1), other.number
        found += [husband, wife]
        if n % 5 == 0:
            born = date(2018, 9, 3 + n)
            child = Person(village, household, f"{surname}小满", born, "女", "女", "")
        else:
            born = date(2010, 6, 1 + n)
            number = make_id_number(born)
            child = Person(village, household, f"{surname}向阳", born, "男", "子", number)
        child.mother = wife.number
        found.append(child)
    return found


def regions_workbook() -> bytes:
    """The township and its villages."""
    rows = [[TOWNSHIP, "禄脿街道", "乡", "539981", ""]]
    rows += [[code, name, "村", TOWNSHIP, "乡村"] for code, name in VILLAGES.items()]
    return _saved("行政区划", [["区划代码", "名称", "级别", "上级代码", "城乡分类"], *rows])


def residents_workbook(everybody: list[Person]) -> bytes:
    """The register as an office has it: title, blank row, own headings, dates any way, a sum below.

    One number has a wrong last character; see WRONG_HOUSEHOLD.
    """
    above = [["禄脿街道2018年人口登记花名册"], ["制表：街道办", "", "", "2018年10月"], []]
    head = [
        "序号", "姓 名", "户号", "村代码", "与户主的关系", "性别", "身份证号", "出生年月日", "户籍性质",
        "人口状态", "婚姻状况", "结婚日期", "配偶身份证号", "母亲身份证号",
    ]  # fmt: skip
    rows = []
    for n, person in enumerate(everybody):
        number = person.number
        if is_wrong(person):
            number = number[:-1] + ("0" if number[-1] != "0" else "1")
        rows.append(
            [
                n + 1, person.name, person.household, person.village, person.relation, person.sex,
                number, _typed(person.born, n), "农业", "常住", person.marital, person.married,
                person.spouse, person.mother,
            ]
        )  # fmt: skip
    return _saved("2018年", [*above, head, *rows, ["合计", len(rows)]])


def is_wrong(person: Person) -> bool:
    return person.household == f"{WRONG_HOUSEHOLD:05d}" and person.relation == "配偶"


def births_workbook(everybody: list[Person]) -> bytes:
    """Every child, by its mother's and father's numbers."""
    head = [
        "母亲身份证号", "父亲身份证号", "子女姓名", "子女身份证号", "性别", "出生日期", "孩次", "符合政策",
        "存活状况",
    ]  # fmt: skip
    rows = []
    for father, mother, child in zip(*[iter(everybody)] * 3, strict=True):
        rows.append(
            [
                mother.number, father.number, child.name, child.number, child.sex, child.born, 1, "是",
                "存活",
            ]
        )  # fmt: skip
    return _saved("生育登记表", [head, *rows])


def _typed(day: date, n: int) -> object:
    """The same day as four clerks write it; one of them in full-width digits."""
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    ways = (
        day,
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y%m%d}",
        f"{day.year}.{day.month}.{day.day}".translate(wide),
    )
    return ways[n % len(ways)]


def _saved(title: str, rows: list[list]) -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()
