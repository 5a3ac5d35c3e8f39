"""Plans the workbook of rolls: whose line each record is, and what it does to the roll."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from itertools import islice

from fpadmin import bulk
from fpadmin.imports.identifiers import digests_of
from fpadmin.imports.kinds import Change, Ground
from fpadmin.imports.reader import Table
from subsidies.enrolment_import.oddities import find_grades, warn
from subsidies.enrolment_import.plan import (
    END,
    LAST,
    NUMBER,
    POLICY,
    REASON,
    START,
    EnrolmentPlan,
    Line,
    Span,
    month_of,
)
from subsidies.models import Enrolment
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.registered import people_by_number, places_of, same_name

_COLUMNS = [
    "id", "row_version", "policy_code", "resident_id", "grade", "start_month", "end_month",
    "end_reason",
]  # fmt: skip
_HEADINGS = {"end_month": END, "end_reason": REASON, "grade": "amount"}
_PREVIEW = 5_000
_NEAR = 3  # codes proposed for an unknown one


def plan_enrolments(table: Table, ground: Ground) -> EnrolmentPlan:
    """Validate every record and decide what it is: new, changed, unchanged, or refused."""
    plan = EnrolmentPlan(table, ground, digests_of(table, [NUMBER])[NUMBER])
    _own_faults(plan)
    find_people(plan)
    _duplicates(plan)
    _find_lines(plan)
    _exits(plan)
    _overlaps(plan)
    book = policy_book(ground.today)
    find_grades(plan, book)
    _classify(plan)
    warn(plan, book)
    return plan


def _own_faults(plan: EnrolmentPlan) -> None:
    """Policies that nobody knows, and lines that begin after this month."""
    table, codes, starts = plan.table, plan.table.columns[POLICY], plan.table.columns[START]
    known, today = catalogue.policies(), plan.ground.today
    near: dict[str, str] = {}
    for index in range(len(table)):
        code, start = codes[index], starts[index]
        if isinstance(code, str) and code not in known:
            if code not in near:
                near[code] = codes_like(code)
            table.error(
                index, POLICY, "unknown_policy", f"没有代码为“{code[:30]}”的政策。{near[code]}"
            )
        if isinstance(start, str) and month_of(start) > today:
            table.error(
                index, START, "date_future", f"起始年月{start}在本月之后。请核对，或到月再导入。"
            )


def codes_like(code: str) -> str:
    """What to write instead of a code that no policy has."""
    known = {known.replace("-", ""): known for known in catalogue.policies()}
    plain = code.upper().replace("-", "")
    close = [known[name] for name in get_close_matches(plain, known, _NEAR, 0.5)]
    if not close:
        return f"请照政策页上的代码填写，例如{next(iter(known.values()))}。"
    named = "、".join(f"{one}（{catalogue.name_of(one)}）" for one in close)
    return f"相近的有：{named}。请改填。"


def find_people(plan) -> None:
    """Residents of the office whose number and name agree; all others are errors of the record.

    Of any plan of a workbook that names people: see EnrolmentPlan for what it fills in.
    """
    table, names = plan.table, plan.table.columns["name"]
    plan.people = people_by_number(plan.digests)
    plan.places = places_of(plan.ground.office)
    for index, number in enumerate(plan.digests):
        if not number:
            continue
        person = plan.people.get(number)
        if person is None:
            table.error(
                index, NUMBER, "resident_missing",
                "没有登记这位居民。请先导入居民登记表，或核对号码。",
            )  # fmt: skip
        elif person.village not in plan.places:
            table.error(
                index, NUMBER, "outside_office",
                f"这位居民不在{plan.ground.office.name}登记。请核对号码。",
            )  # fmt: skip
        elif isinstance(names[index], str) and not same_name(names[index], person.name):
            table.error(
                index, "name", "name_differs",
                f"这个号码登记的姓名是“{person.name}”。请对照身份证核对姓名和号码；"
                "登记有误的，先更正居民登记。",
            )  # fmt: skip


def _duplicates(plan: EnrolmentPlan) -> None:
    """Both rows of one line are refused."""
    table = plan.table
    records: dict[tuple, list[int]] = defaultdict(list)
    for index in table.good():
        records[*plan.key(index), plan.start(index)].append(index)
    for indices in records.values():
        if len(indices) > 1:
            rows = "、".join(str(table.excel_rows[i]) for i in indices[:5])
            for index in indices:
                table.error(
                    index, START, "duplicate_in_file",
                    f"第{rows}行是同一人、同一政策、同一起始年月。请只留一行。",
                )  # fmt: skip


def _find_lines(plan: EnrolmentPlan) -> None:
    """Everything that is known of these people's lines, and which of it the records mean."""
    people = {plan.person(index).pk for index in plan.table.good()}
    plan.stored = defaultdict(list)
    for _, *row in bulk.lookup(Enrolment, "resident_id", people, _COLUMNS):
        line = Line(*row)
        plan.stored[line.policy, line.resident].append(line)
    by_start = {
        (line.policy, line.resident, line.start): line
        for lines in plan.stored.values()
        for line in lines
    }
    for index in plan.table.good():
        line = by_start.get((*plan.key(index), plan.start(index)))
        if line:
            plan.known[index] = line


