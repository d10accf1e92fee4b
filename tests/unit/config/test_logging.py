"""The log, and who reads it: a reader that is slow, asleep or gone never holds up the service."""

import json
import logging as stdlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import Literal

import pytest
from loguru import logger

from config import logging
from config.outlet import OutletLimits

PIPE = 1 << 16


class Pipe:
    """stdout as a container's runtime has it: a pipe that somebody may or may not read."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.stream = os.fdopen(writer, "w")

    def lines(self, last: str) -> list[dict[str, object]]:
        """Everything up to the line that says `last`."""
        found: list[dict[str, object]] = []
        with os.fdopen(os.dup(self.reader)) as text:
            while not found or found[-1]["message"] != last:
                found.append(json.loads(text.readline()))
        return found


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """The set-up is the process's: undone, for the tests that follow."""
    root, handlers, level = stdlib.getLogger(), stdlib.root.handlers[:], stdlib.root.level
    yield
    logger.remove()
    root.handlers[:] = handlers
    root.setLevel(level)
    stdlib.captureWarnings(False)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    made = Pipe()
    monkeypatch.setattr(sys, "stdout", made.stream)
    logging.set_up("INFO", "json", OutletLimits(waiting_characters=2 * PIPE, last_lines_seconds=30.0))
    yield made
    logger.remove()
    made.stream.close()
    os.close(made.reader)


def test_a_log_that_nobody_reads_holds_up_nobody_and_says_what_is_missing(pipe: Pipe) -> None:
    for number in range(10_000):  # ten times what pipe and process hold: a log that waits would never come back
        logger.bind(event="request").info(f"{number}")
    writer = next(thread for thread in threading.enumerate() if thread.name == "log")
    assert writer.is_alive()
    read = []
    stop = threading.Thread(target=logger.remove)
    stop.start()
    with os.fdopen(os.dup(pipe.reader)) as text:
        for line in text:
            read.append(json.loads(line))
            if read[-1]["event"] == "log.dropped":
                break
    stop.join()
    kept = [entry for entry in read if entry["event"] == "request"]
    assert [entry["message"] for entry in kept] == [str(number) for number in range(len(kept))]
    assert len(kept) + read[-1]["lines"] == 10_000


def test_a_reader_that_is_gone_holds_up_nobody(pipe: Pipe) -> None:
    nobody = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nobody, pipe.reader)
    os.close(nobody)
    for number in range(1000):
        logger.info(f"{number}")
    logger.remove()


def test_a_line_is_in_a_pipe_that_has_room_before_the_next_one_is_made(pipe: Pipe) -> None:
    os.set_blocking(pipe.reader, False)
    for number in range(100):
        logger.info(f"{number}")
        assert json.loads(os.read(pipe.reader, PIPE))["message"] == str(number)


def test_a_line_longer_than_a_pipe_takes_at_once_stays_in_its_turn(pipe: Pipe) -> None:
    texts = ["short", "long " * 10_000, "short again"]
    writing = threading.Thread(target=lambda: [logger.info(text) for text in texts])
    writing.start()
    assert [line["message"] for line in pipe.lines(texts[-1])] == texts
    writing.join()


def test_every_line_is_one_object_with_its_event(pipe: Pipe) -> None:
    logger.bind(event="job.done", job_id="a").info("first\nand more")
    try:
        raise KeyError("missing")
    except KeyError:
        logger.exception("second")
    first, second = pipe.lines("second")
    assert (first["event"], first["job_id"], first["message"]) == ("job.done", "a", "first\nand more")
    assert "KeyError" in str(second["exception"])


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_was_logged_before_the_end_is_written_at_the_end(
    capsys: pytest.CaptureFixture[str], form: Literal["json", "console"]
) -> None:
    logging.set_up("INFO", form)
    for number in range(100):
        logger.info(f"line {number}")
    logger.remove()
    assert [line for line in capsys.readouterr().out.splitlines() if "line 99" in line]
