"""CPU time and memory of processes during a load."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress

import psutil

from benchmarks.report.measures import SERVICE, CpuSeconds, Memory

SAMPLE_SECONDS = 0.25


class Usage:
    """What the service and its workers use, from now on."""

    def __init__(self, service: int, workers: Mapping[str, int]) -> None:
        """Process ids; workers by name, looked up anew each time: a worker may be recycled meanwhile."""
        self._service = service
        self._workers = workers
        self._peaks: defaultdict[str, int] = defaultdict(int)
        self._before = self._spent()

    def cpu(self) -> CpuSeconds:
        """CPU seconds since the last call, or since the beginning."""
        now, before = self._spent(), self._before
        self._before = now
        return CpuSeconds(
            service=now.service - before.service,
            workers=now.workers - before.workers,
            client=now.client - before.client,
        )

    def memory(self) -> tuple[Memory, ...]:
        """Of every process now, and at most."""
        self._sample()
        found = []
        for name, process in self._processes():
            facts = process.memory_full_info()
            found.append(
                Memory(
                    process=name,
                    resident=facts.rss,
                    proportional=getattr(facts, "pss", facts.uss),  # PSS is Linux's
                    unique=facts.uss,
                    peak_resident=self._peaks[name],
                )
            )
        return tuple(found)

    async def watch(self) -> None:
        """Samples resident memory until cancelled."""
        while True:
            self._sample()
            await asyncio.sleep(SAMPLE_SECONDS)

    def _sample(self) -> None:
        for name, process in self._processes():
            self._peaks[name] = max(self._peaks[name], process.memory_info().rss)

    def _processes(self) -> Iterator[tuple[str, psutil.Process]]:
        yield SERVICE, psutil.Process(self._service)
        for name, pid in sorted(self._workers.items()):
            with suppress(psutil.NoSuchProcess):  # ended, its successor not yet known
                yield name, psutil.Process(pid)

    def _spent(self) -> CpuSeconds:
        seconds = {name: sum(process.cpu_times()[:2]) for name, process in self._processes()}
        service = seconds.pop(SERVICE)
        ours = os.times()
        return CpuSeconds(service=service, workers=sum(seconds.values()), client=ours.user + ours.system)


@asynccontextmanager
async def watched(service: int, workers: Mapping[str, int]) -> AsyncIterator[Usage]:
    """The usage of these processes, memory sampled meanwhile."""
    usage = Usage(service, workers)
    watch = asyncio.create_task(usage.watch(), name="memory")
    try:
        yield usage
    finally:
        watch.cancel()


def resident(pid: int) -> int:
    """Bytes of a process and all its descendants."""
    root = psutil.Process(pid)
    return sum(process.memory_info().rss for process in (root, *root.children(recursive=True)))
