"""The interval and the test, against published vectors and against the plain sum."""

from math import comb

import pytest

from fpadmin.reporting import statistics


def plain_p_value(successes, n, share):
    """The definition itself, term by term."""
    terms = [comb(n, k) * share**k * (1 - share) ** (n - k) for k in range(n + 1)]
    return sum(t for t in terms if t <= terms[successes] * (1 + 1e-7))


def test_sex_ratio_of_lubiao_2018_has_its_published_interval_and_p_value():
    low, high = statistics.sex_ratio_interval(87, 76)
    assert statistics.sex_ratio(87, 76) == pytest.approx(114.47, abs=0.005)
    assert (low, high) == (pytest.approx(84.25, abs=0.005), pytest.approx(155.54, abs=0.005))
    assert statistics.sex_ratio_p_value(87, 76) == pytest.approx(0.639, abs=0.0005)


def test_sex_ratio_of_a_city_is_close():
    low, high = statistics.sex_ratio_interval(32031, 30243)
    assert statistics.sex_ratio(32031, 30243) == pytest.approx(105.91, abs=0.005)
    assert (low, high) == (pytest.approx(104.26, abs=0.01), pytest.approx(107.59, abs=0.01))
    assert statistics.sex_ratio_p_value(32031, 30243) == pytest.approx(0.917, abs=0.005)


@pytest.mark.parametrize(("boys", "girls"), [(0, 5), (5, 0), (0, 0)])
def test_sex_ratio_without_boys_or_girls_is_empty(boys, girls):
    assert statistics.sex_ratio(boys, girls) is None
    assert statistics.sex_ratio_interval(boys, girls) is None
    assert statistics.sex_ratio_p_value(boys, girls) is None


@pytest.mark.parametrize("n", [1, 2, 7, 40, 163])
@pytest.mark.parametrize("share", [statistics.EXPECTED_BOYS, 0.5, 0.03])
def test_binomial_p_value_equals_the_plain_sum(n, share):
    for successes in range(n + 1):
        assert statistics.binomial_p_value(successes, n, share) == pytest.approx(
            plain_p_value(successes, n, share), rel=1e-6
        )


@pytest.mark.parametrize("n", [10**6, 10**9])
def test_binomial_p_value_of_a_country_neither_overflows_nor_takes_long(n):
    near = round(n * statistics.EXPECTED_BOYS)
    assert statistics.binomial_p_value(near + 1, n, statistics.EXPECTED_BOYS) > 0.9
    assert statistics.binomial_p_value(0, n, statistics.EXPECTED_BOYS) == 0
    assert statistics.binomial_p_value(n, n, statistics.EXPECTED_BOYS) == 0
