"""A model, ready to run on the runtime that was chosen.

Only here, and where graphs are made, onnxruntime is imported; openvino only in `openvino_session.py`.
"""

import os
from functools import cache
from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ocr_engine.errors import EngineError
from ocr_engine.models import graphs
from ocr_engine.models.catalogue import FAMILIES
from ocr_engine.models.files import ModelFile
from ocr_engine.models.graphs.running import SURE_INPUT, in_two_steps, scores_of_all
from ocr_engine.models.line_scores import LineScores, of_all, of_two_steps
from ocr_engine.models.openvino_session import OpenVinoSession
from ocr_engine.options import EngineOptions

MIN_SIDE_PIXELS = 32
"""Pixels; of an input that all models take."""


class Session(Protocol):
    """A model that maps one batch to one result. Not for several threads at once."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """(N, C, H, W) as the model declares it; None where any size will do."""

    @property
    def note(self) -> str:
        """What an operator should know of how the model is run, such as why not as an optimised graph; mostly empty."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The model's output for a batch (N, C, H, W)."""

    def release(self) -> None:
        """Gives back to the system what memory it keeps for the next run."""


class LineSession(Session, Protocol):
    """A recogniser."""

    def lines(self, batch: NDArray[np.float32]) -> list[LineScores]:
        """What `run` gives, of each line, without classes that nothing speaks for."""


def open_session(model: ModelFile, options: EngineOptions) -> LineSession:
    """The model, ready to run on the backend that the options name. Raises EngineError."""
    try:
        if options.backend == "openvino":
            plain = graphs.prepare_plain(model, options.cache_dir) if options.optimised_graphs else graphs.Prepared()
            return OpenVinoSession(model, options.threads, plain)
        prepared = graphs.prepare(model, options.cache_dir) if options.optimised_graphs else graphs.Prepared()
        return _open_onnx(model, options.threads, prepared)
    except ImportError as error:
        raise EngineError(f"{options.backend} is not installed: run `uv sync --extra {options.backend}`") from error
    except Exception as error:
        raise EngineError(f"the {model.role} model {model.path} cannot be opened: {error}") from error


def open_quantised(model: ModelFile, options: EngineOptions) -> LineSession | None:
    """A recogniser that computes in 8-bit integers; None where the options, processor or model are not for that.

    Raises EngineError where it cannot be made or opened: `open_session` gives what serves instead.
    """
    wanted = options.int8 and options.optimised_graphs and options.backend == "onnxruntime"
    fit = FAMILIES[options.model].in_integers and graphs.multiplies_integers(graphs.circumstances().processor)
    if not wanted or not fit:
        return None
    prepared = graphs.prepare_quantised(model, options.cache_dir)
    if prepared.fault:
        raise EngineError(f"lines are read in float32 only: {prepared.fault}")
    try:
        return OnnxSession(model, options.threads, prepared)
    except Exception as error:
        raise EngineError(f"lines are read in float32 only: the graph in integers cannot be opened: {error}") from error


def _open_onnx(model: ModelFile, threads: int, prepared: graphs.Prepared) -> LineSession:
    try:
        return OnnxSession(model, threads, prepared)
    except Exception as error:  # of whatever kind, the original is there to serve
        if not prepared.model:
            raise
        return OnnxSession(model, threads, graphs.Prepared(fault=f"the optimised graph cannot be opened: {error}"))


class OnnxSession:
    """A model in ONNX Runtime on the CPU."""

    def __init__(self, model: ModelFile, threads: int, prepared: graphs.Prepared) -> None:
        """Opens the optimised graph, or the model itself where there is none. Raises what onnxruntime raises."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # The arena keeps buffers from run to run: without it each run maps and unmaps them anew, and detection takes
        # 1.15 to 1.25 times as long. One serves all sessions, which never run at once: over a photo of 24 megapixels
        # the peak is 574 MB with it, 666 MB where each has its own, in the same time.
        # Memory patterns would plan one block for each shape of input on top of that, and pages have many shapes:
        # 395 MB at the peak with them, 281 MB without, in the same time.
        _share_arena()
        options.enable_cpu_mem_arena = True
        options.add_session_config_entry("session.use_env_allocators", "1")
        options.enable_mem_pattern = False
        if prepared.model:
            # written as it is to be run: optimising it again costs time at every start and wins nothing
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        if prepared.weights:
            # mapped, not read: the processes of a machine share them
            folder = os.path.dirname(prepared.weights)
            options.add_session_config_entry("session.model_external_initializers_file_folder_path", folder)
        self._one_by_one = bool(prepared.model) and model.role == "detection"
        self._session = onnxruntime.InferenceSession(
            prepared.model or str(model.path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0]
        self._classes = np.array(model.common, np.intp) if in_two_steps(self._session) else None
        self._sure = np.array(model.sure_score, np.float32)
        self._note = prepared.fault

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """See Session."""
        sizes = tuple(size if isinstance(size, int) else None for size in self._input.shape)
        return (None, *sizes[1:])

    @property
    def note(self) -> str:
        """See Session."""
        return self._note

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Session."""
        if not self._one_by_one or len(batch) == 1:
            return self._run(batch)
        # optimised detectors take one page at a time; nothing is lost, as even one keeps the processor busy
        return np.concatenate([self._run(batch[i : i + 1]) for i in range(len(batch))])

    def lines(self, batch: NDArray[np.float32]) -> list[LineScores]:
        """See LineSession."""
        if self._classes is None:
            return of_all(self.run(batch))
        common, open_rows, all_classes = self._session.run(None, {self._input.name: batch, SURE_INPUT: self._sure})
        return of_two_steps(common, open_rows, all_classes, self._classes)

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        return scores_of_all(self._session, batch)

    def release(self) -> None:
        """See Session."""
        # the arena shrinks after a run that asks for it, so one of the smallest input is made
        asking = onnxruntime.RunOptions()
        asking.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        smallest = np.zeros([size or MIN_SIDE_PIXELS for size in (1, *self.input_shape[1:])], np.float32)
        given = {self._input.name: smallest}
        self._session.run(None, given if self._classes is None else {**given, SURE_INPUT: self._sure}, asking)


@cache
def _share_arena() -> None:
    """Registers the arena of the process, once: a second one would be an error."""
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    # it grows by powers of two; by what is asked for it would fall into pieces, and the peak is as high as with three
    growth = {"max_mem": 0, "arena_extend_strategy": 0, "initial_chunk_size_bytes": -1, "max_dead_bytes_per_chunk": -1}
    onnxruntime.create_and_register_allocator(memory, onnxruntime.OrtArenaCfg(growth))
