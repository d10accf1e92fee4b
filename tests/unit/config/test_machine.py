"""The number of workers follows what the process may really use."""

import os
from pathlib import Path

import pytest

from config import machine


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    return tmp_path


def test_without_a_quota_the_affinity_mask_counts(cgroup: Path) -> None:
    assert machine.usable_cpus(cgroup) == 8


@pytest.mark.parametrize(
    ("quota", "cpus"), [("200000 100000", 2), ("150000 100000", 2), ("max 100000", 8), ("9900000 100000", 8)]
)
def test_a_cgroup_v2_quota_bounds_the_cpus(cgroup: Path, quota: str, cpus: int) -> None:
    (cgroup / "cpu.max").write_text(quota)
    assert machine.usable_cpus(cgroup) == cpus


def test_a_cgroup_v1_quota_bounds_the_cpus(cgroup: Path) -> None:
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu/cpu.cfs_quota_us").write_text("300000")
    (cgroup / "cpu/cpu.cfs_period_us").write_text("100000")
    assert machine.usable_cpus(cgroup) == 3


def test_a_cgroup_v1_quota_of_minus_one_is_none(cgroup: Path) -> None:
    (cgroup / "cpu").mkdir()
    (cgroup / "cpu/cpu.cfs_quota_us").write_text("-1")
    (cgroup / "cpu/cpu.cfs_period_us").write_text("100000")
    assert machine.usable_cpus(cgroup) == 8


def test_memory_bounds_the_workers(cgroup: Path) -> None:
    (cgroup / "memory.max").write_text(str(machine.SERVICE_MEMORY_BYTES + 2 * machine.WORKER_MEMORY_BYTES))
    assert machine.default_workers(cgroup) == 2


def test_there_is_always_one_worker(cgroup: Path) -> None:
    (cgroup / "memory.max").write_text("100000000")
    assert machine.default_workers(cgroup) == 1


def test_available_memory_is_the_machines_or_what_the_cgroup_leaves(cgroup: Path) -> None:
    (meminfo := cgroup / "meminfo").write_text("MemTotal:  9000 kB\nMemFree:   10 kB\nMemAvailable:    5000 kB\n")
    assert machine.available_memory(cgroup, meminfo) == 5000 * 1024
    (cgroup / "memory.max").write_text("max\n")
    assert machine.available_memory(cgroup, meminfo) == 5000 * 1024
    (cgroup / "memory.max").write_text("4000000\n")
    (cgroup / "memory.current").write_text("3000000\n")
    (cgroup / "memory.stat").write_text("anon 1\ninactive_file 200000\n")
    assert machine.available_memory(cgroup, meminfo) == 1_200_000


def test_a_system_without_meminfo_is_asked_otherwise(cgroup: Path) -> None:
    assert machine.available_memory(cgroup, cgroup / "nothing") > 0
