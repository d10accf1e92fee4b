"""Reads pages in scripts that the models do not hold: which language it is, how the page lies, and its lines.

Where the lines stand, their order and all formats stay ours; Tesseract, or a model pack, reads the boxes.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from msgspec import Struct

from ocr_engine.boxes import Quads, extents, run_down, sides
from ocr_engine.crops import Pixels, is_tall
from ocr_engine.errors import EngineError
from ocr_engine.options import ModelFamily
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.script import Judgement, Support
from ocr_engine.result import OcrModel, Rotation
from ocr_engine.scripts.languages import VIETNAMESE, Language, Script, named, without_others
from ocr_engine.scripts.letters import yod
from ocr_engine.scripts.lines import Box, own_share, read_well
from ocr_engine.scripts.marks import with_marks
from ocr_engine.scripts.readers import Readers
from ocr_engine.scripts.sources import LineSource
from ocr_engine.scripts.trial import (
    MIN_SCORE,
    MIN_SCORE_OF_FEW,
    Found,
    find_language,
    is_vietnamese,
    lines_by_themselves,
    samples,
    weight,
)

OWN_SHARE = 0.5
"""Share of a line's letters that are of the script, from which the line is in it."""
SURE_OF_LATIN = 0.95
"""Confidence of the models from which a line in letters that they hold may be left to them."""
FAR_SURER = 0.2
"""By so much they must be surer where the other reader sees letters of its own script."""
SURE_OF_SHADOW = 0.7
"""How surely what may be text must be read in the page's script to be a line of it."""
MAX_LINES_BY_THEMSELVES = 24
"""Lines of a page that are tried in other scripts than the page's own, which bounds what a page of noise costs."""
MIN_LINE_LENGTH = 2.0
"""Length by height of a line from which it is tried: a shorter one has too few letters to tell."""
NO_QUADS = np.zeros((0, 4, 2), np.float32)
_WAYS: tuple[Rotation, ...] = (0, 90, 180, 270)


