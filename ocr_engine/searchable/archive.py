"""What makes a PDF of our own one for archives: PDF/A-2b (ISO 19005-2)."""

import zlib
from functools import cache

import pikepdf
from pikepdf import Array, Dictionary, Name, Stream
from PIL import ImageCms

from ocr_engine.formats.source import Source

_DATE = slice(24, 36)
"""Of a profile's header: when it was made."""
_MADE = bytes((0x07, 0xEA, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0))
"""2026-01-01, so that a file comes out the same each time."""


def describe(document: pikepdf.Pdf, source: Source, *, archive: bool) -> None:
    """Says who made the file and when; with `archive` also that it keeps to PDF/A-2b, and what its colours mean."""
    if archive:
        profile = Stream(document, b"")
        profile.write(zlib.compress(_srgb(), 9), filter=Name.FlateDecode)
        profile.N = 3
        intent = Dictionary(
            Type=Name.OutputIntent,
            S=Name("/GTS_PDFA1"),
            OutputConditionIdentifier=b"sRGB",
            Info=b"sRGB IEC61966-2.1",
            DestOutputProfile=document.make_indirect(profile),
        )
        document.Root.OutputIntents = Array([document.make_indirect(intent)])
    moment = source.read_at.strftime("%Y-%m-%dT%H:%M:%S+00:00")
    with document.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["pdf:Producer"] = source.creator
        metadata["xmp:CreateDate"] = moment
        if archive:
            metadata["pdfaid:part"], metadata["pdfaid:conformance"] = "2", "B"


def claim_what_holds(document: pikepdf.Pdf) -> None:
    """To be called for somebody else's file that was given a layer: it says no more of PDF/A than is still true.

    Our text is none of the structure that level A asks for, so that level U is left; and of the fonts of PDF/A-1 it
    lacks the list of their glyphs (CIDSet).
    """
    if not isinstance(document.Root.get("/Metadata"), Stream):
        return
    told = document.open_metadata()
    if told.get("pdfaid:part") != "1" and told.get("pdfaid:conformance") != "A":
        return  # nothing is written anew without need
    with document.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
        if metadata.get("pdfaid:part") == "1":
            del metadata["pdfaid:part"], metadata["pdfaid:conformance"]
        elif metadata.get("pdfaid:conformance") == "A":
            metadata["pdfaid:conformance"] = "U"


@cache
def _srgb() -> bytes:
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[_DATE] = _MADE
    return bytes(profile)
