"""`python -m app key`: adds, lists and revokes API keys in their file."""

import argparse
import re
import sys
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from app import clock
from app.delivery.signature import new_secret
from app.http.access.key_file import (
    QUOTAS,
    ApiKey,
    BadKeyFile,
    Scope,
    add_line,
    hash_key,
    is_name,
    line_of,
    new_key,
    parse,
    parse_callback_url,
    parse_moment,
    parsed,
    remove_line,
    replace_line,
)
from persistence.job import PRIORITIES

FAILED = 2
"""Exit code: wrong arguments, or a file that cannot be used."""


def configure(key: argparse.ArgumentParser, default_file: str) -> None:
    """Gives the parser of `key` its commands. `default_file`: what API_KEYS_FILE says; may be empty."""
    commands = key.add_subparsers(dest="key_command", metavar="add|list|revoke|webhook", required=True)
    add = commands.add_parser("add", help="make a key, shown once on stderr; its line goes into the file, or to stdout")
    add.add_argument("name", help="whose key it is; owns the jobs that are submitted with it")
    scopes = [scope.value for scope in Scope]  # an older Python would show what is no word for people
    add.add_argument(
        "--scope", choices=scopes, default=Scope.FULL.value, help="full, read (only), upload (only), admin"
    )
    add.add_argument("--of", default="", metavar="NAME", help="a further key for the jobs of that name")
    add.add_argument("--expires", help="a date or moment (2027-01-31, UTC), or a number of days from now (90d)")
    add.add_argument("--priority", choices=PRIORITIES, default="high", help="the highest that its jobs may have")
    for quota in QUOTAS:
        add.add_argument(f"--{quota.replace('_', '-')}", type=int, metavar="N", help=f"instead of {_SETTING[quota]}")
    add.add_argument("--callback-url", default="", metavar="URL", help="where the ends of its jobs are told (webhooks)")
    add.add_argument("--webhook-secret", action="store_true", help="make a secret of its own to sign them with")
    commands.add_parser("list", help="names, scopes, expiry, quotas, webhooks; a key itself is nowhere kept")
    revoke = commands.add_parser("revoke", help="lock a key out, at once; its jobs stay")
    revoke.add_argument("name")
    webhook = commands.add_parser("webhook", help="change where a key's jobs are told, or its secret")
    webhook.add_argument("name")
    webhook.add_argument("--callback-url", metavar="URL", help="told there from now on; empty: nowhere")
    webhook.add_argument("--new-secret", action="store_true", help="sign with a new one, and the present one")
    webhook.add_argument("--drop-old", action="store_true", help="sign with the newest one only")
    for command in commands.choices.values():
        command.add_argument("--file", default=default_file, help="the file of keys; without: API_KEYS_FILE")


_SETTING = {
    "max_jobs": "MAX_JOBS_PER_KEY",
    "uploads_per_minute": "UPLOADS_PER_MINUTE",
    "reads_per_minute": "READS_PER_MINUTE",
}


def in_full(arguments: list[str]) -> list[str]:
    """`key NAME`, as it was before there were commands: the line for the file goes to stdout."""
    match arguments:
        case ["key", name] if name not in ("add", "list", "revoke", "webhook") and not name.startswith("-"):
            return ["key", "add", name, "--file", ""]
    return arguments


def run(options: argparse.Namespace) -> int:
    """Does what the parsed arguments ask for; 0, or FAILED with the reason on stderr."""
    try:
        match options.key_command:
            case "add":
                return _add(options)
            case "list":
                return _list(_file(options))
            case "webhook":
                return _webhook(_file(options), options)
            case _:
                return _revoke(_file(options), options.name)
    except (BadKeyFile, OSError, UnicodeDecodeError, ValueError) as error:
        print(f"smart-queue-ocr: {error}", file=sys.stderr)
        return FAILED


