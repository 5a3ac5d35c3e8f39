"""What must hold of the rolls: months, no month paid twice, nothing for the dead, no gap in a move."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from fpadmin.invariants import Finding, register
from subsidies.models import Application, ApplicationState, Enrolment, Suspension
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.rolls import misfits, states

LINE, APPLICATION = Enrolment._meta.label_lower, Application._meta.label_lower
VILLAGE = "resident__village__path"


def months_that_are_none(now: datetime) -> Iterator[Finding]:
    """Lines and suspensions whose months are not written as first days."""
    odd = (Q(end_month__isnull=False) & ~Q(end_month__day=1)) | ~Q(start_month__day=1)
    yield from _lines(Enrolment.objects.filter(odd), "在册记录{pk}的年月不是每月1日")
    odd = (Q(until_month__isnull=False) & ~Q(until_month__day=1)) | ~Q(from_month__day=1)
    stopped = Suspension.objects.filter(odd, enrolment=OuterRef("pk"))
    yield from _lines(
        Enrolment.objects.filter(Exists(stopped)), "在册记录{pk}的暂停年月不是每月1日"
    )


def lines_that_overlap(now: datetime) -> Iterator[Finding]:
    """Two lines of one person and policy in one month."""
    others = _sharing_a_month().filter(
        policy_code=OuterRef("policy_code"), resident=OuterRef("resident"), pk__lt=OuterRef("pk")
    )
    yield from _lines(_paid().filter(Exists(others)), "在册记录{pk}与同一政策的另一条年月重叠")


def lines_beyond_a_death(now: datetime) -> Iterator[Finding]:
    """Lines that are, or will be, paid longer than the person's death leaves by the rule."""
    day = timezone.localtime(now).date()
    wrong = misfits.paid_beyond_death(policy_book(day), day)
    yield from _lines(_paid().filter(wrong), "在册记录{pk}在死亡以后还在发放")


def moves_out_of_step(now: datetime) -> Iterator[Finding]:
    """A line that moved into another: a gap between, or a month of both; and both without a move."""
    begins = F("start_month__year") * 12 + F("start_month__month")
    ended = F("moved_from__end_month__year") * 12 + F("moved_from__end_month__month")
    moved = Enrolment.objects.filter(moved_from__isnull=False).alias(begins=begins, ended=ended)
    wrong = moved.filter(Q(moved_from__end_month__isnull=True) | ~Q(begins=F("ended") + 1))
    yield from _lines(wrong, "在册记录{pk}与转入前的一条没有首尾相接")
    for code, policy in catalogue.policies().items():
        if policy.moves_to:
            before = _sharing_a_month().filter(policy_code=code, resident=OuterRef("resident"))
            both = _paid().filter(Exists(before), policy_code=policy.moves_to)
            yield from _lines(both, "在册记录{pk}与转入前的政策同月在册")


def confirmed_without_a_line(now: datetime) -> Iterator[Finding]:
    """Confirmed applications that nobody was put on a roll for."""
    lost = Application.objects.filter(state=ApplicationState.CONFIRMED, enrolment__isnull=True)
    places = lost.order_by("pk").values_list("pk", VILLAGE)
    for pk, path in places.iterator(chunk_size=500):
        yield Finding(f"申请{pk}已确认，没有在册记录", APPLICATION, pk, path)


def _paid() -> QuerySet:
    return Enrolment.objects.exclude(states.NEVER_PAID)


def _sharing_a_month() -> QuerySet:
    """Lines that hold in a month in which the outer line holds."""
    late = Q(end_month__isnull=True) | Q(end_month__gte=OuterRef("start_month"))
    early = Q(start_month__lte=OuterRef("end_month"))
    return _paid().filter(late & (early | _outer_is_open()))


def _outer_is_open() -> Exists:
    open_lines = Enrolment.objects.filter(pk=OuterRef(OuterRef("pk")), end_month__isnull=True)
    return Exists(open_lines)


def _lines(lines: QuerySet, words: str) -> Iterator[Finding]:
    places = lines.order_by("pk").values_list("pk", VILLAGE)
    for pk, path in places.iterator(chunk_size=500):
        yield Finding(words.format(pk=pk), LINE, pk, path)


def load() -> None:
    """Register what must hold. Called once, by ready()."""
    pages = {
        LINE: "subsidies:enrolment-detail", APPLICATION: "subsidies:application-detail",
    }  # fmt: skip
    register(
        "SUB1", "在册年月都写作每月1日", months_that_are_none, pages=pages,
        advice="请联系技术支持：年月只由系统写入，应是每月1日。",
    )  # fmt: skip
    register(
        "SUB2", "同一人同一政策没有年月重叠的在册记录", lines_that_overlap, pages=pages,
        advice="打开在册对象，把多出的一条按“重复享受”提出退出。",
    )  # fmt: skip
    register(
        "SUB3", "死亡以后不再发放", lines_beyond_a_death, pages=pages, warning=True,
        advice="打开在册对象，按死亡日期提出退出。",
    )  # fmt: skip
    register(
        "SUB4", "转入另一政策不断发，也不重复", moves_out_of_step, pages=pages,
        advice="打开在册对象，核对两条记录的起止年月；多出的一条按“重复享受”提出退出。",
    )  # fmt: skip
    register(
        "SUB5", "已确认的申请都有在册记录", confirmed_without_a_line, pages=pages,
        advice="请联系技术支持：确认时应当登记在册。",
    )  # fmt: skip
