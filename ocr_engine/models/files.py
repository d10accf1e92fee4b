"""Which model files: found in the installed wheels or where the options say, checked by hash."""

import hashlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from ocr_engine.errors import EngineError
from ocr_engine.options import EngineOptions, ModelFamily

Role = Literal["detection", "recognition", "angle"]


class Normalisation(Struct, frozen=True):
    """What a model takes for a pixel of 0 to 255: (pixel / 255 - mean) / std, per channel, blue first."""

    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)


class ModelFile(Struct, frozen=True, kw_only=True):
    """A model on disk, as its hash identifies it."""

    role: Role
    path: Path
    sha256: str
    normalisation: Normalisation = Normalisation()


class ModelFiles(Struct, frozen=True, kw_only=True):
    """All that recognition needs from disk."""

    detection: ModelFile
    recognition: ModelFile
    angle: ModelFile
    characters: tuple[str, ...]
    """The recognition model's classes after the blank and without the space at the end, in its order."""

    def __iter__(self) -> Iterator[ModelFile]:
        yield from (self.detection, self.recognition, self.angle)


class _Pinned(Struct, frozen=True):
    package: str
    name: str
    sha256: str


# The hashes are those of the wheels rapidocr 3.10.0 and rapidocr-onnxruntime 1.4.4, and the ones that rapidocr's own
# default_models.yaml gives. Both wheels configure mean and standard deviation 0.5 for every model that they carry.
_ANGLE_SHA256 = "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"
_FAMILIES: dict[ModelFamily, dict[Role, _Pinned]] = {
    "ppocr-v6": {
        "detection": _Pinned(
            "rapidocr",
            "PP-OCRv6_det_small.onnx",
            "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
        ),
        "recognition": _Pinned(
            "rapidocr",
            "PP-OCRv6_rec_small.onnx",
            "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
        ),
        "angle": _Pinned("rapidocr", "ch_ppocr_mobile_v2.0_cls_mobile.onnx", _ANGLE_SHA256),
    },
    "ppocr-v4": {
        "detection": _Pinned(
            "rapidocr_onnxruntime",
            "ch_PP-OCRv4_det_infer.onnx",
            "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
        ),
        "recognition": _Pinned(
            "rapidocr_onnxruntime",
            "ch_PP-OCRv4_rec_infer.onnx",
            "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
        ),
        "angle": _Pinned("rapidocr_onnxruntime", "ch_ppocr_mobile_v2.0_cls_infer.onnx", _ANGLE_SHA256),
    },
}


def find(options: EngineOptions) -> ModelFiles:
    """The files that the options name. Raises EngineError where one is missing or is not the one that it should be."""
    family = _FAMILIES[options.model]
    recognition = _file("recognition", options.recognition_model, family["recognition"])
    return ModelFiles(
        detection=_file("detection", options.detection_model, family["detection"]),
        recognition=recognition,
        angle=_file("angle", options.angle_model, family["angle"]),
        characters=_characters(recognition, options.characters),
    )


def _file(role: Role, explicit: str, pinned: _Pinned) -> ModelFile:
    path = Path(explicit) if explicit else _in_wheel(pinned)
    try:
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise EngineError(f"the {role} model {path} cannot be read: {error.strerror}") from error
    if not explicit and sha256 != pinned.sha256:
        raise EngineError(
            f"the {role} model {path} is not the one that was released: sha256 {sha256}, expected {pinned.sha256}; "
            f"install the package {pinned.package} anew"
        )
    return ModelFile(role=role, path=path, sha256=sha256)


def _in_wheel(pinned: _Pinned) -> Path:
    # found, not imported: the wheels are installed for their model files only
    spec = importlib.util.find_spec(pinned.package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / pinned.name
        if path.is_file():
            return path
    raise EngineError(f"the model {pinned.name} is missing: is the package {pinned.package} installed?")


def _characters(recognition: ModelFile, explicit: str) -> tuple[str, ...]:
    if explicit:
        try:
            text = Path(explicit).read_text(encoding="utf-8")
        except (OSError, UnicodeError) as error:
            raise EngineError(f"the character list {explicit} cannot be read: {error}") from error
    else:
        text = metadata(recognition.path.read_bytes()).get("character", "")
    if not text:
        raise EngineError(f"{recognition.path} carries no character list: name a file with one character a line")
    return tuple(text.removesuffix("\n").split("\n"))


def metadata(model: bytes) -> dict[str, str]:
    """The `metadata_props` of an ONNX model. Raises EngineError where the bytes are none.

    Walks the outermost fields of the protobuf message (onnx.proto: ModelProto.metadata_props is field 14, its entries
    have key = 1 and value = 2), so that neither the package `onnx` nor a session is needed for it.
    """
    found: dict[str, str] = {}
    try:
        for number, value in _fields(memoryview(model)):
            if number == 14:
                entry = dict(_fields(value))
                found[bytes(entry[1]).decode()] = bytes(entry.get(2, b"")).decode()
    except (IndexError, KeyError, ValueError) as error:
        raise EngineError("this is no ONNX model") from error
    return found


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """(number, bytes) of each length-delimited field of a protobuf message; others are stepped over."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            _, at = _varint(message, at)
        elif wire_type == 1:
            at += 8
        elif wire_type == 5:
            at += 4
        elif wire_type == 2:
            length, at = _varint(message, at)
            if at + length > len(message):
                raise ValueError("cut short")
            yield number, message[at : at + length]
            at += length
        else:
            raise ValueError(f"wire type {wire_type}")


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """The number at a place, seven bits a byte, lowest first; and the place after it."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
