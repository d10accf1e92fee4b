"""Chaos in a cluster, in its bounded form."""

from pathlib import Path

import pytest

from tests.chaos.cluster import run_cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_whatever_dies_in_a_cluster_every_accepted_image_ends_exactly_once(tmp_path: Path) -> None:
    report = run_cluster(tmp_path, seed=1, seconds=15, lease=2.0)
    assert not report.faults, report
    assert report.struck
    assert report.audit.states["done"] > 0
