"""联系服务: families by month of a year, as the page shows them, in a fixed number of queries."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from django.core.paginator import Page
from django.db.models import (
    Count,
    F,
    IntegerField,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
)
from django.db.models.functions import Coalesce
from django.urls import reverse

from fpadmin.dates import month_end
from fpadmin.reporting.pages import RowPaginator
from fpadmin.reporting.registry import Span
from households.models import (
    VISITS,
    Channel,
    ContactRecord,
    FamilyContact,
    MissedMonth,
    Purpose,
    SpecialFamily,
)
from households.special import due
from households.special.archive_list import parent_names
from households.special.family_months import (
    contacts_that_count,
    index_of,
    number_done,
    number_due,
)
from households.special.rules import RuleBook, rule_books

FAMILIES_A_PAGE = 50
MET, PARTLY, MISSED, DUE, LATER, OFF = "met", "part", "miss", "due", "later", "off"
ICONS = {
    Channel.HOME: "house-door",
    Channel.PHONE: "telephone",
    Channel.WECHAT: "chat-dots",
    Channel.OTHER: "three-dots",
    Purpose.FESTIVAL: "gift",
    Purpose.ILLNESS: "heart-pulse",
    Purpose.EMERGENCY: "life-preserver",
}
GAPS = {"any": "有漏联系", "open": "漏联系没有说明", "late": "逾期没有处理", "due": "本月待联系"}


@dataclass(frozen=True)
class Month:
    """One column: its days, and where today stands."""

    first: date
    last: date
    is_current: bool
    is_ahead: bool

    @property
    def label(self) -> str:
        return f"{self.first.month}月"

    @property
    def is_finished(self) -> bool:
        return not (self.is_current or self.is_ahead)

    @property
    def code(self) -> str:
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True)
class Cell:
    """One family in one month: what was done, and the page behind it ("" where there is none)."""

    state: str
    label: str
    word: str = ""
    icon: str = ""
    url: str = ""
    is_late: bool = False  # recorded after the month's end only
    reason: str = ""

    @property
    def css(self) -> str:
        """The look's class: what is partly done is still due."""
        return DUE if self.state == PARTLY else self.state

    @property
    def text_css(self) -> str:
        return {MISSED: "fp-bad-text", DUE: "fp-warn-text"}.get(self.css, "")


@dataclass(frozen=True)
class Row:
    """One family of the matrix; `family` carries what with_year() annotates."""

    family: SpecialFamily
    contacts: list[str]
    cells: list[Cell]
    visits_required: int


@dataclass(frozen=True)
class Sums:
    """Of all families that the page finds: contacted families per month, family-months, visits."""

    monthly: list[int | None]
    met: int
    counted: int
    visits: int


