"""record(): the last line of every service, in the service's own transaction."""

import contextvars
import hashlib
import hmac
import ipaddress
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from fpadmin.audit.models import AuditEvent, ChainHead, Result

GENESIS = "0" * 64


@dataclass(frozen=True)
class SystemJob:
    """The actor where no person acts: a named job."""

    name: str


@dataclass(frozen=True)
class RequestTrace:
    """What the middleware knows of the request in hand."""

    address: str | None = None
    user_agent: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Entry:
    """One event before it is chained; see record() for the fields."""

    type: str
    target_type: str = ""
    target_id: str = ""
    region_path: str = ""
    changes: Mapping[str, Any] = field(default_factory=dict)
    count: int | None = None
    result: str = "ok"


_NO_REQUEST = RequestTrace()
trace: contextvars.ContextVar[RequestTrace] = contextvars.ContextVar("trace", default=_NO_REQUEST)

# Event types, and keys of `changes` that name no field of the target, in the words that the
# auditor reads; apps add theirs in ready().
EVENT_TYPES: dict[str, str] = {}
CHANGE_LABELS: dict[str, str] = {}


def register_types(types: Mapping[str, str], labels: Mapping[str, str] | None = None) -> None:
    """Add event types and the labels of their changes. A key with two meanings raises."""
    for known, added in ((EVENT_TYPES, types), (CHANGE_LABELS, labels or {})):
        for key, label in added.items():
            if known.get(key, label) != label:
                raise ValueError(f"{key!r} is registered twice in the audit log")
            known[key] = label


def record(
    type: str,
    *,
    by,
    target=None,
    region_path: str = "",
    changes: Mapping[str, Any] | None = None,
    count: int | None = None,
    result: str = "ok",
) -> AuditEvent:
    """Append one event in the caller's transaction.

    `by` is a User or a SystemJob; `target` any saved model instance; `result` one of Result.
    `changes` is {field: [old, new]} without values of personal fields (see changes_between).
    """
    entry = Entry(
        type=type,
        target_type=target._meta.label_lower if target is not None else "",
        target_id=str(target.pk) if target is not None else "",
        region_path=region_path,
        changes=changes or {},
        count=count,
        result=result,
    )
    return record_many([entry], by=by)[0]


def record_many(entries: Iterable[Entry], *, by) -> list[AuditEvent]:
    """Append events of one actor in bulk, in order, under one lock of the chain."""
    actor_id, actor, role, own_path = _describe(by)
    request = trace.get()
    now = timezone.now()
    with transaction.atomic():
        head = _locked_head()
        events, previous = [], head.last_hash
        for entry in entries:
            if entry.type not in EVENT_TYPES:
                raise ValueError(f"audit event type {entry.type!r} is not registered")
            if entry.result not in Result.values:
                raise ValueError(f"unknown result {entry.result!r}; known: {Result.values}")
            event = AuditEvent(
                at=now, type=entry.type, actor_id=actor_id, actor=actor, role=role,
                region_path=entry.region_path or own_path, target_type=entry.target_type,
                target_id=entry.target_id, result=entry.result, count=entry.count,
                changes=_storable(dict(entry.changes)), address=request.address,
                user_agent=request.user_agent[:200], request_id=request.request_id,
                previous_hash=previous,
            )  # fmt: skip
            previous = event.hash = chained_hash(event)
            events.append(event)
        AuditEvent.objects.bulk_create(events, batch_size=1000)
        ChainHead.objects.filter(pk=1).update(last_hash=previous)
    return events


def chained_hash(event: AuditEvent) -> str:
    """HMAC-SHA256 under AUDIT_KEY over the previous hash and every field, as canonical JSON.

    The same for an event in hand and for the row read back from either database.
    """
    body = json.dumps(
        [
            event.previous_hash, event.at.timestamp(), event.type, event.actor_id, event.actor, event.role,
            event.region_path, event.target_type, event.target_id, event.result, event.count,
            event.changes, _canonical(event.address), event.user_agent, event.request_id,
        ],
        ensure_ascii=False, sort_keys=True,
    )  # fmt: skip
    return hmac.new(settings.AUDIT_KEY.encode(), body.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Verification:
    """How far the chain has been read, up to the events that were there when reading began."""

    end_id: int
    end_hash: str
    rows: int = 0
    last_id: int = 0
    last_hash: str = GENESIS
    broken_id: int | None = None
    done: bool = False


def begin_verification() -> Verification:
    """Fix the end of the chain, so that events written meanwhile don't look like a break."""
    with transaction.atomic():
        head = _locked_head()
        end = AuditEvent.objects.order_by("-pk").values_list("pk", flat=True).first()
        return Verification(end_id=end or 0, end_hash=head.last_hash)


def verify_on(so_far: Verification, limit: int = 5000) -> Verification:
    """Read up to `limit` more events. `broken_id` is the first whose hash or link is wrong.

    Events cut off the end show as a break at the id after the last one left.
    """
    rows, last_id, previous = so_far.rows, so_far.last_id, so_far.last_hash
    events = AuditEvent.objects.filter(pk__gt=last_id, pk__lte=so_far.end_id).order_by("pk")[:limit]
    read = 0
    for event in events:
        read += 1
        if event.previous_hash != previous or chained_hash(event) != event.hash:
            return replace(so_far, rows=rows + read, broken_id=event.pk, done=True)
        previous, last_id = event.hash, event.pk
    at_end = read < limit
    cut = at_end and previous != so_far.end_hash
    return replace(
        so_far,
        rows=rows + read,
        last_id=last_id,
        last_hash=previous,
        broken_id=last_id + 1 if cut else None,
        done=at_end,
    )


def verify() -> Verification:
    """The whole chain, read in one go."""
    state = begin_verification()
    while not state.done:
        state = verify_on(state)
    return state


def first_broken() -> int | None:
    """The id of the first event whose hash or link is wrong; None when the whole chain holds."""
    return verify().broken_id


def changes_between(before, after, fields: Iterable[str]) -> dict[str, Any]:
    """{field: [old, new]} for what differs; a personal field appears as ["已变更"] only."""
    personal = set(type(after).Personal.personal)
    changes = {}
    for name in fields:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changes[name] = ["已变更"] if name in personal else [_plain(old), _plain(new)]
    return changes


def _locked_head() -> ChainHead:
    # PostgreSQL locks the row; SQLite's immediate transaction holds the whole file.
    return ChainHead.objects.select_for_update().get(pk=1)


def _storable(value):
    """`value` as JSON brings it back from either database, so that its hash stays the same.

    PostgreSQL refuses NUL in text and turns very large floats into whole numbers.
    """
    if isinstance(value, Mapping):
        return {str(key): _storable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(part) for part in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float) and abs(value) < 1e15:
        return value + 0.0  # -0.0 becomes 0.0
    return str(value).replace("\x00", "")


def _canonical(address: str | None) -> str | None:
    """One spelling of an address: databases have their own ways to write IPv6."""
    return str(ipaddress.ip_address(address)) if address else None


def _plain(value):
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value.pk) if hasattr(value, "pk") else str(value)


def _describe(by) -> tuple[int | None, str, str, str]:
    if isinstance(by, SystemJob):
        return None, f"系统：{by.name}", "", ""
    if getattr(by, "pk", None) is None:
        raise ValueError("an audit event needs a user or a named system job")
    return by.pk, f"{by.name}（{by.username}）", by.role, by.region.path
