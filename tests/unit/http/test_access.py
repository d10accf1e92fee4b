"""Keys: named, stored as hashes, read again when their file changes."""

import os
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.__main__ import main
from app.http.access.key_file import (
    ApiKey,
    BadKeyFile,
    Scope,
    add_line,
    hash_key,
    line_of,
    new_key,
    parse,
    read_keys,
    remove_line,
)
from app.http.access.keys import Keys, is_loopback


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.write_text(f"# who may come in\n\nann:{hash_key('key-of-ann')}  # laptop\nbob:{hash_key('key-of-bob')}\n")
    return path


def owner(keys: Keys, presented: str) -> str | None:
    key = keys.find(presented)
    return key.name if key else None


def test_a_key_belongs_to_its_name(file: Path) -> None:
    keys = Keys(file)
    assert owner(keys, "key-of-ann") == "ann"
    assert owner(keys, "key-of-bob") == "bob"


@pytest.mark.parametrize("presented", ["", "key-of-eve", "key-of-ann ", "\udcff", "é", hash_key("key-of-ann")])
def test_anything_else_belongs_to_nobody(file: Path, presented: str) -> None:
    assert owner(Keys(file), presented) is None


def test_a_changed_file_is_read_again(file: Path) -> None:
    keys = Keys(file)
    file.write_text(f"eve:{hash_key('key-of-eve')}\n")
    assert owner(keys, "key-of-ann") is None
    assert owner(keys, "key-of-eve") == "eve"


@pytest.mark.parametrize("content", ["", "\n", "# ann:{ann}\n", "what is this", "\0\udcff"])
def test_the_last_key_is_locked_out_with_its_line(file: Path, content: str) -> None:
    ann = f"ann:{hash_key('key-of-ann')}\n"
    file.write_text(ann)
    keys = Keys(file)
    assert owner(keys, "key-of-ann") == "ann"
    file.write_text(content.format(ann=ann), errors="surrogateescape")
    assert owner(keys, "key-of-ann") is None
    file.unlink()
    assert owner(keys, "key-of-ann") is None
    file.write_text(ann)
    assert owner(keys, "key-of-ann") == "ann"


def test_a_line_that_makes_no_sense_locks_out_nobody_else(file: Path) -> None:
    keys = Keys(file)
    file.write_text(f"what is this\nbob:{hash_key('key-of-bob')}\n")
    assert owner(keys, "key-of-ann") is None
    assert owner(keys, "key-of-bob") == "bob"


def test_a_file_that_cannot_be_read_for_a_while_leaves_the_keys_in_force(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys(file)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "stat", Mock(side_effect=OSError("stale handle")))
        assert owner(keys, "key-of-ann") == "ann"
    file.write_text(f"bob:{hash_key('key-of-bob')}\n")
    assert owner(keys, "key-of-ann") is None


