"""Check boxes as lines of their own, among those of the page."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, part
from ocr_engine.check_boxes.box import CheckBox
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.script import Support

EMPTY, CHECKED = "☐", "☑"
REACH = 0.35
"""How far a line may stand out of a box, by the box's width, that holds nothing but its mark."""
ALIKE = frozenset("xX×✓✔√vVyYýZ口囗□■◻◼☐☑☒区図回冈図国日田因网囚0OoDQIl1|[]")
"""What the recogniser takes boxes for, with marks and without."""
SURE_LETTER = 0.7
"""Certainty of another sign from which it is one, and no box."""


def told(
    boxes: Sequence[CheckBox], quads: Quads, readings: Sequence[Reading], supports: Sequence[Support]
) -> tuple[Quads, list[Reading], tuple[Support, ...]]:
    """The boxes and readings of a page's lines with those of its check boxes, and without what was read in these."""
    low, high = quads.min(axis=1), quads.max(axis=1)
    parts = [[line] for line in zip(quads, readings, strict=True)]
    kept: list[CheckBox] = []
    for box in boxes:
        beside = np.flatnonzero(_are_touched(box, low, high)).tolist()
        if any(_is_letter(box, quads[i], readings[i]) for i in beside):
            continue
        kept.append(box)
        for i in beside:
            parts[i] = [left_ for quad, reading in parts[i] for left_ in _without(box, quad, reading)]
    lines = [(*part_, support) for of_line, support in zip(parts, supports, strict=True) for part_ in of_line]
    signs = [Reading(CHECKED if box.checked else EMPTY, box.confidence, (0.5,), (box.confidence,)) for box in kept]
    read: list[Support] = ["read"] * len(signs)
    corners = [quad for quad, _, _ in lines] + [box.quad for box in kept]
    return (
        np.array(corners, np.float32).reshape(-1, 4, 2),
        [reading for _, reading, _ in lines] + signs,
        (*(support for _, _, support in lines), *read),
    )


def _are_touched(box: CheckBox, low: NDArray[np.float32], high: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which (n,) of the lines between these corners (n, 2) run over the box."""
    middle = (box.top + box.bottom) / 2
    level = (low[:, 1] < middle) & (middle < high[:, 1])
    return np.asarray(level & (low[:, 0] < box.right) & (high[:, 0] > box.left))


def _span(box: CheckBox, quad: NDArray[np.float32]) -> tuple[float, float] | None:
    """From where to where along a line the box stands, 0 at its left to 1 at its right; None where it does not."""
    low, high = quad.min(axis=0), quad.max(axis=0)
    if not _are_touched(box, low[None], high[None]).all():
        return None
    left, width = float(low[0]), max(float(high[0] - low[0]), 1.0)
    return (box.left - left) / width, (box.right - left) / width


def _without(box: CheckBox, quad: NDArray[np.float32], reading: Reading) -> list[tuple[NDArray[np.float32], Reading]]:
    """A line without what was read in a check box: what stands before it, and behind."""
    span = _span(box, quad)
    if span is None:
        return [(quad, reading)]
    begins, ends = span
    if begins <= REACH * (ends - begins) and ends >= 1 - REACH * (ends - begins):
        return []
    if reading.corner or len(reading.places) != len(reading.text):
        return [(quad, reading)]
    before = sum(place < begins for place in reading.places)
    behind = sum(place <= ends for place in reading.places)
    parts = (
        _part(quad, reading, 0, before, 0.0, max(0.0, begins)),
        _part(quad, reading, behind, len(reading.text), min(1.0, ends), 1.0),
    )
    return [part_ for part_ in parts if part_ is not None]


def _is_letter(box: CheckBox, quad: NDArray[np.float32], reading: Reading) -> bool:
    """Whether a letter was surely read in its place, or one that has another beside it."""
    span = _span(box, quad)
    if reading.corner or span is None:
        return False
    begins, ends = span
    letters = [i for i, place in enumerate(reading.places) if begins <= place <= ends and reading.text[i].strip()]
    return any(
        (reading.text[i] not in ALIKE and reading.certainty[i] >= SURE_LETTER)
        or any(reading.text[beside].isalnum() for beside in _beside(i, len(reading.text)))
        for i in letters
    )


def _beside(place: int, length: int) -> list[int]:
    return [each for each in (place - 1, place + 1) if 0 <= each < length]


def _part(
    quad: NDArray[np.float32], reading: Reading, first: int, last: int, begins: float, ends: float
) -> tuple[NDArray[np.float32], Reading] | None:
    text = reading.text[first:last]
    first, last = first + len(text) - len(text.lstrip()), last - (len(text) - len(text.rstrip()))
    if first >= last or ends <= begins:
        return None
    places = tuple(min(1.0, max(0.0, (place - begins) / (ends - begins))) for place in reading.places[first:last])
    return part(quad, begins, ends), msgspec.structs.replace(
        reading, text=reading.text[first:last], places=places, certainty=reading.certainty[first:last], doubts=()
    )
