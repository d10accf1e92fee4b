"""Scanned pages, drawn by lot and always the same: A4 at 300 dpi, slightly turned and grained, as JPEG and in a PDF."""

import io
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pikepdf
from msgspec import Struct
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image, ImageDraw, ImageFont

SIZE = (2480, 3508)
POINTS = (595.2, 841.92)
PROSE = (
    "account address amount balance before between business catalogue certain change charge city company "
    "contract copy country credit customer date delivery describe detail document during enclose exchange "
    "family figure final garden general ground history house include increase interest invoice journal kitchen "
    "language letter library machine market matter measure member message minute morning number object office "
    "order paper payment person place point possible price process produce question reason record region "
    "report result return river road sample season second section series service several signature simple "
    "station street subject supply system table term title total town travel value version village water "
    "winter without writing year "
)
WORDS = PROSE.split()


class Scan(Struct, frozen=True, kw_only=True):
    """A page: its JPEG, and the text that is on it."""

    jpeg: bytes
    text: str


def draw_scan(number: int, lines: int) -> Scan:
    """The page of that number with so many lines of print."""
    chance = random.Random(number)
    page = Image.new("L", SIZE, 250)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(46)
    text = []
    for line in range(lines):
        words = [chance.choice(WORDS) for _ in range(chance.randrange(7, 11))]
        if chance.random() < 0.3:
            words.insert(chance.randrange(len(words)), f"{chance.randrange(10_000)}")
        text.append(" ".join(words))
        pen.text((230, 260 + line * 66), text[-1], fill=30, font=font)
    turned = page.rotate(chance.uniform(-0.4, 0.4), Image.Resampling.BICUBIC, fillcolor=250)
    grain = np.random.default_rng(number).normal(0, 6, (SIZE[1], SIZE[0])).astype(np.int16)
    pixels = np.clip(np.asarray(turned).astype(np.int16) + grain, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=80, dpi=(300, 300))
    return Scan(jpeg=file.getvalue(), text="\n".join(text))


def write_pdf(path: Path, jpegs: Sequence[bytes], pages: int, *, shared: bool = False) -> None:
    """A PDF of so many pages, the scans in turn, each page with a picture of its own as a scanner writes it.

    `shared`: those of one scan have the same, for files that are short for their pages.
    """
    with pikepdf.new() as document:
        once = [_picture(document, jpeg) for jpeg in jpegs] if shared else []
        for number in range(pages):
            which = number % len(jpegs)
            picture = once[which] if shared else _picture(document, jpegs[which])
            content = b"q %f 0 0 %f 0 0 cm /P Do Q" % POINTS
            page = Dictionary(
                Type=Name.Page,
                MediaBox=Array([0, 0, *POINTS]),
                Resources=Dictionary(XObject=Dictionary(P=picture)),
                Contents=Stream(document, content),
            )
            document.pages.append(pikepdf.Page(page))
        document.save(path)


def _picture(document: pikepdf.Pdf, jpeg: bytes) -> Stream:
    picture = Stream(document, jpeg)
    picture.Type, picture.Subtype, picture.Filter = Name.XObject, Name.Image, Name.DCTDecode
    picture.Width, picture.Height = SIZE
    picture.BitsPerComponent, picture.ColorSpace = 8, Name.DeviceGray
    return document.make_indirect(picture)
