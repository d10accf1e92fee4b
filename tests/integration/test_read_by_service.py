"""`python -m app read --url`: the same outputs and exit codes by a service on a real socket."""

import asyncio
import contextlib
import http.server
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from app.commands.read.arguments import Order
from app.commands.read.plan import Item
from app.commands.read.readers import reader_of
from app.commands.read.reading import FileReader
from app.commands.read.service import ReaderByService
from app.http.access.key_file import hash_key
from config.client import KEY_VARIABLE
from config.settings import Settings
from ocr_engine.errors import InvalidImage
from samples import sample
from tests.integration.test_results_api import run_of
from tests.live_server import PATIENCE, LiveServer, live_server
from tests.scripted_pool import ScriptedPool
from tests.unit.commands.reading import read

PNG = sample("tiny").data


@pytest.fixture
def pool() -> ScriptedPool:
    return ScriptedPool(default=run_of(1))


@pytest.fixture
def server(pool: ScriptedPool, tmp_path: Path) -> Iterator[LiveServer]:
    """Asks for the key `secret`, keeps no uploads of itself."""
    (tmp_path / "keys").write_text(f"me:{hash_key('secret')}\n")
    settings = Settings(database_url=f"sqlite:///{tmp_path}/jobs.db", api_keys_file=str(tmp_path / "keys"))
    with live_server(msgspec.structs.replace(settings, keep_uploads_hours=0.0, max_attempts=1), pool) as server:
        yield server


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    (tmp_path / "scan.png").write_bytes(PNG)
    return tmp_path / "scan.png"


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "secret")


def test_every_format_comes_from_one_job(server: LiveServer, scan: Path, tmp_path: Path) -> None:
    out, formats = tmp_path / "out", "text,json,tsv,hocr,alto,page,markdown,html,csv,layout,docx,pdf"
    asked = [
        "--url",
        server.url,
        "-o",
        out,
        "-f",
        formats,
        "--detail",
        "words",
        "--rows",
        "apart",
        "-l",
        "de",
        "--option",
        "rotate=180",
    ]
    assert read(scan, *asked, readers=reader_of) == 0
    assert len([*out.iterdir()]) == 12
    assert (out / "scan.txt").read_text() == "Page 1\nSourdough loaf\n4.20\n"
    assert (out / "scan.pdf").read_bytes() == b"%PDF-1"
    assert json.loads((out / "scan.json").read_text())["pages"][0]["lines"][0]["words"]
    with httpx.Client(base_url=server.url, timeout=PATIENCE, headers={"X-API-Key": "secret"}) as client:
        (job,) = client.get("/images").json()["items"]
        told = client.get(f"/images/{job['id']}").json()
        assert (told["languages"], told["options"]["rotate"]) == (["de"], "180")


def test_a_job_that_fails_is_told_with_its_reason(
    server: LiveServer, pool: ScriptedPool, scan: Path, capfdbinary: Any
) -> None:
    pool.default = InvalidImage("it is broken")
    (scan.parent / "notes.txt").write_text("no picture")
    assert read(scan, scan.parent / "notes.txt", "--url", server.url, readers=reader_of) == 1
    out, err = capfdbinary.readouterr()
    first, second = sorted(err.decode().splitlines())
    assert (out, "notes.txt: this is no image" in first, "it is broken (invalid_image)" in second) == (b"", True, True)


@pytest.mark.parametrize("size", [10, 5_000_000])
def test_a_wrong_key_ends_the_run_however_much_is_still_to_be_sent(
    server: LiveServer, scan: Path, tmp_path: Path, capfdbinary: Any, size: int
) -> None:
    scan.write_bytes(PNG + bytes(size))
    (tmp_path / "key").write_text("another\n")
    assert read(scan, "--url", server.url, "--key-file", tmp_path / "key", readers=reader_of) == 3
    assert b"refuses the key" in capfdbinary.readouterr().err


def test_where_no_service_is_the_run_ends_at_once(scan: Path, capfdbinary: Any) -> None:
    with socket.socket() as nobody:  # bound, so that nobody else takes the port, and not listening
        nobody.bind(("127.0.0.1", 0))
        assert read(scan, "--url", f"http://127.0.0.1:{nobody.getsockname()[1]}", readers=reader_of) == 3
    assert b"cannot be reached: no connection" in capfdbinary.readouterr().err


def test_a_job_of_an_interrupted_run_is_taken_back(server: LiveServer, pool: ScriptedPool, scan: Path) -> None:
    pool.hold()
    command = [sys.executable, "-m", "app", "read", str(scan), "--url", server.url]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        asyncio.run_coroutine_threadsafe(pool.started.acquire(), server.loop).result(PATIENCE)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    with httpx.Client(base_url=server.url, timeout=PATIENCE, headers={"X-API-Key": "secret"}) as client:
        (job,) = client.get("/images").json()["items"]
    assert job["status"] == "cancelled"


def test_a_service_that_is_busy_or_lost_is_asked_again_and_makes_no_second_job(scan: Path, capfdbinary: Any) -> None:
    keys = list[str | None]()
    job = {"id": "1", "status": "done", "pages_total": 1, "pages_done": 1}
    script = iter(["busy", "lost", job])

    class Shaky(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # with `100 Continue`

        def do_POST(self) -> None:
            keys.append(self.headers["Idempotency-Key"])
            assert PNG in self.rfile.read(int(self.headers["Content-Length"]))
            match next(script):
                case "busy":
                    self.answer(503, b'{"code": "queue_full", "detail": "full"}')
                case "lost":
                    self.close_connection = True
                case dict() as job:
                    self.answer(202, json.dumps(job).encode())

        def do_GET(self) -> None:
            assert self.path == "/base/images/1/result?format=text"
            self.answer(200, b"read at last\n")

        def answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "0" if status == 200 else "Wed, 21 Oct 2015 07:28:00 GMT")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing."""

    @asynccontextmanager
    async def readers(order: Order, items: Sequence[Item]) -> AsyncIterator[FileReader]:
        yield ReaderByService(order.url, order.key, order.asked, at_once=1, pause=0.01)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shaky) as shaky, contextlib.ExitStack() as stack:
        thread = threading.Thread(target=shaky.serve_forever)
        thread.start()
        stack.callback(thread.join)
        stack.callback(shaky.shutdown)
        assert read(scan, "--url", f"http://127.0.0.1:{shaky.server_port}/base/", readers=readers) == 0
    assert capfdbinary.readouterr() == (b"read at last\n", b"")
    assert len(keys) == 3
    assert len({*keys}) == 1
