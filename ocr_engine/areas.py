"""Parts of a page: where clients say that it is to be read, or not; cut out and put together again. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import cv2
import msgspec
import numpy as np
from msgspec import Struct

from ocr_engine.crops import Pixels
from ocr_engine.document.written import WrittenLine
from ocr_engine.result import Area, Measure, OcrBlock, OcrCell, OcrLine, OcrPage, OcrWord, Polygon, Rotation

FRAME = 24
"""Pixels around what is cut out: detection wants a rim around lines, as the page has it."""
RIM = 2
"""Pixels around what is hidden whose colour it gets."""


class Box(Struct, frozen=True):
    """A part of a page, in pixels as a viewer shows it; never empty."""

    left: int
    top: int
    right: int
    bottom: int

    def holds(self, x: float, y: float) -> bool:
        """Is the point in it?"""
        return self.left <= x < self.right and self.top <= y < self.bottom


def boxes_of(areas: Iterable[Area], number: int, width: int, height: int) -> list[Box]:
    """Those of the page of this number and size, in their order, as far as they are on it."""
    boxes = []
    for area in areas:
        if area.page not in (0, number):
            continue
        left, top = _pixels(area.x, width), _pixels(area.y, height)
        right, bottom = left + _pixels(area.width, width), top + _pixels(area.height, height)
        box = Box(int(left), int(top), min(width, int(np.ceil(right))), min(height, int(np.ceil(bottom))))
        if box.left < box.right and box.top < box.bottom:
            boxes.append(box)
    return boxes


def hide(page: Pixels, boxes: Iterable[Box]) -> Pixels:
    """The page (H, W, 3), in place where that can be, with the boxes in the colour that is around each."""
    for box in boxes:
        if not page.flags.writeable:
            page = page.copy()
        part = page[box.top : box.bottom, box.left : box.right]
        above, below = page[max(0, box.top - RIM) : box.top], page[box.bottom : box.bottom + RIM]
        rows = slice(box.top, box.bottom)
        before, after = page[rows, max(0, box.left - RIM) : box.left], page[rows, box.right : box.right + RIM]
        across = slice(box.left, box.right)
        rim = [each.reshape(-1, 3) for each in (above[:, across], below[:, across], before, after)]
        around = np.concatenate(rim)
        part[:] = np.median(around, axis=0).astype(np.uint8) if len(around) else 255
    return page


def cut_out(page: Pixels, box: Box) -> Pixels:
    """The part of the page (H, W, 3) with FRAME pixels of the colour of its edge around it."""
    part = page[box.top : box.bottom, box.left : box.right]
    edge = np.concatenate([part[0], part[-1], part[:, 0], part[:, -1]])
    colour = [int(level) for level in np.median(edge, axis=0)]
    framed = cv2.copyMakeBorder(part, FRAME, FRAME, FRAME, FRAME, cv2.BORDER_CONSTANT, value=colour)
    return np.ascontiguousarray(framed, np.uint8)


def written_in(lines: Iterable[WrittenLine], box: Box) -> list[WrittenLine]:
    """What of the lines stands in the box, placed as on what `cut_out` gives of it."""
    right, down = FRAME - box.left, FRAME - box.top
    return [
        replace(
            part,
            left=part.left + right,
            right=part.right + right,
            top=part.top + down,
            bottom=part.bottom + down,
        )
        for line in lines
        for part in _runs(line, [box.holds(*place) for place in _places(line)])
    ]


def written_outside(lines: Iterable[WrittenLine], hidden: Sequence[Box]) -> list[WrittenLine]:
    """What of the lines stands in none of the boxes."""
    return [
        part
        for line in lines
        for part in _runs(line, [not any(box.holds(*place) for box in hidden) for place in _places(line)])
    ]


def turn_of(parts: Iterable[OcrPage]) -> Rotation:
    """By how many degrees most of what was read in the parts of one page has to be turned."""
    letters: Counter[Rotation] = Counter({0: 0})
    for part in parts:
        letters[part.rotation] += sum(len(line.text) for line in part.lines if not line.low_confidence)
    return max(letters, key=letters.__getitem__)


def put_together(number: int, width: int, height: int, parts: Sequence[tuple[Box, OcrPage]]) -> OcrPage:
    """The page of that size whose parts, as `cut_out` gave them, were read: one after the other, in their order."""
    lines: list[OcrLine] = []
    blocks: list[OcrBlock] = []
    for box, part in parts:
        first, rows = len(lines), max((line.row for line in lines), default=0)
        lines += [_moved_line(line, box, rows) for line in part.lines]
        blocks += [_moved_block(block, box, first) for block in part.blocks]
    read = [page for _, page in parts if page.lines] or [page for _, page in parts]
    warnings = dict.fromkeys(warning for page in read for warning in page.warnings)
    return OcrPage(
        number=number,
        width=width,
        height=height,
        rotation=read[0].rotation if read else 0,
        lines=tuple(lines),
        truncated=any(page.truncated for page in read),
        source="text-layer" if read and all(page.source == "text-layer" for page in read) else "ocr",
        warnings=tuple(warnings),
        language=next((page.language for page in read if page.language), ""),
        blocks=tuple(blocks),
    )


def _pixels(measure: Measure, extent: int) -> float:
    return float(measure[:-1]) / 100 * extent if isinstance(measure, str) else measure


def _places(line: WrittenLine) -> list[tuple[float, float]]:
    """The middle of each character."""
    width, y = line.right - line.left, (line.top + line.bottom) / 2
    return [(line.left + place * width, y) for place in line.places]


def _runs(line: WrittenLine, kept: Sequence[bool]) -> list[WrittenLine]:
    """The parts of a line whose characters are kept."""
    if all(kept):
        return [line]
    runs, first = [], 0
    for i in range(len(kept) + 1):
        if i == len(kept) or not kept[i]:
            if line.text[first:i].strip():
                runs.append(_run(line, first, i))
            first = i + 1
    return runs


def _run(line: WrittenLine, first: int, last: int) -> WrittenLine:
    """Characters `first` to `last`; its edges lie half-way to the next ones."""
    places = line.places
    begins = (places[first - 1] + places[first]) / 2 if first else 0.0
    ends = (places[last - 1] + places[last]) / 2 if last < len(places) else 1.0
    width, long = line.right - line.left, max(ends - begins, 1e-6)
    return WrittenLine(
        text=line.text[first:last],
        left=line.left + begins * width,
        top=line.top,
        right=line.left + ends * width,
        bottom=line.bottom,
        places=tuple((place - begins) / long for place in places[first:last]),
    )


def _moved(polygon: Polygon, box: Box) -> Polygon:
    """From the pixels of what was cut out to those of the page, none outside of the box."""
    a, b, c, d = (
        (
            float(min(max(x + box.left - FRAME, box.left), box.right)),
            float(min(max(y + box.top - FRAME, box.top), box.bottom)),
        )
        for x, y in polygon
    )
    return a, b, c, d


def _moved_line(line: OcrLine, box: Box, rows: int) -> OcrLine:
    words = tuple(OcrWord(word.text, word.confidence, _moved(word.polygon, box)) for word in line.words)
    row = line.row + rows if line.row else 0
    return msgspec.structs.replace(line, polygon=_moved(line.polygon, box), words=words, row=row)


def _moved_block(block: OcrBlock, box: Box, first: int) -> OcrBlock:
    return msgspec.structs.replace(
        block,
        lines=tuple(line + first for line in block.lines),
        items=tuple(tuple(line + first for line in item) for item in block.items),
        cells=tuple(_moved_cell(cell, box) for cell in block.cells),
    )


def _moved_cell(cell: OcrCell, box: Box) -> OcrCell:
    return msgspec.structs.replace(cell, polygon=_moved(cell.polygon, box))
