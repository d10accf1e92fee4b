"""Where the lines of text are on a page: a coarse look at all of it, a fine one only where the text is small.

The model finds every line whose letters are some 8 pixels high or more, in a picture of any size, and its work grows
with the pixels. So a page is first looked at shrunken to `COARSE_PIXELS`; that is enough for most pages. Where the
look shows boxes of small print, or the shadow of print that is smaller still, that part of the page is looked at
again, at the scale that its letters need. A few lines of fine print alone on a large scan leave no shadow, only specks:
a peek at some of them tells whether there is text. Print that is finer still leaves nothing, or boxes around what is no
line: samples in full size tell where it is, see `fine_print`. Boxes that may hold several lines are looked into one by
one.
"""

import itertools
import math
from collections.abc import Iterator

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine.boxes import Quads, filled, heights, in_middle, sides, within, without_overlap
from ocr_engine.crops import Pixels
from ocr_engine.detection.detector import SMALL_PRINT, Detector, Look
from ocr_engine.detection.fine_print import letter_heights

COARSE_PIXELS = 640_000
"""Of the coarse look: A4 at 76 dpi. Print of 5 points is 5 pixels high there, which still leaves a shadow or specks."""
FINE_PIXELS = 800_000
"""Most pixels of a fine look, which bounds memory: larger parts are looked at in bands."""
SHARP_SCALE = 0.5
"""Scale of a look from which nothing that is print can be too small for it to be noticed."""
FAINT_LETTERS = 5.5
"""Height of letters, in pixels of the look, under which the model sees no lines, or several as one."""
MIN_FINE_SAMPLES, MIN_FINE_SHARE = 2, 0.25
"""Samples that show such letters on a page with fine print: their number and share. Leaves may look like a word."""
BOX_MARGIN = 3.5
"""Height of a box less that of its letters, in pixels of the look."""
GOAL_LETTERS = 11.0
"""Height of the letters, in pixels of the look, that a fine look aims at."""
TOLD_APART_THICKNESS = 80.0
"""Thickness of a box, in pixels of the look, at which the lines that it may hold come out one by one: up to five."""
MAX_MAGNIFICATION = 2.0
"""Most that a page is enlarged for that, and how much where most of its print is tiny."""
TINY_PRINT = 16.0
"""Height of most boxes, in pixels of a look at scale 1, under which the page is enlarged: their letters have 12 or
fewer. Of 13 real images 8 gain 2 to 490 % more characters that the recogniser is sure of."""
MAX_INNER_THICKNESS = 0.75
"""Thickness of a line, by that of a box that holds several, from which it is no part of it but the box again."""
MAX_MERGED_LENGTH = 12.0
"""Length of a box, by its thickness, up to which it is looked into, which bounds the work: stacked lines are short."""
MIN_FILLED_SHARE = 0.4
"""Share of a box that the lines in it must fill for them to be what it holds; those of a formula do not."""
MIN_SHOWN_SHARE = 0.6
"""Share of a box that the lines of a closer look must fill to stand in its place. On drawn newspapers of 3 megapixels a
fifth of the lines shared such a box of the first look, or had a part in one, and were lost."""
MAX_SHOWN_THICKNESS = 160.0
"""Thickness of such a box, in pixels of the closer look: letters that are larger still may fall apart there."""
PEEK_REACH = 24.0
"""Pixels of the look on each side of a speck that are looked at closely."""
PEEK_ZOOM = 3.0
"""Scale of such a look, by that of the first."""
MAX_PEEKS = 16
"""Specks that are looked at, which bounds what a page of dots costs to half a coarse look."""
WIDENING_STEP = 6.0
"""How far, in rims, a part is widened on a side where lines reach its edge."""
MAX_WIDENINGS = 3
"""Looks at a part that goes on."""
BAND_SLACK = 0.2
"""How far beyond its edge, in rims, a band's lines are taken: two looks do not agree on where a line's middle is, and
one right on the edge would be found twice, or in neither."""
MAX_BLURS = 24
"""Shadows that are looked into, which bounds what a page of noise costs."""


class FinePrint(Struct, frozen=True):
    """Print that is too small for a look, told by samples of the page."""

    samples: Quads
    """Where it was found."""
    scale: float
    """At which it can be read, pixels of a look by pixels of the page."""

    def around(self, quads: Quads) -> NDArray[np.bool_]:
        """Which of the boxes (n, 4, 2) stand among it."""
        middles = quads.mean(axis=1)
        low, high = self.samples.min(axis=(0, 1)), self.samples.max(axis=(0, 1))
        return np.asarray(((middles > low) & (middles < high)).all(axis=1), bool)


