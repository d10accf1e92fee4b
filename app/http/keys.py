"""Who may come in: named API keys, stored as hashes in a file that is read again when it changes."""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from pathlib import Path

from loguru import logger


class BadKeyFile(Exception):
    """The file of keys cannot be read, or a line of it cannot be understood."""


class Keys:
    """The keys of a file with lines `name:sha256-of-the-key`; blank lines and `#` comments are passed over."""

    def __init__(self, path: Path) -> None:
        """Raises BadKeyFile."""
        self._path = path
        self._stamp = self._stamped()
        self._hashes = read_keys(path)

    def owner(self, presented: str) -> str | None:
        """Name of the key presented; None where there is no such key. In constant time whichever it is."""
        self._reload_if_changed()
        digest = hash_key(presented)
        found = None
        for name, known in self._hashes.items():
            # no early exit: the time must not tell how far the search went
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def _reload_if_changed(self) -> None:
        try:
            stamp = self._stamped()
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._hashes = read_keys(self._path)
        except BadKeyFile as error:
            logger.bind(event="keys.unreadable").error(f"the keys known before stay in force: {error}")
            return
        logger.bind(event="keys.reloaded", keys=len(self._hashes)).info("API keys read again")

    def _stamped(self) -> tuple[int, int, int]:
        try:
            facts = self._path.stat()
        except OSError as error:
            raise BadKeyFile(f"{self._path}: {error.strerror}") from error
        return facts.st_mtime_ns, facts.st_size, facts.st_ino


def read_keys(path: Path) -> Mapping[str, str]:
    """Name -> hash. Raises BadKeyFile, which names the line and never shows it."""
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeyFile(f"{path}: {error}") from error
    hashes: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        name, _, digest = (part.strip() for part in entry.partition(":"))
        if not is_name(name) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise BadKeyFile(f"{path}, line {number}: not `name:sha256`")
        if name in hashes or digest in hashes.values():  # one key with two names would have two owners
            raise BadKeyFile(f"{path}, line {number}: a name or a key that stands twice")
        hashes[name] = digest
    if not hashes:
        raise BadKeyFile(f"{path} holds no key")
    return hashes


def is_name(text: str) -> bool:
    """May a key be called that? Letters, digits, `.`, `_`, `-`; 1 to 64 of them."""
    return re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text) is not None


def is_loopback(host: str) -> bool:
    """Is only this machine reached through that address or name?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def hash_key(key: str) -> str:
    """SHA-256 in hexadecimal: enough for keys of 256 random bits, which no dictionary holds."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def new_key() -> str:
    """A key of 256 random bits."""
    return "sq_" + secrets.token_urlsafe(32)
