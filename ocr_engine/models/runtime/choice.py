"""Which runtime is chosen, out of what is installed, what the processor has and what a trial has shown: pure."""

from typing import Literal

from msgspec import Struct

Runtime = Literal["onnxruntime", "openvino"]

FASTER = 0.6
"""Of the time of ONNX Runtime. A trial knows its sizes: what took 0.66 there took 0.9 over ten images of many sizes,
and twice the memory."""
ALIKE = 0.98
"""Share of letters, and of a page's pixels, that are read and found as in float32; the same is asked of integers."""
_TILES, _PAIRS = "amx_bf16", "avx512_bf16"


class Trial(Struct, frozen=True, kw_only=True):
    """What the two made of the same page and lines."""

    onnxruntime: float = 0.0
    """CPU seconds, sizes of input known, of what would read otherwise: in integers where those are used."""
    openvino: float = 0.0
    alike: float = 0.0
    """0 to 1: of letters, or pixels of the page, what OpenVINO reads and finds as ONNX Runtime does in float32."""
    fault: str = ""
    """Why it has no figures."""


class RuntimeChoice(Struct, frozen=True, kw_only=True):
    """What reads, and why."""

    runtime: Runtime = "onnxruntime"
    reason: str = ""
    """For an operator; empty where there was nothing to choose from."""


def worth_a_trial(processor: str, in_integers: bool) -> bool:
    """Whether OpenVINO can win on a processor with these flags, as Linux names them.

    With AMX, whose tiles multiply bfloat16 many times as fast; or with AVX-512 BF16, where lines are not read in
    integers: there bfloat16 takes 1.3 times as long as those.
    """
    flags = set(processor.split())
    return _TILES in flags or (_PAIRS in flags and not in_integers)


def choose(trial: Trial | None) -> RuntimeChoice:
    """Between the two; None: OpenVINO is not installed, or not worth a trial."""
    if trial is None:
        return RuntimeChoice()
    if trial.fault:
        return RuntimeChoice(reason=f"ONNX Runtime reads: the trial of OpenVINO failed: {trial.fault}")
    figures = f"{trial.openvino:.2f} s for {trial.onnxruntime:.2f} s of ONNX Runtime, {trial.alike:.1%} alike"
    # not the other way round: what is no number must not pass
    if not trial.alike >= ALIKE:
        return RuntimeChoice(reason=f"ONNX Runtime reads: OpenVINO reads otherwise: {figures}")
    if not trial.openvino <= FASTER * trial.onnxruntime:
        return RuntimeChoice(reason=f"ONNX Runtime reads: OpenVINO is not fast enough: {figures}")
    return RuntimeChoice(runtime="openvino", reason=f"OpenVINO reads, which is faster: {figures}")
