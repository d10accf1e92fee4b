"""The house rules, so that the one test command holds them: style, types, who may import whom."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("app", "ocr_engine", "persistence", "config", "samples", "benchmarks")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
SCRIPTS = Path(sys.executable).parent
MAX_LINES = 400
MAX_MODULES = 12
"""Of a package, `__init__` aside: what can be taken in at a glance."""


@pytest.mark.timeout(600)  # without their caches, on a slow machine
@pytest.mark.parametrize(
    "command",
    [
        "ruff check",
        "ruff format --check",
        "mypy",
        "lint-imports",
    ],
)
def test_the_tool_has_nothing_to_say(command: str) -> None:
    tool, *arguments = command.split()
    done = subprocess.run([SCRIPTS / tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


def imports(module: Path) -> Iterator[str]:
    """Every name that the module imports, as `package.module` or `package.module.name`."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def users(*names: str) -> set[str]:
    """The modules that import one of the names, or something out of it."""
    return {
        module.relative_to(ROOT).as_posix()
        for module in MODULES
        for imported in imports(module)
        if any(imported == name or imported.startswith(f"{name}.") for name in names)
    }


# import-linter sees whole modules; these rules are about single names, or about files inside a room.
def test_only_the_engines_room_starts_processes() -> None:
    starters = users("multiprocessing", "concurrent.futures.ProcessPoolExecutor", "concurrent.futures.process")
    assert {user.split("/")[0] for user in starters} <= {"ocr_engine", "benchmarks"}


def test_rapidocr_gives_its_models_only() -> None:
    assert {user.split("/")[0] for user in users("rapidocr")} <= {"benchmarks"}


def test_only_config_reads_the_environment() -> None:
    readers = users("os.environ", "os.getenv") | {
        module.relative_to(ROOT).as_posix()
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv")
    }
    set_one_for_a_library = {"ocr_engine/__init__.py", "ocr_engine/scripts/tesseract.py"}
    assert {reader.split("/")[0] for reader in readers - set_one_for_a_library} <= {"config", "benchmarks"}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(ROOT).as_posix())
def test_a_module_is_small_and_says_what_it_is(module: Path) -> None:
    text = module.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    assert not text.strip() or ast.get_docstring(ast.parse(text)), "no docstring"


@pytest.mark.parametrize("package", sorted({module.parent for module in MODULES}), ids=lambda package: package.name)
def test_a_package_can_be_taken_in_at_a_glance(package: Path) -> None:
    modules = [module.stem for module in package.glob("*.py") if module.stem != "__init__"]
    assert len(modules) <= MAX_MODULES, modules


def constants(module: Path) -> Iterator[tuple[str, object]]:
    """The names of constants at the module's top, and their values; None where they are computed."""
    for node in ast.parse(module.read_text()).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) if name.lstrip("_").isupper():
                try:
                    yield name.lstrip("_"), ast.literal_eval(node.value)
                except ValueError:
                    yield name.lstrip("_"), None


def test_a_named_number_is_one_number_everywhere() -> None:
    values: dict[str, dict[str, float]] = {}
    for module in MODULES:
        for name, value in constants(module):
            if isinstance(value, int | float):
                values.setdefault(name, {})[module.relative_to(ROOT).as_posix()] = value
    assert len(values) > 300
    assert {name: found for name, found in values.items() if len(found) > 1} == {}


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.relative_to(ROOT).as_posix())
def test_a_constant_says_what_it_bounds(module: Path) -> None:
    adjectives = {"APART", "CLOSE", "ENOUGH", "FAR", "FEW", "LEVEL", "LOOSE", "MOSTLY", "NEAR", "SHORT", "SURE"}
    names = {name for name, _ in constants(module)}
    assert not {name for name in names if name in adjectives or name.startswith(("MOST_", "LEAST_"))}, "MAX_ or MIN_?"


def test_the_page_calls_limits_max_and_min_too() -> None:
    scripts = [path for path in (ROOT / "app/web").rglob("*.js") if "vendor" not in path.parts]
    assert scripts
    assert not [path.name for path in scripts if re.search(r"\b(?:MOST|LEAST)_[A-Z]", path.read_text())]
