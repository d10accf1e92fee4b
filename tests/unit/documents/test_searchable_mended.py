"""A PDF that had to be mended to be read comes out as one that needs none."""

import io
from pathlib import Path

import pikepdf
from pikepdf import ObjectStreamMode

from tests.pdf_readers import texts
from tests.pdfs import Leaf, pdf
from tests.unit.documents.test_searchable_text import flat, lines, page, searchable


def test_a_pdf_whose_end_was_cut_off_comes_out_whole(tmp_path: Path) -> None:
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf(Leaf(), Leaf()))) as document:
        document.save(file, object_stream_mode=ObjectStreamMode.disable)
    cut = file.getvalue()[: file.getvalue().index(b"\nxref\n")]
    pages = [
        page(*lines(text), size=(1224, 1584), number=number) for number, text in ((1, "First page"), (2, "Second"))
    ]
    for found in texts(searchable(tmp_path, cut, *pages)).values():
        assert [flat(each) for each in found] == ["First page", "Second"]
