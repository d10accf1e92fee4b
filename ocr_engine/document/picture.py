"""A page as a picture for people, to lay what was read over it."""

import cv2

from ocr_engine.crops import resize
from ocr_engine.document.document import Document
from ocr_engine.errors import EngineError

QUALITY = 80
"""Of the JPEG: print stays sharp, an A4 page of 1200 pixels takes some 200 kB."""


def picture_of(document: Document, number: int, width: int) -> bytes:
    """A JPEG of the page, from 1, at most `width` pixels wide, never enlarged. Raises OcrError."""
    pixels = document.draw(number).pixels
    share = width / pixels.shape[1]
    if share < 1:
        pixels = resize(pixels, max(1, width), max(1, round(pixels.shape[0] * share)))
    done, encoded = cv2.imencode(".jpg", pixels, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    if not done:
        raise EngineError("the page cannot be made a JPEG")
    return encoded.tobytes()
