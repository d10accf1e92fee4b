"""The queueing model against what is known in closed form, and the forecasts made with it."""

import math
import random
from pathlib import Path

import pytest

from benchmarks.queueing import simulate
from benchmarks.queueing.model import greatest_rate, sojourns, steady_latency
from benchmarks.queueing.simulate import FULL_CORE, checks, contention, forecast, occupations, service_cpu
from benchmarks.report import report
from benchmarks.service.load import schedule
from tests.unit.benchmarks.benchmark_reports import full_report, load_point, service_figures, workers_point

JOBS = 200_000


def mean_wait(workers: int, rate: float) -> float:
    """Mean wait of a simulated M/M/c queue whose services take 1 s on average."""
    rng = random.Random(5)
    services = [rng.expovariate(1.0) for _ in range(JOBS)]
    latencies = list(sojourns(schedule("poisson", rate, JOBS, seed=3), services, workers))
    return (sum(latencies) - sum(services)) / JOBS


def erlang_c(workers: int, load: float) -> float:
    """Probability of waiting in M/M/c (Erlang 1917); `load` in erlangs."""
    last = load**workers / math.factorial(workers) * workers / (workers - load)
    return last / (sum(load**n / math.factorial(n) for n in range(workers)) + last)


@pytest.mark.parametrize("load", [0.3, 0.5, 0.7])
def test_one_worker_waits_as_m_m_1_does(load: float) -> None:
    assert mean_wait(1, load) == pytest.approx(load / (1 - load), rel=0.05)


@pytest.mark.parametrize(("workers", "load"), [(2, 1.0), (4, 2.8), (8, 6.4)])
def test_several_workers_wait_as_m_m_c_does(workers: int, load: float) -> None:
    assert mean_wait(workers, load) == pytest.approx(erlang_c(workers, load) / (workers - load), rel=0.05)


def test_constant_services_wait_as_m_d_1_does() -> None:
    """Half of M/M/1: Pollaczek and Khinchine."""
    latencies = list(sojourns(schedule("poisson", 0.7, JOBS, seed=3), [1.0] * JOBS, 1))
    assert sum(latencies) / JOBS - 1 == pytest.approx(0.7 / 0.3 / 2, rel=0.05)


def test_jobs_wait_for_the_first_worker_that_becomes_free() -> None:
    assert list(sojourns([0.0, 0.0, 1.0, 1.0], [5.0, 2.0, 1.0, 1.0], 2)) == [5.0, 2.0, 2.0, 3.0]


def test_latency_grows_with_the_rate() -> None:
    found = [steady_latency([0.4, 0.6], rate=rate, workers=2, share=0.95, jobs=20_000) for rate in (1.0, 2.0, 3.0, 3.8)]
    assert found == sorted(found)


def test_the_greatest_rate_meets_its_target_and_a_greater_one_does_not() -> None:
    times = [0.4, 0.5, 0.6]
    rate = greatest_rate(times, workers=2, share=0.95, target=1.0)
    assert 0 < rate < 4
    assert steady_latency(times, rate=rate, workers=2, share=0.95) <= 1.0
    assert steady_latency(times, rate=rate * 1.05, workers=2, share=0.95) > 1.0


def test_no_rate_meets_a_target_that_one_job_alone_misses() -> None:
    assert greatest_rate([2.0] * 100, workers=8, share=0.95, target=1.0) == 0.0


def test_occupations_carry_exactly_the_measured_rate() -> None:
    times = occupations([0.4, 0.5, 0.6], 2, 3.8)
    assert 2 / (sum(times) / len(times)) == pytest.approx(3.8)
    assert times[2] / times[0] == pytest.approx(0.6 / 0.4)


def test_occupations_of_a_free_engine_are_what_the_service_takes() -> None:
    assert occupations([0.0, 0.0], 2, 100.0) == [0.02]


def test_a_load_that_behaves_like_the_model_agrees_and_one_that_does_not_disagrees() -> None:
    honest = load_point(2, 1.0, mean=0.5)
    absurd = load_point(2, 1.0, mean=50.0)
    found = checks(service_figures(workers_point(2, rate=4.0), load=(honest, absurd)), 0.5)
    assert [check.agrees for check in found] == [True, False]


def test_percentiles_that_were_not_measured_are_not_checked() -> None:
    assert checks(service_figures(workers_point(2, rate=4.0), load=(load_point(2, 1.0, mean=0.5),)), 0.99) == []


def test_more_workers_than_cpus_carry_no_more() -> None:
    figures = service_figures(workers_point(1, rate=2.0), workers_point(2, rate=3.9))
    two, four = (forecast(figures, 2, workers, 1, 0.95, 100.0) for workers in (2, 4))
    assert (two.measured, four.measured) == (True, False)
    assert two.limit == pytest.approx(3.9)
    assert four.limit == pytest.approx(two.limit)


def test_machines_with_one_queue_carry_more_than_their_number_of_times_one() -> None:
    figures = service_figures(workers_point(2, rate=4.0))
    one, four = (forecast(figures, 2, 2, machines, 0.95, 1.0) for machines in (1, 4))
    assert four.limit == pytest.approx(4 * one.limit)
    assert four.rate > 4 * one.rate


def test_what_a_further_worker_costs_the_others_is_measured_and_carried_on() -> None:
    figures = service_figures(workers_point(1, rate=2.0), workers_point(2, rate=3.2))
    assert contention(figures) == pytest.approx(0.25)
    four = forecast(figures, 8, 4, 1, 0.95, 100.0)
    assert four.limit == pytest.approx(4 / (2 / 3.2 * 1.5))
    assert contention(service_figures(workers_point(2, rate=4.0))) == 0.0
    assert contention(service_figures(workers_point(1, rate=2.0), workers_point(2, rate=4.1))) == 0.0


def test_one_service_process_carries_what_a_part_of_one_core_can_however_many_workers_there_are() -> None:
    figures = service_figures(workers_point(2, rate=4.0))
    most = FULL_CORE / service_cpu(figures)
    few, many = (forecast(figures, 512, workers, 1, 0.95, 100.0) for workers in (16, 512))
    assert not few.service_full
    assert few.core == pytest.approx(few.rate * service_cpu(figures))
    assert many.service_full
    assert many.rate == pytest.approx(most)
    assert forecast(figures, 512, 512, 2, 0.95, 100.0).rate == pytest.approx(2 * most)


def test_the_command_checks_and_forecasts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"
    report.write(full_report(), file, None)
    assert simulate.main([str(file), "--workers", "1,2", "--machines", "1", "--target", "5"]) == 0
    shown = capsys.readouterr().out
    assert "agrees" in shown
    assert "1 x 2" in shown
    assert "10.0 ms of CPU time" in shown
    assert simulate.main([str(tmp_path / "none.json")]) == 2
