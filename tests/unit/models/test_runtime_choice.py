"""`auto` is OpenVINO only where a trial has shown it faster and as good, and a trial is made once."""

import importlib.metadata
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ocr_engine.models import files, graphs
from ocr_engine.models.load import load_models
from ocr_engine.models.runtime import settling, trial
from ocr_engine.models.runtime.choice import ALIKE, FASTER, RuntimeChoice, Trial, choose, worth_a_trial
from ocr_engine.options import EngineOptions

FOUND = files.find(EngineOptions())
FAST = Trial(onnxruntime=1.0, openvino=0.4, alike=1.0)


@pytest.mark.parametrize(
    ("flags", "in_integers", "worth"),
    [
        ("flags\t: avx512f avx512_vnni avx512_bf16 amx_bf16 amx_int8", True, True),
        ("flags\t: avx512f avx512_vnni avx512_bf16", True, False),  # integers are as fast there
        ("flags\t: avx512f avx512_vnni avx512_bf16", False, True),
        ("flags\t: avx512f avx512_vnni", False, False),
        ("flags\t: avx2 avx_vnni", True, False),
        ("Features\t: fp asimd asimddp bf16", False, False),
        ("", False, False),
    ],
)
def test_a_trial_is_made_only_where_the_processor_may_win_by_it(flags: str, in_integers: bool, worth: bool) -> None:
    assert worth_a_trial(flags, in_integers) is worth


@pytest.mark.parametrize(
    ("shown", "runtime", "said"),
    [
        (None, "onnxruntime", ""),
        (FAST, "openvino", "OpenVINO reads, which is faster: 0.40 s for 1.00 s of ONNX Runtime, 100.0% alike"),
        (Trial(onnxruntime=1.0, openvino=FASTER, alike=ALIKE), "openvino", "98.0% alike"),
        (Trial(onnxruntime=1.0, openvino=0.65, alike=1.0), "onnxruntime", "not fast enough: 0.65 s for 1.00 s"),
        (Trial(onnxruntime=1.0, openvino=1.5, alike=1.0), "onnxruntime", "not fast enough"),
        (Trial(onnxruntime=1.0, openvino=0.1, alike=0.97), "onnxruntime", "reads otherwise"),
        (Trial(onnxruntime=1.0, openvino=0.1, alike=float("nan")), "onnxruntime", "reads otherwise"),
        (Trial(onnxruntime=1.0, openvino=float("nan"), alike=1.0), "onnxruntime", "not fast enough"),
        (Trial(fault="its process died with code -4"), "onnxruntime", "failed: its process died with code -4"),
    ],
)
def test_what_is_faster_and_reads_alike_is_chosen(shown: Trial | None, runtime: str, said: str) -> None:
    choice = choose(shown)
    assert choice.runtime == runtime
    assert said in choice.reason
    assert bool(said) is bool(choice.reason)


class Trials:
    """Counts trials, and shows the same in each."""

    def __init__(self, shown: Trial = FAST) -> None:
        self.shown = shown
        self.count = 0

    def __call__(self, options: EngineOptions) -> Trial:
        self.count += 1
        return self.shown


