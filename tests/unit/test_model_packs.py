"""Model packs: what their manifest must say, what is refused and how it is told, and lines that run to the left."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from app.http.requests.languages import languages_told
from app.processes import engine_options
from config.settings import Settings, SettingsError
from ocr_engine.models.onnx_file import shapes
from ocr_engine.options import EngineOptions
from ocr_engine.recognition.ctc import Reading
from ocr_engine.recognition.letters.languages import UnknownLanguage
from ocr_engine.scripts.languages import named
from ocr_engine.scripts.packs.make import main as make
from ocr_engine.scripts.packs.manifest import MANIFEST, WrongPacks, packs_in
from ocr_engine.scripts.packs.reader import PackReader, as_read
from ocr_engine.scripts.readable import readable_languages
from ocr_engine.scripts.readers import Readers
from ocr_engine.scripts.sources import PackSource

CHARACTERS = "\n".join("абвгд") + "\n"
WIDTH = 8
"""Pixels of the input for each step of the output."""


def recogniser(classes: int, height: int = 48, carried: str = "") -> bytes:
    """A model with the inputs and outputs of a recogniser, which reads its second class and nothing else."""
    weights = np.zeros((classes, 3, height, WIDTH), np.float32)
    bias = np.eye(1, classes, 1, dtype=np.float32)[0]
    tensors = [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")]
    nodes = [
        helper.make_node("Conv", ["x", "w", "b"], ["c"], kernel_shape=[height, WIDTH], strides=[height, WIDTH]),
        helper.make_node("Squeeze", ["c"], ["s"], axes=[2]),
        helper.make_node("Transpose", ["s"], ["y"], perm=[0, 2, 1]),
    ]
    taken = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, height, "w"])
    given = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", "t", classes])
    model = helper.make_model(
        helper.make_graph([*nodes], "g", [taken], [given], tensors),
        opset_imports=[helper.make_opsetid("", 11)],
        ir_version=8,
    )
    if carried:
        helper.set_model_props(model, {"character": carried})
    return bytes(model.SerializeToString())


def entry(folder: Path, **other: Any) -> dict[str, Any]:
    """A sound pack of Russian, its files written; `other` replaces what the manifest says of it."""
    (folder / "ru.onnx").write_bytes(model := recogniser(7))
    (folder / "ru.txt").write_text(CHARACTERS, "utf-8")
    told = {
        "name": "cyrillic",
        "model": "ru.onnx",
        "sha256": hashlib.sha256(model).hexdigest(),
        "languages": ["ru", "uk", "bg"],
        "characters": "ru.txt",
        "characters_sha256": hashlib.sha256(CHARACTERS.encode()).hexdigest(),
    }
    return {name: value for name, value in {**told, **other}.items() if value is not None}


def folder_of(folder: Path, *packs: dict[str, Any]) -> str:
    (folder / MANIFEST).write_bytes(msgspec.json.encode({"packs": packs}))
    return str(folder)


@pytest.fixture(autouse=True)
def unknown_folders() -> Iterator[None]:
    packs_in.cache_clear()
    yield
    packs_in.cache_clear()


def test_a_sound_pack_is_known_by_its_languages(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, entry(tmp_path))
    (pack,) = packs_in(folder)
    assert pack.characters == tuple("абвгд")
    assert readable_languages("none", folder, "ppocr-v6") == {"bg": "pack", "ru": "pack", "uk": "pack"}
    settings = Settings(ocr_model_packs=folder, ocr_tesseract_data="none", ocr_languages="de,uk")
    assert engine_options(settings).languages == ("de", "uk")
    assert languages_told("uk,en", settings) == ("en", "uk")
    with pytest.raises(UnknownLanguage, match="'el' is none of the languages"):
        languages_told("el", settings)


def test_what_the_models_read_themselves_no_pack_is_asked_for(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, entry(tmp_path, languages=["ja", "en", "ru"]))
    assert readable_languages("none", folder, "ppocr-v6") == {"ru": "pack"}
    assert readable_languages("none", folder, "ppocr-v6-tiny") == {"ja": "pack", "ru": "pack"}
    assert [language.tag for language in named(["ja", "ru"], "ppocr-v6-tiny")] == ["ru", "ja"]


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def written(name: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return write


def nothing(_folder: Path) -> None:
    """Leaves all files as they are."""


SHORT = "а\nб\nв\nг\n".encode()


@pytest.mark.parametrize(
    ("spoil", "told", "fault"),
    [
        (without("ru.onnx"), {}, r"pack 'cyrillic': .*ru\.onnx cannot be read: No such file"),
        (without("ru.txt"), {}, r"ru\.txt cannot be read: No such file"),
        (written("ru.onnx", b"other"), {}, r"ru\.onnx is another file: sha256 \w{64}, expected \w{64}"),
        (written("ru.txt", SHORT), {}, r"ru\.txt is another file"),
        (
            written("ru.txt", SHORT),
            {"characters_sha256": hashlib.sha256(SHORT).hexdigest()},
            r"ru\.txt lists 4 characters, and ru\.onnx has 7 classes: 5 were right",
        ),
        (nothing, {"characters_sha256": None}, r"the hash of ru\.txt is missing"),
        (nothing, {"characters": None, "characters_sha256": None}, r"ru\.onnx carries no character list"),
        (nothing, {"languages": ["ru", "xx"]}, "'xx' is no language that is known here"),
        (nothing, {"languages": []}, r"packs\.json: Expected `array` of length >= 1"),
        (nothing, {"model": "../ru.onnx"}, r"packs\.json: Expected `str` matching regex"),
        (nothing, {"modell": "ru.onnx"}, r"packs\.json: Object contains unknown field `modell`"),
        (
            written("ru.onnx", b"no model"),
            {"sha256": hashlib.sha256(b"no model").hexdigest()},
            "pack 'cyrillic': this is no ONNX model",
        ),
        (
            written("ru.onnx", recogniser(7, height=32)),
            {"sha256": hashlib.sha256(recogniser(7, height=32)).hexdigest()},
            "no recogniser of lines 48 pixels high",
        ),
    ],
)
def test_a_wrong_pack_is_a_wrong_setting_told_in_one_line(
    tmp_path: Path, spoil: Callable[[Path], None], told: dict[str, Any], fault: str
) -> None:
    folder = folder_of(tmp_path, entry(tmp_path, **told))
    spoil(tmp_path)
    with pytest.raises(SettingsError, match=fault) as raised:
        engine_options(Settings(ocr_model_packs=folder))
    (line,) = raised.value.faults
    assert line.startswith(f"OCR_MODEL_PACKS={folder!r}: ")
    assert "\n" not in line


def test_all_wrong_packs_are_told_at_once(tmp_path: Path) -> None:
    first, second = entry(tmp_path, name="one", sha256="0" * 64), entry(tmp_path, name="two", languages=["xx"])
    with pytest.raises(WrongPacks) as raised:
        packs_in(folder_of(tmp_path, first, second))
    assert [fault.split(":")[0] for fault in raised.value.faults] == ["pack 'one'", "pack 'two'"]
    with pytest.raises(WrongPacks, match="'cyrillic' stands there twice"):
        packs_in(folder_of(tmp_path, entry(tmp_path), entry(tmp_path)) + "/")


def test_a_folder_without_a_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"packs\.json cannot be read: No such file"):
        engine_options(Settings(ocr_model_packs=str(tmp_path)))


def test_the_maker_writes_what_the_service_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry(tmp_path)
    (tmp_path / "el.onnx").write_bytes(recogniser(4, carried="α\nβ"))
    greek = [str(tmp_path), "greek", "el.onnx", "--languages", "el"]
    assert make([str(tmp_path), "slavic", "ru.onnx", "--characters", "ru.txt", "--languages", "ru, uk"]) == 0
    assert make(greek) == make(greek) == 0
    assert [pack.name for pack in packs_in(str(tmp_path))] == ["slavic", "greek"]
    before = (tmp_path / MANIFEST).read_bytes()
    assert make([str(tmp_path), "slavic", "ru.onnx", "--languages", "ru"]) == 2
    assert "slavic: ru.onnx carries no character list" in capsys.readouterr().err
    assert (tmp_path / MANIFEST).read_bytes() == before


def test_languages_of_a_pack_share_its_reader(tmp_path: Path) -> None:
    (pack,) = packs_in(folder_of(tmp_path, entry(tmp_path)))
    source = PackSource(pack, EngineOptions(optimised_graphs=False))
    readers = Readers([source])
    russian, ukrainian, _ = readers.languages
    assert readers.of(russian) is readers.of(ukrainian)
    assert readers.of(russian).read(np.full((48, 320, 3), 255, np.uint8), 10).text == "а"
    assert readers.model(ukrainian).name == "ru.onnx"


def test_a_model_whose_file_says_nothing_of_its_classes_is_held_against_its_list_when_it_is_opened(
    tmp_path: Path,
) -> None:
    model = onnx.load_model_from_string(recogniser(9))
    model.graph.output[0].type.tensor_type.shape.dim[2].dim_param = "classes"
    content = model.SerializeToString()
    assert shapes(content) == ((None, 3, 48, None), (None, None, None))
    told = entry(tmp_path, sha256=hashlib.sha256(content).hexdigest())
    (tmp_path / "ru.onnx").write_bytes(content)
    (pack,) = packs_in(folder_of(tmp_path, told))
    with pytest.raises(Exception, match="9 classes for 5 characters"):
        PackReader(pack, EngineOptions(optimised_graphs=False), right_to_left=False)


@pytest.mark.parametrize(
    ("seen", "read"),
    [("\u05d2\u05d1\u05d0", "\u05d0\u05d1\u05d2"), ("abc 12.5 \u05d1\u05d0", "\u05d0\u05d1abc 12.5 "), ("", "")],
)
def test_a_line_that_runs_to_the_left_is_put_in_the_order_of_reading(seen: str, read: str) -> None:
    places = tuple((i + 0.5) / len(seen) for i in range(len(seen)))
    reading = as_read(Reading(seen, 0.9, places, places))
    assert reading.text == read
    assert [seen[places.index(place)] for place in reading.places] == list(read)
    assert reading.certainty == reading.places
