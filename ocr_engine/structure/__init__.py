"""What belongs together on a page that was read: tables, lists, headings, paragraphs.

Lines come in reading order, and so do blocks. Tables are told first, by the rules around their cells, and without rules
by cells that stand below each other; `rules`, `ruled` and `aligned`. What is left is running text: `paragraphs`.
"""

from collections.abc import Sequence

from ocr_engine.crops import Pixels
from ocr_engine.result import OcrBlock, OcrLine, Rotation
from ocr_engine.structure.aligned import aligned_tables
from ocr_engine.structure.frame import Frame, Item
from ocr_engine.structure.paragraphs import paragraphs
from ocr_engine.structure.ruled import ruled_tables
from ocr_engine.structure.rules import find_grids

__all__ = ["find_blocks"]


def find_blocks(
    lines: Sequence[OcrLine], width: int, height: int, rotation: Rotation, picture: Pixels | None = None
) -> tuple[OcrBlock, ...]:
    """The blocks of a page of that size, in reading order; each confident line with text is in exactly one.

    `picture`: the page turned upright, at any size, in which rules are looked for; without it there are none.
    """
    frame = Frame(lines, width, height, rotation)
    items = frame.items(lines)
    if not items:
        return ()
    grids = find_grids(picture, frame, items) if picture is not None else []
    tables = ruled_tables(grids, items, frame)
    tables += aligned_tables(_without(items, tables), frame)
    blocks = [*tables, *paragraphs(_without(items, tables), items)]
    place = {item.index: k for k, item in enumerate(items)}
    return tuple(sorted(blocks, key=lambda block: min(place[line] for line in block.lines)))


def _without(items: Sequence[Item], blocks: Sequence[OcrBlock]) -> list[Item]:
    taken = {line for block in blocks for line in block.lines}
    return [item for item in items if item.index not in taken]
