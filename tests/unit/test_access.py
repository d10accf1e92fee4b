"""Keys: named, stored as hashes, read again when their file changes."""

import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from app.__main__ import main
from app.http.access.keys import BadKeyFile, Keys, hash_key, is_loopback, new_key, read_keys


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.write_text(f"# who may come in\n\nann:{hash_key('key-of-ann')}  # laptop\nbob:{hash_key('key-of-bob')}\n")
    return path


def test_a_key_belongs_to_its_name(file: Path) -> None:
    keys = Keys(file)
    assert keys.owner("key-of-ann") == "ann"
    assert keys.owner("key-of-bob") == "bob"


@pytest.mark.parametrize("presented", ["", "key-of-eve", "key-of-ann ", "\udcff", "é", hash_key("key-of-ann")])
def test_anything_else_belongs_to_nobody(file: Path, presented: str) -> None:
    assert Keys(file).owner(presented) is None


def test_a_changed_file_is_read_again(file: Path) -> None:
    keys = Keys(file)
    file.write_text(f"eve:{hash_key('key-of-eve')}\n")
    assert keys.owner("key-of-ann") is None
    assert keys.owner("key-of-eve") == "eve"


@pytest.mark.parametrize("content", ["", "\n", "# ann:{ann}\n", "what is this", "\0\udcff"])
def test_the_last_key_is_locked_out_with_its_line(file: Path, content: str) -> None:
    ann = f"ann:{hash_key('key-of-ann')}\n"
    file.write_text(ann)
    keys = Keys(file)
    assert keys.owner("key-of-ann") == "ann"
    file.write_text(content.format(ann=ann), errors="surrogateescape")
    assert keys.owner("key-of-ann") is None
    file.unlink()
    assert keys.owner("key-of-ann") is None
    file.write_text(ann)
    assert keys.owner("key-of-ann") == "ann"


def test_a_line_that_makes_no_sense_locks_out_nobody_else(file: Path) -> None:
    keys = Keys(file)
    file.write_text(f"what is this\nbob:{hash_key('key-of-bob')}\n")
    assert keys.owner("key-of-ann") is None
    assert keys.owner("key-of-bob") == "bob"


def test_a_file_that_cannot_be_read_for_a_while_leaves_the_keys_in_force(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = Keys(file)
    with monkeypatch.context() as broken:
        broken.setattr(Path, "stat", Mock(side_effect=OSError("stale handle")))
        assert keys.owner("key-of-ann") == "ann"
    file.write_text(f"bob:{hash_key('key-of-bob')}\n")
    assert keys.owner("key-of-ann") is None


def test_a_rotated_file_of_the_same_size_and_time_is_seen(file: Path, tmp_path: Path) -> None:
    keys = Keys(file)
    facts = file.stat()
    new = tmp_path / "new.txt"
    new.write_text(file.read_text().replace(hash_key("key-of-ann"), hash_key("other-ann!")))
    os.utime(new, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    new.replace(file)
    assert keys.owner("other-ann!") == "ann"


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
    assert Keys(path).owner(key) == "ann"
    assert key not in printed.out


def test_the_command_refuses_a_name_that_the_file_could_not_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "ann:bob"]) == 2
    assert not capsys.readouterr().out


def test_keys_are_never_alike() -> None:
    assert len({new_key() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)]
)
def test_loopback_is_told_from_the_world(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
