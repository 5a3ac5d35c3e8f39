"""The returns 特殊家庭联系服务月报 and 年报: every figure of the group by village, and what is missing."""

from collections.abc import Sequence

from fpadmin.reporting.registry import Check, Return, register_group, register_return
from fpadmin.reporting.sheets import SheetRow
from households.return_checks import each_row, sums
from households.special.figures import COLUMNS, RATES, special_group

# Of a year's visits and check-ups a month says nothing yet.
MONTHLY_COLUMNS = tuple(c for c in COLUMNS if c.code != "special_visits_short")
# (figure, what is missing, and the words where nothing is)
MISSING = (
    ("special_monthly_contacts_missed", "有{n:,}个户月没有联系记录", "各户每月都有联系记录"),
    ("special_contacts_missing", "有{n:,}户的联系人少于要求的人数", "各户联系人都达到要求的人数"),
    (
        "special_contact_kinds_missing",
        "有{n:,}户的联系人缺少要求的类别",
        "各户联系人都有要求的类别",
    ),
    ("special_archives_missing", "有{n:,}户按条件应建档而没有档案", "按条件应建档的家庭都有档案"),
    (
        "special_archives_unfounded",
        "有{n:,}户有档案而按条件查不到，请核对（手术并发症家庭也在内）",
        "有档案的家庭都符合条件",
    ),
    ("special_medical_cards_missing", "有{n:,}户没有有效的就医卡", "各户都有有效的就医卡"),
    (
        "special_doctors_missing",
        "有{n:,}位父母没有有效的家庭医生签约",
        "父母都有有效的家庭医生签约",
    ),
)
MISSING_IN_THE_YEAR = (
    *MISSING,
    ("special_checkups_missing", "有{n:,}位父母当年还没有体检", "父母当年都已体检"),
    (
        "special_visits_short",
        "有{n:,}户本年度走访慰问少于要求的次数",
        "各户走访慰问都达到要求的次数",
    ),
)


def check_monthly(rows: Sequence[SheetRow]) -> list[Check]:
    """What is missing by the end of the month, the kinds, the family-months and the sums."""
    return _check(rows, MISSING, [c.code for c in MONTHLY_COLUMNS])


def check_annual(rows: Sequence[SheetRow]) -> list[Check]:
    """The same of the statistical year, with visits and check-ups."""
    return _check(rows, MISSING_IN_THE_YEAR, [c.code for c in COLUMNS])


def load() -> None:
    """Make the group and its returns known; called once, when the app is ready."""
    register_group(special_group)
    for code, name, cycle, columns, check in (
        (
            "special-families-monthly",
            "特殊家庭联系服务月报",
            "month",
            MONTHLY_COLUMNS,
            check_monthly,
        ),
        ("special-families-annual", "特殊家庭联系服务年报", "year", COLUMNS, check_annual),
    ):
        register_return(
            Return(code, name, cycle, "户、户月、人、次", (special_group,), columns, check)
        )


def _check(rows: Sequence[SheetRow], missing: Sequence[tuple], codes: Sequence[str]) -> list[Check]:
    return [
        *(_complete(rows, *line) for line in missing),
        each_row(rows, _kinds, "特殊家庭＝死亡＋伤残＋并发症"),
        each_row(rows, _months, "应联系户月＝已联系＋未联系"),
        sums(rows, [code for code in codes if code not in RATES]),
    ]


def _complete(rows: Sequence[SheetRow], code: str, words: str, nothing: str) -> Check:
    """A warning that says how many are missing and where, with their list. It names no family."""
    whole, *below = rows
    number = whole.figures[code]
    if not number:
        return Check("ok", nothing)
    places = "、".join(f"{r.name}{r.figures[code]:,}" for r in below if r.figures[code])
    return Check("warn", words.format(n=number), places, code=code, region=whole.code)


def _kinds(figures: dict) -> tuple[bool, str]:
    whole = figures["special_families"]
    death, disability, complication = (
        figures[f"special_families_{kind}"] for kind in ("death", "disability", "complication")
    )
    text = f"特殊家庭{whole:,}＝死亡{death:,}＋伤残{disability:,}＋并发症{complication:,}"
    return whole == death + disability + complication, text


def _months(figures: dict) -> tuple[bool, str]:
    due, done, missed = (
        figures[f"special_monthly_contacts_{what}"] for what in ("due", "done", "missed")
    )
    return due == done + missed, f"应联系户月{due:,}＝已联系{done:,}＋未联系{missed:,}"
