"""Few classes are asked first and all only where needed, and what is read is what asking all at once would give."""

from collections.abc import Sequence
from math import inf
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ocr_engine.models import files
from ocr_engine.models.catalogue import FAMILIES
from ocr_engine.models.characters import common
from ocr_engine.models.graphs import build
from ocr_engine.models.graphs.cache import GraphCache, circumstances
from ocr_engine.models.graphs.graph import Graph
from ocr_engine.models.graphs.patterns.two_steps import MAX_UNSURE, classify_in_two_steps
from ocr_engine.models.graphs.running import SURE_INPUT, scores_of_all, scores_of_common
from ocr_engine.models.graphs.trial_lines import drawn
from ocr_engine.models.line_scores import MIN_PROBABILITY_ASKED, LineScores, of_all, of_two_steps
from ocr_engine.models.session import open_session
from ocr_engine.options import EngineOptions, ModelFamily

SURE_SCORE = 18.0
CLASSES = 6
COMMON = (0, 1, 2, 5)


def classifier() -> Graph:
    """The end of a recogniser whose features are the scores themselves: (N, steps, 6) in, their Softmax out."""
    weights = [np.eye(CLASSES, dtype=np.float32), np.zeros(CLASSES, np.float32)]
    nodes = [
        helper.make_node("Reshape", ["features", "rows"], ["r"]),
        helper.make_node("Gemm", ["r", "weights", "bias"], ["g"]),
        helper.make_node("Shape", ["features"], ["s"]),
        helper.make_node("Gather", ["s", "first"], ["n"]),
        helper.make_node("Concat", ["n", "classes"], ["shape"], axis=0),
        helper.make_node("Reshape", ["g", "shape"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["out"], axis=2),
    ]
    constants = [
        *zip(("weights", "bias"), weights, strict=True),
        ("rows", np.array([-1, CLASSES])),
        ("first", np.array([0, 1])),
        ("classes", np.array([CLASSES])),
    ]
    graph = helper.make_graph(
        nodes,
        "classifier",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ("N", "T", CLASSES))],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(value, name) for name, value in constants],
    )
    return Graph(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8))


def asked(steps: Sequence[Sequence[float]]) -> tuple[NDArray[np.float32], list[int], NDArray[np.float32]]:
    """What the classifier gives for the scores of a line: of the common classes, which steps are open, and of all."""
    graph = classifier()
    classify_in_two_steps(graph, COMMON)
    session = build.open_optimised(graph.model().SerializeToString())
    scores = np.array([steps], np.float32)
    some, open_rows, every = session.run(None, {"features": scores, SURE_INPUT: np.array(SURE_SCORE, np.float32)})
    np.testing.assert_allclose(scores_of_all(session, scores)[0], softmax(scores[0]), atol=1e-6)
    np.testing.assert_allclose(scores_of_common(session, scores)[0], softmax(scores[0, :, COMMON].T), atol=1e-6)
    return some[0], open_rows.tolist(), every


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


BLANK, LETTER, FOREIGN = [25, 0, 0, 0, 0, 0], [0, 22, 3, 0, 1, 0], [5, 0, 0, 24, 0, 0]
UNSURE = [15, 0, 0, 0, 0, 0]


def test_all_classes_are_asked_only_for_steps_that_the_common_ones_do_not_settle() -> None:
    line = [BLANK] * 30
    line[3:5], line[7], line[9] = [LETTER] * 2, FOREIGN, UNSURE
    some, open_steps, every = asked(line)
    assert open_steps == [7, 9]
    np.testing.assert_allclose(every, softmax(np.array([FOREIGN, UNSURE], np.float32)), atol=1e-6)
    np.testing.assert_allclose(some, softmax(np.array(line, np.float32)[:, COMMON]), atol=1e-6)


def test_a_line_of_another_script_is_asked_whole() -> None:
    line = [BLANK] * 30
    line[: int(MAX_UNSURE * 30) + 1] = [FOREIGN] * (int(MAX_UNSURE * 30) + 1)
    assert asked(line)[1] == [*range(30)]


def test_where_all_steps_are_settled_none_is_asked() -> None:
    _, open_steps, every = asked([BLANK, LETTER, BLANK])
    assert open_steps == []
    assert every.shape == (0, CLASSES)


