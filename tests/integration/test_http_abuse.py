"""What clients may do to a socket: the answer is a problem, the log is calm, and others go on being served."""

import contextlib
import resource
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from app import connection
from app.incoming import Incoming, TooMuchComing
from config.settings import Settings
from samples import sample
from tests.live_server import PATIENCE, LiveServer, live_server
from tests.scripted_pool import ScriptedPool

PNG = sample("health").data
HOST = b"Host: x\r\n"
Live = Callable[..., LiveServer]


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """Starts the server; settings may be changed, as may its deadlines."""
    with contextlib.ExitStack() as servers:

        def start(head: float = 60.0, linger: float = 60.0, unread: float = 60.0, **changes: object) -> LiveServer:
            monkeypatch.setattr(connection, "HEAD_SECONDS", head)
            monkeypatch.setattr(connection, "LINGER_SECONDS", linger)
            monkeypatch.setattr(connection, "UNREAD_SECONDS", unread)
            settings = Settings(database_url=f"sqlite:///{tmp_path}/jobs.db")
            return servers.enter_context(live_server(msgspec.structs.replace(settings, **changes), ScriptedPool()))

        yield start


@pytest.fixture(scope="module")
def one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    settings = Settings(database_url=f"sqlite:///{tmp_path_factory.mktemp('one')}/jobs.db")
    with live_server(settings, ScriptedPool()) as server:
        yield server


@pytest.fixture
def server(one_server: LiveServer) -> LiveServer:
    """One server for all tests that change nothing about it: what one of them broke would fail those after it."""
    one_server.log.clear()
    return one_server


def post(headers: bytes, body: bytes = b"", path: bytes = b"/images") -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + headers + b"\r\n" + body


def sized(body: bytes, content_type: bytes = b"image/png", more: bytes = b"") -> bytes:
    return post(b"Content-Type: %s\r\nContent-Length: %d\r\n%s" % (content_type, len(body), more), body)


def form(body: bytes, boundary: bytes = b"b", more: bytes = b"") -> bytes:
    return sized(body, b"multipart/form-data; boundary=" + boundary, more)


def part(disposition: bytes, content: bytes = PNG) -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + disposition + b"\r\n\r\n" + content + b"\r\n"


END = b"--b--\r\n"


# slow clients


def test_a_head_that_never_ends_is_cut_off_with_a_408(live: Live) -> None:
    server = live(head=0.2)
    with server.wire() as wire:
        answer = wire.send(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ").answer()
        assert answer is not None
        assert (answer.status, answer.problem["code"]) == (408, "upload_timeout")
        assert wire.ended()
    assert server.works()


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
        assert httpx.get(f"{server.url}/health/live").status_code == 200
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
            job_id = httpx.post(f"{server.url}/images", content=PNG, headers={"Content-Type": "image/png"}).json()["id"]
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
            assert httpx.get(f"{server.url}/health/live").status_code == 200
        answer = server.say(head + PNG)
        assert answer is not None
        assert (answer.status, answer.problem["code"]) == (503, "overloaded")
        assert int(answer.headers["retry-after"]) >= 1
    while server.service.incoming.bytes:
        assert httpx.get(f"{server.url}/health/live").status_code == 200
    answer = server.say(head + PNG)
    assert answer is not None
    assert answer.status == 202
    assert server.works()


def test_one_client_cannot_take_all_the_memory_for_uploads() -> None:
    incoming = Incoming(100, largest=40)
    with incoming.body("greedy") as one, incoming.body("greedy") as two:
        one += bytes(40)
        two += bytes(10)
        with pytest.raises(TooMuchComing):
            two += bytes(1)
        with incoming.body("other") as third:
            third += bytes(50)
    with incoming.body("greedy") as again:
        again += bytes(50)
    assert incoming.bytes == 0


def test_a_client_may_always_send_one_image() -> None:
    with Incoming(100, largest=100).body("anybody") as image:
        image += bytes(100)


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


# bodies


@pytest.mark.parametrize(
    "content_type",
    [b"image/png", b"application/octet-stream", b"IMAGE/PNG; q=\xff", b"application/x-www-form-urlencoded"],
)
def test_a_chunked_body_is_an_upload_like_any_other(server: LiveServer, content_type: bytes) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(PNG[at : at + 999]), PNG[at : at + 999]) for at in range(0, len(PNG), 999))
    head = b"Content-Type: " + content_type + b"\r\nTransfer-Encoding: chunked\r\n"
    answer = server.say(post(head, chunks + b"0\r\n\r\n"))
    assert answer is not None
    assert answer.status == 202
    assert server.works()


