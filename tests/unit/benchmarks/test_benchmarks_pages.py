"""Pages a second and core: what is drawn, what is counted, with engines that only pretend to read."""

import io
from pathlib import Path
from typing import cast

import msgspec
import pytest
from PIL import Image

from benchmarks.engine import pages, speed
from benchmarks.engine.page_readers import PAGE_READERS, PageAnswer, PageReaderName
from benchmarks.engine.pages import POINTS, PageProcess, Report, draw_page
from benchmarks.engine.process import Failed
from ocr_engine.options import EngineOptions

CPU_SECONDS = {"ours": 0.5, "ours-tiny": 0.25, "tesseract": 1.0}


class FakeEngine:
    """Takes so many CPU seconds a page, waits as long beside them, and reads the text beside the page, if any."""

    def __init__(self, name: PageReaderName) -> None:
        self.name = name
        self.read_pages: list[Path] = []
        self.closed = False

    def read(self, image: Path) -> PageAnswer:
        self.read_pages.append(image)
        spent = CPU_SECONDS[self.name]
        beside = image.with_suffix(".txt")
        text = beside.read_text("utf-8") if beside.is_file() else ""
        return PageAnswer(text=text, seconds=2 * spent, cpu_seconds=spent, peak_memory=10**8)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def started() -> dict[str, FakeEngine]:
    return {}


def run(started: dict[str, FakeEngine], *arguments: str) -> int:
    def start(name: PageReaderName, _options: EngineOptions) -> PageProcess:
        if name not in CPU_SECONDS:
            raise Failed(f"{name}: not installed")
        started[name] = FakeEngine(name)
        return cast(PageProcess, started[name])

    return pages.main(arguments, start)


@pytest.mark.parametrize(("letters", "dpi"), [(letters, 150) for letters in POINTS] + [(5500, 200)])
def test_a_drawn_page_is_a4_and_has_its_letters_and_no_more_than_a_word_beyond(letters: int, dpi: int) -> None:
    image, text = draw_page(letters, dpi)
    assert Image.open(io.BytesIO(image)).size == (round(8.27 * dpi), round(11.69 * dpi))
    drawn = len("".join(text.split()))
    assert letters <= drawn < letters + 12
    assert draw_page(letters, dpi) == (image, text)


def test_a_page_costs_the_cpu_seconds_of_its_engine_whatever_else_the_machine_does(
    started: dict[str, FakeEngine], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    assert run(started, "--quick", "--json", str(report)) == 0
    paces = msgspec.json.decode(report.read_bytes(), type=Report).paces
    whole = {each.engine: each for each in paces if each.kind == "all"}
    assert [each.pages_per_core_second for each in whole.values()] == [2.0, 4.0, 1.0]
    assert {each.pages for each in whole.values()} == {len(POINTS) + len(pages.DOCUMENTS)}
    assert {each.kind for each in paces} == {*(f"{n} letters, 150 dpi" for n in POINTS), "documents", "all"}
    printed = capsys.readouterr()
    (ratios,) = (line for line in printed.out.splitlines() if line.startswith("ours is"))
    assert ratios.split()[2::2] == ["1.00", "0.50", "2.00"]
    assert printed.err.count("left out") == len(PAGE_READERS) - len(CPU_SECONDS)
    # one page before the others, untimed
    assert all(len(each.read_pages) == 1 + whole["ours"].pages and each.closed for each in started.values())


def test_documents_are_scored_where_their_text_stands_beside_them(
    started: dict[str, FakeEngine], tmp_path: Path
) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "a.txt").write_text("some words", "utf-8")
    (tmp_path / "b.png").touch()
    report = tmp_path / "report.json"
    assert run(started, "--quick", "--images", str(tmp_path), "--json", str(report)) == 0
    paces = msgspec.json.decode(report.read_bytes(), type=Report).paces
    of_documents = next(each for each in paces if (each.kind, each.engine) == ("documents", "ours"))
    assert (of_documents.pages, of_documents.word_f1) == (2, 1.0)
    assert next(each for each in paces if each.kind.startswith("800")).word_f1 == 0.0  # the fake reads nothing there


def test_it_is_a_mode_of_the_engine_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "main", len)
    assert speed.main(["--pages", "--quick", "--engine"]) == 2


def test_without_ours_nothing_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    def start(name: PageReaderName, _options: EngineOptions) -> PageProcess:
        raise Failed(f"{name}: broken")

    assert pages.main(["--quick"], start) == 2
    assert "pages: ours: broken" in capsys.readouterr().err
