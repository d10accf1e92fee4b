"""Pages in scripts that the models lack are read by Tesseract in our boxes, where its data is installed."""

import io
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from rapidfuzz.distance import Levenshtein

from ocr_engine.document.opening import open_document
from ocr_engine.engine import Engine
from ocr_engine.errors import EngineError
from ocr_engine.options import EngineOptions, ReadOptions
from ocr_engine.result import OcrPage, OcrResult, Rotation
from ocr_engine.scripts.data import find_data

PICTURES = Path(__file__).parent.parent / "pictures" / "scripts"
DEJAVU = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
READ = {"ru": 0.99, "el": 0.97, "ar": 0.97, "hi": 0.97, "th": 0.95, "ko": 0.97, "vi": 0.98, "he": 0.85}
"""Similarity, at least, of what is read; Tesseract's data of Hebrew takes figures for letters."""


def picture(language: str) -> Image.Image:
    return Image.open(PICTURES / f"{language}.png").convert("L")


def truth(language: str) -> list[str]:
    return (PICTURES / f"{language}.txt").read_text("utf-8").splitlines()


def png(shown: Image.Image) -> bytes:
    file = io.BytesIO()
    shown.save(file, "PNG")
    return file.getvalue()


def similarity(text: str, lines: Sequence[str]) -> float:
    return float(Levenshtein.normalized_similarity("".join(text.split()), "".join("".join(lines).split())))


def only_page(result: OcrResult) -> OcrPage:
    (page,) = result.pages
    return page


@pytest.mark.parametrize("language", READ)
def test_a_page_in_another_script_is_read_and_says_in_what_language(engine: Engine, language: str) -> None:
    result = engine.recognise(png(picture(language)))
    page = only_page(result)
    assert (page.language, page.rotation, page.warnings) == (language, 0, ())
    assert similarity(result.text, truth(language)) >= READ[language]
    assert len(page.lines) == len(truth(language))
    assert not any(line.unsupported_script for line in page.lines)
    assert [model.name for model in result.models][-1].endswith(".traineddata")
    assert all(len(model.sha256) == 64 for model in result.models)


@pytest.mark.parametrize("language", ["ru", "ar", "th"])
def test_words_of_another_script_stand_in_their_line_and_in_its_direction(engine: Engine, language: str) -> None:
    for line in only_page(engine.recognise(png(picture(language)))).lines:
        assert " ".join(word.text for word in line.words) == line.text
        left, right = min(x for x, _ in line.polygon), max(x for x, _ in line.polygon)
        middles = [sum(x for x, _ in word.polygon) / 4 for word in line.words]
        assert all(left <= x <= right for x in middles)
        assert all(a > b if language == "ar" else a < b for a, b in pairwise(middles))


@pytest.mark.parametrize(
    ("language", "turned", "way"),
    [
        ("ru", Image.Transpose.ROTATE_180, 180),
        ("ko", Image.Transpose.ROTATE_90, 90),
        ("el", Image.Transpose.ROTATE_270, 270),
    ],
)
def test_a_page_in_another_script_that_was_turned_is_read_as_it_was(
    engine: Engine, language: str, turned: Image.Transpose, way: Rotation
) -> None:
    result = engine.recognise(png(picture(language).transpose(turned)))
    assert (only_page(result).language, only_page(result).rotation) == (language, way)
    assert similarity(result.text, truth(language)) >= 0.95


@pytest.mark.parametrize("language", ["ru", "el"])
def test_a_page_of_two_lines_in_another_script_is_read(engine: Engine, language: str) -> None:
    shown = picture(language)
    result = engine.recognise(png(shown.crop((0, 0, shown.width, 95))))
    assert (only_page(result).language, only_page(result).warnings) == (language, ())
    assert similarity(result.text, truth(language)[:2]) >= 0.95


def test_what_stands_beside_each_other_is_read_from_the_right_in_arabic(engine: Engine) -> None:
    arabic = picture("ar")
    width, height = arabic.size
    two_lines = 95
    # the last two to the left of the first two
    page = Image.new("L", (2 * width + 40, two_lines), arabic.getpixel((2, 2)))
    page.paste(arabic.crop((0, height - two_lines, width, height)), (0, 0))
    page.paste(arabic.crop((0, 0, width, two_lines)), (width + 40, 0))
    text = engine.recognise(png(page)).text
    upper, lower = truth("ar")[0], truth("ar")[-1]
    assert text.index(upper.split()[0]) < text.index(lower.split()[0])


