"""Markdown (GitHub's, for its tables): headings, paragraphs, lists and tables; a rule between pages."""

import re
from collections.abc import Iterable, Iterator

from ocr_engine.formats.shared.grid import grid_of
from ocr_engine.formats.shared.markers import MARKER
from ocr_engine.formats.shared.places import blocks_of
from ocr_engine.formats.shared.running_text import heading_level, paragraph_of
from ocr_engine.formats.source import Source
from ocr_engine.result import OcrBlock, OcrPage

_SIGNS = re.compile(r"([\\`*_\[\]<>|])")
"""Means something wherever it stands."""
_AT_BEGINNING = re.compile(r"^(\s*)(#{1,6}(?=\s)|[-+](?=\s)|=+$|-+$|~{3,}|\d{1,9}(?=[.)]\s))")
"""Means something where a line begins with it."""


def write(pages: Iterable[OcrPage], source: Source) -> Iterator[str]:
    """Page by page; low-confidence lines are left out, as of `text`."""
    begun = False
    for page in pages:
        written = "\n".join(_block(page, block) for block in _blocks(page))
        if written:
            yield ("\n---\n\n" if begun else "") + written
            begun = True


def _blocks(page: OcrPage) -> Iterator[OcrBlock]:
    """The blocks; a page whose blocks are not known has a paragraph for each row."""
    if page.blocks:
        yield from page.blocks
        return
    rows: dict[int, list[int]] = {}
    for block in blocks_of(page):
        for i in block.lines:
            rows.setdefault(page.lines[i].row or -i - 1, []).append(i)
    yield from (OcrBlock(kind="paragraph", lines=tuple(row)) for row in rows.values())


def _block(page: OcrPage, block: OcrBlock) -> str:
    match block.kind:
        case "heading":
            return f"{'#' * heading_level(block)} {_escaped(paragraph_of(page, block.lines))}\n"
        case "list":
            return "".join(_item(paragraph_of(page, item)) for item in block.items)
        case "table":
            return _table(block)
        case "paragraph":
            return f"{_escaped(paragraph_of(page, block.lines))}\n"


def _item(text: str) -> str:
    marker = MARKER.match(text)
    if marker is None:
        return f"- {_escaped(text)}\n"
    sign = f"{marker['number']}." if marker["number"] else "-"
    return f"{sign} {_escaped(text[marker.end() :])}\n"


def _table(block: OcrBlock) -> str:
    rows = [f"| {' | '.join(map(_in_cell, row))} |\n" for row in grid_of(block)]
    return "".join([rows[0], f"|{' --- |' * block.columns}\n", *rows[1:]])


def _in_cell(text: str) -> str:
    return "<br>".join(_SIGNS.sub(r"\\\1", line) for line in text.split("\n"))


def _escaped(text: str) -> str:
    return _AT_BEGINNING.sub(lambda found: f"{found[1]}{_before_last(found[2])}", _SIGNS.sub(r"\\\1", text))


def _before_last(sign: str) -> str:
    # of a number it is the dot behind it that makes a list, and a backslash before a digit would be shown
    return f"{sign}\\" if sign.isdigit() else f"\\{sign}"
