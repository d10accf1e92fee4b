"""What clients may do with a connection: be slow, vanish, or stay through a stop. Others go on being served."""

import contextlib
import resource
from pathlib import Path

import httpx
import pytest

from app.jobs.incoming import Incoming, IncomingFull
from persistence.upload import IN_MEMORY_BYTES
from tests.integration.conftest import Live
from tests.integration.raw_http import PNG, part, post, sized
from tests.live_server import PATIENCE, LiveServer

# slow clients


def test_a_head_that_never_ends_is_cut_off_with_a_408(live: Live) -> None:
    server = live(head=0.2)
    with server.wire() as wire:
        answer = wire.send(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ").answer()
        assert answer is not None
        assert (answer.status, answer.problem["code"]) == (408, "upload_timeout")
        assert wire.ended()
    assert server.works()
    assert [entry["code"] for entry in server.log if entry.get("event") == "request.refused"] == ["upload_timeout"]


def test_drops_of_a_head_do_not_put_its_deadline_off(live: Live) -> None:
    server = live(head=0.3)
    with server.wire() as wire:
        wire.socket.settimeout(0.02)
        wire.send(b"GET / HTTP/1.1\r\nX-Drops: ")
        received = b""
        while not received:
            with contextlib.suppress(TimeoutError):
                wire.send(b"x")
                received = wire.socket.recv(100)
        assert received.startswith(b"HTTP/1.1 408 ")
    assert server.works()


def test_a_connection_that_says_nothing_is_closed(live: Live) -> None:
    server = live(head=0.1)
    with server.wire() as wire:
        assert wire.ended()
    assert server.works()


def test_the_head_of_a_second_request_has_the_same_deadline(live: Live) -> None:
    server = live(head=0.2)
    with server.wire() as wire:
        assert wire.send(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").answer()
        answer = wire.send(b"GET /health").answer()
        assert answer is not None
        assert answer.status == 408
    assert server.works()


def test_a_body_that_never_ends_is_cut_off_with_a_408(live: Live) -> None:
    server = live(linger=0.1, upload_timeout_seconds=0.2)
    with server.wire() as wire:
        answer = wire.send(post(b"Content-Type: image/png\r\nContent-Length: 1000\r\n", b"\x89PNG")).answer()
        assert answer is not None
        assert (answer.status, answer.problem["code"]) == (408, "upload_timeout")
        assert wire.ended()
    assert server.works()


def test_the_rest_of_a_refused_body_is_not_read_for_ever(live: Live) -> None:
    server = live(linger=0.2)
    with server.wire() as wire:
        answer = wire.send(post(b"Content-Type: text/html\r\nContent-Length: 9000000000\r\n", b"x")).answer()
        assert answer is not None
        assert answer.status in (413, 415)
        assert wire.ended()
    assert server.works()


def test_a_client_that_does_not_read_its_answers_is_cut_off(live: Live) -> None:
    server = live(unread=0.2)
    with server.wire() as wire:
        wire.send(b"GET /docs/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
        connections = server.server.server_state.connections
        assert httpx.get(f"{server.url}/health/live", timeout=PATIENCE).status_code == 200
        with pytest.raises((ConnectionResetError, AssertionError)):  # noqa: PT012 - either may see it first
            while connections:
                wire.socket.sendall(b"\r\n")
            raise AssertionError("nobody is connected any more")
    assert server.works()


def test_a_thousand_idle_connections_do_not_keep_others_out(live: Live) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # both ends of every connection are in this process
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
    try:
        server = live()
        with contextlib.ExitStack() as idle:
            for number in range(1000):
                wire = idle.enter_context(server.wire())
                if number % 2:
                    wire.send(b"POST /images HTTP/1.1\r\nHost: ")
            job_id = server.client.post("/images", content=PNG, headers={"Content-Type": "image/png"}).json()["id"]
            answers = [httpx.get(f"{server.url}/images/{job_id}", timeout=PATIENCE).status_code for _ in range(20)]
            assert set(answers) <= {200, 202}
            assert server.works()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_uploads_under_way_take_bounded_memory_and_give_it_back(live: Live) -> None:
    server = live(max_incoming_bytes=len(PNG) + 1000, max_image_bytes=len(PNG) + 1000)
    head = post(b"Content-Type: image/png\r\nContent-Length: %d\r\n" % len(PNG))
    with server.wire() as stalled:
        stalled.send(head + PNG[:2000])
        while server.service.incoming.bytes < 2000:
            assert httpx.get(f"{server.url}/health/live", timeout=PATIENCE).status_code == 200
        answer = server.say(head + PNG)
        assert answer is not None
        assert (answer.status, answer.problem["code"]) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) >= 1
    while server.service.incoming.bytes:
        assert httpx.get(f"{server.url}/health/live", timeout=PATIENCE).status_code == 200
    answer = server.say(head + PNG)
    assert answer is not None
    assert answer.status == 202
    assert server.works()


@pytest.mark.anyio
async def test_one_client_cannot_take_all_the_room_for_uploads(tmp_path: Path) -> None:
    incoming = Incoming(100, largest=40)
    async with incoming.body("greedy", tmp_path) as one, incoming.body("greedy", tmp_path) as two:
        await one.add(bytes(40))
        await two.add(bytes(10))
        with pytest.raises(IncomingFull):
            await two.add(bytes(1))
        async with incoming.body("other", tmp_path) as third:
            await third.add(bytes(50))
    async with incoming.body("greedy", tmp_path) as again:
        await again.add(bytes(50))
    assert incoming.bytes == 0


@pytest.mark.anyio
async def test_a_client_may_always_send_one_file(tmp_path: Path) -> None:
    async with Incoming(100, largest=100).body("anybody", tmp_path) as file:
        await file.add(bytes(100))


@pytest.mark.anyio
async def test_a_large_upload_is_gathered_on_disk_and_removed_where_no_store_took_it(tmp_path: Path) -> None:
    incoming = Incoming(10 * IN_MEMORY_BYTES)
    async with incoming.body("anybody", tmp_path) as body:
        for number in range(40):
            await body.add(bytes([number]) * (IN_MEMORY_BYTES // 10))
        upload = await body.upload("secret")
        assert (upload.size, upload.data) == (4 * IN_MEMORY_BYTES, b"")
        assert upload.file is not None
        assert upload.file.read_bytes() == b"".join(bytes([number]) * (IN_MEMORY_BYTES // 10) for number in range(40))
        assert "secret" not in repr(upload)
    assert (incoming.bytes, [*tmp_path.iterdir()]) == (0, [])


# clients of a proxy


@pytest.mark.parametrize(("believed", "statuses"), [(None, [202, 202, 429]), ("10.0.0.1", [202, 429, 429])])
def test_a_client_of_a_proxy_that_is_believed_has_an_address_of_its_own(
    live: Live, monkeypatch: pytest.MonkeyPatch, believed: str | None, statuses: list[int]
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", believed or "")
    if not believed:
        monkeypatch.delenv("FORWARDED_ALLOW_IPS")
    server = live(uploads_per_minute=1)
    answers = [server.say(sized(PNG, more=b"X-Forwarded-For: 192.0.2.%d\r\n" % client)) for client in (1, 2, 2)]
    assert [answer and answer.status for answer in answers] == statuses
    assert server.works()


# clients that vanish


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST /im",
        post(b"Content-Type: image/png\r\nContent-Length: 1000\r\n"),
        post(b"Content-Type: image/png\r\nContent-Length: 1000\r\n", PNG[:500]),
        post(b"Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n", b"5\r\nabc"),
        post(b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999\r\n", part(b'name="file"')),
        b"GET /health/ai HTTP/1.1\r\nHost: x\r\n\r\n",
        sized(PNG),
    ],
)
def test_clients_that_vanish_leave_nothing_behind(server: LiveServer, sent: bytes) -> None:
    for _ in range(20):
        with server.wire() as wire:
            wire.send(sent)
    for _ in range(5):
        with server.wire() as wire:
            wire.send(sent).finish()
            wire.ended()
    assert server.works()


# at a stop


def test_a_stop_answers_an_upload_that_is_still_coming(live: Live) -> None:
    server = live()
    with server.wire() as wire:
        wire.send(post(b"Content-Type: image/png\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n"))
        assert wire.answer() is not None  # the body is being read
        server.server.config.timeout_graceful_shutdown = 0.2  # type: ignore[assignment]  # whole seconds, it says
        server.server.should_exit = True
        answer = wire.answer()
        assert answer is not None
        assert (answer.status, answer.problem["code"]) == (503, "stopping")
