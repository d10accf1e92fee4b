"""The page at servers of its own: killed and started again, with keys, with webhooks."""

import base64
import hashlib
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import RECEIPT, TABLE, Opened, choose, done, end, read
from tests.e2e.conftest import Server

SECRET = "whsec_" + base64.b64encode(b"thirty-two bytes of a test's own").decode()


def test_webhooks_that_were_given_up_are_seen_in_the_control_room_and_sent_again(
    opened: Opened, tmp_path: Path
) -> None:
    calls: queue.Queue[str | None] = queue.Queue()

    class Gone(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.put(self.headers["webhook-id"])
            self.send_response(410)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Gone) as receiver:
        threading.Thread(target=receiver.serve_forever).start()
        address = f"http://127.0.0.1:{receiver.server_port}/done"
        server = Server(tmp_path, {"WEBHOOK_SECRETS": SECRET, "WEBHOOK_ALLOWED_HOSTS": "127.0.0.1"}).ready()
        done(server, RECEIPT.read_bytes(), callback_url=address)
        first = calls.get(timeout=30)
        with opened(f"{server.url}/operations") as page:
            again = page.get_by_role("button", name="Send again", exact=True)
            expect(page.locator("section", has=again)).to_contain_text(address)
            expect(page.locator(".verdict")).to_have_text("Worth a look: Webhooks: 1 given up")
            again.click()
            assert calls.get(timeout=30) == first
        end(server)
        receiver.shutdown()


def test_a_document_is_finished_though_the_server_is_killed_and_started_again(opened: Opened, tmp_path: Path) -> None:
    server = Server(tmp_path, {}).ready()
    with opened(server.url) as page:
        read(page, RECEIPT)
        port = server.url.rsplit(":")[-1]
        server.process.kill()
        server.process.wait()
        choose(page, TABLE)
        expect(page.get_by_role("alert").first).to_contain_text("cannot be reached")
        expect(page.locator(".document .preview")).to_be_visible()
        again = Server(tmp_path, {"PORT": port}).ready()
        expect(page.locator('.items .pill[data-status="done"]')).to_have_count(2)
    end(again)
    server.reader.join()
    assert server.process.stdout is not None
    server.process.stdout.close()
    server.client.close()


def test_a_key_is_asked_for_once_and_a_wrong_one_again(opened: Opened, tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text(f"reader:{hashlib.sha256(b'secret').hexdigest()}\n")
    server = Server(tmp_path, {"API_KEYS_FILE": str(keys)}).ready()
    with opened(server.url) as page:
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("API key").fill("wrong")
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("not accepted")
        dialog.get_by_label("API key").fill("secret")
        page.keyboard.press("Enter")
        read(page, RECEIPT)
    end(server)


def test_the_documents_of_a_key_are_found_in_a_browser_that_has_not_seen_them(opened: Opened, tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text(f"reader:{hashlib.sha256(b'secret').hexdigest()}\n")
    server = Server(tmp_path, {"API_KEYS_FILE": str(keys)}).ready()
    for file in (RECEIPT, TABLE):
        done(server, file.read_bytes(), key="secret")
    with opened(server.url) as page:
        # each comes by a page of the list
        page.route("**/images?limit=100*", lambda route: route.continue_(url=route.request.url.replace("100", "1", 1)))
        page.get_by_role("dialog").get_by_label("API key").fill("secret")
        page.keyboard.press("Enter")
        expect(page.locator(".items li")).to_have_count(2)
        page.get_by_label("Search names and texts").fill("cinnamon")
        expect(page.locator(".items li")).to_have_count(1)
        page.locator(".items a").click()
        expect(page.locator(".lines li").first).to_contain_text("Harbour Street Bakery")
        expect(page.locator(".document .facts")).to_contain_text("20 lines")
    end(server)
