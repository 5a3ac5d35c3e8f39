"""Both sides of one difference, as its page shows them, and the ways that its verdict leads to."""

from dataclasses import dataclass
from datetime import date

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from fpadmin.identity import mask_account, mask_id_number
from fpadmin.ui.templatetags.ui import NOTHING, date_dash
from households.models import Duplicate, EventKind, Resident
from households.presenters import place_of
from subsidies.comparison import readings, rules
from subsidies.comparison.rules import RULES
from subsidies.comparison.wrong import low_income_households
from subsidies.eligibility.explaining import Outcome, explain
from subsidies.eligibility.months import usual_day
from subsidies.models import Difference, Enrolment, RosterEntry, RosterSource
from subsidies.policies import catalogue
from subsidies.policies.book import policy_book
from subsidies.rolls.ends import end_month, month_before, month_words

OTHERS_SHOWN = 50
MEMBER_EVENTS = (EventKind.MOVE_OUT, EventKind.HUKOU_CHANGE)  # recorded of a household's members


@dataclass(frozen=True)
class Line:
    """One thing on both sides."""

    label: str
    theirs: str
    ours: str
    differs: bool = False


@dataclass(frozen=True)
class Sides:
    """Two columns with their headings."""

    left: str
    right: str
    lines: list[Line]


def sides_of(row: Difference, entry: RosterEntry | None, other: Enrolment | None, day: date):
    """Their line beside ours, or a line beside another; None where only we say something."""
    if entry is not None:
        return Sides(f"{entry.source}名单", "我方登记", _beside_entry(row, entry, day))
    if other is not None:
        return Sides("另一份", "这一份", _beside_line(row, other))
    return None


def others_on_account(row: Difference, user) -> list[Enrolment]:
    """Lines whose people are paid to the same account, as far as the user may see them."""
    account = row.resident.bank_account_digest
    if row.rule != "account" or not account:
        return []
    lines = Enrolment.objects.visible_to(user).filter(
        resident__bank_account_digest=account, end_month__isnull=True
    )
    return list(lines.for_list()[:OTHERS_SHOWN])


def grounds_of(row: Difference, day: date) -> list[Outcome]:
    """Why somebody qualifies who is on no roll; [] for other differences."""
    if row.kind != Difference.Kind.MISSING:
        return []
    return explain(row.resident, row.policy_code, usual_day(row.policy_code, day)).criteria


def actions_of(row: Difference, user) -> list[str]:
    """What the rule offers and this user may do."""
    lines = bool(row.enrolment_id and user.may(Permission.BENEFIT_EDIT))
    edits = user.may(Permission.REGISTRY_EDIT)
    may = {
        rules.END: lines,
        rules.APPLY: user.may(Permission.BENEFIT_APPLY),
        rules.REGISTRY: edits or user.may(Permission.REQUEST_MAKE),
        rules.EVENT: edits or user.may(Permission.REQUEST_MAKE),
        rules.MERGE: edits,
    }
    return [key for key in RULES[row.rule].actions if may[key]]


def url_of(action: str, row: Difference, entry: RosterEntry | None, user) -> str:
    """The page on which the difference is mended that way."""
    person = row.resident
    edits = user.may(Permission.REGISTRY_EDIT)
    if action == rules.END:
        return reverse("subsidies:difference-exit", args=[row.pk])
    if action == rules.APPLY:
        return reverse("subsidies:application-create", args=[person.pk]) + policy_query(row)
    if action == rules.MERGE:
        return _pair_url(row, user)
    if action == rules.EVENT:
        kind, about = _event(row, entry)
        if kind in MEMBER_EVENTS:
            way = "household-event" if edits else "household-propose"
            return reverse(f"households:{way}", args=[about.household_id, kind])
        way = "resident-event" if edits else "resident-propose"
        return reverse(f"households:{way}", args=[about.pk, kind])
    if edits:
        return reverse("households:resident-edit", args=[person.pk])
    return reverse("households:resident-propose", args=[person.pk, "edit"])


def policy_query(row: Difference) -> str:
    """The policy for the next page's address, unless it tells of a child's death or illness."""
    if not row.policy_code or catalogue.policy(row.policy_code).sensitive:
        return ""
    return f"?policy={row.policy_code}"


def end_suggested(row: Difference, entry: RosterEntry | None, today: date) -> tuple[date, str]:
    """The last month paid by the policy's rule, and why, to begin with."""
    line = row.enrolment
    reason = RULES[row.rule].reason or "其他"
    rule = policy_book(today).rule(line.policy_code, row.resident.village.path)
    happened = {
        "dead": row.resident.death_date,
        "departed": row.resident.departed_on,
    }.get(row.rule) or (entry.event_date if entry else None)
    if reason == "重复享受":
        return max(month_before(today.replace(day=1)), line.start_month), reason
    return max(end_month(rule, happened or today), line.start_month), reason


def lines_to_end(row: Difference, other: Enrolment | None) -> list[tuple[str, str]]:
    """This line, and the other of a pair, as choices."""
    lines = [("own", _called(row.enrolment))]
    return [*lines, ("other", _called(other))] if other else lines