class Glance(Struct, frozen=True):
    """A coarse look at a page, and what it cannot show."""

    look: Look
    fine: FinePrint | None
    quads: Quads
    """Boxes of lines, of some at least: enough to tell how the page is turned."""


def magnification(glance: Glance) -> float:
    """How many times larger the page should be: 1, but where an image of few pixels holds much print."""
    look = glance.look
    if look.scale < 1:
        return 1.0
    seen = np.concatenate((heights(look.quads[heights(look.quads) >= SMALL_PRINT]), heights(look.small)))
    return MAX_MAGNIFICATION if len(seen) and np.median(seen) < TINY_PRINT else 1.0


class LineFinder:
    """Finds the lines of a page, however small or large its print."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def glance(self, page: Pixels) -> "Glance":
        """A coarse look at a page (H, W, 3), however it is turned."""
        height, width = page.shape[:2]
        look = self._detector.look(page, min(1.0, math.sqrt(COARSE_PIXELS / (height * width))))
        fine = _fine_print(page, look)
        if fine is None:
            return Glance(look=look, fine=None, quads=look.quads)
        middle = fine.samples[len(fine.samples) // 2].mean(axis=0)
        around = math.sqrt(FINE_PIXELS) / fine.scale / 2
        return Glance(look=look, fine=fine, quads=self._detector.look_at(page, middle, middle, around, fine.scale))

    def refine(self, page: Pixels, glance: "Glance") -> Quads:
        """Boxes (n, 4, 2) of all lines of an upright page, given the glance at it."""
        look, fine = glance.look, glance.fine
        quads = look.quads
        if fine is not None:
            quads = quads[heights(quads) * look.scale >= SMALL_PRINT]
            among = fine.around(quads)
            found, kept = self._closely(page, np.concatenate((look.small, fine.samples)), quads[~among], fine.scale)
            # the look may have taken many lines for one
            kept = np.concatenate((kept, *(quad[None] for quad in quads[among] if _is_empty(quad, found))))
            quads = np.concatenate((kept[~within(kept, found)], found))
        elif look.scale < 1 and len(small := np.concatenate((look.small, self._behind(page, look)))):
            letters = np.maximum(heights(small) * look.scale - BOX_MARGIN, GOAL_LETTERS / 3)
            scale = min(1.0, look.scale * GOAL_LETTERS / float(np.percentile(letters, 10)))
            found, kept = self._closely(page, small, quads[heights(quads) * look.scale >= SMALL_PRINT], scale)
            # a fragment of what the closer look shows whole
            quads = np.concatenate((kept[~within(kept, found)], found))
        for blur in look.blurs[:MAX_BLURS]:
            # where nothing was shrunken, a shadow of one line is none
            lines = self._look_into(page, blur) if look.scale < 1 else self.told_apart(page, blur)
            quads = np.concatenate((quads, without_overlap(lines, quads)))
        return quads

    def _behind(self, page: Pixels, look: Look) -> Quads:
        """Boxes (n, 4, 2) of print so small that the look saw specks of it."""
        found, seen, reach = [look.small[:0]], look.specks[:0], PEEK_REACH / look.scale
        for speck in look.specks:
            if len(seen) < MAX_PEEKS and not (np.abs(seen - speck) < reach).all(axis=1).any():
                found.append(self._detector.look_at(page, speck, speck, reach, min(1.0, PEEK_ZOOM * look.scale)))
                seen = np.concatenate((seen, speck[None]))
        return np.concatenate(found)

    def _closely(self, page: Pixels, small: Quads, seen: Quads, scale: float) -> tuple[Quads, Quads]:
        """Boxes (n, 4, 2) of the lines where small print is, the part widened where it turns out to go on, and those of
        the boxes `seen` before that this look does not show better.

        Two lines that are set closely may come out as one box before, which is no longer small print.
        """
        height, width = page.shape[:2]
        rim = 1.5 * float(np.max(small[:, :, 1].max(axis=1) - small[:, :, 1].min(axis=1)))
        part = np.array([*(small.min(axis=(0, 1)) - rim), *(small.max(axis=(0, 1)) + rim)])
        for _ in range(MAX_WIDENINGS):
            part = np.clip(part, 0, (width, height, width, height))
            found = self._in_bands(page, part, rim, scale)
            quads = without_overlap(found, seen)
            if not len(quads):
                break
            near = np.array([*(quads.min(axis=(0, 1)) - part[:2]), *(part[2:] - quads.max(axis=(0, 1)))]) < rim / 2
            cut = near & (part > 0) & (part < (width, height, width, height))
            if not cut.any():
                break
            part += cut * WIDENING_STEP * rim * np.array([-1, -1, 1, 1])
        whole = ((seen.min(axis=1) >= part[:2]) & (seen.max(axis=1) <= part[2:])).all(axis=1)
        shown = whole & filled(seen, found, MIN_SHOWN_SHARE) & (heights(seen) * scale <= MAX_SHOWN_THICKNESS)
        kept = seen[~shown]
        return without_overlap(found, kept), kept

    def told_apart(self, page: Pixels, quad: Quads) -> Quads:
        """Boxes (n, 4, 2) of the lines in a box (4, 2) that holds several, on an upright page; else none."""
        lines = self._look_into(page, quad)
        several = len(lines) > 1 and (heights(lines) < MAX_INNER_THICKNESS * heights(quad[None])).all()
        return lines if several else lines[:0]

    def _look_into(self, page: Pixels, quad: Quads) -> Quads:
        """Boxes (n, 4, 2) of the lines that fill a box (4, 2), seen closely; none where they do not fill it."""
        thickness = float(heights(quad[None])[0])
        if float(np.max(sides(quad[None]))) > MAX_MERGED_LENGTH * thickness:
            return quad[:0].reshape(0, 4, 2)
        found = self._detector.look_at(
            page,
            quad.min(axis=0),
            quad.max(axis=0),
            thickness / 4,
            min(MAX_MAGNIFICATION, TOLD_APART_THICKNESS / thickness),
        )
        return found[in_middle(found, quad)] if filled(quad[None], found, MIN_FILLED_SHARE)[0] else found[:0]

    def _in_bands(self, page: Pixels, part: NDArray[np.float64], rim: float, scale: float) -> Quads:
        """Boxes (n, 4, 2) of the lines in a part of the page, each once."""
        found = np.empty((0, 4, 2), np.float32)
        for band in _bands(page, part, rim, scale):
            pixels = page[band.top : band.bottom, band.left : band.right]
            quads = self._detector.look(pixels, scale).quads + np.array((band.left, band.top), np.float32)
            middle = quads[:, :, 1].mean(axis=1)
            quads = quads[(middle >= band.own_top - rim * BAND_SLACK) & (middle < band.own_bottom + rim * BAND_SLACK)]
            found = np.concatenate((found, quads[~within(quads, found)]))
        return found


def _fine_print(page: Pixels, look: Look) -> FinePrint | None:
    """Print that the look cannot show, where samples of the page do."""
    if look.scale >= SHARP_SCALE:
        return None
    all_samples = [*letter_heights(page)]
    faint = [(sample, height) for sample, height in all_samples if 0 < height * look.scale < FAINT_LETTERS]
    if len(faint) < max(MIN_FINE_SAMPLES, MIN_FINE_SHARE * len(all_samples)):
        return None
    samples, letters = zip(*faint, strict=True)
    return FinePrint(np.array(samples, np.float32), min(1.0, GOAL_LETTERS / float(np.percentile(letters, 10))))


def _is_empty(quad: NDArray[np.float32], quads: Quads) -> bool:
    """Whether none of the boxes has its middle in this one."""
    return not in_middle(quads, quad).any()


class _Band(Struct, frozen=True):
    """A part of the page, with a rim so that the lines which it owns are whole."""

    left: int
    right: int
    top: int
    bottom: int
    own_top: float
    own_bottom: float
    """The lines whose middle lies between these are this band's, and may be told by the next one as well."""


def _bands(page: Pixels, part: NDArray[np.float64], rim: float, scale: float) -> Iterator[_Band]:
    """Bands across a part (left, top, right, bottom) of the upright page that together hold it."""
    height = page.shape[0]
    left, top, right, bottom = part.tolist()
    most = max(4 * rim, FINE_PIXELS / scale**2 / (right - left) - 2 * rim)
    count = math.ceil((bottom - top) / most)
    edges = np.linspace(top, bottom, count + 1)
    for own_top, own_bottom in itertools.pairwise(edges):
        yield _Band(
            int(left),
            math.ceil(right),
            max(0, int(own_top - rim)),
            min(height, math.ceil(own_bottom + rim)),
            float(own_top),
            float(own_bottom),
        )
