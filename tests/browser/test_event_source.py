"""The browser's own EventSource: what it makes of our streams when the service is stopped and started again."""

import contextlib
from pathlib import Path

from config.settings import Settings
from samples import sample
from tests.browser.conftest import Opened
from tests.live_server import live_server
from tests.scripted_pool import ScriptedPool

FOLLOW = """address => {
    window.told = [];
    window.source = new EventSource(address);
    for (const name of ["queued", "processing", "done"])
        source.addEventListener(name, event => told.push([name, JSON.parse(event.data).status]));
}"""


def test_it_follows_a_batch_through_a_restart_and_stays_away_after_the_end(opened: Opened, tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path}/jobs.db", drain_seconds=0.01)
    held = ScriptedPool()
    held.hold()
    image = sample("tiny").data
    with contextlib.ExitStack() as page_life:
        with live_server(settings, held) as server:
            files = [("file", ("a.png", image)), ("file", ("b.png", image))]
            address = server.client.post("/batches", files=files).headers["location"]
            page = page_life.enter_context(opened(server.url))
            page.evaluate(FOLLOW, f"{address}/events")
            page.wait_for_function("() => told.length > 0")
            assert page.evaluate("told[0][1]") in ("queued", "processing")
        with live_server(settings, ScriptedPool(), port=server.address[1]):
            page.wait_for_function("() => told.length && told.at(-1)[0] === 'done'")
            page.wait_for_function("() => source.readyState === EventSource.CLOSED")
            assert page.evaluate("told.filter(([name]) => name === 'done').length") == 1