def _add(options: argparse.Namespace) -> int:
    if not is_name(options.name):
        raise ValueError("a name has letters, digits, `.`, `_` and `-`, 64 at most")
    quotas = {name: getattr(options, name) for name in QUOTAS}
    if any(value is not None and value < 0 for value in quotas.values()):
        raise ValueError("a quota is a whole number from 0")
    if options.of and not is_name(options.of):
        raise ValueError("what --of names is no name of a key")
    secret = new_key()
    expires = _moment(options.expires) if options.expires else None
    key = ApiKey(
        name=options.name,
        of=options.of,
        priority=options.priority,
        digest=hash_key(secret),
        scope=Scope(options.scope),
        expires=expires,
        callback_url=parse_callback_url(options.callback_url) if options.callback_url else "",
        webhook_secrets=(new_secret(),) if options.webhook_secret else (),
        **quotas,
    )
    line = _line(key)
    if options.file:
        path = Path(options.file)
        if path.exists() and options.name in _keys(path):
            raise BadKeyFile(f"{path} has a key of that name; revoke it first")
        add_line(path, line)
    else:
        print(line)
    if key.callback_url and not key.webhook_secrets:
        print("its webhooks wait until the service has WEBHOOK_SECRETS, or the key secrets of its own", file=sys.stderr)
    print(f"the key of {key.name}, shown only now: {secret}", file=sys.stderr)
    _show_secret(key)
    return 0


def _webhook(path: Path, options: argparse.Namespace) -> int:
    key = _keys(path).get(options.name)
    if key is None:
        raise BadKeyFile(f"{path} has no key of that name")
    url, signing = key.callback_url, key.webhook_secrets
    if options.callback_url is not None:
        url = parse_callback_url(options.callback_url) if options.callback_url else ""
    if options.new_secret:
        signing = (new_secret(), *signing[:1])
    if options.drop_old:
        signing = signing[:1]
    changed = msgspec.structs.replace(key, callback_url=url, webhook_secrets=signing)
    replace_line(path, key.name, _line(changed))
    if options.new_secret:
        _show_secret(changed)
    return 0


def _line(key: ApiKey) -> str:
    """Raises ValueError where a file could not hold it."""
    line = line_of(key)
    parse(line)
    return line


def _show_secret(key: ApiKey) -> None:
    if key.webhook_secrets:
        print(f"what its webhooks are signed with, for the receiver: {key.webhook_secrets[0]}", file=sys.stderr)


def _list(path: Path) -> int:
    rows: list[tuple[str, ...]] = [("name", "of", "scope", "expires", *QUOTAS, "priority", "secrets", "callback_url")]
    for key in _keys(path).values():
        expires = "never" if key.expires is None else f"{key.expires:%Y-%m-%d %H:%M} UTC"
        if key.expired(clock.now()):
            expires += " (expired)"
        quotas = ("-" if getattr(key, name) is None else str(getattr(key, name)) for name in QUOTAS)
        webhooks = (str(len(key.webhook_secrets) or "-"), key.callback_url or "-")
        rows.append((key.name, key.of or "-", str(key.scope), expires, *quotas, key.priority, *webhooks))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _revoke(path: Path, name: str) -> int:
    if not remove_line(path, name):
        raise BadKeyFile(f"{path} has no key of that name")
    print(f"{name} is locked out", file=sys.stderr)
    return 0


def _file(options: argparse.Namespace) -> Path:
    if not options.file:
        raise BadKeyFile("which file? Say --file, or set API_KEYS_FILE")
    return Path(options.file)


def _keys(path: Path) -> dict[str, ApiKey]:
    """Raises BadKeyFile for a line that cannot be understood."""
    keys, faults = parsed(path.read_text())
    if faults:
        raise BadKeyFile(f"{path}, {faults[0]}")
    return keys


def _moment(text: str) -> datetime:
    days = re.fullmatch(r"([0-9]{1,5})d", text)
    return clock.now() + timedelta(days=int(days[1])) if days else parse_moment(text)
