"""The report that a node with workers publishes for the others: how it reads the sample, and its capacity."""

import time
from typing import Any

import msgspec

from app.health import Reading, Verdict
from app.jobs.capacity import Capacity
from ocr_engine.errors import EngineError

PUBLISH_SECONDS = 30.0
"""How often a worker node reads the sample and says how that went: at 0.3 s a run, one hundredth of a worker."""
SILENCE_SECONDS = 3 * PUBLISH_SECONDS
"""After that a worker node counts as gone."""


class Report(Reading, frozen=True, kw_only=True):
    """A verdict in words that mean the same on every machine, and the node's workers.

    Nodes of other versions read it: what is added here has a default.
    """

    age_seconds: float
    error: str = ""
    workers: int = 0
    service_seconds: float = 0.0

    @classmethod
    def of(cls, verdict: Verdict, age: float, capacity: Capacity) -> "Report":
        """What a node says that came to this verdict `age` seconds ago, and has so much capacity of its own."""
        return cls(
            **_reading(verdict),
            age_seconds=age,
            error=f"{verdict.error.code}: {verdict.error.detail}" if verdict.error else "",
            workers=capacity.own_workers,
            service_seconds=capacity.own_service_seconds,
        )

    def verdict(self, node: str, age: float) -> Verdict:
        """The verdict that `node` reported `age` seconds ago; `worker` says which node's it is."""
        return Verdict(
            **(_reading(self) | {"worker": f"{node}/{self.worker}"}),
            taken_at=time.monotonic() - age - self.age_seconds,
            error=EngineError(self.error) if self.error else None,
        )

    def encoded(self) -> str:
        """As JSON."""
        return msgspec.json.encode(self).decode()


def decoded_report(text: str) -> Report | None:
    """What a node said; None where its program, newer or older than this one, says it in another way."""
    try:
        return msgspec.json.decode(text, type=Report)
    except msgspec.DecodeError:
        return None


def _reading(either: Reading) -> dict[str, Any]:
    return {name: getattr(either, name) for name in Reading.__struct_fields__}
