"""What another department's words say, read once: pure, "" or None where they say nothing of it."""

import re

from households.models import Hukou

# Longer words first: 非农转农业 holds 非农 and 农业, and its end says what holds now.
_HUKOU = re.compile("农转非|非转农|非农业|非农|农业|城镇户|非农户|农村户|农户")
_NOT_FARMING = {"农转非", "非农业", "非农", "非农户", "城镇户"}
_MOVED = re.compile("迁出|迁入|迁回|落户|恢复户口")
_MARRIED = re.compile("撤销|离婚|复婚|再婚|结婚")
_AGAIN = re.compile("补[领办发]")
# In this order: a resident's pension is no employer's, and who pays in has not retired.
_INSURED = (
    ("无业", re.compile("城乡居民|居民养老|居保|新农保|失业|无业")),
    ("灵活就业", re.compile("^(?!.*退休).*(灵活就业|个体)")),
    ("在职", re.compile("参保|缴费|在职|在岗")),
    ("机关事业退休", re.compile("(机关|事业|公务员|教师).*(退休|养老)|离休")),
    ("企业退休", re.compile("退休|(企业|职工).*养老")),
    ("在职", re.compile("职工|单位|企业|机关|事业")),
)
ENDED = ("停发", "停保", "退出", "取消", "注销", "终止")
_PAID = re.compile("(一次性.*(已|领|发放)|已.*一次性)")


def hukou_in(words: str) -> str:
    """The kind of hukou that the words end with: 农业, 非农业 or ""."""
    found = _HUKOU.findall(words)
    if not found:
        return ""
    return Hukou.NON_AGRICULTURAL if found[-1] in _NOT_FARMING else Hukou.AGRICULTURAL


def moved_out(words: str) -> bool:
    """Whether the last thing they say is that the person's hukou left."""
    found = _MOVED.findall(words)
    return bool(found) and found[-1] == "迁出"


def marriage_in(words: str) -> str:
    """离婚 or 结婚; a certificate issued again is neither. A line without words is a marriage."""
    if _AGAIN.search(words):
        return ""
    found = _MARRIED.findall(words)
    if not words.strip():
        return "结婚"
    if not found or found[-1] == "撤销":
        return ""
    return "离婚" if found[-1] == "离婚" else "结婚"


def employment_in(words: str) -> str:
    """How somebody on the list of social insurance stands, in the registry's words."""
    return next((kind for kind, pattern in _INSURED if pattern.search(words)), "")


def lump_paid(words: str) -> bool:
    """Whether the one-off pension is said to be paid already."""
    return bool(_PAID.search(words))


def low_income_ended(words: str) -> bool:
    """Whether the household no longer draws 低保."""
    return any(word in words for word in ENDED)
