"""`python -m app read` as a filter and over folders: what it writes where, what it reads again, how it ends."""

import asyncio
import fcntl
import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.commands.read.outputs import Stdout
from app.commands.read.plan import Item
from app.commands.read.readers import pages_at_most
from app.commands.read.reading import Draft, Told
from ocr_engine.errors import InvalidImage, JobTimeout, PoolUnavailable, WorkerCrashed
from samples import sample
from tests.scripted_pool import ScriptedPool, text_result
from tests.unit.commands.reading import echo, on, picture, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, one of them in a folder below, and what is none."""
    picture(tmp_path / "in" / "a.png", "first")
    picture(tmp_path / "in" / "b.png", "second")
    picture(tmp_path / "in" / "below" / "c.png", "third")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    picture(tmp_path / "in" / ".hidden.png", "hidden")
    picture(tmp_path / "in" / ".git" / "d.png", "hidden, too")
    return tmp_path / "in"


def test_files_follow_each_other_on_stdout_apart_by_form_feeds(folder: Path, capfdbinary: Any) -> None:
    assert read(folder / "b.png", folder / "a.png") == 0
    assert capfdbinary.readouterr() == (b"second\n\ffirst\n", b"")


def test_what_is_read_first_waits_for_its_turn_on_stdout(folder: Path, capfdbinary: Any) -> None:
    class Backwards:
        """Is through with the second file before the first one."""

        at_once = 2

        def __init__(self) -> None:
            self.second = asyncio.Event()

        async def read(self, source: Path, name: str, drafts: Sequence[Draft], told: Told) -> Sequence[str]:
            if source.name == "a.png":
                await self.second.wait()
            drafts[0].path.write_text(f"{source.name}\n")
            self.second.set()
            return ()

    @asynccontextmanager
    async def readers(*_: object) -> Any:
        yield Backwards()

    assert read(folder / "a.png", folder / "b.png", readers=readers) == 0
    assert capfdbinary.readouterr().out == b"a.png\n\fb.png\n"


def test_stdin_is_read_where_a_dash_stands(monkeypatch: pytest.MonkeyPatch, capfdbinary: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"piped")))
    assert read("-") == 0
    assert capfdbinary.readouterr().out == b"piped\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"piped")))
    assert read("-", "-o", tmp_path) == 0
    assert (tmp_path / "stdin.txt").read_text() == "piped\n"


def test_a_pipe_in_place_of_a_file_is_read_once(capfdbinary: Any) -> None:
    source, sink = os.pipe()
    os.write(sink, b"of a process")
    os.close(sink)
    assert read(f"/dev/fd/{source}") == 0
    os.close(source)
    assert capfdbinary.readouterr().out == b"of a process\n"


def test_a_folder_gives_a_file_for_each_of_its_pictures_and_formats(folder: Path, tmp_path: Path) -> None:
    assert read(folder, "-o", tmp_path / "out", "-f", "text,pdf") == 0
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.*")}
    assert written == {"a.txt", "a.pdf", "b.txt", "b.pdf", "below/c.txt", "below/c.pdf"}
    assert (tmp_path / "out" / "below" / "c.txt").read_text() == "third\n"
    assert (tmp_path / "out" / "a.pdf").read_bytes() == b"%PDF-1"


def test_what_is_there_is_not_read_again_unless_forced(folder: Path, tmp_path: Path) -> None:
    def names(*more: str) -> list[str]:
        pool = ScriptedPool(default=echo)
        assert read(folder, "-o", tmp_path / "out", *more, readers=on(pool)) == 0
        return sorted(path.name for path, _, _ in pool.read)

    assert names() == ["a.png", "b.png", "c.png"]
    assert names() == []
    (tmp_path / "out" / "b.txt").unlink()
    assert names() == ["b.png"]
    assert names("-f", "text,json") == ["a.png", "b.png", "c.png"]
    assert names("-f", "text,json", "--force") == ["a.png", "b.png", "c.png"]


def test_outputs_beside_their_sources_are_not_taken_for_sources(folder: Path) -> None:
    for _ in range(2):
        assert read(folder, "-o", folder / "out", "-f", "pdf") == 0
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a.pdf", "b.pdf", "below"]


def test_files_that_cannot_be_read_are_named_and_the_others_are_read(folder: Path, capfdbinary: Any) -> None:
    def but_a(image: bytes) -> Any:
        if image.endswith(b"first"):
            raise InvalidImage("it is broken")
        return echo(image)

    assert read(folder / "a.png", "lacking.png", folder / "b.png", readers=on(ScriptedPool(default=but_a))) == 1
    out, err = capfdbinary.readouterr()
    assert out == b"second\n"
    assert sorted(err.decode().splitlines()) == [
        f"smart-queue-ocr: {folder}/a.png: it is broken (invalid_image)",
        "smart-queue-ocr: lacking.png: No such file or directory",
    ]


def test_a_file_that_lacks_pages_is_set_aside_and_read_again(tmp_path: Path, capfdbinary: Any) -> None:
    pool = ScriptedPool(default=text_result("fine"))
    pool.pages, pool.by_page = 3, {2: InvalidImage("it cannot be drawn")}
    source, output = picture(tmp_path / "a.png", ""), tmp_path / "out"
    assert read(source, "-o", output, readers=on(pool)) == 1
    assert capfdbinary.readouterr().err.decode().endswith("a.png: page 2: it cannot be drawn (invalid_image)\n")
    assert (output / "a.txt.partial").read_text() == "fine\n\ffine\n"
    pool.by_page = {}
    assert read(source, "-o", output, readers=on(pool)) == 0
    assert {path.name: path.read_text() for path in output.iterdir()} == {"a.txt": "fine\n\ffine\n\ffine\n"}


@pytest.mark.parametrize("left", ["whole", "torn", "by another version", "of another file", "held by another run"])
def test_a_document_goes_on_where_a_run_was_interrupted(tmp_path: Path, left: str) -> None:
    source, output = picture(tmp_path / "a.png", ""), tmp_path / "out"
    pool = ScriptedPool(default=text_result("fine"))
    pool.pages, pool.by_page = 5, {4: PoolUnavailable("every worker was given up")}
    assert read(source, "-o", output, "-f", "text,json", readers=on(pool)) == 3
    (kept,) = output.iterdir()
    before = kept.read_bytes()
    read_before = before.count(b"\n") - 1
    assert kept.name == ".a.txt.pages"
    assert read_before
    match left:
        case "torn":
            kept.write_bytes(before[:-9])
            read_before -= 1
        case "by another version":
            kept.write_bytes(before.replace(b'"version":"', b'"version":"0'))
            read_before = 0
        case "of another file":
            picture(source, "changed")
            read_before = 0
    again = ScriptedPool(default=text_result("fine"))
    again.pages = 5
    with kept.open() as other:
        if left == "held by another run":
            fcntl.flock(other, fcntl.LOCK_EX)
            read_before = 0
        assert read(source, "-o", output, "-f", "text,json", readers=on(again)) == 0
    assert len(again.read) == 5 - read_before
    assert (output / "a.txt").read_text() == "\f".join(5 * ["fine\n"])
    held = {kept.name} if left == "held by another run" else set()
    assert {path.name for path in output.iterdir()} == {"a.txt", "a.json"} | held


def test_chosen_pages_are_read_and_no_others(tmp_path: Path, capfdbinary: Any) -> None:
    pool = ScriptedPool(default=text_result("page"))
    pool.pages = 9
    assert read(picture(tmp_path / "a.png", ""), "--pages", "2-3,8-", "-f", "pdf", readers=on(pool)) == 0
    assert capfdbinary.readouterr().out == b"%PDF-2,3,8,9"
    assert read(tmp_path / "a.png", "--pages", "20", readers=on(pool)) == 1


def test_a_crash_of_a_worker_costs_an_attempt_and_not_the_page(tmp_path: Path, capfdbinary: Any) -> None:
    crash = WorkerCrashed("died")
    source = picture(tmp_path / "a.png", "")
    assert read(source, readers=on(ScriptedPool(crash, crash, default=text_result("third time")))) == 0
    assert capfdbinary.readouterr().out == b"third time\n"
    assert read(source, readers=on(ScriptedPool(default=crash))) == 1


def test_a_page_that_is_too_slow_is_given_more_time_once(tmp_path: Path) -> None:
    pool = ScriptedPool(default=JobTimeout("too slow"))
    assert read(picture(tmp_path / "a.png", ""), readers=on(pool)) == 1
    assert len(pool.read) == 2


def test_without_workers_nothing_goes_on(folder: Path, capfdbinary: Any) -> None:
    assert read(folder, readers=on(ScriptedPool(default=PoolUnavailable("every worker was given up")))) == 3
    assert capfdbinary.readouterr() == (b"", b"smart-queue-ocr: every worker was given up\n")


def test_what_cannot_be_written_ends_the_run(folder: Path, tmp_path: Path, capfdbinary: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    assert read(folder, "-o", tmp_path / "file" / "out") == 4
    assert b"cannot be written" in capfdbinary.readouterr().err


def test_it_ends_quietly_where_nobody_reads_stdout_any_more(folder: Path, capfdbinary: Any) -> None:
    source, sink = os.pipe()
    os.close(source)
    assert read(folder, stdout=Stdout(sink)) == 128 + signal.SIGPIPE
    os.close(sink)
    assert capfdbinary.readouterr() == (b"", b"")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_no_half_file(
    folder: Path, tmp_path: Path, capfdbinary: Any, number: signal.Signals, code: int
) -> None:
    pool = ScriptedPool(default=echo)
    pool.hold()

    async def interrupt() -> None:
        await pool.started.acquire()
        signal.raise_signal(number)

    waiting: list[asyncio.Task[None]] = []
    readers = on(pool, lambda: waiting.append(asyncio.create_task(interrupt())))
    assert read(folder, "-o", tmp_path / "out", readers=readers) == code
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
    assert pool.cancelled
    assert capfdbinary.readouterr() == (b"", b"")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_what_a_killed_run_left_half_is_no_output_and_goes(tmp_path: Path) -> None:
    source = picture(tmp_path / "a.png", "whole")
    gone, alive = tmp_path / "out" / ".a.txt.4194305.draft", tmp_path / "out" / f".a.txt.{os.getppid()}.draft"
    gone.parent.mkdir()
    for left in (gone, alive):  # no process has an id beyond 4194304
        left.write_text("half")
    assert read(source, "-o", tmp_path / "out") == 0
    assert {path.name: path.read_text() for path in gone.parent.iterdir()} == {"a.txt": "whole\n", alive.name: "half"}


def test_names_of_files_that_would_share_an_output_are_kept_whole(tmp_path: Path) -> None:
    sources = [picture(tmp_path / name, name) for name in ("a.png", "a.jpg", "b.png")]
    assert read(*sources, "-o", tmp_path / "out") == 0
    assert {path.name: path.read_text().strip() for path in (tmp_path / "out").iterdir()} == {
        "a.png.txt": "a.png",
        "a.jpg.txt": "a.jpg",
        "b.txt": "b.png",
    }


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["a.pdf", "-o", ".", "-f", "pdf"], "would be written over a.pdf"),
        (["a.pdf", "b/a.pdf", "-o", "out"], "would both be written to out/a.pdf.txt"),
        (["a.pdf", "b/a.pdf", "-f", "tsv"], "2 files as tsv cannot follow each other"),
        (["a.pdf", "-f", "text,json"], "several formats take --output"),
        (["-", "-"], "stdin can be read once"),
        (["a.pdf", "--url", "ocr.example.org"], "not the address of a service"),
        (["a.pdf", "--key-file", "key"], "--key-file goes with --url"),
        (["a.pdf", "--detail", "words"], "--detail goes with --format json"),
        (["a.pdf", "--rows", "apart", "-f", "json"], "--rows goes with --format text"),
        (["a.pdf", "--password-file", "lacking"], "No such file"),
        (["a.pdf", "--option", "rotate=45"], "--rotate: "),
        (["a.pdf", "--language", "xx"], "--language: "),
    ],
)
def test_what_contradicts_itself_is_refused_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, arguments: list[str], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.pdf", "b/a.pdf"):
        picture(tmp_path / name, "kept")
    assert read(*arguments) == 2
    assert why in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pdf", "b"]


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        ["a", "-f", "docs"],
        ["a", "--pages", "3-1"],
        ["a", "--jobs", "0"],
        ["a", "--text-layer", "some"],
        ["a", "--option", "tag=x"],
    ],
)
def test_what_no_argument_may_be_is_refused(wrong: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit) as error:
        read(*wrong)
    assert error.value.code == 2


def test_what_is_asked_reaches_the_workers_and_the_secret_no_message(tmp_path: Path) -> None:
    pool = ScriptedPool(default=echo)
    (tmp_path / "secret").write_text("hunter2\n")
    source = picture(tmp_path / "a.png", "x")
    more = ["--option", "rotate=90", "--option", "min_confidence=0.25", "--language", "de"]
    assert read(source, "--text-layer", "auto", "--password-file", tmp_path / "secret", *more, readers=on(pool)) == 0
    _, options = pool.opened[0]
    assert (options.text_layer, options.password, options.languages) == ("auto", "hunter2", ("de",))
    assert (options.rotate, options.min_confidence) == (90, 0.25)


def test_a_document_of_one_page_is_refused_for_more_before_they_are_read(tmp_path: Path, capsys: Any) -> None:
    pool = ScriptedPool(default=echo)
    pool.pages = 2
    source = picture(tmp_path / "a.png", "x")
    assert read(source, "-f", "page", readers=on(pool)) == 1
    assert "choose it by --pages" in capsys.readouterr().err
    assert not pool.read
    assert read(source, "-f", "page", "-p", "2", readers=on(pool)) == 0


def test_an_empty_folder_is_no_failure_and_starts_nothing(tmp_path: Path) -> None:
    def never(*_: object) -> Any:
        raise AssertionError

    assert read(tmp_path, readers=never) == 0


def test_no_more_workers_are_started_than_there_may_be_pages(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(sample("tiny").data)
    (tmp_path / "b.pdf").write_bytes(b"%PDF-1.7")
    one, pdf = (Item(name=name, source=tmp_path / name, targets=()) for name in ("a.png", "b.pdf"))
    assert [pages_at_most(items, 8) for items in ([one], [one, one], [pdf], [one] * 20)] == [1, 2, 8, 8]
