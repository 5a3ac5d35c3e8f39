"""Password rules beyond Django's own (composition of the 等保 profile, history) and temporary ones."""

import re
import secrets

from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from pypinyin import lazy_pinyin

from fpadmin.accounts.models import Region

HISTORY = 5
_CLASSES = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^a-zA-Z0-9]")
_YEAR = re.compile(r"(19|20)\d\d")
_SUFFIXES = (
    "街道",
    "地区",
    "自治州",
    "自治县",
    "省",
    "市",
    "州",
    "县",
    "区",
    "镇",
    "乡",
    "社区",
    "村",
)
# Without 0 O 1 l I, which are misread when the password is handed over on paper.
_LOWER, _UPPER, _DIGITS = "abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789"


class CompositionValidator:
    """Three of four kinds of characters, without the login name, without place name and year."""

    def validate(self, password, user=None):
        if sum(bool(re.search(kind, password)) for kind in _CLASSES) < 3:
            raise ValidationError(
                "密码要有大写字母、小写字母、数字、符号中的三种。", code="password_composition"
            )
        if user is None:
            return
        plain = password.lower()
        name = (user.username or "").lower()
        if len(name) >= 3 and name in plain:
            raise ValidationError("密码不能包含登录名。", code="password_has_username")
        if _YEAR.search(plain) and any(place in plain for place in _place_names(user)):
            raise ValidationError(
                "密码不能用地名拼音加年份，这种密码最容易被猜到。", code="password_has_place"
            )

    def get_help_text(self):
        return "至少10个字符，含大写字母、小写字母、数字、符号中的三种，不含登录名，不用地名拼音加年份。"


class HistoryValidator:
    """Not the password in use and none of the last five of the same account."""

    def validate(self, password, user=None):
        if user is None or user.pk is None:
            return
        old = user.old_passwords.order_by("-pk").values_list("password", flat=True)[:HISTORY]
        if any(check_password(password, used) for used in [user.password, *old]):
            raise ValidationError(
                f"新密码不能与最近{HISTORY}次用过的密码相同。", code="password_used_before"
            )

    def get_help_text(self):
        return f"不能与最近{HISTORY}次用过的密码相同。"


def temporary_password() -> str:
    """A random one-time password: four groups of four that can be read out on the telephone."""
    letters = _LOWER + _UPPER + _DIGITS
    groups = [
        secrets.choice(_UPPER)
        + secrets.choice(_LOWER)
        + secrets.choice(_DIGITS)
        + secrets.choice(letters)
        for _ in range(4)
    ]
    return "-".join(groups)


def _place_names(user) -> set[str]:
    """Pinyin of the places of the account's region and above, with and without their 镇, 县 …"""
    if user.region_id is None:
        return set()
    codes = user.region.path.strip(".").split(".")
    names = set(Region.objects.filter(code__in=codes).values_list("name", flat=True))
    for name in list(names):
        names |= {name.removesuffix(end) for end in _SUFFIXES if len(name) > len(end) + 1}
    return {pinyin for n in names if len(pinyin := "".join(lazy_pinyin(n)).lower()) >= 4}
