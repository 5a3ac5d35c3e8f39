"""What the audit app itself writes: the outcome of a verification."""

from fpadmin.audit import log

EVENT_TYPES = {
    "access.denied": "越权访问被拒绝",
    "audit.verified": "核验审计记录",
    "keys.rotated": "更换加密密钥",
}
CHANGE_LABELS = {
    "page": "页面",
    "method": "方式",
    "column": "数据列",
    "first_broken": "首条被改动的编号",
    "reason": "原因",
}


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
