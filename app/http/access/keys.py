"""The API keys in force: those of a file that is read again when it changes."""

import contextlib
import hmac
import ipaddress
from pathlib import Path

from loguru import logger

from app.http.access.key_file import ApiKey, hash_key, parsed, read_keys
from persistence.job import Priority


class Keys:
    """The keys of a file, one a line; blank lines and `#` comments are passed over.

    Whoever's line is gone is locked out, whatever else became of the file: the last one and a missing file too.
    """

    def __init__(self, path: Path) -> None:
        """Raises BadKeyFile, also for a file that lets nobody in."""
        self._path = path
        self._stamp: Stamp = None
        with contextlib.suppress(OSError):
            self._stamp = _stamp(path)
        self._keys = read_keys(path)
        self._unreadable = False

    def find(self, presented: str) -> ApiKey | None:
        """The key presented, expired or not; None where there is no such key. In constant time whichever it is."""
        self._reload_if_changed()
        digest = hash_key(presented)
        found = None
        for key in self._keys.values():
            # no early exit: the time must not tell how far the search went
            if hmac.compare_digest(digest, key.digest):
                found = key
        return found

    def highest_priority(self, name: str) -> Priority:
        """That the jobs of the key of that name may have."""
        key = self._keys.get(name)
        return key.priority if key else "high"

    def max_jobs(self, name: str) -> int | None:
        """How many unfinished jobs the key of that name may have; None: as many as any."""
        key = self._keys.get(name)
        return key.max_jobs if key else None

    def callback_url(self, name: str) -> str:
        """Where the jobs of the key of that name are told; empty: nowhere."""
        key = self._keys.get(name)
        return key.callback_url if key else ""

    def webhook_secrets(self, name: str) -> tuple[str, ...]:
        """Those of the key of that name alone."""
        # here too: a node that serves no clients is asked for nothing else
        self._reload_if_changed()
        key = self._keys.get(name)
        return key.webhook_secrets if key else ()

    def any_webhook_secret(self) -> bool:
        """Has one of them a secret of its own?"""
        self._reload_if_changed()
        return any(key.webhook_secrets for key in self._keys.values())

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
        self._keys, faults = parsed(text)
        self._stamp, self._unreadable = stamp, False
        for fault in faults:
            logger.bind(event="keys.unreadable").error(f"passed over: {self._path}, {fault}")
        known = len(self._keys)
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


def is_loopback(host: str) -> bool:
    """Is only this machine reached through that address or name?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
