"""The documents that are measured are scans as a scanner makes them, and the figures say what they claim."""

from pathlib import Path

import pytest

from benchmarks.documents.draw import SIZE, draw_scan, write_pdf
from benchmarks.documents.peers import PeerFigures, word_f1
from benchmarks.documents.run import DocumentFigures, Round, WorkerMemory, table
from benchmarks.documents.waits import told
from benchmarks.engine.nasty import GREATEST_SIDE, Peak, greatest_side
from benchmarks.engine.nasty import table as peaks_table
from config.machine import WORKER_MEMORY_BYTES
from ocr_engine.document.opening import open_document
from ocr_engine.options import EngineOptions, ReadOptions


def test_a_drawn_page_is_always_the_same_and_each_has_a_text_of_its_own() -> None:
    first = draw_scan(1, 2)
    assert first == draw_scan(1, 2)
    assert first.text != draw_scan(2, 2).text
    assert len(first.text.split("\n")) == 2


def test_each_page_of_the_file_is_a_scan_of_its_own_at_300_dpi(tmp_path: Path) -> None:
    file = tmp_path / "scans.pdf"
    jpegs = [draw_scan(number, 1).jpeg for number in range(2)]
    write_pdf(file, jpegs, 3)
    assert file.stat().st_size > sum(map(len, jpegs)) + len(jpegs[0])
    document = open_document(file, ReadOptions(), EngineOptions())
    assert document.info.pages == 3
    page = document.draw(3)
    assert page.pixels.shape[:2] == SIZE[::-1]
    assert page.dpi == pytest.approx(300, abs=0.1)
    document.close()


def test_words_are_counted_page_by_page_whatever_their_order() -> None:
    assert word_f1(["one two", "three"], ["Two one", "three"]) == 1.0
    assert word_f1(["one two", "three"], ["three", "one two"]) == 0.0
    assert word_f1(["one two three four"], ["one two"]) == pytest.approx(2 / 3)
    assert word_f1([""], [""]) == 1.0


def test_the_table_has_a_row_for_everything() -> None:
    figures = DocumentFigures(
        rounds=(Round(what="pdf", workers=2, pages=10, seconds=20.0, drawing=0.25, f1=0.99),),
        memory=WorkerMemory(pages=300, early=400_000_000, late=410_000_000),
        peers=(PeerFigures(name="OCRmyPDF", jobs=2, pages=10, seconds=40.0, f1=0.9),),
        waits=(told("one's own 300 pages", [0.1] * 10 + [0.5] * 9 + [2.0], [0.4, 0.6]),),
    )
    shown = table(figures)
    assert [line.split() for line in shown.split("\n")[1:3]] == [
        ["pdf", "2", "10", "0.500", "0.250", "0.9900"],
        ["OCRmyPDF", "2", "10", "0.250", "0.9000"],
    ]
    assert "over 300 pages: 400 MB at page 10, 410 MB at the last" in shown
    # the 95th percentile of 20 waits is the second longest; a page takes half a second
    assert shown.split("\n")[-1].split() == ["one's", "own", "300", "pages", "20", "0.50", "s", "0.20", "1.00", "4.00"]


def test_a_part_alone_is_shown_alone() -> None:
    figures = DocumentFigures(memory=WorkerMemory(pages=300, early=400_000_000, late=410_000_000))
    assert table(figures) == "A worker's peak over 300 pages: 400 MB at page 10, 410 MB at the last"


def test_a_file_may_share_its_pictures(tmp_path: Path) -> None:
    file = tmp_path / "short.pdf"
    jpegs = [draw_scan(number, 1).jpeg for number in range(2)]
    write_pdf(file, jpegs, 30, shared=True)
    assert file.stat().st_size < sum(map(len, jpegs)) + 30_000
    document = open_document(file, ReadOptions(), EngineOptions())
    assert document.draw(30).pixels.shape[:2] == SIZE[::-1]
    document.close()


def test_the_greatest_files_are_drawn_no_larger_than_is_accepted() -> None:
    sides = {name: greatest_side(name) for name in ("PNG with alpha", "WebP with alpha", "PDF of a JPEG 2000")}
    # the JPEG 2000 of a PDF too: one that would take too much memory is read at half its resolution
    assert sides["PNG with alpha"] == sides["PDF of a JPEG 2000"] == GREATEST_SIDE
    assert sides["WebP with alpha"] < GREATEST_SIDE
    over = Peak(name="a file", side=GREATEST_SIDE, file_bytes=1000, outcome="read", peak=WORKER_MEMORY_BYTES + 1)
    assert peaks_table([over]).endswith("more than is reckoned with")
