"""Which addresses the service may call on a client's behalf: those of the public internet, and hosts that are allowed.

Judged is every address that a name resolves to, never the text of a URL: the resolver takes `2130706433`, `0x7f000001`
and `127.1` for 127.0.0.1 just as well.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[Address]]]

PORTS = {"http": 80, "https": 443}
MAX_URL_LENGTH = 2048
RESOLVER_THREADS = 16
"""Names that are looked up at a time. They have threads of their own: one that hangs cannot be cancelled, and would
hold up all others that the event loop hands to its default threads."""

# IANA's special-purpose registries (RFC 6890 and its updates, November 2026). `ipaddress.is_global` is no substitute:
# it calls multicast, IPv4-compatible, NAT64 and 6to4 addresses of private hosts global, and differs between Pythons.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_V4_INSIDE = tuple(IPv6Network(network) for network in ("::ffff:0:0/96", "64:ff9b::/96"))
"""IPv4-mapped and NAT64 addresses: what they lead to is the IPv4 address in their last 32 bits."""


class Refused(Exception):
    """The service must not, or cannot, call this URL; the text says why, for the client."""


class Unresolved(Refused):
    """Its host has no address now; it may have one later."""


class Target(Struct, frozen=True, kw_only=True):
    """Where a request goes: the addresses are pinned, so that a second look-up cannot lead elsewhere."""

    scheme: str
    host: str
    """As it stands in the URL, lower case: for the Host header and the certificate."""
    port: int
    path: str
    """With its query; never empty."""
    addresses: tuple[str, ...]
    """At least one; to be tried in this order."""

    @property
    def authority(self) -> str:
        """The Host header's value (RFC 9110, section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def is_public(address: Address) -> bool:
    """True where a packet to the address leaves for the public internet."""
    if isinstance(address, IPv6Address):
        if any(address in network for network in _V4_INSIDE):
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        return address in _PUBLIC_V6 and not any(address in network for network in _NOT_PUBLIC_V6)
    return not any(address in network for network in _NOT_PUBLIC_V4)


class Addresses:
    """Judges URLs that clients name."""

    def __init__(self, allowed_hosts: Collection[str] = (), *, resolve: Resolve | None = None) -> None:
        """`allowed_hosts`: names or addresses, each with or without a port, that may be private and spoken to in plain
        HTTP; networks, as `10.0.0.0/8`, for whatever resolves into them. `resolve` stands in for the system's resolver.
        Raises ValueError for a network that is none.
        """
        self._allowed = frozenset(host.strip().lower() for host in allowed_hosts if "/" not in host)
        self._networks = tuple(ip_network(host.strip()) for host in allowed_hosts if "/" in host)
        self._threads = ThreadPoolExecutor(RESOLVER_THREADS, thread_name_prefix="resolver")
        self._resolve = resolve or self._system_resolve
        self._looking_up: dict[tuple[str, int], asyncio.Future[list[Address]]] = {}

    def check(self, url: str) -> None:
        """What can be told without a look-up. Raises Refused."""
        self._parts(url)

    async def target(self, url: str) -> Target:
        """Where a request to the URL goes. Raises Refused where any of its addresses is not public, Unresolved where it
        has none.
        """
        parts = self._parts(url)
        host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
        try:
            found = await self._resolve(host, port)
        except OSError as error:
            raise Unresolved(f"the host {host} cannot be resolved: {error.strerror or error}") from error
        if not found:
            raise Unresolved(f"the host {host} has no address")
        if not self._is_allowed(parts):
            if parts.scheme != "https" and not all(map(self._is_in_network, found)):
                raise Refused("the URL has to begin with https://")
            # one private address among public ones is refused, too: which one is used must not decide
            for address in found:
                if not is_public(address) and not self._is_in_network(address):
                    raise Refused(f"the host {host} has an address that is not a public address")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(scheme=parts.scheme, host=host, port=port, path=path, addresses=tuple(map(str, found)))

    @property
    def has_networks(self) -> bool:
        """Whether any network is allowed: then a name alone does not tell."""
        return bool(self._networks)

    def names(self, url: str) -> bool:
        """Is the URL's host among those that are allowed by name? Raises Refused."""
        return self._is_allowed(self._parts(url))

    def in_networks(self, target: Target) -> bool:
        """Are all the addresses in networks that are allowed?"""
        return all(self._is_in_network(ip_address(address)) for address in target.addresses)

    def close(self) -> None:
        """Waits for no look-up."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _parts(self, url: str) -> SplitResult:
        if len(url) > MAX_URL_LENGTH:
            raise Refused(f"the URL is longer than {MAX_URL_LENGTH} characters")
        if "\\" in url or any(ord(character) <= 0x20 or ord(character) >= 0x7F for character in url):
            # readers disagree about these: what was checked would not be what is called
            raise Refused("the URL holds characters that have to be percent-encoded")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise Refused(f"not a URL: {error}") from error
        if parts.scheme not in PORTS or not parts.hostname:
            raise Refused("the URL has to begin with https:// and name a host")
        if port == 0:
            raise Refused("port 0 cannot be called")
        if parts.username is not None or parts.password is not None:
            raise Refused("the URL must not carry a user name or password")
        # with networks its addresses decide
        if parts.scheme != "https" and not self._networks and not self._is_allowed(parts):
            raise Refused("the URL has to begin with https://")
        return parts

    def _is_allowed(self, parts: SplitResult) -> bool:
        host = str(parts.hostname)
        named = f"[{host}]" if ":" in host else host
        port = parts.port or PORTS[parts.scheme]
        return bool(self._allowed & {host, named, f"{named}:{port}"})

    def _is_in_network(self, address: Address) -> bool:
        # of an IPv4-mapped address the one inside counts, as the kernel has it
        inside = (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
        return any(inside in network for network in self._networks)

    async def _system_resolve(self, host: str, port: int) -> Sequence[Address]:
        def look_up() -> list[Address]:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            # a scope as in fe80::1%eth0 is no part of the address
            return [ip_address(str(sockaddr[0]).partition("%")[0]) for *_, sockaddr in found]

        # of one name, however many ask: where its servers are silent, it holds one thread and not all of them
        looking_up = self._looking_up.get((host, port))
        if looking_up is None:
            looking_up = asyncio.get_running_loop().run_in_executor(self._threads, look_up)
            self._looking_up[host, port] = looking_up

            def forget(done: asyncio.Future[list[Address]]) -> None:
                del self._looking_up[host, port]
                _ = done.cancelled() or done.exception()  # nobody may have waited for it

            looking_up.add_done_callback(forget)
        try:
            return await asyncio.shield(looking_up)
        except UnicodeError as error:
            raise OSError(f"not a host name: {error}") from error
