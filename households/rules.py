"""What the registry holds to be possible, odd, or required: pure decisions, no database, no clock.

The forms and the importer both ask here, so that a clerk and a workbook meet the same rules.
"""

import os
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

# Initials need characters, not phrases: the phrase book would cost 30 MB in every process.
os.environ["PYPINYIN_NO_PHRASES"] = "true"
from pypinyin import Style, lazy_pinyin  # noqa: E402

from fpadmin.dates import age_on  # noqa: E402
from fpadmin.identity import (  # noqa: E402
    PROVINCES,
    InvalidIdNumber,
    half_width,
    normalise_id_number,
    parse_id_number,
)

ID_NUMBER_FROM_AGE = 16  # a younger resident may be registered without one
MOTHER_AGES = (12, 60)  # at the birth of an own child
FATHER_FROM_AGE = 12
MARRIAGE_AGES = {"男": 22, "女": 20}  # 婚姻法 (2001) art. 6

# Characters whose reading as a surname isn't the dictionary's first one.
_SURNAMES = {
    "单": "s", "曾": "z", "解": "x", "仇": "q", "查": "z", "区": "o", "翟": "z", "覃": "q", "乐": "y",
    "种": "c", "召": "s", "折": "s", "秘": "b", "繁": "p", "谌": "c", "祭": "z", "逄": "p", "盛": "s",
}  # fmt: skip
_DOUBLE_SURNAMES = {"尉迟": "yc", "万俟": "mq", "长孙": "zs", "单于": "cy", "澹台": "tt"}
_UNKNOWN_TO_DICTIONARY = {"𠮷": "j"}


@dataclass(frozen=True)
class Finding:
    """Something about a record: an error if it is impossible, else a warning. `field` is the model's."""

    field: str
    code: str
    message: str
    error: bool = True


@dataclass(frozen=True)
class IdNumberPart:
    """One of the four parts of an ID number, as it is read back to the clerk."""

    label: str
    text: str
    bad: bool = False


@lru_cache(maxsize=20_000)
def _initial(character: str) -> str:
    if character in _UNKNOWN_TO_DICTIONARY:
        return _UNKNOWN_TO_DICTIONARY[character]
    if character.isascii():
        return character.lower() if character.isalnum() else ""
    return "".join(lazy_pinyin(character, style=Style.FIRST_LETTER, errors="ignore"))[:1].lower()


def name_initials(name: str) -> str:
    """First letters of the name's pinyin, lower-case, surnames read as surnames; at most one each.

    A character without a known reading, a dot or a space gives nothing.
    """
    name = half_width(name).strip()
    if name[:2] in _DOUBLE_SURNAMES:
        return _DOUBLE_SURNAMES[name[:2]] + "".join(map(_initial, name[2:]))
    head = _SURNAMES.get(name[:1]) or "".join(map(_initial, name[:1]))
    return head + "".join(map(_initial, name[1:]))


def id_number_findings(number, birth_date: date | None, sex: str) -> list[Finding]:
    """Conflicts of a valid `IdNumber` with the birth date and sex that stand beside it."""
    findings = []
    if birth_date and birth_date != number.birth_date:
        findings.append(
            Finding(
                "birth_date",
                "birth_date_conflict",
                f"与公民身份号码里的出生日期{number.birth_date}不一致。请对照证件核对。",
            )
        )
    if sex and sex != number.sex:
        findings.append(
            Finding(
                "sex",
                "sex_conflict",
                f"与公民身份号码里的性别{number.sex}不一致。请对照证件核对。",
            )
        )
    return findings


def id_number_missing(birth_date: date, day: date) -> bool:
    """Whether somebody is too old on `day` (of a dead child, the day of death) to have no number."""
    return age_on(birth_date, day) >= ID_NUMBER_FROM_AGE


def date_findings(values: dict, today: date) -> list[Finding]:
    """Dates of a resident or a child that lie in the future, and a death before the birth."""
    labels = {
        "birth_date": "出生日期",
        "death_date": "死亡日期",
        "first_marriage_date": "初婚日期",
        "only_child_cert_date": "领证日期",
        "disability_date": "伤残鉴定日期",
    }
    findings = [
        Finding(
            field,
            "date_in_future",
            f"{label}不能晚于今天（{today.year}年{today.month}月{today.day}日）。",
        )
        for field, label in labels.items()
        if values.get(field) and values[field] > today
    ]
    early = death_finding(values.get("birth_date"), values.get("death_date"))
    return [*findings, early] if early else findings


def death_finding(born: date | None, died: date | None) -> Finding | None:
    """A death before the birth."""
    if born and died and died < born:
        return Finding(
            "death_date", "death_before_birth", f"死亡日期不能早于出生日期{born}。请核对。"
        )
    return None


