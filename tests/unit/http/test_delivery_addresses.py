"""Only the public internet is called on a client's behalf, however an address is written."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from app.delivery.addresses import RESOLVER_THREADS, Address, Addresses, Refused, is_public

pytestmark = pytest.mark.anyio

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00::1",
    "::ffff:8.8.8.8",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_address_of_a_special_network_is_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", [*PUBLIC, "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ip_address(address))


def resolving(*found: str) -> Addresses:
    return allowing((), *found)


def allowing(hosts: Sequence[str], *found: str) -> Addresses:
    async def resolve(host: str, port: int) -> Sequence[Address]:
        return [ip_address(address) for address in found]

    return Addresses(hosts, resolve=resolve)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https:///nowhere",
        "example.com",
        "https://user@example.com/",
        "https://user:word@example.com/",
        "https://127.0.0.1\\@example.com/",
        "https://example.com:99999/",
        "https://example.com:0/",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://exämple.com/",
        "https://example.com/" + "x" * 2048,
        "https://[::1/",
    ],
)
async def test_a_url_that_readers_may_take_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        await resolving("8.8.8.8").target(url)


async def test_the_address_is_pinned_and_the_name_kept() -> None:
    target = await resolving("8.8.8.8", "1.1.1.1").target("https://Example.com/hook?a=1")
    assert target.addresses == ("8.8.8.8", "1.1.1.1")
    assert (target.host, target.authority, target.port, target.path) == ("example.com", "example.com", 443, "/hook?a=1")


async def test_one_private_address_among_public_ones_refuses_the_host() -> None:
    with pytest.raises(Refused, match="not a public address"):
        await resolving("8.8.8.8", "169.254.169.254").target("https://example.com/")


async def test_a_host_without_addresses_is_refused() -> None:
    with pytest.raises(Refused, match="no address"):
        await resolving().target("https://example.com/")


@pytest.mark.parametrize("allowed", ["hooks.internal", "hooks.internal:8080", "Hooks.Internal"])
async def test_an_allowed_host_may_be_private_and_plain(allowed: str) -> None:
    target = await allowing([allowed], "10.0.0.7").target("http://hooks.internal:8080/")
    assert target.addresses == ("10.0.0.7",)
    assert target.authority == "hooks.internal:8080"


@pytest.mark.parametrize("allowed", ["hooks.internal:9090", "internal", "other.internal"])
async def test_a_host_that_is_not_quite_the_allowed_one_is_refused(allowed: str) -> None:
    with pytest.raises(Refused):
        await allowing([allowed], "10.0.0.7").target("http://hooks.internal:8080/")


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost", "[::1]"])
async def test_every_way_to_write_this_machine_is_refused_by_the_real_resolver(host: str) -> None:
    addresses = Addresses()
    try:
        with pytest.raises(Refused):
            await addresses.target(f"https://{host}/")
    finally:
        addresses.close()


async def test_a_network_is_allowed_by_what_a_name_resolves_to() -> None:
    for found in ("10.1.2.3", "::ffff:a01:203", "fd00::7"):
        target = await allowing(["10.0.0.0/8", "fd00::/64"], found).target("http://hooks.internal/")
        assert target.addresses == (found,)
    with pytest.raises(Refused):
        await allowing(["10.0.0.0/8"], "10.1.2.3", "192.168.0.1").target("https://hooks.internal/")
    with pytest.raises(Refused, match="https"):
        await allowing(["10.0.0.0/8"], "8.8.8.8").target("http://example.com/")
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        Addresses(["10.0.0.0/99"])


async def test_however_many_ask_for_a_name_whose_servers_are_silent_one_thread_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, asked = threading.Event(), list[str]()

    def silent(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        if host == "silent.example":
            answered.wait(30)
        return [(0, 0, 0, "", ("8.8.8.8", port))]

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    addresses = Addresses()
    waiting = [asyncio.create_task(addresses.target("https://silent.example/")) for _ in range(2 * RESOLVER_THREADS)]
    assert (await addresses.target("https://example.com/")).addresses == ("8.8.8.8",)
    for each in waiting[1:]:
        each.cancel()  # as a time limit does
    answered.set()
    assert (await waiting[0]).addresses == ("8.8.8.8",)
    assert sorted(asked) == ["example.com", "silent.example"]
    addresses.close()
