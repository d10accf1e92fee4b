"""The store benchmark and the command line around it."""

from pathlib import Path

import pytest

from benchmarks import __main__, command
from benchmarks.report.progress import Progress
from benchmarks.service import store

pytestmark = pytest.mark.anyio


async def test_the_store_is_measured_with_every_job_through(tmp_path: Path) -> None:
    plan = store.Plan(sizes=(1000,), memory_disk=None)
    arguments = store.parser().parse_args(["--quick", "--folder", str(tmp_path)])
    figures = (await store.measure(arguments, Progress(), plan)).store
    assert figures is not None
    assert [point.writers for point in figures.points] == [1, 8]
    for point in figures.points:
        assert point.add.count == point.claim.count == point.complete.count == point.jobs
        assert point.transitions_per_second > 0
    assert not list(tmp_path.iterdir())


def test_a_store_that_cannot_be_opened_is_told_in_a_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert store.main(["--quick", "--folder", str(tmp_path / "missing")]) == 2
    assert "store: " in capsys.readouterr().err


def test_unknown_commands_are_answered_with_all_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["nonsense"]) == 2
    shown = capsys.readouterr().out
    assert all(name in shown for name in __main__.COMMANDS)


def test_worker_counts_are_ascending_and_none_is_below_one() -> None:
    assert command.numbers("4,1,2") == [1, 2, 4]
    with pytest.raises(Exception, match="from 1"):
        command.numbers("0,1")


def test_rates_are_shares_and_zero_is_none() -> None:
    assert command.fractions("0.9,0.5") == [0.5, 0.9]
    assert command.fractions("0") == []


def test_a_folder_without_images_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        command.images(tmp_path)
