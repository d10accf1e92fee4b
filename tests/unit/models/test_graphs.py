"""Optimised graphs compute what the originals compute, and their cache can be trusted, damaged or absent."""

import hashlib
import multiprocessing
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ocr_engine.errors import EngineError
from ocr_engine.models import files, graphs
from ocr_engine.models.catalogue import Role
from ocr_engine.models.files import ModelFile
from ocr_engine.models.graphs import Prepared
from ocr_engine.models.graphs.build import (
    EQUAL_LETTERS,
    TOLERANCE,
    NothingToQuantise,
    block_width,
    build,
    build_quantised,
    open_optimised,
)
from ocr_engine.models.graphs.cache import UNUSED_SECONDS, GraphCache, circumstances, multiplies_integers
from ocr_engine.models.graphs.running import scores_of_all
from ocr_engine.models.graphs.trial_lines import equal_letters
from ocr_engine.models.load import load_models
from ocr_engine.models.session import OnnxSession, Session, open_quantised, open_session
from ocr_engine.options import EngineOptions, ModelFamily


def file_of(family: ModelFamily, role: Role) -> ModelFile:
    return next(file for file in files.find(EngineOptions(model=family)) if file.role == role)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("graphs"))


@pytest.fixture(
    scope="module",
    params=[
        (family, role)
        for family in ("ppocr-v6", "ppocr-v6-tiny", "ppocr-v4")
        for role in ("detection", "recognition", "angle")
    ],
    ids="-".join,
)
def pair(request: pytest.FixtureRequest, folder: str) -> tuple[Role, Session, Session]:
    """A model as it was released, and its optimised graph."""
    model = file_of(*request.param)
    prepared = graphs.prepare(model, folder)
    assert prepared.model, prepared.fault
    return model.role, OnnxSession(model, 1, graphs.Prepared()), OnnxSession(model, 1, prepared)


def noise(shape: tuple[int, ...], seed: int, grain: int) -> NDArray[np.float32]:
    """Random pixels of -1 to 1 in squares of `grain` pixels."""
    small = np.random.default_rng(seed).uniform(-1, 1, (*shape[:2], -(-shape[2] // grain), -(-shape[3] // grain)))
    large = small.repeat(grain, axis=2).repeat(grain, axis=3)[:, :, : shape[2], : shape[3]]
    return np.ascontiguousarray(large, np.float32)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=st.integers(1, 8),
    columns=st.integers(1, 12),
    batch=st.integers(1, 2),
    seed=st.integers(0, 2**32 - 1),
    grain=st.sampled_from([1, 3, 8, 32]),
)
def test_optimised_and_original_agree_on_random_inputs_of_many_shapes(
    pair: tuple[Role, Session, Session], rows: int, columns: int, batch: int, seed: int, grain: int
) -> None:
    role, original, optimised = pair
    pixels = noise((batch, 3, rows * 32 if role == "detection" else 48, columns * 32), seed, grain)
    expected, got = original.run(pixels), optimised.run(pixels)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE)


ANGLE, RECOGNITION = file_of("ppocr-v6", "angle"), file_of("ppocr-v6", "recognition")
OTHER_BLOCK = 8 if block_width() != 8 else 16


def prepare_with(build: Callable[[ModelFile], bytes], folder: Path) -> Prepared:
    """The graph of a model here, where it is built another way."""
    return GraphCache(folder, circumstances(), build).prepare(ANGLE)


def test_a_graph_is_made_once(tmp_path: Path) -> None:
    first = graphs.prepare(ANGLE, str(tmp_path))
    assert first.model
    assert prepare_with(lambda model: b"made twice", tmp_path) == first


@pytest.mark.parametrize("name", ["*.graph", "*.weights"])
@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 1000])
def test_a_damaged_file_is_made_anew(damage: bytes, name: str, tmp_path: Path) -> None:
    made = graphs.prepare(ANGLE, str(tmp_path))
    (path,) = tmp_path.glob(name)
    whole = path.read_bytes()
    path.write_bytes(whole[:40] + damage)
    assert graphs.prepare(ANGLE, str(tmp_path)) == made
    assert path.read_bytes() == whole


def test_a_file_that_is_whole_but_no_graph_of_ours_is_made_anew(tmp_path: Path) -> None:
    made = graphs.prepare(ANGLE, str(tmp_path))
    (path,) = tmp_path.glob("*.graph")
    junk = b"\x93junk"
    path.write_bytes(hashlib.sha256(junk).digest() + junk)
    assert graphs.prepare(ANGLE, str(tmp_path)) == made


