"""A node among others: publishes its own report, and learns the capacity of all from theirs."""

import os
import socket
from typing import TYPE_CHECKING

from loguru import logger

from app.cluster.node_report import SILENCE_SECONDS, Report, decoded_report
from app.health import Health
from app.jobs.capacity import Capacity
from persistence.store import StoreError

if TYPE_CHECKING:  # asyncpg is an extra
    from persistence.postgres.nodes import NodeReports

REFRESH_SECONDS = 5.0
"""How often a node looks who there is."""


def default_name() -> str:
    """Of this process, like no other one that runs: host and process id."""
    return f"{socket.gethostname()}-{os.getpid()}"


class Node:
    """This node among the others."""

    def __init__(self, name: str, reports: "NodeReports", capacity: Capacity, health: Health | None) -> None:
        """`health` of its own workers; None where it has none."""
        self._name = name
        self._reports = reports
        self._capacity = capacity
        self._health = health

    async def report(self) -> None:
        """Publishes, or warns that the others do not hear of this node."""
        try:
            await self.publish()
        except StoreError as error:
            self._warn_unpublished(error)

    async def publish(self) -> None:
        """Tells the others how the sample is read here, with how many workers and how fast. Raises StoreError."""
        if self._health is None:
            return
        verdict = await self._health.verdict()
        report = Report.of(verdict, self._health.age(verdict), self._capacity)
        await self._reports.publish(self._name, report.encoded())

    async def refresh(self) -> None:
        """Learns how many workers all nodes have, and how fast these are. Raises StoreError."""
        said = await self._reports.recent(SILENCE_SECONDS)
        heard = [decoded_report(each.text) for each in said if each.node != self._name]
        self._capacity.add_others([(report.workers, report.service_seconds) for report in heard if report])

    async def leave(self) -> None:
        """The others need not wait for its silence."""
        try:
            await self._reports.forget(self._name)
        except StoreError as error:
            self._warn_unpublished(error)

    def _warn_unpublished(self, error: StoreError) -> None:
        logger.bind(event="health.unpublished").warning(f"the other nodes do not hear of this one: {error}")
