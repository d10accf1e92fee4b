"""From a model as it was released to its optimised graph, verified."""

import os

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from ocr_engine.models.catalogue import Role
from ocr_engine.models.files import ModelFile
from ocr_engine.models.graphs.blocked import Shape, use_blocks
from ocr_engine.models.graphs.channels_last import reorder_at_once
from ocr_engine.models.graphs.graph import Graph
from ocr_engine.models.graphs.patterns.quantised import quantise
from ocr_engine.models.graphs.patterns.two_steps import classify_in_two_steps
from ocr_engine.models.graphs.rewrite import rewrite
from ocr_engine.models.graphs.running import in_two_steps, scores_of_all, scores_of_common
from ocr_engine.models.graphs.trial_lines import equal_letters

TOLERANCE = 1e-3
"""Largest difference of any number in the output that an optimised graph may have from the original, in a trial."""
EQUAL_LETTERS = 0.98
"""Share of the letters of drawn lines that a quantised graph has to read as the original does."""

_SHAPES: dict[Role, tuple[tuple[int, int], ...]] = {
    "detection": ((64, 96), (160, 32), (288, 416)),
    "recognition": ((48, 32), (48, 64), (48, 320), (48, 544)),
    "angle": ((48, 192),),
}
"""Heights and widths of the trials."""


class GraphDiffers(Exception):
    """The optimised graph does not compute what the original does."""


class NothingToQuantise(Exception):
    """The model has no operators that run faster in integers."""


def build(model: ModelFile, block: int | None = None, tolerance: float = TOLERANCE, *, whole: bool = False) -> bytes:
    """The optimised graph of a model, for blocks of so many channels; that of a detector is for batches of one.

    That of a recogniser with `common` classes asks them first, unless it is to be `whole`.
    Raises GraphDiffers where a trial shows another result, and whatever the tools raise for models that they do not
    know: the caller then uses the original.
    """
    block = block_width() if block is None else block
    trials = _trials(model)
    made = _write(model, block, trials, quantised=False, whole=whole)
    _verify(model, made, trials, tolerance)
    return made


def build_quantised(model: ModelFile, least: float = EQUAL_LETTERS) -> bytes:
    """The optimised graph of a recogniser with most of its arithmetic in 8-bit integers.

    Raises NothingToQuantise, GraphDiffers where it reads trial lines otherwise than the original, and whatever the
    tools raise.
    """
    made = _write(model, block_width(), _trials(model), quantised=True, whole=False)
    share = equal_letters(_original(model), open_optimised(made))
    # not the other way round: a share that is no number must not pass
    if not share >= least:
        raise GraphDiffers(f"of the letters of drawn lines {share:.1%} are read as in float32")
    return made


def _write(model: ModelFile, block: int, trials: list[NDArray[np.float32]], *, quantised: bool, whole: bool) -> bytes:
    graph = Graph(onnx.load_model_from_string(_fused(model)))
    rewrite(graph, block)
    if quantised and not quantise(graph):
        raise NothingToQuantise("it has no pairs of pointwise convolutions")
    if block > 1:
        use_blocks(graph, block, _trial_shapes(graph, trials), single=model.role == "detection")
        reorder_at_once(graph)
    if model.common and not whole:
        classify_in_two_steps(graph, model.common)
    made: bytes = graph.model().SerializeToString()
    return made


def _trials(model: ModelFile) -> list[NDArray[np.float32]]:
    batch = 1 if model.role == "detection" else 2
    return [_strokes(batch, height, width) for height, width in _SHAPES[model.role]]


def _original(model: ModelFile) -> onnxruntime.InferenceSession:
    options = _options(onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL)
    return onnxruntime.InferenceSession(str(model.path), options, providers=["CPUExecutionProvider"])