def test_a_line_in_latin_letters_on_such_a_page_is_left_to_the_models(engine: Engine) -> None:
    russian = picture("ru")
    page = Image.new("L", (russian.width, russian.height + 60), "white")
    page.paste(russian, (0, 0))
    words = "Contact: office@example.org, +44 20 7946"
    ImageDraw.Draw(page).text((30, russian.height), words, fill=0, font=ImageFont.load_default(24))
    result = engine.recognise(png(page))
    assert only_page(result).language == "ru"
    assert result.text.split("\n")[-1] == words


@pytest.mark.parametrize("language", ["ru", "uk"])
def test_lines_in_another_script_among_those_that_the_models_read_are_read(engine: Engine, language: str) -> None:
    font = ImageFont.truetype(DEJAVU, 22)
    others = {"ru": "Просим оплатить счёт в течение десяти дней.", "uk": "Усі люди народжуються вільними і рівними."}
    lines = ["The contract takes effect today.", others[language], "Please pay within thirty days."]
    page = Image.new("L", (700, 160), "white")
    for row, line in enumerate(lines):
        ImageDraw.Draw(page).text((30, 20 + 40 * row), line, fill=0, font=font)
    result = engine.recognise(png(page))
    assert (only_page(result).language, only_page(result).warnings) == ("", ())
    assert similarity(result.text, lines) >= 0.98


def test_a_receipt_in_another_script_is_read_though_its_figures_are(engine: Engine) -> None:
    page, font = Image.new("L", (560, 330), "white"), ImageFont.truetype(DEJAVU, 22)
    items = ["Хлеб", "Молоко", "Сахар", "Масло", "Яблоки", "Рыба"]
    for row, item in enumerate(items):
        ImageDraw.Draw(page).text((30, 20 + 48 * row), f"{item} {row + 2}", fill=0, font=font)
        ImageDraw.Draw(page).text((440, 20 + 48 * row), f"{row + 1}4.50", fill=0, font=font)
    result = engine.recognise(png(page))
    assert (only_page(result).language, only_page(result).warnings) == ("ru", ())
    assert all(item in result.text for item in items)
    assert all(f"{row + 1}4.50" in result.text for row in range(len(items)))


@pytest.mark.parametrize(("tags", "language"), [(("ru", "de"), "ru"), (("el",), ""), (("de",), "")])
def test_only_languages_that_were_told_are_tried(engine: Engine, tags: tuple[str, ...], language: str) -> None:
    options = ReadOptions(languages=tags)
    document = open_document(png(picture("ru")), options, EngineOptions())
    page = only_page(engine.read_page(document, 1, options))
    assert page.language == language
    assert page.warnings == (() if language else ("unsupported_script",))


def test_a_page_whose_language_has_no_data_is_read_in_another_one_of_its_script_and_says_that_letters_lack(
    tmp_path: Path, engine: Engine, cache: str
) -> None:
    font = ImageFont.truetype(DEJAVU, 24)
    said = [
        "Усі люди народжуються вільними і рівними у своїй",
        "гідності та правах. Вони наділені розумом і совістю",
        "і повинні діяти у відношенні один до одного в дусі",
        "братерства. Ніхто не може бути підданий тортурам.",
    ]
    page = Image.new("L", (800, 220), "white")
    for row, line in enumerate(said):
        ImageDraw.Draw(page).text((30, 20 + 48 * row), line, fill=0, font=font)
    russian = find_data("")
    assert russian
    (tmp_path / "rus.traineddata").symlink_to(russian.folder / "rus.traineddata")
    poor = only_page(Engine(EngineOptions(tesseract_data=str(tmp_path), cache_dir=cache)).recognise(png(page)))
    assert (poor.language, poor.warnings) == ("ru", ("unsupported_script",))
    assert all(line.unsupported_script and line.confidence <= 0.5 for line in poor.lines)
    read = only_page(engine.recognise(png(page)))
    assert (read.language, read.warnings) == ("uk", ())


@pytest.mark.parametrize("fault", ["no-folder", "empty", "no-language"])
def test_data_that_was_named_and_is_not_there_ends_the_start(tmp_path: Path, fault: str) -> None:
    options = {
        "no-folder": EngineOptions(tesseract_data=str(tmp_path / "nowhere")),
        "empty": EngineOptions(tesseract_data=str(tmp_path)),
        "no-language": EngineOptions(languages=("ru",), tesseract_data="none"),
    }[fault]
    with pytest.raises(EngineError, match="tesseract-ocr-rus" if fault == "no-language" else "OCR_TESSERACT_DATA"):
        Engine(options)


def test_damaged_data_is_a_fault_of_the_engine_and_names_it(tmp_path: Path) -> None:
    (tmp_path / "rus.traineddata").write_bytes(b"no data of Tesseract")
    engine = Engine(EngineOptions(tesseract_data=str(tmp_path)))
    with pytest.raises(EngineError, match="rus"):
        engine.recognise(png(picture("ru")))
