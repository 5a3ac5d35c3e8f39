"""What a county sets of a policy for a place: rule, rates, exclusions, deadlines; each from a day on.

A row is never edited: another follows it, or it is cancelled before its day. Decisions keep the rule
that they were made with, so a rule or an exclusion cannot begin before a decision that stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.audit.log import SystemJob
from fpadmin.errors import RuleViolation
from subsidies.models import (
    Application,
    Enrolment,
    PolicyExclusion,
    PolicyRate,
    PolicyVersion,
    ReturnDeadline,
)
from subsidies.policies import catalogue, parameters
from subsidies.policies.book import Rule, policy_book, rule_of
from subsidies.policies.catalogue import Criterion
from subsidies.policies.decisions import decided_since, enrolled_between
from subsidies.policies.terms import (
    changes,
    changes_in_words,
    grades_of,
    plain,
    rate_field,
    shares_fault,
)

EVENT_TYPES = {
    "benefit.version_set": "设定政策版本",
    "benefit.rate_set": "设定政策标准",
    "benefit.exclusion_set": "设定政策互斥",
    "benefit.deadline_set": "设定上报期限",
    "benefit.row_cancelled": "取消待生效的政策设定",
}
CHANGE_LABELS = {"policy": "政策", "rule": "政策条件和发放办法", "due": "上报期限"}
OLDEST = date(1973, 1, 1)
YEARS_AHEAD = 10
MOST = Decimal("9999999999.99")
TAKEN = "{region}已有{day}起的设定，可能别人刚刚保存过。请改用别的生效日期，或先取消那一条。"


@dataclass(frozen=True)
class Terms:
    """A policy's rule as a county sets it, whole."""

    is_on: bool
    criteria: tuple[Criterion, ...]
    starts: str
    ends: str
    shares: Mapping[str, Decimal]
    notice_days: int


@dataclass(frozen=True)
class Setting:
    """Where, from when and by which document something is set."""

    region: Region
    from_on: date
    document: str
    article: str = ""


@transaction.atomic
def set_version(
    *, by, policy_code: str, setting: Setting, terms: Terms, today: date
) -> PolicyVersion:
    """The policy's rule in that region from that day on. Returns the new PolicyVersion.

    Refuses: a region that is not the writer's own or below, or a group; no document; a criterion that
    is unknown or has a wrong value, no registered_here; shares that don't sum to 100; a day before
    today on which a decision of this product rests; a rule that is the one in force; a policy of
    history only switched on; a second version for the same day.
    """
    old = _checked_version(by, policy_code, setting, terms, today)
    version = _version(policy_code, setting, terms, by)
    _save(version)
    log.record(
        "benefit.version_set",
        by=by,
        target=version,
        region_path=setting.region.path,
        changes={
            **_document(policy_code, setting),
            "rule": ["", changes_in_words(old, rule_of(version))],
        },
    )
    return version


def check_version(
    *, by, policy_code: str, setting: Setting, terms: Terms, today: date
) -> tuple[Rule, Rule]:
    """What set_version() would refuse, raised; else (the rule it follows, the rule it makes)."""
    old = _checked_version(by, policy_code, setting, terms, today)
    return old, rule_of(_version(policy_code, setting, terms, by))


@transaction.atomic
def set_rates(
    *, by, policy_code: str, setting: Setting, amounts: Mapping[str, Decimal], today: date
) -> list[PolicyRate]:
    """Rates from that day on, by grade ("" for a policy without).

    A day that is over is taken where the rate goes on from there, for documents often come after the
    day they name and the difference is paid later. Between two rates that the place has had it is
    refused while people decided here were on the roll then. Refuses also: a policy in kind; an
    unknown grade; an amount below zero or with more than two decimals; nothing that differs.
    """
    check_rates(by=by, policy_code=policy_code, setting=setting, amounts=amounts, today=today)
    book = policy_book(setting.from_on)
    rows = []
    for grade, amount in amounts.items():
        row = PolicyRate(grade=grade, amount=amount, **_columns(policy_code, setting, by))
        _save(row)
        rows.append(row)
        old = book.rate(policy_code, setting.region.path, grade)
        log.record(
            "benefit.rate_set",
            by=by,
            target=row,
            region_path=setting.region.path,
            changes={
                **_document(policy_code, setting),
                "grade": ["", grade],
                "amount": ["" if old is None else str(old), str(amount)],
            },
        )
    return rows


def check_rates(
    *, by, policy_code: str, setting: Setting, amounts: Mapping[str, Decimal], today: date
) -> None:
    """What set_rates() would refuse, raised."""
    policy = catalogue.policy(policy_code)
    _check_setting(by, setting, today)
    if policy.in_kind:
        raise RuleViolation(f"{policy.name}不发钱，没有标准可以设定。")
    if not amounts:
        raise RuleViolation("请至少填写一个标准。")
    book, path = policy_book(setting.from_on), setting.region.path
    for grade, amount in amounts.items():
        field = rate_field(policy, grade)
        if grade not in grades_of(policy):
            raise RuleViolation(f"{policy.name}没有“{grade}”这个等级。")
        _check_amount(amount, field)
        _refuse_between(policy_code, setting, grade, today)
        _refuse_taken(PolicyRate.objects.filter(grade=grade), policy_code, setting)
    if all(book.rate(policy_code, path, grade) == amount for grade, amount in amounts.items()):
        raise RuleViolation("填写的标准和那一天执行的一样，没有要改的。")


