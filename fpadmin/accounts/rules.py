"""Pure decisions about accounts and regions: login names, roles at levels, codes of the region tree."""

import re

from fpadmin.accounts.models import CODE_LENGTHS, Region
from fpadmin.accounts.permissions import ROLE_LEVELS, Role
from fpadmin.errors import RuleViolation

USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,49}")
LEVEL_OF_LENGTH = {length: level for level, length in CODE_LENGTHS.items()}


def normal_username(text: str) -> str:
    """The login name as it is stored and compared: without blanks around it, in lower case."""
    return text.strip().lower()


def check_username(username: str) -> str:
    """The normal form of a new login name. Raises RuleViolation with what is allowed."""
    username = normal_username(username)
    if not USERNAME.fullmatch(username):
        raise RuleViolation(
            "登录名用3到50个小写字母、数字、点、横线或下划线，以字母开头。", field="username"
        )
    return username


def check_role_region(role: str, region: Region) -> None:
    """An account of `role` may stand at `region`: villages for 宣传员, townships for 经办 and 审核,
    counties and above for the rest. Raises RuleViolation otherwise."""
    levels = ROLE_LEVELS[role]
    if region.level not in levels:
        words = "、".join(Region.Level(level).label for level in sorted(levels, reverse=True))
        raise RuleViolation(
            f"{Role(role).label}的账号要设在{words}级，{region.name}是{region.get_level_display()}级。",
            field="region",
        )


def level_of_code(code: str) -> int:
    """The level that the length of a national code says. Raises RuleViolation for no such code."""
    level = LEVEL_OF_LENGTH.get(len(code))
    if level is None or not re.fullmatch(r"[1-9][0-9]*", code):
        raise RuleViolation(
            f"区划代码“{code}”不对：应为2、4、6、9或12位数字，村民小组为14位。", field="code"
        )
    return level


def parent_code(code: str) -> str:
    """The code of the region directly above; "" for a province."""
    level = level_of_code(code)
    return code[: CODE_LENGTHS[level - 1]] if level > 1 else ""
