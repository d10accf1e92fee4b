"""Draws pages of known words, rows and tables for `accuracy`: `python -m benchmarks draw FOLDER`.

The same seed draws the same pages where the same fonts are installed.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.accuracy.truth import Cell
from benchmarks.drawn import prose
from benchmarks.drawn.pages import KINDS
from benchmarks.drawn.sheet import FOLDERS, Sheet


class _Entry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the manifest; docs/accuracy.md says what its keys are."""

    file: str
    set: str
    text: list[str]
    words: list[dict[str, object]] | None = None
    lang: str = "en"
    order: str = "reader"
    pairs: list[tuple[str, str]] = []  # a field of a struct
    tables: list[list[Cell]] | None = None


def main(argv: Sequence[str]) -> int:
    """Writes the pages and their manifest; 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks draw", description=__doc__)
    parser.add_argument("folder", type=Path, help="where to; it is made")
    parser.add_argument("--pages", type=int, default=6, metavar="N", help="of each kind")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="other pages of the same kinds")
    parser.add_argument("--set", action="append", choices=KINDS, help="only this kind; may be given several times")
    parser.add_argument("--prose", type=Path, metavar="TEXTS", help="instead, pages of prose in these files, `de.txt`")
    parser.add_argument("--fonts", action="append", type=Path, metavar="FOLDER", help="of pages of prose, in place of")
    arguments = parser.parse_args(argv)
    if arguments.prose:
        fonts = prose.faces(arguments.fonts or [Path(folder) for folder in FOLDERS])
        draw_prose(arguments.folder, arguments.prose, fonts, arguments.pages, arguments.seed)
        return 0
    draw(arguments.folder, arguments.set or [*KINDS], arguments.pages, arguments.seed)
    return 0


def draw(folder: Path, kinds: Sequence[str], pages: int, seed: int) -> None:
    """So many pages of each kind, beside a manifest of their truths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for kind in kinds:
        for number in range(pages):
            sheet = Sheet(f"{kind} {seed} {number}")
            KINDS[kind](sheet)
            file = f"{kind}-{number:02}.jpg"
            (folder / file).write_bytes(sheet.jpeg())
            entries.append(
                _Entry(
                    file=file,
                    set=kind,
                    text=sheet.lines,
                    words=[{"text": word.text, "box": word.shape} for word in sheet.words],
                    pairs=sheet.pairs,
                    tables=sheet.tables or None,
                )
            )
    _told(folder, entries)


def draw_prose(folder: Path, texts: Path, fonts: Sequence[Path], pages: int, seed: int) -> None:
    """So many pages of each language of `texts`, beside a manifest. Raises OSError, and LookupError without a font."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for file in sorted(texts.glob("*.txt")):
        paragraphs = file.read_text(encoding="utf-8").splitlines()
        for number in range(pages):
            page = prose.page(paragraphs, fonts, f"{file.stem} {seed} {number}")
            name = f"{file.stem}-{number:02}-{page.kind}{page.suffix}"
            (folder / name).write_bytes(page.picture)
            entries.append(_Entry(file=name, set=file.stem, text=page.lines, lang=file.stem))
    _told(folder, entries)


def _told(folder: Path, entries: Sequence[_Entry]) -> None:
    (folder / "manifest.jsonl").write_bytes(b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries))
