"""What the apps above add to the demonstration once its people are there; they register in ready()."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from fpadmin.accounts.models import Region


@dataclass(frozen=True)
class Demonstration:
    """The demonstration as a step finds it: the village of the accounts, and the day it is for."""

    village: Region
    today: date
    invented: bool  # a place of --residents, not the township of lubiao-2018

    @property
    def city(self) -> Region:
        """Every county of the demonstration lies in it."""
        return self.village.parent.parent.parent


# key → run(demonstration, *, by) in the order of registration. A run does its work once (a second one
# changes nothing), in its own transaction, and returns the line that the command prints.
STEPS: dict[str, Callable[..., str]] = {}


def register(key: str, run: Callable[..., str]) -> None:
    """Add a step. A key that is taken raises."""
    if key in STEPS:
        raise ValueError(f"demo step {key!r} is registered twice")
    STEPS[key] = run


def run_all(demonstration: Demonstration, *, by) -> list[str]:
    """Every step's line, in order."""
    return [run(demonstration, by=by) for run in STEPS.values()]
