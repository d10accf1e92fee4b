"""The secrets that webhooks are signed with: those of a key, else those of the service."""

import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from loguru import logger

from app.delivery.signature import BadSecret, secret_bytes

Stamp = tuple[int, int, int]


class Secrets:
    """Several at once sign while one is replaced by another: receivers accept a signature by any of them."""

    def __init__(
        self,
        named: str,
        file: str,
        of_key: Callable[[str], Sequence[str]] = lambda _: (),
        any_key: Callable[[], bool] = lambda: False,
    ) -> None:
        """`named`: with commas between; `file`: one a line, read again when it changes; `of_key`: by the owner's name;
        `any_key`: has one of them any? Raises BadSecret, OSError.
        """
        self._named = parsed(named.replace(",", "\n"))
        self._path = Path(file) if file else None
        self._stamp: Stamp | None = None
        self._in_file: tuple[str, ...] = ()
        if self._path is not None:
            # the stamp first: what is written while the file is read has another one
            self._stamp, self._in_file = _stamp(self._path), _read(self._path)
        self._of_key = of_key
        self._any_key = any_key

    @property
    def any(self) -> bool:
        """Is there anything to sign with? A node without leaves the sending to others."""
        return bool(self._of_service()) or self._any_key()

    def of(self, owner: str) -> tuple[str, ...]:
        """Empty where nothing can be signed for that owner."""
        return tuple(self._of_key(owner)) or self._of_service()

    def _of_service(self) -> tuple[str, ...]:
        if self._path is not None:
            with contextlib.suppress(OSError):  # those known before stay in force
                self._read_if_changed(self._path)
        return (*self._named, *self._in_file)

    def _read_if_changed(self, path: Path) -> None:
        stamp = _stamp(path)
        if stamp == self._stamp:
            return
        try:
            self._in_file = _read(path)
        except BadSecret:
            logger.bind(event="webhook.secrets_unreadable").error(
                f"{path} holds what is no secret; those known before stay in force"
            )
        self._stamp = stamp  # only now: what could not be read is looked at again


def parsed(text: str) -> tuple[str, ...]:
    """The secrets of a text, one a line; blank lines and `#` comments are passed over. Raises BadSecret."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    found = tuple(line for line in lines if line)
    for secret in found:
        secret_bytes(secret)
    return found


def _read(path: Path) -> tuple[str, ...]:
    """Raises BadSecret, OSError."""
    try:
        return parsed(path.read_text())
    except UnicodeDecodeError:
        raise BadSecret("the file is no text") from None


def _stamp(path: Path) -> Stamp:
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_size, facts.st_ino
