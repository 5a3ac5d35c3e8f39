"""Contacts of special families: named, handed over without a gap, and what they record."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation
from fpadmin.versions import claim
from households.models import (
    ContactPerson,
    ContactRecord,
    FamilyContact,
    FollowUp,
    MissedMonth,
    Purpose,
    SpecialFamily,
)
from households.services.scope import require_visible
from households.special.holding import held_people, locked_family

PERSON_TAKEN = "已有同名、同电话的联系人，请直接选用。"
ACCOUNT_TAKEN = "这个账号已经是另一位联系人的账号。"
OUTSIDE_TERM = "{day}不在{name}担任这一户联系人的期间（{term}）。请核对日期，或改选当时的联系人。"


@transaction.atomic
def add_contact_person(
    *, by, region: Region, name: str, kind: str, post: str = "", phone: str = "", user=None
) -> ContactPerson:
    """Somebody who may be named a contact. The account, if any, opens the archives of his families."""
    person = ContactPerson(region=region, kind=kind)
    _fill_person(person, name, post, phone, user)
    require_visible(ContactPerson.objects.visible_to(by), person)
    _record_person("special.person_added", person, by, {"kind": ["", kind]})
    return person


@transaction.atomic
def edit_contact_person(
    *,
    by,
    person: ContactPerson,
    row_version: int,
    name: str,
    kind: str,
    post: str,
    phone: str,
    user,
) -> ContactPerson:
    """Correct name, post, phone, kind and account."""
    claim(person, row_version)
    person = ContactPerson.objects.get(pk=person.pk)
    before = _facts(person)
    person.kind = kind
    _fill_person(person, name, post, phone, user)
    require_visible(ContactPerson.objects.visible_to(by), person)
    after = _facts(person)
    changed = sorted(k for k in before if before[k] != after[k])
    _record_person("special.person_changed", person, by, {"fields": changed})
    return person


@transaction.atomic
def mark_left(*, by, person: ContactPerson, left_on: date, today: date) -> ContactPerson:
    """The person leaves the office. Every family stays theirs until it is handed over."""
    if left_on > today:
        raise RuleViolation("离岗日期不能晚于今天。", field="left_on")
    person = ContactPerson.objects.select_for_update(of=("self",)).get(pk=person.pk)
    person.left_on = left_on
    person.save(update_fields=["left_on"])
    require_visible(ContactPerson.objects.visible_to(by), person)
    _record_person("special.person_left", person, by, {"left_on": ["", str(left_on)]})
    return person


@transaction.atomic
def name_contact(
    *, by, family: SpecialFamily, person: ContactPerson, started_on: date, today: date
) -> FamilyContact:
    """A further contact of the family, from `started_on`."""
    person = held_people([person])[person.pk]
    family = locked_family(family)
    _refuse_term(family, person, started_on, today)
    term = _new_term(family, person, started_on)
    _record_term("special.contact_named", term, by)
    return term


@transaction.atomic
def hand_over(
    *, by, term: FamilyContact, person: ContactPerson, day: date, today: date, reason: str
) -> FamilyContact:
    """`person` takes over from `term` on `day`: the family is without a contact on no day."""
    person = held_people([person])[person.pk]
    family = locked_family(term.family)
    term = FamilyContact.objects.select_related("person").get(pk=term.pk)
    _refuse_ended(term, day, today)
    if person.pk == term.person_id:
        raise RuleViolation("交接给的是同一个人。请选另一位联系人。", field="person")
    _refuse_term(family, person, day, today)
    _end(term, day, reason)
    successor = _new_term(family, person, day, follows=term)
    _record_term("special.handed_over", successor, by, {"fields": ["person"]})
    return successor


@transaction.atomic
def end_contact(*, by, term: FamilyContact, day: date, today: date, reason: str) -> FamilyContact:
    """End a term without a successor; refused for the family's last contact."""
    family = locked_family(term.family)
    term = FamilyContact.objects.select_related("person").get(pk=term.pk)
    _refuse_ended(term, day, today)
    if not family.contacts.filter(ended_on__isnull=True).exclude(pk=term.pk).exists():
        raise RuleViolation("这是这一户最后一位联系人，不能没有人接替。请用“交接”。")
    _end(term, day, reason)
    _record_term("special.contact_ended", term, by)
    return term


@transaction.atomic
def record_contact(
    *,
    by,
    contact: FamilyContact,
    happened_on: date,
    channel: str,
    purpose: str,
    today: date,
    request: str = "",
    outcome: str = "",
) -> ContactRecord:
    """One contact. Refuses a day ahead, a day outside the contact's term, and a second one of that day."""
    _refuse_outside(contact, happened_on, today)
    record = ContactRecord(
        contact=contact,
        happened_on=happened_on,
        channel=channel,
        purpose=purpose,
        request=request,
        outcome=outcome,
        recorded_on=today,
        recorded_by=by,
    )
    _save_record(record)
    require_visible(ContactRecord.objects.visible_to(by), record)
    _record_log("special.contacted", record, by, {"happened_on": ["", str(happened_on)]})
    return record


