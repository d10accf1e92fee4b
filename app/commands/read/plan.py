"""Which files are read, and where what is read of each of them goes."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from msgspec import Struct

from app.commands.read.arguments import STDIN, BadArguments
from ocr_engine.errors import UnsupportedImage
from ocr_engine.formats import Format
from ocr_engine.image.probing import PDF_HEAD, is_pdf, stray_bytes


class Target(Struct, frozen=True, kw_only=True):
    """One output of one file."""

    format: Format
    path: Path | None
    """None: stdout."""


class Found(Struct, frozen=True, kw_only=True):
    """A file to be read."""

    name: str
    """For people: as the command line has it."""
    source: Path
    place: PurePath
    """Where its output stands below that folder, with the name of the file itself."""


class Item(Struct, frozen=True, kw_only=True):
    """A file and its outputs."""

    name: str
    source: Path
    targets: tuple[Target, ...]


def found(sources: Sequence[str], spooled: Mapping[str, Path], output: Path | None) -> Iterator[Found]:
    """Every file that is named, and those below folders whose first bytes are of a kind that is read; by name.

    Hidden files and folders, and the folder of the outputs, are left out. What cannot be looked at is left to be read,
    which tells why that fails. `spooled`: where the bytes are of what is no file.
    """
    for source in sources:
        if source in spooled:
            name = "stdin" if source == STDIN else source
            yield Found(name=name, source=spooled[source], place=PurePath(PurePath(name).name))
        elif os.path.isdir(source):
            yield from _below(Path(source), output)
        else:
            yield Found(name=source, source=Path(source), place=PurePath(Path(source).name))


def planned(files: Sequence[Found], formats: Sequence[Format], output: Path | None) -> list[Item]:
    """The files with their outputs: NAME.txt of NAME.pdf, or NAME.pdf.txt where several files would have the same.

    Raises BadArguments where outputs would stand in each other's way, or in that of a file that is read.
    """
    if output is None:
        stdout = tuple(Target(format=each, path=None) for each in formats)
        return [Item(name=file.name, source=file.source, targets=stdout) for file in files]
    shared = Counter(file.place.with_suffix("") for file in files)
    items, taken = [], dict[Path, str]()
    sources = {os.path.realpath(file.source): file.name for file in files}
    for file in files:
        place = file.place.with_suffix("")
        stem = output / (file.place if shared[place] > 1 else place)
        targets = tuple(Target(format=each, path=stem.with_name(stem.name + each.suffix)) for each in formats)
        for target in targets:
            assert target.path is not None
            if other := taken.get(target.path):
                raise BadArguments(f"{file.name} and {other} would both be written to {target.path}")
            if own := sources.get(os.path.realpath(target.path)):
                raise BadArguments(f"{target.path} would be written over {own}; choose another --output")
            taken[target.path] = file.name
        items.append(Item(name=file.name, source=file.source, targets=targets))
    return items


def _below(folder: Path, output: Path | None) -> Iterator[Found]:
    own = os.path.realpath(output) if output else ""
    for at, folders, files in os.walk(folder):
        is_root = os.path.realpath(at) == os.path.realpath(folder)
        if os.path.realpath(at) == own and not is_root:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(at) / name
            if not name.startswith(".") and _is_readable(path):
                yield Found(name=str(path), source=path, place=path.relative_to(folder))


def _is_readable(path: Path) -> bool:
    if not path.is_file():  # a pipe would never end, a link may lead nowhere
        return False
    try:
        with path.open("rb") as file:
            head = file.read(PDF_HEAD)
    except OSError:
        return True
    if is_pdf(head):
        return True
    try:
        return stray_bytes(head) >= 0
    except UnsupportedImage:
        return False
