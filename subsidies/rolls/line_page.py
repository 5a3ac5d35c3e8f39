"""What the page of one line of a roll shows: its story, the record it rests on, what else is drawn."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.utils import timezone

from fpadmin.accounts.permissions import Permission
from households.models import Resident
from subsidies.conflicts import SPOUSE, conflicts_of_lines, units_of
from subsidies.models import Enrolment, EnrolmentChange
from subsidies.policies import catalogue
from subsidies.policies.book import PolicyBook, policy_book
from subsidies.policies.seeing import codes_for
from subsidies.rolls import proposing
from subsidies.rolls.ends import month_words
from subsidies.rolls.of_person import Benefit, benefits_of_people

RESULTS = {True: ("ok", "满足"), False: ("bad", "不满足"), None: ("wait", "待证明")}


@dataclass(frozen=True)
class Happening:
    """One thing in the story of a line, for the timeline."""

    day: date
    title: str
    text: str = ""
    by: str = ""
    strong: bool = False


@dataclass(frozen=True)
class Member:
    """Somebody of the person's couple or household, with what is drawn."""

    resident: Resident
    tie: str
    benefits: list[Benefit]


def line_context(user, line: Enrolment, day: date) -> dict[str, Any]:
    """Everything of the page, in a fixed number of queries."""
    book = policy_book(day)
    members = with_conflicts(members_of(user, line.resident, day), day, book, user)
    drawn = [one for member in members for one in member.benefits]
    own = next((one for one in drawn if one.enrolment.pk == line.pk), None)
    standing = proposing.standing_of(line, day)
    changes = list(changes_of(line))
    path = line.resident.village.path
    rule = book.rule(line.policy_code, path)
    return {
        "benefit": own,
        "rate": book.rate(line.policy_code, path, line.grade, day),
        "members": members,
        "changes": changes,
        "waiting": next((one for one in changes if not one.decision), None),
        "story": story(line, standing, changes),
        "record": record_of(line),
        "policy": line.policy,
        "rule": rule,
        "starts": catalogue.STARTS[rule.starts],
        "ends": catalogue.ENDS[rule.ends],
        "standing": standing,
        "offers": proposing.offers(standing, day) if user.may(Permission.BENEFIT_EDIT) else [],
        "moved_to": _followed(user, line),
        "moved_from": _visible(user, line.moved_from),
    }


def members_of(user, resident: Resident, day: date) -> list[Member]:
    """The person, the spouse and the household with what they draw, whom `user` may see."""
    unit = units_of([resident.pk])[resident.pk]
    people = Resident.objects.visible_to(user).for_list().in_bulk(unit.people)
    drawn = benefits_of_people(user, people, day)
    found = []
    for pk in unit.in_order():
        if pk not in people:
            continue
        own = [one for one in drawn if one.enrolment.resident_id == pk]
        tie = "本人" if pk == resident.pk else _tie(people[pk], unit.people[pk])
        if own or pk == resident.pk or unit.people[pk] == SPOUSE:
            found.append(Member(people[pk], tie, own))
    return found


def with_conflicts(members: list[Member], day: date, book: PolicyBook, user) -> list[Member]:
    """The same, with what speaks against each line that lasts."""
    current = [b.enrolment for one in members for b in one.benefits if b.is_current]
    found = conflicts_of_lines(current, day, book, user=user)
    return [
        replace(
            one,
            benefits=[
                replace(b, conflicts=tuple(found.get(b.enrolment.pk, ()))) for b in one.benefits
            ],
        )
        for one in members
    ]


def _tie(one: Resident, tie: str) -> str:
    return "配偶" if tie == SPOUSE else f"同户{one.relation}"


def changes_of(line: Enrolment):
    """What was proposed of the line, the newest first."""
    return line.changes.select_related("proposed_by", "decided_by")


def story(line: Enrolment, standing, changes: list[EnrolmentChange]) -> list[Happening]:
    """From the first month to the last, the newest first."""
    origin = "登记在册"
    if line.application_id:
        origin = "申请经县级确认，登记在册"
    elif line.moved_from_id:
        origin = "由另一政策转入"
    elif not line.decision:
        origin = "导入的在册对象"
    found = [
        Happening(line.start_month, f"{month_words(line.start_month)}起享受", origin, strong=True)
    ]
    for one in standing.suspensions:
        found.append(
            Happening(one.from_month, f"{month_words(one.from_month)}起暂停发放", one.reason)
        )
        if one.until_month:
            found.append(
                Happening(one.until_month, f"暂停到{month_words(one.until_month)}，次月恢复发放")
            )
    for one in reversed(changes):
        found.append(_proposed(one))
        if one.decision:
            found.append(_decided(one))
    if line.end_month:
        title = f"发到{month_words(line.end_month)}，退出"
        if line.end_month < line.start_month:
            title = "退出，从未发放"
        found.append(Happening(line.end_month, title, line.get_end_reason_display(), strong=True))
    return sorted(found, key=lambda one: one.day)[::-1]  # of one day, too, the newest first


def record_of(line: Enrolment) -> dict[str, Any] | None:
    """The rule and the values that the line was put on the roll with; None of one that was imported."""
    kept = line.decision
    if not kept:
        return None
    criteria = [{**one, "tag": RESULTS[one.get("holds")]} for one in kept.get("criteria", [])]
    return {
        "as_of": date.fromisoformat(kept["as_of"]) if kept.get("as_of") else None,
        "document": kept.get("document", ""),
        "number": kept.get("number"),
        "criteria": criteria,
    }


def _proposed(change: EnrolmentChange) -> Happening:
    words = f"提出{change.get_kind_display()}（{month_words(change.month)}）"
    text = "　".join(filter(None, (change.end_reason, change.note)))
    return Happening(_day(change.proposed_at), words, text, change.proposed_by.name)


def _decided(change: EnrolmentChange) -> Happening:
    words = f"{change.get_decision_display()}：{change.get_kind_display()}"
    return Happening(_day(change.decided_at), words, change.decision_note, change.decided_by.name)


def _day(at: datetime) -> date:
    return timezone.localtime(at).date()


def _followed(user, line: Enrolment) -> Enrolment | None:
    return Enrolment.objects.visible_to(user).filter(moved_from=line).first()


def _visible(user, line: Enrolment | None) -> Enrolment | None:
    """The line, unless its policy may not be named to the user."""
    return line if line and line.policy_code in codes_for(user) else None
