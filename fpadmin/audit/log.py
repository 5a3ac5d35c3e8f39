"""record(): the last line of every service, in the service's own transaction."""

import contextvars
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from fpadmin.audit.models import AuditEvent, ChainHead

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


trace: contextvars.ContextVar[RequestTrace] = contextvars.ContextVar(
    "trace", default=RequestTrace()
)

# Event types and the words the auditor reads; apps add theirs in ready().
EVENT_TYPES: dict[str, str] = {}


def register_types(types: Mapping[str, str]) -> None:
    """Add event types. A key that is taken raises."""
    for key, label in types.items():
        if EVENT_TYPES.get(key, label) != label:
            raise ValueError(f"audit event type {key!r} is registered twice")
        EVENT_TYPES[key] = label


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

    `by` is a User or a SystemJob; `target` any saved model instance. `changes` is
    {field: [old, new]} without values of personal fields (see changes_between).
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
        # PostgreSQL locks the row; SQLite's immediate transaction holds the whole file.
        heads = ChainHead.objects.all()
        if connection.features.has_select_for_update:
            heads = heads.select_for_update()
        head = heads.get(pk=1)
        events, previous = [], head.last_hash
        for entry in entries:
            if entry.type not in EVENT_TYPES:
                raise ValueError(f"audit event type {entry.type!r} is not registered")
            event = AuditEvent(
                at=now, type=entry.type, actor_id=actor_id, actor=actor, role=role,
                region_path=entry.region_path or own_path, target_type=entry.target_type,
                target_id=entry.target_id, result=entry.result, count=entry.count,
                changes=dict(entry.changes), address=request.address,
                user_agent=request.user_agent[:200], request_id=request.request_id,
                previous_hash=previous,
            )  # fmt: skip
            previous = event.hash = chained_hash(event)
            events.append(event)
        AuditEvent.objects.bulk_create(events, batch_size=1000)
        ChainHead.objects.filter(pk=1).update(last_hash=previous)
    return events


def chained_hash(event: AuditEvent) -> str:
    """HMAC-SHA256 under AUDIT_KEY over the previous hash and every field, as canonical JSON."""
    body = json.dumps(
        [
            event.previous_hash, event.at.timestamp(), event.type, event.actor_id, event.actor, event.role,
            event.region_path, event.target_type, event.target_id, event.result, event.count,
            event.changes, event.address, event.user_agent, event.request_id,
        ],
        ensure_ascii=False, sort_keys=True, default=str,
    )  # fmt: skip
    return hmac.new(settings.AUDIT_KEY.encode(), body.encode(), hashlib.sha256).hexdigest()


def first_broken(batch: int = 5000) -> int | None:
    """The id of the first event whose hash or link is wrong; None when the whole chain holds."""
    previous, last_id = GENESIS, 0
    while True:
        events = list(AuditEvent.objects.filter(pk__gt=last_id).order_by("pk")[:batch])
        if not events:
            break
        for event in events:
            if event.previous_hash != previous or chained_hash(event) != event.hash:
                return event.pk
            previous, last_id = event.hash, event.pk
    head = ChainHead.objects.get(pk=1).last_hash
    return None if head == previous else last_id + 1


def changes_between(before, after, fields: Iterable[str]) -> dict[str, Any]:
    """{field: [old, new]} for what differs; a personal field appears as ["已变更"] only."""
    personal = set(type(after).Personal.personal)
    changes = {}
    for name in fields:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            changes[name] = ["已变更"] if name in personal else [_plain(old), _plain(new)]
    return changes


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
