"""Files that clients name by URL: fetched from where that is allowed, as far as they may be read, and never further."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import pytest

from app.delivery.addresses import Addresses
from app.delivery.fetcher import MAX_REDIRECTS, Fetcher, UrlNotAllowed, UrlUnreachable, name_of
from samples import sample
from tests.receivers import talking

pytestmark = pytest.mark.anyio

PNG = sample("tiny").data
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG
Serve = Callable[[str, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(serve: Serve | bytes) -> AsyncIterator[str]:
    """A server on this machine; its address. `serve` is told the path, or is what is answered."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if isinstance(serve, bytes):
            writer.write(serve)
            await writer.drain()
        else:
            await serve(head.split()[1].decode(), writer)

    async with talking(handle) as address:
        yield address


async def fetch(url: str, *hosts: str, any_public: bool = False, timeout: float = 30.0) -> bytes:
    got = bytearray()

    async def add(piece: bytes) -> None:
        got.extend(piece)

    async def nowhere(host: str, port: int) -> Any:
        return [ip_address(host if host[0].isdigit() else "10.0.0.1")]

    fetcher = Fetcher(Addresses(hosts, resolve=nowhere), enabled=bool(hosts) or any_public, any_public=any_public)
    await fetcher.fetch(url, add, timeout)
    return bytes(got)


async def test_a_file_comes_whole_over_redirects() -> None:
    async def serve(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(WHOLE if path == "/b?c=1" else b"HTTP/1.1 302 Found\r\nLocation: /b?c=1\r\n\r\n")

    async with server(serve) as url:
        assert await fetch(f"{url}/a", "127.0.0.1") == PNG
        assert await fetch(f"{url}/a", "127.0.0.0/8") == PNG


@pytest.mark.parametrize(
    ("url", "hosts", "any_public"),
    [
        ("https://example.com/", (), False),
        ("https://example.com/", ("files.example.com",), False),
        ("https://example.com/", ("192.168.0.0/16",), False),
        ("https://example.com/", (), True),  # which leads to a private address here
        ("http://127.0.0.1:9/", (), True),
        ("https://169.254.169.254/latest/meta-data", (), True),
        ("https://user:word@files.example.com/", ("files.example.com",), False),
        ("file:///etc/passwd", (), True),
        ("https://[::ffff:127.0.0.1]/", (), True),
    ],
)
async def test_what_is_not_allowed_is_not_called(url: str, hosts: tuple[str, ...], any_public: bool) -> None:
    with pytest.raises(UrlNotAllowed):
        await fetch(url, *hosts, any_public=any_public)


@pytest.mark.parametrize("to", ["http://169.254.169.254/", "http://localhost:1/", "file:///etc/passwd", "//10.0.0.1/"])
async def test_each_redirect_is_judged_like_the_first_url(to: str) -> None:
    async with server(f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\n\r\n".encode()) as url:
        with pytest.raises(UrlNotAllowed):
            await fetch(url, "127.0.0.1")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "404"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "breaks off"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nx", "Content-Encoding"),
        (b"HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n", f"{MAX_REDIRECTS} redirects"),
        (b"SSH-2.0\r\n\r\n", "no HTTP"),
        (b"", "closed without an answer"),
    ],
)
async def test_what_is_no_file_is_told(answer: bytes, why: str) -> None:
    async with server(answer) as url:
        with pytest.raises(UrlUnreachable, match=why):
            await fetch(url, "127.0.0.1")


async def test_a_server_that_is_silent_costs_the_time_limit_and_no_more() -> None:
    silent = asyncio.Event()

    async def serve(_path: str, _writer: asyncio.StreamWriter) -> None:
        await silent.wait()

    async with server(serve) as url:
        with pytest.raises(UrlUnreachable, match="within"):
            await fetch(url, "127.0.0.1", timeout=0.05)
        silent.set()


async def test_a_file_of_no_type_or_too_large_is_given_up_while_it_comes(run: Any) -> None:
    async def endless(path: str, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + (PNG if path == "/large" else b"<html>"))
        while True:
            writer.write(bytes(65_536))
            await writer.drain()

    async with server(endless) as url, run(input_url_hosts="127.0.0.1", max_image_bytes=200_000) as service:
        for path, code in (("/large", "image_too_large"), ("/page", "unsupported_media_type")):
            answer = await service.client.post("/images", json={"url": url + path})
            assert answer.json()["code"] == code
        assert (await service.client.get("/images")).json()["items"] == []


async def test_a_file_that_is_named_by_url_becomes_a_job_with_what_was_asked(run: Any) -> None:
    async with server(WHOLE) as url, run(input_url_hosts="127.0.0.1") as service:
        asked = {"url": f"{url}/a%20b.png", "tag": "x", "expires_in": 60}
        key = {"Idempotency-Key": "k"}
        sent = await service.client.post("/images", json=asked, headers=key)
        assert sent.status_code == 202
        job = await service.ended(sent.json()["id"])
        assert (job["status"], job["tag"], job["options"]["expires_in"]) == ("done", "x", 60)
        assert await service.service.store.image(job["id"]) == PNG
        assert (await service.client.post("/images", json=asked, headers=key)).json()["id"] == job["id"]
        other = await service.client.post("/images", json={"url": url}, headers=key)
        assert other.json()["code"] == "idempotency_key_reused"
        assert (await service.client.get("/capabilities")).json()["url_input"] is True


async def test_of_a_batch_of_urls_each_has_its_job_or_its_problem(run: Any) -> None:
    async with server(WHOLE) as url, run(input_url_hosts="127.0.0.1") as service:
        urls = [f"{url}/a%20b.png", "https://10.0.0.1/c.png", f"{url}/"]
        batch = (await service.client.post("/batches", json={"urls": urls, "tag": "x"})).json()
        assert [each["name"] for each in batch["files"]] == ["a b.png", "c.png", "127.0.0.1"]
        assert [each["problem"] and each["problem"]["code"] for each in batch["files"]] == [
            *(None, "url_not_allowed"),
            None,
        ]
        assert batch["tag"] == "x"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/images", {"url": "https://example.com/"}, 403, "url_not_allowed"),
        ("/batches", {"urls": ["https://example.com/"]}, 403, "url_not_allowed"),
        ("/images", {"uri": "https://example.com/"}, 400, "missing_file"),
        ("/images", {"url": "https://example.com/", "langauge": "de"}, 400, "unknown_parameter"),
        ("/batches", {"urls": []}, 400, "missing_file"),
        ("/images", ["https://example.com/"], 400, "malformed_request"),
    ],
)
async def test_nothing_is_fetched_unless_it_is_switched_on(
    run: Any, path: str, body: object, status: int, code: str
) -> None:
    async with run() as service:
        answer = await service.client.post(path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert (await service.client.get("/capabilities")).json()["url_input"] is False


@pytest.mark.parametrize(
    ("url", "name"),
    [("https://h/x/a%20b.png?c", "a b.png"), ("https://h/x/", "x"), ("https://h", "h"), ("https://[", "")],
)
def test_a_fetched_file_is_called_as_its_url_ends(url: str, name: str) -> None:
    assert name_of(url) == name
