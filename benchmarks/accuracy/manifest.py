"""Which images to read, and what stands in them."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from benchmarks.accuracy.polygons import shape
from benchmarks.accuracy.truth import Cell, Line, Order, Truth

IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp")
QUICK_IMAGES = 3
"""Images of each set that a quick look takes."""
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?")


class Case(Struct, frozen=True, kw_only=True):
    """An image and its truth."""

    file: str
    """Path beside the manifest."""
    set: str
    path: Path
    truth: Truth
    language: str = ""
    """BCP 47; empty where nobody says."""


class _Entry(Struct, frozen=True, kw_only=True):
    """A line of a manifest, as it is written."""

    file: str
    set: str
    text: list[str]
    boxes: list[Any] | None = None
    words: list[dict[str, Any]] | None = None
    ignore: list[Any] = msgspec.field(default_factory=list)
    complete: bool = True
    lang: str = ""
    order: Order = "unknown"
    pairs: list[tuple[str, str]] = msgspec.field(default_factory=list)
    tables: list[list[Cell]] | None = None


def load_all(sources: Sequence[Path]) -> list[Case]:
    """The cases of several sources; where there are several, the name of its own stands before each set.

    Raises as `load`.
    """
    found = [(source, load(source)) for source in _manifests(sources)]
    if len(found) == 1:
        return found[0][1]
    return [
        msgspec.structs.replace(case, set=f"{_name(source)}/{case.set}") for source, cases in found for case in cases
    ]


def load(source: Path) -> list[Case]:
    """The cases of a JSON-lines manifest, or of a folder of images with NAME.txt beside each.

    Raises OSError when it cannot be read, ValueError when it makes no sense.
    """
    cases = _folder(source) if source.is_dir() else _manifest(source)
    if not cases:
        raise ValueError(f"{source} holds no images with their text")
    return cases


def by_rows(case: Case) -> Case:
    """The case, its truth known to be ordered by rows."""
    return msgspec.structs.replace(case, truth=msgspec.structs.replace(case.truth, order="rows"))


def quick(cases: Sequence[Case]) -> list[Case]:
    """The first few of each set: always the same ones."""
    taken: Counter[str] = Counter()
    chosen = []
    for case in cases:
        taken[case.set] += 1
        if taken[case.set] <= QUICK_IMAGES:
            chosen.append(case)
    return chosen


def digest(cases: Sequence[Case]) -> str:
    """SHA-256 over the images' bytes and truths: equal digests, equal task."""
    total = hashlib.sha256()
    for case in cases:
        total.update(hashlib.sha256(case.path.read_bytes()).digest())
        total.update(msgspec.json.encode(case.truth))
    return total.hexdigest()


def _manifest(source: Path) -> list[Case]:
    decoder = msgspec.json.Decoder(_Entry)
    entries = [decoder.decode(line) for line in source.read_text("utf-8").splitlines() if line.strip()]
    return [
        Case(
            file=entry.file,
            set=entry.set,
            path=source.parent / entry.file,
            truth=_truth(entry),
            language=entry.lang or (entry.set if _LANGUAGE.fullmatch(entry.set) else ""),
        )
        for entry in entries
    ]


def _manifests(sources: Sequence[Path]) -> list[Path]:
    """The sources, a folder of manifests for all of these."""
    return [each for source in sources for each in sorted(source.glob("*.jsonl")) or [source]]


def _name(source: Path) -> str:
    return source.resolve().parent.name if source.stem == "manifest" else source.stem


def _truth(entry: _Entry) -> Truth:
    if entry.words:
        boxed = [Line(word["text"], shape(word["box"])) for word in entry.words]
    else:
        boxed = [Line(text, shape(box)) for text, box in zip(entry.text, entry.boxes or [], strict=False)]
    return Truth(
        lines=tuple(entry.text),
        boxed=tuple(boxed),
        by_word=bool(entry.words),
        ignore=tuple(shape(place) for place in entry.ignore),
        complete=entry.complete,
        order=entry.order,
        pairs=tuple(entry.pairs),
        tables=None if entry.tables is None else tuple(map(tuple, entry.tables)),
    )


def _folder(source: Path) -> list[Case]:
    return [
        Case(
            file=path.name,
            set=source.resolve().name,
            path=path,
            truth=Truth(lines=tuple(path.with_suffix(".txt").read_text("utf-8").splitlines()), order="reader"),
        )
        for path in sorted(source.iterdir())
        if path.suffix.lower() in IMAGES and path.with_suffix(".txt").exists()
    ]
