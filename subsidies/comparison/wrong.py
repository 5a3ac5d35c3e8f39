"""错: people on a roll of whom another list, or our own registry, says what doesn't go with it.

Each function is one query that the database narrows to the lines concerned; what its rows say is then read
line by line, since a department writes in words.
"""

from collections.abc import Iterable, Iterator
from datetime import date

from django.db.models import Exists, F, Max, OuterRef, Q, Subquery

from households.models import ChildRecord, EventKind, LifeEvent, LowIncomeSpell, Marital, Residency
from subsidies.comparison import readings
from subsidies.comparison.ground import Finding, Ground, asked, asks, latest
from subsidies.models import RosterEntry, RosterSource
from subsidies.rolls.ends import end_month, month_words

MARRIED = (Marital.FIRST, Marital.REMARRIED, Marital.RESUMED)
# A policy that asks one of these depends on the children somebody has.
OF_CHILDREN = (
    "living_children", "children_ever", "no_birth_outside_policy", "child_age", "only_child_disabled"
)  # fmt: skip
LINE = "resident__enrolments__"
ENTRY = ("pk", "event_date", "detail", "resident", "resident__village__path")
ENDED = Q(detail__regex="|".join(readings.ENDED))


def dead_by_police(ground: Ground) -> Iterator[Finding]:
    """On the police's list of deaths, and living by our registry."""
    source = RosterSource.POLICE_DEATHS
    entries = latest(ground.listed(source, Q(resident__death_date__isnull=True)), source)
    for entry, day, _, resident, _, line, code in entries.values_list(*ENTRY, *_line()):
        yield Finding(
            f"{line}", f"{day}", resident, f"公安{_on(day)}死亡注销，我方登记在世",
            code, line, entry=entry,
        )  # fmt: skip


def dead(ground: Ground) -> Iterator[Finding]:
    """Dead by our own registry, and still on the roll after the last month that the rule pays."""
    gone = ground.rolls().filter(resident__death_date__lt=ground.month)
    yield from _left(ground, gone, "resident__death_date", "去世")


def moved_by_police(ground: Ground) -> Iterator[Finding]:
    """Moved out by the police's register, and on our books; not who came again since."""
    source, moves = RosterSource.POLICE_HUKOU, Q(detail__contains="迁")
    again = Residency.objects.filter(
        resident=OuterRef("resident"), ended_on__isnull=True, started_on__gte=OuterRef("event_date")
    )
    here = Q(resident__departed_on__isnull=True, resident__death_date__isnull=True)
    entries = latest(ground.listed(source, here, moves).filter(~Exists(again)), source, moves)
    for entry, day, words, resident, _, line, code in entries.values_list(*ENTRY, *_line()):
        if readings.moved_out(words):
            yield Finding(
                f"{line}", f"{day}", resident, f"公安户籍{_on(day)}迁出，我方登记在册",
                code, line, entry=entry,
            )  # fmt: skip


def departed(ground: Ground) -> Iterator[Finding]:
    """Off our own books, and still on the roll after the last month that the rule pays."""
    gone = ground.rolls().filter(
        resident__departed_on__lt=ground.month, resident__death_date__isnull=True
    )
    yield from _left(ground, gone, "resident__departed_on", "离册")


def hukou_differs(ground: Ground) -> Iterator[Finding]:
    """Of another kind of hukou, by the police's register, than the policy asks."""
    source, kinds = RosterSource.POLICE_HUKOU, Q(detail__regex="农|城镇户")
    codes = Q(**{f"{LINE}policy_code__in": ground.codes(asks("hukou"))})
    entries = latest(ground.listed(source, codes, kinds), source, kinds)
    rows = entries.values_list(*ENTRY, *_line(), "resident__hukou")
    for entry, day, words, resident, path, line, code, ours in rows:
        wanted = asked(ground.rule(code, path), "hukou")
        theirs = readings.hukou_in(words)
        if wanted and theirs and theirs != wanted:
            yield Finding(
                f"{line}", f"{theirs}{day}", resident,
                f"公安户籍{_on(day)}为{theirs}，政策要求{wanted}，我方登记{ours}",
                code, line, entry=entry,
            )  # fmt: skip


def marriage_differs(ground: Ground) -> Iterator[Finding]:
    """Married or divorced by the civil register otherwise than we have it, and later than what we know."""
    source = RosterSource.MARRIAGES
    entries = latest(ground.listed(source), source)
    rows = entries.values_list(
        *ENTRY, *_line(), "resident__marital", "resident__first_marriage_date",
        "resident__spouse__death_date",
    )  # fmt: skip
    events = _last_marriages(entries)
    for entry, day, words, resident, _, line, code, ours, married_on, widowed_on in rows:
        known = [married_on, events.get(resident), widowed_on if ours == Marital.WIDOWED else None]
        theirs = readings.marriage_in(words)
        if marriage_is_new(theirs, day, ours, [one for one in known if one]):
            yield Finding(
                f"{line}", f"{theirs}{day}", resident,
                f"民政{_on(day)}登记{theirs}，我方登记{ours}", code, line, entry=entry,
            )  # fmt: skip


def marriage_is_new(theirs: str, day: date | None, ours: str, known: list[date]) -> bool:
    """Whether the register tells of a marriage or divorce that our record doesn't hold.

    `known` are the days of what we know: marriages, divorces, the spouse's death. A day that we
    don't know is no contradiction, unless our word itself is one.
    """
    if not theirs:
        return False
    if theirs == "离婚":
        if ours == Marital.DIVORCED:
            return False
        # Of a first marriage its own day is no later change.
        return day is None or not any(one >= day for one in known)
    if ours == Marital.SINGLE:
        return True
    if day is None:
        return False
    if ours in MARRIED:
        return bool(known) and day > max(known)
    return not known or day > max(known)


