"""Front-end files come from pinned wheels, byte for byte the ones that were looked at."""

import hashlib

from fpadmin.ui.finders import FILES
from tests.guards.source import ROOT

KNOWN = ROOT / "tests" / "guards" / "vendor.sha256"


def faults(served: dict[str, str], known: dict[str, str]) -> list[str]:
    """Served files that are unknown or different, and known ones that are served no more."""
    return sorted(
        [f"{name}: not in vendor.sha256" for name in served.keys() - known.keys()]
        + [f"{name}: no longer served" for name in known.keys() - served.keys()]
        + [f"{n}: changed" for n in served.keys() & known.keys() if served[n] != known[n]]
    )


def test_vendor_files_are_the_known_ones():
    served = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in FILES.items()}
    lines = KNOWN.read_text(encoding="ascii").split("\n")
    known = {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}
    assert faults(served, known) == []


def test_guard_finds_changed_new_and_gone_files():
    assert faults({"a": "1"}, {"a": "1"}) == []
    assert faults({"a": "2", "b": "1"}, {"a": "1", "c": "1"}) == [
        "a: changed",
        "b: not in vendor.sha256",
        "c: no longer served",
    ]


def test_no_third_party_code_is_committed():
    names = ("bootstrap", "htmx", "jquery", "alpine", "chart")
    own = (ROOT / "fpadmin" / "ui" / "static").rglob("*")
    assert [p.name for p in own if p.is_file() and p.name.lower().startswith(names)] == []
