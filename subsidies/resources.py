"""The benefits' workbooks, declared: columns in template order, with the words an office uses for them."""

from fpadmin.accounts.permissions import Permission
from fpadmin.audit.log import register_types
from fpadmin.imports.kinds import Column, Undo, WorkbookKind, register
from subsidies.enrolment_import import plan_enrolments, write_enrolments
from subsidies.models import ExitReason, RosterSource
from subsidies.payments_import import plan_payments, write_payments
from subsidies.payments_import.writing import asked_back_since, settle
from subsidies.roster_import import plan_entries, write_entries
from subsidies.undoing import SWEPT, decided_since

_NUMBER = ("身份证号", "身份证号码", "证件号码")

ENROLMENTS = WorkbookKind(
    key="enrolments",
    sheet="利益导向在册名册",
    columns=(
        Column(
            "政策代码", "policy_code", "code", required=True, aliases=("政策编码",), max_length=30,
            note="政策页上的代码，例如CN-RURAL",
        ),
        Column(
            "姓名", "name", required=True, aliases=("享受人", "对象姓名"), max_length=50,
            note="与该号码登记的姓名一致",
        ),
        Column(
            "公民身份号码", "idno", "idno", required=True, aliases=_NUMBER, personal=True,
            note="本单位登记的居民",
        ),
        Column(
            "起始年月", "start_month", "month", required=True,
            aliases=("享受起始年月", "开始享受年月", "起始月份"), note="如2018-01，不能晚于本月",
        ),
        Column(
            "退出年月", "exit_month", "month", aliases=("终止年月", "退出月份"),
            note="最后一个发放月，可以在今天以后；要同时填退出原因",
        ),
        Column(
            "退出原因", "exit_reason", "choice", choices=tuple(ExitReason.values),
            note="填了退出年月时必填",
        ),
        Column(
            "月标准或年标准", "amount", "money", aliases=("标准", "发放标准", "补助标准"),
            note="元；按月发放的填月标准，按年发放的填年标准，只作核对和认等级用",
        ),
    ),
    permission=Permission.BENEFIT_EDIT,
    plan=plan_enrolments,
    write=write_enrolments,
    undo=Undo(
        models=("subsidies.enrolment",),
        event="enrolment.import-undone",
        subjects={"subsidies.enrolment": ("resident__village__path",)},
        swept=SWEPT,
        more=decided_since,
    ),
    sample={
        "policy_code": "CN-RURAL", "name": "示例", "idno": "539981195001010019",
        "start_month": "2010-01", "exit_month": "2017-12", "exit_reason": "死亡", "amount": "960",
    },
    note="一人一项政策一行，中断后再享受的另起一行。先导入居民登记表。空白单元格保留原值，写“清空”才会清除。",
    order=60,
)  # fmt: skip

ROSTERS = WorkbookKind(
    key="rosters",
    sheet="外部名单",
    columns=(
        Column(
            "来源", "source", "choice", required=True, aliases=("名单来源", "提供部门"),
            choices=tuple(RosterSource.values),
        ),
        Column("姓名", "name", max_length=50),
        Column("公民身份号码", "idno", "idno", required=True, aliases=_NUMBER, personal=True),
        Column(
            "事件日期", "event_date", "date", aliases=("发生日期", "日期"),
            note="死亡、登记、分娩等的日期，可以不填；不能晚于今天",
        ),
        Column(
            "说明", "detail", aliases=("备注",), max_length=500,
            note="对方单位的原话，如结婚、离婚、户口性质、停发",
        ),
    ),
    permission=Permission.BENEFIT_EDIT,
    plan=plan_entries,
    write=write_entries,
    undo=Undo(
        models=("subsidies.rosterentry",),
        event="roster.import-undone",
        subjects={"subsidies.rosterentry": ("office__path",)},
        swept=SWEPT,
        more=decided_since,
    ),
    sample={
        "source": "公安死亡注销", "name": "示例", "idno": "539981195001010019",
        "event_date": "2018-06-02", "detail": "死亡注销户口",
    },
    note="外单位的名单，一人一事一行，只用来比对，不会改动居民登记。没有在本地登记的人也可以导入。",
    order=70,
)  # fmt: skip

PAYMENTS = WorkbookKind(
    key="payments",
    sheet="历史发放记录",
    columns=(
        Column(
            "政策代码", "policy_code", "code", required=True, aliases=("政策编码",), max_length=30,
            note="政策页上的代码，例如CN-RURAL",
        ),
        Column(
            "姓名", "name", required=True, aliases=("享受人", "对象姓名", "领款人"), max_length=50,
            note="与该号码登记的姓名一致",
        ),
        Column(
            "公民身份号码", "idno", "idno", required=True, aliases=_NUMBER, personal=True,
            note="领款人的号码，本单位登记的居民；按户或夫妻发放的填户主",
        ),
        Column(
            "享受年度", "year", "int", required=True, aliases=("年度", "所属年度"),
            bounds=(1990, 2100), note="如2017；保健费的2017年度是2016年10月至2017年9月",
        ),
        Column(
            "等级或学段", "grade", aliases=("等级", "学段", "类别"), max_length=20,
            note="分等级、学段或类别的政策必填，其他不填",
        ),
        Column(
            "起始年月", "start_month", "month", aliases=("发放起始年月",),
            note="按月发放的从哪个月起；不填从享受年度第一个月起",
        ),
        Column(
            "月数", "months", "int", aliases=("发放月数",), bounds=(1, 12),
            note="按月发放的必填；按年或一次发放的不看",
        ),
        Column(
            "金额", "amount", "money", required=True, aliases=("发放金额", "实发金额"),
            note="这一笔实际发放的元数",
        ),
        Column(
            "入账日期", "paid_on", "date", required=True, aliases=("发放日期", "到账日期"),
            note="哪一年入账，就算哪一年发放",
        ),
        Column("户名", "payee", aliases=("开户名",), max_length=50, note="可以不填；不填按姓名"),
        Column(
            "账号", "account", aliases=("银行账号", "社保卡账号", "一卡通账号"), max_length=40,
            personal=True, note="可以不填",
        ),
        Column("说明", "note", aliases=("备注",), max_length=200),
    ),
    permission=Permission.PAYMENT_MAKE,
    plan=plan_payments,
    write=write_payments,
    undo=Undo(
        models=("subsidies.paymentline",),
        event="payment.import-undone",
        subjects={"subsidies.paymentline": ("village__path",)},
        settle=settle,
        more=asked_back_since,
    ),
    sample={
        "policy_code": "YN-HEALTH-FEE", "name": "示例", "idno": "539981195001010019",
        "year": "2017", "months": "12", "amount": "120", "paid_on": "2018-01-15",
    },
    note="启用本系统以前已经发放的，一人一项政策一个享受年度一行，只作历史，不再发放。先导入居民登记表。",
    order=65,
)  # fmt: skip


def load() -> None:
    """Make the kinds and their events known; called once when the app is ready."""
    for kind in (ENROLMENTS, PAYMENTS, ROSTERS):
        register(kind)
    register_types(
        {
            "enrolment.imported": "导入更正在册对象",
            "enrolment.import-undone": "撤销导入的在册对象",
            "payment.imported": "导入更正历史发放",
            "payment.import-undone": "撤销导入的历史发放",
            "roster.imported": "导入更正外部名单",
            "roster.import-undone": "撤销导入的外部名单",
        }
    )
