"""What the form and the page of a meeting show: the payments it is about, and what a death leads to."""

from dataclasses import dataclass

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from households.event_menu import RECORD, act_of
from households.models import EventKind, FamilyParent, Resident, SpecialFamily
from subsidies.meetings import waiting
from subsidies.models import Enrolment, EnrolmentChange, Meeting, PaymentLine
from subsidies.policies import catalogue
from subsidies.rolls.ends import first_of_month, month_words

Decision = EnrolmentChange.Decision


@dataclass(frozen=True)
class Asked:
    """What a meeting with somebody would answer for: payments that wait, else a meeting to be done again."""

    lines: list[PaymentLine]
    earlier: Meeting | None


@dataclass(frozen=True)
class RunningLine:
    """A line of a roll that the dead person stood on, and how far its end is."""

    enrolment: Enrolment
    name: str
    kind: str
    words: str


def people_for(user) -> QuerySet:
    """The people whom `user` knows to have been paid, seen or not."""
    return Resident.objects.filter(pk__in=waiting.to_see(user).order_by().values("beneficiary"))


def asked_of(user, resident: Resident) -> Asked:
    """Of one of people_for()."""
    lines = list(
        waiting.to_see(user).filter(beneficiary=resident).select_related("meeting__met_by")
        .order_by("paid_on", "pk")
    )  # fmt: skip
    open_ones = [line for line in lines if line.meeting_id is None]
    if open_ones:
        return Asked(open_ones, None)
    last = max((line.meeting for line in lines), key=lambda one: (one.met_on, one.pk))
    return Asked([line for line in lines if line.meeting_id == last.pk], last)


def answered(user, meeting: Meeting) -> list[PaymentLine]:
    """The payments that the meeting answers for, as far as `user` may know of them.

    Of a meeting that a later one took the place of: those of the later one.
    """
    lines = PaymentLine.objects.visible_to(user).filter(
        meeting=meeting.replaced_by_id or meeting.pk
    )
    return list(lines.order_by("paid_on", "pk"))


def ends_of(user, meeting: Meeting) -> list[RunningLine]:
    """Of somebody found dead: each line of a roll that ran, and what has become of its end."""
    if meeting.is_alive:
        return []
    proposals = EnrolmentChange.objects.filter(enrolment=OuterRef("pk")).exclude(
        decision=Decision.WITHDRAWN
    )
    newest = proposals.order_by("-proposed_at", "-pk")
    lines = (
        Enrolment.objects.visible_to(user)
        .filter(resident=meeting.resident)
        .annotate(
            asked=Subquery(newest.values("kind")[:1]),
            answer=Subquery(newest.values("decision")[:1]),
        )
        .order_by("policy_code", "pk")
    )
    return [
        RunningLine(line, catalogue.name_of(line.policy_code), *_state(line, meeting))
        for line in lines
        if line.end_month is None or line.asked or line.end_month >= first_of_month(meeting.met_on)
    ]


def death_url(user, resident: Resident) -> str:
    """Where `user` registers the death or asks the township to; "" where he may do neither."""
    act = act_of(user)
    return act and reverse(f"households:resident-{act}", args=[resident.pk, EventKind.DEATH])


def death_words(user) -> str:
    """What the link to death_url() is called."""
    return "登记死亡" if act_of(user) == RECORD else "提出死亡登记"


def needs_url(user, resident: Resident) -> str:
    """Where difficulties of a special family are followed up; "" for others and who may not."""
    if not user.may(Permission.SPECIAL_RECORD):
        return ""
    own = FamilyParent.objects.filter(resident=resident, ended_on__isnull=True)
    family = (
        SpecialFamily.objects.visible_to(user)
        .filter(pk__in=own.values("family"), closed_on__isnull=True)
        .first()
    )
    return reverse("households:special-need-create", args=[family.pk]) if family else ""


def _state(line: Enrolment, meeting: Meeting) -> tuple[str, str]:
    if line.asked and line.answer == "":
        if line.asked == EnrolmentChange.Kind.END:
            return "run", "已提出退出，待审核"
        return "warn", "已有其他变动待审核，没有提出退出"
    if line.end_month:
        return "off", f"发到{month_words(line.end_month)}"
    return "warn", "没有提出退出，请到在册页面办理"
