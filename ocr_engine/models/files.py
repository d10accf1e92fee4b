"""Which model files: found in the installed wheels or where the options say, checked by hash."""

import hashlib
import importlib.util
from collections.abc import Iterator
from math import inf, isfinite
from pathlib import Path

import msgspec
from msgspec import Struct

from ocr_engine.errors import EngineError
from ocr_engine.models import characters
from ocr_engine.models.catalogue import FAMILIES, Normalisation, Pinned, Role
from ocr_engine.options import EngineOptions


class ModelFile(Struct, frozen=True, kw_only=True):
    """A model on disk, as its hash identifies it."""

    role: Role
    path: Path
    sha256: str
    name: str
    """What results call it."""
    normalisation: Normalisation = Normalisation()
    common: tuple[int, ...] = ()
    """Of a recogniser: the classes that are asked first; none: always all."""
    sure_score: float = inf
    """Of the likeliest of those, from which the others are not asked."""


class ModelFiles(Struct, frozen=True, kw_only=True):
    """All that recognition needs from disk."""

    detection: ModelFile
    recognition: ModelFile
    angle: ModelFile
    characters: tuple[str, ...]
    """The recognition model's classes after the blank and without the space at the end, in its order."""

    def __iter__(self) -> Iterator[ModelFile]:
        yield from (self.detection, self.recognition, self.angle)


def find(options: EngineOptions) -> ModelFiles:
    """The files that the options name. Raises EngineError where one is missing or is not the one that it should be."""
    family = FAMILIES[options.model]
    recognition = _model("recognition", options.recognition_model, family.recognition)
    listed = None if options.recognition_model else family.characters
    held = _characters(recognition, options.characters, listed)
    if isfinite(family.sure_score) and not options.recognition_model and not options.characters:
        common = characters.common(held)
        recognition = msgspec.structs.replace(recognition, common=common, sure_score=family.sure_score)
    return ModelFiles(
        detection=_model("detection", options.detection_model, family.detection),
        recognition=recognition,
        angle=_model("angle", options.angle_model, family.angle),
        characters=held,
    )


def _model(role: Role, explicit: str, pinned: Pinned) -> ModelFile:
    if not explicit:
        path = _in_wheel(pinned)
        _content(f"the {role} model", path, pinned)
        name = pinned.name or path.name
        return ModelFile(role=role, path=path, sha256=pinned.sha256, name=name, normalisation=pinned.normalisation)
    path = Path(explicit)
    sha256 = hashlib.sha256(_content(f"the {role} model", path)).hexdigest()
    return ModelFile(role=role, path=path, sha256=sha256, name=path.name)


def _content(what: str, path: Path, pinned: Pinned | None = None) -> bytes:
    """Of a file, which has to be the one that is pinned, if any is."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EngineError(f"{what} {path} cannot be read: {error.strerror}") from error
    if pinned and (sha256 := hashlib.sha256(content).hexdigest()) != pinned.sha256:
        raise EngineError(
            f"{what} {path} is not the one that was released: sha256 {sha256}, expected {pinned.sha256}; "
            f"install the package {pinned.package} anew"
        )
    return content


def _in_wheel(pinned: Pinned) -> Path:
    # found, not imported: the wheels are installed for their model files only
    spec = importlib.util.find_spec(pinned.package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "models" / pinned.path
        if path.is_file():
            return path
    how = f"it comes with the extra `{pinned.extra}`" if pinned.extra else f"is the package {pinned.package} installed?"
    raise EngineError(f"the model {pinned.name or pinned.path} is missing: {how}")


def _characters(recognition: ModelFile, explicit: str, pinned: Pinned | None) -> tuple[str, ...]:
    if explicit:
        found = _listed(Path(explicit))
    elif pinned:
        found = _listed(_in_wheel(pinned), pinned)
    else:
        found = characters.in_model(recognition.path.read_bytes())
    if not found:
        raise EngineError(f"{recognition.path} carries no character list: name a file with one character a line")
    return found


def _listed(path: Path, pinned: Pinned | None = None) -> tuple[str, ...]:
    try:
        return characters.in_file(_content("the character list", path, pinned))
    except UnicodeDecodeError as error:
        raise EngineError(f"the character list {path} cannot be read: {error}") from error
