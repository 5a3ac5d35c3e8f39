"""The returns of the registry: 人口与出生情况 by month and of the statistical year, and 总人口账."""

from collections.abc import Sequence

from fpadmin.reporting.registry import (
    Check,
    Column,
    Return,
    register_group,
    register_return,
)
from fpadmin.reporting.sheets import SheetRow
from households.balance import balance_group
from households.indicators import births_group, population_group
from households.ledger import ADDED, CLASSES, COLUMNS, SHEET_COLUMNS, TAKEN, code_of
from households.ledger_lists import ledger_group
from households.ledger_locks import frozen
from households.return_checks import each_row, sums

BORN = "本月出生"
LEDGER = "总人口账"
MONTHLY_COLUMNS = (
    Column("opening", "期初"),
    Column("births", "合计", BORN),
    Column("births_boys", "男", BORN),
    Column("births_girls", "女", BORN),
    Column("births_order_1", "一孩", BORN),
    Column("births_order_2", "二孩", BORN),
    Column("births_order_3_plus", "多孩", BORN),
    Column("other_additions", "其他增加"),
    Column("deaths", "死亡"),
    Column("other_losses", "合计", "其他减少"),
    Column("births_not_registered", "出生未登记", "其他减少"),
    Column("closing", "期末"),
    # The ledger's own, which a lock holds fast: why the two openings may differ.
    Column("ledger_opening_all", "期初", LEDGER),
    Column("ledger_late_additions_all", "补报增加", LEDGER),
    Column("ledger_late_losses_all", "补报减少", LEDGER),
)
ANNUAL_COLUMNS = (*population_group.columns, *births_group.columns)
# Sums of a region's villages; rates and distinct numbers are not.
NOT_SUMS = {"only_child_certificates", "within_policy_rate", "sex_ratio_at_birth"}


def check_monthly(rows: Sequence[SheetRow]) -> list[Check]:
    """The balance, the births and the sums of a month, and births whose child isn't registered."""
    return [
        _births_not_registered(rows),
        _agrees_with_ledger(rows[0]),
        each_row(rows, _balance, "期末＝期初＋出生＋其他增加－死亡－其他减少"),
        each_row(rows, _births, "出生＝男＋女＝一孩＋二孩＋多孩"),
        sums(rows, [c.code for c in MONTHLY_COLUMNS]),
    ]


def check_annual(rows: Sequence[SheetRow]) -> list[Check]:
    """The births, the parts of the population and the sums of a year."""
    summed = [c.code for c in ANNUAL_COLUMNS if c.code not in NOT_SUMS]
    return [
        each_row(rows, _births, "出生＝男＋女＝一孩＋二孩＋多孩"),
        each_row(rows, _hukou, "总人口＝农业＋非农业＋流入"),
        each_row(rows, _women, "已婚育龄妇女＝农业＋非农业＋流动"),
        sums(rows, summed),
    ]


def check_ledger(rows: Sequence[SheetRow]) -> list[Check]:
    """The balance of every class, the classes as parts of the whole, the sums, and late reports."""
    return [
        *_late(rows),
        each_row(rows, _ledger_balance, "期末＝期初＋各项增加－各项减少"),
        each_row(rows, _ledger_classes, "合计＝男＋女＝农业＋非农业＋流入"),
        sums(rows, [c.code for c in SHEET_COLUMNS]),
    ]  # fmt: skip


def load() -> None:
    """Make the groups and returns known; called once, when the app is ready."""
    register_group(population_group)
    register_group(births_group)
    register_return(
        Return(
            "population-monthly", "人口与出生情况月报", "month", "人",
            (births_group, population_group, balance_group, ledger_group), MONTHLY_COLUMNS, check_monthly,
        )
    )  # fmt: skip
    register_return(
        Return(
            "population-annual", "人口与出生情况年报", "year", "人、户、份",
            (population_group, births_group), ANNUAL_COLUMNS, check_annual,
        )
    )  # fmt: skip
    register_return(
        Return(
            "population-ledger", "总人口账", "month", "人", (ledger_group,), SHEET_COLUMNS, check_ledger,
            frozen,
        )
    )  # fmt: skip


def _balance(figures: dict) -> tuple[bool, str]:
    f = figures
    right = f["opening"] + f["births"] + f["other_additions"] - f["deaths"] - f["other_losses"]
    return f["closing"] == right, (
        f"期末{f['closing']:,}＝期初{f['opening']:,}＋出生{f['births']:,}"
        f"＋其他增加{f['other_additions']:,}－死亡{f['deaths']:,}－其他减少{f['other_losses']:,}"
    )


