"""Nothing leaves the machine, and nothing is left in the home folder."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_runtime_of_the_models_reports_to_nobody(tmp_path: Path) -> None:
    """Its telemetry, when on, keeps a device id and a database of events in the home folder from the import on."""
    # an environment of our own: what CI systems and test runs set would silence it too
    environment = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import ocr_engine.models.session"], cwd=ROOT, env=environment, check=True)

    assert list(tmp_path.rglob("*")) == []
