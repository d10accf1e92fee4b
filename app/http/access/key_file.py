"""The file of API keys: one key a line, its hash and what it may do; read and written."""

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from app.delivery.signature import secret_bytes
from persistence.job import PRIORITIES, Priority


class BadKeyFile(Exception):
    """The file of keys cannot be read, or a line of it cannot be understood."""


class Scope(StrEnum):
    """What a key may do."""

    FULL = "full"
    """All with its own jobs."""
    READ = "read"
    """Look at its own jobs, and change nothing."""
    UPLOAD = "upload"
    """Upload, and see nothing of what becomes of it."""
    ADMIN = "admin"
    """All with everybody's jobs."""


class ApiKey(Struct, frozen=True, kw_only=True):
    """A line of the file. None: as the settings have it for all."""

    name: str
    digest: str
    """SHA-256 of the key, in hexadecimal."""
    of: str = ""
    """Whose jobs are its own, where not those of its name."""
    scope: Scope = Scope.FULL
    expires: datetime | None = None
    """From then on it lets nobody in; None: never."""
    priority: Priority = "high"
    """The highest that its jobs may have."""
    max_jobs: int | None = None
    """Unfinished at a time; 0: no limit."""
    uploads_per_minute: int | None = None
    reads_per_minute: int | None = None
    callback_url: str = ""
    """Where the ends of its jobs are told that name no other place; empty: nowhere."""
    webhook_secrets: tuple[str, ...] = ()
    """What is told is signed with them, the newest first; empty: with the service's. In the clear: a hash signs
    nothing."""

    @property
    def owner(self) -> str:
        """The name that its jobs stand under."""
        return self.of or self.name

    def expired(self, now: datetime) -> bool:
        """Does it let nobody in any more?"""
        return self.expires is not None and now >= self.expires


QUOTAS = ("max_jobs", "uploads_per_minute", "reads_per_minute")
OF_OWNERS = frozenset({"max_jobs", "priority", "callback_url", "webhook_secrets"})
"""What holds for jobs, and so stands with the key of their owner's name alone."""


