"""The engine benchmark: turns, ratios, memory and the report, with engines that only pretend to read."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

import msgspec
import pytest
from PIL import Image

from benchmarks.engine import memory as engine_memory
from benchmarks.engine import process as engine_process
from benchmarks.engine import speed
from benchmarks.engine.process import Answer, EngineProcess, Failed
from benchmarks.engine.readers import ReaderName
from benchmarks.engine.roofline import efficiency
from benchmarks.engine.speed import Report
from benchmarks.report.progress import Progress
from ocr_engine.options import EngineOptions
from ocr_engine.result import OcrTimings

MB = 1_000_000


class FakeEngine:
    """Takes so many seconds an image, the first one twice as long, and grows by a megabyte with each."""

    def __init__(self, name: ReaderName, options: EngineOptions) -> None:
        self.name = name
        self.seconds = {"ours": 0.5, "rapidocr": 1.5, "rapidocr-onnxruntime": 2.0}[name]
        self.paths: list[Path] = []
        self.closed = False

    def read(self, image: Path) -> Answer:
        self.paths.append(image)
        memory = (100 + len(self.paths)) * MB
        return Answer(
            seconds=self.seconds * (2 if len(self.paths) == 1 else 1),
            peak_memory=memory + MB,
            resident=memory,
            error="OcrError: damaged" if image.stem == "damaged" else "",
            stages=OcrTimings(detect=0.1, recognise=0.3, total=0.5) if self.name == "ours" else None,
        )

    def close(self) -> None:
        self.closed = True


class Garage:
    """Starts engines, and knows which; one that is called `missing` is not installed."""

    def __init__(self, kind: type[FakeEngine] = FakeEngine, missing: str = "") -> None:
        self.kind = kind
        self.missing = missing
        self.started: list[FakeEngine] = []

    def start(self, name: ReaderName, options: EngineOptions) -> EngineProcess:
        if name == self.missing:
            raise Failed(f"{name}: ModuleNotFoundError: No module named '{name}'")
        self.started.append(self.kind(name, options))
        return cast(EngineProcess, self.started[-1])

    def run(self, *arguments: str) -> int:
        return speed.main(arguments, self.start, photo_size=(300, 300))


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.setenv(name, "1")


@pytest.fixture
def garage() -> Garage:
    return Garage()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.png", "b.jpg", "c.webp", "d.tif", "damaged.png", "notes.txt"):
        (folder / name).touch()
    return folder


@pytest.fixture
def run(garage: Garage, images: Path, tmp_path: Path) -> Callable[..., Report]:
    def run_with(*arguments: str) -> Report:
        file = tmp_path / "results" / "report.json"
        assert garage.run("--images", str(images), "--no-efficiency", "--json", str(file), *arguments) == 0
        return msgspec.json.decode(file.read_bytes(), type=Report)

    return run_with


def test_every_engine_reads_every_image_and_is_ended(run: Callable[..., Report], garage: Garage) -> None:
    report = run()
    assert [speed.engine for speed in report.engines] == ["ours", "rapidocr", "rapidocr-onnxruntime"]
    assert {speed.images for speed in report.engines} == {5} == {len(report.images)}
    assert all(each.closed and len(each.paths) == 7 for each in garage.started)


def test_times_are_summed_without_the_cold_ones(run: Callable[..., Report]) -> None:
    ours, stock, _ = run().engines
    assert (ours.seconds, ours.first_seconds, ours.again_seconds) == (2.5, 1.0, 0.5)
    assert ours.images_per_second == 2
    assert ours.stages == OcrTimings(detect=0.5, recognise=1.5, total=2.5)
    assert stock.stages is None
    assert stock.seconds / ours.seconds == 3


def test_an_image_that_an_engine_refuses_is_an_error_of_its_own(run: Callable[..., Report]) -> None:
    assert {speed.errors for speed in run().engines} == {1}


def test_a_report_names_its_machine(run: Callable[..., Report]) -> None:
    machine = run("--quick", "--alone").machine
    assert {"numpy", "onnxruntime"} <= {package.name for package in machine.packages}


def test_a_quick_look_takes_every_fourth_image(run: Callable[..., Report]) -> None:
    assert run("--quick", "--alone").images == ("a.png", "damaged.png")


def test_only_the_engines_that_were_asked_for_are_measured(run: Callable[..., Report]) -> None:
    assert [speed.engine for speed in run("--against", "rapidocr").engines] == ["ours", "rapidocr"]


def test_progress_and_the_table_show_what_was_measured(
    run: Callable[..., Report], capsys: pytest.CaptureFixture[str]
) -> None:
    run("--against", "rapidocr", "--memory", "20")
    shown = capsys.readouterr()
    assert "5/5 damaged.png: ours 0.50 s OcrError: damaged | rapidocr 1.50 s" in shown.err
    assert "3.00 x" in shown.out
    assert "recognise 1.5 s (60%)" in shown.out
    assert "memory: 121 MB at the peak of 20 images, 122 MB with a photo" in shown.out


def test_memory_is_that_of_a_fresh_process_early_and_late(run: Callable[..., Report]) -> None:
    memory = run("--alone", "--memory", "60").memory
    assert memory is not None
    assert (memory.reads, memory.early, memory.late) == (60, 106 * MB, 160 * MB)
    assert (memory.peak, memory.peak_with_photo) == (161 * MB, 162 * MB)
    assert memory.growth == pytest.approx(54 / 106)


def test_growth_counts_from_the_first_full_round(garage: Garage, images: Path) -> None:
    engine = garage.start("ours", EngineOptions())
    memory = engine_memory.measure(engine, [images / "a.png"] * 5, 10, Progress(), photo_size=(300, 300))
    assert memory.early == 105 * MB
    assert garage.started[0].closed


def test_the_photo_is_drawn_at_the_size_that_is_asked_for(tmp_path: Path) -> None:
    engine_memory.draw_photo(tmp_path / "photo.jpg", (900, 600))
    with Image.open(tmp_path / "photo.jpg") as image:
        assert image.size == (900, 600)
        assert min(image.convert("L").tobytes()) < 100


def test_a_stock_engine_that_is_not_installed_is_left_out(
    garage: Garage, run: Callable[..., Report], capsys: pytest.CaptureFixture[str]
) -> None:
    garage.missing = "rapidocr"
    assert [speed.engine for speed in run().engines] == ["ours", "rapidocr-onnxruntime"]
    assert "left out: rapidocr" in capsys.readouterr().err


class DyingEngine(FakeEngine):
    def read(self, image: Path) -> Answer:
        raise Failed("ours died")


def test_an_engine_that_dies_ends_the_run_in_a_word(images: Path, capsys: pytest.CaptureFixture[str]) -> None:
    garage = Garage(DyingEngine)
    assert garage.run("--images", str(images)) == 2
    assert "engine: ours died" in capsys.readouterr().err
    assert garage.started
    assert all(each.closed for each in garage.started)


def test_a_folder_without_images_cannot_be_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert speed.main(["--images", str(tmp_path)]) == 2
    assert "no images" in capsys.readouterr().err


def test_a_process_that_cannot_load_its_models_says_why() -> None:
    with pytest.raises(Failed, match=r"ours: .*missing\.onnx"):
        EngineProcess("ours", EngineOptions(detection_model="missing.onnx"))


def test_memory_is_not_that_of_the_process_that_started_it() -> None:
    ballast = bytes(300 * MB).replace(b"\0", b"x")
    script = "from benchmarks.engine.process import memory; print(*memory())"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    now, most = map(int, told.stdout.split())
    assert 10 * MB < now <= most < len(ballast) < engine_process.memory()[1]


def test_efficiency_is_work_by_time_by_the_roof() -> None:
    found = efficiency("detection", (1, 3, 32, 32), 10e9, seconds=0.5, roof=40e9)
    assert (found.milliseconds, found.operations_per_second, found.share) == (500, 20e9, 0.5)
    assert str(found) == "detection (1, 3, 32, 32): 500.0 ms, 20 GFLOP/s, 50% of the matrix product"
