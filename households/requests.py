"""What a village's request asks for: its form filled in again, shown as effects, and done."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django import forms
from django.http import QueryDict

from fpadmin.crypto import digest
from fpadmin.errors import RuleViolation
from households import selectors, services
from households.forms.events import FORMS, event_form
from households.forms.requests import DetailsForm
from households.life_events.effects import Effects, of_plan
from households.life_events.kinds import ARRIVALS
from households.life_events.planners import plan_event
from households.models import ChangeRequest, EventKind, Household, LifeEvent, Resident

EDIT = "edit"
KINDS = {EDIT: "资料更正", **{kind: EventKind(kind).label for kind in FORMS}}
_CHANGED = "_changed"
GONE = "申请涉及的人或户已不在您的区划内，或已合并，请退回。"
NEEDS_LOOK = "有需要核对的提示，请打开这份申请逐份办理"


@dataclass(frozen=True)
class Proposal:
    """A request read again today: its effects or lines, what is odd, or why it cannot be done."""

    effects: Effects | None = None
    lines: tuple[tuple[str, str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    note: str = ""
    fault: str = ""

    def summary(self) -> str:
        """The changes in one line, for a list."""
        if not self.effects:
            return "；".join(f"{label}：{old}→{new}" for label, old, new in self.lines)
        people = [
            f"{person.name}"
            + ("（新登记）" if person.is_new else "")
            + "，".join(f"{ln.label}：{ln.before}→{ln.after}" for ln in person.lines if ln.before)
            for person in self.effects.people
        ]
        return "；".join(people)

    def seal(self) -> str:
        """A keyed digest of what was shown: what is then done must still be the same."""
        if self.effects:
            return self.effects.seal(self.warnings)
        return digest(json.dumps([self.lines, self.warnings]))


def label_of(kind: str) -> str:
    """The kind in Chinese."""
    return KINDS.get(kind, kind)


def content_of(form: forms.Form, changed: Sequence[str] = ()) -> Mapping[str, Sequence[str]]:
    """What was filled in, as a request keeps it; `changed` are the fields of an edit that differ.

    Only fields that the form showed: another one could come to mean something by the day on which
    the township fills the form in again.
    """
    content = {name: values for name, values in form.data.lists() if name in form.fields}
    return content | ({_CHANGED: list(changed)} if changed else {})


def proposal_of(request: ChangeRequest, *, by, today: date) -> Proposal:
    """What accepting the request as `by` would do today. Changes nothing."""
    try:
        form, _ = _form(request, by, today)
        return of_form(form)
    except RuleViolation as violation:
        return Proposal(fault=violation.message)


def of_form(form) -> Proposal:
    """What the valid form asks for, as its own user would do it. Raises what the plan refuses."""
    if isinstance(form, DetailsForm):
        return Proposal(lines=tuple(form.lines()))
    asked = form.event()
    plan = plan_event(asked.kind, asked.happened_on, form.today, asked.values)
    shown = of_plan(plan, selectors.sight_of(form.user))
    return Proposal(effects=shown, warnings=(*plan.warnings, *form.notices), note=asked.note)


def accept(
    request: ChangeRequest, *, by, today: date, now: datetime, confirmed: bool = False
) -> LifeEvent | None:
    """Do what the request asks, as `by`. Refuses, in words, whatever the form refuses today."""
    return services.accept_request(
        by=by, request=request, record=lambda: _record(request, by, today, confirmed), now=now
    )


def accept_many(rows: list[ChangeRequest], *, by, now: datetime, day: date) -> dict[int, str]:
    """Accept each in turn; {pk: reason} of those that could not be. Odd ones wait for a look."""
    refused = {}
    for request in sorted(rows, key=lambda r: r.pk):
        try:
            accept(request, by=by, today=day, now=now)
        except RuleViolation as violation:
            odd = violation.field == "confirmed"
            refused[request.pk] = NEEDS_LOOK if odd else violation.message
    return refused


def _record(request: ChangeRequest, by, today: date, confirmed: bool) -> LifeEvent | None:
    form, content = _form(request, by, today)
    if request.kind == EDIT:
        resident = form.shown
        services.edit_resident(
            by=by,
            resident=resident,
            row_version=resident.row_version,
            household=resident.household,
            values=form.values(content[_CHANGED]),
            change=services.Change(),
            today=today,
        )
        return None
    asked = form.event()
    return services.record_event(
        by=by,
        kind=asked.kind,
        values=asked.values,
        happened_on=asked.happened_on,
        today=today,
        note=asked.note,
        confirmed=confirmed,
    )


def _form(request: ChangeRequest, by, today: date):
    """The valid form in the name of `by`, and the content as kept."""
    content = json.loads(request.content)
    data = QueryDict(mutable=True)
    for name, values in content.items():
        data.setlist(name, values)
    resident, household = _about(request, by)
    if request.kind == EDIT:
        form = DetailsForm(data, user=by, today=today, shown=resident)
    else:
        form = event_form(
            request.kind, data, user=by, today=today, resident=resident, household=household
        )
    if not form.is_valid():
        raise RuleViolation(_problem(form))
    return form, content


def _problem(form) -> str:
    """The first thing that no longer holds, in words that need no form beside them."""
    name, errors = next(iter(form.errors.as_data().items()))
    if errors[0].code == "required":
        return f"“{form.fields[name].label}”现在必须填写，请退回重填。"
    if errors[0].code in ("invalid_choice", "invalid_pk_value"):
        return f"“{form.fields[name].label}”里选的人或户，现在已不能这样登记，请退回重填。"
    return errors[0].messages[0]


def _about(request: ChangeRequest, by) -> tuple[Resident | None, Household | None]:
    resident = household = None
    if request.resident_id:
        people = Resident.objects.visible_to(by).for_list()
        people = people.select_related("household__village", "spouse__village", "spouse__household")
        resident = people.filter(pk=request.resident_id, merged_into__isnull=True).first()
    if request.household_id and not request.resident_id:
        homes = Household.objects.visible_to(by).select_related("village", "group")
        household = homes.filter(pk=request.household_id).first()
    anywhere = request.kind in ARRIVALS and not (request.resident_id or request.household_id)
    if resident is None and household is None and not anywhere:
        raise RuleViolation(GONE)
    return resident, household
