"""What PDFs may do to harm, and what becomes of it: the page's error or the document's, and nothing else."""

import io
import itertools
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Stream
from PIL import Image

from ocr_engine.document.opening import open_document
from ocr_engine.errors import InvalidDocument, OcrError
from ocr_engine.image import probe
from ocr_engine.options import EngineOptions, ReadOptions
from tests.pdfs import Leaf, Picture, pdf, text

LIMITS = EngineOptions(max_pixels=10_000_000)


def amounts(data: bytes) -> list[int | str]:
    """Of each page how much ink it shows, or the code of its error."""
    document = open_document(data, ReadOptions(), LIMITS)
    found: list[int | str] = []
    try:
        for number in range(1, document.info.pages + 1):
            try:
                found.append(int((document.draw(number).pixels < 200).all(axis=2).sum()))
            except OcrError as error:
                found.append(error.code)
    finally:
        document.close()
    return found


def sound(amount: int | str) -> bool:
    """Whether a page shows its word."""
    return isinstance(amount, int) and amount > 20


def changed(data: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(io.BytesIO(data)) as document:
        change(document)
        file = io.BytesIO()
        document.save(file)
        return file.getvalue()


def small(word: str) -> Leaf:
    """A page that is drawn in no time."""
    return Leaf(content=text(word, top=40, left=5), size=(100, 100))


THREE = pdf(small("one"), small("two"), small("three"), object_stream_mode=pikepdf.ObjectStreamMode.disable)


@pytest.mark.parametrize("share", [0.02, 0.2, 0.4, 0.6, 0.8, 0.97])
def test_a_file_that_was_cut_gives_its_pages_or_is_refused(share: float) -> None:
    try:
        found = amounts(THREE[: int(len(THREE) * share)])
    except InvalidDocument:
        return
    assert len(found) <= 3
    assert all(sound(each) or each in ("invalid_document", 0) for each in found)


def test_of_files_behind_each_other_the_last_one_is_read() -> None:
    """As viewers do: the end of a PDF says where its beginning is."""
    found = amounts(THREE + pdf(small("alone")))
    assert len(found) == 1
    assert sound(found[0])


def test_pages_beside_a_bad_one_are_read() -> None:
    def spoil(document: pikepdf.Pdf) -> None:
        bad = pikepdf.Stream(document, bytes(100))
        bad.Type, bad.Subtype, bad.Filter = Name.XObject, Name.Image, Name.JPXDecode
        bad.Width, bad.Height = 60_000, 60_000  # for each a byte of memory would be gigabytes
        bad.BitsPerComponent, bad.ColorSpace = 8, Name.DeviceRGB
        document.pages[1].Resources = Dictionary(XObject=Dictionary(P=bad))
        document.pages[1].Contents = Stream(document, b"q 612 0 0 792 0 0 cm /P Do Q")

    first, second, third = amounts(changed(THREE, spoil))
    assert second == "too_many_pixels"
    assert sound(first)
    assert sound(third)


def jpeg(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(file, "JPEG")
    return file.getvalue()


def _drawn(data: bytes) -> None:
    document = open_document(data, ReadOptions(), LIMITS)
    try:
        document.draw(1)
    finally:
        document.close()


def test_a_pdf_in_a_picture_of_a_pdf_is_a_picture_that_cannot_be_decoded() -> None:
    inner = Picture(data=THREE, width=85, height=110, filter="/DCTDecode")
    with pytest.raises(InvalidDocument, match="a picture on page 1"):
        _drawn(pdf(Leaf(content=b"q 612 0 0 792 0 0 cm /P Do Q", pictures={"P": inner})))


def test_a_file_is_what_it_begins_as_whatever_hangs_on_it() -> None:
    picture = jpeg(64, 64)
    assert probe(picture + THREE, 10_000).media_type == "image/jpeg"
    assert probe(THREE + picture, 10_000).media_type == "application/pdf"
    png = io.BytesIO()
    Image.new("L", (9, 9)).save(png, "PNG")
    assert probe(png.getvalue() + THREE, 10_000).media_type == "image/png"
    assert amounts(THREE + picture) == amounts(THREE)


def test_embedded_files_are_not_opened() -> None:
    def attach(document: pikepdf.Pdf) -> None:
        document.attachments["bomb.pdf"] = b"%PDF-1.7 not looked at"

    assert amounts(changed(THREE, attach)) == amounts(THREE)


@contextmanager
def listening() -> Iterator[tuple[int, list[object]]]:
    """A port of this machine, and who has connected to it, known at the end."""
    came: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1], came
        # whoever came before stands before this one in the kernel's line
        with socket.create_connection(server.getsockname()) as last:
            while not came or came[-1] != last.getsockname():
                connection, address = server.accept()
                connection.close()
                came.append(address)


def calling(document: pikepdf.Pdf, url: str) -> None:
    """All ways that a PDF has to ask for something from elsewhere, and code that asks by itself."""
    there = Dictionary(FS=Name.URL, F=url.encode(), Type=Name.Filespec)
    code = f"app.launchURL('{url}'); this.submitForm('{url}'); SOAP.connect('{url}');".encode()
    actions = [
        Dictionary(S=Name.JavaScript, JS=code),
        Dictionary(S=Name.URI, URI=url.encode()),
        Dictionary(S=Name.SubmitForm, F=there, Fields=Array([])),
        Dictionary(S=Name.ImportData, F=there),
        Dictionary(S=Name.GoToR, F=there, D=Array([0, Name.Fit])),
        Dictionary(S=Name.Launch, F=there),
    ]
    for here, there_after in itertools.pairwise(actions):
        here.Next = there_after
    root = document.Root
    root.OpenAction = document.make_indirect(actions[0])
    root.AA = Dictionary(WC=actions[0], WS=actions[0], DS=actions[0], WP=actions[0], DP=actions[0])
    root.URI = Dictionary(Base=url.encode())
    root.Names = Dictionary(JavaScript=Dictionary(Names=Array([b"start", actions[0]])))
    page = document.pages[0]
    page.obj.AA = Dictionary(O=actions[0], C=actions[0])
    # a picture and a form whose data are elsewhere (ISO 32000-1, 7.3.8.2)
    away = Stream(document, b"")
    away.Type, away.Subtype, away.Width, away.Height = Name.XObject, Name.Image, 10, 10
    away.BitsPerComponent, away.ColorSpace, away.F = 8, Name.DeviceGray, there
    reference = Stream(document, b"0 0 9 9 re f")
    reference.Type, reference.Subtype, reference.BBox = Name.XObject, Name.Form, Array([0, 0, 9, 9])
    reference.Ref = Dictionary(F=there, Page=0)
    page.Resources.XObject = Dictionary(P=away, R=reference)
    page.contents_add(Stream(document, b"q 9 0 0 9 0 0 cm /P Do Q /R Do"))
    link = Dictionary(
        Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=b"f", V=b"v", Rect=Array([0, 0, 99, 99]),
        A=actions[0], AA=Dictionary({f"/{event}": actions[0] for event in ("E", "X", "Fo", "K", "F", "C", "V")}),
    )  # fmt: skip
    page.obj.Annots = Array([document.make_indirect(link)])
    root.AcroForm = Dictionary(Fields=page.obj.Annots, NeedAppearances=True, CO=page.obj.Annots)


def test_nothing_is_fetched_that_a_file_points_to_and_no_script_of_it_runs() -> None:
    with listening() as (port, came):
        data = changed(THREE, lambda document: calling(document, f"http://127.0.0.1:{port}/x.pdf"))
        found = amounts(data)
        by_name = changed(THREE, lambda document: calling(document, "file:///etc/hostname"))
        assert [isinstance(each, int) for each in amounts(by_name)] == [isinstance(each, int) for each in found]
    assert all(map(sound, found[1:]))
    assert len(came) == 1, "only the one that proves that the port was open"


HURRIED = """
import sys
from pathlib import Path
from ocr_engine.document.pdf import bounds
from ocr_engine.document.pdf.file import PdfFile
bounds.OVERDRAWN_SECONDS = 0
PdfFile(Path(sys.argv[1]), "", 1_000_000, max_draw_seconds=0.0).draw(1)
"""


def test_strokes_without_end_inside_a_form_end_the_process_that_draws_them(tmp_path: Path) -> None:
    """PDFium asks between the objects of a page whether to go on, but not within one that is a form."""

    def fill(document: pikepdf.Pdf) -> None:
        strokes = b"".join(b"%d %d m %d %d l S\n" % (n % 600, n % 700, n % 500, n % 300) for n in range(200_000))
        form = Stream(document, strokes)
        form.Type, form.Subtype, form.BBox = Name.XObject, Name.Form, Array([0, 0, 612, 792])
        document.pages[0].Resources = Dictionary(XObject=Dictionary(X=form))
        document.pages[0].Contents = Stream(document, b"/X Do")

    file = tmp_path / "strokes.pdf"
    file.write_bytes(changed(pdf(Leaf()), fill))
    ended = subprocess.run([sys.executable, "-c", HURRIED, file], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGXCPU, ended.stderr
