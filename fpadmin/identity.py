"""National codes: citizen ID numbers (GB 11643-1999), provinces (GB/T 2260), ethnic groups (GB/T 3304)."""

from dataclasses import dataclass
from datetime import date
from operator import mul

_PROVINCES = """
    11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63
    64 65 71 81 82 83
"""
PROVINCES = frozenset(_PROVINCES.split())
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_HALF_WIDTH = str.maketrans({chr(0xFF01 + i): chr(0x21 + i) for i in range(94)} | {"\u3000": " "})

_ETHNIC_GROUPS = """
    汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白
    土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇
    柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒
    乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺
    其他 外国血统
"""
ETHNIC_GROUPS = _ETHNIC_GROUPS.split()
ETHNIC_GROUP_SET = frozenset(ETHNIC_GROUPS)


class InvalidIdNumber(ValueError):
    """The number cannot be one: `code` names the fault, str() is the sentence for the user."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class IdNumber:
    """A valid 18-character number and what it says. sex is 男 or 女."""

    number: str
    birth_date: date
    sex: str


def half_width(text: str) -> str:
    """Full-width digits, letters, punctuation and spaces as their half-width forms."""
    return text.translate(_HALF_WIDTH)


def normalise_id_number(text: str) -> str:
    """Half-width, upper-case X, without spaces or dashes; not yet checked."""
    if text.isascii() and text.isalnum():
        return text.upper()
    return half_width(text).replace(" ", "").replace("-", "").upper()


def check_character(first17: str) -> str:
    """The 18th character of GB 11643-1999 for 17 digits."""
    return _CHECK[sum(map(mul, _WEIGHTS, map(int, first17))) % 11]


def parse_id_number(text: str, *, today: date) -> IdNumber:
    """The number in `text` (15 digits are upgraded to 18). Raises InvalidIdNumber.

    The area part may be a former county, so only its province is looked at (GB/T 2260).
    """
    number = normalise_id_number(text)
    if len(number) == 15 and number.isascii() and number.isdigit():
        number = f"{number[:6]}19{number[6:]}"
        number += check_character(number)
    if len(number) != 18:
        raise InvalidIdNumber("idno_length", f"应为18位，现在是{len(number)}位。请对照证件补齐。")
    if not (
        number[:17].isascii()
        and number[:17].isdigit()
        and (number[17].isdigit() or number[17] == "X")
    ):
        raise InvalidIdNumber("idno_characters", "只能是数字，末位可为X。请对照证件核对。")
    if number[:2] not in PROVINCES:
        raise InvalidIdNumber("idno_province", f"前两位{number[:2]}不是省级代码。请对照证件核对。")
    try:
        birth_date = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise InvalidIdNumber(
            "idno_birth_date", f"第7到14位{number[6:14]}没有这一天。请对照证件核对。"
        ) from None
    if birth_date > today:
        raise InvalidIdNumber(
            "idno_birth_date", f"出生日期{birth_date}在今天之后。请对照证件核对。"
        )
    if check_character(number[:17]) != number[17]:
        raise InvalidIdNumber("idno_check", "校验位不符。请对照证件核对。")
    return IdNumber(number, birth_date, "男" if int(number[16]) % 2 else "女")


def mask_id_number(number: str) -> str:
    """The first six and the last four characters; the rest starred."""
    return (
        f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"
        if len(number) > 10
        else "*" * len(number)
    )


def mask_phone(phone: str) -> str:
    """The first three and the last four digits."""
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) > 7 else "*" * len(phone)


def mask_account(account: str) -> str:
    """The first four and the last four digits."""
    return f"{account[:4]}****{account[-4:]}" if len(account) > 8 else "*" * len(account)
