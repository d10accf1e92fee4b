"""`packs.json` of a folder: which recognisers it holds, of which languages, with the hashes that their files must have.

Read and checked before any model is opened, so that a wrong pack is a wrong setting.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from ocr_engine.errors import EngineError
from ocr_engine.models import characters
from ocr_engine.models.onnx_file import shapes
from ocr_engine.recognition.letters.languages import READ
from ocr_engine.scripts.languages import LANGUAGES, Language

MANIFEST = "packs.json"
PACK_LINE_HEIGHT = 48
"""Pixels that recognisers of PP-OCR v3 and later take."""

FileName = Annotated[str, Meta(pattern=r"^[^/\\]+$")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Entry(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A pack, as the manifest has it."""

    name: Annotated[str, Meta(min_length=1)]
    model: FileName
    """The recogniser, in the same folder (.onnx)."""
    sha256: Sha256
    languages: Annotated[tuple[str, ...], Meta(min_length=1)]
    """BCP 47 tags of what it reads."""
    characters: FileName | None = None
    """Its character list, in the same folder, one a line; without it the list that the model carries."""
    characters_sha256: Sha256 | None = None


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """All packs of a folder."""

    packs: tuple[Entry, ...]


class Pack(Struct, frozen=True, kw_only=True):
    """A recogniser whose files are what the manifest says."""

    name: str
    path: Path
    sha256: str
    characters: tuple[str, ...]
    """Its classes after the blank and without the space at the end, in its order."""
    languages: tuple[Language, ...]
    """In the order of `LANGUAGES`; what is none of those, the models read."""


class WrongPacks(EngineError):
    """A folder of packs, or some of them, cannot be used; `faults` names every reason."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


@cache
def packs_in(folder: str) -> tuple[Pack, ...]:
    """The packs of a folder, as it is at the first call; none where no folder is named. Raises WrongPacks."""
    if not folder:
        return ()
    packs: list[Pack] = []
    faults: list[str] = []
    for entry in read_manifest(Path(folder)).packs:
        try:
            packs.append(checked(Path(folder), entry))
        except EngineError as error:
            faults.append(f"pack {entry.name!r}: {error}")
    names = [pack.name for pack in packs]
    faults += [f"pack {name!r} stands there twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if faults:
        raise WrongPacks(faults)
    return tuple(packs)


def read_manifest(folder: Path) -> Manifest:
    """What the folder's manifest says. Raises WrongPacks."""
    path = folder / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise WrongPacks([f"{path} cannot be read: {error.strerror}"]) from error
    except msgspec.DecodeError as error:
        raise WrongPacks([f"{path}: {error}"]) from error


def checked(folder: Path, entry: Entry) -> Pack:
    """The pack. Raises EngineError where a file is missing or another one, or the parts do not fit together."""
    model = _content(folder / entry.model, entry.sha256)
    known = {tag for tags in READ.values() for tag in tags} | {language.tag for language in LANGUAGES}
    unknown = [tag for tag in entry.languages if tag not in known]
    if unknown:
        raise EngineError(f"{unknown[0]!r} is no language that is known here")
    if entry.characters is None:
        listed, where = characters.in_model(model), entry.model
        if not listed:
            raise EngineError(f"{entry.model} carries no character list: name one as `characters`")
    else:
        where = entry.characters
        listed = _listed(_content(folder / where, entry.characters_sha256), where)
    _check_fit(listed, where, model, entry.model)
    return Pack(
        name=entry.name,
        path=folder / entry.model,
        sha256=entry.sha256,
        characters=listed,
        languages=tuple(language for language in LANGUAGES if language.tag in entry.languages),
    )


def _content(path: Path, sha256: str | None) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise EngineError(f"{path} cannot be read: {error.strerror}") from error
    if sha256 is None:
        raise EngineError(f"the hash of {path.name} is missing: `characters_sha256`")
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise EngineError(f"{path.name} is another file: sha256 {found}, expected {sha256}")
    return content


def _listed(content: bytes, name: str) -> tuple[str, ...]:
    try:
        return characters.in_file(content)
    except UnicodeDecodeError as error:
        raise EngineError(f"{name} is not in UTF-8") from error


def _check_fit(listed: tuple[str, ...], where: str, model: bytes, name: str) -> None:
    """Raises EngineError where the model does not read lines, or has not one class for each character and two more."""
    taken, given = shapes(model)
    if len(taken) != 4 or taken[2] not in (None, PACK_LINE_HEIGHT):
        raise EngineError(
            f"{name} is no recogniser of lines {PACK_LINE_HEIGHT} pixels high, as those of PP-OCR v3 to v6 are"
        )
    classes = given[-1] if given else None
    if classes is not None and classes != len(listed) + 2:
        raise EngineError(
            f"{where} lists {len(listed)} characters, and {name} has {classes} classes: {classes - 2} were right, "
            "as nothing and the space stand beside them (the lists of PP-OCR v3 end with a space of their own)"
        )