def test_weights_are_mapped_from_a_file_that_processes_share(tmp_path: Path) -> None:
    prepared = graphs.prepare(RECOGNITION, str(tmp_path))
    (weights,) = tmp_path.glob("*.weights")
    assert prepared.weights == str(weights)
    assert weights.stat().st_size > 20 * len(prepared.model)
    session = OnnxSession(RECOGNITION, 1, prepared)
    assert session.run(noise((1, 3, 48, 64), 0, 1)).shape[0] == 1
    assert str(weights) in Path("/proc/self/maps").read_text()


def test_without_its_weights_a_graph_is_made_anew(tmp_path: Path) -> None:
    made = graphs.prepare(ANGLE, str(tmp_path))
    next(tmp_path.glob("*.weights")).unlink()
    assert graphs.prepare(ANGLE, str(tmp_path)) == made


def test_a_graph_that_cannot_be_opened_leaves_the_original_to_serve(tmp_path: Path) -> None:
    prepare_with(lambda model: b"no graph", tmp_path)
    session = open_session(ANGLE, EngineOptions(cache_dir=str(tmp_path)))
    assert "cannot be opened" in session.note
    assert session.run(noise((3, 3, 48, 192), 0, 1)).shape == (3, 2)


def test_a_graph_for_blocks_of_another_processor_is_not_used(tmp_path: Path) -> None:
    prepared = prepare_with(partial(build, block=OTHER_BLOCK), tmp_path)
    assert not prepared.model
    assert prepared.fault


def test_a_folder_that_cannot_be_written_costs_only_time(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.touch()
    assert graphs.prepare(ANGLE, str(blocked / "below")).model


def test_what_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path: Path) -> None:
    prepare_with(lambda model: b"graph", tmp_path)
    (place,) = tmp_path.iterdir()
    place.unlink()
    place.mkdir()  # no file can be moved there
    assert prepare_with(lambda model: b"graph", tmp_path).model
    assert list(tmp_path.iterdir()) == [place]


def test_what_no_process_has_opened_for_long_goes_when_another_graph_is_made(tmp_path: Path) -> None:
    def made_by(version: str) -> Prepared:
        by = msgspec.structs.replace(circumstances(), optimiser=version)
        return GraphCache(tmp_path, by, lambda model: version.encode()).prepare(ANGLE)

    for version in ("old", "in use"):
        made_by(version)
    half, foreign = tmp_path / f"angle-{'0' * 32}.graph.weightsq8s2", tmp_path / "notes.txt"
    half.touch()
    foreign.touch()
    for file in tmp_path.iterdir():
        os.utime(file, (0.0, time.time() - UNUSED_SECONDS - 1))
    made_by("in use")
    made_by("new")
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".graph", ".graph", ".txt"]
    assert made_by("in use").model == b"in use"


@pytest.mark.parametrize("changed", ["optimiser", "runtime", "machine", "processor"])
def test_another_optimiser_runtime_or_processor_makes_another_graph(changed: str, tmp_path: Path) -> None:
    here = circumstances()
    elsewhere = msgspec.structs.replace(here, **{changed: "another"})
    GraphCache(tmp_path, here, lambda model: b"here").prepare(ANGLE)
    assert GraphCache(tmp_path, elsewhere, lambda model: b"elsewhere").prepare(ANGLE).model == b"elsewhere"
    assert GraphCache(tmp_path, here, lambda model: b"anew").prepare(ANGLE).model == b"here"


def test_processes_that_start_together_share_one_whole_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        results = pool.starmap(graphs.prepare, [(ANGLE, str(tmp_path))] * 4)
    assert all(result == results[0] and result.model for result in results)
    assert len(list(tmp_path.glob("*.graph"))) == len(list(tmp_path.glob("*.weights"))) == 1
    assert len(list(tmp_path.iterdir())) == 2


def test_a_graph_that_computes_something_else_is_not_used(tmp_path: Path) -> None:
    prepared = prepare_with(partial(build, tolerance=-1.0), tmp_path)
    assert not prepared.model
    assert "GraphDiffers" in prepared.fault
    session = OnnxSession(ANGLE, 1, prepared)
    assert session.note == prepared.fault
    assert session.run(noise((3, 3, 48, 192), 0, 1)).shape == (3, 2)


