"""Draws all samples anew: `python -m samples.make`. Reproducible: the same fonts and Pillow give the same files.

Needs the Debian packages fonts-liberation, fonts-dejavu-core and fonts-noto-cjk, for drawing only.
"""

import io
from collections.abc import Callable
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from samples import FOLDER

Colour = int | tuple[int, int, int]
Anchor = Literal["la", "ma", "ra"]
Drawing = tuple[str, bytes, list[str]]
"""File suffix, bytes of the image file, lines of its text in reading order."""

FONTS = "/usr/share/fonts"
SANS = f"{FONTS}/truetype/liberation/LiberationSans-Regular.ttf"
BOLD = f"{FONTS}/truetype/liberation/LiberationSans-Bold.ttf"
SERIF = f"{FONTS}/truetype/liberation/LiberationSerif-Regular.ttf"
MONO = f"{FONTS}/truetype/liberation/LiberationMono-Regular.ttf"
DEJAVU = f"{FONTS}/truetype/dejavu/DejaVuSans.ttf"
CHINESE = f"{FONTS}/opentype/noto/NotoSansCJK-Regular.ttc"
SIMPLIFIED = 2
"""Index of Simplified Chinese in Noto's collection."""
EXIF_ORIENTATION = 0x0112


class Sheet:
    """Paper that remembers what was written on it, in the order of writing."""

    def __init__(self, width: int, height: int, paper: Colour = (255, 255, 255), ink: Colour = (20, 20, 20)) -> None:
        self.image = Image.new("RGB", (width, height), paper)
        self.draw = ImageDraw.Draw(self.image)
        self.ink = ink
        self.lines: list[str] = []

    def write(self, x: int, y: int, text: str, font: str, size: int, anchor: Anchor = "la", index: int = 0) -> None:
        """One line; `x` is its left end, middle or right end as `anchor` says, `y` its top."""
        self._draw(x, y, text, ImageFont.truetype(font, size, index=index), anchor)
        self.lines.append(text)

    def beside(self, x: int, y: int, text: str, font: str, size: int, anchor: Anchor = "la") -> None:
        """More of the row that was written last: one line of the text."""
        self._draw(x, y, text, ImageFont.truetype(font, size), anchor)
        self.lines[-1] += f" {text}"

    def _draw(self, x: int, y: int, text: str, font: ImageFont.FreeTypeFont, anchor: Anchor) -> None:
        self.draw.text((x, y), text, fill=self.ink, font=font, anchor=anchor)


def health() -> Drawing:
    """The line by which health checks and warm-ups judge the engine."""
    sheet = Sheet(480, 64)
    sheet.write(20, 14, "Smart Queue OCR 2026", SANS, 34)
    return ".png", _png(sheet.image), sheet.lines


def receipt() -> Drawing:
    """A till receipt on slightly grey thermal paper, scanned a little askew."""
    sheet = Sheet(560, 820, (246, 245, 240), (45, 45, 50))
    sheet.write(280, 40, "Harbour Street Bakery", BOLD, 38, "ma")
    sheet.write(280, 96, "14 Harbour Street, Bristol", SANS, 26, "ma")
    sheet.write(280, 136, "Tel. 0117 496 0123", SANS, 26, "ma")
    sheet.write(40, 200, "2026-11-23 08:42", MONO, 26)
    sheet.beside(520, 200, "No. 10482", MONO, 26, "ra")
    sheet.draw.line((40, 250, 520, 250), fill=sheet.ink, width=2)
    items = [("Sourdough loaf", "4.20"), ("Cinnamon roll", "2.85"), ("Flat white", "3.40"), ("Orange juice", "2.95")]
    for row, (item, price) in enumerate(items):
        sheet.write(40, 276 + 50 * row, item, MONO, 28)
        sheet.beside(520, 276 + 50 * row, price, MONO, 28, "ra")
    sheet.draw.line((40, 488, 520, 488), fill=sheet.ink, width=2)
    sheet.write(40, 508, "TOTAL", BOLD, 36)
    sheet.beside(520, 508, "13.40", BOLD, 36, "ra")
    sheet.write(40, 572, "Cash", MONO, 28)
    sheet.beside(520, 572, "20.00", MONO, 28, "ra")
    sheet.write(40, 622, "Change", MONO, 28)
    sheet.beside(520, 622, "6.60", MONO, 28, "ra")
    sheet.write(280, 710, "Thank you for your visit!", SANS, 28, "ma")
    scanned = sheet.image.rotate(0.8, Image.Resampling.BICUBIC, fillcolor=(246, 245, 240))
    return ".jpg", _jpeg(_noisy(scanned, 4), 80), sheet.lines


