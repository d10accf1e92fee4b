"""Chaos in its bounded form."""

from pathlib import Path

import pytest

from tests.chaos.run import run

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


def test_whatever_dies_every_accepted_image_ends_exactly_once(tmp_path: Path) -> None:
    # a seed that kills a worker, then the service, stops it, and kills everything
    report = run(tmp_path, seed=17108, faults=4)
    assert not report.faults, report
    assert report.lives > 1
    assert report.audit.states["done"] > 0