def test_expect_is_answered_before_the_body_is_sent(server: LiveServer) -> None:
    with server.wire() as wire:
        wire.send(post(b"Content-Type: image/png\r\nExpect: 100-continue\r\nContent-Length: %d\r\n" % len(PNG)))
        first = wire.answer()
        final = wire.send(PNG).answer()
        assert first is not None
        assert final is not None
        assert (first.status, final.status) == (100, 202)
    assert server.works()


def test_expect_saves_a_body_that_would_be_refused(live: Live) -> None:
    server = live(max_image_bytes=1000)
    answer = server.say(post(b"Content-Type: image/png\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n"))
    assert answer is not None
    assert (answer.status, answer.problem["code"]) == (413, "image_too_large")
    assert server.works()


@pytest.mark.parametrize("content_type", [b"image/png", b"application/x-www-form-urlencoded"])
def test_a_chunked_body_stops_at_the_limit(live: Live, content_type: bytes) -> None:
    server = live(max_image_bytes=1000, linger=0.1)
    head = b"Content-Type: " + content_type + b"\r\nTransfer-Encoding: chunked\r\n"
    with server.wire() as wire:
        wire.send(post(head, b"ffffffff\r\n" + bytes(100_000)))
        answer = wire.answer()
        assert answer is not None
        assert (answer.status, answer.problem["code"]) == (413, "image_too_large")
    assert server.works()


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: ten\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 99999999999999999999999999\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: gzip\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: chunked, chunked\r\n",
        b"X: " + b"x" * 200_000 + b"\r\n",
        b"".join(b"X-%d: x\r\n" % number for number in range(20_000)),
        b"Bad Name: x\r\n",
        b"X: a\x00b\r\n",
        b": nameless\r\n",
        b" folded\r\n",
        HOST,
    ],
)
def test_heads_that_are_no_http_are_400_problems(server: LiveServer, head: bytes) -> None:
    answer = server.say(post(head, b"hello"))
    assert answer is not None
    assert (answer.status, answer.problem["code"]) == (400, "malformed_request")
    assert server.works()


def test_http_1_0_has_no_chunks(server: LiveServer) -> None:
    answer = server.say(b"POST /images HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
    assert answer is not None
    assert (answer.status, answer.problem["code"]) == (400, "malformed_request")


@pytest.mark.parametrize(
    "request_line",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS greeting
        b"GET /\xff HTTP/1.1\r\n" + HOST,
        b"GET / images HTTP/1.1\r\n" + HOST,
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + HOST,
        b"GET / HTTP/1\r\n" + HOST,
        b"G\xc3\x89T / HTTP/1.1\r\n" + HOST,
        b"\r\n\r\n\r\n",
        b"GET / HTTP/1.1\r\n",  # no Host
    ],
)
def test_what_is_no_request_is_a_400_problem(server: LiveServer, request_line: bytes) -> None:
    answer = server.say(request_line + b"\r\n\r\n")
    assert answer is not None
    assert (answer.status, answer.problem["code"]) == (400, "malformed_request")
    assert server.works()


@pytest.mark.parametrize("rest", [b"zz\r\n", b"-1\r\n", b"5\r\nhelloX\r\n", b"5;" + b"x" * 100_000])
def test_chunks_that_are_no_chunks_end_the_upload_with_one_answer(server: LiveServer, rest: bytes) -> None:
    for _ in range(10):
        with server.wire() as wire:
            wire.send(post(b"Content-Type: image/png\r\nTransfer-Encoding: chunked\r\n", b"3\r\nabc\r\n" + rest))
            answer = wire.answer()
            assert answer is not None
            assert (answer.status, answer.problem["code"]) == (400, "malformed_request")
            assert wire.ended()
    assert server.works()


