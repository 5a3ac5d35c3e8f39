"""How many people payments need where: what holds in each township, and what was set, by whom."""

from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from fpadmin.accounts.models import Region
from fpadmin.accounts.permissions import Permission
from fpadmin.errors import RuleViolation
from fpadmin.scoping import below
from subsidies.funds.fund_list import offices_of
from subsidies.models import OPEN_BATCHES, PaymentBatch, PaymentPersons
from subsidies.payments.people import USUAL, persons_needed
from subsidies.policies.book import nearest
from subsidies.policies.history import CANCELLED, LATER, NOW, PAST

WORDS = {3: "三人", 2: "两人"}
YEARS_AHEAD = 10
NOT_YOURS = "经手人数由县级设定，您的岗位不能办理。"
TAKEN = "{region}{day}已有一条规定，可能别人刚刚保存过。请改用别的生效日期，或先取消那一条。"
FEWER = (
    "编制和提交由一人经办，核对和批准由另一人一起办，少一个人看名单。"
    "经办人仍然不能核对或批准自己的批次。人员够用后，请改回三人。"
)


@dataclass(frozen=True)
class PersonsLine:
    """One row as it was set."""

    row: PaymentPersons
    words: str
    state: tuple[str, str]
    may_cancel: bool


@dataclass(frozen=True)
class PlaceLine:
    """What holds in one township; `row` None where nobody set anything."""

    office: Region
    words: str
    row: PaymentPersons | None


def places_of(user) -> QuerySet:
    """The places for which somebody may set it: a township, or all of a place above."""
    return Region.objects.visible_to(user).filter(level__lte=Region.Level.TOWNSHIP).order_by("path")


def lines_of(user, day: date) -> list[PersonsLine]:
    """Every row that concerns the user's region, newest first."""
    rows = list(_rows(user).order_by("-from_on", "-pk"))
    current = {row.pk for row in _in_force(rows, day).values()}
    return [
        PersonsLine(row, WORDS[row.persons], _state(row, day, current), _may_cancel(user, row, day))
        for row in rows
    ]


def places_now(user, day: date) -> list[PlaceLine]:
    """What holds in each township that the user sees."""
    rows = _in_force(_rows(user).order_by("from_on", "pk"), day)
    found = []
    for office in offices_of(user):
        row = nearest(rows, office.path)
        found.append(PlaceLine(office, WORDS[row.persons if row else USUAL], row))
    return found


def keeping_theirs(region: Region, persons: int) -> int:
    """How many batches under way were made with another number, which they keep."""
    open_ones = PaymentBatch.objects.filter(
        below(region.path, "office__path"), state__in=OPEN_BATCHES
    )
    return open_ones.exclude(persons=persons).count()


def _rows(user) -> QuerySet:
    return PaymentPersons.objects.visible_to(user).select_related("region", "set_by")


def _in_force(rows, day: date) -> dict[str, PaymentPersons]:
    """{path: the newest row that holds there on the day}"""
    alive = [row for row in rows if row.cancelled_at is None and row.from_on <= day]
    return {row.region.path: row for row in sorted(alive, key=lambda row: (row.from_on, row.pk))}


def _state(row: PaymentPersons, day: date, current: set[int]) -> tuple[str, str]:
    if row.cancelled_at:
        return CANCELLED
    if row.from_on > day:
        return LATER
    return NOW if row.pk in current else PAST


def _may_cancel(user, row: PaymentPersons, day: date) -> bool:
    own = row.region.path.startswith(user.scope_path or " ")
    waits = row.cancelled_at is None and row.from_on > day
    return waits and own and user.may(Permission.PAYMENT_RULE)


def refuse_persons(*, by, setting, persons: int, today: date) -> None:
    """What services.persons.set_persons would refuse, raised.

    That is: another's place or one below the townships, whose offices pay; no document; a day that
    is over, for what was paid was paid by the rule of then; what holds already.
    """
    region, day = setting.region, setting.from_on
    if not by.may(Permission.PAYMENT_RULE):
        raise RuleViolation(NOT_YOURS)
    if not Region.objects.visible_to(by).filter(pk=region.pk).exists():
        raise RuleViolation(f"{region.name}不在您的区划内，没有保存。", field="region")
    if region.level > Region.Level.TOWNSHIP:
        raise RuleViolation("经手人数按乡镇（街道）以上设定，不按村设定。", field="region")
    if persons not in WORDS:
        raise RuleViolation("经手人数只能是三人或两人。", field="persons")
    if not setting.document.strip():
        raise RuleViolation("请填写依据文件。", field="document")
    if day < today:
        raise RuleViolation("生效日期不能早于今天：以前的批次按当时的规定办理。", field="from_on")
    if day.year > today.year + YEARS_AHEAD:
        raise RuleViolation(f"生效日期{day}太远，请核对。", field="from_on")
    rows = PaymentPersons.objects.filter(region=region, from_on=day, cancelled_at__isnull=True)
    if rows.exists():
        raise RuleViolation(taken(setting), field="from_on")
    if persons_needed(region, day) == persons:
        raise RuleViolation(
            f"{region.name}那一天执行的已经是{WORDS[persons]}，没有要改的。", field="persons"
        )


def taken(setting) -> str:
    """Two rows for one day, in words."""
    return TAKEN.format(region=setting.region.name, day=setting.from_on)
