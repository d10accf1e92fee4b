"""TIFF: its directories and tags, which are also the form in which EXIF comes. Nothing endless is followed."""

import struct
from collections.abc import Sequence

from ocr_engine.errors import InvalidImage, TooManyPages
from ocr_engine.image.header import MAX_STEPS, TIFF, Header
from ocr_engine.image.mapped import Buffer

MAX_TAGS = 1000
"""Tags that are looked at in one directory."""
REDUCED = 0.75
"""Most width and height of a thumbnail, by those of its page; in pyramids each level has half of the one before."""

MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
_NEW_SUBFILE_TYPE, _SUBFILE_TYPE = 254, 255
_REDUCED, _MASK = 0b001, 0b100
_OLD_REDUCED = 2
_INTEGERS = {1: "B", 3: "H", 4: "I", 16: "Q"}


def read(data: Buffer) -> Header:
    """Size and orientation of the first page, and which directories are pages."""
    reader = TiffReader(data)
    width, height, orientation = reader.geometry()
    directories = reader.directories(MAX_STEPS)
    pages = reader.pages(directories)
    return Header(
        media_type=TIFF,
        width=width,
        height=height,
        orientation=orientation,
        frames=len(directories),
        pages=pages,
        area=sum(reader.area(directories[page]) for page in pages),
    )


class TiffReader:
    """Directories (IFDs) of TIFF 6.0 and BigTIFF in both byte orders. Methods raise struct.error where data ends."""

    def __init__(self, data: Buffer) -> None:
        """`data` starts with a TIFF magic number."""
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        self._is_big = 43 in data[2:4]
        self._first = self._read("Q", 8) if self._is_big else self._read("I", 4)

    def geometry(self) -> tuple[int, int, int]:
        """Width, height (as stored) and orientation of the first directory. Raises InvalidImage without a size."""
        tags = self._tags()
        if _WIDTH not in tags or _HEIGHT not in tags:
            raise InvalidImage("the TIFF image says no width and height")
        return tags[_WIDTH], tags[_HEIGHT], _valid(tags.get(_ORIENTATION, 1))

    def orientation(self) -> int:
        """Orientation of the first directory, 1 if it says none."""
        return _valid(self._tags().get(_ORIENTATION, 1))

    def directories(self, limit: int) -> list[int]:
        """Where directories are that follow each other; a chain that bites its tail ends there.

        Raises InvalidImage where one of them is missing, TooManyPages where there are more than `limit`: pages would
        be lost in silence.
        """
        count_size, pointer, pointer_size = (8, "Q", 8) if self._is_big else (2, "I", 4)
        seen: dict[int, None] = {}
        at, end = self._first, len(self._data)
        while at and at not in seen:
            if len(seen) == limit:
                raise TooManyPages(f"the file has more than {limit} pages")
            following = end + 1 if at + count_size > end else self._behind(at)
            if following > end:
                raise InvalidImage(f"page {len(seen) + 1} of the TIFF image is cut off")
            seen[at] = None
            if following + pointer_size > end:
                break  # some writers leave out the last pointer, which says that nothing follows
            at = self._read(pointer, following)
        return [*seen]

    def pages(self, directories: Sequence[int]) -> tuple[int, ...]:
        """Which of the directories, from 0, are pages: the first one, and others but for thumbnails and masks.

        What calls itself reduced, but is not clearly smaller than the page before it both ways, is a page all the same.
        """
        pages: list[int] = []
        width = height = 0.0
        for number, at in enumerate(directories):
            tags = self._first_tags(at)
            new, old = tags.get(_NEW_SUBFILE_TYPE, 0), tags.get(_SUBFILE_TYPE)
            size = tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)
            smaller = size[0] <= REDUCED * width and size[1] <= REDUCED * height
            if not number or not (new & _MASK or (smaller and (new & _REDUCED or old == _OLD_REDUCED))):
                pages.append(number)
                width, height = size
        return tuple(pages)

    def area(self, directory: int) -> int:
        """Pixels of the page there; 0 where its size does not stand first, as it should."""
        tags = self._first_tags(directory)
        return tags.get(_WIDTH, 0) * tags.get(_HEIGHT, 0)

    def _first_tags(self, at: int) -> dict[int, int]:
        """The tags of a directory that stand first: what it is, and its size."""
        count, entries, entry_size = self._directory(at)
        return self._integers(entries, min(count, 4), entry_size)

    def _behind(self, at: int) -> int:
        """The end of a directory's entries."""
        count, entries, entry_size = self._directory(at)
        return entries + count * entry_size

    def _tags(self) -> dict[int, int]:
        """Tags of the first directory whose value is one integer; of equal tags the first counts, as for Pillow."""
        count, at, entry_size = self._directory(self._first)
        return self._integers(at, min(count, MAX_TAGS), entry_size)

    def _integers(self, at: int, count: int, entry_size: int) -> dict[int, int]:
        tags: dict[int, int] = {}
        for entry in range(at, at + count * entry_size, entry_size):
            tag, kind = self._read("H", entry), self._read("H", entry + 2)
            if kind in _INTEGERS and tag not in tags:
                tags[tag] = self._read(_INTEGERS[kind], entry + (12 if self._is_big else 8))
        return tags

    def _directory(self, at: int) -> tuple[int, int, int]:
        """Number of entries, where they begin, bytes of each."""
        if self._is_big:
            return self._read("Q", at), at + 8, 20
        return self._read("H", at), at + 2, 12

    def _read(self, form: str, at: int) -> int:
        if at > len(self._data):  # struct takes no offset beyond what a pointer holds
            raise struct.error("offset beyond the end")
        value: int = struct.unpack_from(self._order + form, self._data, at)[0]
        return value


def exif_orientation(exif: bytes) -> int:
    """Orientation (1 to 8) in an EXIF block, with or without its `Exif` prefix; 1 where it says none or is damaged."""
    exif = exif.removeprefix(b"Exif\0\0")
    if not exif.startswith((b"II*\0", b"MM\0*")):
        return 1
    try:
        return TiffReader(exif).orientation()
    except struct.error:
        return 1


def _valid(orientation: int) -> int:
    return orientation if 1 <= orientation <= 8 else 1