def test_bad_chunks_behind_an_answer_are_answered_by_closing(server: LiveServer) -> None:
    with server.wire() as wire:
        wire.send(post(b"Content-Type: text/html\r\nTransfer-Encoding: chunked\r\n", b"3\r\nabc\r\n"))
        answer = wire.answer()
        assert answer is not None
        assert answer.status == 415
        assert wire.send(b"this is no chunk\r\n").ended()
    assert server.works()


def test_a_body_that_is_longer_than_it_says_is_an_upload_and_then_no_request(server: LiveServer) -> None:
    with server.wire() as wire:
        wire.send(sized(PNG) + b"\x00\x01 and more\r\n\r\n")
        first, second = wire.answer(), wire.answer()
        assert first is not None
        assert second is not None
        assert (first.status, second.status) == (202, 400)
    assert server.works()


# multipart


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (END, 400, "missing_file"),
        (part(b'name="other"') + END, 400, "missing_file"),
        (part(b'name="file"', b"") + END, 400, "missing_file"),
        (part(b'name="file"') * 2 + END, 400, "malformed_request"),
        (part(b'name="x"', b"") * 5000 + END, 400, "malformed_request"),
        (part(b'name="file"'), 400, "malformed_request"),  # never closed
        (part(b'name="file"')[:100], 400, "malformed_request"),
        (b"--c\r\n\r\n--c--", 400, "malformed_request"),  # wrong boundary
        (b"no multipart at all" * 1000, 400, "malformed_request"),
        (part(b"") + END, 400, "missing_file"),  # a part without a name
        (b"--b\r\n\r\nno header\r\n" + END, 400, "malformed_request"),
        (b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n" + END, 400, "malformed_request"),
        (b"--b\r\n" + b"X: y\r\n" * 5000 + b"\r\n\r\n" + END, 400, "malformed_request"),
        (b"--b\r\nX: " + b"y" * 100_000 + b"\r\n\r\n\r\n" + END, 400, "malformed_request"),
        (part(b'name="\xff\xfe"') + END, 400, "malformed_request"),
        (part(b'name="file"', b"words") + END, 415, "unsupported_media_type"),
        (b"", 400, "malformed_request"),
    ],
)
def test_multipart_that_holds_no_image_is_a_4xx_problem(
    server: LiveServer, body: bytes, status: int, code: str
) -> None:
    answer = server.say(form(body))
    assert answer is not None
    assert (answer.status, answer.problem["code"]) == (status, code)
    assert server.works()


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=",
        b'multipart/form-data; boundary="',
        b"multipart/form-data; boundary=" + b"b" * 10_000,
        b"multipart/form-data; boundary=\xff\xfe",
        b"multipart/form-data; boundary=b; charset=klingon",
        b"multipart/mixed; boundary=b",
        b"multipart/form-data; boundary=c",
        b"text/plain",
        b"\xff\xff",
        b";;;=;",
        b"/",
    ],
)
def test_content_types_that_do_not_fit_are_4xx_problems(server: LiveServer, content_type: bytes) -> None:
    answer = server.say(sized(b"--x\r\n", content_type))
    assert answer is not None
    assert answer.problem["status"] in (400, 415)
    assert server.works()


@pytest.mark.parametrize(
    "file_name",
    [
        b"../../../../etc/passwd",
        b"..\\..\\windows\\system32",
        b"/dev/null",
        b"a" * 2000,
        b"\xe6\x97\xa5\xe6\x9c\xac.png",
        b"con.png\x01",
        b"%00%2e%2e%2f.png",
        b"",
    ],
)
def test_file_names_mean_nothing(server: LiveServer, file_name: bytes) -> None:
    answer = server.say(form(part(b'name="file"; filename="' + file_name + b'"') + END))
    assert answer is not None
    assert answer.status == 202 or answer.problem["code"] == "malformed_request"
    assert server.works()


