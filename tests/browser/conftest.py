"""The page in a real browser, against the real server with real OCR."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from samples import FOLDER
from tests.e2e.conftest import Server

PATIENCE_MILLISECONDS = 30_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
RECEIPT = FOLDER / "receipt.jpg"
TABLE = FOLDER / "table.png"
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

expect.set_options(timeout=PATIENCE_MILLISECONDS)

Opened = Callable[..., AbstractContextManager[Page]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as tests/programs.txt installs it. For a module: Playwright keeps an event loop running meanwhile."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    assert program is not None, "no chromium: tests/install-programs installs it"
    # root, as in a container, may not use chromium's own sandbox
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=arguments)
        yield started
        started.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of a module: each has a browser of its own, which remembers nothing of the others."""
    running = Server(tmp_path_factory.mktemp("server"), {"LOG_LEVEL": "INFO"}).ready()
    yield running
    end(running)


def end(server: Server) -> None:
    """Stops it and closes what was opened for it."""
    server.stop()
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.client.close()


@pytest.fixture
def opened(browser: Browser) -> Opened:
    """Opens an address in a browser that has seen nothing before. Errors of the page's scripts fail the test."""

    @contextmanager
    def open_page(address: str, **context: Any) -> Iterator[Page]:
        faults: list[str] = []
        own = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1280, "height": 800}, **context})
        own.set_default_timeout(PATIENCE_MILLISECONDS)
        page = own.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        yield page
        own.close()
        assert faults == []

    return open_page


def choose(page: Page, *files: Path) -> None:
    """Chooses files as a person does in the browser's dialog."""
    page.locator("#files").set_input_files([str(file) for file in files])


def done(server: Server, file: bytes, *, key: str = "", **fields: str) -> dict[str, Any]:
    """The job of a file that somebody else uploaded, once all of it is read, however long that takes."""
    headers = {"X-API-Key": key} if key else {}
    job = server.client.post("/images", files={"file": file}, data=fields, headers=headers).json()
    while job["status"] in ("queued", "processing"):
        job = server.client.get(f"/images/{job['id']}?wait=20", headers=headers).json()
    assert job["status"] == "done", job["error"]
    return dict(job)


def read(page: Page, *files: Path) -> None:
    """Uploads files, and waits until each is read."""
    choose(page, *files)
    expect(page.locator('.items .pill[data-status="done"]')).to_have_count(len(files))


def job_of(server: Server, page: Page) -> dict[str, Any]:
    """The job of the document that is open."""
    page.wait_for_function("() => location.hash.length > 2")
    answer = server.client.get(f"/images/{page.url.rsplit('/')[-1]}")
    return dict(answer.json())
