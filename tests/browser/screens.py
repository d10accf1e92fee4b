"""What the page looks like in each of its main states, to be compared pixel by pixel; and how those are renewed.

After a change that is meant to be seen, and looked at: `uv run python -m tests.browser.screens`.
"""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page

FOLDER = Path(__file__).parent / "screens"
RENEW = "RENEW_SCREENS"
"""Environment variable with which screens are written rather than compared."""
FONT = "* { font-family: 'DejaVu Sans' !important; }"
"""The same letters on every machine: fonts-dejavu-core is in tests/programs.txt."""
CHANGING = (".facts", ".items .hint", ".figure", ".plot", ".axis", ".tile .hint", ".tile ul")
"""What is different each time, by CSS selectors."""
BLOCK = 4
"""Pixels of a side: means of squares are compared, since edges of letters differ a little between machines."""
MAX_DIFFERENCE = 32
"""Of 255, of a square's mean that still looks alike."""
MAX_SHARE = 0.003
"""Of the squares that may look otherwise: a button that is gone has more."""
LOOKS = 60
"""Pictures that are taken before one is said to differ."""


def differing(page: Page, name: str) -> float:
    """The share of the screen's squares that are not as the picture of that name has them; what changes is masked.

    Looked at again while it differs: a browser on a busy machine may be behind with what it draws.
    """
    page.add_style_tag(content=FONT)
    page.evaluate("document.fonts.ready")
    changing = [page.locator(each) for each in CHANGING]
    path = FOLDER / f"{name}.webp"
    share = 1.0
    for _ in range(LOOKS):
        taken = page.screenshot(mask=changing, mask_color="#888", animations="disabled", caret="hide")
        if os.environ.get(RENEW):
            FOLDER.mkdir(exist_ok=True)
            Image.open(io.BytesIO(taken)).convert("RGB").save(path, quality=80, method=6)
        with Image.open(path) as known, Image.open(io.BytesIO(taken)) as seen:
            share = _share(known, seen)
        if share <= MAX_SHARE:
            break
    return share


def _share(known: Image.Image, seen: Image.Image) -> float:
    if known.size != seen.size:
        return 1.0
    return float((np.abs(_squares(known) - _squares(seen)).max(axis=2) > MAX_DIFFERENCE).mean())


def _squares(image: Image.Image) -> NDArray[np.float32]:
    pixels = np.asarray(image.convert("RGB"), np.float32)
    height, width = (side // BLOCK * BLOCK for side in pixels.shape[:2])
    blocks = pixels[:height, :width].reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, 3)
    return np.asarray(blocks.mean(axis=(1, 3)), np.float32)


if __name__ == "__main__":
    os.environ[RENEW] = "yes"
    raise SystemExit(pytest.main(["-q", str(Path(__file__).parent / "test_screens.py")]))
