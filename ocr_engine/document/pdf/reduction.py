"""Pictures in JPEG 2000 that would take too much memory are decoded at a half of their resolution, or less.

The format holds each picture at every halving, down to a thumbnail; PDFium asks OpenJPEG for the whole one, Pillow for
any. A scan at 600 dpi becomes one at 300, which reads as well.
"""

import ctypes
import dataclasses
import io
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, Jpeg2KImagePlugin

from ocr_engine.document.pdf.contents import JPEG_2000_COST, Contents, Picture
from ocr_engine.image.header import USUAL_COST

MAX_HALVINGS = 3
MODES = ("L", "RGB")
"""Pillow's, of samples that are what they say: not of print's colours, and without alpha. A colour space that the PDF
names over them is not looked at: PDFium tells it only after it has decoded the whole."""


def reduce_picture(page: pdfium.PdfPage, contents: Contents, max_pixels: int) -> bool:
    """Replaces the lowest picture, on the open page and in `contents`, where it is too costly and can be had smaller.

    True where it did: until the document is closed, its memory holds that picture. One above others may have a mask
    that would be lost, and hide them.
    """
    if not contents.pictures or not (halvings := _halvings(contents.pictures[0], max_pixels)):
        return False
    picture = contents.pictures[0]
    smaller = _decoded(picture, halvings, max_pixels)
    if smaller is None or not _put(page, picture.raw, smaller):
        return False
    width, height = smaller.size
    contents.pictures[0] = dataclasses.replace(picture, width=width, height=height, cost=USUAL_COST)
    return True


def _halvings(picture: Picture, max_pixels: int) -> int:
    """0 where it may be decoded as it is, or is too large for any."""
    pixels = picture.width * picture.height
    if picture.cost != JPEG_2000_COST or pixels > max_pixels:
        return 0
    allowed = max_pixels * USUAL_COST / JPEG_2000_COST
    return next((n for n in range(MAX_HALVINGS + 1) if pixels / 4**n <= allowed), 0)


def _decoded(picture: Picture, halvings: int, max_pixels: int) -> Image.Image | None:
    """In MODES; None where it is of another kind, has not as many halvings, or is broken."""
    if pdfium_c.FPDFImageObj_GetImageFilterCount(picture.raw) != 1:
        return None
    length = pdfium_c.FPDFImageObj_GetImageDataRaw(picture.raw, None, 0)
    data = ctypes.create_string_buffer(length)
    pdfium_c.FPDFImageObj_GetImageDataRaw(picture.raw, data, length)
    try:
        image = Jpeg2KImagePlugin.Jpeg2KImageFile(io.BytesIO(data))
        if image.mode not in MODES or image.width * image.height > max_pixels:
            return None
        image.reduce = halvings
        image.load()
    except (OSError, SyntaxError, ValueError):
        return None
    return image


def _put(page: pdfium.PdfPage, raw: Any, image: Image.Image) -> bool:
    bitmap = pdfium.PdfBitmap.from_pil(image)
    pages = (pdfium_c.FPDF_PAGE * 1)(page.raw)
    try:
        return bool(pdfium_c.FPDFImageObj_SetBitmap(pages, 1, raw, bitmap))
    finally:
        bitmap.close()
