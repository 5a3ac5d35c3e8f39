"""The indicator group special_families. What each figure counts stands in counted.py, for count and list.

A rate is never told without its numerator and denominator, which are figures of their own, and what is
still missing is one too.
"""

from collections.abc import Collection, Sequence

from django.db.models import Count, Sum

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.reporting.registry import Column, Figure, Indicator, IndicatorGroup, Span
from households.counting import Gathered, add_up, gathered
from households.special import counted
from households.special.counted import PLACE
from households.special.figure_lists import ARCHIVES, links_of_archives, people_of_special
from households.special.rules import rule_book


def _rate(code: str, name: str, done: str, due: str, definition: str) -> Indicator:
    return Indicator(code, name, "%", definition, target="100%", kind="rate", parts=(done, due))


SPECIAL = (
    Indicator("special_families", "计划生育特殊家庭", "户", "期末档案在管的家庭"),
    Indicator("special_families_death", "独生子女死亡家庭", "户", "其中独生子女死亡"),
    Indicator("special_families_disability", "独生子女伤残家庭", "户", "其中独生子女伤残"),
    Indicator("special_families_complication", "手术并发症家庭", "户", "其中手术并发症"),
    Indicator(
        "special_archives_due", "应建档家庭", "户", "期末按条件查到的家庭，加上档案在管的家庭，一户算一次"
    ),
    Indicator("special_archives_done", "查到且已建档家庭", "户", "期末按条件查到、档案在管"),
    _rate(
        "special_archive_rate", "建档率", "special_archives_done", "special_archives_due",
        "查到且已建档家庭÷应建档家庭",
    ),
    Indicator("special_archives_missing", "应建未建家庭", "户", "按条件查到而没有在管档案"),
    Indicator(
        "special_archives_unfounded", "建档待核家庭", "户",
        "有在管档案而按条件查不到；手术并发症家庭也在内",
    ),
    Indicator("special_contacts_done", "联系人足数家庭", "户", "期末联系人不少于要求的人数"),
    _rate(
        "special_contacts_rate", "联系人落实率", "special_contacts_done", "special_families",
        "联系人足数家庭÷特殊家庭",
    ),
    Indicator("special_contacts_missing", "联系人不足家庭", "户", "期末联系人少于要求的人数"),
    Indicator(
        "special_contact_kinds_missing", "联系人类别不全家庭", "户",
        "期末联系人里缺少要求的类别，如街道领导、村居干部",
    ),
    Indicator(
        "special_monthly_contacts_due", "应联系户月", "户月",
        "期内每月月末档案在管的家庭，各月相加",
    ),
    Indicator("special_monthly_contacts_done", "已联系户月", "户月", "应联系户月中，当月至少联系过一次"),
    _rate(
        "special_monthly_contact_rate", "月联系率", "special_monthly_contacts_done",
        "special_monthly_contacts_due", "已联系户月÷应联系户月",
    ),
    Indicator("special_monthly_contacts_missed", "未联系户月", "户月", "应联系户月中，当月没有联系"),
    Indicator(
        "special_medical_cards_done", "有就医卡家庭", "户", "期末有就医卡，没有停用，也没有过期"
    ),
    _rate(
        "special_medical_card_rate", "就医卡发放率", "special_medical_cards_done",
        "special_families", "有就医卡家庭÷特殊家庭",
    ),
    Indicator("special_medical_cards_missing", "无就医卡家庭", "户", "期末没有有效的就医卡"),
    Indicator(
        "special_parents", "特殊家庭父母", "人", "在管档案的父母，期末在世、在册"
    ),
    Indicator("special_doctors_done", "签约父母", "人", "期末家庭医生签约有效"),
    _rate(
        "special_doctor_rate", "特殊家庭家庭医生签约率", "special_doctors_done", "special_parents",
        "签约父母÷特殊家庭父母",
    ),
    Indicator("special_doctors_missing", "未签约父母", "人", "期末没有有效的家庭医生签约"),
    Indicator("special_checkups_done", "体检父母", "人", "期末所在的公历年内、到期末为止体检过"),
    _rate(
        "special_checkup_rate", "查体率", "special_checkups_done", "special_parents",
        "体检父母÷特殊家庭父母",
    ),
    Indicator("special_checkups_missing", "未体检父母", "人", "当年到期末还没有体检"),
    Indicator(
        "special_visits", "走访慰问次数", "次", "期内节日慰问、生病探望、紧急帮扶的联系记录"
    ),
    Indicator(
        "special_visits_short", "走访慰问不足家庭", "户",
        "期末所在的统计年度内、到期末为止，走访慰问少于要求的次数",
    ),
)  # fmt: skip
FILES, CONTACT, CARE = "档案", "联系", "照护"
FAMILIES, PARENTS = "特殊家庭", "父母"
COLUMNS = (
    Column("special_families", "合计", FAMILIES, FILES),
    Column("special_families_death", "死亡", FAMILIES, FILES),
    Column("special_families_disability", "伤残", FAMILIES, FILES),
    Column("special_families_complication", "并发症", FAMILIES, FILES),
    Column("special_archives_due", "应建档", "建档", FILES),
    Column("special_archives_done", "已建档", "建档", FILES),
    Column("special_archives_missing", "应建未建", "建档", FILES),
    Column("special_archives_unfounded", "待核", "建档", FILES),
    Column("special_archive_rate", "建档率（%）", "建档", FILES),
    Column("special_contacts_done", "足数", "联系人（户）", CONTACT),
    Column("special_contacts_missing", "不足", "联系人（户）", CONTACT),
    Column("special_contacts_rate", "落实率（%）", "联系人（户）", CONTACT),
    Column("special_contact_kinds_missing", "类别不全", "联系人（户）", CONTACT),
    Column("special_monthly_contacts_due", "应联系", "每月联系（户月）", CONTACT),
    Column("special_monthly_contacts_done", "已联系", "每月联系（户月）", CONTACT),
    Column("special_monthly_contacts_missed", "未联系", "每月联系（户月）", CONTACT),
    Column("special_monthly_contact_rate", "月联系率（%）", "每月联系（户月）", CONTACT),
    Column("special_visits", "次数", "走访慰问", CONTACT),
    Column("special_visits_short", "不足（户）", "走访慰问", CONTACT),
    Column("special_medical_cards_done", "已发", "就医卡（户）", CARE),
    Column("special_medical_cards_missing", "未发", "就医卡（户）", CARE),
    Column("special_medical_card_rate", "发放率（%）", "就医卡（户）", CARE),
    Column("special_parents", "合计", PARENTS, CARE),
    Column("special_doctors_done", "已签约", PARENTS, CARE),
    Column("special_doctors_missing", "未签约", PARENTS, CARE),
    Column("special_doctor_rate", "签约率（%）", PARENTS, CARE),
    Column("special_checkups_done", "已体检", PARENTS, CARE),
    Column("special_checkups_missing", "未体检", PARENTS, CARE),
    Column("special_checkup_rate", "查体率（%）", PARENTS, CARE),
)
MISSED = "special_monthly_contacts_missed"
RATES = {i.code: i.parts for i in SPECIAL if i.kind == "rate"}


