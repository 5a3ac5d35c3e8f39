"""The log of contacts and the needs of one family: as pages show them, and as the archive prints them."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Exists, OuterRef, QuerySet

from fpadmin.accounts.permissions import Permission
from households.models import ContactRecord, FamilyContact, FollowUp, SpecialFamily
from households.special.archive_list import parent_names
from households.special.sections import PaperTable, Section, register

SHOWN = 24  # about two years of one contact a month


@dataclass(frozen=True)
class LogLine:
    """One record and what the user may do with it."""

    record: ContactRecord
    may_correct: bool
    is_late: bool  # written down after its month was over


def records(user) -> QuerySet:
    """The log that the user may see, with the family's `names`."""
    return (
        ContactRecord.objects.visible_to(user)
        .select_related(
            "contact__person", "contact__family__household__village", "recorded_by", "voided_by"
        )
        .annotate(names=parent_names("contact__family"))
    )


def may_correct(user, record: ContactRecord) -> bool:
    """Who wrote a record may correct it, and who keeps the archives."""
    return user.may(Permission.SPECIAL_RECORD) and (
        record.recorded_by_id == user.pk or user.may(Permission.SPECIAL_EDIT)
    )


def last_record(user, family: SpecialFamily) -> ContactRecord | None:
    """The newest contact that counts."""
    return records(user).counted().filter(contact__family=family).first()


def lines(user, family: SpecialFamily, first: date, last: date) -> list[LogLine]:
    """The log of these days, newest first, what was taken back included."""
    found = records(user).filter(contact__family=family, happened_on__range=(first, last))
    return [_line(user, record) for record in found]


def is_late(record: ContactRecord) -> bool:
    """Whether somebody wrote it down when its month was over. What a workbook brought isn't late."""
    written, happened = record.recorded_on, record.happened_on
    return bool(record.recorded_by_id) and (written.year, written.month) > (
        happened.year, happened.month,
    )  # fmt: skip


def needs_of(user, family: SpecialFamily) -> QuerySet:
    """Needs of the family, open ones first; `owner_left`: who sees to it is no contact any more."""
    return with_owners(FollowUp.objects.visible_to(user).filter(family=family))


def with_owners(needs: QuerySet) -> QuerySet:
    """With owner and `owner_left`."""
    current = FamilyContact.objects.filter(
        family=OuterRef("family"), person=OuterRef("owner"), ended_on__isnull=True
    )
    return needs.select_related("owner").annotate(owner_left=~Exists(current))


def log_context(user, family: SpecialFamily, day: date) -> dict:
    """What the part 联系记录 of the page shows."""
    found = records(user).filter(contact__family=family)
    shown = list(found[: SHOWN + 1])
    return {
        "lines": [_line(user, record) for record in shown[:SHOWN]],
        "has_more": len(shown) > SHOWN,
        "year": day.year,
    }


def log_paper(user, family: SpecialFamily, day: date) -> list[PaperTable]:
    """The whole log as it is printed, without what was taken back."""
    found = records(user).counted().filter(contact__family=family)
    rows = [
        (
            f"{r.happened_on}", r.contact.person.name, r.channel, r.purpose, r.request, r.outcome,
        )
        for r in found
    ]  # fmt: skip
    headings = ("日期", "联系人", "方式", "类别", "诉求", "办理情况")
    return [PaperTable("联系记录", headings, rows)]


def needs_context(user, family: SpecialFamily, day: date) -> dict:
    """What the part 需求跟办 of the page shows."""
    return {"needs": list(needs_of(user, family)), "day": day}


def needs_paper(user, family: SpecialFamily, day: date) -> list[PaperTable]:
    """The needs as they are printed."""
    rows = [
        (
            f"{n.opened_on}", n.kind, n.need, n.owner.name, f"{n.due_on}",
            f"{n.closed_on}" if n.closed_on else "办理中", n.outcome,
        )
        for n in needs_of(user, family)
    ]  # fmt: skip
    headings = ("提出日期", "类别", "需求", "负责人", "期限", "办结", "办理结果")
    return [PaperTable("需求跟办", headings, rows)]


def _line(user, record: ContactRecord) -> LogLine:
    open_to_change = record.voided_at is None and may_correct(user, record)
    return LogLine(record, open_to_change, is_late(record))


def load() -> None:
    """Register both parts of the archive. Called once, by ready()."""
    register(
        Section(
            key="log",
            title="联系记录",
            template="households/special/_log.html",
            context=log_context,
            paper=log_paper,
            order=30,
        )
    )
    register(
        Section(
            key="needs",
            title="需求跟办",
            template="households/special/_needs.html",
            context=needs_context,
            paper=needs_paper,
            order=35,
        )
    )
