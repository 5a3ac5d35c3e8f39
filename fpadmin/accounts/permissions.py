"""Who may do what: permissions, the roles that hold them, and the decorator every view carries."""

from enum import StrEnum
from functools import wraps

from django.core.exceptions import PermissionDenied
from django.db import models


class Permission(StrEnum):
    """What an account may do. Every view names one."""

    SIGNED_IN = "signed_in"  # every signed-in person: home, own password, help
    REGISTRY_VIEW = "registry_view"
    REGISTRY_EDIT = "registry_edit"
    REQUEST_MAKE = "request_make"  # propose a change to the registry
    REQUEST_DECIDE = "request_decide"
    NUMBER_CHECK = "number_check"  # whether a number that is typed is right and taken
    IDENTITY_REVEAL = "identity_reveal"  # one number in clear, with a reason, recorded
    IMPORT = "import"
    EXPORT = "export"
    EXPORT_CLEAR = "export_clear"  # whole numbers in a file, with a reason, recorded
    EXPORT_APPROVE = "export_approve"  # somebody else's export over the limit
    RETURNS_VIEW = "returns_view"
    RETURNS_MAKE = "returns_make"
    LEDGER_LOCK = "ledger_lock"
    LEDGER_UNLOCK = "ledger_unlock"
    SPECIAL_VIEW = "special_view"  # archives of special families: a contact's own
    SPECIAL_LIST = "special_list"  # every archive of the region, and the lists behind their figures
    SPECIAL_RECORD = "special_record"  # contacts, needs, visits
    SPECIAL_EDIT = "special_edit"
    SPECIAL_HEALTH = "special_health"  # cause of death, health, disability papers; recorded
    SPECIAL_RULE = "special_rule"  # what the office asks of contacts
    SPECIAL_RULE_VIEW = "special_rule_view"
    BENEFIT_VIEW = "benefit_view"  # rolls, applications, who qualifies
    BENEFIT_APPLY = "benefit_apply"  # applications and their papers
    BENEFIT_VILLAGE = "benefit_village"  # the village's review, public notices, objections
    BENEFIT_EDIT = "benefit_edit"  # propose ends and suspensions, yearly review, comparison
    BENEFIT_ANNUAL = "benefit_annual"  # yearly reviews and printed rolls
    BENEFIT_REVIEW = "benefit_review"  # the township's first review, and what clerks propose
    BENEFIT_CONFIRM = "benefit_confirm"  # the county's confirmation
    BENEFIT_RULE = "benefit_rule"  # policies switched on, rates, parameters
    BENEFIT_BUDGET = "benefit_budget"  # what-if, kept as notes for the budget
    PAYMENT_VIEW = "payment_view"  # batches, funds, what the bank answered
    PAYMENT_MAKE = "payment_make"  # make a batch, send it to the bank, read the bank's answer
    PAYMENT_CHECK = "payment_check"  # what somebody else made
    PAYMENT_APPROVE = "payment_approve"
    PAYMENT_FUND = "payment_fund"  # budget and money received
    PAYMENT_RULE = "payment_rule"  # how many people a payment needs
    PAYMENT_LAYOUT = "payment_layout"  # how banks want their files
    PAYMENT_VILLAGE = "payment_village"  # see people after they were paid, mend wrong accounts
    JOBS_VIEW = "jobs_view"
    ACCOUNTS_MANAGE = "accounts_manage"
    ROLES_MANAGE = "roles_manage"
    REGIONS_VIEW = "regions_view"
    REGIONS_MANAGE = "regions_manage"
    JOBS_MANAGE = "jobs_manage"
    AUDIT_VIEW = "audit_view"


class Role(models.TextChoices):
    """What an account is for; its permissions stand in ROLE_PERMISSIONS."""

    PROPAGANDIST = "propagandist", "村级宣传员"
    CLERK = "clerk", "经办"
    REVIEWER = "reviewer", "审核"
    COUNTY = "county", "县级主管"
    AUDITOR = "auditor", "安全审计员"
    SECURITY_ADMINISTRATOR = "security_administrator", "安全管理员"
    ADMINISTRATOR = "administrator", "系统管理员"


