"""The lists of residents and households as page, export and batch acts know them."""

from django.db.models import Exists, OuterRef, QuerySet

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.identity import mask_account, mask_id_number, mask_phone
from fpadmin.ui import acts, listing
from fpadmin.ui.acts import Act
from fpadmin.ui.listing import BANK, HEALTH, Asked, ListColumn, ListSpec
from households import batch, searches
from households.filters import HouseholdFilter, ResidentFilter
from households.models import Household, LowIncomeSpell, Resident
from households.presenters import ethnic_group_word, place_of
from households.services import printing
from households.tables import HouseholdTable, ResidentTable


def residents(asked: Asked) -> QuerySet:
    """Residents of the user's region."""
    return Resident.objects.visible_to(asked.user).for_list()


def households(asked: Asked) -> QuerySet:
    """Households of the user's region, with their heads, sizes and whether they draw 低保."""
    drawing = LowIncomeSpell.objects.filter(household=OuterRef("pk"), ended_on__isnull=True)
    return (
        Household.objects.visible_to(asked.user)
        .for_list(asked.day)
        .annotate(draws_low_income=Exists(drawing))
    )


def _place(village: str, group: str | None, *_) -> str:
    return f"{village}　{group}" if group else village


RESIDENT_COLUMNS = (
    ListColumn("name", "姓名", ("name",), fixed=True),
    ListColumn("sex", "性别", ("sex",), width=6),
    ListColumn("age", "年龄", ("birth_date",), kind="age", width=6),
    ListColumn("birth_date", "出生日期", ("birth_date",), kind="date", shown=False),
    ListColumn(
        "id_number", "公民身份号码", ("id_number",), kind="code", mask=mask_id_number, width=22
    ),
    ListColumn("place", "村组", ("village__name", "household__group__name"), write=_place, width=18),
    ListColumn("household", "户编号", ("household__number",), kind="code", width=10),
    ListColumn("relation", "与户主关系", ("relation",), width=10),
    ListColumn("hukou", "户口性质", ("hukou",), width=10),
    ListColumn("residence", "居住状态", ("residence",), width=10),
    ListColumn("marital", "婚姻状况", ("marital",), width=10),
    ListColumn(
        "first_marriage_date", "初婚日期", ("first_marriage_date",), kind="date", shown=False
    ),
    ListColumn(
        "ethnicity", "民族", ("ethnicity",), shown=False, write=ethnic_group_word, width=10
    ),
    ListColumn("education", "文化程度", ("education",), shown=False),
    ListColumn("employment", "就业状况", ("employment",), shown=False),
    ListColumn("phone", "手机", ("phone",), kind="code", shown=False, mask=mask_phone, width=14),
    ListColumn(
        "hukou_region_code", "户籍地代码", ("hukou_region_code",), kind="code", shown=False, width=16
    ),
    ListColumn(
        "only_child_cert_no", "独生子女证", ("only_child_cert_no",), kind="code", shown=False,
        width=18,
    ),
    ListColumn("only_child_cert_date", "领证日期", ("only_child_cert_date",), kind="date", shown=False),
    ListColumn(
        "disability_grade", "残疾等级", ("disability_grade",), shown=False, sensitive=HEALTH
    ),
    ListColumn("bank", "开户行", ("bank",), shown=False, sensitive=BANK, width=20),
    ListColumn(
        "bank_account", "账号", ("bank_account",), kind="code", shown=False, mask=mask_account,
        sensitive=BANK, width=24,
    ),
    ListColumn("death_date", "死亡日期", ("death_date",), kind="date", shown=False),
    ListColumn("created_at", "登记时间", ("created_at",), kind="time", shown=False, width=18),
    # In a file each of its words has a column of its own.
    ListColumn(
        "marks", "标记", ("only_child_cert_no", "disability_grade", "death_date", "departed_on"),
        in_file=False,
    ),
)  # fmt: skip
HOUSEHOLD_COLUMNS = (
    ListColumn("number", "户编号", ("number",), kind="code", fixed=True, width=10),
    ListColumn("head", "户主", ("head_name",)),
    ListColumn("place", "村组", ("village__name", "group__name"), write=_place, width=18),
    ListColumn("group", "小组", ("group__name",), shown=False),
    ListColumn("member_count", "人口", ("member_count",), kind="number", width=6),
    ListColumn("address", "地址", ("address",), width=30),
    ListColumn(
        "low_income", "低保", ("draws_low_income",), shown=False, width=6,
        write=lambda drawn: "享受" if drawn else "",
    ),
    ListColumn("created_at", "登记时间", ("created_at",), kind="time", shown=False, width=18),
)  # fmt: skip


def load() -> None:
    """Register the lists and what may be done with their rows. Called once, by ready()."""
    register_types(printing.EVENT_TYPES, printing.CHANGE_LABELS)
    searches.register_list("residents", "households:resident-list", ResidentFilter)
    searches.register_list("households", "households:household-list", HouseholdFilter)
    listing.register(
        ListSpec(
            key="residents",
            title="居民",
            unit="人",
            permission=Permission.REGISTRY_VIEW,
            url_name="households:resident-list",
            queryset=residents,
            table_class=ResidentTable,
            filter_class=ResidentFilter,
            columns=RESIDENT_COLUMNS,
            place_of=lambda one: f"{place_of(one.village, one.household.group)}　{one.household}",
            sensitive={"disability": HEALTH},
        )
    )
    listing.register(
        ListSpec(
            key="households",
            title="家庭",
            unit="户",
            permission=Permission.REGISTRY_VIEW,
            url_name="households:household-list",
            queryset=households,
            table_class=HouseholdTable,
            filter_class=HouseholdFilter,
            columns=HOUSEHOLD_COLUMNS,
            place_of=lambda one: place_of(one.village, one.group),
        )
    )
    for act in (
        Act(
            "residents", "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        ),
        Act(
            "residents", "print", "打印名册", Permission.REGISTRY_VIEW,
            opens="households:resident-print", for_all=True, order=90,
        ),
        Act(
            "households", "regroup", "批量改小组", Permission.REGISTRY_EDIT,
            form=batch.RegroupForm, check=batch.regroup_refusals, apply=batch.regroup,
            effect="所选的户改为", order=10,
        ),
        Act(
            "households", "export", "导出所选", Permission.EXPORT, opens="exports:export-create",
            takes_key=True, order=80,
        ),
        Act(
            "households", "print", "打印户表", Permission.REGISTRY_VIEW,
            opens="households:household-print", for_all=True, order=90,
        ),
    ):  # fmt: skip
        acts.register(act)
