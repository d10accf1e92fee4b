"""The health of the recognition is judged, not timed: single-flight, cached, graded."""

import asyncio

import pytest

from app.health import MAX_WORKER_WAIT_SECONDS, AiHealth, Grade, Thresholds, grade, text_similarity
from ocr_engine.errors import WorkerCrashed, WorkersBusy
from tests.scripted_pool import ScriptedPool, text_result

pytestmark = pytest.mark.anyio

THRESHOLDS = Thresholds(
    good_similarity=0.95,
    acceptable_similarity=0.85,
    min_similarity=0.6,
    good_confidence=0.85,
    acceptable_confidence=0.7,
    min_confidence=0.4,
    good_latency_seconds=5.0,
)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def health(pool: ScriptedPool, clock: Clock, timeout: float = 60.0) -> AiHealth:
    return AiHealth(
        pool,
        image=b"sample",
        expected_text="Smart Queue OCR",
        thresholds=THRESHOLDS,
        cache_seconds=10.0,
        timeout_seconds=timeout,
        clock=clock,
    )


@pytest.mark.parametrize(
    ("similarity", "confidence", "latency", "verdict"),
    [
        (1.0, 0.99, 1.0, Grade.GOOD),
        (1.0, 0.99, 6.0, Grade.ACCEPTABLE),
        (0.9, 0.99, 1.0, Grade.ACCEPTABLE),
        (1.0, 0.75, 1.0, Grade.ACCEPTABLE),
        (0.8, 0.99, 1.0, Grade.LOW),
        (1.0, 0.5, 1.0, Grade.LOW),
        (0.5, 0.99, 1.0, Grade.FAILING),
        (1.0, 0.3, 1.0, Grade.FAILING),
        (0.0, 0.0, 0.1, Grade.FAILING),
    ],
)
async def test_the_grade_follows_text_confidence_and_latency(
    similarity: float, confidence: float, latency: float, verdict: Grade
) -> None:
    assert grade(THRESHOLDS, similarity, confidence, latency) is verdict


async def test_similarity_forgives_case_and_white_space_only() -> None:
    assert text_similarity("Smart Queue OCR", "smart  queue\nOCR") == 1.0
    assert text_similarity("Smart Queue OCR", "Smart Queue") < 0.9
    assert text_similarity("Smart Queue OCR", "") == 0.0


async def test_the_right_text_is_good() -> None:
    verdict = await health(ScriptedPool(text_result("Smart Queue OCR")), Clock()).verdict()
    assert (verdict.grade, verdict.similarity, verdict.sample_text) == (Grade.GOOD, 1.0, "Smart Queue OCR")


async def test_fast_junk_is_failing() -> None:
    verdict = await health(ScriptedPool(text_result("xqzw")), Clock()).verdict()
    assert verdict.grade is Grade.FAILING
    assert verdict.error is None


async def test_an_error_of_the_pool_is_failing_and_named() -> None:
    verdict = await health(ScriptedPool(WorkerCrashed("gone")), Clock()).verdict()
    assert verdict.grade is Grade.FAILING
    assert verdict.error is not None
    assert verdict.error.code == "worker_crashed"


async def test_a_sample_that_never_ends_is_failing() -> None:
    pool = ScriptedPool()
    pool.hold()
    verdict = await health(pool, Clock(), timeout=0.01).verdict()
    assert verdict.grade is Grade.FAILING
    assert verdict.error is not None
    assert verdict.error.code == "timeout"


async def test_probes_at_the_same_time_share_one_recognition() -> None:
    pool = ScriptedPool()
    pool.hold()
    judge = health(pool, Clock())
    probes = [asyncio.create_task(judge.verdict()) for _ in range(20)]
    await pool.started.acquire()
    pool.release()
    verdicts = await asyncio.gather(*probes)
    assert len(pool.images) == 1
    assert all(verdict is verdicts[0] for verdict in verdicts)


async def test_a_prober_that_hangs_up_takes_nothing_from_the_others() -> None:
    pool = ScriptedPool(text_result("Smart Queue OCR"))
    pool.hold()
    judge = health(pool, Clock())
    first = asyncio.create_task(judge.verdict())
    await pool.started.acquire()
    second = asyncio.create_task(judge.verdict())
    first.cancel()
    pool.release()
    assert (await second).grade is Grade.GOOD


async def test_the_answer_is_repeated_until_it_is_too_old() -> None:
    pool, clock = ScriptedPool(), Clock()
    judge = health(pool, clock)
    await judge.verdict()
    clock.now = 9.9
    await judge.verdict()
    assert len(pool.images) == 1
    clock.now = 10.1
    await judge.verdict()
    assert len(pool.images) == 2


async def test_closing_ends_a_run_under_way() -> None:
    pool = ScriptedPool()
    pool.hold()
    judge = health(pool, Clock())
    probe = asyncio.create_task(judge.verdict())
    await pool.started.acquire()
    await judge.close()
    assert pool.cancelled == 1
    with pytest.raises(asyncio.CancelledError):
        await probe


async def test_workers_that_read_something_long_are_not_failing() -> None:
    busy = WorkersBusy("no OCR worker was free within 10 s")
    never_judged = await health(ScriptedPool(busy), Clock()).verdict()
    assert (never_judged.grade, never_judged.error) == (Grade.ACCEPTABLE, busy)


async def test_a_short_timeout_is_not_spent_on_waiting_for_a_worker() -> None:
    pool = ScriptedPool(text_result("Smart Queue OCR"))
    await health(pool, Clock(), timeout=4.0).verdict()
    assert pool.patience == [2.0]


@pytest.mark.parametrize("text", ["Smart Queue OCR", "xqzw"])
async def test_while_no_worker_is_free_the_last_verdict_stands_and_grows_old(text: str) -> None:
    clock = Clock()
    pool = ScriptedPool(text_result(text), WorkersBusy("all at long files"), text_result("another text"))
    watched = health(pool, clock)
    judged = await watched.verdict()
    clock.now = 30.0
    assert await watched.verdict() is judged
    assert watched.age(judged) == 30.0
    assert (await watched.verdict()).sample_text == "another text", "it is asked again, whatever the cache allows"
    assert pool.patience == [MAX_WORKER_WAIT_SECONDS] * 3
