"""A model in OpenVINO on the CPU. Only here openvino is imported, and only where it is asked for.

Each new size of input costs it a compilation of every operator, 20 to 90 ms of CPU time, and what was compiled stays in
memory. So inputs are filled up to few sizes, and what comes of the filling is cut off again.
"""

from typing import Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from ocr_engine.memory import trim
from ocr_engine.models.catalogue import Role
from ocr_engine.models.files import ModelFile
from ocr_engine.models.graphs import Prepared
from ocr_engine.models.line_scores import LineScores, of_all
from ocr_engine.models.openvino_classifier import Classifier, parted


class Filling(Struct, frozen=True):
    """How inputs are filled up."""

    axes: tuple[int, ...] = ()
    """Of (N, C, H, W)."""
    mode: Literal["edge", "constant"] = "constant"
    """As numpy.pad has it."""
    steps: tuple[tuple[int, int], ...] = ()
    """Pixels: up to a length, in order, lengths are multiples of that. Some 8 % are filled with nothing, and pages and
    lines have some 20 sizes in all; with half the steps it would be 4 %, and twice the sizes."""
    together: int = 1
    """Most inputs of a run; fewer are a power of two."""

    def length(self, pixels: int) -> int:
        """The next one that is given to the model."""
        step = next((step for upto, step in self.steps if pixels <= upto), self.steps[-1][1])
        return -(-pixels // step) * step


FILLINGS: dict[Role, Filling] = {
    # the paper goes on: no line begins where it ends
    "detection": Filling((2, 3), "edge", ((1024, 64), (2048, 128))),
    # the middle grey that follows a line in training
    "recognition": Filling((3,), "constant", ((640, 64), (1280, 128), (9600, 256)), together=4),
    "angle": Filling(together=8),
}
KEPT_NUMBERS = 1_500_000
"""Of an input, half a megapixel, from which the buffers of a run are given back after it: they are 100 MB a megapixel.
To get them again costs the next such run up to a third more."""
MAX_COMPILED = 32
"""Operators of a model that are kept compiled; OpenVINO keeps 5000 (`CPU_RUNTIME_CACHE_CAPACITY`). Over 50 mixed images
and then a photo of 24 megapixels the peaks are 518 and 593 MB with 32, 519 and 614 with 48, 560 and 637 with 96, in CPU
time that differs by less than it does from run to run."""
UNTRIMMED_BYTES = 64_000_000
"""Of results, which the C library keeps in pieces when they are gone: of a wide line they are 20 MB where its model was
not parted."""


class OpenVinoSession:
    """A Session that computes in bfloat16 where the processor can and in float32 elsewhere.

    bfloat16 keeps 8 significant bits, so single numbers of the output differ from those of float32, where a model is in
    doubt by more than 0.1. What counts is the text: over 50 images the word F1 of any third is within 0.001 of it.
    """

    def __init__(self, model: ModelFile, threads: int, prepared: Prepared) -> None:
        """Compiles the plain graph, or the model as it was released where there is none or it cannot be compiled.

        Raises ImportError where openvino is not installed, else what openvino raises.
        """
        # not at the top: an optional extra
        import openvino

        core = openvino.Core()
        precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "CPU_RUNTIME_CACHE_CAPACITY": MAX_COMPILED,
        }
        fault = prepared.fault
        compiled = None
        self._classifier: Classifier | None = None
        if prepared.model:
            try:
                whole = core.read_model(prepared.model)
                parts = parted(whole) if model.role == "recognition" else None
                self._classifier = Classifier(core, parts[1], settings) if parts else None
                compiled = core.compile_model(parts[0] if parts else whole, "CPU", settings)
            except Exception as error:  # of whatever kind, the original is there to serve
                fault = f"the optimised graph cannot be opened: {error}"
                self._classifier = None
        self._compiled: openvino.CompiledModel = compiled or core.compile_model(str(model.path), "CPU", settings)
        self._request = self._compiled.create_infer_request()
        sizes = self._compiled.input(0).partial_shape
        self._shape = tuple(None if size.is_dynamic else size.get_length() for size in sizes)
        filling = FILLINGS[model.role]
        self._filling = replace(filling, axes=tuple(axis for axis in filling.axes if self._shape[axis] is None))
        self._maps = model.role == "detection"
        self._given = 0
        """Bytes of results since memory was given back."""
        self._note = "; ".join(filter(None, (f"OpenVINO computes in {precision}", fault)))
        # of what compiling took
        trim()

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """See Session."""
        return self._shape

    @property
    def note(self) -> str:
        """See Session."""
        return self._note

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Session."""
        output = self._all(batch)
        if self._classifier is None:
            return output
        return self._classifier.of_all(output.reshape(-1, output.shape[2])).reshape(*output.shape[:2], -1)

    def lines(self, batch: NDArray[np.float32]) -> list[LineScores]:
        """See LineSession."""
        output = self._all(batch)
        if self._classifier is None:
            return of_all(output)
        return self._classifier.lines(output.reshape(-1, output.shape[2]), len(batch))

    def _all(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the model gives, of a recogniser that was parted the rows (N, steps, features)."""
        runs, done = [], 0
        while done < len(batch):
            count = min(self._filling.together, 1 << (len(batch) - done).bit_length() - 1)
            runs.append(self._run(batch[done : done + count]))
            done += count
        return runs[0] if len(runs) == 1 else np.concatenate(runs)

    def _run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        filled = self._filled(batch)
        self._request.infer([filled], share_inputs=True)
        output = self._request.get_output_tensor(0).data
        if self._classifier is not None:
            output = output.reshape(len(filled), -1, output.shape[-1])
        if filled.shape != batch.shape:
            output = self._without_filling(output, batch.shape, filled.shape)
        # the tensor belongs to the request and is overwritten by the next run
        own = np.array(output, np.float32)
        self._given += own.nbytes
        if filled.size > KEPT_NUMBERS or self._given > UNTRIMMED_BYTES:
            self.release()
        return own

    def release(self) -> None:
        """See Session."""
        self._compiled.release_memory()
        if self._classifier is not None:
            self._classifier.release()
        trim()
        self._given = 0

    def _filled(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        filling = self._filling
        more = [(0, filling.length(size) - size if i in filling.axes else 0) for i, size in enumerate(batch.shape)]
        return np.pad(batch, more, filling.mode) if any(after for _, after in more) else batch

    def _without_filling(
        self, output: NDArray[np.float32], wanted: tuple[int, ...], given: tuple[int, ...]
    ) -> NDArray[np.float32]:
        if self._maps:
            return output[:, :, : wanted[2], : wanted[3]]
        # (N, steps, classes) from left to right
        return output[:, : -(-output.shape[1] * wanted[3] // given[3])]
