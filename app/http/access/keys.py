"""API keys: named, stored as hashes in a file that is read again when it changes."""

import contextlib
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
    """The keys of a file with lines `name:sha256-of-the-key`; blank lines and `#` comments are passed over.

    Whoever's line is gone is locked out, whatever else became of the file: the last one and a missing file too.
    """

    def __init__(self, path: Path) -> None:
        """Raises BadKeyFile, also for a file that lets nobody in."""
        self._path = path
        self._stamp: Stamp = None
        with contextlib.suppress(OSError):
            self._stamp = _stamp(path)
        self._hashes = read_keys(path)
        self._unreadable = False

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
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            text = self._path.read_text(errors="replace") if stamp else ""
        except OSError as error:
            # which lines are gone cannot be seen; the next request looks again
            if not self._unreadable:
                self._unreadable = True
                logger.bind(event="keys.unreadable").error(f"the keys known before stay in force: {error}")
            return
        self._hashes, faults = _parsed(text)
        self._stamp, self._unreadable = stamp, False
        for fault in faults:
            logger.bind(event="keys.unreadable").error(f"passed over: {self._path}, {fault}")
        known = len(self._hashes)
        log = logger.bind(event="keys.reloaded", keys=known)
        if known:
            log.info("API keys read again")
        else:
            log.warning(f"{self._path} holds no key any more: nobody may come in")


Stamp = tuple[int, int, int] | None


def _stamp(path: Path) -> Stamp:
    """Another one whenever the file has changed; None where there is no file. Raises OSError."""
    try:
        facts = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def read_keys(path: Path) -> Mapping[str, str]:
    """Name -> hash. Raises BadKeyFile, which names the line and never shows it."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeyFile(f"{path}: {error}") from error
    hashes, faults = _parsed(text)
    if faults:
        raise BadKeyFile(f"{path}, {faults[0]}")
    if not hashes:
        raise BadKeyFile(f"{path} holds no key")
    return hashes


def _parsed(text: str) -> tuple[dict[str, str], list[str]]:
    """Name -> hash of every line that can be understood, and what is wrong with the others."""
    hashes: dict[str, str] = {}
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        name, _, digest = (part.strip() for part in entry.partition(":"))
        if not is_name(name) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            faults.append(f"line {number}: not `name:sha256`")
        elif name in hashes or digest in hashes.values():  # one key with two names would have two owners
            faults.append(f"line {number}: a name or a key that stands twice")
        else:
            hashes[name] = digest
    return hashes, faults


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
