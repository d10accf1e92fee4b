"""Files that somebody might upload to do harm: cut, changed, mislabelled, with two faces, or claiming the absurd."""

import io
import random
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from pikepdf import ObjectStreamMode
from PIL import Image, ImageDraw, ImageSequence

from tests.pdfs import Leaf, Picture, pdf, scan, text_field, typed
from tests.unit.image.heic import HEIC

SEED = 20261123
MAGICS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"MM\0*", b"RIFF\xff\0\0\0WEBP")


def hostile_files(limit: int) -> dict[str, bytes]:
    """Name -> content, about 400 of them; `limit`: the pixels that the service allows."""
    rng = random.Random(SEED)
    sound = dict(_sound())
    files = {f"sound {name}": data for name, data in sound.items()}
    for name, data in sound.items():
        for share in (0.02, 0.1, 0.3, 0.5, 0.8, 0.99):
            files[f"{name} cut at {share}"] = data[: int(len(data) * share)]
        for number in range(8):
            files[f"{name} changed {number}"] = _changed(data, rng, len(data))
        for number in range(6):
            files[f"{name} header changed {number}"] = _changed(data, rng, min(len(data), 80))
        files[f"{name} with something behind"] = data + b"PK\x05\x06" + bytes(18) + b"<?php system('id'); ?>" * 50
        files[f"{name} with a wrong face"] = rng.choice(MAGICS) + data[8:]
    return files | dict(_polyglots(sound)) | dict(_claims()) | dict(_bombs(limit)) | dict(_strangers(rng))