def letter() -> Drawing:
    """A clean page of prose."""
    sheet = Sheet(1000, 620)
    sheet.write(80, 60, "Notice to all residents", BOLD, 36)
    body = [
        "The water supply will be turned off on Monday, 7 December,",
        "between 9 a.m. and 1 p.m. while the pumps are replaced.",
        "Please keep enough water for the morning and close all taps",
        "before you leave the house. The lift stays in service.",
        "Questions? Call the caretaker on 555 0142 or write to",
        "office@example.org at any time.",
    ]
    for row, line in enumerate(body):
        sheet.write(80, 140 + 56 * row, line, SERIF, 30)
    sheet.write(80, 520, "The house management", SERIF, 30)
    return ".png", _png(sheet.image), sheet.lines


def photo() -> Drawing:
    """A poster photographed by hand: turned, seen from the side, half in shadow, with sensor noise."""
    sheet = Sheet(900, 620, (238, 232, 214), (35, 40, 70))
    sheet.write(450, 60, "OPEN AIR CINEMA", BOLD, 72, "ma")
    sheet.write(450, 190, "Friday 14 August, 21:30", SANS, 52, "ma")
    sheet.write(450, 290, "Riverside Park, North Gate", SANS, 48, "ma")
    sheet.write(450, 390, "Bring a blanket and friends", SERIF, 48, "ma")
    sheet.write(450, 490, "Tickets from 6 euros", BOLD, 48, "ma")
    table = Image.new("RGB", (1200, 900), (96, 82, 70))
    corners = ((170, 120), (1065, 60), (1100, 720), (110, 800))
    seen = sheet.image.transform(
        table.size, Image.Transform.PERSPECTIVE, _perspective(corners, sheet.image.size), Image.Resampling.BICUBIC
    )
    mask = Image.new("L", sheet.image.size, 255).transform(
        table.size, Image.Transform.PERSPECTIVE, _perspective(corners, sheet.image.size), Image.Resampling.BICUBIC
    )
    table.paste(seen, (0, 0), mask)
    across = np.linspace(0, 1, table.width)[None, :] + np.linspace(0, 0.4, table.height)[:, None]
    light = 1 - 0.45 / (1 + np.exp(-18 * (across - 0.75)))
    shaded = Image.fromarray((np.asarray(table) * light[..., None]).astype(np.uint8))
    return ".jpg", _jpeg(_noisy(shaded, 5), 78), sheet.lines


def columns() -> Drawing:
    """Two columns of prose under one heading; read down the left column first."""
    sheet = Sheet(1200, 720)
    sheet.write(60, 50, "How bread learned to rise", BOLD, 44)
    left = [
        "Long before anyone had seen a",
        "yeast cell, bakers kept a piece",
        "of old dough and mixed it into",
        "the new one. It made the loaf",
        "light, and nobody knew why.",
        "The habit was passed on from",
        "one kitchen to the next.",
    ]
    right = [
        "Only the microscope showed the",
        "small round bodies that turn",
        "sugar into gas. Breweries then",
        "began to sell pressed yeast, and",
        "a slow night of waiting became",
        "one hour. Some bakers still",
        "prefer the slow way today.",
    ]
    for x, column in ((60, left), (640, right)):
        for row, line in enumerate(column):
            sheet.write(x, 160 + 70 * row, line, SERIF, 34)
    return ".png", _png(sheet.image), sheet.lines


def dark() -> Drawing:
    """Light text on a dark screen."""
    sheet = Sheet(900, 340, (24, 28, 38), (228, 232, 240))
    sheet.write(50, 40, "Backup finished", BOLD, 40)
    sheet.write(50, 120, "Files copied: 18,204", DEJAVU, 30)
    sheet.write(50, 180, "Time needed: 42 minutes", DEJAVU, 30)
    sheet.write(50, 240, "Next run: tomorrow at 03:00", DEJAVU, 30)
    return ".png", _png(sheet.image), sheet.lines


def table() -> Drawing:
    """A ruled table; read row by row."""
    sheet = Sheet(1000, 430)
    rows = [
        ("City", "Country", "Population", "Founded"),
        ("Lisbon", "Portugal", "545,000", "1147"),
        ("Vienna", "Austria", "1,975,000", "1221"),
        ("Dublin", "Ireland", "592,000", "1185"),
        ("Bergen", "Norway", "291,000", "1070"),
    ]
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            put = sheet.beside if column else sheet.write
            put(60 + 225 * column, 50 + 70 * row, cell, SANS if row else BOLD, 30)
    for row in range(6):
        sheet.draw.line((40, 32 + 70 * row, 940, 32 + 70 * row), fill=sheet.ink, width=2)
    for column in range(5):
        sheet.draw.line((40 + 225 * column, 32, 40 + 225 * column, 382), fill=sheet.ink, width=2)
    return ".png", _png(sheet.image), sheet.lines


