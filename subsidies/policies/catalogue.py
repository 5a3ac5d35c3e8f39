"""The shipped catalogue of benefit policies (catalogue.yaml): the oldest version of every one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).parent / "catalogue.yaml"
WHO = {"person": "个人", "couple": "夫妻", "family": "家庭", "child": "子女"}
CYCLES = {"month": "月", "year": "年", "once": "次"}
STARTS = {
    "year": "符合条件当年1月起",
    "month": "符合条件次月起",
    "application": "申请当月起",
}
ENDS = {"through the year": "发到退出当年年底", "through the month": "发到退出当月"}
# What stands in words for who pays.
PAYERS = ("中央", "省", "市", "县", "乡", "男方单位", "女方单位")


@dataclass(frozen=True)
class Criterion:
    """One criterion as data: the predicate's key and its parameters."""

    key: str
    params: Any = None


@dataclass(frozen=True)
class Rate:
    """Yuan per cycle from a day on; `grade` is an 等级, 学段 or 类别, "" where there is none."""

    grade: str
    from_on: date
    amount: Decimal


@dataclass(frozen=True)
class Policy:
    """One policy as shipped. What a county changed stands in PolicyVersion and PolicyRate."""

    code: str
    name: str
    who: str
    cycle: str
    criteria: tuple[Criterion, ...]
    basis: str = ""
    starts: str = "year"
    ends: str = "through the year"
    rates: tuple[Rate, ...] = ()
    grades: tuple[str, ...] = ()
    once_for: tuple[str, ...] = ()
    shares: Mapping[str, Decimal] = field(default_factory=dict)
    excludes: tuple[str, ...] = ()
    return_due: str = ""  # MM-DD
    sensitive: bool = False
    in_kind: bool = False
    closed: bool = False
    moves_to: str = ""
    year_from_month: int = 1
    wage_percent: Decimal = Decimal(0)
    wages: Mapping[tuple[str, int], Decimal] = field(default_factory=dict)  # (city, year) → yuan
    note: str = ""

    @property
    def is_attested(self) -> bool:
        """Whether records alone make no more than candidates."""
        return any(c.key == "attested" for c in self.criteria)


@cache
def policies() -> dict[str, Policy]:
    """Every policy by code, in the order of the file. Raises ValueError on an entry it can't read."""
    return read(FILE.read_text(encoding="utf-8"))


def policy(code: str) -> Policy:
    """The policy. Raises KeyError naming the known codes."""
    try:
        return policies()[code]
    except KeyError:
        raise KeyError(f"unknown policy {code!r}; known: {', '.join(policies())}") from None


def sensitive_codes() -> list[str]:
    """Policies whose rolls tell of a child's death or illness."""
    return [code for code, one in policies().items() if one.sensitive]


def name_of(code: str) -> str:
    """The policy's name; the code itself where it is unknown."""
    known = policies().get(code)
    return known.name if known else code


def choices() -> list[tuple[str, str]]:
    """(code, name) of every policy."""
    return [(code, one.name) for code, one in policies().items()]


def read(text: str) -> dict[str, Policy]:
    """The policies of a catalogue's text."""
    found = {}
    for entry in yaml.safe_load(text):
        one = _policy(dict(entry))
        if one.code in found:
            raise ValueError(f"policy {one.code} stands twice in the catalogue")
        found[one.code] = one
    for one in found.values():
        unknown = [code for code in (*one.excludes, one.moves_to) if code and code not in found]
        if unknown:
            raise ValueError(f"{one.code} names unknown policies: {', '.join(unknown)}")
    return found


def criteria_from(entries) -> tuple[Criterion, ...]:
    """Criteria of a list as the catalogue and PolicyVersion.criteria hold them; days as 1933-01-01."""
    found = []
    for entry in entries:
        key, params = (entry, None) if isinstance(entry, str) else next(iter(entry.items()))
        found.append(Criterion(key, _plain(params)))
    return tuple(found)


def as_entries(criteria) -> list:
    """The same list back, as JSON can hold it."""
    return [c.key if c.params is None else {c.key: _plain(c.params)} for c in criteria]


def _policy(entry: dict) -> Policy:
    code = entry["code"]
    rates = _rates("", entry.pop("rates", []))
    for grade, dated in entry.pop("grades", {}).items():
        rates += _rates(grade, dated)
    # A stage's amount has held as long as the policy is known.
    for stage, amount in entry.pop("stages", {}).items():
        rates.append(Rate(stage, date(2004, 1, 1), Decimal(amount)))
    grades = list(dict.fromkeys(r.grade for r in rates if r.grade))
    grades += entry.pop("classes", [])
    for key, known in (("who", WHO), ("cycle", CYCLES), ("starts", STARTS), ("ends", ENDS)):
        if entry.get(key) and entry[key] not in known:
            raise ValueError(f"{code}: {key} {entry[key]!r}; known: {', '.join(known)}")
    # Where the catalogue is silent a yearly benefit counts from January, any other from the application.
    entry.setdefault("starts", "year" if entry["cycle"] == "year" else "application")
    entry.setdefault(
        "ends", "through the year" if entry["cycle"] == "year" else "through the month"
    )
    wages = {
        (one["city"], one["year"]): Decimal(str(one["amount"])) for one in entry.pop("wages", [])
    }
    percent = Decimal(str(entry.pop("wage_percent", 0)))
    shares = {payer: Decimal(str(part)) for payer, part in entry.pop("shares", {}).items()}
    if shares and sum(shares.values()) != 100:
        raise ValueError(f"{code}: shares sum to {sum(shares.values())}, not 100")
    for key in ("excludes", "once_for"):
        entry[key] = tuple(entry.get(key, ()))
    return Policy(
        **{
            **entry,
            "criteria": criteria_from(entry["criteria"]),
            "rates": tuple(rates),
            "grades": tuple(grades),
            "shares": shares,
            "wages": wages,
            "wage_percent": percent,
        }
    )


def _rates(grade: str, dated: list[dict]) -> list[Rate]:
    return [Rate(grade, one["from"], Decimal(str(one["amount"]))) for one in dated]


def _plain(value):
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, date) else value
