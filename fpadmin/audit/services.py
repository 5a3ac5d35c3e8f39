"""What the audit app itself writes: the outcome of a verification."""

from fpadmin.audit import log


def finish_verification(*, outcome: log.Verification, by) -> log.Verification:
    """Record that somebody verified the chain and what came out."""
    log.record(
        "audit.verified",
        by=by,
        count=outcome.rows,
        changes={"first_broken": outcome.broken_id} if outcome.broken_id else {},
        result="broken" if outcome.broken_id else "ok",
    )
    return outcome
