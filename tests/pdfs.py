"""PDFs for tests, drawn by pikepdf: scans, print, and what harms."""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pikepdf
from numpy.typing import NDArray
from pikepdf import Array, Dictionary, Name, Stream

LETTER = (612.0, 792.0)
A4 = (595.2, 841.92)


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A page: what it draws, and what with."""

    content: bytes = b""
    size: tuple[float, float] = LETTER
    pictures: dict[str, "Picture"] = field(default_factory=dict)
    rotate: int = 0
    crop: tuple[float, float, float, float] | None = None
    more: dict[str, object] = field(default_factory=dict)
    """Further entries of the page."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image: `data` as `filter` says, or raw samples."""

    data: bytes
    width: int
    height: int
    filter: str = ""
    bits: int = 8
    space: str = "/DeviceRGB"


def pdf(*leaves: Leaf, form: Sequence[Dictionary] = (), **options: Any) -> bytes:
    """A sound PDF of those pages; `options` as pikepdf's `save` has them; `form`: fields on the first page."""
    with pikepdf.new() as document:
        font = document.make_indirect(
            Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica, Encoding=Name.WinAnsiEncoding)
        )
        for leaf in leaves:
            pictures = {f"/{name}": _image(document, picture) for name, picture in leaf.pictures.items()}
            page = Dictionary(
                Type=Name.Page,
                MediaBox=Array([0, 0, *leaf.size]),
                Rotate=leaf.rotate,
                Resources=Dictionary(Font=Dictionary(F=font), XObject=Dictionary(pictures)),
                Contents=Stream(document, leaf.content),
            )
            if leaf.crop is not None:
                page.CropBox = Array(leaf.crop)
            for name, value in leaf.more.items():
                page[f"/{name}"] = value
            document.pages.append(pikepdf.Page(page))
        if form:
            fields = Array([document.make_indirect(each) for each in form])
            document.pages[0].Annots = fields
            document.Root.AcroForm = Dictionary(
                Fields=fields, DR=Dictionary(Font=Dictionary(F=font)), DA=b"/F 12 Tf 0 g", NeedAppearances=True
            )
        file = io.BytesIO()
        document.save(file, **options)
        return file.getvalue()


def bomb(megabytes: int) -> bytes:
    """A page whose drawing unfolds to so many megabytes, out of kilobytes, behind two filters."""
    packer = zlib.compressobj(9)
    folded = b"".join(packer.compress(b"0 0 m 9 9 l S\n" * 71_429) for _ in range(megabytes)) + packer.flush()
    with pikepdf.open(io.BytesIO(pdf(Leaf()))) as document:
        drawing = document.make_stream(b"")
        drawing.write(zlib.compress(folded, 9), filter=Array([Name.FlateDecode, Name.FlateDecode]))
        document.pages[0].Contents = drawing
        file = io.BytesIO()
        document.save(file, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.none)
        return file.getvalue()


def scan(pixels: NDArray[np.uint8], size: tuple[float, float] = LETTER, **options: Any) -> Leaf:
    """A page that is one picture (H, W, 3) RGB."""
    height, width = pixels.shape[:2]
    picture = Picture(data=pixels.tobytes(), width=width, height=height)
    content = b"q %f 0 0 %f 0 0 cm /P Do Q" % size
    return Leaf(content=content, size=size, pictures={"P": picture}, **options)


def typed(*lines: str, points: float = 12, **options: Any) -> Leaf:
    """A page of Helvetica."""
    return Leaf(content=text(*lines, points=points), **options)


def text(*lines: str, points: float = 12, mode: int = 0, top: float = 700, left: float = 72) -> bytes:
    """Lines of Helvetica from `top` down; `mode` 3 is invisible."""
    shown = b" T* ".join(b"(%s) Tj" % line.encode("cp1252") for line in lines)
    return b"\nBT /F %f Tf %d Tr %f TL %f %f Td %s ET\n" % (points, mode, 1.5 * points, left, top, shown)


def text_field(value: str, rectangle: Sequence[float] = (72, 600, 400, 630)) -> Dictionary:
    """A form field that is filled in and has no picture of itself."""
    return Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        FT=Name.Tx,
        T=b"name",
        V=value.encode(),
        Rect=Array(rectangle),
        DA=b"/F 18 Tf 0 g",
        F=4,
    )


def _image(document: pikepdf.Pdf, picture: Picture) -> Stream:
    stream = Stream(document, picture.data)
    stream.Type, stream.Subtype = Name.XObject, Name.Image
    stream.Width, stream.Height = picture.width, picture.height
    stream.BitsPerComponent, stream.ColorSpace = picture.bits, Name(picture.space)
    if picture.filter:
        stream.Filter = Name(picture.filter)
    return stream
