"""The workbook 代发回盘, declared: columns in template order, with the words banks use for them."""

from fpadmin.accounts.permissions import Permission
from fpadmin.imports.kinds import Column, Undo, WorkbookKind, register
from subsidies.bank_returns.plan import FAILED, PAID, plan_returns
from subsidies.bank_returns.writing import write_returns

# Banks' words for the two outcomes; another bank's are taught on the page of the columns.
SYNONYMS = {
    **dict.fromkeys(("交易成功", "处理成功", "代发成功", "入账成功", "已入账", "已处理"), PAID),
    **dict.fromkeys(("交易失败", "处理失败", "代发失败", "入账失败", "未入账", "退票"), FAILED),
}
KIND = WorkbookKind(
    key="bank_returns",
    sheet="代发回盘",
    columns=(
        Column(
            "批次号", "batch_no", required=True, aliases=("批号", "代发批次号"), max_length=40,
            note="与送银行的文件一致",
        ),
        Column(
            "序号", "line_no", "int", required=True, aliases=("明细序号", "顺序号"),
            bounds=(1, 9_999_999), note="送银行的文件里的序号",
        ),
        Column("户名", "name", required=True, aliases=("账户名称", "收款人"), max_length=50),
        Column(
            "账号", "account", required=True, aliases=("银行账号", "收款账号", "卡号"),
            max_length=40, personal=True, note="写成文本，长账号写成数字会丢位",
        ),
        Column("金额", "amount", "money", required=True, aliases=("金额（元）", "代发金额")),
        Column(
            "处理结果", "result", "choice", required=True, choices=(PAID, FAILED),
            aliases=("结果", "处理状态"), synonyms=SYNONYMS,
        ),
        Column("失败原因", "reason", aliases=("原因",), note="失败时填写银行的原话"),
        Column(
            "入账日期", "paid_on", "date", aliases=("处理日期", "交易日期"),
            note="处理结果是成功时必填，不能晚于今天",
        ),
    ),
    permission=Permission.PAYMENT_MAKE,
    plan=plan_returns,
    write=write_returns,
    # The journal is told nothing, so that no page offers it.
    undo=Undo(models=(), event="", subjects={"subsidies.paymentline": ("village__path",)}),
    sample={
        "batch_no": "539981001-2018-001", "line_no": "1", "name": "示例",
        "account": "6229000000000000017", "amount": "960.00", "result": PAID,
        "paid_on": "2018-06-29",
    },
    note="银行代发以后返回的结果，一笔一行。户名、账号、金额与送银行时一致才登记，其余转回盘异常核实。"
    "涉及资金，导入后不能撤销；登记错的在批次回盘页逐笔更正。",
    edits_registry=False,
    next_pages=(("回盘异常", "subsidies:exception-list"), ("发放批次", "subsidies:batch-list")),
    order=80,
)  # fmt: skip


def load() -> None:
    """Make the kind known; called once when the app is ready."""
    register(KIND)
