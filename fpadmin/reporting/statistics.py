"""What a small number of births can tell: the ratio's interval and its test against the expected share."""

from math import ceil, exp, lgamma, log, sqrt
from statistics import NormalDist

# 106 boys to 100 girls, the ratio at birth that is expected where nobody interferes.
EXPECTED_BOYS = 106 / 206
_Z95 = NormalDist().inv_cdf(0.975)
# Outcomes as likely as the observed one count as extreme; rounding must not drop the twin on the other side.
_TIE = 1e-7


def sex_ratio(boys: int, girls: int) -> float | None:
    """Boys to 100 girls; None where either is missing."""
    return boys / girls * 100 if boys and girls else None


def sex_ratio_interval(boys: int, girls: int) -> tuple[float, float] | None:
    """The Wilson 95 % interval of the boys' share, each end turned into a ratio."""
    if not (boys and girls):
        return None
    low, high = wilson(boys, boys + girls)
    return low / (1 - low) * 100, high / (1 - high) * 100


def sex_ratio_p_value(boys: int, girls: int) -> float | None:
    """The two-sided exact binomial p-value of the boys' share against 106/206."""
    return binomial_p_value(boys, boys + girls, EXPECTED_BOYS) if boys and girls else None


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The Wilson 95 % interval of a share, n > 0."""
    share, z2 = successes / n, _Z95 * _Z95
    middle = share + z2 / (2 * n)
    half = _Z95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (middle - half) / (1 + z2 / n), (middle + half) / (1 + z2 / n)


def binomial_p_value(successes: int, n: int, share: float) -> float:
    """Sum of the likelihoods of every outcome no likelier than the observed one, for 0 < share < 1.

    Costs the square root of n: the far side's first outcome is found by halving and each tail is
    summed only as far as it weighs.
    """
    mode = min(int((n + 1) * share), n)
    bound = _log_likelihood(successes, n, share) + log(1 + _TIE)
    if _log_likelihood(mode, n, share) <= bound:
        return 1.0
    if successes < mode:
        first = _first_at_or_below(bound, mode, n, lambda k: _log_likelihood(k, n, share))
        total = _tail(successes, n, share, -1) + _tail(first, n, share, 1)
    else:
        mirrored = _first_at_or_below(
            bound, n - mode, n, lambda k: _log_likelihood(n - k, n, share)
        )
        total = _tail(successes, n, share, 1) + _tail(n - mirrored, n, share, -1)
    return min(total, 1.0)


def _log_likelihood(k: int, n: int, share: float) -> float:
    return (
        lgamma(n + 1)
        - lgamma(k + 1)
        - lgamma(n - k + 1)
        + k * log(share)
        + (n - k) * log(1 - share)
    )


def _first_at_or_below(bound: float, start: int, n: int, likelihood) -> int:
    """The first k above `start` with likelihood(k) <= bound, which falls from there on; n + 1 if none."""
    low, high = start, n + 1
    while high - low > 1:
        middle = ceil((low + high) / 2)
        if middle <= n and likelihood(middle) > bound:
            low = middle
        else:
            high = middle
    return high


def _tail(k: int, n: int, share: float, step: int) -> float:
    """The sum of likelihoods from k outwards; 0 beyond the ends."""
    if not 0 <= k <= n:
        return 0.0
    term = exp(_log_likelihood(k, n, share))
    total, odds = 0.0, share / (1 - share)
    while 0 <= k <= n and term > total * 1e-17:
        total += term
        if step > 0:
            term *= (n - k) / (k + 1) * odds
        else:
            term *= k / (n - k + 1) / odds
        k += step
    return total
