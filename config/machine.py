"""The CPUs and memory that this process may use: affinity, cgroup quota and limit."""

import math
import os
import re
from pathlib import Path

import psutil
from msgspec import Struct

CGROUP_FOLDER = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")
_AVAILABLE = re.compile(r"^MemAvailable: +(\d+) kB$", re.MULTILINE)
WORKER_MEMORY_BYTES = 700_000_000
"""Bytes that one OCR process is given when MAX_WORKERS=auto: its measured peak of 680 MB and some air."""
SERVICE_MEMORY_BYTES = 300_000_000
"""Bytes kept back for the service's own process."""


class MachineLoad(Struct, frozen=True, kw_only=True):
    """How busy the machine is."""

    load_1m: float
    cpus: int
    """That the process may use."""
    memory_available_bytes: int


def load() -> MachineLoad:
    """At this moment."""
    return MachineLoad(load_1m=os.getloadavg()[0], cpus=usable_cpus(), memory_available_bytes=available_memory())


def usable_cpus(cgroup: Path = CGROUP_FOLDER) -> int:
    """CPUs by the affinity mask and the cgroup's quota (v2 `cpu.max`, v1 `cpu.cfs_*`), at least 1."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cpu_quota(cgroup)
    return max(1, min(cpus, math.ceil(quota)) if quota else cpus)


def usable_memory(cgroup: Path = CGROUP_FOLDER) -> int:
    """Bytes of memory: the machine's, or the cgroup's limit where that is less."""
    limits = [psutil.virtual_memory().total]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        text = _read(cgroup / name)
        if text.isdigit():
            limits.append(int(text))
    return min(limits)


def available_memory(cgroup: Path = CGROUP_FOLDER, meminfo: Path = MEMINFO) -> int:
    """Bytes that can still be had: the machine's, or what the cgroup's limit leaves (v2, caches not counted)."""
    # each upload asks; psutil reads all of the file's fifty lines, and is for systems without it
    found = _AVAILABLE.search(_read(meminfo))
    available = int(found[1]) * 1024 if found else int(psutil.virtual_memory().available)
    limit = _read(cgroup / "memory.max")
    if limit.isdigit() and (used := _read(cgroup / "memory.current")).isdigit():
        caches = dict(line.split() for line in _read(cgroup / "memory.stat").splitlines()).get("inactive_file", "0")
        available = min(available, int(limit) - int(used) + int(caches))
    return available


def default_workers(cgroup: Path = CGROUP_FOLDER) -> int:
    """One worker a usable CPU, as far as the memory reaches, at least 1."""
    by_memory = (usable_memory(cgroup) - SERVICE_MEMORY_BYTES) // WORKER_MEMORY_BYTES
    return max(1, min(usable_cpus(cgroup), by_memory))


def _cpu_quota(cgroup: Path) -> float | None:
    fields = _read(cgroup / "cpu.max").split()
    if len(fields) == 2 and fields[0].isdigit():
        return int(fields[0]) / int(fields[1])
    quota, period = _read(cgroup / "cpu/cpu.cfs_quota_us"), _read(cgroup / "cpu/cpu.cfs_period_us")
    if quota.isdigit() and period.isdigit():
        return int(quota) / int(period)
    return None


def _read(path: Path) -> str:
    try:
        with path.open("rb", buffering=0) as file:
            return file.read().decode().strip()
    except OSError:
        return ""
