"""A page drawn into pixels of ours, with an end to the work."""

import ctypes
import time

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ocr_engine.crops import Pixels
from ocr_engine.document.pdf.scale import Drawing
from ocr_engine.errors import InvalidDocument, PageTooCostly

MAX_DRAW_SECONDS = 30.0
"""CPU time that a page may take to be drawn; a large scan takes half a second. PDFium asks between two objects whether
to go on, so that a page of a million strokes costs this and no worker; where it does not ask, see bounds.py."""
WHITE = 0xFFFFFFFF


def rendered(page: pdfium.PdfPage, drawing: Drawing, name: str, max_seconds: float) -> Pixels:
    """The page on white, annotations and form fields on it: (height, width, 3), BGR.

    Raises PageTooCostly where it takes too long, InvalidDocument where it cannot be drawn; `name` is what an error
    calls the page.
    """
    deadline = time.process_time() + max_seconds
    pixels = np.empty((drawing.height, drawing.width, 3), np.uint8)
    bitmap = pdfium_c.FPDFBitmap_CreateEx(
        drawing.width,
        drawing.height,
        pdfium_c.FPDFBitmap_BGR,
        pixels.ctypes.data_as(ctypes.c_void_p),
        pixels.strides[0],
    )
    if not bitmap:
        raise InvalidDocument(f"{name} cannot be drawn at {drawing.width} x {drawing.height} pixels")
    asking = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(pdfium_c.IFSDK_PAUSE))
    pause = pdfium_c.IFSDK_PAUSE(version=1, NeedToPauseNow=asking(lambda _: time.process_time() > deadline), user=None)
    place = (0, 0, drawing.width, drawing.height, 0, pdfium_c.FPDF_ANNOT)
    try:
        pdfium_c.FPDFBitmap_FillRect(bitmap, 0, 0, drawing.width, drawing.height, WHITE)
        state = pdfium_c.FPDF_RenderPageBitmap_Start(bitmap, page, *place, pause)
        while state == pdfium_c.FPDF_RENDER_TOBECONTINUED and time.process_time() <= deadline:
            state = pdfium_c.FPDF_RenderPage_Continue(page, pause)
        if state == pdfium_c.FPDF_RENDER_TOBECONTINUED:
            raise PageTooCostly(f"{name} takes longer than {max_seconds:g} s to draw")
        if state != pdfium_c.FPDF_RENDER_DONE:
            raise InvalidDocument(f"{name} cannot be drawn")
        if page.formenv:
            pdfium_c.FPDF_FFLDraw(page.formenv, bitmap, page, *place)
    finally:
        pdfium_c.FPDF_RenderPage_Close(page)
        pdfium_c.FPDFBitmap_Destroy(bitmap)
    return pixels
