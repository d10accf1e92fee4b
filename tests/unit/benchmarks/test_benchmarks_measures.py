"""Percentiles and schedules of the load benchmarks."""

import pytest

from benchmarks.report.measures import Pair, percentile, percentiles
from benchmarks.service.load import schedule
from tests.unit.benchmarks.benchmark_reports import load_point, service_figures, workers_point


def test_a_percentile_is_a_value_that_occurred_by_nearest_rank() -> None:
    assert percentile([15.0, 20.0, 35.0, 40.0, 50.0], 0.3) == 20.0
    assert percentile([15.0, 20.0, 35.0, 40.0, 50.0], 0.4) == 20.0
    assert percentile([50.0, 15.0, 40.0, 20.0, 35.0], 0.5) == 35.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0


@pytest.mark.parametrize(("share", "needed"), [(0.5, 2), (0.95, 20), (0.99, 100)])
def test_a_percentile_of_too_few_values_is_none(share: float, needed: int) -> None:
    assert percentile([1.0] * (needed - 1), share) is None
    assert percentile([1.0] * needed, share) == 1.0


def test_percentiles_of_nothing_say_so() -> None:
    nothing = percentiles([])
    assert (nothing.count, nothing.mean, nothing.p50, nothing.p95, nothing.p99) == (0, 0.0, None, None, None)


def test_uniform_arrivals_are_equally_far_apart() -> None:
    assert schedule("uniform", 4.0, 4) == [0.25, 0.5, 0.75, 1.0]


def test_poisson_arrivals_have_exponential_gaps_of_the_given_rate_and_are_the_same_for_the_same_seed() -> None:
    moments = schedule("poisson", 5.0, 20_000, seed=7)
    gaps = [later - earlier for earlier, later in zip([0.0, *moments], moments, strict=False)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(0.2, rel=0.03)
    assert deviation == pytest.approx(mean, rel=0.03)
    assert min(gaps) >= 0
    assert moments == schedule("poisson", 5.0, 20_000, seed=7) != schedule("poisson", 5.0, 20_000, seed=8)


def test_the_share_of_the_ceiling_is_of_all_rounds_and_the_pairs_show_the_noise() -> None:
    point = workers_point(
        2, rate=3.8, ceiling_rate=4.0, pairs=(Pair(service=10, ceiling=9), Pair(service=10, ceiling=10))
    )
    assert point.share_of_ceiling == pytest.approx(0.95)
    assert (point.worst_pair, point.best_pair) == (0.9, 1.0)


def test_the_ideal_is_the_least_count_multiplied() -> None:
    figures = service_figures(workers_point(1, rate=2.0), workers_point(4, rate=7.0))
    assert figures.ideal(4) == 8.0


def test_the_knee_is_where_rate_by_latency_is_greatest() -> None:
    figures = service_figures(
        workers_point(2, rate=4.0),
        load=(load_point(2, 1.0, mean=0.5), load_point(2, 2.0, mean=0.6), load_point(2, 3.8, mean=3.0)),
    )
    knee = figures.knee()
    assert knee is not None
    assert knee.offered == 2.0
