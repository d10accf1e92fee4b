"""The verdict on the sample where clients ask one node and others read: worker nodes publish theirs."""

import time
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec import Struct

from app.health import Grade, Verdict
from ocr_engine.errors import EngineError, PoolUnavailable
from persistence.store import StoreError

if TYPE_CHECKING:  # asyncpg is an extra
    from persistence.pg_nodes import NodeReports

PUBLISH_SECONDS = 30.0
"""How often a worker node reads the sample and says how that went: at 0.3 s a run, one hundredth of a worker."""
SILENCE_SECONDS = 3 * PUBLISH_SECONDS
"""After that a worker node counts as gone."""


class Health(Protocol):
    """Where `/health/ai` has its verdict from."""

    async def verdict(self) -> Verdict:
        """The latest one. Raises no OcrError: a verdict can be that there is none."""

    def age(self, verdict: Verdict) -> float:
        """Seconds since the verdict was made."""

    async def close(self) -> None:
        """Ends a run under way."""


class Report(Struct, frozen=True, kw_only=True):
    """What a node with workers says of itself: the verdict on the sample, and what it can do."""

    grade: Grade
    latency_seconds: float
    ocr_seconds: float
    sample_text: str
    expected_text: str
    similarity: float
    confidence: float
    worker: str
    age_seconds: float
    error: str = ""
    workers: int = 0
    service_seconds: float = 0.0


def understood(text: str) -> Report | None:
    """What a node said; None where its program, newer or older than this one, says it in another way."""
    try:
        return msgspec.json.decode(text, type=Report)
    except msgspec.DecodeError:
        return None


class SharedHealth:
    """Health of a node without workers: the newest verdict of the nodes that have some."""

    def __init__(self, reports: "NodeReports", expected_text: str) -> None:
        self._reports = reports
        self._expected = expected_text

    async def verdict(self) -> Verdict:
        """See Health; `worker` says which node's it is."""
        try:
            recent = await self._reports.recent(SILENCE_SECONDS)
        except StoreError as error:
            return self._none(str(error))
        newest = next(((each, said) for each in recent if (said := understood(each.text))), None)
        if newest is None:
            return self._none("no worker node has been heard of lately")
        latest, said = newest
        return Verdict(
            grade=said.grade,
            latency_seconds=said.latency_seconds,
            ocr_seconds=said.ocr_seconds,
            sample_text=said.sample_text,
            expected_text=said.expected_text,
            similarity=said.similarity,
            confidence=said.confidence,
            worker=f"{latest.node}/{said.worker}",
            taken_at=time.monotonic() - latest.age - said.age_seconds,
            error=EngineError(said.error) if said.error else None,
        )

    def age(self, verdict: Verdict) -> float:
        """See Health."""
        return time.monotonic() - verdict.taken_at

    async def close(self) -> None:
        """See Health."""

    def _none(self, why: str) -> Verdict:
        return Verdict(
            grade=Grade.FAILING,
            latency_seconds=0.0,
            ocr_seconds=0.0,
            sample_text="",
            expected_text=self._expected,
            similarity=0.0,
            confidence=0.0,
            worker="",
            taken_at=time.monotonic(),
            error=PoolUnavailable(why),
        )
