"""What clients may send through a socket: the answer is a problem, the log is calm, and others go on being served."""

import pytest

from tests.integration.conftest import Live
from tests.integration.raw_http import END, HOST, PNG, form, part, post, sized
from tests.live_server import LiveServer

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
        b"X: " + b"x" * 66_000 + b"\r\n",
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
        (part(b'name="other"') + END, 400, "unknown_parameter"),
        (part(b'name="file"', b"") + END, 400, "missing_file"),
        (part(b'name="file"') * 2 + END, 400, "malformed_request"),
        (part(b'name="x"', b"") * 5000 + END, 400, "unknown_parameter"),
        (part(b'name="file"'), 400, "malformed_request"),  # never closed
        (part(b'name="file"')[:100], 400, "malformed_request"),
        (b"--c\r\n\r\n--c--", 400, "malformed_request"),  # wrong boundary
        (b"no multipart at all" * 1000, 400, "malformed_request"),
        (part(b"") + END, 400, "unknown_parameter"),  # a part without a name
        (b"--b\r\n\r\nno header\r\n" + END, 400, "malformed_request"),
        (b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n" + END, 400, "malformed_request"),
        (b"--b\r\n" + b"X: y\r\n" * 5000 + b"\r\n\r\n" + END, 400, "malformed_request"),
        (b"--b\r\nX: " + b"y" * 100_000 + b"\r\n\r\n\r\n" + END, 400, "malformed_request"),
        (part(b'name="\xff\xfe"') + END, 400, "unknown_parameter"),
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
        b"http://elsewhere/imagery",
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


@pytest.mark.parametrize(
    ("target", "content_type"),
    [
        (b"http://x/health/live", "application/json"),
        (b"HTTP://x:80/health/live?a=http://y/", "application/json"),
        (b"http://x", "text/html"),
        (b"http://x?a", "text/html"),
    ],
)
def test_a_target_may_be_a_whole_url(server: LiveServer, target: bytes, content_type: str) -> None:
    with server.wire() as wire:
        for _ in range(2):
            answer = wire.send(b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"\r\n").answer()
            assert answer is not None
            assert (answer.status, answer.headers["content-type"].split(";")[0]) == (200, content_type)
    posted = server.say(sized(PNG).replace(b"/images", b"http://x/images"))
    assert posted is not None
    assert posted.status == 202


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
