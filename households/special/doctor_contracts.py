"""Contracts with family doctors (家庭医生签约): own ones, and those of other apps, which register theirs.

A source returns the contracts in force on a day, as a QuerySet of any model that has, as fields or
annotations, CONTRACT_FIELDS. So eldercare's contracts count and show here without being imported.
"""

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import or_

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from households.models import DoctorContract

CONTRACT_FIELDS = ("resident_id", "institution", "doctor", "signed_on", "until")
OWN = "special"

Source = Callable[[date], QuerySet]


@dataclass(frozen=True)
class Contract:
    """A contract in force, whoever recorded it. `source` says where, in the clerk's words."""

    resident: int
    institution: str
    doctor: str
    signed_on: date
    until: date
    source: str


SOURCES: dict[str, Source] = {}
LABELS: dict[str, str] = {}


def register(key: str, source: Source, label: str) -> None:
    """Add a source under its name in the clerk's words. A key that is taken raises."""
    if key in SOURCES:
        raise ValueError(f"source of doctor contracts {key!r} is registered twice")
    SOURCES[key], LABELS[key] = source, label


def own_contracts(day: date) -> QuerySet:
    """Own contracts in force on `day`: to their last day, or ended before and then not on that day."""
    return DoctorContract.objects.filter(
        Q(ended_on__isnull=True) | Q(ended_on__gt=day), signed_on__lte=day, until__gte=day
    )


def under_contract(day: date, resident: str = "resident"):
    """A condition: the person in the field `resident` has a contract in force on `day`."""
    return reduce(or_, (Exists(found) for found in _of_each(day, resident)))


def contract_value(day: date, name: str, resident: str = "resident"):
    """An SQL expression: `name` of that person's contract in force on `day`, from the first source."""
    found = [Subquery(rows.order_by("-until", "-pk").values(name)[:1])
             for rows in _of_each(day, resident)]  # fmt: skip
    return Coalesce(*found) if len(found) > 1 else found[0]


def contracts_of(resident_pks: Collection[int], day: date) -> dict[int, list[Contract]]:
    """The contracts in force of these people, from every source: one query per source."""
    found = defaultdict(list)
    for key, source in SOURCES.items():
        rows = source(day).filter(resident__in=resident_pks).order_by("-until", "pk")
        for row in rows.values_list(*CONTRACT_FIELDS):
            found[row[0]].append(Contract(*row, source=LABELS[key]))
    return dict(found)


def load() -> None:
    """Register the own source. Called once, by ready()."""
    register(OWN, own_contracts, "特殊家庭登记")


def _of_each(day: date, resident: str) -> list[QuerySet]:
    return [s(day).filter(resident=OuterRef(resident)) for s in SOURCES.values()]
