"""What is installed, locked and shipped is what pyproject.toml says."""

import gzip
import hashlib
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()
VENDORED = ROOT / "app/web/vendor"


def locked() -> dict[str, list[Version]]:
    """Name -> the versions pinned in the lock; several where they differ by Python version."""
    versions: dict[str, list[Version]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", LOCK, re.MULTILINE):
        versions.setdefault(canonicalize_name(name), []).append(Version(version))
    return versions


@pytest.mark.parametrize("line", PYPROJECT["project"]["dependencies"])
def test_every_dependency_is_locked_to_a_version_that_it_allows(line: str) -> None:
    requirement = Requirement(line)
    versions = locked().get(canonicalize_name(requirement.name), [])
    assert versions, f"{requirement.name} is not in requirements.lock; CONTRIBUTING.md says how to renew it"
    assert all(version in requirement.specifier for version in versions)


@pytest.mark.parametrize("lock", [LOCK, (ROOT / "deploy/image/sbom.lock").read_text()], ids=["service", "sbom"])
def test_everything_in_a_lock_has_a_hash(lock: str) -> None:
    for entry in re.split(r"\n(?=\S)", lock.strip()):
        assert entry.startswith("#") or "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("sign", ["://", "file:", "--index-url", "--find-links", " @ "])
def test_the_lock_holds_no_address(sign: str) -> None:
    assert sign not in LOCK


def test_the_service_imports_only_what_is_locked_for_it() -> None:
    """And so nothing that only tests, benchmarks or the command lines of others need: here, as if that were missing."""
    foreign = [
        name
        for name, providers in metadata.packages_distributions().items()
        if not {canonicalize_name(provider) for provider in providers} & locked().keys()
    ]
    assert {"pytest", "mypy", "schemathesis"} <= set(foreign)
    foreign.append("tesserocr")  # in the image only where it is built for more languages
    script = f"""
import importlib, pkgutil, sys
sys.modules |= dict.fromkeys({foreign})  # None: cannot be found
for room in ("app", "ocr_engine", "persistence", "config", "samples"):
    for module in pkgutil.walk_packages(importlib.import_module(room).__path__, room + "."):
        importlib.import_module(module.name)
from app.main import create_app
from config.settings import Settings
create_app(Settings()).openapi_schema.to_schema()
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_service_itself_loads_nothing_that_only_its_workers_need() -> None:
    """Numpy alone is a fifth of a second of every start, and 20 MB."""
    script = """
import sys
from app.http.serving.server import serve
from app.main import create_app
from config.settings import Settings
from persistence.sqlite.store import SqliteStore
create_app(Settings())
print(*sorted({"numpy", "cv2", "onnxruntime", "PIL", "pypdfium2", "pikepdf", "asyncpg"} & sys.modules.keys()))
import numpy
print(numpy.__name__)
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", "numpy"]


@pytest.mark.parametrize(
    "name", ["faker", "openvino", "pip", "polyfactory", "pyclipper", "pygments", "rich", "shapely", "tqdm", "uvloop"]
)
def test_what_the_service_never_imports_is_not_locked_for_it(name: str) -> None:
    assert name not in locked()


def test_a_python_without_the_dependencies_is_told_how_to_get_them() -> None:
    # -S: without the folder that packages are installed in
    bare = subprocess.run(
        [sys.executable, "-S", "-m", "app", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert bare.returncode == 3
    assert "msgspec is not installed" in bare.stderr
    assert "`uv run --no-dev python -m app`" in bare.stderr
    assert len(bare.stderr.splitlines()) == 1


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))])
def test_commands_in_the_docs_run_as_they_are_written(page: Path) -> None:
    """That is: through uv, which brings the packages along, wherever Python is asked for a module of ours."""
    code = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", page.read_text(), re.DOTALL)
    commands = [line for block in code for text in block for line in text.splitlines()]
    ours = [line for line in commands if re.search(r"python -m (app|benchmarks|tests)\b", line)]
    assert [line for line in ours if not re.search("uv run |docker compose ", line)] == []


def test_the_one_command_that_runs_the_service_brings_no_tools() -> None:
    (command,) = re.findall(
        r"^pip install uv && uv run (?!pytest)(.*)$", (ROOT / "README.md").read_text(), re.MULTILINE
    )
    assert command == "--no-dev python -m app"


def test_the_only_opencv_is_the_headless_one() -> None:
    installed = {canonicalize_name(distribution.name) for distribution in metadata.distributions()}
    for names in (installed, set(locked())):
        assert {name for name in names if name.startswith("opencv")} == {"opencv-python-headless"}


@pytest.mark.parametrize("folder", sorted(VENDORED.iterdir()), ids=lambda folder: folder.name)
def test_what_others_wrote_is_as_they_published_it_and_comes_with_its_licence(folder: Path) -> None:
    hashes = dict(re.findall(r"^([0-9a-f]{64})  (\S+)$", (folder / "VERSION").read_text(), re.MULTILINE))
    files = {path.name.removesuffix(".gz"): path for path in folder.iterdir() if path.suffix in (".js", ".css", ".gz")}
    assert set(hashes.values()) == set(files)
    for digest, name in hashes.items():
        file = files[name].read_bytes()
        published = gzip.decompress(file) if files[name].suffix == ".gz" else file
        assert hashlib.sha256(published).hexdigest() == digest
    assert list(folder.glob("LICENSE*"))


@pytest.mark.parametrize("room", ["app", "ocr_engine", "persistence", "config", "samples"])
def test_every_room_that_the_service_needs_goes_into_the_image(room: str) -> None:
    assert f"COPY {room} {room}\n" in (ROOT / "Dockerfile").read_text()
    assert f"!{room}\n" in (ROOT / ".dockerignore").read_text()


def test_the_image_lists_what_is_in_it_with_the_tool_that_is_locked_for_that() -> None:
    (wanted,) = map(Requirement, PYPROJECT["dependency-groups"]["image"])
    pinned = re.search(rf"^{wanted.name}==(\S+)", (ROOT / "deploy/image/sbom.lock").read_text(), re.MULTILINE)
    assert pinned is not None
    assert Version(pinned[1]) in wanted.specifier
    assert "!deploy/image\n" in (ROOT / ".dockerignore").read_text()


def test_the_container_is_given_more_time_to_stop_than_the_service_takes_to_drain() -> None:
    from config.settings import Settings

    grace = re.search(r"stop_grace_period: (\d+)s", (ROOT / "compose.yaml").read_text())
    assert grace is not None
    assert int(grace[1]) >= Settings().drain_seconds + 10


def test_ci_runs_the_command_of_the_readme() -> None:
    script = ROOT / ".ci/run"
    command = "pip install uv && tests/install-programs && uv run pytest -n 2 --dist loadfile"
    assert script.stat().st_mode & 0o111, ".ci/run has no run bit"
    assert f"\n{command}" in script.read_text()
    assert f"\n{command}\n" in (ROOT / "README.md").read_text()
    assert "run: .ci/run\n" in (ROOT / ".github/workflows/ci.yml").read_text()
