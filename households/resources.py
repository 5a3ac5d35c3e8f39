"""The registry's workbooks, declared: columns in template order, with the words an office uses for them."""

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.imports.kinds import Column, Undo, WorkbookKind, register
from households.birth_import import plan_births, write_births
from households.models import (
    Channel,
    DisabilityGrade,
    FamilyKind,
    Hukou,
    Marital,
    Origin,
    Purpose,
    Relation,
    Residence,
    Sex,
    Survival,
)
from households.resident_import import (
    numbers_in_use,
    plan_residents,
    step_down,
    write_residents,
)
from households.special_import import (
    changed_since,
    plan_families,
    plan_records,
    voided_since,
    write_families,
    write_records,
)

RESIDENTS = WorkbookKind(
    key="residents",
    sheet="居民登记表",
    columns=(
        Column(
            "村居代码", "village_code", "code", required=True, max_length=14,
            aliases=("村（居）代码", "村代码", "社区代码"), note="村或社区的12位代码",
        ),
        Column(
            "小组", "group", aliases=("村民小组", "组别"), max_length=50, note="村民小组的名称或编号",
            uniform=True,
        ),
        Column(
            "户编号", "household_no", required=True, aliases=("户号", "家庭编号"), max_length=30,
            note="本村内不重复",
        ),
        Column("姓名", "name", required=True, max_length=50),
        Column(
            "公民身份号码", "idno", "idno", aliases=("身份证号", "身份证号码", "证件号码"), personal=True,
            note="满16岁必填；15位号码自动升为18位",
        ),
        Column("性别", "sex", "choice", choices=tuple(Sex.values), note="有身份号码时可不填"),
        Column("出生日期", "birth_date", "date", aliases=("出生年月日",), note="有身份号码时可不填"),
        Column(
            "民族", "ethnicity", max_length=20, note="如汉、彝，带不带“族”都可以", uniform=True
        ),
        Column(
            "与户主关系", "relation", "choice", required=True, choices=tuple(Relation.values),
            aliases=("与户主的关系",), note="每户在世成员中只有一位户主",
        ),
        Column(
            "户口性质", "hukou", "choice", required=True, choices=tuple(Hukou.values),
            aliases=("户籍性质",),
        ),
        Column(
            "居住状态", "residence", "choice", required=True, choices=tuple(Residence.values),
            aliases=("人口状态",),
        ),
        Column(
            "户籍地代码", "hukou_region_code", "code", max_length=14,
            note="居住状态为流入时必填，至少6位",
        ),
        Column("婚姻状况", "marital", "choice", required=True, choices=tuple(Marital.values)),
        Column("初婚日期", "first_marriage_date", "date", aliases=("结婚日期",)),
        Column(
            "配偶公民身份号码", "spouse_idno", "idno", aliases=("配偶身份证号",), personal=True,
            note="最近一位配偶，已去世或不在本地登记的也填",
        ),
        Column("父亲公民身份号码", "father_idno", "idno", aliases=("父亲身份证号",), personal=True),
        Column("母亲公民身份号码", "mother_idno", "idno", aliases=("母亲身份证号",), personal=True),
        Column("文化程度", "education", max_length=20),
        Column(
            "就业状况", "employment", max_length=20,
            note="企业退休、企业在职、机关事业、务农、灵活就业、无业、学生等",
        ),
        Column("联系电话", "phone", max_length=30, personal=True),
        Column(
            "独生子女证号", "only_child_cert_no", aliases=("光荣证号",), max_length=40,
            note="独生子女父母光荣证，父母两行都填",
        ),
        Column("领证日期", "only_child_cert_date", "date"),
        Column("残疾等级", "disability_grade", "choice", choices=tuple(DisabilityGrade.values)),
        Column("低保", "dibao", "bool", aliases=("是否低保",), note="是或否"),
        Column("开户行", "bank", max_length=60),
        Column(
            "银行账号", "bank_account", aliases=("社保卡账号", "一卡通账号"), max_length=40, personal=True
        ),
        Column("死亡日期", "death_date", "date"),
        Column("备注", "note", max_length=500),
    ),
    permission=Permission.REGISTRY_EDIT,
    plan=plan_residents,
    write=write_residents,
    undo=Undo(
        models=(
            "households.household", "households.resident", "households.residency",
            "households.lowincomespell",
        ),
        event="resident.import-undone",
        subjects={"households.resident": ("village__path",)},
        swept={"households.duplicate": ("first", "second")},
        settle=step_down,
        more=numbers_in_use,
    ),
    sample={
        "village_code": "539981001201", "group": "2组", "household_no": "00001", "name": "示例",
        "idno": "539981198001010012", "relation": "户主", "hukou": "农业", "residence": "常住",
        "marital": "未婚", "dibao": "否",
    },
    note="一人一行。空白单元格保留原值，写“清空”才会清除。",
    order=20,
)  # fmt: skip