def marriage_warnings(
    sex: str, birth_date: date, marital: str, first_marriage_date: date | None
) -> list[Finding]:
    """What is odd about a marriage; none of it keeps the record out."""
    if first_marriage_date is None:
        return []
    if marital == "未婚":
        return [
            Finding(
                "first_marriage_date",
                "marriage_of_single",
                "婚姻状况是未婚，却填了初婚日期。",
                error=False,
            )
        ]
    age = age_on(birth_date, first_marriage_date)
    if age < MARRIAGE_AGES[sex]:
        return [
            Finding(
                "first_marriage_date",
                "marriage_under_age",
                f"初婚时{max(age, 0)}岁，不到法定婚龄{MARRIAGE_AGES[sex]}岁。",
                error=False,
            )
        ]
    return []


def parent_findings(
    birth_date: date,
    *,
    adopted: bool,
    mother_birth_date: date | None = None,
    father_birth_date: date | None = None,
) -> list[Finding]:
    """Ages of the parents at the birth of an own child; an adoptive parent may have any age."""
    findings = []
    if adopted:
        return findings
    youngest, oldest = MOTHER_AGES
    if mother_birth_date:
        age = age_on(mother_birth_date, birth_date)
        if not youngest <= age <= oldest:
            findings.append(
                Finding(
                    "birth_date",
                    "mother_age",
                    f"母亲生育时{max(age, 0)}岁，应在{youngest}到{oldest}岁之间。请核对出生日期。",
                )
            )
    if father_birth_date:
        age = age_on(father_birth_date, birth_date)
        if age < FATHER_FROM_AGE:
            findings.append(
                Finding(
                    "birth_date",
                    "father_age",
                    f"父亲生育时{max(age, 0)}岁，应满{FATHER_FROM_AGE}岁。请核对出生日期。",
                )
            )
    return findings


def birth_warnings(
    birth_date: date, mother_marital: str, mother_first_marriage_date: date | None
) -> list[Finding]:
    """A birth before the marriage, or of an unmarried mother: odd, and it comes in."""
    if mother_marital == "未婚":
        return [Finding("birth_date", "mother_unmarried", "母亲婚姻状况是未婚。", error=False)]
    if mother_first_marriage_date and birth_date < mother_first_marriage_date:
        return [
            Finding(
                "birth_date",
                "birth_before_marriage",
                f"出生日期早于母亲初婚日期{mother_first_marriage_date}。",
                error=False,
            )
        ]
    return []


def order_finding(
    order: int, birth_date: date, adopted: bool, others: list[tuple[int, date, bool]]
) -> Finding | None:
    """Whether 孩次 is taken, or out of step with the birth dates of the same history.

    `others` are (order, birth date, adopted). Twins may share a day; an adopted child takes a
    place in the count, wherever its birth date falls.
    """
    for other_order, other_date, other_adopted in sorted(others):
        if order == other_order:
            return Finding("order", "order_taken", f"已有第{order}孩的记录，请核对孩次。")
        if adopted or other_adopted:
            continue
        if (order > other_order and birth_date < other_date) or (
            order < other_order and birth_date > other_date
        ):
            return Finding(
                "order",
                "order_out_of_step",
                f"第{other_order}孩出生于{other_date}，孩次应按出生先后。请核对孩次或出生日期。",
            )
    return None


def id_number_parts(text: str, today: date, area_name: str = "") -> list[IdNumberPart]:
    """The number read back in its four parts, each wrong one marked; [] unless 15 or 18 long.

    A 15-digit number is read as the 18 characters it becomes.
    """
    number = normalise_id_number(text)
    try:
        number = parse_id_number(number, today=today).number
        fault = ""
    except InvalidIdNumber as error:
        fault = error.code
    if len(number) == 15 and number.isdigit():
        number = f"{number[:6]}19{number[6:]}"
    if len(number) not in (17, 18):
        return []
    area, born, serial, check = number[:6], number[6:14], number[14:17], number[17:]
    birth = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    sex = ("男" if int(serial) % 2 else "女") if serial.isdigit() else ""
    bad_area = not (area.isdigit() and area[:2] in PROVINCES)
    bad_birth = fault == "idno_birth_date" or not born.isdigit()
    known = check.isdigit() or check in ("X", "")
    bad_check = fault in ("idno_check", "idno_length") or not known
    return [
        IdNumberPart("行政区划", "　".join(filter(None, [area, area_name])), bad_area),
        IdNumberPart("出生日期" + ("　没有这一天" if bad_birth else ""), birth, bad_birth),
        IdNumberPart("顺序码", "　".join(filter(None, [serial, sex])), not serial.isdigit()),
        IdNumberPart("校验位" + ("　不符" if bad_check else ""), check or "—", bad_check),
    ]
