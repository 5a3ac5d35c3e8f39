"""利益导向 on the pages of a person and a household: what they draw now, and the way to their cases."""

from collections.abc import Sequence
from datetime import date

from django.urls import reverse

from fpadmin.accounts.permissions import Permission
from households import panels
from households.models import Resident
from households.panels import Panel, PanelRow
from subsidies.models import Application, Enrolment
from subsidies.rolls.ends import month_words


def rows(user, people: Sequence[Resident], day: date) -> list[PanelRow]:
    """What these people draw on `day`, and what they have applied for, as far as `user` may know."""
    names = {one.pk: one.name for one in people} if len(people) > 1 else {}
    lines = Enrolment.objects.visible_to(user).active_on(day).filter(resident__in=people)
    waiting = Application.objects.visible_to(user).open().filter(resident__in=people)
    drawn = [
        PanelRow(
            one.policy.name,
            _hint(names, one.resident_id, f"{month_words(one.start_month)}起"),
            "ok",
            "在享",
            one.get_absolute_url(),
        )
        for one in lines.order_by("start_month", "pk")
    ]
    applied = [
        PanelRow(
            one.policy.name,
            _hint(names, one.resident_id, one.get_state_display()),
            "run",
            "办理中",
            one.get_absolute_url(),
        )
        for one in waiting.order_by("applied_on", "pk")
    ]
    return drawn + applied


def _hint(names: dict[int, str], pk: int, words: str) -> str:
    return f"{names[pk]}　{words}" if pk in names else words


def load() -> None:
    """Register the panel. Called once, by ready()."""
    panels.register(
        Panel(
            key="benefits",
            label="利益导向",
            link_label="资格核查",
            url_for=lambda one: reverse("subsidies:eligibility-person", args=[one.pk]),
            permission=Permission.BENEFIT_VIEW,
            rows=rows,
            empty="没有在享的待遇",
        )
    )