def test_that_a_model_cannot_be_optimised_is_remembered(tmp_path: Path) -> None:
    first = prepare_with(partial(build, tolerance=-1.0), tmp_path)
    assert first.fault
    assert graphs.prepare(ANGLE, str(tmp_path)) == first


def test_a_model_with_the_same_name_and_other_content_has_another_graph(tmp_path: Path) -> None:
    other = msgspec.structs.replace(ANGLE, sha256="0" * 64)
    graphs.prepare(ANGLE, str(tmp_path))
    graphs.prepare(other, str(tmp_path))
    assert len(list(tmp_path.glob("*.graph"))) == 2


@pytest.fixture(scope="module")
def quantised() -> bytes:
    return build_quantised(RECOGNITION)


def test_in_integers_the_letters_are_those_of_float32(quantised: bytes) -> None:
    exact, rounded = open_optimised(build(RECOGNITION)), open_optimised(quantised)
    assert EQUAL_LETTERS <= equal_letters(exact, rounded) <= 1
    line = noise((2, 3, 48, 320), 1, 3)
    expected, got = scores_of_all(exact, line), scores_of_all(rounded, line)
    assert got.shape == expected.shape
    assert not np.array_equal(got, expected)  # it is another computation


def test_the_products_of_integers_take_the_place_of_most_of_the_arithmetic(quantised: bytes) -> None:
    graph = onnx.load_model_from_string(quantised).graph
    weights = {tensor.name: int(np.prod(tensor.dims)) for tensor in graph.initializer}
    floats = sum(weights.get(name, 0) for node in graph.node if node.op_type == "Conv" for name in node.input)
    products = [node for node in graph.node if node.op_type in ("DynamicQuantizeMatMul", "MatMulIntegerToFloat")]
    integers = sum(weights.get(name, 0) for node in products for name in node.input)
    assert integers > 10 * floats


def test_a_model_without_such_operators_is_read_in_float32_only() -> None:
    with pytest.raises(NothingToQuantise):
        build_quantised(file_of("ppocr-v4", "recognition"))


@pytest.mark.parametrize(
    ("flags", "made_for_it"),
    [
        ("flags\t: fpu avx2 avx512f avx512_vnni", True),
        ("flags\t: fpu avx2 avx_vnni", True),
        ("flags\t: fpu avx2 avx512f", False),  # products there overflow into each other
        ("Features\t: fp asimd asimddp", True),
        ("Features\t: fp asimd", False),
        ("", False),
    ],
)
def test_integers_are_for_processors_that_are_made_for_them(flags: str, made_for_it: bool) -> None:
    assert multiplies_integers(flags) is made_for_it


def test_a_graph_in_integers_that_cannot_be_opened_leaves_float32_to_serve(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "multiplies_integers", lambda _: True)
    GraphCache(Path(folder), circumstances(), lambda model: b"no graph", "int8").prepare(RECOGNITION)
    loaded = load_models(EngineOptions(cache_dir=folder))
    assert loaded.quick_recognition is None
    (note,) = loaded.notes
    assert "cannot be opened" in note


def test_a_graph_in_integers_that_reads_other_letters_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graphs, "multiplies_integers", lambda _: True)
    GraphCache(tmp_path, circumstances(), partial(build_quantised, least=1.01), "int8").prepare(RECOGNITION)
    with pytest.raises(EngineError, match=r"in float32 only: GraphDiffers: of the letters of drawn lines 9\d"):
        open_quantised(RECOGNITION, EngineOptions(cache_dir=str(tmp_path)))


@pytest.mark.parametrize("flags", ["flags\t: fpu avx2 avx512f", "Features\t: fp asimd", ""])
def test_a_processor_that_is_not_made_for_integers_gets_no_graph_of_them(
    flags: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = msgspec.structs.replace(circumstances(), processor=flags)
    monkeypatch.setattr(graphs, "circumstances", lambda: elsewhere)
    assert open_quantised(RECOGNITION, EngineOptions(cache_dir=str(tmp_path))) is None
    assert not list(tmp_path.iterdir())


UNWANTED: list[dict[str, Any]] = [
    {"int8": False},
    {"model": "ppocr-v4"},
    {"optimised_graphs": False},
    {"backend": "openvino"},
]


@pytest.mark.parametrize("changes", UNWANTED)
def test_integers_are_left_alone_where_they_are_not_wanted(changes: dict[str, Any], tmp_path: Path) -> None:
    assert open_quantised(RECOGNITION, EngineOptions(cache_dir=str(tmp_path), **changes)) is None
