"""A receiver may hang, lie, redirect or never end: one try costs bounded time and memory, and says what came of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from app.delivery.addresses import Address, Addresses
from app.delivery.sender import MAX_ANSWER_HEAD_BYTES, Sender
from tests.receivers import Talk, talking

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def receiver(answer: Talk) -> AsyncIterator[str]:
    """A receiver on this machine; its URL."""
    async with talking(answer) as address:
        yield f"{address}/hook?x=1"


def sender(timeout: float = 30.0) -> Sender:
    return Sender(Addresses(["127.0.0.1"]), timeout=timeout)


async def test_a_request_arrives_whole_and_its_answer_is_told() -> None:
    seen = bytearray()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await reader.readuntil(b"\r\n\r\n"))
        seen.extend(await reader.readexactly(4))
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nRetry-After: 7\r\n\r\n")
        await writer.drain()

    async with receiver(answer) as url:
        got = await sender().post(url, {"Content-Type": "application/json", "webhook-id": "msg_1"}, b"body")
    assert (got.status, got.accepted, got.retry_after, got.error) == (202, True, "7", "")
    head, _, body = bytes(seen).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /hook?x=1 HTTP/1.1\r\n")
    assert b"webhook-id: msg_1" in head
    assert body == b"body"


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n")
        await writer.drain()

    async with receiver(answer) as url:
        got = await sender().post(url, {}, b"body")
    assert (got.status, got.accepted) == (302, False)


async def test_a_receiver_that_is_silent_costs_the_time_limit_and_no_more() -> None:
    gone = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            gone.set()

    async with receiver(answer) as url:
        got = await sender(timeout=0.05).post(url, {}, b"body")
        assert got.status == 0
        assert "no answer within 0.05 s" in got.error
        await gone.wait()  # the connection is not kept


async def test_a_receiver_that_drips_a_head_does_not_hold_the_try() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left = asyncio.ensure_future(reader.read())
        while not left.done():
            writer.write(b"H")
            await asyncio.wait([left], timeout=0.001)

    async with receiver(answer) as url:
        got = await sender(timeout=0.1).post(url, {}, b"body")
    assert got.status == 0


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
        (b"", "the connection failed: closed without an answer"),
        (b"HTTP/1.1 200 O", "the connection failed: closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (2 * MAX_ANSWER_HEAD_BYTES), "no HTTP"),
    ],
    ids=["another protocol", "nothing", "half a head", "an endless head"],
)
async def test_what_is_no_answer_is_told_in_words(said: bytes, error: str) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()

    async with receiver(answer) as url:
        got = await sender().post(url, {}, b"")
    assert got.status == 0
    assert error in got.error


async def test_an_endless_body_is_left() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"5\r\nxxxxx\r\n")
            await writer.drain()

    async with receiver(answer) as url:
        assert (await sender().post(url, {}, b"body")).status == 200


async def test_nobody_there_and_a_private_address_are_told_apart() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    refused = await sender().post(f"http://127.0.0.1:{port}/", {}, b"")
    assert "the connection failed" in refused.error
    forbidden = await Sender(Addresses(), timeout=30.0).post("https://127.0.0.1/", {}, b"")
    assert "not a public address" in forbidden.error


async def test_a_name_that_leads_elsewhere_by_the_time_of_the_call_is_not_followed_there() -> None:
    found = iter(["8.8.8.8", "169.254.169.254", "::ffff:127.0.0.1"])

    async def resolve(host: str, port: int) -> Sequence[Address]:
        return [ip_address(next(found))]

    addresses = Addresses(resolve=resolve)
    assert (await addresses.target("https://rebinds.example/")).addresses == ("8.8.8.8",)  # as at the upload
    for _ in range(2):
        got = await Sender(addresses, timeout=30.0).post("https://rebinds.example/", {}, b"body")
        assert (got.status, got.reason) == (0, "refused")


@pytest.mark.parametrize(
    "lie",
    [
        b"Content-Length: 99999999999\r\n\r\n",
        b"Content-Length: 0\r\n\r\n" + b"x" * 65_536,
        b"Connection: keep-alive\r\n\r\n",
    ],
)
async def test_what_an_answer_says_of_its_body_is_no_matter(lie: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" + lie)
        await reader.read()  # and keeps the connection

    async with receiver(answer) as url:
        got = await sender().post(url, {}, b"body")
    assert (got.status, got.accepted) == (200, True)


async def test_a_receiver_that_never_answers_the_tls_handshake_costs_the_time_limit() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with receiver(answer) as url:
        got = await sender(timeout=0.05).post(url.replace("http:", "https:"), {}, b"body")
    assert (got.status, got.reason) == (0, "timeout")
