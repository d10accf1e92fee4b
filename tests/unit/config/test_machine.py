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
