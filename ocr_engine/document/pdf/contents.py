"""What stands on a PDF's page, without drawing it: pictures, letters, lines; enough to say how finely to draw it."""

import ctypes
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ocr_engine.image.header import USUAL_COST

MAX_OBJECTS = 20_000
"""Objects of a page that are looked at: some 100 ms. Of what stands behind them nothing is known."""
MAX_DEPTH = 6
"""Forms inside each other that are looked into."""
JPEG_2000_COST = 20.0
"""Bytes a pixel: OpenJPEG keeps 32 bits of each sample, beside the picture and the page."""
INVISIBLE = (3, 7)
"""Text rendering modes that draw nothing (ISO 32000-1, table 106): the text of an earlier OCR."""
LETTER_WIDTH = 0.5
"""Of a letter, by its size: what an object of text is wide is so many letters."""

Matrix = tuple[float, float, float, float, float, float]
UNIT: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True)
class Picture:
    """An image and where it stands, in the page's own coordinates, before the page's rotation."""

    width: int
    """Pixels of the file."""
    height: int
    matrix: Matrix
    """From the unit square to points."""
    cost: float
    """Bytes of memory that decoding takes for a pixel, as of an image file's Header."""
    raw: Any
    """PDFium's object, valid as long as the page."""

    def pixels_a_point(self) -> tuple[float, float]:
        """Along the page's x and y axes."""
        a, b, c, d, _, _ = self.matrix
        along, across = self.width / max(math.hypot(a, b), 1e-6), self.height / max(math.hypot(c, d), 1e-6)
        return (along, across) if abs(a) >= abs(b) else (across, along)

    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in points."""
        a, b, c, d, e, f = self.matrix
        xs, ys = (e, e + a, e + c, e + a + c), (f, f + b, f + d, f + b + d)
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(slots=True)
class Contents:
    """What was found."""

    pictures: list[Picture] = field(default_factory=list)
    letters: list[tuple[float, float]] = field(default_factory=list)
    """Size in points of letters that can be seen, and about how many there are, for each object of text."""
    hidden: int = 0
    """Objects of text that cannot be seen."""
    drawn: int = 0
    """Lines, areas and shadings, and annotations other than links."""
    is_whole: bool = True
    """False: there is more than was looked at."""


def contents_of(page: pdfium.PdfPage) -> Contents:
    """What stands on the page."""
    found = Contents()
    for seen, (raw, matrix) in enumerate(_objects(page, found)):
        if seen == MAX_OBJECTS:
            found.is_whole = False
            break
        match pdfium_c.FPDFPageObj_GetType(raw):
            case pdfium_c.FPDF_PAGEOBJ_IMAGE:
                width, height = ctypes.c_uint(), ctypes.c_uint()
                if pdfium_c.FPDFImageObj_GetImagePixelSize(raw, width, height):
                    found.pictures.append(Picture(width.value, height.value, matrix, _cost(raw), raw))
            case pdfium_c.FPDF_PAGEOBJ_TEXT:
                if pdfium_c.FPDFTextObj_GetTextRenderMode(raw) in INVISIBLE:
                    found.hidden += 1
                else:
                    found.letters.append(_letters(raw, matrix))
            case pdfium_c.FPDF_PAGEOBJ_FORM:
                pass
            case _:
                found.drawn += 1
    for number in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), MAX_OBJECTS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page, number)
        if annotation:
            found.drawn += pdfium_c.FPDFAnnot_GetSubtype(annotation) != pdfium_c.FPDF_ANNOT_LINK
            pdfium_c.FPDFPage_CloseAnnot(annotation)
    return found


def _objects(page: pdfium.PdfPage, found: Contents) -> Iterator[tuple[Any, Matrix]]:
    """Each object with its matrix to the page, those inside forms behind the form."""
    count = pdfium_c.FPDFPage_CountObjects(page)
    waiting = [(pdfium_c.FPDFPage_GetObject, page, count, UNIT, 0)]
    while waiting:
        get, container, count, outer, depth = waiting.pop()
        for number in range(count):
            raw = get(container, number)
            if not raw:
                continue
            matrix = _times(_matrix(raw), outer)
            yield raw, matrix
            if pdfium_c.FPDFPageObj_GetType(raw) != pdfium_c.FPDF_PAGEOBJ_FORM:
                continue
            if depth == MAX_DEPTH:
                found.is_whole = False
                continue
            inside = pdfium_c.FPDFFormObj_CountObjects(raw)
            waiting.append((pdfium_c.FPDFFormObj_GetObject, raw, inside, matrix, depth + 1))


def _cost(raw: Any) -> float:
    last = max(0, pdfium_c.FPDFImageObj_GetImageFilterCount(raw) - 1)
    name = ctypes.create_string_buffer(20)
    length = pdfium_c.FPDFImageObj_GetImageFilter(raw, last, name, len(name))
    return JPEG_2000_COST if length <= len(name) and name.value == b"JPXDecode" else USUAL_COST


def _matrix(raw: Any) -> Matrix:
    got = pdfium_c.FS_MATRIX()
    if not pdfium_c.FPDFPageObj_GetMatrix(raw, got):
        return UNIT
    return got.a, got.b, got.c, got.d, got.e, got.f


def _times(inner: Matrix, outer: Matrix) -> Matrix:
    """First the one, then the other."""
    a, b, c, d, e, f = inner
    k, m, n, o, p, q = outer
    return a * k + b * n, a * m + b * o, c * k + d * n, c * m + d * o, e * k + f * n + p, e * m + f * o + q


def _letters(raw: Any, matrix: Matrix) -> tuple[float, float]:
    size = ctypes.c_float()
    pdfium_c.FPDFTextObj_GetFontSize(raw, size)
    points = size.value * math.hypot(matrix[2], matrix[3])
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    pdfium_c.FPDFPageObj_GetBounds(raw, left, bottom, right, top)
    extent = max(right.value - left.value, top.value - bottom.value)
    return points, max(1.0, extent / max(LETTER_WIDTH * abs(points), 1e-3))
