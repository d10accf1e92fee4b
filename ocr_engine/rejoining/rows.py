"""What the ways to put rows together have in common."""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ocr_engine.boxes import Quads
from ocr_engine.recognition.ctc import Reading

Row = tuple[NDArray[np.float32], Reading]
"""The box (4, 2) of a row, and what was read in it."""


def with_rows(
    quads: Quads, readings: Sequence[Reading], kept: NDArray[np.bool_], rows: Sequence[Row]
) -> tuple[Quads, list[Reading]]:
    """Those of the boxes (n, 4, 2) and readings that are kept (n,), and behind them the rows."""
    if not rows:
        return quads, [*readings]
    boxes = np.concatenate((quads[kept], [box for box, _ in rows])).astype(np.float32)
    return boxes, [readings[i] for i in np.flatnonzero(kept).tolist()] + [reading for _, reading in rows]


def narrow(sign: str) -> str:
    """Letters that are far apart are taken for the wide ones of Chinese print: as they are in Latin."""
    return unicodedata.normalize("NFKC", sign) if "！" <= sign <= "～" else sign
