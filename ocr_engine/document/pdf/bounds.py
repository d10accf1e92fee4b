"""Bounds on what PDFium may take for one page: memory and CPU time."""

import math
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OVERDRAWN_SECONDS = 5.0
"""CPU time beyond what a page may take to be drawn, after which the process is ended: PDFium asks whether to go on
between the objects of a page, but not between those of a form on it. A million strokes there took 222 s."""
PAGE_MEMORY = 700_000_000
"""Bytes that the process may map beyond what it has while PDFium is at a page; the pages that take most, with
pictures as large as is allowed, take less than 600 MB (`python -m benchmarks peaks`). PDFium cannot report that there
is no more: drawing that takes as much, in a file of kilobytes, ends the process, and the page with `worker_crashed`,
rather than the machine's memory."""


@contextmanager
def bounded_memory(most: int = PAGE_MEMORY) -> Iterator[None]:
    """Meanwhile this process can map so many bytes more, and no more than it could before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limits = [limit for limit in (soft, mapped + most) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@contextmanager
def bounded_time(seconds: float) -> Iterator[None]:
    """Meanwhile the kernel ends this process, with SIGXCPU, once it has used so much CPU time and OVERDRAWN_SECONDS."""
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    last = math.ceil(time.process_time() + seconds + OVERDRAWN_SECONDS)
    limits = [limit for limit in (soft, hard, last) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_CPU, (min(limits), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
