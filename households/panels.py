"""What other apps show on the page of a person or household: they register it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from fpadmin.accounts.permissions import Permission
from households.models import Resident


@dataclass(frozen=True)
class PanelRow:
    """One line: what, since when or for whom, and its state as a tag (a kind of status_tag and a word)."""

    text: str
    hint: str = ""
    kind: str = "ok"
    word: str = ""
    url: str = ""


@dataclass(frozen=True)
class Panel:
    """A box on both pages, for who holds `permission`.

    `url_for(resident)` is where its link, called `link_label`, leads: on a household's page for the
    head. `rows(user, people, day)` asks a fixed number of queries, whatever the number of people.
    """

    key: str
    label: str
    link_label: str
    url_for: Callable[[Resident], str]
    permission: Permission
    rows: Callable[[object, Sequence[Resident], date], list[PanelRow]]
    empty: str = ""


@dataclass(frozen=True)
class ShownPanel:
    """A panel with what it says of the people of one page."""

    panel: Panel
    url: str
    rows: list[PanelRow]


PANELS: dict[str, Panel] = {}


def register(panel: Panel) -> None:
    """Add a panel. A key that is taken raises."""
    if panel.key in PANELS:
        raise ValueError(f"panel {panel.key!r} is registered twice")
    PANELS[panel.key] = panel


def panels_for(user, people: Sequence[Resident], day: date) -> list[ShownPanel]:
    """What `user` may see of `people`, the first of whom the links are about; [] without people."""
    return [
        ShownPanel(panel, panel.url_for(people[0]), panel.rows(user, people, day))
        for panel in PANELS.values()
        if people and user.may(panel.permission)
    ]