def png(width: int, height: int, rows: bytes = b"", *, bits: int = 8, colour: int = 0, chunks: bytes = b"") -> bytes:
    """A PNG that says what it is told to say; `rows` are deflated, `chunks` stand before them."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    data = _chunk(b"IDAT", zlib.compress(rows, 9))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + chunks + data + _chunk(b"IEND", b"")


def blank_png(width: int, height: int) -> bytes:
    """Few bytes, many pixels: black and white, one bit each, all of it white."""
    return png(width, height, (b"\0" + b"\xff" * -(-width // 8)) * height, bits=1)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _sound() -> Iterator[tuple[str, bytes]]:
    picture = Image.new("RGB", (120, 40), "white")
    ImageDraw.Draw(picture).text((6, 12), "Hello 2026", fill="black")
    grey = Image.fromarray(np.asarray(picture.convert("L")).astype(np.uint16) * 257)
    frames = [picture.rotate(angle) for angle in (0, 90, 180)]
    kinds: dict[str, tuple[Image.Image, str, dict[str, Any]]] = {
        "jpeg": (picture, "JPEG", {}),
        "progressive jpeg": (picture, "JPEG", {"progressive": True}),
        "cmyk jpeg": (picture.convert("CMYK"), "JPEG", {}),
        "png": (picture, "PNG", {}),
        "palette png": (picture.convert("P"), "PNG", {"transparency": 0}),
        "16-bit png": (grey, "PNG", {}),
        "animated png": (picture, "PNG", {"save_all": True, "append_images": frames}),
        "webp": (picture, "WEBP", {}),
        "lossless webp": (picture.convert("RGBA"), "WEBP", {"lossless": True}),
        "animated webp": (picture, "WEBP", {"save_all": True, "append_images": frames}),
        "bmp": (picture, "BMP", {}),
        "gif": (picture.convert("P"), "GIF", {}),
        "animated gif": (picture.convert("P"), "GIF", {"save_all": True, "append_images": frames}),
        "tiff": (picture, "TIFF", {}),
        "lzw tiff": (picture, "TIFF", {"compression": "tiff_lzw"}),
        "fax tiff": (picture.convert("1"), "TIFF", {"compression": "group4"}),
        "tiff of pages": (picture, "TIFF", {"save_all": True, "append_images": frames}),
        "avif": (picture, "AVIF", {}),
        "animated avif": (picture, "AVIF", {"save_all": True, "append_images": frames}),
        "jpeg 2000": (picture, "JPEG2000", {}),
        "jpeg 2000 codestream": (picture, "JPEG2000", {"no_jp2": True}),
        "ppm": (picture, "PPM", {}),
    }
    yield "heic", HEIC
    yield "pdf of print", pdf(typed("Hello 2026", "a second line"), typed("a second page"))
    yield "pdf of a scan", pdf(scan(np.asarray(picture)))
    yield "pdf with a form", pdf(Leaf(), form=[text_field("Hello 2026")])
    for name, (image, kind, options) in kinds.items():
        file = io.BytesIO()
        image.save(file, kind, **options)
        yield name, file.getvalue()


def _changed(data: bytes, rng: random.Random, reach: int) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3, 10))):
        at = rng.randrange(reach)
        match rng.randrange(4):
            case 0:
                changed[at] = rng.randrange(256)
            case 1:
                changed[at : at + 4] = rng.choice(
                    (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\x01")
                )
            case 2:
                del changed[at : at + rng.randrange(1, 20)]
                reach = min(reach, len(changed))
            case _:
                changed[at:at] = rng.randbytes(rng.randrange(1, 20))
    return bytes(changed)


def _polyglots(sound: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    yield "gif and script", b"GIF89a/*" + sound["gif"][8:] + b"*/=1;alert(1)"
    yield "gif that is script", b"GIF89a=1;//" + b"alert(1)\n" * 100
    yield "jpeg with a comment of code", b"\xff\xd8\xff\xfe\x00\x20<?php system($_GET[0]); ?>     " + sound["jpeg"][2:]
    yield "pdf before a png", b"%PDF-1.7\n" + sound["png"]
    yield "html before a gif", b"<html><script>alert(1)</script>" + sound["gif"]
    yield "zip that begins like a png", b"\x89PNG\r\n\x1a\n" + b"PK\x03\x04" + bytes(500)
    yield "bmp and text", b"BM" + b" is how this letter begins, and it goes on for a while. " * 20
    yield "png in a jpeg's name", sound["png"]


def _claims() -> Iterator[tuple[str, bytes]]:
    """Small files that say they are huge, or nothing at all."""
    for width, height in ((2**31 - 1, 2**31 - 1), (100_000, 100_000), (2**31 - 1, 1), (0, 0), (0, 5), (2**32 - 1, 1)):
        yield f"png of {width} x {height}", png(width, height)
    yield (
        "gif of 65535 x 65535",
        b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b",\0\0\0\0\1\0\1\0\0\2\2D\1\0;",
    )
    yield (
        "bmp of 2^31",
        b"BM" + bytes(12) + struct.pack("<IiiHHIIIIII", 40, 2**31 - 1, -(2**31), 1, 24, 0, 0, 0, 0, 0, 0),
    )
    yield "webp of 2^24", b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6
    yield "jpeg of 65535 x 65535", b"\xff\xd8\xff\xc0\x00\x0b\x08\xff\xff\xff\xff\x01\x01\x11\x00\xff\xd9"
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, 2**32 - 1) for tag in (256, 257))
    yield "tiff of 2^32", b"II*\0\x08\0\0\0\x02\0" + entries + bytes(4)
    yield (
        "tiff that bites its tail",
        b"II*\0\x08\0\0\0\x02\0" + entries.replace(b"\xff" * 4, b"\x05\0\0\0") + b"\x08\0\0\0",
    )


def _bombs(limit: int) -> Iterator[tuple[str, bytes]]:
    """Files that unfold: into pixels up to the limit and beyond, into text, into frames, into segments."""
    side = int(limit**0.5)
    yield "all the pixels that are allowed", blank_png(side, side)
    yield "one row too many", blank_png(side, side + 2)
    yield "a line of pixels", blank_png(limit, 1)
    yield "a column of pixels", blank_png(1, limit // 8)
    yield "one pixel", blank_png(1, 1)
    unfolding = zlib.compress(bytes(200_000_000), 9)
    yield "text that unfolds to 200 MB", png(8, 8, bytes(72), chunks=_chunk(b"zTXt", b"x\0\0" + unfolding))
    yield "profile that unfolds to 200 MB", png(8, 8, bytes(72), chunks=_chunk(b"iCCP", b"x\0\0" + unfolding))
    yield "rows that unfold to 200 MB", png(8, 8, bytes(200_000_000))
    yield (
        "profile of noise",
        png(8, 8, bytes(72), chunks=_chunk(b"iCCP", b"x\0\0" + random.Random(1).randbytes(10_000))),
    )
    yield (
        "exif without end",
        png(8, 8, bytes(72), chunks=_chunk(b"eXIf", b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01" * 40_000)),
    )
    for name, filter in (("flate", "/FlateDecode"), ("jpx", "/JPXDecode"), ("jbig2", "/JBIG2Decode")):
        lie = Picture(data=bytes(100), width=60_000, height=60_000, filter=filter, bits=1, space="/DeviceGray")
        yield f"pdf with a {name} of 60000 x 60000", pdf(Leaf(content=b"q 9 0 0 9 0 0 cm /P Do Q", pictures={"P": lie}))
    yield "pdf of a mile", pdf(typed("x", size=(1e9, 1e9)))
    yield (
        "pdf of a million pages",
        pdf(typed("x"), object_stream_mode=ObjectStreamMode.disable).replace(b"/Count 1", b"/Count 1000000"),
    )
    yield "jpeg of segments", b"\xff\xd8" + b"\xff\xe1\x00\x02" * 200_000
    frame = b",\0\0\0\0\1\0\1\0\0\2\2D\1\0"
    yield "gif of 100000 frames", b"GIF89a\1\0\1\0\0\0\0" + frame * 100_000 + b";"
    pages = [page.copy() for page in ImageSequence.Iterator(Image.new("1", (8, 8)))] * 200
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])
    yield "tiff of 200 pages", file.getvalue()


def _strangers(rng: random.Random) -> Iterator[tuple[str, bytes]]:
    yield "nothing", b""
    yield "one byte", b"\xff"
    yield "zeros", bytes(10_000)
    yield "svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"
    yield "xml that unfolds", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
    yield "pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    yield "heic", b"\0\0\0\x18ftypheic" + bytes(100)
    yield "elf", b"\x7fELF" + bytes(100)
    yield "gzip", b"\x1f\x8b\x08" + rng.randbytes(100)
    yield "postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) run"
    yield "imagemagick", b"push graphic-context\nfill 'url(https://127.0.0.1/x\"|id\")'\npop graphic-context"
    for magic in MAGICS:
        yield f"only {magic!r}", magic
        yield f"noise behind {magic!r}", magic + rng.randbytes(3000)
