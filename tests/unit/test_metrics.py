"""Metrics follow Prometheus' conventions, have bounded labels, and are documented."""

from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from app.health import Grade, Verdict
from app.http.problems import ERRORS
from app.telemetry.metrics import Metrics
from ocr_engine import errors
from ocr_engine.errors import OcrError, PoolUnavailable
from ocr_engine.workers.pool import PoolEvent
from persistence.job import JobState
from tests.contract.jobs import RESULT, after, failure, job

OPERATIONS = (Path(__file__).parents[2] / "docs/operations.md").read_text()
UNITS = ("_seconds", "_bytes", "_ratio", "_total", "_info")
FAILURES = {
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, OcrError)
    and not issubclass(kind, PoolUnavailable)  # no attempt fails with it: it is given back
}
COUNTS_OF_THINGS = {
    "ocr_jobs",
    "ocr_queue_depth",
    "ocr_queue_limit",
    "ocr_workers",
    "ocr_ai_health",
    "ocr_ready",
    "ocr_event_streams",
    "ocr_webhooks",
}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(model="ppocr-v6", backend="onnxruntime", codes=ERRORS)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


def names() -> list[str]:
    families = Metrics(model="m", backend="b", codes=()).registry.collect()
    ours = [family for family in families if family.name.startswith("ocr_")]
    return [family.name + ("_total" if family.type == "counter" else "") for family in ours]


@pytest.mark.parametrize("name", names())
def test_every_metric_is_documented(name: str) -> None:
    assert f"| `{name}` |" in OPERATIONS


@pytest.mark.parametrize("name", names())
def test_every_name_ends_in_its_base_unit(name: str) -> None:
    assert name.endswith(UNITS) or name in COUNTS_OF_THINGS


def test_what_runs_is_what_the_workers_say(metrics: Metrics) -> None:
    metrics.pool_changed(PoolEvent(kind="started", worker="worker-1", backend="openvino"))
    metrics.pool_changed(PoolEvent(kind="recycled", worker="worker-1"))
    (build,) = (family for family in metrics.registry.collect() if family.name == "ocr_build_info")
    assert [sample.labels["backend"] for sample in build.samples] == ["openvino"]


def test_the_exposition_can_be_parsed(metrics: Metrics) -> None:
    text = generate_latest(metrics.registry).decode()
    assert {family.name for family in text_string_to_metric_families(text)} >= {"ocr_jobs_ended", "ocr_wait_seconds"}


def test_a_finished_job_is_counted_with_its_times(metrics: Metrics) -> None:
    claimed = job().claimed(after(2))
    metrics.claimed(claimed)
    metrics.changed(claimed, claimed.completed(RESULT, after(3)))
    assert value(metrics, "ocr_jobs_ended_total", status="done", code="") == 1
    assert value(metrics, "ocr_wait_seconds_sum") == 2
    assert value(metrics, "ocr_recognition_seconds_sum") == RESULT.timings.total
    assert value(metrics, "ocr_attempts_failed_total", code="timeout") == 0


def test_every_failed_attempt_is_counted_once(metrics: Metrics) -> None:
    claimed = job().claimed(after(0))
    retried = claimed.retried(failure("timeout", 1), after(1), after(1))
    again = retried.claimed(after(1))
    put_back = again.interrupted(after(2))
    last = put_back.claimed(after(3))
    dead = last.dead_lettered(failure("worker_crashed", 2), after(4))
    for old, new in pairwise((job(), claimed, retried, again, put_back, last, dead)):
        metrics.claimed(new) if new.status is JobState.PROCESSING else metrics.changed(old, new)
    assert value(metrics, "ocr_attempts_failed_total", code="timeout") == 1
    assert value(metrics, "ocr_attempts_failed_total", code="worker_crashed") == 1
    assert value(metrics, "ocr_jobs_ended_total", status="dead-letter", code="worker_crashed") == 1


def test_labels_are_bounded_whatever_clients_send(metrics: Metrics) -> None:
    for number in range(50):
        metrics.request_answered(f"METHOD{number}", "unmatched", 405, 0.1)
        metrics.upload_refused("unknown", f"code-{number}")
    assert value(metrics, "ocr_http_request_seconds_count", method="other", route="unmatched", status="405") == 50
    assert value(metrics, "ocr_uploads_total", media_type="unknown", outcome="internal") == 50


def test_series_exist_before_their_first_event(metrics: Metrics) -> None:
    """An alert on an increase needs the step from 0 to 1."""
    assert value(metrics, "ocr_jobs_ended_total", status="dead-letter", code="timeout") == 0
    assert value(metrics, "ocr_worker_events_total", event="died", cause="crashed") == 0
    metrics.pool_changed(PoolEvent(kind="died", worker="worker-1", cause="crashed"))
    assert value(metrics, "ocr_worker_events_total", event="died", cause="crashed") == 1


@pytest.mark.parametrize("error", sorted(FAILURES, key=str))
def test_whatever_an_attempt_may_fail_with_has_its_series_from_the_start(
    metrics: Metrics, error: type[OcrError]
) -> None:
    assert error.code in ERRORS
    assert value(metrics, "ocr_attempts_failed_total", code=error.code) == 0
    assert value(metrics, "ocr_jobs_ended_total", status="dead-letter", code=error.code) == 0


def test_the_first_page_with_too_many_pixels_is_a_step_from_0_to_1(metrics: Metrics) -> None:
    claimed = job().claimed(after(0))
    before = value(metrics, "ocr_jobs_ended_total", status="dead-letter", code="too_many_pixels")
    metrics.changed(claimed, claimed.dead_lettered(failure("too_many_pixels", 1), after(1)))
    assert before == 0
    assert value(metrics, "ocr_jobs_ended_total", status="dead-letter", code="too_many_pixels") == 1


def test_the_latest_verdict_is_the_only_grade_that_is_set(metrics: Metrics) -> None:
    for grade in (Grade.GOOD, Grade.LOW):
        metrics.health_judged(
            Verdict(
                grade=grade,
                latency_seconds=0.5,
                ocr_seconds=0.4,
                sample_text="a",
                expected_text="a",
                similarity=1.0,
                confidence=1.0,
                worker="worker-1",
                taken_at=0.0,
            )
        )
    assert {grade: value(metrics, "ocr_ai_health", grade=grade) for grade in Grade} == {
        Grade.GOOD: 0,
        Grade.ACCEPTABLE: 0,
        Grade.LOW: 1,
        Grade.FAILING: 0,
    }
