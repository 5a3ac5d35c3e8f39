"""What contacts still owe families: the month that runs, months gone by without a contact, needs."""

from datetime import date, timedelta

from django.db.models import (
    Count,
    DateField,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce, ExtractMonth, ExtractYear
from django.db.models.lookups import GreaterThan, LessThanOrEqual
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.dates import month_end
from fpadmin.reporting.registry import Span
from fpadmin.ui import todos
from fpadmin.ui.todos import Todo, TodoSource
from households.models import (
    ContactRecord,
    FamilyContact,
    FollowUp,
    MissedMonth,
    SpecialFamily,
    archive_open,
)
from households.special.family_months import index_in, number_done, number_due
from households.special.months import months_of
from households.special.rules import DEFAULT, RuleBook, rule_book

VILLAGE = "household__village__path"
SOON_DAYS = 7  # what is due so soon stands on the home page
IS_DUE = Q(done_this_month__lt=F("asked_monthly"))  # of with_month()


def own_families(user) -> QuerySet:
    """Archives whose current contact this account is, whatever else it may see."""
    terms = FamilyContact.objects.filter(
        family=OuterRef("pk"), person__user=user, ended_on__isnull=True
    )
    return SpecialFamily.objects.visible_to(user).filter(Exists(terms))


def is_contact(user) -> bool:
    """Whether the account is some family's contact now."""
    return own_families(user).exists()


def finished_months(year: int, day: date) -> list[tuple[date, date]]:
    """First and last day of the year's months that were over before `day`."""
    ended = min(date(year, 12, 31), day - timedelta(days=1))
    return months_of(Span(date(year, 1, 1), ended)) if ended.year == year else []


def finished_since(start: date, day: date) -> list[tuple[date, date]]:
    """First and last day of the months from that of `start` on that were over before `day`."""
    return months_of(Span(start, day - timedelta(days=1)))


def year_looked_at(day: date) -> int:
    """The year of the last finished month: in January the past one."""
    return (day.replace(day=1) - timedelta(days=1)).year


def with_gaps(families: QuerySet, months: list[tuple[date, date]]) -> QuerySet:
    """Families that were missed in one of the months, which follow each other.

    Counted, not looked at month by month: one look at each family's log, however many months.
    """
    if not months:
        return families.none()
    span = _span(months)
    return families.alias(done=number_done(span), asked=number_due(span)).filter(
        done__lt=F("asked")
    )


def with_open_gaps(families: QuerySet, months: list[tuple[date, date]]) -> QuerySet:
    """Families missed in one of the months without a word of explanation."""
    if not months:
        return families.none()
    span = _span(months)
    return families.alias(
        done=number_done(span), asked=number_due(span), said=_number_explained(span)
    ).filter(asked__gt=F("done") + F("said"))


def with_late_gaps(families: QuerySet, months: list[tuple[date, date]], day: date) -> QuerySet:
    """with_open_gaps() of months that were over more days ago than the office allows."""
    book, late = rule_book(day), Q(pk__in=[])
    for days in {DEFAULT.overdue_days, *(rule.overdue_days for rule in book.rules.values())}:
        over = [(first, last) for first, last in months if (day - last).days > days]
        found = with_open_gaps(SpecialFamily.objects.order_by(), over)
        late |= Q(overdue_days=days, pk__in=found.values("pk"))
    allowed = book.case(lambda rule: rule.overdue_days, VILLAGE, IntegerField())
    return families.alias(overdue_days=allowed).filter(late)


def with_month(families: QuerySet, day: date, book: RuleBook) -> QuerySet:
    """With done_this_month and asked_monthly: contacts in the month of `day`, and how many are asked."""
    done = ContactRecord.objects.counted().filter(
        contact__family=OuterRef("pk"),
        happened_on__range=(day.replace(day=1), month_end(day.year, day.month)),
    )
    return families.annotate(
        done_this_month=_number(done, "contact__family"),
        asked_monthly=book.case(lambda rule: rule.contacts_per_month, VILLAGE, IntegerField()),
    )


def due_this_month(families: QuerySet, day: date) -> QuerySet:
    """Open archives contacted less often in the month of `day` than the office asks for."""
    return with_month(families.filter(archive_open(day)), day, rule_book(day)).filter(IS_DUE)


def _span(months: list[tuple[date, date]]) -> Span:
    return Span(months[0][0], months[-1][1])


def _number_explained(span: Span) -> Coalesce:
    """For SpecialFamily: those of its months that count without a contact that somebody explained."""
    contacts = ContactRecord.objects.counted().filter(
        contact__family=OuterRef("family"),
        happened_on__year=ExtractYear(OuterRef("month")),
        happened_on__month=ExtractMonth(OuterRef("month")),
    )
    month = index_in("month")
    counting = Q(family__closed_on__isnull=True) | Q(
        GreaterThan(index_in("family__closed_on"), month)
    )
    said = MissedMonth.objects.filter(
        ~Exists(contacts),
        counting,
        LessThanOrEqual(index_in("family__opened_on"), month),
        family=OuterRef("pk"),
        month__range=(span.start, span.as_of),
    )
    return _number(said, "family")


def _number(rows: QuerySet, of: str) -> Coalesce:
    numbers = rows.order_by().values(of).annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(numbers, output_field=IntegerField()), 0)


