"""Requests from villages: proposed there, accepted or sent back by the township."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from django.db import transaction

from fpadmin.accounts.models import Region
from fpadmin.audit import log
from fpadmin.errors import RuleViolation
from households.models import ChangeRequest, Household, LifeEvent, Resident
from households.services.scope import require_visible

DECIDED = "这份申请已经处理或撤回，没有重复办理。"
State = ChangeRequest.State


@transaction.atomic
def propose_change(
    *,
    by,
    kind: str,
    village: Region,
    resident: Resident | None,
    household: Household | None,
    content: Mapping[str, Sequence[str]],
    happened_on: date | None,
    summary: str = "",
) -> ChangeRequest:
    """Keep a filled-in form as a request; nothing else changes until the township accepts it.

    `content` is the posted form, {field: values}, and `summary` what it would change in words; both
    are kept encrypted. Refuses a second open request of
    the same kind for the same person, or for the same household where no person is named; people
    who come into a household yet to be named are not told apart.
    """
    about = {"resident": resident} if resident else {"household": household}
    same = ChangeRequest.objects.waiting().filter(kind=kind, village=village, **about)
    if (resident or household) and same.exists():
        raise RuleViolation("同样的申请已经提出，正在等镇办处理。可以先撤回再重新填。")
    request = ChangeRequest.objects.create(
        kind=kind,
        village=village,
        resident=resident,
        household=household,
        content=json.dumps({name: list(values) for name, values in content.items()}),
        summary=summary,
        happened_on=happened_on,
        requested_by=by,
    )
    require_visible(ChangeRequest.objects.visible_to(by), request)
    _record("request.made", request, by)
    return request


@transaction.atomic
def withdraw_request(*, by, request: ChangeRequest) -> None:
    """Take back one's own request as long as nobody decided on it."""
    if request.requested_by_id != by.pk:
        raise RuleViolation("只能撤回本人提出的申请。")
    _move(request, state=State.WITHDRAWN)
    _record("request.withdrawn", request, by)


@transaction.atomic
def reject_request(*, by, request: ChangeRequest, reason: str, now: datetime) -> None:
    """Send a request back to the village, with what is wrong with it."""
    if not reason.strip():
        raise RuleViolation("退回要写原因，村里才知道怎么改。", field="reason")
    _refuse_own(request, by)
    _move(request, state=State.REJECTED, decided_by=by, decided_at=now, reason=reason.strip())
    _record("request.rejected", request, by)


@transaction.atomic
def accept_request(
    *, by, request: ChangeRequest, record: Callable[[], LifeEvent | None], now: datetime
) -> LifeEvent | None:
    """Do what the village proposed, as `by`: `record` calls the service of that kind of change.

    What the service refuses leaves the request as it was, waiting.
    """
    _refuse_own(request, by)
    # First the state, which only one of two clerks can move; a refusal below takes it back.
    _move(request, state=State.ACCEPTED, decided_by=by, decided_at=now)
    event = record()
    if event:
        ChangeRequest.objects.filter(pk=request.pk).update(event=event)
    _record("request.accepted", request, by)
    return event


def _refuse_own(request: ChangeRequest, by) -> None:
    if request.requested_by_id == by.pk:
        raise RuleViolation("本人提出的申请，要由别人处理。")


def _move(request: ChangeRequest, **values) -> None:
    waiting = ChangeRequest.objects.waiting().filter(pk=request.pk)
    if not waiting.update(**values):
        raise RuleViolation(DECIDED)


def _record(type_: str, request: ChangeRequest, by) -> None:
    log.record(
        type_,
        by=by,
        target=request,
        region_path=request.village.path,
        changes={"kind": request.kind},
    )
