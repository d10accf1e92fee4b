"""How far a run is, as a terminal shows it."""

import io

from app.commands.read.progress import CLEAR, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_the_line_tells_share_files_pages_time_and_what_is_under_way() -> None:
    terminal = Terminal()
    progress = Progress(2, terminal, clock=Clock())
    progress.told("a.pdf", 10, 10)
    progress.ended("a.pdf", "read")
    progress.told("b.pdf", 1, 4)
    line = terminal.getvalue().rpartition(CLEAR)[2]
    assert line.startswith("[###############---------]  62%  1/2 files  11 pages  0:")
    assert line.endswith("left  b.pdf 1/4")


def test_complaints_are_one_line_each_and_no_terminal_obeys_them() -> None:
    terminal = Terminal()
    progress = Progress(1, terminal, clock=Clock())
    progress.told("a", 0, 2)
    progress.complain("a\x1b[31m\nb.png: broken")
    assert terminal.getvalue().endswith(CLEAR + "smart-queue-ocr: a\\x1b[31m\\nb.png: broken\n")


def test_no_line_is_drawn_where_nobody_sees_it_move() -> None:
    quiet, file = Terminal(), io.StringIO()
    for progress in (Progress(2, quiet, quiet=True, clock=Clock()), Progress(2, file, clock=Clock())):
        progress.told("a", 1, 2)
        progress.ended("a", "read")
        progress.finish()
    assert quiet.getvalue() == file.getvalue() == ""


def test_at_the_end_the_line_gives_way_to_what_was_done() -> None:
    terminal = Terminal()
    progress = Progress(3, terminal, clock=Clock())
    progress.ended("a", "there")
    progress.told("b", 3, 3)
    progress.ended("b", "read")
    progress.ended("c", "failed")
    progress.finish()
    assert terminal.getvalue().endswith(CLEAR + "1 read (3 pages), 1 were there, 1 failed\n")