def open_needs(needs: QuerySet) -> QuerySet:
    """Needs that somebody sees to."""
    return needs.filter(closed_on__isnull=True)


def overdue_needs(needs: QuerySet, day: date) -> QuerySet:
    """Open needs whose last day is over."""
    return open_needs(needs).filter(due_on__lt=day)


def needs_due_soon(needs: QuerySet, day: date) -> QuerySet:
    """Open needs due within the week, those overdue left out."""
    return open_needs(needs).filter(due_on__range=(day, day + timedelta(days=SOON_DAYS)))


def late_needs(needs: QuerySet, day: date) -> QuerySet:
    """Needs overdue for longer than the office allows."""
    late_before = _late_before(day, f"family__{VILLAGE}")
    return overdue_needs(needs, day).alias(late_before=late_before).filter(
        due_on__lt=F("late_before")
    )  # fmt: skip


def own_needs(user) -> QuerySet:
    """Needs this account sees to, of families it may see."""
    return FollowUp.objects.visible_to(user).filter(owner__user=user)


def _late_before(day: date, village: str):
    return rule_book(day).case(
        lambda rule: day - timedelta(days=rule.overdue_days), village, DateField()
    )


def todos_of(user, day: date) -> list[Todo]:
    """A contact's own; for who keeps the archives what was missed; for the reviewer what stays so."""
    found = _of_contact(user, day)
    if user.may(Permission.SPECIAL_EDIT):
        found += _of_office(user, day, late=False)
    elif user.may(Permission.SPECIAL_LIST):
        found += _of_office(user, day, late=True)
    return found


def _of_contact(user, day: date) -> list[Todo]:
    tasks, needs = reverse("households:special-my-tasks"), reverse("households:special-need-list")
    last = month_end(day.year, day.month)
    ends_soon = (last - day).days < SOON_DAYS
    mine = own_needs(user)
    return [
        Todo(
            "特殊家庭本月联系", due_this_month(own_families(user), day).count(),
            f"{tasks}?kind=contact", "warn" if ends_soon else "wait",
            "本周内到期" if ends_soon else "本月待联系", f"{last.month}月{last.day}日前", "去联系",
        ),
        Todo(
            "我负责的需求已逾期", overdue_needs(mine, day).count(), f"{needs}?state=overdue&mine=1",
            "bad", "已逾期", act="去办理",
        ),
        Todo(
            "我负责的需求快到期", needs_due_soon(mine, day).count(), f"{needs}?state=soon&mine=1",
            "warn", "7天内到期", act="去办理",
        ),
    ]  # fmt: skip


def _of_office(user, day: date, *, late: bool) -> list[Todo]:
    matrix = reverse("households:special-matrix")
    needs = reverse("households:special-need-list")
    families, raised = SpecialFamily.objects.visible_to(user), FollowUp.objects.visible_to(user)
    year = year_looked_at(day)
    months = finished_months(year, day)
    if late:
        gaps, over = with_late_gaps(families, months, day), late_needs(raised, day)
    else:
        gaps, over = with_open_gaps(families, months), overdue_needs(raised, day)
    word = "late" if late else "open"
    return [
        Todo(
            "特殊家庭漏联系，没有补记也没有说明", gaps.count(), f"{matrix}?year={year}&gaps={word}",
            "bad", "逾期未处理" if late else "漏联系", act="去看",
        ),
        Todo(
            "特殊家庭需求逾期未办结", over.count(),
            f"{needs}?state={'late' if late else 'overdue'}", "bad", "已逾期", act="去看",
        ),
    ]  # fmt: skip


def load() -> None:
    """Register what waits. Called once, by ready()."""
    todos.register(TodoSource("special-due", Permission.SPECIAL_VIEW, todos_of, order=10))