def chinese() -> Drawing:
    """A bilingual sign."""
    sheet = Sheet(760, 420, (250, 248, 240), (20, 60, 50))
    sheet.write(50, 40, "城市图书馆", CHINESE, 60, index=SIMPLIFIED)
    sheet.write(50, 140, "City Library", SANS, 44)
    sheet.write(50, 220, "开放时间：上午九点至下午六点", CHINESE, 40, index=SIMPLIFIED)
    sheet.write(50, 310, "Open daily from 9 to 6", SANS, 40)
    return ".png", _png(sheet.image), sheet.lines


def tiny() -> Drawing:
    """A label of 72 by 20 pixels."""
    sheet = Sheet(72, 20)
    sheet.write(4, 3, "Lot 48213", SANS, 14)
    return ".png", _png(sheet.image), sheet.lines


def large() -> Drawing:
    """Twelve megapixels with little on them, as a camera or a drawing office delivers."""
    sheet = Sheet(4000, 3000)
    sheet.write(300, 300, "Site plan, sheet 7 of 12", BOLD, 150)
    sheet.write(300, 1300, "Scale 1:500", SANS, 110)
    sheet.write(2300, 2600, "Approved 2026-10-05", SANS, 110)
    return ".png", _png(sheet.image), sheet.lines


def turned() -> Drawing:
    """Stored on its side, with the EXIF orientation by which a viewer shows it upright."""
    sheet = Sheet(800, 320, (252, 252, 248))
    sheet.write(50, 50, "Platform 9, coach 4", BOLD, 48)
    sheet.write(50, 140, "Departure 17:25", SANS, 44)
    sheet.write(50, 220, "Please stand behind the line", SANS, 44)
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6  # to be turned clockwise by a quarter
    return ".jpg", _jpeg(sheet.image.transpose(Image.Transpose.ROTATE_90), 85, exif), sheet.lines


def cmyk() -> Drawing:
    """A print shop's JPEG: four inks, stored inverted as Adobe does."""
    sheet = Sheet(760, 300, (255, 236, 170), (110, 20, 40))
    sheet.write(50, 50, "Spring catalogue 2027", BOLD, 50)
    sheet.write(50, 150, "Proof copy, not for sale", SANS, 42)
    sheet.write(50, 220, "Colours may differ in print", SANS, 42)
    return ".jpg", _jpeg(sheet.image.convert("CMYK"), 88), sheet.lines


def upside_down() -> Drawing:
    """A page that went into the scanner head first, and no EXIF to tell."""
    sheet = Sheet(860, 400)
    sheet.write(60, 50, "Minutes of the meeting", BOLD, 42)
    sheet.write(60, 140, "The budget for next year was approved.", SERIF, 34)
    sheet.write(60, 210, "Nine members voted for it, two against.", SERIF, 34)
    sheet.write(60, 280, "The next meeting is on 12 January.", SERIF, 34)
    return ".png", _png(sheet.image.rotate(180)), sheet.lines


SAMPLES: tuple[Callable[[], Drawing], ...] = (
    health,
    receipt,
    letter,
    photo,
    columns,
    dark,
    table,
    chinese,
    tiny,
    large,
    turned,
    cmyk,
    upside_down,
)


def _noisy(image: Image.Image, strength: float) -> Image.Image:
    """Gaussian noise of the given standard deviation, the same at every run."""
    noise = np.random.default_rng(2026).normal(0, strength, (image.height, image.width, 1))
    return Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8))


def _perspective(corners: tuple[tuple[int, int], ...], size: tuple[int, int]) -> list[float]:
    """Pillow's eight coefficients that show a sheet of `size` with its corners (clockwise from top left) there."""
    width, height = size
    equations, targets = [], []
    for (x, y), (u, v) in zip(corners, ((0, 0), (width, 0), (width, height), (0, height)), strict=True):
        equations += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        targets += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(equations), np.array(targets))]


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _jpeg(image: Image.Image, quality: int, exif: Image.Exif | None = None) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, optimize=True, exif=exif or Image.Exif())
    return file.getvalue()


def main() -> None:
    """Writes every sample's image and text into this folder."""
    for draw in SAMPLES:
        suffix, data, lines = draw()
        (FOLDER / f"{draw.__name__}{suffix}").write_bytes(data)
        (FOLDER / f"{draw.__name__}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