@pytest.fixture
def with_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with AMX."""
    here = msgspec.structs.replace(graphs.circumstances(), processor="flags\t: avx512f avx512_vnni amx_bf16")
    monkeypatch.setattr(graphs, "circumstances", lambda: here)


@pytest.fixture
def settle(with_tiles: None, tmp_path: Path) -> Callable[..., RuntimeChoice]:
    def settle(trials: Trials, **changes: object) -> RuntimeChoice:
        options = EngineOptions(backend="auto", cache_dir=str(tmp_path / "graphs"))
        return settling.settled(msgspec.structs.replace(options, **changes), FOUND, trials)

    return settle


def test_what_was_chosen_is_kept_for_later_starts(settle: Callable[..., RuntimeChoice], tmp_path: Path) -> None:
    trials = Trials()
    first = settle(trials)
    assert first.runtime == "openvino"
    assert settle(trials) == first
    assert trials.count == 1
    assert [path.suffix for path in (tmp_path / "graphs").iterdir()] == [".choice"]


def test_that_a_trial_failed_is_kept_too(settle: Callable[..., RuntimeChoice]) -> None:
    trials = Trials(Trial(fault="it died"))
    assert settle(trials) == settle(trials)
    assert trials.count == 1


def test_workers_that_start_together_make_one_trial(settle: Callable[..., RuntimeChoice]) -> None:
    trials = Trials()
    choices: list[RuntimeChoice] = []
    threads = [threading.Thread(target=lambda: choices.append(settle(trials))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert trials.count == 1
    assert len(choices) == 4
    assert len(set(choices)) == 1


@pytest.mark.parametrize("damage", [b"", b"no choice", b'{"runtime":"another"}'])
def test_a_damaged_choice_is_made_anew(damage: bytes, settle: Callable[..., RuntimeChoice], tmp_path: Path) -> None:
    first = settle(Trials())
    (kept,) = (tmp_path / "graphs").iterdir()
    kept.write_bytes(damage)
    trials = Trials()
    assert settle(trials) == first
    assert trials.count == 1


@pytest.mark.parametrize("changes", [{"int8": False}, {"threads": 2}])
def test_what_is_read_otherwise_is_tried_for_itself(
    changes: dict[str, object], settle: Callable[..., RuntimeChoice]
) -> None:
    settle(Trials())
    trials = Trials()
    settle(trials, **changes)
    assert trials.count == 1


def test_another_version_of_openvino_is_tried_anew(
    settle: Callable[..., RuntimeChoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(Trials())
    monkeypatch.setattr(importlib.metadata, "version", lambda _: "another")
    trials = Trials()
    settle(trials)
    assert trials.count == 1


def test_without_the_extra_nothing_is_tried_and_nothing_said(
    settle: Callable[..., RuntimeChoice], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(settling, "installed", lambda: False)
    trials = Trials()
    assert settle(trials) == RuntimeChoice()
    assert trials.count == 0
    assert not (tmp_path / "graphs").exists()


def test_what_cannot_be_kept_is_not_tried(
    settle: Callable[..., RuntimeChoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    trials = Trials()
    choice = settle(trials)
    assert choice.runtime == "onnxruntime"
    assert "cannot be written" in choice.reason
    assert trials.count == 0


def die(options: EngineOptions) -> Trial:
    os.kill(os.getpid(), signal.SIGKILL)
    return FAST


def test_a_trial_whose_process_dies_is_a_fault_and_not_the_end() -> None:
    shown = trial.tried(EngineOptions(backend="auto"), die)
    assert shown == Trial(fault="its process died with code -9")


def be_fast(options: EngineOptions) -> Trial:
    return FAST


def test_a_trial_is_made_in_a_process_of_its_own() -> None:
    assert trial.tried(EngineOptions(backend="auto"), be_fast) == FAST


def test_a_trial_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    shown = trial.tried(EngineOptions(backend="auto", recognition_model=f"{tmp_path}/none.onnx"))
    assert "none.onnx cannot be read" in shown.fault


def test_a_real_trial_has_figures_of_both_runtimes(tmp_path: Path) -> None:
    # models as they were released: to make graphs of them would take longer than all the rest
    shown = trial.compare(EngineOptions(backend="auto", optimised_graphs=False, cache_dir=str(tmp_path)))
    assert shown.onnxruntime > 0
    assert shown.openvino > 0
    assert ALIKE < shown.alike <= 1


def test_models_are_loaded_by_what_was_chosen(settle: Callable[..., RuntimeChoice], tmp_path: Path) -> None:
    choice = settle(Trials())
    loaded = load_models(EngineOptions(backend="auto", cache_dir=str(tmp_path / "graphs")))
    assert loaded.runtime == choice.runtime == "openvino"
    assert loaded.notes[0] == choice.reason
    assert loaded.quick_recognition is None