class Told(Struct, frozen=True):
    """What is known of a page in another script."""

    language: Language
    turn: Rotation
    """Degrees clockwise by which the page still has to be turned for its lines to stand upright."""
    lacks_letters: bool = False
    """It is in another language of that script, for which there is no reader."""

    def turn_of(self, rotation: Rotation) -> Rotation:
        """The same of the page as it was before it was turned by `rotation`."""
        return _WAYS[(rotation + self.turn) // 90 % 4]


class OtherScripts:
    """Reads with the sources that are given, if any. Not for several threads at once."""

    def __init__(
        self, sources: Sequence[LineSource], tags: Sequence[str] = (), model: ModelFamily = "ppocr-v6"
    ) -> None:
        """`tags`: BCP 47 of the languages of all pages, where they are known; `model`: whose own are not asked for.

        Raises EngineError where one of the languages has no reader.
        """
        self._readers = Readers(sources, model)
        self._tags = tags
        self._model = model
        self._used: dict[Language, None] = {}
        lacking = [language for language in named(tags, model) if language not in self._readers.languages]
        if lacking:
            packages = ", ".join(f"tesseract-ocr-{language.data.replace('_', '-')}" for language in lacking)
            raise EngineError(
                f"to read {lacking[0].tag}, a model pack, or the extra `tesseract` and its data are needed: {packages}"
            )

    def begin(self) -> None:
        """Before each page: no reader took part in it yet."""
        self._used.clear()

    def told(self, page: Pixels, quads: Quads, script: Judgement, tags: Sequence[str] = ()) -> Told | None:
        """Which language a page is in whose script the models lack; None where it is none that is read here.

        `tags`: BCP 47 of the languages that it may be in, where they are known.
        """
        wanted = tags or self._tags
        # Greek, for one, can be read surely enough as what it is not
        said = bool(wanted) and not without_others(wanted, self._model)
        if script.page == "read" and not (script.open or said):
            return None
        least = MIN_SCORE_OF_FEW if script.page == "read" and not said else MIN_SCORE
        among = [
            each
            for each in self._candidates(script.page, tags)
            if script.code in ("", each.script.code) and script.ruled_out != each.script.code
        ]
        lines = samples(page, quads, script)
        found = find_language(self._readers, among, lines, least)
        if found is None and script.page == "unread":
            # of tight print so little is read that its letters do not tell it
            found = next(
                (
                    Found(each, upside_down=False)
                    for each in self._candidates("letters_missing", tags)
                    if is_vietnamese(self._readers, each, lines)
                ),
                None,
            )
        if found is None:
            return None
        ways: tuple[Rotation, Rotation] = (270, 90) if run_down(*sides(quads)) else (0, 180)
        return Told(found.language, ways[found.upside_down], found.lacks_letters and not wanted)

    def read(
        self,
        page: Pixels,
        quads: Quads,
        readings: Sequence[Reading],
        script: Judgement,
        told: Told,
        tags: Sequence[str] = (),
        shadows: Quads = NO_QUADS,
    ) -> tuple[Quads, list[Reading], Judgement]:
        """The boxes, readings and judgement of a page that lies upright; what the models hold they have read.

        Lines that are in yet another script than the page's are read in that, if they are in one of `tags` or those are
        not known. `shadows`: boxes (m, 4, 2) of what may be text; what is surely read in the page's script is added.
        """
        supports, readings, language = list(script.lines), list(readings), told.language
        support: Support = "letters_missing" if told.lacks_letters else "read"
        elsewhere: list[int] = []
        kept = [*range(len(quads))]
        if language.script.stacked:
            quads, kept = with_marks(quads)
        reader = self._readers.of(language)
        tall = is_tall(quads)
        for i in kept:
            theirs = read_well(reader, Box(page, quads[i]), language.script)
            if theirs.text and not _is_ours(readings[i], supports[i], theirs, language.script):
                readings[i] = msgspec.structs.replace(theirs, corner=int(tall[i]))
                supports[i] = support
                if weight(theirs, language.script) < MIN_SCORE:
                    elsewhere.append(i)
        self._used[language] = None
        others = [each for each in self._candidates("unread", tags) if each.script is not language.script]
        self._read_by_themselves(page, quads, readings, supports, elsewhere, others)
        found = {i: read_well(reader, Box(page, shadow), language.script) for i, shadow in enumerate(shadows)}
        lost = [i for i, reading in found.items() if weight(reading, language.script) >= SURE_OF_SHADOW]
        quads = np.concatenate((quads[kept], shadows[lost]))
        readings = [readings[i] for i in kept] + [found[i] for i in lost]
        judgement = Judgement(support, (*(supports[i] for i in kept), *(support for _ in lost)))
        return quads, yod.put_right(readings) if language.tag == yod.HEBREW else readings, judgement

    def read_lines(
        self, page: Pixels, quads: Quads, readings: Sequence[Reading], script: Judgement, tags: Sequence[str] = ()
    ) -> tuple[list[Reading], Judgement]:
        """Readings and judgement of a page that the models read: its lines in other scripts are read, too."""
        supports, readings = list(script.lines), list(readings)
        unread = [i for i, support in enumerate(supports) if support == "unread"]
        if unread:
            candidates = self._candidates("unread", tags)
            self._read_by_themselves(page, quads, readings, supports, unread, candidates, MIN_SCORE_OF_FEW)
        return readings, msgspec.structs.replace(script, lines=tuple(supports))

    def models(self) -> tuple[OcrModel, ...]:
        """What took part in the page, beside the models."""
        return tuple(dict.fromkeys(self._readers.model(language) for language in self._used))

    def _read_by_themselves(
        self,
        page: Pixels,
        quads: Quads,
        readings: list[Reading],
        supports: list[Support],
        lines: Sequence[int],
        languages: Sequence[Language],
        least: float = MIN_SCORE,
    ) -> None:
        """Reads some of the lines of an upright page in the script of each, in place; the others stay as they are."""
        longer, shorter = extents(quads)
        asked = [i for i in lines if longer[i] >= MIN_LINE_LENGTH * shorter[i]][:MAX_LINES_BY_THEMSELVES]
        tall = is_tall(quads)
        boxes = [Box(page, quads[i]) for i in asked]
        for i, found in zip(asked, lines_by_themselves(self._readers, languages, boxes, least), strict=True):
            if found:
                readings[i] = msgspec.structs.replace(found.reading, corner=int(tall[i]))
                supports[i] = "read"
                self._used[found.language] = None

    def _candidates(self, page: Support, tags: Sequence[str]) -> list[Language]:
        """The languages that a page may be in."""
        wanted = tags or self._tags
        among = named(wanted, self._model) if wanted else self._readers.languages
        # Vietnamese is told by what the models read, and nothing else is told so
        return [
            language
            for language in among
            if language in self._readers.languages and (language.script is VIETNAMESE) == (page == "letters_missing")
        ]


def _is_ours(ours: Reading, support: Support, theirs: Reading, script: Script) -> bool:
    """Whether a line is in letters that the models hold, such as a name or an address in Latin letters."""
    if support != "read" or ours.confidence < SURE_OF_LATIN:
        return False
    return own_share(theirs.text, script) < OWN_SHARE or theirs.confidence < ours.confidence - FAR_SURER