@pytest.mark.parametrize("name", [b'filename="\xff\xfe.png"', b"filename*=UTF-8''%FF%FE", b"filename*=klingon''x"])
def test_file_names_in_no_charset_are_never_a_500(server: LiveServer, name: bytes) -> None:
    answer = server.say(form(part(b'name="file"; ' + name) + END))
    assert answer is not None
    assert answer.status in (202, 400)
    assert server.works()


# targets and ids


@pytest.mark.parametrize(
    "job_id",
    [
        b"0",
        b"%00",
        b"%ED%A0%80",
        b"%FF%FE",
        b"..%2f..%2fetc%2fpasswd",
        b"..",
        b"../images",
        b"a" * 60_000,
        b"%F0%9F%92%A9",
        b"' OR 1=1 --".replace(b" ", b"%20"),
        b"00000000-0000-4000-8000-000000000000",
        b"00000000-0000-4000-8000-00000000000%30%0A",
        b"{job_id}",
        b"a/b/c",
        b"%",
        b"%zz",
    ],
)
@pytest.mark.parametrize("path", [b"/images/", b"/dead-letters/"])
def test_ids_that_are_no_ids_are_404_problems(server: LiveServer, path: bytes, job_id: bytes) -> None:
    answer = server.say(b"GET " + path + job_id + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer is not None
    assert (answer.status, answer.problem["status"]) in ((404, 404), (405, 405))
    assert server.works()


@pytest.mark.parametrize(
    "path",
    [
        b"/static/%2e%2e/%2e%2e/pyproject.toml",
        b"/static/..%2f..%2fpyproject.toml",
        b"/static//etc/passwd",
        b"/static/%00",
        b"/static/%ED%A0%80",
        b"/static/" + b"a" * 5000,
        b"/static/index.html%00.png",
        b"/docs/%00",
        b"/docs/../../etc/passwd",
        b"http://elsewhere/images",
        b"*",
    ],
)
def test_paths_that_lead_astray_are_4xx_problems(server: LiveServer, path: bytes) -> None:
    answer = server.say(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer is not None
    assert 400 <= answer.problem["status"] < 500
    assert server.works()


@pytest.mark.parametrize(
    "query",
    [
        b"limit=-1",
        b"limit=many",
        b"limit=99999999999999999999",
        b"code=%FF",
        b"code=%00",
        b"after=%ED%A0%80",
        b"after=x",
    ],
)
def test_queries_that_make_no_sense_are_never_a_500(server: LiveServer, query: bytes) -> None:
    answer = server.say(b"GET /dead-letters?" + query + b" HTTP/1.1\r\n" + HOST + b"\r\n")
    assert answer is not None
    assert answer.status == 200 or 400 <= answer.problem["status"] < 500
    assert server.works()


@pytest.mark.parametrize("method", [b"FOO", b"TRACE", b"CONNECT", b"OPTIONS", b"HEAD", b"PATCH", b"get"])
@pytest.mark.parametrize("target", [b"/images", b"*", b"/"])
def test_odd_methods_are_4xx(server: LiveServer, method: bytes, target: bytes) -> None:
    answer = server.say(method + b" " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert answer is not None
    assert answer.status < 500
    assert server.works()


@pytest.mark.parametrize(
    "header",
    [b"X-Request-ID", b"Accept", b"Accept-Encoding", b"Cookie", b"X-API-Key", b"Authorization", b"Origin", b"Range"],
)
def test_headers_in_no_charset_are_never_a_500(server: LiveServer, header: bytes) -> None:
    field = header + b": \xff\xfe\xed\xa0\x80\r\n"
    for request in (sized(PNG, more=field), b"GET /health/live HTTP/1.1\r\n" + HOST + field + b"\r\n"):
        answer = server.say(request)
        assert answer is not None
        assert answer.status < 500
    assert server.works()


def test_an_upgrade_that_is_not_served_is_an_ordinary_request(server: LiveServer) -> None:
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13\r\n"
    answer = server.say(b"GET /images/x HTTP/1.1\r\n" + HOST + upgrade + b"\r\n")
    assert answer is not None
    assert answer.problem["status"] == 404
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