def compute_special(
    regions: Sequence[Region], span: Span, codes: Collection[str] = ()
) -> dict[str, dict[str, Figure]]:
    """The group special_families for all of `regions`; see IndicatorGroup.compute."""
    wanted = set(codes) or {i.code for i in SPECIAL}
    needed = wanted | {part for code in wanted for part in RATES.get(code, ())}
    if MISSED in needed:
        needed |= {"special_monthly_contacts_due", "special_monthly_contacts_done"}
    places = gathered(regions)
    figures: dict[str, dict[str, Figure]] = {region.code: {} for region in regions}
    for records, aggregates in _sums(places, span, needed):
        for region, row in add_up(places, records, aggregates, PLACE).items():
            figures[region] |= row
    for row in figures.values():
        if "found" in row:
            found, archived, done = row["found"], row["archived"], row["special_archives_done"]
            row["special_archives_missing"] = found - done
            row["special_archives_unfounded"] = archived - done
            row["special_archives_due"] = found + archived - done
        if MISSED in needed:
            row[MISSED] = row["special_monthly_contacts_due"] - row["special_monthly_contacts_done"]
        for code in RATES.keys() & wanted:
            done, due = (row[part] for part in RATES[code])
            row[code] = done / due * 100 if due else None
    in_order = [i.code for i in SPECIAL if i.code in wanted]
    return {region: {code: row[code] for code in in_order} for region, row in figures.items()}


def _sums(places: Gathered, span: Span, needed: Collection[str]):
    """(records, {code: aggregate}) of each query that `needed` takes."""
    day, book = span.as_of, rule_book(span.as_of)
    archives = needed & ARCHIVES
    families = _counts(counted.of_the_families(day, book, places), needed)
    if archives:
        families["archived"] = Count("household", distinct=True)
    parents = _counts(counted.of_the_parents(day), needed)
    months = {
        code: Sum(expression)
        for code, expression in counted.of_the_span(span).items()
        if code in needed
    }
    if families:
        yield counted.families_on(day), families
    if archives:
        # Searched for once, which is dear; the other figures follow from these three.
        both = Count("pk", filter=counted.is_archived(day))
        found = {"found": Count("pk"), "special_archives_done": both}
        yield counted.households_found(day, book, places), found
    if parents:
        yield counted.parents_on(day), parents
    if months:
        yield counted.all_families(span), months


def _counts(conditions: dict, needed: Collection[str]) -> dict[str, Count]:
    return {
        code: Count("pk", filter=condition) if condition else Count("pk")
        for code, condition in conditions.items()
        if code in needed
    }


special_group = IndicatorGroup(
    "special_families", "特殊家庭", SPECIAL, COLUMNS, compute_special, people_of_special,
    links_of_archives, Permission.SPECIAL_LIST,
)  # fmt: skip