def test_what_comes_into_question_of_a_batch_is_what_all_classes_would_say() -> None:
    random = np.random.default_rng(1)
    scores = random.uniform(0, 9, (3, 4, CLASSES)).astype(np.float32)
    every = softmax(scores.reshape(-1, CLASSES))
    every[:, 3] = 0  # a class that nobody speaks for, of those that are not common
    open_rows = np.array([1, 2, 9])  # two of the first line, none of the second, one of the last
    some = every[:, COMMON].copy().reshape(3, 4, -1)
    lines = of_two_steps(some, open_rows, every[open_rows], np.array(COMMON))
    for line, whole, is_open in zip(lines, every.reshape(3, 4, -1), ([1, 2], [], [1]), strict=True):
        assert line.classes[[0, -1]].tolist() == [0, CLASSES - 1]
        for step in range(4):
            seen = dict(zip(line.classes.tolist(), line.probabilities[step].tolist(), strict=True))
            for class_, probability in enumerate(whole[step].tolist()):
                if class_ in COMMON or step in is_open:
                    assert seen.get(class_, 0.0) == pytest.approx(probability, abs=MIN_PROBABILITY_ASKED)
    assert 3 not in lines[0].classes
    assert 4 in lines[0].classes
    assert 4 not in lines[1].classes


def test_classes_that_nothing_speaks_for_are_left_out() -> None:
    scores = np.full((1, 2, CLASSES), MIN_PROBABILITY_ASKED / 2, np.float32)
    scores[0, 1, 3] = 0.9
    (line,) = of_all(scores)
    assert line.classes.tolist() == [0, 3, CLASSES - 1]
    assert line.probabilities.shape == (2, 3)


def test_common_are_all_signs_but_letters_of_east_asia_and_pictures() -> None:
    characters = ("!", "a", "ж", "→", "、", "中", "か", "：", "２", "🚲")
    assert common(characters) == (0, 1, 2, 3, 4, 5, 8, 9, 11)


@pytest.mark.parametrize("family", ["ppocr-v6", "ppocr-v6-tiny"])
def test_a_recogniser_reads_drawn_lines_as_if_all_were_asked(family: ModelFamily, graphs_folder: str) -> None:
    options = EngineOptions(model=family, cache_dir=graphs_folder)
    session = open_session(files.find(options).recognition, options)
    batch = np.concatenate(drawn()[::4])
    for line, every in zip(session.lines(batch), session.run(batch), strict=True):
        (whole,) = of_all(every[None])
        assert line.classes[line.probabilities.argmax(axis=1)].tolist() == every.argmax(axis=1).tolist()
        np.testing.assert_allclose(seen_of(line, every.shape[1]), seen_of(whole, every.shape[1]), rtol=0, atol=0.01)


def seen_of(line: LineScores, classes: int) -> NDArray[np.float32]:
    """The scores of all classes (steps, classes)."""
    scores = np.zeros((len(line.probabilities), classes), np.float32)
    scores[:, line.classes] = line.probabilities
    return scores


def test_most_steps_of_a_latin_line_are_settled() -> None:
    model = files.find(EngineOptions()).recognition
    session = build.open_optimised(build.build(model))
    sure = np.array(FAMILIES["ppocr-v6"].sure_score, np.float32)
    clear = np.repeat(drawn()[0].min(axis=1, keepdims=True), 3, axis=1)
    common_, open_rows, every = session.run(None, {session.get_inputs()[0].name: clear, SURE_INPUT: sure})
    assert len(open_rows) == len(every) < 0.5 * common_.shape[1]


def test_in_integers_both_ways_compute_the_same() -> None:
    model = files.find(EngineOptions()).recognition
    asking_all = msgspec.structs.replace(model, common=())
    one, other = (build.open_optimised(build.build_quantised(each)) for each in (model, asking_all))
    line = drawn()[5]
    np.testing.assert_array_equal(scores_of_all(one, line), scores_of_all(other, line))


def test_of_a_recogniser_of_ones_own_all_classes_are_asked() -> None:
    usual = files.find(EngineOptions()).recognition
    assert usual.common
    own = files.find(EngineOptions(recognition_model=str(usual.path))).recognition
    assert (own.common, own.sure_score) == ((), inf)


def test_other_common_classes_make_another_graph(tmp_path: Path) -> None:
    model = files.find(EngineOptions()).recognition
    other = msgspec.structs.replace(model, common=(0, 1))
    GraphCache(tmp_path, circumstances(), lambda _: b"one").prepare(model)
    assert GraphCache(tmp_path, circumstances(), lambda _: b"other").prepare(other).model == b"other"
    assert GraphCache(tmp_path, circumstances(), lambda _: b"anew").prepare(model).model == b"one"
