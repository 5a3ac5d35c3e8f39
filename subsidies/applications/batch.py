"""通过所选: the flawless ones of a choice are passed at once; what needs a look is shown and left."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from django.db import transaction
from django.utils import timezone

from fpadmin.errors import RuleViolation
from households.models import Resident
from subsidies.applications.looking import facts_to_attest, look
from subsidies.applications.papers import missing_of
from subsidies.applications.steps import OWN, is_own, may_decide
from subsidies.conflicts import conflicts_of_many
from subsidies.eligibility import months
from subsidies.eligibility.finding import found_ids
from subsidies.eligibility.masking import rule_told
from subsidies.models import Application, ApplicationState, NoticeLine, Objection
from subsidies.notices import terms
from subsidies.policies.book import PolicyBook, Rule, policy_books
from subsidies.policies.seeing import sees_sensitive
from subsidies.services.applications import NOT_YOUR_STEP, pass_step

EXPLAINED = (
    20  # exceptions whose failing criteria are named; a longer list is no exception any more
)
LOOK = "按现在的登记不再符合条件，请打开核对"


def exceptions(rows: list[Application], *, by, values, day: date) -> dict[int, str]:
    """Those that need a look, and why: criteria, proof, papers, conflicts, notice, or not one's step."""
    reasons: dict[int, list[str]] = defaultdict(list)
    for row in rows:
        if not may_decide(by, row):
            reasons[row.pk].append(f"{row.get_state_display()}，{NOT_YOUR_STEP}")
        elif is_own(by, row):
            reasons[row.pk].append(OWN)
    rest = [row for row in rows if row.pk not in reasons]
    days = {row.policy_code: months.usual_day(row.policy_code, day) for row in rest}
    books = policy_books(set(days.values()))
    rules = {
        row.pk: books[days[row.policy_code]].rule(row.policy_code, row.resident.village.path)
        for row in rest
    }
    for pk, words in (
        *_failing(rest, rules, days, books, by, day),
        *_unproved(rest, rules),
        *_conflicts(rest, days, books, by, day),
        *_papers(rest, rules),
        *_notices(rest, day),
    ):
        reasons[pk].append(words)
    return {pk: "；".join(said) for pk, said in reasons.items()}


def pass_rows(rows: list[Application], *, by, values, day: date) -> dict[int, str]:
    """Pass them one after the other, each in a transaction of its own; who was refused, and why."""
    refused = {}
    for row in sorted(rows, key=lambda one: one.pk):
        try:
            with transaction.atomic():
                pass_step(by=by, application=row, today=day, now=timezone.now())
        except RuleViolation as violation:
            refused[row.pk] = violation.message
    return refused


Reasons = Iterable[tuple[int, str]]


def _failing(
    rows, rules: dict[int, Rule], days: dict[str, date], books: dict[date, PolicyBook], by, today
) -> Reasons:
    """Whom the records don't show to qualify any more: found by one statement for each rule."""
    groups: dict[tuple[str, str], list[Application]] = defaultdict(list)
    for row in rows:
        rule = rules[row.pk]
        if not rule.is_on or rule.policy.closed:
            yield row.pk, f"这里没有启用“{rule.policy.name}”"
        else:
            groups[row.policy_code, _township(row.resident.village.path)].append(row)
    left = EXPLAINED
    for (code, path), group in groups.items():
        day, book = days[code], books[days[code]]
        rule = None if sees_sensitive(by) else rule_told(by, rules[group[0].pk])
        people = Resident.objects.filter(pk__in=[row.resident_id for row in group])
        ids = found_ids(code, day, path, book=book, rule=rule)
        meeting = set(people.filter(pk__in=ids).values_list("pk", flat=True))
        for row in group:
            if row.resident_id in meeting or not (
                row.by_rule or row.state == ApplicationState.COUNTY
            ):
                continue
            failing = look(row, today, user=by, book=book).failing if left > 0 else []
            left -= 1
            yield row.pk, "不再符合：" + "，".join(failing) if failing else LOOK


def _township(village_path: str) -> str:
    """Its people are asked about at once: mostly all that were chosen are of one."""
    return village_path[:-1].rpartition(".")[0] + "."


def _unproved(rows, rules: dict[int, Rule]) -> Reasons:
    for row in rows:
        blank = [what for what in facts_to_attest(rules[row.pk]) if not row.attested.get(what)]
        if blank:
            yield row.pk, "缺证明事项：" + "、".join(blank)


def _conflicts(rows, days, books, by, today) -> Reasons:
    groups: dict[date, list[Application]] = defaultdict(list)
    for row in rows:
        groups[days[row.policy_code]].append(row)
    for day, group in groups.items():
        pairs = {(row.resident_id, row.policy_code): row.pk for row in group}
        found = conflicts_of_many(pairs, today, books[day], user=by)
        yield from ((pairs[pair], "，".join(words)) for pair, words in found.items())


def _papers(rows, rules: dict[int, Rule]) -> Reasons:
    missing = missing_of(rows, rules)
    yield from ((pk, "缺材料：" + "、".join(kinds)) for pk, kinds in missing.items() if kinds)


def _notices(rows, today: date) -> Reasons:
    """Terms that are not over, and objections that are still open at a later step."""
    on_notice = [row.pk for row in rows if row.state == ApplicationState.NOTICE]
    lines = {
        line.application_id: line
        for line in NoticeLine.objects.filter(
            application__in=on_notice, removed_on__isnull=True
        ).select_related("notice")
    }
    open_ones = set(
        Objection.objects.filter(application__in=[row.pk for row in rows], outcome="")
        .order_by()
        .values_list("application", flat=True)
    )
    for row in rows:
        line = lines.get(row.pk)
        if row.pk in on_notice and line is None:
            yield row.pk, terms.NOT_POSTED.rstrip("。")
        elif line and today <= line.notice.ends_on:
            yield row.pk, f"公示到{line.notice.ends_on}"
        if row.pk in open_ones:
            yield row.pk, "有异议还没有处理"
