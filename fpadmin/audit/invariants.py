"""The audit trail is whole."""

from collections.abc import Iterator
from datetime import datetime

from fpadmin.audit import log
from fpadmin.invariants import register


def chain_breaks(now: datetime) -> Iterator[str]:
    """The first event that was changed, removed or slipped in."""
    broken = log.first_broken()
    if broken is not None:
        yield f"审计记录{broken}起，链条不符"


def load() -> None:
    """Register what must hold of the trail. Called once, by ready()."""
    register("INV6", "审计记录没有被改动、删除或插入", chain_breaks)
