"""Tests use the seams that the code offers: what they need to change is handed in, what they look at is public."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("app", "ocr_engine", "persistence", "config", "samples", "benchmarks")
MODULES = sorted((ROOT / "tests").rglob("*.py"))
OF_NAMED_TUPLES = {"_asdict", "_fields", "_make", "_replace"}


def is_private(name: object) -> bool:
    return isinstance(name, str) and name.startswith("_") and not name.startswith("__") and name not in OF_NAMED_TUPLES


def reaches(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and kind of whatever reads, imports or replaces what its owner keeps to itself."""
    ours = {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in ROOMS
        for alias in node.names
    }
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                pass
            case ast.Attribute(attr=name) if is_private(name):
                yield node.lineno, f"a private attribute, {name}"
            case ast.ImportFrom(names=names) if any(is_private(alias.name) for alias in names):
                yield node.lineno, "a private import"
            case ast.keyword(arg="raising"):
                yield node.lineno, "raising=False would pass when the name is gone"
            case ast.Call(func=ast.Attribute(attr="setattr" | "delattr"), args=[ast.Constant(), *_]):
                yield node.lineno, "patched by a dotted string, which no tool follows"
            case (
                ast.Call(func=ast.Attribute(attr="setattr"), args=[owner, ast.Constant(value=name), *_])
                | ast.Call(func=ast.Name(id="setattr" | "getattr"), args=[owner, ast.Constant(value=name), *_])
            ) if is_private(name) or (str(name).isupper() and isinstance(owner, ast.Name) and owner.id in ours):
                yield node.lineno, f"patched, {name!r}: hand it in"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_test_touches_nothing_that_is_private(path: Path) -> None:
    assert not list(reaches(ast.parse(path.read_text())))


@pytest.mark.parametrize(
    "line",
    [
        "store._writer.run(work)",
        "from app.service import _queue",
        "monkeypatch.setattr('app.jobs.dispatcher.PAUSE', 0)",
        "monkeypatch.setattr(pixels, '_with_opencv', None)",
        "from config import outlet\nmonkeypatch.setattr(outlet, 'LAST_LINES_SECONDS', 0)",
        "monkeypatch.delenv('PORT', raising=False)",
        "getattr(pool, '_slots')",
    ],
)
def test_what_does_is_found(line: str) -> None:
    assert list(reaches(ast.parse(line)))


@pytest.mark.parametrize(
    "line",
    ["self._made = 1", "usage._replace(free=0)", "monkeypatch.setattr(shutil, 'disk_usage', full)", "store.__class__"],
)
def test_what_does_not_is_left_alone(line: str) -> None:
    assert not list(reaches(ast.parse(line)))
