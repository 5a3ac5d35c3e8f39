"""What may be decided of a review's line, and when it has to be answered for in words."""

from subsidies.models import ReviewDecision, ReviewFinding, ReviewLine

# What may be decided of each finding.
DECISIONS = {
    ReviewFinding.STAYS: (ReviewDecision.KEPT, ReviewDecision.END_PROPOSED),
    ReviewFinding.ENDS: (ReviewDecision.END_PROPOSED, ReviewDecision.KEPT),
    ReviewFinding.MOVES: (
        ReviewDecision.MOVE_PROPOSED,
        ReviewDecision.END_PROPOSED,
        ReviewDecision.KEPT,
    ),
    ReviewFinding.MISSING: (ReviewDecision.APPLIED, ReviewDecision.LEFT_OUT),
}


def needs_words(line: ReviewLine, decision: str) -> bool:
    """Against what the test found, somebody answers in words."""
    if decision == ReviewDecision.LEFT_OUT:
        return True
    if decision == ReviewDecision.KEPT:
        return line.finding != ReviewFinding.STAYS
    return line.finding == ReviewFinding.STAYS
