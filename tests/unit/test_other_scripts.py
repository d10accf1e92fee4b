"""What is known of scripts: their letters, their marks, and which data is there for them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from app.processes import engine_options
from config.environment import from_environment
from ocr_engine.boxes import Quads
from ocr_engine.crops import Pixels
from ocr_engine.recognition.ctc import NOTHING, Reading
from ocr_engine.recognition.letters.files import SUFFIX
from ocr_engine.recognition.script import Judgement
from ocr_engine.result import OcrModel
from ocr_engine.scripts.data import TesseractData, find_data
from ocr_engine.scripts.languages import LANGUAGES, Language, named, without_others
from ocr_engine.scripts.letters.fit import FOLDER, UNKNOWN_BITS, bits
from ocr_engine.scripts.lines import Box, middle, own_share, with_margin
from ocr_engine.scripts.marks import with_marks
from ocr_engine.scripts.other_scripts import OtherScripts, Told
from ocr_engine.scripts.readable import readable_languages
from ocr_engine.scripts.readers import MAX_LOADED, Readers
from ocr_engine.scripts.sources import TesseractSource
from ocr_engine.scripts.tesseract import TRAINED_HEIGHT, LineReader, prepared
from ocr_engine.scripts.trial import find_language


class FixedReader:
    """Reads the same whatever the line."""

    def __init__(self, text: str, confidence: float) -> None:
        self._reading = Reading(text, confidence)

    def read(self, crop: Pixels, border: int) -> Reading:
        return self._reading

    def close(self) -> None:
        pass


class Fixed:
    """A source of them: what each language reads, and how surely."""

    def __init__(self, certainty: dict[str, tuple[str, float]]) -> None:
        self.languages = named(certainty)
        self._certainty = certainty

    def key(self, language: Language) -> str:
        return language.tag

    def model(self, language: Language) -> OcrModel:
        return OcrModel(role="recognition", name=language.tag, sha256="")

    def open(self, language: Language) -> LineReader:
        return FixedReader(*self._certainty[language.tag])


def box(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def boxes(*corners: tuple[float, float, float, float]) -> Quads:
    return np.array([box(*each) for each in corners], np.float32).reshape(-1, 4, 2)


@pytest.mark.parametrize(
    ("tag", "text", "share"),
    [
        ("ru", "Привет, 12", 1.0),
        ("ru", "Привет world!", 6 / 11),
        ("th", "\u0e17\u0e35\u0e48", 1.0),
        ("el", "abc", 0.0),
        ("ar", "12", 0.0),
    ],
)
def test_letters_are_counted_to_their_script(tag: str, text: str, share: float) -> None:
    (language,) = named([tag])
    assert own_share(text, language.script) == pytest.approx(share)


def test_each_language_has_one_name() -> None:
    assert len({language.tag for language in LANGUAGES}) == len(LANGUAGES)
    shared = [language.tag for language in LANGUAGES if language.data == "kir"]
    assert shared == ["tt", "ky"]
    assert len({language.data for language in LANGUAGES}) == len(LANGUAGES) - 1


def test_every_language_that_shares_its_script_has_a_small_letter_model_whose_source_is_told() -> None:
    scripts = Counter(language.script.code for language in LANGUAGES)
    shared = {language.tag for language in LANGUAGES if scripts[language.script.code] > 1}
    files = sorted(FOLDER.glob(f"*{SUFFIX}"))
    assert {file.stem for file in files} == shared - {"sd"}
    assert all(language.script.holds(sign) for language in LANGUAGES for sign in language.signs)
    assert max(file.stat().st_size for file in files) <= 32_000
    sources = (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    assert all(f"| {file.stem} |" in sources for file in files)


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("ru", "Он не мог открыть этот файл"),
        ("uk", "Не вдалося відкрити цей файл"),
        ("bg", "Този файл не може да бъде отворен"),
        ("sr", "Није могуће отворити ову датотеку"),
        ("ar", "تعذر فتح هذا الملف لأنه غير موجود"),
        ("fa", "این پرونده را نمی‌توان باز کرد"),
        ("hi", "यह फ़ाइल नहीं खोली जा सकती है"),
        ("mr", "ही फाइल उघडता आली नाही आणि"),
        ("he", "לא ניתן לפתוח את הקובץ"),
    ],
)
def test_a_text_fits_its_own_language_best_of_those_of_its_script(tag: str, text: str) -> None:
    (own,) = named([tag])
    alike = [language for language in LANGUAGES if language.script is own.script]
    assert min(alike, key=lambda language: bits(text, language)) is own
    assert bits(f"PDF 12 {text}", own) == pytest.approx(bits(text, own))
    assert bits("PDF 12", own) == UNKNOWN_BITS


def test_languages_are_named_whatever_their_region() -> None:
    assert [language.tag for language in named(["uk_UA", "de", "RU"])] == ["ru", "uk"]
    assert without_others(["uk-UA", "de-AT", "RU", "en"]) == ("de-AT", "en")


def test_marks_over_and_under_a_line_are_read_with_it() -> None:
    line, above, below = (10, 30, 400, 60), (50, 18, 90, 29), (200, 58, 220, 70)
    grown, lines = with_marks(boxes(above, line, below))
    assert lines == [1]
    assert grown[1].tolist() == boxes((10, 18, 400, 70))[0].tolist()


@pytest.mark.parametrize(
    "other",
    [(10, 68, 400, 98), (50, 5, 90, 15), (380, 18, 480, 29), (10, 62, 90, 80)],
    ids=["the next line", "far above", "beside", "a low line"],
)
def test_what_are_no_marks_stays_a_line_of_its_own(other: tuple[float, float, float, float]) -> None:
    grown, lines = with_marks(boxes((10, 30, 400, 60), other))
    assert lines == [0, 1]
    assert grown.tolist() == boxes((10, 30, 400, 60), other).tolist()


def test_a_margin_lies_along_a_line_that_is_level_and_one_that_is_not() -> None:
    assert with_margin(boxes((0, 10, 100, 30))[0], 0.1).tolist() == boxes((0, 8, 100, 32))[0].tolist()
    assert with_margin(boxes((10, 0, 30, 100))[0], 0.1).tolist() == boxes((8, 0, 32, 100))[0].tolist()
    assert with_marks(boxes())[1] == []


def test_a_line_is_given_dark_on_bright_at_its_height_with_paper_around_it() -> None:
    crop = np.full((72, 300, 3), 20, np.uint8)
    crop[30:40, 100:200] = 240
    line = prepared(crop, 10)
    assert line.shape == (TRAINED_HEIGHT + 20, 170)
    assert (line[0, 0], line[10 + 17, 85]) == (235, 15)


def test_data_is_found_by_its_names(tmp_path: Path) -> None:
    for name in ("ell", "rus", "deu", "osd"):
        (tmp_path / f"{name}.traineddata").write_bytes(b"")
    data = TesseractData(tmp_path)
    assert [language.tag for language in data.languages()] == ["ru", "el"]
    assert readable_languages(str(tmp_path), "", "ppocr-v6") == {"el": "tesseract", "ru": "tesseract"}
    assert find_data("none") is None
    assert readable_languages("none", "", "ppocr-v6") == {}


def test_only_a_few_languages_stay_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for language in LANGUAGES[:4]:
        (tmp_path / f"{language.data}.traineddata").write_bytes(b"")
    closed: list[str] = []

    class Silent:
        def __init__(self, tag: str) -> None:
            self.tag = tag

        def read(self, _crop: object, _border: int) -> object:
            raise AssertionError("nothing is read here")

        def close(self) -> None:
            closed.append(self.tag)

    source = TesseractSource(TesseractData(tmp_path))
    monkeypatch.setattr(source, "open", lambda language: Silent(language.tag))
    readers = Readers([source])
    first, second, *others = readers.languages
    for language in (first, second, first, *others):
        readers.of(language)
    assert closed == [second.tag, first.tag]
    assert sum(map(readers.is_loaded, readers.languages)) == MAX_LOADED


@pytest.mark.parametrize(
    ("certainty", "told"),
    [
        ({"ru": ("писать ранее", 0.96), "sr": ("писатђ ранее", 0.83)}, "ru"),
        ({"ru": ("никто не может", 0.95), "bg": ("никто не може", 0.97)}, "ru"),
        ({"ru": ("нико ьее бити држан у ропству", 0.96), "sr": ("нико неће бити држан у ропству", 0.95)}, "sr"),
        ({"kk": ("меҗбүр һәм", 0.93), "tt": ("меҗбүр һәм", 0.95), "ky": ("меҗбүр һәм", 0.95)}, "tt"),
        ({"kk": ("құқық және", 0.95), "tt": ("кукык жәна", 0.93), "ky": ("кукык жәна", 0.93)}, "kk"),
        ({"kk": ("менен жөнүндө", 0.95), "tt": ("менен жөнүндө", 0.95), "ky": ("менен жөнүндө", 0.95)}, "ky"),
        ({"uk": ("старіші версії", 0.95), "kk": ("старіші версіі", 0.93)}, "uk"),
        ({"hi": ("सभी को अधिकार है और यह उनका", 0.91), "ne": ("सभी को अधिकार है और यह उनका", 0.95)}, "hi"),
        ({"ar": ("جونكه انسانى حقوق س لايروائى", 0.9), "ur": ("چونکہ انسانی حقوق سے لاپروائی", 0.88)}, "ur"),
        ({"ar": ("حق كل شخص", 0.9), "sd": ("حق كل شخص", 0.95)}, "ar"),
    ],
    ids=[
        "much surer",
        "a bit less sure",
        "Serbian",
        "Tatar",
        "Kazakh",
        "Kyrgyz",
        "Ukrainian",
        "Hindi",
        "Urdu",
        "no model",
    ],
)
def test_of_the_languages_of_a_script_the_one_is_told_whose_letters_were_read(
    certainty: dict[str, tuple[str, float]], told: str
) -> None:
    line = Box(np.full((40, 400, 3), 255, np.uint8), boxes((10, 5, 390, 35))[0])
    source = Fixed(certainty)
    found = find_language(Readers([source]), source.languages, [line], 0.6)
    assert found is not None
    assert found.language.tag == told


@pytest.mark.parametrize(
    ("tag", "said", "lacking"),
    [
        ("ru", "Кукыктары мен бостандыктары тен болып дуниеге келеди барлык адамдар", True),
        ("ru", "Всички хора се раждат свободни и равни по достойнство и права, те са", False),
        ("ru", "Все люди рождаются свободными и равными в своем достоинстве и правах", False),
        ("ru", "Кукыктары мен", False),
        ("ar", "تمام افراد بشر آزاد بدنيا ميايند و از لحاظ حيثيت و حقوق با هم برابرند", True),
    ],
    ids=["Kazakh", "Bulgarian, which has no other letters", "Russian", "too short to tell", "Persian"],
)
def test_a_language_without_a_reader_whose_letters_another_one_lacks_is_noticed(
    tag: str, said: str, lacking: bool
) -> None:
    line = Box(np.full((40, 400, 3), 255, np.uint8), boxes((10, 5, 390, 35))[0])
    source = Fixed({tag: (said, 0.9)})
    found = find_language(Readers([source]), source.languages, [line], 0.6)
    assert found is not None
    assert found.lacks_letters == lacking


def test_languages_that_the_first_reading_does_not_fit_are_not_loaded() -> None:
    opened: list[str] = []

    class Source(Fixed):
        def open(self, language: Language) -> LineReader:
            opened.append(language.tag)
            return super().open(language)

    said = "права людини та основні свободи"
    source = Source({"ru": (said, 0.9), "uk": (said, 0.96), "bg": (said, 0.9), "kk": (said, 0.9), "mn": (said, 0.9)})
    line = Box(np.full((40, 400, 3), 255, np.uint8), boxes((10, 5, 390, 35))[0])
    assert find_language(Readers([source]), source.languages, [line], 0.6) is not None
    assert opened == ["ru", "uk"]


def test_a_script_that_reads_the_first_line_badly_is_tried_on_the_others_where_those_before_it_read_none() -> None:
    class Differs(FixedReader):
        def read(self, crop: Pixels, border: int) -> Reading:
            whole = crop.shape[1] > 700
            return (
                Reading(self._reading.text, 0.9 if whole else 0.3) if self._reading.text == "مفتاح" else self._reading
            )

    class Source(Fixed):
        def open(self, language: Language) -> LineReader:
            return Differs(*self._certainty[language.tag])

    source = Source({"ko": ("가나다", 0.5), "ka": ("აბგ", 0.5), "ar": ("مفتاح", 0.3)})
    line = Box(np.full((40, 800, 3), 255, np.uint8), boxes((10, 5, 790, 35))[0])
    found = find_language(Readers([source]), source.languages, [line], 0.6)
    assert found is not None
    assert found.language.tag == "ar"


def test_a_page_is_told_by_the_first_language_of_its_script_whatever_the_page_before_it_has_loaded() -> None:
    source = Fixed({"ar": ("مفتاح", 0.9), "ug": ("مفتاح", 0.3), "ko": ("가나다", 0.4)})
    readers = Readers([source])
    readers.of(source.languages[1])
    line = Box(np.full((40, 400, 3), 255, np.uint8), boxes((10, 5, 390, 35))[0])
    found = find_language(readers, source.languages, [line], 0.6)
    assert found is not None
    assert found.language.tag == "ar"


@pytest.mark.parametrize(("tags", "told"), [(["el"], "el"), (["el", "de"], None), ([], None), (["ru"], None)])
def test_a_page_that_the_models_read_is_in_another_script_only_where_that_is_told(
    tags: list[str], told: str | None
) -> None:
    """They read some Greek as surely as Latin."""
    source = Fixed({"el": ("\u03ba\u03b1\u03b9 \u03c4\u03bf", 0.95), "ru": ("abc", 0.3)})
    page, quads = np.full((40, 400, 3), 255, np.uint8), boxes((10, 5, 390, 35))
    found = OtherScripts([source]).told(page, quads, Judgement("read", ("read",)), tags)
    assert (found.language.tag if found else None) == told


@pytest.mark.parametrize(
    ("said", "confidence", "told"),
    [("Không được phép diễn giải", 0.67, "vi"), ("Không được phép diễn giải", 0.4, None), ("abc dec phe", 0.9, None)],
    ids=["its letters", "as other scripts are", "without its letters"],
)
def test_a_page_of_which_too_little_is_read_to_tell_its_letters_is_vietnamese_where_its_reader_knows_it(
    said: str, confidence: float, told: str | None
) -> None:
    source = Fixed({"vi": (said, confidence), "ru": ("abc", 0.3)})
    page, quads = np.full((40, 400, 3), 255, np.uint8), boxes((10, 5, 390, 35))
    found = OtherScripts([source]).told(page, quads, Judgement("unread", ("unread",)))
    assert (found.language.tag if found else None) == told


@pytest.mark.parametrize(
    ("said", "confidence", "lines"), [("καὶ τὸ φῶς", 0.9, 2), ("καὶ τὸ φῶς", 0.5, 1), ("1,50", 0.99, 1)]
)
def test_what_may_be_text_is_a_line_of_a_page_in_another_script_where_it_is_surely_read_in_that(
    said: str, confidence: float, lines: int
) -> None:
    source = Fixed({"el": (said, confidence)})
    page, quads, shadow = np.full((90, 400, 3), 255, np.uint8), boxes((10, 5, 390, 35)), boxes((10, 50, 390, 80))
    told = Told(source.languages[0], turn=0)
    unread = Judgement("unread", ("unread",))
    found, readings, judged = OtherScripts([source]).read(page, quads, [NOTHING], unread, told, shadows=shadow)
    assert len(found) == len(readings) == len(judged.lines) == lines
    assert [reading.text for reading in readings] == [said] * lines


@pytest.mark.parametrize("tall", [False, True])
def test_what_is_tried_first_is_the_middle_of_a_long_line(tall: bool) -> None:
    along, short = (
        (boxes((10, 100, 30, 1100)), boxes((10, 100, 30, 200)))
        if tall
        else (
            boxes((100, 10, 1100, 30)),
            boxes((100, 10, 200, 30)),
        )
    )
    expected = boxes((10, 400, 30, 800)) if tall else boxes((400, 10, 800, 30))
    assert middle(along[0], 20).tolist() == expected[0].tolist()
    assert middle(short[0], 20).tolist() == short[0].tolist()


def test_a_service_may_be_told_languages_of_the_models_and_others() -> None:
    settings = from_environment({"OCR_LANGUAGES": "de-AT, ru,th", "OCR_TESSERACT_DATA": "/data"})
    options = engine_options(settings)
    assert (options.languages, options.tesseract_data) == (("de", "ru", "th"), "/data")
