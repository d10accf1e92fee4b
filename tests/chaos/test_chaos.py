"""Chaos in its bounded form."""

from pathlib import Path

import pytest

from tests.chaos.run import run

pytestmark = pytest.mark.e2e


def test_whatever_dies_every_accepted_image_ends_exactly_once(tmp_path: Path) -> None:
    report = run(tmp_path, seed=20261123, seconds=20)
    assert not report.faults, report
    assert report.lives > 1
    assert report.audit.states["done"] > 0
