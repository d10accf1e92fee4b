"""What a PDF's page says itself where it can be seen: what was read there need not be said twice."""

import ctypes
import unicodedata

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ocr_engine.document.pdf.contents import INVISIBLE
from ocr_engine.document.pdf.text_layer import MAX_CHARACTERS
from ocr_engine.searchable.places import Box


class VisibleText:
    """The characters of a page that are drawn, and where."""

    def __init__(self, page: pdfium.PdfPage) -> None:
        text = page.get_textpage()
        try:
            found = [*_characters(text)]
        finally:
            text.close()
        self._letters = [letter for letter, _, _ in found]
        self._places = np.array([(x, y) for _, x, y in found]).reshape(-1, 2)

    def says(self, box: Box, text: str) -> bool:
        """Whether the characters in the box are the text, white space and forms of letters aside."""
        if not self._letters:
            return False
        left, bottom, right, top = box
        x, y = self._places.T
        inside = np.flatnonzero((left <= x) & (x <= right) & (bottom <= y) & (y <= top))
        return _plain("".join(self._letters[i] for i in inside)) == _plain(text)


def _characters(text: pdfium.PdfTextPage) -> "list[tuple[str, float, float]]":
    sides = [ctypes.c_double() for _ in range(4)]
    found = []
    for index in range(min(MAX_CHARACTERS, pdfium_c.FPDFText_CountChars(text))):
        letter = chr(pdfium_c.FPDFText_GetUnicode(text, index))
        shown = pdfium_c.FPDFText_GetTextObject(text, index)
        if letter.isspace() or not shown or pdfium_c.FPDFTextObj_GetTextRenderMode(shown) in INVISIBLE:
            continue
        pdfium_c.FPDFText_GetCharBox(text, index, *sides)
        left, right, bottom, top = (side.value for side in sides)
        found.append((letter, (left + right) / 2, (bottom + top) / 2))
    return found


def _plain(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
