"""The AI health of a node without workers: the newest verdict that a worker node has published."""

import time
from typing import TYPE_CHECKING

from app.cluster.node_report import SILENCE_SECONDS, decoded_report
from app.health import Grade, Verdict
from ocr_engine.errors import PoolUnavailable
from persistence.store import StoreError

if TYPE_CHECKING:  # asyncpg is an extra
    from persistence.postgres.nodes import NodeReports


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
        for latest in recent:
            if (report := decoded_report(latest.text)) is not None:
                return report.verdict(latest.node, latest.age)
        return self._none("no worker node has been heard of lately")

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
