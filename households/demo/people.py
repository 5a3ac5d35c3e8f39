"""Invented persons: what one is made of, their names, and ID numbers of counties never issued."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from fpadmin.identity import check_character

_SURNAMES = (
    "王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘于蒋蔡余杜叶程苏魏"
    "吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱"
)
_MALE = "伟强军勇杰涛明超刚平辉鹏华飞波斌宇浩凯健俊帆志文建国永庆云生海东正学兴光德友富贵荣"
_FEMALE = "芳娜敏静丽艳娟霞秀英慧巧美玲红莉燕玉兰凤洁梅琳素云莲珍雪荣爱妹香月莺媛瑞凡佳嘉琼勤"
_ETHNIC_GROUPS = ("汉",) * 77 + ("彝",) * 14 + ("苗",) * 4 + ("回",) * 3 + ("白",) * 2


@dataclass(eq=False, slots=True)
class Person:
    """A person of the invented registry; one with `registered` False is known by number only."""

    name: str
    sex: str
    birth_date: date
    id_number: str
    relation: str = "其他"
    marital: str = "未婚"
    hukou: str = "农业"
    residence: str = "常住"
    hukou_region_code: str = ""
    ethnicity: str = "汉"
    death_date: date | None = None
    first_marriage_date: date | None = None
    moved_on: date | None = None  # since when 流入 or 流出
    spouse: "Person | None" = None
    father: "Person | None" = None
    mother: "Person | None" = None
    education: str = ""
    employment: str = ""
    phone: str = ""
    only_child_cert_no: str = ""
    only_child_cert_date: date | None = None
    disability_grade: str = ""
    bank: str = ""
    bank_account: str = ""
    registered: bool = True
    pk: int = 0  # given by the loader


@dataclass(eq=False, slots=True)
class Birth:
    """A line of a woman's birth history."""

    mother: Person
    father: Person | None
    child: Person
    order: int
    origin: str = "亲生"
    within_policy: bool = True
    hospital: str = ""
    death_date: date | None = None
    disability_grade: str = ""
    disability_date: date | None = None


@dataclass(eq=False, slots=True)
class Family:
    """A household: its people, and the births of its women."""

    people: list[Person]
    births: list[Birth] = field(default_factory=list)
    number: str = ""
    group: int = 0
    low_income: bool = False
    low_income_since: date | None = None


class IdNumbers:
    """Issues valid numbers of never-issued counties, each once: the n-th of an area, day and sex."""

    def __init__(self):
        self._issued: dict[tuple[str, date, str], int] = {}

    def issue(self, area: str, birth_date: date, sex: str) -> str:
        """The next number. ValueError past the 499 that three digits hold for a day and sex."""
        key = (area, birth_date, sex)
        n = self._issued[key] = self._issued.get(key, 0) + 1
        if n > 499:
            raise ValueError(f"area {area} has no number left for {birth_date}")
        first17 = f"{area}{birth_date:%Y%m%d}{2 * n + (sex == '男'):03d}"
        return first17 + check_character(first17)


def name_of(rng: Random, sex: str, surname: str = "") -> str:
    """A name of two or three characters."""
    given = _MALE if sex == "男" else _FEMALE
    name = (surname or rng.choice(_SURNAMES)) + rng.choice(given)
    return name + rng.choice(given) if rng.random() < 0.7 else name


def ethnicity_of(rng: Random) -> str:
    return rng.choice(_ETHNIC_GROUPS)


def phone_of(rng: Random) -> str:
    """A number of a block that no operator sells."""
    return f"1300{rng.randrange(10_000_000):07d}"


def account_of(rng: Random) -> str:
    return f"629999{rng.randrange(10**13):013d}"


def days_between(rng: Random, first: date, last: date) -> date:
    """A day from `first` to `last`, both included; `first` where there is none between."""
    return first + timedelta(rng.randint(0, max((last - first).days, 0)))