def test_a_rotated_file_of_the_same_size_and_time_is_seen(file: Path, tmp_path: Path) -> None:
    keys = Keys(file)
    facts = file.stat()
    new = tmp_path / "new.txt"
    new.write_text(file.read_text().replace(hash_key("key-of-ann"), hash_key("other-ann!")))
    os.utime(new, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    new.replace(file)
    assert owner(keys, "other-ann!") == "ann"


@pytest.mark.parametrize(
    "content",
    [
        "",
        "# nobody\n",
        "ann",
        "ann:secret",
        f"ann:{'A' * 64}",
        f":{'a' * 64}",
        f"ann:{'a' * 64}\nann:{'b' * 64}",
        f"ann:{'a' * 64}\nbob:{'a' * 64}",
    ],
)
def test_a_file_that_makes_no_sense_is_refused_and_never_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.txt"
    path.write_text(content)
    with pytest.raises(BadKeyFile) as caught:
        read_keys(path)
    assert "secret" not in str(caught.value)


def test_the_command_makes_a_key_that_the_file_it_prints_lets_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", "ann"]) == 0
    printed = capsys.readouterr()
    path = tmp_path / "keys.txt"
    path.write_text(printed.out)
    key = printed.err.split()[-1]
    assert owner(Keys(path), key) == "ann"
    assert key not in printed.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["ann:bob"],
        ["add", "ann:bob"],
        ["add", "ann", "--expires", "soon"],
        ["add", "ann", "--max-jobs", "-1"],
        ["add", "ann", "--of", "bob:x"],
        ["add", "ann", "--of", "bob", "--max-jobs", "1"],
        ["add", "ann", "--of", "bob", "--webhook-secret"],
        ["list", "--file", ""],
        ["revoke", "ann", "--file", "/nowhere/keys.txt"],
    ],
)
def test_the_command_refuses_what_the_file_could_not_hold(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", *arguments]) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.startswith("smart-queue-ocr: ")


def test_keys_are_added_to_the_file_listed_and_revoked(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--file", str(file)]
    keys = Keys(file)
    limits = ["--expires", "2999-01-31", "--max-jobs", "7", "--uploads-per-minute", "0", "--priority", "low"]
    assert main(["key", "add", "eve", "--scope", "read", *limits, *where]) == 0
    printed = capsys.readouterr()
    assert not printed.out
    eve = keys.find(printed.err.split()[-1])
    assert eve is not None
    assert (eve.name, eve.scope, eve.max_jobs, eve.uploads_per_minute) == ("eve", Scope.READ, 7, 0)
    assert eve.expires == datetime(2999, 1, 31, tzinfo=UTC)
    assert main(["key", "add", "eve", *where]) == 2
    assert main(["key", "list", *where]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["ann", "-", "full", "never", "-", "-", "-", "high", "-", "-"] in rows
    assert ["eve", "-", "read", "2999-01-31", "00:00", "UTC", "7", "0", "-", "low", "-", "-"] in rows
    assert main(["key", "revoke", "ann", *where]) == 0
    assert owner(keys, "key-of-ann") is None
    assert owner(keys, "key-of-bob") == "bob"
    assert file.read_text().startswith("# who may come in")
    assert main(["key", "revoke", "ann", *where]) == 2


def test_a_further_key_of_somebody_gets_no_webhooks_of_its_own(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--file", str(file)]
    assert main(["key", "add", "reader", "--of", "ann", "--scope", "read", *where]) == 0
    assert main(["key", "list", *where]) == 0
    assert ["reader", "ann", "read", "never"] in [row.split()[:4] for row in capsys.readouterr().out.splitlines()]
    before = file.read_text()
    assert main(["key", "webhook", "reader", "--new-secret", *where]) == 2
    assert "does not go with `of`" in capsys.readouterr().err
    assert file.read_text() == before


def test_a_new_file_is_for_its_owner_only_and_a_torn_line_is_not_continued(tmp_path: Path) -> None:
    path = tmp_path / "keys.txt"
    add_line(path, f"ann:{'a' * 64}")
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(path.read_text().rstrip())
    add_line(path, f"bob:{'b' * 64}")
    path.chmod(0o640)
    assert set(read_keys(path)) == {"ann", "bob"}
    assert remove_line(path, "ann")
    assert set(read_keys(path)) == {"bob"}
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in tmp_path.iterdir()] == ["keys.txt"]


@pytest.mark.parametrize(
    "key",
    [
        ApiKey(name="ann", digest="a" * 64),
        ApiKey(name="ann", digest="a" * 64, scope=Scope.ADMIN, max_jobs=0, reads_per_minute=5),
        ApiKey(name="ann", digest="a" * 64, of="bob", scope=Scope.READ, reads_per_minute=5),
        ApiKey(name="ann", digest="a" * 64, expires=datetime(2027, 1, 31, 12, tzinfo=UTC), uploads_per_minute=1),
    ],
)
def test_a_key_is_written_as_it_is_read(key: ApiKey) -> None:
    assert parse(line_of(key)) == key


@pytest.mark.parametrize(
    "attributes",
    [
        "scope=root",
        "scope=",
        "expires=soon",
        "max_jobs=-1",
        "max_jobs=x",
        "max_jobs=1 max_jobs=2",
        "colour=red",
        "x",
        "of=",
        "of=bob priority=low",
    ],
)
def test_what_a_line_says_beyond_its_hash_has_to_be_understood(file: Path, attributes: str) -> None:
    file.write_text(f"ann:{'a' * 64} {attributes}\n")
    with pytest.raises(BadKeyFile, match="line 1"):
        read_keys(file)


def test_keys_are_never_alike() -> None:
    assert len({new_key() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)]
)
def test_loopback_is_told_from_the_world(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_callback_url_without_a_secret_and_a_scope_that_is_none_are_told(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", "add", "eve", "--callback-url", "https://example.com/hook", "--file", str(file)]) == 0
    told = capsys.readouterr().err
    assert "WEBHOOK_SECRETS" in told
    assert Keys(file).find(told.split()[-1]) is not None
    with pytest.raises(SystemExit):
        main(["key", "add", "ida", "--scope", "all", "--file", str(file)])
    assert "<" not in capsys.readouterr().err.rpartition("choose from")[2]


def test_a_key_has_a_callback_url_and_secrets_that_are_rotated(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where, url = ["--file", str(file)], "https://example.com/hook?token=a=b"
    keys = Keys(file)
    assert not keys.any_webhook_secret()
    assert main(["key", "add", "eve", "--callback-url", url, "--webhook-secret", *where]) == 0
    first = capsys.readouterr().err.split()[-1]
    assert (keys.webhook_secrets("eve"), keys.callback_url("eve")) == ((first,), url)
    assert keys.any_webhook_secret()
    assert main(["key", "webhook", "eve", "--new-secret", *where]) == 0
    second = capsys.readouterr().err.split()[-1]
    assert keys.webhook_secrets("eve") == (second, first)
    assert main(["key", "webhook", "eve", "--drop-old", "--callback-url", "", *where]) == 0
    assert (keys.webhook_secrets("eve"), keys.callback_url("eve")) == ((second,), "")
    assert main(["key", "list", *where]) == 0
    shown = capsys.readouterr().out
    assert second not in shown
    assert next(line.split()[:7] for line in shown.splitlines() if line.startswith("eve")) == [
        "eve",
        "-",
        "full",
        "never",
        "-",
        "-",
        "-",
    ]
    assert owner(keys, "key-of-ann") == "ann"
    assert main(["key", "webhook", "nobody", "--new-secret", *where]) == 2
    for wrong in ("ftp://example.com/", "https://exa mple.com/", "https://example.com/#part"):
        assert main(["key", "webhook", "eve", "--callback-url", wrong, *where]) == 2
    assert keys.webhook_secrets("eve") == (second,)


@pytest.mark.parametrize("attribute", ["webhook_secrets=whsec_short", "webhook_secrets=", "callback_url=example.com"])
def test_what_is_no_secret_or_url_is_a_fault_that_does_not_show_it(attribute: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(f"ann:{'a' * 64} {attribute}")
    assert "short" not in str(caught.value)