def read_keys(path: Path) -> Mapping[str, ApiKey]:
    """By name. Raises BadKeyFile, which names the line and never shows it; also for a file that holds no key."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise BadKeyFile(f"{path}: {error}") from error
    keys, faults = parsed(text)
    if faults:
        raise BadKeyFile(f"{path}, {faults[0]}")
    if not keys:
        raise BadKeyFile(f"{path} holds no key")
    return keys


def parsed(text: str) -> tuple[dict[str, ApiKey], list[str]]:
    """The keys of all lines that can be understood, by name, and what is wrong with the others."""
    keys: dict[str, ApiKey] = {}
    digests = set[str]()
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.partition("#")[0].strip()
        if not entry:
            continue
        try:
            key = parse(entry)
        except ValueError as error:
            faults.append(f"line {number}: {error}")
            continue
        if key.name in keys or key.digest in digests:  # one key with two names would have two owners
            faults.append(f"line {number}: a name or a key that stands twice")
            continue
        keys[key.name] = key
        digests.add(key.digest)
    return keys, faults


def parse(entry: str) -> ApiKey:
    """The key of `name:sha256 scope=read expires=2027-01-31 max_jobs=5`. Raises ValueError, which shows none of it."""
    identity, *attributes = entry.replace(": ", ":").split()
    name, _, digest = identity.partition(":")
    if not is_name(name) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError("not `name:sha256`")
    values: dict[str, object] = {}
    for attribute in attributes:
        word, _, value = attribute.partition("=")
        if word in values:
            raise ValueError(f"`{word}` stands twice")
        if word == "of":
            if not is_name(value):
                raise ValueError("`of` is no name of a key")
            values[word] = value
        elif word == "scope":
            if value not in list(Scope):
                raise ValueError(f"`scope` is one of {', '.join(Scope)}")
            values[word] = Scope(value)
        elif word == "priority":
            if value not in PRIORITIES:
                raise ValueError(f"`priority` is one of {', '.join(PRIORITIES)}")
            values[word] = value
        elif word == "expires":
            values[word] = parse_moment(value)
        elif word == "callback_url":
            values[word] = parse_callback_url(value)
        elif word == "webhook_secrets":
            values[word] = tuple(value.split(","))
            for secret in value.split(","):
                secret_bytes(secret)
        elif word in QUOTAS:
            if not value.isascii() or not value.isdigit():
                raise ValueError(f"`{word}` is no whole number from 0")
            values[word] = int(value)
        else:
            raise ValueError(
                "something after the hash that is neither of, scope, expires, priority, callback_url, webhook_secrets "
                "nor a quota"
            )
    if "of" in values and (words := sorted(OF_OWNERS & values.keys())):
        raise ValueError(f"`{words[0]}` does not go with `of`: it stands in the line of the jobs' owner")
    return msgspec.structs.replace(ApiKey(name=name, digest=digest), **values)


def parse_callback_url(text: str) -> str:
    """A URL as it may stand in a line. Raises ValueError. Whether it may be called is seen when it is."""
    if re.fullmatch(r"https?://[!-~]+", text) is None or "#" in text:
        raise ValueError("`callback_url` is no https:// URL without spaces and `#`")
    return text


def parse_moment(text: str) -> datetime:
    """Of a date or a moment as ISO 8601 has it; UTC where it does not say. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("`expires` is no date, as 2027-01-31, and no moment, as 2027-01-31T12:00:00Z") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def line_of(key: ApiKey) -> str:
    """What `parse` reads as this key; without what is as it is for all."""
    words = [f"{key.name}:{key.digest}"]
    if key.of:
        words.append(f"of={key.of}")
    if key.scope is not Scope.FULL:
        words.append(f"scope={key.scope}")
    if key.expires is not None:
        words.append(f"expires={key.expires:%Y-%m-%dT%H:%M:%SZ}")
    if key.priority != "high":
        words.append(f"priority={key.priority}")
    words += [f"{name}={getattr(key, name)}" for name in QUOTAS if getattr(key, name) is not None]
    if key.callback_url:
        words.append(f"callback_url={key.callback_url}")
    if key.webhook_secrets:
        words.append(f"webhook_secrets={','.join(key.webhook_secrets)}")
    return " ".join(words)


def add_line(path: Path, line: str) -> None:
    """Makes the file where there is none, for its owner's eyes only. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "rb+") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(-1, os.SEEK_END)
        torn = size > 0 and file.read(1) != b"\n"
        file.write(b"\n" * torn + line.encode() + b"\n")


def replace_line(path: Path, name: str, new_line: str | None) -> bool:
    """The line of that name becomes another one, or (None) goes; False where the file has none.

    Everything else in it stays. Raises OSError.
    """
    lines = path.read_text().splitlines(keepends=True)
    its = [line.partition("#")[0].partition(":")[0].strip() == name for line in lines]
    if not any(its):
        return False
    replaced = "" if new_line is None else new_line + "\n"
    kept = [replaced if mine else line for line, mine in zip(lines, its, strict=True)]
    facts = path.stat()
    descriptor, written = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.writelines(kept)
        os.chmod(written, facts.st_mode & 0o7777)
        os.replace(written, path)  # at once: the service never sees half of it
    except BaseException:
        os.unlink(written)
        raise
    return True


def remove_line(path: Path, name: str) -> bool:
    """False where the file has no key of this name. Everything else in it stays. Raises OSError."""
    return replace_line(path, name, None)


def is_name(text: str) -> bool:
    """May a key be called that? Letters, digits, `.`, `_`, `-`; 1 to 64 of them."""
    return re.fullmatch(r"[A-Za-z0-9._-]{1,64}", text) is not None


def hash_key(key: str) -> str:
    """SHA-256 in hexadecimal: enough for keys of 256 random bits, which no dictionary holds."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()


def new_key() -> str:
    """A key of 256 random bits."""
    return "sq_" + secrets.token_urlsafe(32)
