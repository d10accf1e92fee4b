"""From an image to its text: decode, detect, orient, recognise, order."""

import itertools
import time
from collections.abc import Sequence

import cv2
import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ocr_engine import areas, check_boxes, leftovers, mirror
from ocr_engine.boxes import Quads, extents, heights, without_overlap
from ocr_engine.crops import Cuts, Pixels, enlarged, full_contrast, is_tall, turn
from ocr_engine.detection import leaders
from ocr_engine.detection.detector import Detector, Look
from ocr_engine.detection.line_finder import Glance, LineFinder, magnification
from ocr_engine.document.document import Document
from ocr_engine.document.opening import open_document
from ocr_engine.document.written import WrittenLine, are_alike, tested
from ocr_engine.errors import TooManyPages
from ocr_engine.lines import View, lines_of
from ocr_engine.memory import short_memory_told
from ocr_engine.models.load import load_models
from ocr_engine.options import DEFAULT_READING, EngineOptions, ReadOptions
from ocr_engine.orientation import AngleClassifier, Orienter
from ocr_engine.recognition import signs, strays, times_sign
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.fields import code_marks, fields, fraction_ink, twins
from ocr_engine.recognition.letters import white
from ocr_engine.recognition.letters.correction import Letters
from ocr_engine.recognition.letters.languages import told
from ocr_engine.recognition.long_lines import read_in_pieces
from ocr_engine.recognition.reading import DOUBTFUL_CONFIDENCE, FIRST_SQUEEZE, Reader
from ocr_engine.recognition.recogniser import LINE_HEIGHT, MIN_WIDTH, Recogniser
from ocr_engine.recognition.script import Judgement, Support, judge
from ocr_engine.rejoining import rejoined
from ocr_engine.result import OcrModel, OcrPage, OcrResult, OcrTimings, Rotation
from ocr_engine.scripts.languages import without_others
from ocr_engine.scripts.other_scripts import OtherScripts
from ocr_engine.scripts.sources import find_sources
from ocr_engine.scripts.unread import passed_over
from ocr_engine.structure import dashes, find_blocks

MAX_TEXT_PIXELS = 680_000
"""Pixels: widths of a page's lines, together, that are read: some 47 000 letters, more than a newspaper page has.
The cost of a page grows with them: without an end, one hostile image could keep a worker for an hour."""
THICK_BOX = 1.4
"""Thickness of a box, by the page's median, from which it may hold two lines rather than one."""
SPARSE_PAGE = 4
"""Boxes of a page up to which its median says nothing."""
FEW_LETTERS = 2
"""Characters: lines in one box can look like one letter that is built of as many parts."""
MAX_SUSPECTS = 24
"""Boxes of a page that are looked into, which bounds what a page of noise costs."""
RIM_OF_LETTERS = 0.15
"""Of the height of a line's letters, around them, in the box that is read."""
MAX_TINY_SIDE = 48
"""Pixels of a picture that is read as one line where no box is found: a sign fills it, and detection needs a rim."""


