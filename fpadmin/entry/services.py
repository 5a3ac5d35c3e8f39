"""Keeping and dropping drafts, and letting one page of a form do its work once."""

import json
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.http import QueryDict
from django.http.response import HttpResponseBase

from fpadmin.accounts.models import User
from fpadmin.audit import log
from fpadmin.entry.models import Draft, Submission
from fpadmin.errors import RuleViolation

EVENT_TYPES = {
    "draft.discarded": "丢弃草稿",
    "entry.purged": "清理草稿",
}
# Fields that steer the request; the rest is what was typed.
CONTROL = {"csrfmiddlewaretoken", "once", "entry", "step"}
MAX_CONTENT = 200_000  # characters; the longest form of the house has a tenth of it
OTHER_PAGE = "这张表另有一份草稿，先恢复或丢弃它，本页才会自动保存。"
TOO_LONG = "内容太长，没有存为草稿。"


@transaction.atomic
def keep_draft(*, by: User, form: str, token: str, data: QueryDict, now: datetime) -> None:
    """Keep what `by` typed on the page `token` of `form`.

    Refuses while a draft of another page waits there: nothing is written over unseen. A page that
    was submitted keeps nothing any more.
    """
    content = json.dumps(_typed(data), ensure_ascii=False)
    if len(content) > MAX_CONTENT:
        raise RuleViolation(TOO_LONG)
    if Submission.objects.filter(user=by, token=token).exists():
        return
    own = Draft.objects.filter(user=by, form=form)
    own.exclude(pk__in=Draft.objects.visible_to(by)).delete()
    values = {"content": content, "role": by.role, "region": by.region, "updated_at": now}
    draft, _ = Draft.objects.get_or_create(user=by, form=form, defaults={"token": token, **values})
    if draft.token != token:
        raise RuleViolation(OTHER_PAGE)
    own.filter(token=token).update(**values)


@transaction.atomic
def discard_draft(*, by: User, form: str) -> None:
    """Throw away what `by` left in `form`. Doing it twice does nothing more."""
    dropped, _ = Draft.objects.filter(user=by, form=form).delete()
    if dropped:
        log.record("draft.discarded", by=by, changes={"form": form})


def drop_submitted(*, by: User, token: str) -> None:
    """Forget the draft of a page whose work is done."""
    Draft.objects.filter(user=by, token=token).delete()


def answer_once(
    *, by: User, token: str, now: datetime, act: Callable[[], HttpResponseBase]
) -> tuple[HttpResponseBase | None, str]:
    """(the answer of `act`, ""), or (None, where to go) when this page already did its work.

    `act` runs in one transaction with the note that it ran, so of two requests at once the second
    waits for the first. An answer other than a redirect means that nothing was done: the page may
    be sent again.
    """
    with transaction.atomic():
        noted, first = Submission.objects.get_or_create(user=by, token=token, defaults={"at": now})
        if not first:
            return None, noted.location
        answer = act()
        if answer.status_code == 302:
            noted.location = answer["Location"]
            noted.save(update_fields=["location"])
        else:
            noted.delete()
        return answer, ""


@transaction.atomic
def purge(*, before: datetime, by: log.SystemJob) -> int:
    """Remove drafts that are old, submitted, or of a writer who has moved on; and old submissions."""
    count, _ = Draft.objects.stale(before).delete()
    Submission.objects.filter(at__lt=before).delete()
    log.record("entry.purged", by=by, count=count)
    return count


def restored(draft: Draft) -> QueryDict:
    """What a draft holds, as if it had been posted."""
    data = QueryDict(mutable=True)
    for name, value in json.loads(draft.content):
        data.appendlist(name, value)
    return data


def _typed(data: QueryDict) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, values in data.lists()
        if name not in CONTROL and "password" not in name
        for value in values
    ]
