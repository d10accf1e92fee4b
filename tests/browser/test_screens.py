"""Each main state of the page looks as it was meant to, pixel by pixel."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from samples import FOLDER
from tests.browser.conftest import PHONE, Opened, choose, end
from tests.browser.screens import MAX_SHARE, differing
from tests.e2e.conftest import Server

LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}


@pytest.mark.parametrize("look", LOOKS)
def test_a_page_without_documents_and_one_that_is_read_look_as_they_did(
    look: str, server: Server, opened: Opened
) -> None:
    with opened(server.url, bypass_csp=True, **LOOKS[look]) as page:
        expect(page.locator(".intake .hint")).to_contain_text("PDF")
        assert differing(page, f"empty-{look}") <= MAX_SHARE
        choose(page, FOLDER / "receipt.jpg")
        expect(page.locator(".lines li").first).to_be_visible()
        expect(page.locator("polygon.line").first).to_be_visible()
        page.mouse.move(0, 0)
        assert differing(page, f"read-{look}") <= MAX_SHARE


def test_what_is_refused_and_the_control_room_look_as_they_did(server: Server, opened: Opened, tmp_path: Path) -> None:
    broken = tmp_path / "drawing.psd"
    broken.write_bytes(b"8BPS\0\1" + bytes(100))
    with opened(server.url, bypass_csp=True) as page:
        choose(page, broken)
        expect(page.locator(".document").get_by_role("alert")).to_be_visible()
        page.locator(".document .hint").last.evaluate("each => each.remove()")  # the request's id
        assert differing(page, "refused") <= MAX_SHARE
        page.get_by_role("link", name="Operations").click()
        expect(page.get_by_role("heading", name="Webhooks")).to_be_visible()
        assert differing(page, "operations") <= MAX_SHARE


def test_the_question_for_a_key_looks_as_it_did(opened: Opened, tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("reader:" + "0" * 64 + "\n")
    server = Server(tmp_path, {"API_KEYS_FILE": str(keys)}).ready()
    with opened(server.url, bypass_csp=True) as page:
        expect(page.get_by_role("dialog")).to_be_visible()
        assert differing(page, "key") <= MAX_SHARE
    end(server)
