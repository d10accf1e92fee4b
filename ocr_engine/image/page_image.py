"""The picture of a page: its pixels, and what is known of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ocr_engine.result import PageWarning

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PageImage:
    """A page's pixels, and what is known of them."""

    pixels: "NDArray[np.uint8]"
    """As a viewer shows it: (height, width, 3), BGR, C-contiguous."""
    dpi: float = 0.0
    """Pixels an inch of paper; 0 where nobody knows."""
    warnings: tuple[PageWarning, ...] = ()