@dataclass(frozen=True)
class Matrix:
    """One page of the matrix and what stands below it."""

    year: int
    months: list[Month]
    rows: list[Row]
    page: Page
    sums: Sums

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Icon and word of what the page shows besides 入户, 电话 and 节日慰问."""
        shown = {cell.icon for row in self.rows for cell in row.cells}
        usual = (Channel.HOME, Channel.PHONE, Purpose.FESTIVAL)
        return [(icon, word) for word, icon in ICONS.items() if icon in shown and word not in usual]


def months_of_year(year: int, day: date) -> list[Month]:
    """The twelve columns."""
    found = []
    for number in range(1, 13):
        first, last = date(year, number, 1), month_end(year, number)
        found.append(Month(first, last, first <= day <= last, first > day))
    return found


def families_of(user, year: int, day: date) -> QuerySet:
    """Archives that the user may see and that were open at some time in the year."""
    return SpecialFamily.objects.visible_to(user).filter(
        Q(closed_on__isnull=True) | Q(closed_on__gt=date(year, 1, 1)),
        opened_on__lte=min(date(year, 12, 31), day),
    )


def with_gaps(families: QuerySet, kind: str, year: int, day: date) -> QuerySet:
    """Of the families those that a filter of GAPS asks for."""
    finished = due.finished_months(year, day)
    if kind == "any":
        return due.with_gaps(families, finished)
    if kind == "open":
        return due.with_open_gaps(families, finished)
    if kind == "late":
        return due.with_late_gaps(families, finished, day)
    return due.due_this_month(families, day) if kind == "due" else families


def with_year(families: QuerySet, year: int, day: date) -> QuerySet:
    """With months_counted, months_met (of the finished ones) and visits_made in the year."""
    over = _finished(year, day)
    return families.annotate(
        months_counted=number_due(over) if over else Value(0),
        months_met=number_done(over) if over else Value(0),
        visits_made=_visits(year),
        names=parent_names(),
    )


def _finished(year: int, day: date) -> Span | None:
    months = due.finished_months(year, day)
    return Span(months[0][0], months[-1][1]) if months else None


def matrix(families: QuerySet, year: int, day: date, number) -> Matrix:
    """Page `number` of the families in their order, with the sums over all of them."""
    months = months_of_year(year, day)
    year_long = with_year(families, year, day)
    page = RowPaginator(year_long.order_by(*SpecialFamily._meta.ordering), FAMILIES_A_PAGE).page(
        number
    )
    shown = list(
        page.object_list.select_related("household__village").prefetch_related(
            Prefetch("contacts", _terms_of(year, day), to_attr="terms")
        )
    )
    books = rule_books({min(month.last, day) for month in months})
    records, said = _records(shown, year), _explained(shown, year)
    last_book = books[min(months[-1].last, day)]
    rows = [
        Row(
            family,
            [term.person.name for term in family.terms],
            [_cell(family, m, records, said, books[min(m.last, day)], day) for m in months],
            last_book.of(family.household.village.path).visits_per_year,
        )
        for family in shown
    ]
    return Matrix(year, months, rows, page, _sums(families, months, _finished(year, day)))


def _visits(year: int) -> Coalesce:
    made = ContactRecord.objects.counted().filter(
        contact__family=OuterRef("pk"), purpose__in=VISITS, happened_on__year=year
    )
    number = made.order_by().values("contact__family").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(number, output_field=IntegerField()), 0)


def _terms_of(year: int, day: date) -> QuerySet:
    """Contacts of today; of a year that is over those of its last day."""
    on = min(date(year, 12, 31), day)
    return (
        FamilyContact.objects.in_term_on(on).select_related("person").order_by("started_on", "pk")
    )


def _records(families: list[SpecialFamily], year: int) -> dict[tuple[int, int], list]:
    """{(family, month): its records of the year, oldest first}."""
    found = defaultdict(list)
    records = ContactRecord.objects.counted().filter(
        contact__family__in=families, happened_on__year=year
    )
    for record in (
        records.annotate(family_id=F("contact__family"))
        .only("happened_on", "channel", "purpose", "recorded_on", "recorded_by")
        .order_by("happened_on", "pk")
    ):
        found[record.family_id, record.happened_on.month].append(record)
    return found


def _explained(families: list[SpecialFamily], year: int) -> dict[tuple[int, int], str]:
    said = MissedMonth.objects.filter(family__in=families, month__year=year)
    return {(m.family_id, m.month.month): m.reason for m in said}


def _cell(family, month: Month, records, said, book: RuleBook, day: date) -> Cell:
    done = records[family.pk, month.first.month]
    if done:
        return _contacted(family, month, done, book)
    if month.is_ahead:
        return Cell(LATER, "未到")
    end = day if month.is_current else month.last
    if not (family.opened_on <= end and (family.closed_on is None or family.closed_on > end)):
        return Cell(OFF, f"{month.label}不在管，不计", "—")
    if month.is_current:
        url = reverse("households:special-record-create", args=[family.pk])
        return Cell(DUE, f"{month.label}还没有联系", "待联系", "clock", url)
    url = reverse("households:special-month-explain", args=[family.pk, month.code])
    reason = said.get((family.pk, month.first.month), "")
    label = f"{month.label}没有联系" + (f"，原因：{reason}" if reason else "")
    return Cell(MISSED, label, "缺", "x-lg", url, reason=reason)


def _contacted(family, month: Month, done: list[ContactRecord], book: RuleBook) -> Cell:
    asked = book.of(family.household.village.path).contacts_per_month
    # The visit tells more than the channel, and of several the last.
    newest = next((r for r in reversed(done) if r.purpose in VISITS), done[-1])
    icon = ICONS.get(newest.purpose) or ICONS[newest.channel]
    label = "；".join(f"{r.happened_on.month}月{r.happened_on.day}日，{word_of(r)}" for r in done)
    word = f"{newest.happened_on.day}日" if len(done) == 1 else f"{len(done)}次"
    is_late = all(r.recorded_by_id and r.recorded_on > month.last for r in done)
    url = reverse("households:special-month-detail", args=[family.pk, month.code])
    if len(done) < asked:
        label = f"{label}。要求{asked}次，还差{asked - len(done)}次"
        return Cell(PARTLY, label, f"{len(done)}/{asked}次", icon, url, is_late)
    return Cell(MET, label + ("，补记" if is_late else ""), word, icon, url, is_late)


def word_of(record: ContactRecord) -> str:
    """节日慰问 for a visit, else how the family was reached."""
    return record.purpose if record.purpose in VISITS else record.channel


def _sums(families: QuerySet, months: list[Month], over: Span | None) -> Sums:
    """Counted over the log, not family by family. A running month counts the families so far."""
    these = families.order_by().values("pk")
    log = ContactRecord.objects.counted().filter(contact__family__in=these).order_by()
    year = log.filter(happened_on__year=months[0].first.year)
    number = Count("contact__family", distinct=True)
    met, counting = {}, 0
    if over:
        contacts = contacts_that_count(over).filter(contact__family__in=these).order_by()
        found = contacts.values("month").annotate(number=number)
        met = {row["month"]: row["number"] for row in found}
        counting = families.order_by().aggregate(n=Sum(number_due(over)))["n"] or 0
    monthly = [met.get(index_of(m.first), 0) if m.is_finished else None for m in months]
    for place, month in enumerate(months):
        if month.is_current:
            this = year.filter(happened_on__range=(month.first, month.last))
            monthly[place] = this.aggregate(n=number)["n"]
    return Sums(monthly, sum(met.values()), counting, year.filter(purpose__in=VISITS).count())
