"""A model, ready to run. The only import of onnxruntime."""

from typing import Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ocr_engine.errors import EngineError
from ocr_engine.model_files import ModelFile
from ocr_engine.options import EngineOptions


class Session(Protocol):
    """A model that maps one batch to one result. Not for several threads at once."""

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """(N, C, H, W) as the model declares it; None where any size will do."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """The model's output for a batch (N, C, H, W)."""


def open_session(model: ModelFile, options: EngineOptions) -> Session:
    """The model, ready to run on the backend that the options name. Raises EngineError."""
    return OnnxSession(model, options.threads)


class OnnxSession:
    """A model in ONNX Runtime on the CPU."""

    def __init__(self, model: ModelFile, threads: int) -> None:
        """Loads the model file. Raises EngineError."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(str(model.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise EngineError(f"the {model.role} model {model.path} cannot be loaded: {error}") from error
        self._input = self._session.get_inputs()[0]

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """See Session."""
        return tuple(size if isinstance(size, int) else None for size in self._input.shape)

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Session."""
        output: NDArray[np.float32] = self._session.run(None, {self._input.name: batch})[0]
        return output