class Engine:
    """Reads images with one set of models. Not for several threads at once: one engine a process."""

    def __init__(self, options: EngineOptions) -> None:
        """Loads all models. Raises EngineError when one cannot be had."""
        # OpenCV would start a thread for every core of the machine, in every worker process
        cv2.setNumThreads(options.threads)
        self._options = options
        self._loaded = loaded = load_models(options)
        self.notes = loaded.notes
        """What the operator should know of the models: why one runs as it was released, for instance."""
        self.runtime = loaded.runtime
        """What runs the models."""
        self._finder = LineFinder(Detector(loaded.detection, loaded.detection_input))
        sessions = (loaded.recognition, loaded.quick_recognition or loaded.recognition)
        self._reader = Reader(Recogniser(*sessions, loaded.recognition_input, loaded.characters), loaded.sure_mean)
        self._letters = Letters()
        self._told = self._of_models(options.languages)
        self._other_scripts = OtherScripts(find_sources(options), options.languages, options.model)
        self._orienter = Orienter(AngleClassifier(loaded.angle, loaded.angle_input), self._reader)

    def recognise(self, data: bytes, options: ReadOptions = DEFAULT_READING) -> OcrResult:
        """The text of an image file. Raises OcrError; a fault of another kind becomes EngineError."""
        with short_memory_told(self._options.max_pixels):
            document = open_document(data, options, self._options)
        if document.info.pages > self._options.max_pages:
            document.close()
            raise TooManyPages(f"the file has {document.info.pages} pages; the limit is {self._options.max_pages}")
        pages: list[OcrPage] = []
        models: dict[OcrModel, None] = {}
        timings = OcrTimings()
        for number in range(1, document.info.pages + 1):
            read = self.read_page(document, number, options)
            pages += read.pages
            timings = timings.plus(read.timings)
            models |= dict.fromkeys(read.models)
        return OcrResult(pages=tuple(pages), models=tuple(models), timings=timings)

    def read_page(self, document: Document, number: int, options: ReadOptions = DEFAULT_READING) -> OcrResult:
        """One page of a document, from 1, in any order. Raises OcrError; a fault of another kind becomes EngineError.

        The result has exactly that page; `number` is its number in the document.
        """
        begun = time.perf_counter()
        with short_memory_told(self._options.max_pixels):
            self._other_scripts.begin()
            if document.is_large(number):
                self._loaded.release()
            shown = document.draw(number)
            drawn = time.perf_counter() - begun
            wanted = options.text_layer == "auto" and not options.rotate
            written = document.written_lines(number, shown) if wanted else []
            page, spent = self._read_parts(shown.pixels, number, written, options)
        page = msgspec.structs.replace(page, dpi=shown.dpi, warnings=(*shown.warnings, *page.warnings))
        spent = msgspec.structs.replace(spent, decode=drawn, total=time.perf_counter() - begun)
        models = self._loaded.described + self._other_scripts.models()
        return OcrResult(pages=(page,), models=models, timings=spent)

    def _read_parts(
        self, pixels: Pixels, number: int, written: list[WrittenLine], options: ReadOptions
    ) -> tuple[OcrPage, OcrTimings]:
        """A page (H, W, 3), or its regions, without what is to be ignored; `written`: its own text."""
        height, width = pixels.shape[:2]
        hidden = areas.boxes_of(options.ignore, number, width, height)
        pixels, written = areas.hide(pixels, hidden), areas.written_outside(written, hidden)
        if not options.regions:
            return self._taken_or_read(pixels, number, written, options)
        timings = OcrTimings()

        def read(box: areas.Box, rotate: Rotation | None) -> OcrPage:
            nonlocal timings
            chosen = msgspec.structs.replace(options, rotate=rotate)
            part, text = areas.cut_out(pixels, box), areas.written_in(written, box)
            page, spent = self._taken_or_read(part, number, text, chosen)
            timings = timings.plus(spent)
            return page

        boxes = areas.boxes_of(options.regions, number, width, height)
        parts = [(box, read(box, options.rotate)) for box in boxes]
        # a page is turned as a whole, as most of its text says
        way = areas.turn_of([page for _, page in parts])
        parts = [(box, page if page.rotation == way else read(box, way)) for box, page in parts]
        return areas.put_together(number, width, height, parts), timings

    def _taken_or_read(
        self, pixels: Pixels, number: int, written: list[WrittenLine], options: ReadOptions
    ) -> tuple[OcrPage, OcrTimings]:
        return self._taken(pixels, number, written, options) or self.recognise_pixels(pixels, number, options)

    def recognise_pixels(
        self, pixels: Pixels, number: int = 1, options: ReadOptions = DEFAULT_READING, *, as_shown: bool = True
    ) -> tuple[OcrPage, OcrTimings]:
        """The text of one page (H, W, 3) BGR, and how long detection, orientation and recognition took.

        `as_shown`: no mirror was held to it yet, which is done where it is hard to read.
        """
        picture = pixels
        height, width = pixels.shape[:2]
        begun = time.perf_counter()
        pixels = full_contrast(pixels)
        glance = self._finder.glance(pixels)
        zoom = magnification(glance)
        if zoom > 1:
            pixels = enlarged(pixels, zoom)
            glance = self._finder.glance(pixels)
        glanced = time.perf_counter()
        cuts = Cuts(pixels)
        rotation = self._orienter.turn_needed(cuts, glance.quads) if options.rotate is None else options.rotate
        oriented = time.perf_counter()
        read = self._read_turned(cuts, glance, rotation)
        script = self._judged(read)
        is_hard = script.page == "unread" or script.open or mirror.may_be_sign(read.readings)
        if as_shown and is_hard and mirror.is_one(read.page, read.quads, read.readings, self._reader):
            page, spent = self.recognise_pixels(
                mirror.turned_over(picture), number, mirror.options_of(options), as_shown=False
            )
            first = OcrTimings(detect=(glanced - begun) + read.finding, orient=oriented - glanced)
            return mirror.shown(page), spent.plus(first)
        other = self._other_scripts.told(read.page, read.quads, script, options.languages)
        # what is not read tells of no turn
        way = other.turn_of(rotation) if other else 0 if script.page == "unread" else rotation
        if way != rotation and options.rotate is None:
            rotation = way
            read = self._read_turned(cuts, glance, rotation)
            script = self._judged(read)
        quads, readings = read.quads, read.readings
        if other:
            quads, readings, script = self._other_scripts.read(
                read.page, quads, readings, script, other, options.languages, read.shadows
            )
        elif script.page == "read":
            readings, script = self._other_scripts.read_lines(read.page, quads, readings, script, options.languages)
            readings = times_sign.put_right(readings)
            readings = white.measured(read.cuts, quads, readings)
            readings = self._letters.decided(readings, self._of_models(options.languages) or self._told)
            readings = signs.put_right(read.page, quads, fields.put_right(quads, readings))
            readings = fraction_ink.put_right(read.page, quads, readings, self._reader.read_once)
            readings = strays.put_right(twins.put_right(read.page, quads, readings))
            quads, readings = code_marks.put_right(read.page, quads, readings)
        right_to_left = other is not None and other.language.script.right_to_left
        view = View(width=width, height=height, rotation=rotation, zoom=zoom, right_to_left=right_to_left)
        supports = script.lines
        if script.page == "read":
            strokes, told_so = dashes.found(read.page, quads, readings)
            quads, readings = np.concatenate((quads, strokes)), [*readings, *told_so]
            read_too: list[Support] = ["read"] * len(told_so)
            supports = (*supports, *read_too)
        if options.check_boxes:
            quads, readings, supports = check_boxes.told(check_boxes.find(read.page, quads), quads, readings, supports)
        lines = lines_of(read.cuts, quads, readings, supports, view, options.over(self._options))
        blocks = find_blocks(lines, width, height, rotation, read.page)
        timings = OcrTimings(
            detect=(glanced - begun) + read.finding,
            orient=oriented - glanced,
            recognise=time.perf_counter() - oriented - read.finding,
        )
        page = OcrPage(
            number=number,
            width=width,
            height=height,
            rotation=rotation,
            lines=lines,
            truncated=read.truncated,
            blocks=blocks,
            language=other.language.tag if other else "",
            warnings=() if script.page == "read" else ("unsupported_script",),
        )
        return page, timings

    def _judged(self, read: "_Read") -> Judgement:
        missed = passed_over(read.cuts, read.quads, read.readings).tolist()
        return judge(read.quads, read.readings, self._letters.is_prose, missed)

    def _of_models(self, tags: Sequence[str]) -> tuple[str, ...]:
        """Those of the languages that the models read."""
        return told(without_others(tags, self._options.model), self._options.model)

    def _read_turned(self, shown: Cuts, glance: Glance, rotation: Rotation) -> "_Read":
        """What stands on a page, given the glance at it, once it is turned by so many degrees clockwise."""
        begun = time.perf_counter()
        cuts = Cuts(turn(shown.page, rotation)) if rotation else shown
        page = cuts.page
        if rotation:
            # looked at anew, so that it reads exactly as the page would that was never turned
            glance = self._finder.glance(page)
        found = self._finder.refine(page, glance)
        quads = affordable(found)
        truncated = len(quads) < len(found)
        finding = time.perf_counter() - begun
        quads, readings = self._told_apart(cuts, quads, self._read(cuts, quads))
        shadows = quads[:0]
        if not len(found) and max(page.shape[:2]) <= MAX_TINY_SIDE:
            height, width = page.shape[:2]
            quads = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float32)
            readings = leftovers.sure(self._read(cuts, quads, np.zeros(1, bool)), 1)
        elif not truncated:
            quads, readings, shadows = self._with_leftovers(cuts, glance.look, quads, readings)
            quads, readings = self._without_leaders(cuts, quads, readings)
            quads, readings = rejoined(page, quads, readings, self._reader.read_once)
        return _Read(cuts, quads, readings, shadows, truncated, finding)

    def _taken(
        self, pixels: Pixels, number: int, written: list[WrittenLine], options: ReadOptions
    ) -> tuple[OcrPage, OcrTimings] | None:
        """The page made of the text that its file carries, as `recognise_pixels` has it; None where that is not so."""
        if not written:
            return None
        begun = time.perf_counter()
        some, cuts = tested(written), Cuts(pixels)
        readings = self._read(cuts, quads_of(some))
        if not all(are_alike(line.text, read.text) for line, read in zip(some, readings, strict=True)):
            return None
        height, width = pixels.shape[:2]
        said = [Reading(line.text, 1.0, line.places, (1.0,) * len(line.text)) for line in written]
        view = View(width=width, height=height, rotation=0, zoom=1)
        lines = lines_of(cuts, quads_of(written), said, ["read"] * len(said), view, options.over(self._options))
        blocks = find_blocks(lines, width, height, 0, pixels)
        page = OcrPage(number=number, width=width, height=height, lines=lines, blocks=blocks, source="text-layer")
        return page, OcrTimings(recognise=time.perf_counter() - begun)

    def _read(self, cuts: Cuts, quads: Quads, tall: NDArray[np.bool_] | None = None) -> list[Reading]:
        """The text in each box; `tall` (n,) tells which are turned to be read, usually those that are `is_tall`."""
        tall = is_tall(quads) if tall is None else tall
        crops = [cuts.cut(quad) for quad in quads]
        crops = [turn(crop, 270) if is_ else crop for crop, is_ in zip(crops, tall, strict=True)]
        readings = read_in_pieces(crops, self._reader.read)
        return [
            msgspec.structs.replace(reading, corner=reading.corner + 1) if is_ else reading
            for reading, is_ in zip(readings, tall, strict=True)
        ]

    def _told_apart(self, cuts: Cuts, quads: Quads, readings: list[Reading]) -> tuple[Quads, list[Reading]]:
        """The boxes and their readings, those replaced that turn out to hold several lines.

        A coarse look takes lines that are closely set for one, and what is read in their box is nonsense: it stands out
        by its thickness and by the doubt of the recogniser.
        """
        found = {i: self._finder.told_apart(cuts.page, quads[i]) for i in suspects(quads, readings)}
        return self._replaced(cuts, quads, readings, {i: lines for i, lines in found.items() if len(lines)})

    def _replaced(
        self, cuts: Cuts, quads: Quads, readings: list[Reading], parts: dict[int, Quads]
    ) -> tuple[Quads, list[Reading]]:
        """The boxes and their readings, some by their numbers replaced by others (n, 4, 2), which are read."""
        if not parts:
            return quads, readings
        kept = [i for i in range(len(quads)) if i not in parts]
        quads, readings = quads[kept], [readings[i] for i in kept]
        apart = quads[:0]
        for inside in parts.values():
            apart = np.concatenate((apart, without_overlap(inside, np.concatenate((quads, apart)))))
        return np.concatenate((quads, apart)), readings + self._read(cuts, apart)

    def _without_leaders(self, cuts: Cuts, quads: Quads, readings: list[Reading]) -> tuple[Quads, list[Reading]]:
        parts = leaders.torn(cuts.page, quads, [reading.text for reading in readings])
        if not parts:
            return quads, readings
        quads, readings = self._replaced(cuts, quads, readings, parts)
        texts = leaders.spelt(cuts.page, quads, [reading.text for reading in readings])
        return quads, [
            reading if reading.text == text else msgspec.structs.replace(reading, text=text, doubts=())
            for reading, text in zip(readings, texts, strict=True)
        ]

    def _with_leftovers(
        self, cuts: Cuts, look: Look, quads: Quads, readings: list[Reading]
    ) -> tuple[Quads, list[Reading], Quads]:
        """The boxes and their readings, and those of what the look saw, no box holds and turns out to be text.

        At last the boxes of shadows that did not: they may be text in another script.
        """
        unread = quads[:0]
        for kind, letters in ((leftovers.shadows, leftovers.MIN_SHADOW_LETTERS), (leftovers.spots, 1)):
            found = affordable(kind(look, quads), leftovers.MAX_LEFTOVER_PIXELS)
            # a spot is level with a line, however slim it is
            tall = is_tall(found) & (kind is leftovers.shadows)
            read = leftovers.sure(self._read(cuts, found, tall), letters)
            kept = [i for i, reading in enumerate(read) if reading.text]
            quads, readings = np.concatenate((quads, found[kept])), readings + [read[i] for i in kept]
            if kind is leftovers.shadows:
                unread = np.delete(found, kept, axis=0)
        return quads, readings, unread


