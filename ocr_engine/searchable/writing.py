"""Writes a searchable PDF: a PDF as it is, or an image in a new one, with the text unseen on its print."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
from pikepdf import Array, Dictionary, Name, ObjectStreamMode, Stream, StreamDecodeLevel

from ocr_engine import image
from ocr_engine.document.opening import is_pdf_file
from ocr_engine.document.pdf.opening import open_pdf
from ocr_engine.errors import InvalidDocument, OcrError, PasswordRequired
from ocr_engine.image.mapped import MappedFile, map_file
from ocr_engine.options import EngineOptions
from ocr_engine.result import OcrPage
from ocr_engine.searchable.archive import claim_what_holds, describe
from ocr_engine.searchable.font import UnseenFont
from ocr_engine.searchable.glyphless import deflated
from ocr_engine.searchable.layer import Said, layer_of
from ocr_engine.searchable.order import PdfOrder
from ocr_engine.searchable.picture import picture_of
from ocr_engine.searchable.places import Box, ToPoints
from ocr_engine.searchable.unseen import without_unseen_text
from ocr_engine.searchable.visible import VisibleText

SCREEN_DPI = 96.0
"""Of an image that says nothing of paper, at least: as screens show it."""
LONG_SIDE = 11.69
"""Inches of A4: an image that says nothing of paper is no larger."""
POINTS = 72.0
"""An inch."""
MAX_LEVELS = 100
"""Of a PDF's tree of pages that are looked at."""
MAX_SMALL = 1 << 18
"""Bytes of a PDF whose objects are compressed, too, which makes room for the font."""
_FONT = Name("/UnseenOcr")
_TURNED = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}
"""By EXIF orientation: where the unit square of the stored picture lies in that of the shown one."""


def write_searchable_pdf(order: PdfOrder, limits: EngineOptions) -> None:
    """Writes the PDF. Pages whose text is the PDF's own are left as they are.

    Encryption is gone, and signatures no longer hold. Raises OcrError, or OSError of the file or the target.
    """
    if is_pdf_file(order.file):
        with _opened(order.file, order.options.password) as document:
            is_changed = _onto(document, order)
            if order.only:
                kept = {page.number for page in order.pages}
                for number in range(len(document.pages), 0, -1):
                    if number not in kept:
                        del document.pages[number - 1]
            is_small = is_changed and order.file.stat().st_size <= MAX_SMALL
            objects = ObjectStreamMode.generate if is_small else ObjectStreamMode.preserve
            # streams as they are: pictures would be written anew otherwise
            _save(document, order.target, objects, compress=False)
        return
    with pikepdf.new() as document, _mapped(order.file) as data:
        header = image.read_header(data, limits.max_pixels)
        font = UnseenFont(document)
        archive = True
        for page in order.pages:
            picture = picture_of(document, data, header, page.number, limits.max_pixels)
            archive &= picture.archivable
            _add_page(document, page, picture.stream, picture.orientation, font)
        font.complete()
        describe(document, order.source, archive=archive)
        # deflates what is not compressed yet, the file's own objects: its pictures all are
        _save(document, order.target, ObjectStreamMode.generate, compress=True)


def _onto(document: pikepdf.Pdf, order: PdfOrder) -> bool:
    """Whether any page was given text."""
    font, is_changed = UnseenFont(document), False
    with _visible_texts(order.file, order.options.password) as visible:
        for page in order.pages:
            if page.number > len(document.pages):
                raise InvalidDocument(f"there is no page {page.number}; the PDF has {len(document.pages)}")
            leaf = document.pages[page.number - 1]
            rotate = _rotate(leaf)
            if page.source == "ocr":
                without_unseen_text(document, leaf)
                to_points = ToPoints.of(page, _shown_box(leaf), rotate)
                is_changed |= _lay(document, leaf, page, to_points, font, visible(page.number))
            if page.rotation:
                leaf.obj.Rotate = (rotate + page.rotation) % 360
    font.complete()
    if is_changed:
        claim_what_holds(document)
    return is_changed


def _lay(
    document: pikepdf.Pdf, leaf: pikepdf.Page, page: OcrPage, to_points: ToPoints, font: UnseenFont, said: Said
) -> bool:
    """Whether there was anything to lay."""
    drawing = layer_of(page, to_points, font, str(_FONT), said)
    if not drawing:
        return False
    leaf.add_resource(font.object, Name.Font, _FONT)
    # before the page's own drawing, whose unbalanced states cannot shift it then
    leaf.contents_add(_deflated(document, drawing), prepend=True)
    return True