@transaction.atomic
def set_exclusion(
    *,
    by,
    policy_code: str,
    other_code: str,
    setting: Setting,
    excluded: bool,
    both: bool,
    today: date,
) -> list[PolicyExclusion]:
    """Whether somebody on the roll of `other_code` may come onto `policy_code`; `both`: and the reverse.

    Refuses a policy against itself, a day before a decision that stands, and what holds already.
    """
    _check_setting(by, setting, today)
    if policy_code == other_code:
        raise RuleViolation("请选择两个不同的政策。", field="other_code")
    pairs = [(policy_code, other_code)] + ([(other_code, policy_code)] if both else [])
    book = policy_book(setting.from_on)
    changed = [p for p in pairs if book.excludes(*p, setting.region.path) != excluded]
    if not changed:
        raise RuleViolation("那一天执行的已经是这样，没有要改的。", field="excluded")
    rows = []
    for code, other in changed:
        _refuse_before_decisions(code, setting, today)
        row = PolicyExclusion(other_code=other, excluded=excluded, **_columns(code, setting, by))
        _save(row)
        rows.append(row)
        log.record(
            "benefit.exclusion_set",
            by=by,
            target=row,
            region_path=setting.region.path,
            changes={
                **_document(code, setting),
                "other_code": ["", catalogue.name_of(other)],
                "excluded": [not excluded, excluded],
            },
        )
    return rows


@transaction.atomic
def set_deadline(
    *, by, policy_code: str, setting: Setting, month: int, day: int, today: date
) -> ReturnDeadline:
    """By which day of each year the policy's return is due, from that day on.

    Refuses a day that some year lacks, and a beginning before this year: years that are over keep theirs.
    """
    _check_setting(by, setting, today)
    try:
        due = date(2001, month, day)  # a common year: 29 February would be missing in most
    except ValueError:
        raise RuleViolation(
            f"不是每年都有{month}月{day}日，请改填别的日期。", field="day"
        ) from None
    if setting.from_on < date(today.year, 1, 1):
        raise RuleViolation(
            "生效日期不能早于今年1月1日：以前年度的期限已经过了，不再改变。", field="from_on"
        )
    row = ReturnDeadline(month=month, day=day, **_columns(policy_code, setting, by))
    _save(row)
    log.record(
        "benefit.deadline_set",
        by=by,
        target=row,
        region_path=setting.region.path,
        changes={**_document(policy_code, setting), "due": ["", f"{due:%m-%d}"]},
    )
    return row


@transaction.atomic
def cancel_row(*, by, row, today: date, now: datetime) -> None:
    """Take back what is set for a day to come; it stays listed as cancelled.

    Refuses a row whose day has come, one that was cancelled, a version that a decision already names,
    and a row of a region that is not the writer's own or below.
    """
    _require_own(by, row.region)
    if row.from_on <= today:
        raise RuleViolation(
            f"{row.from_on}起已经生效，不能取消。要改的话，请再设定一个从以后某天起的。"
        )
    if isinstance(row, PolicyVersion) and (
        Application.objects.filter(version=row).exists()
        or Enrolment.objects.filter(version=row).exists()
    ):
        raise RuleViolation("已有申请按这个版本核查，不能取消。请再设定一个从以后某天起的。")
    alive = type(row).objects.filter(pk=row.pk, cancelled_at__isnull=True)
    if not alive.update(cancelled_at=now):
        raise RuleViolation("这一条已经取消，可能别人刚刚办理过。")
    log.record(
        "benefit.row_cancelled",
        by=by,
        target=row,
        region_path=row.region.path,
        changes={
            "policy": ["", catalogue.name_of(row.policy_code)],
            "from_on": ["", row.from_on.isoformat()],
            "document": ["", row.document],
        },
    )


def _checked_version(by, policy_code: str, setting: Setting, terms: Terms, today: date) -> Rule:
    """The rule that a version would follow, unless something forbids the version."""
    policy = catalogue.policy(policy_code)
    _check_setting(by, setting, today)
    if policy.closed and terms.is_on:
        raise RuleViolation(f"{policy.name}{policy.note or '已经停办。'}不能启用。", field="is_on")
    _check_criteria(terms.criteria)
    if fault := shares_fault(terms.shares):
        raise RuleViolation(fault, field="share_0")
    if terms.starts not in catalogue.STARTS or terms.ends not in catalogue.ENDS:
        raise ValueError(f"unknown terms {terms.starts!r}, {terms.ends!r}")
    if not 0 <= terms.notice_days <= 60:
        raise RuleViolation("公示期应为0到60个工作日。", field="notice_days")
    _refuse_taken(PolicyVersion.objects, policy_code, setting)
    _refuse_before_decisions(policy_code, setting, today)
    old = policy_book(setting.from_on).rule(policy_code, setting.region.path)
    if not changes(old, rule_of(_version(policy_code, setting, terms, by))):
        raise RuleViolation("和那一天执行的完全一样，没有要改的。")
    return old


