"""Pages drawn for `accuracy` are as their manifest says: words where their ink is, rows and tables as they were set."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy.manifest import load_all
from benchmarks.accuracy.polygons import bounds
from benchmarks.drawn.pages import KINDS
from benchmarks.drawn.prose import faces
from benchmarks.drawn.run import draw, draw_prose
from benchmarks.drawn.sheet import FOLDERS, Sheet

DARK = 160
"""Grey below which a pixel is ink."""


@pytest.mark.parametrize("kind", ["receipts", "upside-down", "sideways"])
def test_the_box_of_a_word_is_that_of_its_ink(kind: str) -> None:
    sheet = Sheet(f"{kind} test")
    KINDS[kind](sheet)
    ink = np.asarray(Image.open(io.BytesIO(sheet.jpeg()))) < DARK
    for word in sheet.words[::7] + sheet.words[-3:]:
        left, top, right, bottom = (round(side) for side in bounds(word.shape))
        inside = ink[top - 2 : bottom + 2, left - 2 : right + 2]
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        # thin strokes grow faint by blur, and skew widens the level box
        assert rows[0] < 8
        assert columns[0] < 8
        assert len(inside) - rows[-1] <= 8
        assert inside.shape[1] - columns[-1] <= 8


def test_a_folder_of_them_is_read_as_a_manifest_and_comes_out_the_same(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        draw(tmp_path / folder, ["receipts", "tables"], pages=1, seed=3)
    receipt, table = load_all([tmp_path / "one"])
    assert receipt.truth.by_word
    assert len(receipt.truth.pairs) > 8
    assert all(f"{item} {price}" in receipt.truth.lines for item, price in receipt.truth.pairs)
    assert table.truth.tables is not None
    (cells,) = table.truth.tables
    assert {cell.row for cell in cells} == set(range(max(cell.row for cell in cells) + 1))
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_pages_of_prose_hold_lines_of_it_in_each_language_and_come_out_the_same(tmp_path: Path) -> None:
    texts = tmp_path / "texts"
    texts.mkdir()
    prose = {"de": "Über allen Gipfeln ist Ruh, in allen Wipfeln spürest du kaum einen Hauch.", "en": "Nothing at all."}
    for language, text in prose.items():
        (texts / f"{language}.txt").write_text("\n".join([text] * 20), encoding="utf-8")
    fonts = [path for path in faces([Path(folder) for folder in FOLDERS]) if "DejaVu" in path.name]
    for folder in ("one", "two"):
        draw_prose(tmp_path / folder, texts, fonts, pages=2, seed=3)
    pages = load_all([tmp_path / "one"])
    assert [page.language for page in pages] == ["de", "de", "en", "en"]
    assert all(" ".join(page.truth.lines).startswith(prose[page.language]) for page in pages)
    for file in sorted((tmp_path / "one").iterdir()):
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_prose_whose_letters_no_font_has_is_told(tmp_path: Path) -> None:
    (tmp_path / "de.txt").write_text("Ja.", encoding="utf-8")
    with pytest.raises(LookupError, match="no font"):
        draw_prose(tmp_path, tmp_path, [], pages=1, seed=1)