def _called(line: Enrolment) -> str:
    name = catalogue.name_of(line.policy_code)
    return f"{line.resident.name}　{name}　{month_words(line.start_month)}起"


def _beside_entry(row: Difference, entry: RosterEntry, day: date) -> list[Line]:
    person = entry.resident or row.resident
    lines = [
        Line("姓名", entry.name or NOTHING, person.name, bool(entry.name) and entry.name != person.name),
        Line(
            "公民身份号码", mask_id_number(entry.id_number),
            mask_id_number(person.id_number) if person.id_number else NOTHING,
        ),
        Line("村组、户", NOTHING, _home(person)),
    ]  # fmt: skip
    label, ours = _ours(row, entry, person, day)
    theirs = "　".join(
        filter(None, [date_dash(entry.event_date) if entry.event_date else "", _word(entry)])
    )
    lines.append(Line(label, theirs or "在名单上", ours, differs=True))
    if entry.detail:
        lines.append(Line("名单的说明", entry.detail, NOTHING))
    return lines


def _word(entry: RosterEntry) -> str:
    words = {
        RosterSource.POLICE_DEATHS: lambda text: "死亡注销",
        RosterSource.MARRIAGES: readings.marriage_in,
        RosterSource.INSURANCE: readings.employment_in,
        RosterSource.HOSPITAL_BIRTHS: lambda text: "住院分娩",
        RosterSource.LOW_INCOME: lambda text: "已停发" if readings.low_income_ended(text) else "在名单上",
        RosterSource.POLICE_HUKOU: (
            lambda text: "迁出" if readings.moved_out(text) else readings.hukou_in(text)
        ),
    }  # fmt: skip
    return words[entry.source](entry.detail)


def _ours(row: Difference, entry: RosterEntry, person: Resident, day: date) -> tuple[str, str]:
    source = entry.source
    if source == RosterSource.POLICE_DEATHS:
        return "死亡", date_dash(person.death_date) if person.death_date else "登记在世"
    if source == RosterSource.POLICE_HUKOU:
        if person.departed_on:
            return "户籍", f"{date_dash(person.departed_on)}离册"
        return "户籍", f"{person.hukou}　{person.residence}"
    if source == RosterSource.MARRIAGES:
        since = person.first_marriage_date
        return "婚姻", f"{person.marital}　{f'初婚{date_dash(since)}' if since else ''}".strip()
    if source == RosterSource.LOW_INCOME:
        spell = low_income_households(day).filter(household=row.resident.household).first()
        return "低保", "有低保记录" if spell else "没有低保记录"
    if source == RosterSource.INSURANCE:
        return "就业", person.employment or "没有登记"
    births = [date_dash(born) for born in person.births.values_list("birth_date", flat=True)]
    return "生育史", "、".join(births) or "没有记录"


def _beside_line(row: Difference, other: Enrolment) -> list[Line]:
    pairs = [
        (label, words(other), words(row.enrolment))
        for label, words in (
            ("姓名", lambda line: line.resident.name),
            ("公民身份号码", lambda line: _masked(mask_id_number, line.resident.id_number)),
            ("出生日期", lambda line: date_dash(line.resident.birth_date)),
            ("村组、户", lambda line: _home(line.resident)),
            ("政策", lambda line: catalogue.name_of(line.policy_code)),
            ("起始年月", lambda line: month_words(line.start_month)),
            ("最后发放", lambda line: month_words(line.end_month) if line.end_month else "在享"),
            ("银行账号", lambda line: _masked(mask_account, line.resident.bank_account)),
        )
    ]  # fmt: skip
    return [Line(label, theirs, ours, theirs != ours) for label, theirs, ours in pairs]


def _masked(mask, value: str) -> str:
    return mask(value) if value else NOTHING


def _home(person: Resident) -> str:
    return f"{place_of(person.village, person.household.group)}　{person.household}"


def _event(row: Difference, entry: RosterEntry | None) -> tuple[str, Resident]:
    """Which life event the list tells of, and of whom."""
    person = entry.resident if entry and entry.resident else row.resident
    if row.rule == "marriage" and entry and readings.marriage_in(entry.detail) == "离婚":
        return EventKind.DIVORCE, person
    kinds = {
        "police_death": EventKind.DEATH, "police_moved": EventKind.MOVE_OUT,
        "hukou": EventKind.HUKOU_CHANGE, "marriage": EventKind.MARRIAGE, "birth": EventKind.BIRTH,
    }  # fmt: skip
    return kinds[row.rule], person


def _pair_url(row: Difference, user) -> str:
    """The pair in the queue of doubles; the queue itself where it isn't in it."""
    people = {row.resident_id, row.other_enrolment.resident_id if row.other_enrolment else 0}
    pair = Duplicate.objects.visible_to(user).filter(first=min(people), second=max(people)).first()
    return pair.get_absolute_url() if pair else reverse("households:duplicate-list")
