"""The AI health check: a known sample read by the real workers, and graded by text, confidence and latency."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from ocr_engine.errors import JobTimeout, OcrError, WorkersBusy
from ocr_engine.workers.pool import OcrPool

MAX_WORKER_WAIT_SECONDS = 10.0
"""Seconds to wait for a worker that is free; all may be at files of many pages. Probes wait no longer."""


class Grade(StrEnum):
    """The verdict on the sample."""

    GOOD = "good"
    """Reads as it should, fast enough."""
    ACCEPTABLE = "acceptable"
    """Reads well; slow, or a little off. Or no worker was free to be judged, and none was judged before."""
    LOW = "low"
    """Reads, with errors that clients will see."""
    FAILING = "failing"
    """Does not read, or reads junk: 503."""


class Thresholds(Struct, frozen=True, kw_only=True):
    """What the verdict is made of; similarities and confidences from 0 to 1."""

    good_similarity: float
    acceptable_similarity: float
    min_similarity: float
    good_confidence: float
    acceptable_confidence: float
    min_confidence: float
    good_latency_seconds: float


class Reading(Struct, frozen=True, kw_only=True):
    """How the sample was read, here or on another node."""

    grade: Grade
    latency_seconds: float
    """From handing the sample in to its text, waiting for a free worker included."""
    ocr_seconds: float
    sample_text: str
    expected_text: str
    similarity: float
    confidence: float
    worker: str


class Verdict(Reading, frozen=True, kw_only=True):
    """What one run of the sample showed."""

    taken_at: float
    """Monotonic seconds."""
    error: OcrError | None = None


class Health(Protocol):
    """Where `/health/ai` has its verdict from."""

    async def verdict(self) -> Verdict:
        """The latest one. Raises no OcrError: a verdict can be that there is none."""

    def age(self, verdict: Verdict) -> float:
        """Seconds since the verdict was made."""

    async def close(self) -> None:
        """Ends a run under way."""


class AiHealth:
    """Runs the sample when asked, one at a time, and repeats the answer for a while so that probes cannot overload."""

    def __init__(
        self,
        pool: OcrPool,
        *,
        image: bytes,
        expected_text: str,
        thresholds: Thresholds,
        cache_seconds: float,
        timeout_seconds: float,
        on_verdict: Callable[[Verdict], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pool = pool
        self._image = image
        self._expected = expected_text
        self._thresholds = thresholds
        self._cache_seconds = cache_seconds
        self._timeout = timeout_seconds
        self._on_verdict = on_verdict
        self._clock = clock
        self._flight: asyncio.Task[Verdict] | None = None
        self._last: Verdict | None = None

    async def verdict(self) -> Verdict:
        """See Health; a new one where the latest is older than the cache allows and a worker is free for it."""
        if self._last is not None and self.age(self._last) < self._cache_seconds:
            return self._last
        if self._flight is None or self._flight.done():
            self._flight = asyncio.create_task(self._run(), name="ai-health")
        # shielded: a prober that hangs up must not take the answer from the others
        return await asyncio.shield(self._flight)

    def age(self, verdict: Verdict) -> float:
        """See Health."""
        return self._clock() - verdict.taken_at

    async def close(self) -> None:
        """See Health."""
        if self._flight is not None:
            self._flight.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._flight

    async def _run(self) -> Verdict:
        begun = self._clock()
        text, confidence, ocr_seconds, worker = "", 0.0, 0.0, ""
        fault: OcrError | None = None
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._pool.recognise(
                    self._image, patience=min(MAX_WORKER_WAIT_SECONDS, self._timeout / 2)
                )
        except WorkersBusy as error:
            # long files are no fault: what was seen before holds, if only that every worker has read this sample once
            if self._last is not None:
                return self._last
            fault = error
        except TimeoutError:
            fault = JobTimeout(f"the sample was not read within {self._timeout:g} s")
        except OcrError as error:
            fault, worker = error, error.worker
        else:
            text, confidence, worker = result.text, result.confidence, result.worker
            ocr_seconds = result.timings.total
        latency = self._clock() - begun
        similarity = text_similarity(self._expected, text)
        self._last = Verdict(
            grade=self._grade(fault, similarity, confidence, latency),
            latency_seconds=latency,
            ocr_seconds=ocr_seconds,
            sample_text=text,
            expected_text=self._expected,
            similarity=similarity,
            confidence=confidence,
            worker=worker,
            taken_at=self._clock(),
            error=fault,
        )
        self._on_verdict(self._last)
        return self._last

    def _grade(self, fault: OcrError | None, similarity: float, confidence: float, latency: float) -> Grade:
        if isinstance(fault, WorkersBusy):
            return Grade.ACCEPTABLE
        return Grade.FAILING if fault else grade(self._thresholds, similarity, confidence, latency)


def text_similarity(expected: str, read: str) -> float:
    """0 to 1, case and white space aside: Ratcliff and Obershelp's ratio as difflib computes it."""
    first, second = (" ".join(text.casefold().split()) for text in (expected, read))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def grade(thresholds: Thresholds, similarity: float, confidence: float, latency: float) -> Grade:
    """The verdict on what was read; a slow answer is acceptable at best."""
    if similarity < thresholds.min_similarity or confidence < thresholds.min_confidence:
        return Grade.FAILING
    if similarity < thresholds.acceptable_similarity or confidence < thresholds.acceptable_confidence:
        return Grade.LOW
    if similarity < thresholds.good_similarity or confidence < thresholds.good_confidence:
        return Grade.ACCEPTABLE
    return Grade.GOOD if latency <= thresholds.good_latency_seconds else Grade.ACCEPTABLE
