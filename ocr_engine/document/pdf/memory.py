"""A bound on what PDFium may take for one page."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PAGE_MEMORY = 1_000_000_000
"""Bytes that the process may map beyond what it has while PDFium is at a page; the largest picture that is allowed
takes half of it. PDFium cannot report that there is no more: a gigabyte of drawing in a file of kilobytes ends the
process, and the page with `worker_crashed`, rather than the machine's memory."""


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