@transaction.atomic
def edit_contact_record(
    *,
    by,
    record: ContactRecord,
    row_version: int,
    happened_on: date,
    channel: str,
    purpose: str,
    request: str,
    outcome: str,
    today: date,
) -> ContactRecord:
    """Correct a record of the log; who contacted stays."""
    claim(record, row_version)
    record = ContactRecord.objects.select_related("contact__family", "contact__person").get(
        pk=record.pk
    )
    if record.voided_at:
        raise RuleViolation("这条联系记录已经作废，不能再改。")
    if purpose != Purpose.FESTIVAL and hasattr(record, "round_visit"):
        raise RuleViolation("这条记录是慰问活动登记的，类别不能改。", field="purpose")
    _refuse_outside(record.contact, happened_on, today)
    new = {
        "happened_on": happened_on, "channel": channel, "purpose": purpose, "request": request,
        "outcome": outcome,
    }  # fmt: skip
    changed = sorted(name for name, value in new.items() if getattr(record, name) != value)
    for name, value in new.items():
        setattr(record, name, value)
    record.recorded_on = max(record.recorded_on, happened_on)
    _save_record(record)
    require_visible(ContactRecord.objects.visible_to(by), record)
    _record_log("special.contact_changed", record, by, {"fields": changed})
    return record


@transaction.atomic
def void_contact_record(*, by, record: ContactRecord, reason: str, now: datetime) -> ContactRecord:
    """Take a mistaken record back; it stays readable and counts no more."""
    record = ContactRecord.objects.select_for_update(of=("self",)).get(pk=record.pk)
    if record.voided_at:
        raise RuleViolation("这条联系记录已经作废。")
    if hasattr(record, "round_visit"):
        raise RuleViolation("这条记录是慰问活动登记的，请在慰问活动里撤回。")
    record.voided_at, record.voided_by, record.void_reason = now, by, reason
    record.save(update_fields=["voided_at", "voided_by", "void_reason"])
    require_visible(ContactRecord.objects.visible_to(by), record)
    _record_log("special.contact_voided", record, by, {})
    return record


@transaction.atomic
def open_follow_up(
    *,
    by,
    family: SpecialFamily,
    kind: str,
    need: str,
    owner: ContactPerson,
    opened_on: date,
    due_on: date,
    today: date,
    record: ContactRecord | None = None,
) -> FollowUp:
    """A need that `owner` sees to by `due_on`."""
    if opened_on > today:
        raise RuleViolation("提出日期不能晚于今天。", field="opened_on")
    if due_on < opened_on:
        raise RuleViolation("办结期限不能早于提出日期。", field="due_on")
    follow_up = FollowUp.objects.create(
        family=family,
        record=record,
        kind=kind,
        need=need,
        owner=owner,
        opened_on=opened_on,
        due_on=due_on,
    )
    require_visible(FollowUp.objects.visible_to(by), follow_up)
    _record_family("special.need_opened", family, by, {"due_on": ["", str(due_on)]})
    return follow_up


@transaction.atomic
def close_follow_up(
    *, by, follow_up: FollowUp, closed_on: date, outcome: str, today: date
) -> FollowUp:
    """The need is met, or what else came of it."""
    follow_up = FollowUp.objects.select_for_update(of=("self",)).get(pk=follow_up.pk)
    if follow_up.closed_on:
        raise RuleViolation("这项需求已经办结。")
    if not follow_up.opened_on <= closed_on <= today:
        raise RuleViolation("办结日期不能早于提出日期，也不能晚于今天。", field="closed_on")
    if not outcome:
        raise RuleViolation("请写明办理结果。", field="outcome")
    follow_up.closed_on, follow_up.outcome = closed_on, outcome
    follow_up.save(update_fields=["closed_on", "outcome"])
    require_visible(FollowUp.objects.visible_to(by), follow_up)
    _record_family("special.need_closed", follow_up.family, by, {})
    return follow_up


@transaction.atomic
def pass_follow_up(
    *, by, follow_up: FollowUp, owner: ContactPerson, due_on: date, today: date
) -> FollowUp:
    """Somebody else sees to it, or by another day."""
    follow_up = FollowUp.objects.select_for_update(of=("self",)).get(pk=follow_up.pk)
    if follow_up.closed_on:
        raise RuleViolation("这项需求已经办结。")
    if due_on < today:
        raise RuleViolation("新的办结期限不能早于今天。", field="due_on")
    before = [str(follow_up.due_on), str(due_on)]
    follow_up.owner, follow_up.due_on = owner, due_on
    follow_up.save(update_fields=["owner", "due_on"])
    require_visible(FollowUp.objects.visible_to(by), follow_up)
    _record_family("special.need_passed", follow_up.family, by, {"due_on": before})
    return follow_up


