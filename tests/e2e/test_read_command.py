"""`python -m app read` as its users start it: real processes, real OCR."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from samples import sample
from tests.e2e.conftest import ROOT

pytestmark = pytest.mark.e2e


def test_samples_are_read_without_a_service_and_nothing_is_stored(tmp_path: Path) -> None:
    names = ("health", "tiny")
    for name in names:
        (tmp_path / f"{name}.png").write_bytes(sample(name).data)
    command = [sys.executable, "-m", "app", "read", "--jobs", "1", *(f"{tmp_path}/{name}.png" for name in names)]
    database = tmp_path / "none.db"
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{database}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode() == "\f".join(f"{sample(name).text}\n" for name in names)
    assert not database.exists()