def _exits(plan: EnrolmentPlan) -> None:
    """An exit has its month and its reason, and no line ends before it begins."""
    table, ends = plan.table, plan.table.columns[END]
    for index in table.good():
        end, reason = plan.end(index), plan.reason(index)
        if end and not reason:
            table.error(index, REASON, "required", "填了退出年月，也要填退出原因。请补填。")
        elif reason and not end:
            table.error(
                index, END, "required", "填了退出原因，也要填退出年月（最后一个发放月）。请补填。"
            )
        if isinstance(ends[index], str) and end < plan.start(index):
            table.error(
                index, END, "exit_before_start",
                f"退出年月{end:%Y-%m}早于起始年月{plan.start(index):%Y-%m}。请核对。",
            )  # fmt: skip


def _overlaps(plan: EnrolmentPlan) -> None:
    """No month of one person on one roll stands in two lines; rows that change nothing are left out."""
    spans: dict[tuple[str, int], list[Span]] = defaultdict(list)
    said = set()
    for index in plan.table.good():
        spans[plan.key(index)].append(plan.span(index))
        if index in plan.known:
            said.add(plan.known[index].pk)
    for key, own in spans.items():
        own += [
            Span(line.start, line.end or LAST)
            for line in plan.stored.get(key, ())
            if line.pk not in said
        ]
        if len(own) > 1:
            for span, other in _overlapping(own):
                _refuse_overlap(plan, span, other)


def _overlapping(spans: list[Span]) -> Iterator[tuple[Span, Span]]:
    """(span, another that it overlaps) for each that overlaps any, some twice."""
    longest: Span | None = None
    for span in sorted(spans, key=lambda one: (one.start, one.end)):
        if span.end < span.start:  # approved, and then never paid
            continue
        if longest and longest.end >= span.start:
            yield span, longest
            yield longest, span
        if longest is None or span.end > longest.end:
            longest = span


def _refuse_overlap(plan: EnrolmentPlan, span: Span, other: Span) -> None:
    table, index = plan.table, span.row
    if index is None or (index, START) in table.faults:
        return
    line = plan.known.get(index)
    if line and (line.end or LAST) == span.end:
        return
    where = "已登记的一条" if other.row is None else f"第{table.excel_rows[other.row]}行"
    table.error(
        index, START, "line_overlap",
        f"与{where}（{other.words}）重叠，同一人同一政策不能重叠。请先填上一段的退出年月，或只留一行。",
    )  # fmt: skip


def _classify(plan: EnrolmentPlan) -> None:
    for index in plan.table.good():
        line = plan.known.get(index)
        if line is None:
            plan.new.append(index)
            continue
        values = {
            "end_month": (line.end, plan.end(index)),
            "end_reason": (line.reason, plan.reason(index)),
            "grade": (line.grade, plan.grade(index)),
        }
        differing = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
        if differing:
            plan.changed[index] = differing
    plan.created, plan.updated = len(plan.new), len(plan.changed)
    plan.unchanged = len(plan.table) - len(plan.table.bad) - plan.created - plan.updated
    _describe_changes(plan)


def _describe_changes(plan: EnrolmentPlan) -> None:
    table = plan.table
    for index, values in islice(plan.changed.items(), _PREVIEW):
        person = plan.person(index)
        for name, (old, new) in values.items():
            plan.changes.append(
                Change(
                    table.excel_rows[index],
                    f"{person.name} {catalogue.name_of(plan.policy(index))}",
                    plan.places[person.village][1],
                    plan.known[index].pk,
                    table.kind.column(_HEADINGS[name]).heading,
                    _shown(old),
                    _shown(new),
                )
            )


def _shown(value) -> str:
    return f"{value:%Y-%m}" if isinstance(value, date) else value or ""