def _check_setting(by, setting: Setting, today: date) -> None:
    _require_own(by, setting.region)
    if setting.region.level > Region.Level.VILLAGE:
        raise RuleViolation("政策按村（社区）以上的区划设定，不按小组设定。", field="region")
    if not setting.document.strip():
        raise RuleViolation("请填写依据文件。", field="document")
    if not OLDEST <= setting.from_on <= today.replace(year=today.year + YEARS_AHEAD, day=1):
        raise RuleViolation(
            f"生效日期{setting.from_on}不对，应在{OLDEST.year}年到{today.year + YEARS_AHEAD}年之间。",
            field="from_on",
        )


def _require_own(by, region: Region) -> None:
    if isinstance(by, SystemJob):
        return
    if not Region.objects.visible_to(by).filter(pk=region.pk).exists():
        raise RuleViolation(f"{region.name}不在您的区划内，没有保存。", field="region")


def _check_criteria(criteria: Sequence[Criterion]) -> None:
    for criterion in criteria:
        if fault := parameters.fault_of(criterion):
            name, problem = fault
            raise RuleViolation(problem, field=parameters.field_of(criterion.key, name))
    keys = [parameters.identity_of(criterion) for criterion in criteria]
    if len(set(keys)) < len(keys):
        raise RuleViolation("同一个条件写了两次。")
    if parameters.ALWAYS not in keys:
        raise RuleViolation("“户籍在本地，在世”是每项政策都有的条件，不能去掉。")


def _check_amount(amount: Decimal, field: str) -> None:
    if not amount.is_finite() or amount < 0:
        raise RuleViolation("标准不能是负数。", field=field)
    if amount > MOST or amount != amount.quantize(Decimal("0.01")):
        raise RuleViolation("标准最多两位小数，整数最多10位。", field=field)


def _refuse_before_decisions(code: str, setting: Setting, today: date) -> None:
    if setting.from_on >= today:
        return
    if number := decided_since(code, setting.region, setting.from_on):
        raise RuleViolation(
            f"{setting.from_on}以后，{setting.region.name}已按当时的规定认定{number}件，"
            "生效日期不能早于今天。已经认定的不会改变。",
            field="from_on",
        )


def _refuse_between(code: str, setting: Setting, grade: str, today: date) -> None:
    """A rate put before another that is in force changes what was due in between."""
    if setting.from_on >= today:
        return
    following = (
        PolicyRate.objects.filter(
            policy_code=code, region=setting.region, grade=grade, cancelled_at__isnull=True,
            from_on__gt=setting.from_on, from_on__lte=today,
        )
        .order_by("from_on")
        .first()
    )  # fmt: skip
    if following and (
        number := enrolled_between(code, setting.region, grade, setting.from_on, following.from_on)
    ):
        raise RuleViolation(
            f"{setting.from_on}到{following.from_on}之间在册的{number}人已按当时的标准计算，"
            "不能再补一个标准。",
            field="from_on",
        )


def _refuse_taken(rows, code: str, setting: Setting) -> None:
    if rows.filter(
        policy_code=code, region=setting.region, from_on=setting.from_on, cancelled_at__isnull=True
    ).exists():
        raise RuleViolation(_taken(setting.region, setting.from_on), field="from_on")


def _taken(region: Region, day: date) -> str:
    return TAKEN.format(region=region.name, day=day)


def _save(row) -> None:
    """Save the new row; somebody else's of the same day becomes a message."""
    key = {
        name: getattr(row, name)
        for name in ("policy_code", "region", "from_on", "grade", "other_code")
        if hasattr(row, name)
    }
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        if type(row).objects.filter(**key, cancelled_at__isnull=True).exists():
            raise RuleViolation(_taken(row.region, row.from_on), field="from_on") from None
        raise


def _columns(policy_code: str, setting: Setting, by) -> dict:
    return {
        "policy_code": policy_code, "region": setting.region, "from_on": setting.from_on,
        "document": setting.document.strip(), "article": setting.article.strip(),
        "set_by": None if isinstance(by, SystemJob) else by,
    }  # fmt: skip


def _version(policy_code: str, setting: Setting, terms: Terms, by) -> PolicyVersion:
    return PolicyVersion(
        is_on=terms.is_on,
        criteria=catalogue.as_entries(terms.criteria),
        starts=terms.starts,
        ends=terms.ends,
        shares={payer: plain(part) for payer, part in terms.shares.items()},
        notice_days=terms.notice_days,
        **_columns(policy_code, setting, by),
    )


def _document(policy_code: str, setting: Setting) -> dict:
    return {
        "policy": ["", catalogue.name_of(policy_code)],
        "from_on": ["", setting.from_on.isoformat()],
        "document": ["", setting.document],
        "article": ["", setting.article],
    }