BIRTHS = WorkbookKind(
    key="births",
    sheet="生育登记表",
    columns=(
        Column(
            "母亲公民身份号码", "mother_idno", "idno", aliases=("母亲身份证号",), personal=True,
            note="没有父亲号码时必填",
        ),
        Column(
            "父亲公民身份号码", "father_idno", "idno", aliases=("父亲身份证号",), personal=True,
            note="没有母亲号码时必填",
        ),
        Column("子女姓名", "child_name", max_length=50),
        Column("子女公民身份号码", "child_idno", "idno", aliases=("子女身份证号",), personal=True),
        Column("性别", "sex", "choice", required=True, choices=tuple(Sex.values)),
        Column("出生日期", "birth_date", "date", required=True),
        Column("孩次", "order", "int", required=True, bounds=(1, 15), note="1到15，按出生先后"),
        Column("生育方式", "origin", "choice", choices=tuple(Origin.values), note="不填为亲生"),
        Column("符合政策", "within_policy", "bool", required=True, note="是或否"),
        Column("出生医院", "hospital", max_length=100),
        Column("出生医学证明编号", "birth_certificate_no", max_length=40),
        Column("存活状况", "survival", "choice", required=True, choices=tuple(Survival.values)),
        Column("子女死亡日期", "death_date", "date", note="存活状况为死亡时必填"),
        Column("伤残等级", "disability_grade", "choice", choices=tuple(DisabilityGrade.values)),
        Column("伤残鉴定日期", "disability_date", "date"),
    ),
    permission=Permission.REGISTRY_EDIT,
    plan=plan_births,
    write=write_births,
    undo=Undo(
        models=("households.childrecord",),
        event="birth.import-undone",
        subjects={"households.childrecord": ("mother__village__path", "father__village__path")},
    ),
    sample={
        "mother_idno": "539981198001010020", "child_name": "示例", "sex": "女",
        "birth_date": "2005-06-01", "order": "1", "origin": "亲生", "within_policy": "是",
        "survival": "存活",
    },
    note="一个子女一行，成年和已去世的子女也填。先导入居民登记表。",
    order=30,
)  # fmt: skip


_HOME = (
    Column(
        "村居代码", "village_code", "code", required=True, max_length=14,
        aliases=("村（居）代码", "村代码", "社区代码"), note="村或社区的12位代码",
    ),
    Column(
        "户编号", "household_no", required=True, aliases=("户号", "家庭编号"), max_length=30,
        note="居民登记表里的户编号",
    ),
)  # fmt: skip
_CONTACT = (
    "姓名;单位职务;电话;类别，用分号隔开；类别：街道领导、村居干部、家庭医生、计生专干、志愿者"
)

SPECIAL_FAMILIES = WorkbookKind(
    key="special_families",
    sheet="特殊家庭档案",
    columns=(
        *_HOME,
        Column(
            "家庭类型", "kind", "choice", required=True, aliases=("家庭类别",),
            choices=tuple(FamilyKind.values),
        ),
        Column(
            "建档日期", "opened_on", "date", required=True, aliases=("建档时间",),
            note="联系人从这一天起算",
        ),
        Column(
            "就医卡号", "medical_card_no", aliases=("方便就医卡号", "就医卡"), max_length=40, personal=True,
            note="换了卡号，原来的卡即停用",
        ),
        Column("发卡日期", "medical_card_date", "date"),
        Column("住院护理保险", "nursing_insurance", "bool", note="是或否"),
        Column("主要困难", "difficulties", max_length=500),
        *(
            Column(f"联系人{n}", f"contact{n}", max_length=200, personal=True, note=_CONTACT)
            for n in (1, 2, 3)
        ),
    ),
    permission=Permission.SPECIAL_EDIT,
    plan=plan_families,
    write=write_families,
    undo=Undo(
        models=(
            "households.contactperson", "households.specialfamily", "households.familyparent",
            "households.familycontact", "households.medicalcard", "households.nursinginsurance",
        ),
        event="special.import-undone",
        subjects={"households.specialfamily": ("household__village__path",)},
        more=changed_since,
    ),
    sample={
        "village_code": "539981001201", "household_no": "00001", "kind": "死亡",
        "opened_on": "2018-01-02", "nursing_insurance": "是", "difficulties": "养老缺人照料",
        "contact1": "示例;街道分管领导;13000001001;街道领导",
        "contact2": "示例;村委会主任;13000001002;村居干部",
    },
    note="一户一行。先导入居民登记表和生育登记表。换联系人时在原来那一栏改填新的，从变动日期起交接。",
    order=40,
)  # fmt: skip

CONTACTS = WorkbookKind(
    key="contacts",
    sheet="特殊家庭联系记录",
    columns=(
        *_HOME,
        Column(
            "联系日期", "date", "date", required=True, aliases=("日期", "联系时间"),
            note="不能晚于今天",
        ),
        Column(
            "联系人", "contact", required=True, aliases=("联系人姓名",), max_length=50,
            note="姓名；当天是这一户的联系人",
        ),
        Column("联系方式", "channel", "choice", required=True, choices=tuple(Channel.values)),
        Column(
            "类别", "purpose", "choice", required=True, aliases=("联系类别",),
            choices=tuple(Purpose.values),
        ),
        Column("诉求", "request", max_length=500),
        Column("办理情况", "outcome", max_length=500),
    ),
    permission=Permission.SPECIAL_EDIT,
    plan=plan_records,
    write=write_records,
    undo=Undo(
        models=("households.contactrecord",),
        event="special.contact-import-undone",
        subjects={"households.contactrecord": ("contact__family__household__village__path",)},
        more=voided_since,
    ),
    sample={
        "village_code": "539981001201", "household_no": "00001", "date": "2018-09-04",
        "contact": "示例", "channel": "入户", "purpose": "日常联系", "outcome": "已联系",
    },
    note="一次联系一行。先导入特殊家庭档案；联系人要是这一户当天的联系人，交接当天前后两位都可以。",
    order=50,
)  # fmt: skip


def load() -> None:
    """Make the kinds and their events known; called once when the app is ready."""
    for kind in (RESIDENTS, BIRTHS, SPECIAL_FAMILIES, CONTACTS):
        register(kind)
    register_types(
        {
            "resident.import-undone": "撤销导入的居民",
            "birth.import-undone": "撤销导入的生育史",
            "special.imported": "导入修改特殊家庭档案",
            "special.contact_imported": "导入修改联系记录",
            "special.import-undone": "撤销导入的特殊家庭档案",
            "special.contact-import-undone": "撤销导入的联系记录",
        }
    )