def _ledger_balance(figures: dict) -> tuple[bool, str]:
    def holds(key: str) -> bool:
        added = sum(figures[code_of(column, key)] for column in ("opening", *ADDED))
        taken = sum(figures[code_of(column, key)] for column in TAKEN)
        return figures[code_of("closing", key)] == added - taken

    whole = {column: f"{figures[code_of(column)]:,}" for column in COLUMNS}
    late = "＋补报增加{late_additions}－补报减少{late_losses}" if _has_late(figures) else ""
    text = (
        "期末{closing}＝期初{opening}"
        + late
        + "＋出生{births}＋迁入{moved_in}＋其他增加{other_additions}"
        "－死亡{deaths}－迁出{moved_out}－其他减少{other_losses}，各类也相符"
    )
    return all(holds(key) for key in CLASSES), text.format(**whole)


def _ledger_classes(figures: dict) -> tuple[bool, str]:
    def parts(column: str, *keys: str) -> int:
        return sum(figures[code_of(column, key)] for key in keys)

    # Whoever changes class within the village adds to one class and is lost to another.
    additive = [
        c
        for c in COLUMNS
        if c not in ("other_additions", "other_losses", "late_additions", "late_losses")
    ]
    holds = all(
        figures[code_of(c)] == parts(c, "male", "female") == parts(c, "farming", "urban", "inflow")
        for c in additive
    )
    f = {key: f"{figures[code_of('closing', key)]:,}" for key in CLASSES}
    text = "期末{all}＝男{male}＋女{female}＝农业{farming}＋非农业{urban}＋流入{inflow}"
    return holds, text.format(**f)


def _has_late(figures: dict) -> bool:
    return any(figures[code_of(c, k)] for c in ("late_additions", "late_losses") for k in CLASSES)


def _late(rows: Sequence[SheetRow]) -> list[Check]:
    whole, *below = rows
    if not _has_late(whole.figures):
        return []
    column = "late_additions" if whole.figures[code_of("late_additions")] else "late_losses"
    places = "、".join(r.name for r in below if _has_late(r.figures))
    return [
        Check(
            "warn",
            "上月锁定以后又有改变上月末人数的登记，计入补报",
            places,
            code=code_of(column) if whole.figures[code_of(column)] else "",
            region=whole.code if whole.figures[code_of(column)] else "",
        )
    ]


def _births(figures: dict) -> tuple[bool, str]:
    f = figures
    orders = [f["births_order_1"], f["births_order_2"], f["births_order_3_plus"]]
    holds = f["births"] == f["births_boys"] + f["births_girls"] == sum(orders)
    return holds, (
        f"出生{f['births']:,}＝男{f['births_boys']:,}＋女{f['births_girls']:,}"
        f"＝一孩{orders[0]:,}＋二孩{orders[1]:,}＋多孩{orders[2]:,}"
    )


def _hukou(figures: dict) -> tuple[bool, str]:
    whole = figures["population"]
    parts = [figures[c] for c in ("hukou_agricultural", "hukou_non_agricultural", "inflow")]
    text = f"总人口{whole:,}＝农业{parts[0]:,}＋非农业{parts[1]:,}＋流入{parts[2]:,}"
    return whole == sum(parts), text


def _women(figures: dict) -> tuple[bool, str]:
    code = "women_married_15_49"
    parts = [figures[f"{code}_{p}"] for p in ("agricultural", "non_agricultural", "inflow")]
    text = f"已婚育龄妇女{figures[code]:,}＝农业{parts[0]:,}＋非农业{parts[1]:,}＋流动{parts[2]:,}"
    return figures[code] == sum(parts), text


def _agrees_with_ledger(whole: SheetRow) -> Check:
    """The opening is the ledger's with what was reported late, unless the ledger is locked since."""
    f = whole.figures
    opening, added, taken = (
        f[f"ledger_{c}_all"] for c in ("opening", "late_additions", "late_losses")
    )
    sum_ = f"总人口账期初{opening:,}＋补报增加{added:,}－补报减少{taken:,}"
    if f["opening"] == opening + added - taken:
        return Check("ok", f"期初{f['opening']:,}＝{sum_}")
    return Check(
        "warn",
        f"期初{f['opening']:,}与{sum_}不同",
        "本月总人口账锁定以后，又补报了以前的变动。月报按现在的登记计算；补报在下一个月的总人口账里列出。",
        code="opening",
        region=whole.code,
    )


def _births_not_registered(rows: Sequence[SheetRow]) -> Check:
    whole, *below = rows
    number = whole.figures["births_not_registered"]
    if not number:
        return Check("ok", "本月出生的孩子都已登记为居民")
    places = [r for r in below if r.figures["births_not_registered"]] or [whole]
    return Check(
        "warn",
        f"有{number:,}条出生记录，孩子没有在母亲（或父亲）的村登记为居民",
        "、".join(f"{r.name}{r.figures['births_not_registered']:,}" for r in places)
        + "。补登居民，或更正出生记录；在登记以前计入其他减少。",
        code="births_not_registered",
        region=whole.code,
    )