@transaction.atomic
def explain_missed_month(
    *, by, family: SpecialFamily, month: date, reason: str, today: date
) -> MissedMonth:
    """Why nobody contacted the family in a month that is over. It stays missed in every figure."""
    month = month.replace(day=1)
    if (month.year, month.month) >= (today.year, today.month):
        raise RuleViolation("这个月还没有过完，请先联系。")
    missed, _ = MissedMonth.objects.update_or_create(
        family=family, month=month, defaults={"reason": reason, "noted_by": by}
    )
    require_visible(MissedMonth.objects.visible_to(by), missed)
    _record_family("special.miss_explained", family, by, {"month": ["", f"{month:%Y-%m}"]})
    return missed


def _fill_person(person: ContactPerson, name: str, post: str, phone: str, user) -> None:
    person.name, person.post, person.phone, person.user = name, post, phone, user
    person.phone_digest = digest(phone)
    others = ContactPerson.objects.exclude(pk=person.pk)
    if others.filter(region=person.region, name=name, phone_digest=person.phone_digest).exists():
        raise RuleViolation(PERSON_TAKEN, field="name")
    if user and others.filter(user=user).exists():
        raise RuleViolation(ACCOUNT_TAKEN, field="user")
    try:
        with transaction.atomic():
            person.save()
    except IntegrityError:
        raise RuleViolation(PERSON_TAKEN, field="name") from None


def _facts(person: ContactPerson) -> dict:
    return {
        "kind": person.kind, "user": person.user_id, "name": person.name, "post": person.post,
        "phone": person.phone_digest,
    }  # fmt: skip


def _refuse_term(family: SpecialFamily, person: ContactPerson, day: date, today: date) -> None:
    if family.closed_on:
        raise RuleViolation("这份档案已经结案，不能再安排联系人。")
    if day > today:
        raise RuleViolation("开始日期不能晚于今天。", field="started_on")
    if day < family.opened_on:
        raise RuleViolation(f"开始日期不能早于建档日期{family.opened_on}。", field="started_on")
    if person.left_on:  # not for an earlier day either: the term would go on after it
        raise RuleViolation(f"{person.name}已于{person.left_on}离岗，请选另一位。", field="person")
    if family.contacts.filter(person=person, ended_on__isnull=True).exists():
        raise RuleViolation(f"{person.name}已经是这一户的联系人。", field="person")
    if family.contacts.filter(person=person, ended_on__gt=day).exists():
        raise RuleViolation(f"{person.name}在这一天还是这一户的联系人。", field="started_on")


def _refuse_ended(term: FamilyContact, day: date, today: date) -> None:
    if term.ended_on:
        raise RuleViolation(f"{term.person.name}已不再是这一户的联系人。")
    if day > today:
        raise RuleViolation("交接日期不能晚于今天。", field="day")
    if day < term.started_on:
        raise RuleViolation(f"交接日期不能早于{term.person.name}开始联系的日期。", field="day")
    if term.records.filter(happened_on__gt=day).exists():
        raise RuleViolation(
            f"{term.person.name}在这一天以后还有联系记录，请核对日期。", field="day"
        )


def _new_term(
    family: SpecialFamily, person: ContactPerson, day: date, follows: FamilyContact | None = None
) -> FamilyContact:
    try:
        with transaction.atomic():
            return FamilyContact.objects.create(
                family=family, person=person, started_on=day, follows=follows
            )
    except IntegrityError:
        raise RuleViolation(f"{person.name}已经是这一户的联系人。", field="person") from None


def _end(term: FamilyContact, day: date, reason: str) -> None:
    term.ended_on, term.end_reason = day, reason
    term.save(update_fields=["ended_on", "end_reason"])


def _refuse_outside(contact: FamilyContact, happened_on: date, today: date) -> None:
    if happened_on > today:
        raise RuleViolation("联系日期不能晚于今天。", field="happened_on")
    if happened_on < contact.started_on or (contact.ended_on and happened_on > contact.ended_on):
        raise RuleViolation(
            OUTSIDE_TERM.format(day=happened_on, name=contact.person.name, term=contact.term),
            field="happened_on",
        )


def _save_record(record: ContactRecord) -> None:
    try:
        with transaction.atomic():
            record.save()
    except IntegrityError as error:
        if "within_term" in str(error):  # the term ended while the form was open
            raise RuleViolation("联系人已经交接，请刷新后重选联系人。", field="contact") from None
        raise RuleViolation(
            f"{record.contact.person.name}在{record.happened_on}已有一条联系记录，请改那一条。",
            field="happened_on",
        ) from None


def _record_family(type_: str, family: SpecialFamily, by, changes: dict) -> None:
    log.record(
        type_, by=by, target=family, region_path=family.household.village.path, changes=changes
    )


def _record_term(type_: str, term: FamilyContact, by, changes: dict | None = None) -> None:
    require_visible(FamilyContact.objects.visible_to(by), term)
    _record_family(type_, term.family, by, changes or {})


def _record_log(type_: str, record: ContactRecord, by, changes: dict) -> None:
    log.record(
        type_,
        by=by,
        target=record,
        region_path=record.contact.family.household.village.path,
        changes=changes,
    )


def _record_person(type_: str, person: ContactPerson, by, changes: dict) -> None:
    log.record(type_, by=by, target=person, region_path=person.region.path, changes=changes)
