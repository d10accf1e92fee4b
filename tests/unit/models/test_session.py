"""Both runtimes keep the promises of a session."""

import resource
import sys
from pathlib import Path

import numpy as np
import pytest

from ocr_engine.errors import EngineError
from ocr_engine.models import files
from ocr_engine.models.catalogue import Role
from ocr_engine.models.files import ModelFile
from ocr_engine.models.graphs import Prepared
from ocr_engine.models.graphs.trial_lines import drawn
from ocr_engine.models.openvino_session import FILLINGS, OpenVinoSession
from ocr_engine.models.session import Session, open_session
from ocr_engine.options import Backend, EngineOptions

FILES = {file.role: file for file in files.find(EngineOptions())}
BACKENDS: list[Backend] = ["onnxruntime", "openvino"]


@pytest.fixture(scope="module", params=BACKENDS)
def options(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> EngineOptions:
    return EngineOptions(backend=request.param, cache_dir=str(tmp_path_factory.mktemp("graphs")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("both"))


@pytest.fixture(scope="module")
def angle(options: EngineOptions) -> Session:
    return open_session(FILES["angle"], options)


def crops(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, 3, 48, 192)).astype(np.float32)


def test_a_batch_gives_what_its_members_give_alone(angle: Session) -> None:
    batch = crops(5)
    alone = [angle.run(batch[i : i + 1])[0] for i in range(5)]
    np.testing.assert_allclose(angle.run(batch), alone, atol=1e-2)


def test_a_result_stays_when_the_session_runs_again(angle: Session) -> None:
    first = angle.run(crops(1))
    copy = first.copy()
    angle.run(-crops(1, seed=1))
    np.testing.assert_array_equal(first, copy)


def test_the_same_input_gives_the_same_output(angle: Session) -> None:
    np.testing.assert_array_equal(angle.run(crops(2)), angle.run(crops(2)))


def test_memory_that_is_kept_between_runs_is_given_back_when_asked(options: EngineOptions) -> None:
    detection = open_session(FILES["detection"], options)
    small = np.zeros((1, 3, 64, 64), np.float32)
    before = detection.run(small)
    resting = resident()
    detection.run(np.zeros((1, 3, 1600, 1600), np.float32))
    kept = resident() - resting
    detection.release()
    # openvino's session gives it back by itself after a look as large as that
    assert (kept > 100_000_000) is (options.backend == "onnxruntime")
    assert resident() - resting < 60_000_000
    np.testing.assert_array_equal(detection.run(small), before)


def test_a_line_of_any_length_takes_little_memory(options: EngineOptions) -> None:
    recognition = open_session(FILES["recognition"], options)
    recognition.lines(np.zeros((1, 3, 48, 128), np.float32))
    before = resident()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    recognition.lines(np.concatenate(drawn()[:8], axis=3))
    # all scores of all its steps would be 48 MB, three times over
    assert peak() - before < 100_000_000


@pytest.mark.parametrize(("count", "width"), [(1, 640), (3, 136), (1, 1512)])
def test_a_line_is_read_as_a_run_has_it(count: int, width: int, options: EngineOptions) -> None:
    recognition = open_session(FILES["recognition"], options)
    lines = np.concatenate([np.concatenate(drawn()[i : i + 3], axis=3)[:, :, :, :width] for i in range(count)])
    whole = recognition.run(lines)
    for line, scores in zip(recognition.lines(lines), whole, strict=True):
        assert len(line.probabilities) == len(scores) == width // 8
        assert (line.classes[line.probabilities.argmax(axis=1)] == scores.argmax(axis=1)).all()


def peak() -> int:
    """Bytes of this process that were in memory at most."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def resident() -> int:
    """Bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(
    ("role", "shape"), [("detection", (None, 3, None, None)), ("recognition", (None, 3, 48, None))]
)
def test_a_session_says_what_it_takes(options: EngineOptions, role: Role, shape: tuple[int | None, ...]) -> None:
    assert open_session(FILES[role], options).input_shape == shape


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_model_that_cannot_be_opened_is_named(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"no model")
    model = ModelFile(role="angle", path=path, sha256="0" * 64, name=path.name)
    with pytest.raises(EngineError, match=f"the angle model {path} cannot be opened"):
        open_session(model, EngineOptions(backend=backend, cache_dir=str(tmp_path)))


def test_both_runtimes_find_the_same_lines_in_the_detection_map(folder: str) -> None:
    page = np.full((1, 3, 128, 320), 1, np.float32)
    for x in range(40, 280, 12):
        page[:, :, 36:60, x : x + 4] = -1
    maps = [
        open_session(FILES["detection"], EngineOptions(backend=backend, cache_dir=folder)).run(page)
        for backend in BACKENDS
    ]
    assert maps[0].max() > 0.5
    assert ((maps[0] > 0.3) == (maps[1] > 0.3)).mean() > 0.99


@pytest.mark.parametrize(("count", "width"), [(1, 128), (3, 136), (5, 200), (1, 648)])
def test_both_runtimes_read_the_same_in_lines_of_any_width(count: int, width: int, folder: str) -> None:
    lines = np.concatenate([drawn()[i][:, :, :, :width] for i in range(count)])
    lines = np.concatenate([lines, np.zeros((count, 3, 48, width - lines.shape[3]), np.float32)], axis=3)
    one, other = (
        open_session(FILES["recognition"], EngineOptions(backend=backend, cache_dir=folder)).run(lines)
        for backend in BACKENDS
    )
    assert one.shape == other.shape == (count, width // 8, one.shape[2])
    assert (one.argmax(axis=2) == other.argmax(axis=2)).mean() > 0.95


def test_both_runtimes_look_at_pages_of_any_size(folder: str) -> None:
    page = np.full((1, 3, 352, 672), 0.9, np.float32)
    for i, line in enumerate(drawn()[:5]):
        page[:, :, 40 + 60 * i : 88 + 60 * i, 16:656] = line
    one, other = (
        open_session(FILES["detection"], EngineOptions(backend=backend, cache_dir=folder)).run(page)
        for backend in BACKENDS
    )
    assert one.shape == other.shape == (1, 1, 352, 672)
    assert one.max() > 0.5
    assert ((one > 0.3) == (other > 0.3)).mean() > 0.98


def test_openvino_compiles_for_few_sizes_only() -> None:
    def given(role: Role, sizes: range) -> set[int]:
        return {FILLINGS[role].length(size) for size in sizes}

    lines, sides = given("recognition", range(128, 2049, 16)), given("detection", range(32, 2001, 32))
    assert len(lines) <= 18
    assert len(sides) <= 24
    assert all(size <= FILLINGS["recognition"].length(size) <= 1.25 * size for size in range(256, 9601, 16))
    assert all(size <= FILLINGS["detection"].length(size) <= 1.25 * size for size in range(256, 2001, 32))


def test_a_plain_graph_that_openvino_cannot_open_leaves_the_original_to_serve() -> None:
    session = OpenVinoSession(FILES["angle"], 1, Prepared(model=b"no graph"))
    assert "the optimised graph cannot be opened" in session.note
    assert session.run(crops(3)).shape == (3, 2)


def test_openvino_that_is_not_installed_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(EngineError, match="openvino is not installed: run `uv sync --extra openvino`"):
        open_session(FILES["angle"], EngineOptions(backend="openvino"))