def open_optimised(model: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """A session that runs an optimised graph exactly as it is written."""
    options = _options(onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL)
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _options(level: onnxruntime.GraphOptimizationLevel) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return options


def _fused(model: ModelFile | bytes, level: str = "ORT_ENABLE_EXTENDED") -> bytes:
    """What onnxruntime's own optimiser makes of a model."""
    options = _options(getattr(onnxruntime.GraphOptimizationLevel, level))
    # a file in memory: there may be no place to write to
    handle = os.memfd_create("graph")
    try:
        options.optimized_model_filepath = f"/proc/self/fd/{handle}"
        source = model if isinstance(model, bytes) else str(model.path)
        onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        with os.fdopen(os.dup(handle), "rb") as file:
            file.seek(0)
            content: bytes = file.read()
            return content
    finally:
        os.close(handle)


def block_width() -> int:
    """How many channels onnxruntime puts in a block here: what it pads a single one to; 1 where it has no blocks."""
    weights = numpy_helper.from_array(np.ones((1, 3, 1, 1), np.float32), "w")
    tensors = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "y")]
    tensors[0].type.CopyFrom(helper.make_tensor_type_proto(TensorProto.FLOAT, (1, 3, 8, 8)))
    graph = helper.make_graph([helper.make_node("Conv", ["x", "w"], ["y"])], "g", tensors[:1], tensors[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
    fused = onnx.load_model_from_string(_fused(model.SerializeToString(), "ORT_ENABLE_ALL"))
    convolution = next(node for node in fused.graph.node if node.op_type == "Conv")
    if convolution.domain != "com.microsoft.nchwc":
        return 1
    return next(int(tensor.dims[0]) for tensor in fused.graph.initializer if tensor.name == convolution.input[1])


def _strokes(batch: int, height: int, width: int) -> NDArray[np.float32]:
    """(batch, 3, height, width) in -1 to 1: dark strokes on light ground, something like writing, always the same."""
    random = np.random.default_rng(height * 10_000 + width)
    image = np.full((height, width), 0.9, np.float32)
    for _ in range(max(4, height * width // 400)):
        y, x = random.integers(0, height), random.integers(0, width)
        tall, wide = ((int(random.integers(6, 20)), 2), (2, int(random.integers(4, 16))))[int(random.integers(2))]
        image[y : y + tall, x : x + wide] = -0.8
    noise = random.normal(0, 0.05, (batch, 3, height, width))
    return np.clip(image + noise, -1, 1).astype(np.float32)


def _trial_shapes(graph: Graph, trials: list[NDArray[np.float32]]) -> dict[str, list[Shape]]:
    """The sizes of every tensor of the graph in each trial."""
    names = [graph.output, *(name for node in graph.nodes for name in node.outputs if name not in ("", graph.output))]
    session = open_optimised(graph.model(names[1:]).SerializeToString())
    shapes: dict[str, list[Shape]] = {name: [] for name in (graph.input, *names)}
    for trial in trials:
        shapes[graph.input].append(trial.shape)
        for name, value in zip(names, session.run(names, {graph.input: trial}), strict=True):
            shapes[name].append(value.shape)
    return shapes


def _verify(model: ModelFile, made: bytes, trials: list[NDArray[np.float32]], tolerance: float) -> None:
    original, optimised = _original(model), open_optimised(made)
    name = original.get_inputs()[0].name
    for trial in trials:
        expected = original.run(None, {name: trial})[0]
        _compare(trial, expected, scores_of_all(optimised, trial), tolerance)
        if in_two_steps(optimised):
            common = expected[..., model.common]
            _compare(trial, common / common.sum(axis=-1, keepdims=True), scores_of_common(optimised, trial), tolerance)


def _compare(
    trial: NDArray[np.float32], expected: NDArray[np.float32], got: NDArray[np.float32], tolerance: float
) -> None:
    difference = float(np.abs(expected - got).max()) if expected.shape == got.shape else float("inf")
    # not the other way round: a difference that is no number must not pass
    if not difference <= tolerance:
        raise GraphDiffers(f"for an input of {trial.shape} the output differs by {difference}")
