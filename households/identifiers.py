"""The numbers by which people are found and linked: an identifier and its digest, kept in step."""

from collections.abc import Callable

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, Subquery

from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation
from fpadmin.identity import half_width, normalise_id_number
from households.models import ChildRecord, Resident

RESIDENT_IDENTIFIERS = (
    "id_number", "phone", "bank_account", "spouse_id_number", "father_id_number", "mother_id_number",
)  # fmt: skip
CHILD_IDENTIFIERS = ("mother_id_number", "father_id_number", "child_id_number")
# The links to relatives, each with a column of the same name for the number that it follows.
LINKS = ((Resident, ("spouse", "father", "mother")), (ChildRecord, ("mother", "father", "child")))
NUMBER_HAS_HISTORY = "这个号码名下已有另一份生育史，孩次重复。请先核对生育史，再改号码。"


def set_identifier(record: Resident | ChildRecord, field: str, value: str) -> list[str]:
    """Set an encrypted identifier and its digest together; returns the names of both columns."""
    value = normalise_id_number(value) if "id_number" in field else _plain_number(value)
    if field == "id_number":
        record.id_number_digest = digest(value) or None
    else:
        setattr(record, f"{field}_digest", digest(value))
    setattr(record, field, value)
    return [field, f"{field}_digest"]


def link_waiting(
    resident_ids: list[int] | None = None, followed: Callable[..., None] | None = None
) -> None:
    """Link spouses, parents and children whose recorded number belongs to a registered resident.

    Both ways for the residents given: whom they wait for, and who waits for them. None means
    everything unlinked; long lists are treated so too. Two statements per kind of link at most.
    followed(model, link, [(row, person)]) is told of the links before they are made.
    """
    everything = resident_ids is None or len(resident_ids) > 500
    own = Q() if everything else Q(pk__in=resident_ids)
    for model, links in LINKS:
        for link in links:
            number = f"{link}_id_number_digest"
            target = Resident.objects.filter(id_number_digest=OuterRef(number))
            waiting = model.objects.filter(**{f"{link}__isnull": True}).exclude(**{number: ""})
            if model is Resident:
                target = target.exclude(pk=OuterRef("pk"))
            if not everything:
                found = Resident.objects.filter(own, id_number_digest__isnull=False)
                wanted = Q(**{f"{number}__in": found.values("id_number_digest")})
                waiting = waiting.filter(wanted | own if model is Resident else wanted)
            waiting = waiting.filter(Exists(target))
            found_one = Subquery(target.values("pk")[:1])
            if followed:
                pairs = waiting.annotate(found_one=found_one).values_list("pk", "found_one")
                followed(model, link, list(pairs))
            waiting.update(**{link: found_one})


def renumber_links(resident: Resident) -> None:
    """Give whoever is linked to the resident the number that the resident has now.

    Refuses a number under which another birth history waits that contradicts this one.
    """
    digested = resident.id_number_digest or ""
    try:
        with transaction.atomic():
            for model, links in LINKS:
                for link in links:
                    digests = f"{link}_id_number_digest"
                    stale = model.objects.filter(**{link: resident}).exclude(**{digests: digested})
                    stale.update(**{f"{link}_id_number": resident.id_number, digests: digested})
    except IntegrityError:
        raise RuleViolation(NUMBER_HAS_HISTORY, field="id_number") from None


def _plain_number(text: str) -> str:
    return half_width(text).replace(" ", "").replace("-", "")