def birth_missing(ground: Ground) -> Iterator[Finding]:
    """A hospital's birth that our birth history lacks, of a woman on a roll or whose husband is."""
    codes = ground.codes(lambda rule: any(one.key in OF_CHILDREN for one in rule.criteria))
    known = ChildRecord.objects.filter(
        mother=OuterRef("resident"), birth_date=OuterRef("event_date")
    )
    for through in ("resident", "resident__spouse"):
        wanted = [Q(event_date__isnull=False, **{f"{through}__enrolments__policy_code__in": codes})]
        if through != "resident":
            wanted.append(Q(resident__marital__in=MARRIED))
        entries = ground.listed(RosterSource.HOSPITAL_BIRTHS, *wanted, through=through)
        rows = entries.filter(~Exists(known)).values_list(
            "pk", "event_date", through, f"{through}__village__path", *_line(through)
        )
        whose = "" if through == "resident" else "配偶"
        for entry, day, resident, path, line, code in rows:
            rule = ground.rule(code, path)
            if any(one.key in OF_CHILDREN for one in rule.criteria):
                yield Finding(
                    f"{line}", f"{day}", resident, f"{whose}{day}住院分娩，生育史没有这次生育",
                    code, line, entry=entry,
                )  # fmt: skip


def employment_differs(ground: Ground) -> Iterator[Finding]:
    """Employed or pensioned, by the social insurance, otherwise than the policy asks; or paid already."""
    source = RosterSource.INSURANCE
    codes = Q(**{f"{LINE}policy_code__in": ground.codes(asks("employment"))})
    entries = latest(ground.listed(source, codes), source)
    rows = entries.values_list(*ENTRY, *_line(), "resident__employment")
    for entry, day, words, resident, path, line, code, ours in rows:
        rule = ground.rule(code, path)
        wanted = asked(rule, "employment")
        if not wanted:
            continue
        theirs = readings.employment_in(words) or "领取社保待遇"
        if rule.policy.cycle == "once" and readings.lump_paid(words):
            said = "一次性养老补助已经发过"
        elif theirs in wanted:
            continue
        else:
            said = (
                f"社保{_on(day)}为{theirs}，政策要求{'或'.join(wanted)}，我方登记{ours or '不详'}"
            )
        yield Finding(
            f"{line}", f"{theirs}{day}", resident, said, code, line, entry=entry
        )  # fmt: skip


def low_income_ended(ground: Ground) -> Iterator[Finding]:
    """On the roll of a policy for 低保 households, and not, or no longer, on the civil affairs' list.

    Only where an office has brought in such a list at all.
    """
    source = RosterSource.LOW_INCOME
    lists = RosterEntry.objects.filter(source=source).order_by()
    offices = list(lists.values_list("office__path", flat=True).distinct())
    if not offices:
        return
    of_home = lists.filter(
        resident__household=OuterRef("resident__household"), resident__departed_on__isnull=True
    )
    last = latest(of_home, source).order_by(F("event_date").desc(nulls_last=True), "-pk")
    lines = ground.rolls().filter(
        ~Exists(latest(of_home, source).exclude(ENDED)), policy_code__in=ground.codes(asks("dibao"))
    )
    rows = lines.annotate(
        entry=Subquery(last.values("pk")[:1]), ended_on=Subquery(last.values("event_date")[:1])
    ).values_list("pk", "policy_code", "resident", "resident__village__path", "entry", "ended_on")
    for line, code, resident, path, entry, day in rows:
        if not asks("dibao")(ground.rule(code, path)):
            continue
        if entry:
            said = f"民政低保名单{_on(day)}已停发，我方仍在享"
        elif any(path.startswith(office) for office in offices):
            said = "民政低保名单上没有本户的人"
        else:
            continue
        yield Finding(
            f"{line}", f"{entry or ''}{day or ''}", resident, said, code, line, entry=entry
        )


def low_income_households(day: date):
    """Spells of 低保 in force on `day`, for Exists on a household."""
    return LowIncomeSpell.objects.filter(
        Q(started_on__isnull=True) | Q(started_on__lte=day),
        Q(ended_on__isnull=True) | Q(ended_on__gt=day),
    )


def _left(ground: Ground, lines, column: str, verb: str) -> Iterator[Finding]:
    """Of lines whose person was gone by this month, those that the rule no longer pays."""
    rows = lines.values_list("pk", "policy_code", "resident", "resident__village__path", column)
    for line, code, resident, path, day in rows:
        last = end_month(ground.rule(code, path), day)
        if last < ground.month:
            yield Finding(
                f"{line}", f"{day}", resident,
                f"{day}{verb}，应发到{month_words(last)}，现在仍在册", code, line,
            )  # fmt: skip


def _last_marriages(entries) -> dict[int, date]:
    """When each of the people last married or divorced, by what we recorded."""
    events = LifeEvent.objects.in_force().filter(kind__in=[EventKind.MARRIAGE, EventKind.DIVORCE])
    people = entries.values("resident")
    found: dict[int, date] = {}
    for way in ("resident", "people__resident"):
        rows = events.filter(**{f"{way}__in": people}).order_by().values_list(way)
        for resident, day in rows.annotate(day=Max("happened_on")):
            found[resident] = max(day, found.get(resident, day))
    return found


def _line(through: str = "resident") -> Iterable[str]:
    return f"{through}__enrolments__pk", f"{through}__enrolments__policy_code"


def _on(day: date | None) -> str:
    return f"{day}" if day else ""
