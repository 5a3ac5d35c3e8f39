"""A visit as one act: the contact, the needs that were raised in it, and its photo."""

from collections.abc import Collection
from datetime import date, timedelta

from django.db import transaction

from fpadmin.errors import RuleViolation
from households.models import ContactPerson, ContactRecord, DocumentKind, FamilyContact
from households.services.special_contacts import open_follow_up, record_contact
from households.services.special_documents import add_document
from households.special.uploads import Paper

DAYS_TO_SETTLE = 15


@transaction.atomic
def record_visit(
    *,
    by,
    contact: FamilyContact,
    happened_on: date,
    channel: str,
    purpose: str,
    today: date,
    request: str = "",
    outcome: str = "",
    needs: Collection[str] = (),
    owner: ContactPerson | None = None,
    due_on: date | None = None,
    photo: Paper | None = None,
) -> ContactRecord:
    """record_contact() with a need to see to for each kind of `needs`; all of it or nothing.

    Without `owner` the contact sees to them, without `due_on` within DAYS_TO_SETTLE. Needs want words,
    and somebody who can still open the archive.
    """
    if needs and not request:
        raise RuleViolation("请写明这一户需要什么帮助。", field="request")
    if needs and owner is None and contact.ended_on:
        raise RuleViolation(
            f"{contact.person.name}已不再是这一户的联系人，请另选跟办负责人。", field="owner"
        )
    record = record_contact(
        by=by, contact=contact, happened_on=happened_on, channel=channel, purpose=purpose, today=today,
        request=request, outcome=outcome,
    )  # fmt: skip
    for kind in needs:
        open_follow_up(
            by=by, family=contact.family, kind=kind, need=request, owner=owner or contact.person,
            opened_on=happened_on, due_on=due_on or today + timedelta(days=DAYS_TO_SETTLE),
            today=today, record=record,
        )  # fmt: skip
    if photo:
        add_document(
            by=by, family=contact.family, kind=DocumentKind.PHOTO, title=f"{happened_on}联系照片",
            paper=photo, record=record,
        )  # fmt: skip
    return record
