"""The one font of a document's unseen text: what the code of each character is, and what it stands for.

Characters of Latin-1 are their own codes, which a file need not list one by one; others get theirs as they appear.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream

from ocr_engine.searchable.glyphless import ASCENT, DESCENT, UNITS, WIDTHS, deflated, truetype

MAX_CODES = 0xFFFF
MAX_BLOCK = 100
"""Entries of a block of a CMap, as the format allows; readers lose text of longer ones."""
SPACE = " "
_LATIN = ((0x20, 0x7E), (0xA0, 0xFF))
"""First and last codes of characters that are their own, as UTF-16 has them."""
_OTHERS = 0x100
"""The first code that is handed out."""
_ESCAPED = {b"(": rb"\(", b")": rb"\)", b"\\": rb"\\", b"\r": rb"\r"}
"""Bytes that do not stand for themselves in a PDF's string."""
_NOT_THEMSELVES = re.compile(rb"[()\\\r]")
_COMBINING, _NARROW, _WIDE, _BLANK = 1, 2, 3, 4
"""Glyphs by the width of the character."""
_TO_UNICODE = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{latin}{blocks}endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class UnseenFont:
    """Made for a document, used for its pages, and completed at the end."""

    def __init__(self, document: pikepdf.Pdf) -> None:
        self._document = document
        self._codes: dict[str, int] = {}
        self.object = document.make_indirect(Dictionary(Type=Name.Font))
        """The font, to be named in a page's resources."""

    def encoded(self, text: str) -> bytes:
        """The text as a PDF string has it between its brackets. What no code is left for is left out."""
        codes = b"".join(code.to_bytes(2, "big") for code in map(self._code, text) if code)
        return _NOT_THEMSELVES.sub(lambda byte: _ESCAPED[byte[0]], codes)

    def width(self, text: str) -> float:
        """Of the text at size 1."""
        return sum(WIDTHS[_glyph(character)] for character in text) / UNITS

    def complete(self) -> None:
        """Writes what the codes stand for."""
        first = [_glyph(chr(code)) if _is_latin(code) else 0 for code in range(_OTHERS)]
        glyphs = [*first, *map(_glyph, self._codes)]
        name = Name("/UnseenText")
        font_file = self._stream(data := truetype())
        font_file.Length1 = len(data)
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=name,
            Flags=4,
            FontBBox=[0, DESCENT, UNITS, ASCENT],
            ItalicAngle=0,
            Ascent=ASCENT,
            Descent=DESCENT,
            CapHeight=ASCENT,
            StemV=80,
            FontFile2=font_file,
        )
        descendant = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=name,
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            FontDescriptor=self._document.make_indirect(descriptor),
            DW=WIDTHS[_NARROW],
            W=Array([*_other_widths(glyphs)]),
            CIDToGIDMap=self._stream(b"".join(glyph.to_bytes(2, "big") for glyph in glyphs)),
        )
        self.object.Subtype = Name.Type0
        self.object.BaseFont = name
        self.object.Encoding = Name("/Identity-H")
        self.object.DescendantFonts = Array([self._document.make_indirect(descendant)])
        self.object.ToUnicode = self._stream(
            _TO_UNICODE.format(latin=_latin(), blocks="".join(self._blocks())).encode()
        )

    def _code(self, character: str) -> int:
        if _is_latin(ord(character)):
            return ord(character)
        known = self._codes.get(character)
        if known is None:
            known = _OTHERS + len(self._codes) if _OTHERS + len(self._codes) < MAX_CODES else 0
            if known:
                self._codes[character] = known
        return known

    def _blocks(self) -> Iterator[str]:
        rest = iter(self._codes.items())
        while block := [*islice(rest, MAX_BLOCK)]:
            yield f"{len(block)} beginbfchar\n"
            yield "".join(f"<{code:04X}> <{_utf16(character)}>\n" for character, code in block)
            yield "endbfchar\n"

    def _stream(self, data: bytes) -> Stream:
        stream = Stream(self._document, b"")
        stream.write(deflated(data), filter=Name.FlateDecode)
        return stream


def _is_latin(code: int) -> bool:
    return any(first <= code <= last for first, last in _LATIN)


def _latin() -> str:
    ranges = "".join(f"<{first:04X}> <{last:04X}> <{first:04X}>\n" for first, last in _LATIN)
    return f"{len(_LATIN)} beginbfrange\n{ranges}endbfrange\n"


def _other_widths(glyphs: Sequence[int]) -> Iterator[int]:
    """Of the codes whose width is not the usual one: the first, the last, and the width of each run of equal ones."""
    for glyph, run in groupby(enumerate(glyphs), key=lambda each: each[1]):
        codes = [code for code, _ in run]
        if glyph not in (0, _NARROW):
            yield from (codes[0], codes[-1], WIDTHS[glyph])


def _glyph(character: str) -> int:
    if character == SPACE:
        return _BLANK
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return _COMBINING
    return _WIDE if is_wide(character) else _NARROW


def is_wide(character: str) -> bool:
    """Whether it is as wide as high, as East Asian ones are."""
    return unicodedata.east_asian_width(character) in "WF"


def _utf16(character: str) -> str:
    return character.encode("utf-16-be", errors="replace").hex().upper()