class _Read(Struct, frozen=True):
    """What was read on a page."""

    cuts: Cuts
    """As it was turned to be read."""
    quads: Quads
    """Boxes (n, 4, 2) in its pixels."""
    readings: list[Reading]
    """Of each box, empty ones included."""
    shadows: Quads
    """Boxes (m, 4, 2) of what may be text of which the models read nothing surely."""
    truncated: bool
    finding: float
    """Seconds that it took to find the boxes."""

    @property
    def page(self) -> Pixels:
        return self.cuts.page


def quads_of(lines: Sequence[WrittenLine]) -> Quads:
    """Their boxes (n, 4, 2), as much larger than the letters as those that the detector gives."""
    boxes = np.array([(line.left, line.top, line.right, line.bottom) for line in lines], np.float32).reshape(-1, 4)
    rim = RIM_OF_LETTERS * (boxes[:, 3] - boxes[:, 1])
    left, top, right, bottom = boxes[:, 0] - rim, boxes[:, 1] - rim, boxes[:, 2] + rim, boxes[:, 3] + rim
    return np.stack([left, top, right, top, right, bottom, left, bottom], axis=1).reshape(-1, 4, 2)


def affordable(quads: Quads, most: int = MAX_TEXT_PIXELS) -> Quads:
    """All boxes (n, 4, 2), or the uppermost that together hold as much text, `most` pixels of their lines' widths."""
    longer, shorter = extents(quads)
    costs = np.maximum(FIRST_SQUEEZE * LINE_HEIGHT * longer / shorter, MIN_WIDTH)
    if costs.sum() <= most:
        return quads
    from_the_top = np.argsort(quads[:, :, 1].min(axis=1), kind="stable")
    return np.asarray(quads[from_the_top[np.cumsum(costs[from_the_top]) <= most]], np.float32)


def suspects(quads: Quads, readings: Sequence[Reading]) -> list[int]:
    """Indices of the boxes that may hold several lines, thick for the page, and hard to read or with little in them."""
    thickness = heights(quads)
    # where lines are few, none of them is usual
    thick = thickness > (THICK_BOX * np.median(thickness) if len(quads) > SPARSE_PAGE else 0)
    odd = (reading.confidence < DOUBTFUL_CONFIDENCE or len(reading.text) <= FEW_LETTERS for reading in readings)
    return [*itertools.islice((i for i, is_odd in enumerate(odd) if is_odd and thick[i]), MAX_SUSPECTS)]
