"""What the image leaves out of its packages (deploy/image/trim.py) is not missed."""

import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from ocr_engine.models.graphs import circumstances, multiplies_integers
from tests.unit.test_packaging import ROOT, locked

PACKAGES = Path(sysconfig.get_path("purelib"))
TRIM = runpy.run_path(str(ROOT / "deploy/image/trim.py"))

READ_AN_IMAGE = """
import runpy, sys
runpy.run_path("deploy/image/compile.py")["load_service"]()
from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions
from samples import sample
run = Engine(EngineOptions(cache_dir=sys.argv[1])).recognise(sample("health").data)
print(run.pages[0].lines[0].text)
"""


def link_or_copy(source: str, target: str) -> None:
    """A hard link where that can be had: nothing is ever written into these files."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """The packages that are locked for the image, as they are installed here."""
    foreign = {
        name
        for name, providers in metadata.packages_distributions().items()
        if not {canonicalize_name(provider) for provider in providers} & locked().keys()
    }
    target = tmp_path / "packages"
    target.mkdir()
    for entry in PACKAGES.iterdir():
        if entry.name in foreign or entry.name == "__pycache__":
            continue
        if entry.is_dir():
            shutil.copytree(entry, target / entry.name, copy_function=link_or_copy)
        else:
            link_or_copy(str(entry), str(target / entry.name))
    return target


def test_an_image_is_read_without_what_the_image_leaves_out(packages: Path, tmp_path: Path) -> None:
    freed = TRIM["trim"](packages)
    assert freed > 50_000_000
    assert not list(packages.glob("onnx/backend"))
    assert not any(map(TRIM["cut_off"], packages.rglob("*.so*"))), "of libraries all is cut off that is not loaded"
    # -S: the packages of this environment are out of reach; the graphs are made anew, with what is left of onnx
    done = subprocess.run(
        [sys.executable, "-S", "-c", READ_AN_IMAGE, str(tmp_path / "graphs")],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(packages)])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() in (ROOT / "samples/health.txt").read_text()
    graphs = [path for path in (tmp_path / "graphs").iterdir() if path.suffix != ".weights"]
    assert len(graphs) == 3 + multiplies_integers(circumstances().processor)
    assert all(path.with_name(f"{path.name}.weights").exists() for path in graphs), [*(tmp_path / "graphs").iterdir()]


def test_a_pattern_that_matches_nothing_any_more_ends_the_build(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="take it off the list"):
        TRIM["trim"](tmp_path)