P = Permission
ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Role.PROPAGANDIST: frozenset(
        {
            P.SIGNED_IN, P.REGISTRY_VIEW, P.REQUEST_MAKE, P.NUMBER_CHECK, P.IDENTITY_REVEAL,
            P.RETURNS_VIEW, P.REGIONS_VIEW, P.SPECIAL_VIEW, P.SPECIAL_RECORD, P.BENEFIT_VIEW,
            P.BENEFIT_APPLY, P.BENEFIT_VILLAGE, P.PAYMENT_VILLAGE,
        }
    ),
    Role.CLERK: frozenset(
        {
            P.SIGNED_IN, P.REGISTRY_VIEW, P.REGISTRY_EDIT, P.NUMBER_CHECK, P.REQUEST_DECIDE,
            P.IDENTITY_REVEAL, P.IMPORT, P.EXPORT, P.EXPORT_CLEAR, P.RETURNS_VIEW, P.RETURNS_MAKE,
            P.JOBS_VIEW, P.REGIONS_VIEW, P.SPECIAL_VIEW, P.SPECIAL_LIST, P.SPECIAL_RECORD,
            P.SPECIAL_EDIT, P.SPECIAL_HEALTH, P.SPECIAL_RULE_VIEW, P.BENEFIT_VIEW,
            P.BENEFIT_APPLY, P.BENEFIT_VILLAGE, P.BENEFIT_EDIT, P.BENEFIT_BUDGET, P.BENEFIT_ANNUAL,
            P.PAYMENT_VIEW, P.PAYMENT_MAKE, P.PAYMENT_CHECK, P.PAYMENT_FUND, P.PAYMENT_LAYOUT,
            P.PAYMENT_VILLAGE,
        }
    ),
    Role.REVIEWER: frozenset(
        {
            P.SIGNED_IN, P.REGISTRY_VIEW, P.IDENTITY_REVEAL, P.EXPORT, P.EXPORT_CLEAR,
            P.EXPORT_APPROVE, P.RETURNS_VIEW, P.RETURNS_MAKE, P.LEDGER_LOCK, P.JOBS_VIEW,
            P.REGIONS_VIEW, P.SPECIAL_VIEW, P.SPECIAL_LIST, P.SPECIAL_RECORD, P.SPECIAL_HEALTH,
            P.SPECIAL_RULE, P.SPECIAL_RULE_VIEW, P.BENEFIT_VIEW, P.BENEFIT_REVIEW,
            P.BENEFIT_BUDGET, P.BENEFIT_ANNUAL, P.PAYMENT_VIEW, P.PAYMENT_CHECK, P.PAYMENT_APPROVE,
        }
    ),
    Role.COUNTY: frozenset(
        {
            P.SIGNED_IN, P.REGISTRY_VIEW, P.EXPORT, P.EXPORT_APPROVE, P.RETURNS_VIEW,
            P.RETURNS_MAKE, P.LEDGER_UNLOCK, P.JOBS_VIEW, P.REGIONS_VIEW, P.SPECIAL_RULE,
            P.SPECIAL_RULE_VIEW, P.BENEFIT_VIEW, P.BENEFIT_CONFIRM, P.BENEFIT_RULE,
            P.BENEFIT_BUDGET, P.BENEFIT_ANNUAL, P.PAYMENT_VIEW, P.PAYMENT_APPROVE, P.PAYMENT_FUND,
            P.PAYMENT_RULE, P.PAYMENT_LAYOUT,
        }
    ),
    Role.AUDITOR: frozenset({P.SIGNED_IN, P.AUDIT_VIEW}),
    Role.SECURITY_ADMINISTRATOR: frozenset({P.SIGNED_IN, P.ROLES_MANAGE}),
    Role.ADMINISTRATOR: frozenset(
        {
            P.SIGNED_IN, P.ACCOUNTS_MANAGE, P.REGIONS_VIEW, P.REGIONS_MANAGE, P.JOBS_VIEW,
            P.JOBS_MANAGE, P.IMPORT,  # of regions: each kind of workbook names its own permission
        }
    ),
}  # fmt: skip
# Region levels (省 1 … 村 5) at which an account of the role stands.
_COUNTY_OR_ABOVE = frozenset({1, 2, 3})
ROLE_LEVELS: dict[str, frozenset[int]] = {
    Role.PROPAGANDIST: frozenset({5}),
    Role.CLERK: frozenset({4}),
    Role.REVIEWER: frozenset({4}),
    Role.COUNTY: _COUNTY_OR_ABOVE,
    Role.AUDITOR: _COUNTY_OR_ABOVE,
    Role.SECURITY_ADMINISTRATOR: _COUNTY_OR_ABOVE,
    Role.ADMINISTRATOR: _COUNTY_OR_ABOVE,
}
# The words of the permission table that the security administrator reads.
PERMISSION_LABELS: dict[str, str] = {
    P.SIGNED_IN: "登录、修改本人密码和设置",
    P.REGISTRY_VIEW: "查看居民和家庭",
    P.REGISTRY_EDIT: "登记和修改居民、家庭",
    P.NUMBER_CHECK: "登记时核对证件号码",
    P.REQUEST_MAKE: "向镇办提出登记变动的申请",
    P.REQUEST_DECIDE: "受理村级申请",
    P.IDENTITY_REVEAL: "显示完整证件号码（留痕）",
    P.IMPORT: "导入工作簿",
    P.EXPORT: "导出名单（证件号码遮住）",
    P.EXPORT_CLEAR: "导出完整证件号码（留痕）",
    P.EXPORT_APPROVE: "审批超过限量的导出",
    P.RETURNS_VIEW: "查看报表",
    P.RETURNS_MAKE: "生成报表",
    P.LEDGER_LOCK: "锁定总人口账",
    P.LEDGER_UNLOCK: "解锁总人口账",
    P.SPECIAL_VIEW: "查看本人联系的特殊家庭",
    P.SPECIAL_LIST: "查看本区划全部特殊家庭",
    P.SPECIAL_RECORD: "记录特殊家庭联系、需求和慰问",
    P.SPECIAL_EDIT: "办理特殊家庭档案、联系人、就医与照护",
    P.SPECIAL_HEALTH: "查看特殊家庭健康和死亡原因（留痕）",
    P.SPECIAL_RULE: "设定特殊家庭联系要求",
    P.SPECIAL_RULE_VIEW: "查看特殊家庭联系要求",
    P.BENEFIT_VIEW: "查看利益导向资格、申请和在册对象",
    P.BENEFIT_APPLY: "登记利益导向申请和材料",
    P.BENEFIT_VILLAGE: "村级评议、公示和异议登记",
    P.BENEFIT_EDIT: "提出退出和暂停、年审、比对核查",
    P.BENEFIT_ANNUAL: "查看年审，打印花名册和新增、退出名单",
    P.BENEFIT_REVIEW: "乡镇初审，审核退出和暂停",
    P.BENEFIT_CONFIRM: "县级确认利益导向对象",
    P.BENEFIT_RULE: "启用政策、设定标准和条件",
    P.BENEFIT_BUDGET: "测算并留存预算说明",
    P.PAYMENT_VIEW: "查看资金发放和资金台账",
    P.PAYMENT_MAKE: "编制发放批次、送银行、导入回盘",
    P.PAYMENT_CHECK: "核对他人编制的发放批次",
    P.PAYMENT_APPROVE: "批准发放批次",
    P.PAYMENT_FUND: "登记预算和到账资金",
    P.PAYMENT_RULE: "设定发放经手人数",
    P.PAYMENT_LAYOUT: "设定银行文件格式",
    P.PAYMENT_VILLAGE: "见面核实、更正发放账户",
    P.JOBS_VIEW: "查看后台任务",
    P.ACCOUNTS_MANAGE: "管理账号",
    P.ROLES_MANAGE: "调整角色、解除锁定",
    P.REGIONS_VIEW: "查看行政区划",
    P.REGIONS_MANAGE: "维护行政区划",
    P.JOBS_MANAGE: "管理后台任务",
    P.AUDIT_VIEW: "查看审计记录",
}


def role_has(role: str, permission: Permission) -> bool:
    """Whether `role` holds `permission`. An unknown role raises KeyError with the allowed ones."""
    if role not in ROLE_PERMISSIONS:
        raise KeyError(f"unknown role {role!r}; known: {', '.join(ROLE_PERMISSIONS)}")
    return permission in ROLE_PERMISSIONS[role]


def requires(permission: Permission):
    """Outermost decorator of every view: 403 unless the signed-in account's role holds it.

    Leaves `required_permission` on the view; a guard test reads it for every route. Views that
    need no account carry Django's login_not_required instead.
    """

    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if not request.user.may(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.required_permission = permission
        return guarded

    return decorate
