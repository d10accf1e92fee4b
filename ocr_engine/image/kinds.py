"""The kinds of file that are taken: the one list that uploads, documentation and `/capabilities` go by."""

from importlib.util import find_spec

from msgspec import Struct

from ocr_engine.image.header import AVIF, BMP, GIF, HEIC, JPEG, JPEG2000, PDF, PNG, PNM, TIFF, WEBP


def has_heic() -> bool:
    """Whether the extra `heic` is installed. Not imported: the process that serves HTTP decodes nothing."""
    return find_spec("pi_heif") is not None


class FileKind(Struct, frozen=True, kw_only=True):
    """A kind of file, told by its bytes."""

    media_type: str
    suffix: str
    """What a file's name ends with where it is saved, such as `.png`."""
    name: str
    reads: str
    """What of it is read, for people."""
    extra: str = ""
    """What has to be installed for it; empty: nothing."""


KINDS = (
    FileKind(
        media_type=PDF, suffix=".pdf", name="PDF", reads="every page: scans, print, annotations and filled-in forms"
    ),
    FileKind(
        media_type=JPEG,
        suffix=".jpg",
        name="JPEG",
        reads="grey, RGB, CMYK; progressive; lacking its end, with a warning",
    ),
    FileKind(
        media_type=PNG,
        suffix=".png",
        name="PNG",
        reads="1 to 16 bits, palettes, transparency; of an animation the first picture",
    ),
    FileKind(
        media_type=TIFF,
        suffix=".tiff",
        name="TIFF",
        reads="every page, thumbnails and masks left out; fax, LZW, JPEG; BigTIFF",
    ),
    FileKind(
        media_type=WEBP,
        suffix=".webp",
        name="WebP",
        reads="lossy and lossless; of an animation the first picture with something on it",
    ),
    FileKind(media_type=GIF, suffix=".gif", name="GIF", reads="of an animation the first picture with something on it"),
    FileKind(media_type=BMP, suffix=".bmp", name="BMP", reads="1 to 32 bits, alpha"),
    FileKind(
        media_type=AVIF, suffix=".avif", name="AVIF", reads="8 to 12 bits, alpha; of a sequence the first picture"
    ),
    FileKind(
        media_type=HEIC,
        suffix=".heic",
        name="HEIC",
        reads="photos of phones; of a burst the main picture",
        extra="heic",
    ),
    FileKind(media_type=JPEG2000, suffix=".jp2", name="JPEG 2000", reads="JP2 files and bare codestreams"),
    FileKind(media_type=PNM, suffix=".pnm", name="PNM", reads="PBM, PGM and PPM, plain or raw; the first picture"),
)
MEDIA_TYPES = tuple(kind.media_type for kind in KINDS)
SUFFIXES = {kind.media_type: kind.suffix for kind in KINDS}
"""What the name of a file of each media type ends with."""


def readable() -> tuple[FileKind, ...]:
    """The kinds that can be read as this service is installed."""
    return tuple(kind for kind in KINDS if kind.extra != "heic" or has_heic())