def _add_page(document: pikepdf.Pdf, page: OcrPage, picture: Stream, orientation: int, font: UnseenFont) -> None:
    dpi = page.dpi or max(SCREEN_DPI, max(page.width, page.height) / LONG_SIDE)
    width, height = (round(POINTS * side / dpi, 3) for side in (page.width, page.height))
    a, b, c, d, e, f = _TURNED[orientation]
    matrix = (a * width, b * height, c * width, d * height, e * width, f * height)
    layer = layer_of(page, ToPoints.of(page, (0, 0, width, height), 0), font, str(_FONT))
    drawing = f"q {' '.join(f'{each:g}' for each in matrix)} cm /Scan Do Q".encode()
    resources = Dictionary(XObject=Dictionary(Scan=document.make_indirect(picture)))
    if layer:
        resources.Font = Dictionary({str(_FONT): font.object})
    leaf = Dictionary(
        Type=Name.Page,
        MediaBox=Array([0, 0, width, height]),
        Resources=resources,
        Contents=document.make_indirect(_deflated(document, layer + drawing)),
    )
    if page.rotation:
        leaf.Rotate = page.rotation
    document.pages.append(pikepdf.Page(leaf))


def _deflated(document: pikepdf.Pdf, drawing: bytes) -> Stream:
    stream = Stream(document, b"")
    stream.write(deflated(drawing), filter=Name.FlateDecode)
    return stream


def _rotate(leaf: pikepdf.Page) -> int:
    """The page's /Rotate, its own or that of the pages above it, as viewers understand it."""
    node: pikepdf.Object | None = leaf.obj
    for _ in range(MAX_LEVELS):
        if node is None or Name.Rotate in node:
            break
        node = node.get(Name.Parent)
    turn = int(node.get(Name.Rotate, 0)) % 360 if node is not None else 0
    return turn - turn % 90


def _shown_box(leaf: pikepdf.Page) -> Box:
    """The crop box within the media box, as viewers show it."""
    boxes = []
    for box in (leaf.mediabox, leaf.cropbox):
        x0, y0, x1, y1 = (float(each) for each in box)
        boxes.append((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)))
    media, crop = boxes
    left, bottom = max(media[0], crop[0]), max(media[1], crop[1])
    right, top = min(media[2], crop[2]), min(media[3], crop[3])
    return (left, bottom, right, top) if right > left and top > bottom else media


@contextmanager
def _opened(file: Path, password: str) -> Iterator[pikepdf.Pdf]:
    """The PDF. Raises PasswordRequired, or InvalidDocument for whatever goes wrong while it is changed."""
    try:
        with pikepdf.open(file, password=password, suppress_warnings=True) as document:
            yield document
    except (OcrError, OSError):
        raise
    except pikepdf.PasswordError:
        raise PasswordRequired("the document is encrypted, and its password is missing or wrong") from None
    except Exception as error:
        # qpdf and pikepdf raise of their own, and of Python's, whatever a hostile file leads them to
        raise InvalidDocument("the PDF cannot be written anew: it is damaged") from error


@contextmanager
def _visible_texts(file: Path, password: str) -> Iterator[Callable[[int], Said]]:
    """Of each page what it says itself; nothing where PDFium refuses the file or the page."""
    try:
        document = open_pdf(file, password)
    except OcrError:
        yield lambda _: lambda *_: False
        return

    def visible(number: int) -> Said:
        try:
            page = document[number - 1]
        except pdfium.PdfiumError:
            return lambda *_: False
        try:
            return VisibleText(page).says
        finally:
            page.close()

    try:
        yield visible
    finally:
        document.close()


@contextmanager
def _mapped(file: Path) -> Iterator[bytes | MappedFile]:
    data = map_file(file)
    try:
        yield data
    finally:
        if isinstance(data, MappedFile):
            data.close()


def _save(document: pikepdf.Pdf, target: Path, objects: ObjectStreamMode, *, compress: bool) -> None:
    if "/Metadata" in document.Root and not isinstance(document.Root.Metadata, Stream):
        del document.Root.Metadata  # pikepdf names the version in it, and fails where it is no stream
    if Name.Size not in document.trailer:
        # where the end was cut off; qpdf 12.4 puts the size in its place, and without that writes what nobody can open
        document.trailer.Size = 0
    with target.open("wb") as out:
        document.save(
            out,
            compress_streams=compress,
            stream_decode_level=StreamDecodeLevel.none,
            object_stream_mode=objects,
            deterministic_id=True,
            encryption=False,
        )
