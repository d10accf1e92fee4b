"""HEAD, as RFC 9110 wants it: what GET would answer, without the body."""

from collections.abc import Iterator

import pytest

from config.settings import Settings
from tests.live_server import LiveServer, live_server
from tests.scripted_pool import ScriptedPool

CHANGING = {"date", "x-request-id"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('head')}/jobs.db", max_workers=1)
    with live_server(settings, ScriptedPool()) as live:
        yield live


@pytest.mark.parametrize(
    "path",
    ["/", "/health/live", "/health/ready", "/queue", "/docs", "/docs/openapi.json", "/dead-letters", "/images/none"],
)
def test_head_gives_the_status_and_headers_of_get_and_no_body(server: LiveServer, path: str) -> None:
    full = server.client.get(path)
    bare = server.client.head(path)
    assert bare.status_code == full.status_code
    assert set(bare.headers) == set(full.headers)
    for name in set(full.headers) - CHANGING - {"content-length"}:
        assert bare.headers[name] == full.headers[name]
    assert bare.content == b""
    # on the same connection: a stray body would stand in the way of the next answer
    assert server.client.get("/health/live").status_code == 200


def test_head_is_counted_as_head(server: LiveServer) -> None:
    server.client.head("/health/live")
    figures = server.client.get("/metrics").text
    assert 'ocr_http_request_seconds_count{method="HEAD",route="/health/live",status="200"}' in figures


def test_head_where_nothing_can_be_got_is_405(server: LiveServer) -> None:
    assert server.client.head("/dead-letters/requeue").status_code == 405
