"""ZIPs from strangers: what is taken out of them, and what no lie of theirs gets through."""

import io
import os
import struct
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from app.batches.archive import FREE_INFLATED_BYTES, Archive, ArchiveLimits, Unpacked
from app.batches.names import clean_name
from app.batches.refusals import (
    ArchiveTooLarge,
    BadArchive,
    BatchTooLarge,
    EmptyFile,
    LockedEntry,
    TooManyFiles,
)

LIMITS = ArchiveLimits(max_files=5, max_file_bytes=1000, max_bytes=10_000_000_000)
CENTRAL = b"PK\x01\x02"


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytearray:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return bytearray(made.getvalue())


def unpacked(tmp_path: Path, data: bytes | bytearray, limits: ArchiveLimits = LIMITS) -> list[Unpacked]:
    path, folder = tmp_path / "sent.zip", tmp_path / "out"
    path.write_bytes(data)
    archive = Archive(path, limits)
    folder.mkdir()
    try:
        found = [*archive.unpack(folder, threading.Event())]
    finally:
        archive.close()
    assert sum(each.size for each in found) <= archive.size
    assert {each.file for each in found if each.file} == set(folder.iterdir())
    return found


def errors(found: list[Unpacked]) -> list[type[Exception] | None]:
    return [type(each.error) if each.error else None for each in found]


def test_files_come_out_whole_under_names_of_ours_and_what_systems_add_is_passed_over(tmp_path: Path) -> None:
    data = {"a/": b"", "a/one.png": b"1", "__MACOSX/._one.png": b"x", "a/.DS_Store": b"y", "../../etc/two": b"22"}
    found = unpacked(tmp_path, zipped(data))
    assert [(each.name, each.file and each.file.read_bytes()) for each in found] == [
        ("a/one.png", b"1"),
        ("etc/two", b"22"),
    ]


def test_each_file_that_cannot_be_unpacked_is_refused_alone(tmp_path: Path) -> None:
    data = zipped({"locked": b"1", "lies": b"22", "inner": bytes(zipped({"x": b"1"})), "empty": b"", "good": b"3"})
    first = data.find(CENTRAL)
    data[first + 8] |= 1  # encrypted
    second = data.find(CENTRAL, first + 1)
    data[second + 24 : second + 28] = struct.pack("<I", 1)  # less than is in it
    found = unpacked(tmp_path, data)
    assert errors(found) == [LockedEntry, BadArchive, BadArchive, EmptyFile, None]
    assert [each.name for each in found] == ["locked", "lies", "inner", "empty", "good"]


def test_a_file_that_is_too_large_is_not_unpacked_and_other_methods_than_deflate_are_not_tried(tmp_path: Path) -> None:
    assert errors(unpacked(tmp_path, zipped({"large": bytes(1001), "good": b"1"}))) == [BatchTooLarge, None]
    (tmp_path / "again").mkdir()
    assert errors(unpacked(tmp_path / "again", zipped({"a": b"1"}, zipfile.ZIP_BZIP2))) == [BadArchive]


def test_a_file_that_lies_before_the_beginning_is_none(tmp_path: Path) -> None:
    data = zipped({"a": b"1"})
    end = data.rfind(b"PK\x05\x06")
    # where the directory begins, it says: all offsets count from a thousand bytes earlier then
    data[end + 16 : end + 20] = struct.pack("<I", data.find(CENTRAL) + 1000)
    assert errors(unpacked(tmp_path, data)) == [BadArchive]


def test_a_zip_without_files_is_one(tmp_path: Path) -> None:
    assert unpacked(tmp_path, zipped({})) == []


def five_gigabytes() -> bytes:
    data = zipped({"zeros": bytes(5000)})
    central = data.find(CENTRAL)
    data[central + 24 : central + 28] = struct.pack("<I", 0xFFFF_FFFE)
    return bytes(data)


def millions_of_entries() -> bytes:
    directory = (CENTRAL + bytes(42)) * 5000
    end = struct.pack("<HHHHIIH", 0, 0, 1, 1, len(directory), 64, 0)
    return b"PK\x03\x04" + bytes(60) + directory + b"PK\x05\x06" + end


def overlapping() -> bytes:
    data = zipped({"a": os.urandom(400)})
    central, end = data.find(CENTRAL), data.rfind(b"PK\x05\x06")
    entry = bytes(data[central:end])
    tail = struct.pack("<HHHHIIH", 0, 0, 3, 3, 3 * len(entry), central, 0)
    return bytes(data[:central]) + 3 * entry + b"PK\x05\x06" + tail


@pytest.mark.parametrize(
    ("data", "refused"),
    [
        (lambda: zipped({f"{number}": b"1" for number in range(6)}), TooManyFiles),
        (millions_of_entries, TooManyFiles),
        (five_gigabytes, ArchiveTooLarge),
        (overlapping, BadArchive),
        (lambda: zipped({"a": b"1"})[:40], BadArchive),
        (lambda: b"PK\x03\x04" + os.urandom(500), BadArchive),
        (lambda: zipped({"[Content_Types].xml": b"<x/>", "word/media/a.png": b"1"}), BadArchive),
    ],
)
def test_a_zip_that_is_no_honest_one_is_refused_before_anything_is_unpacked(
    tmp_path: Path, data: Callable[[], bytes], refused: type[Exception]
) -> None:
    with pytest.raises(refused):
        unpacked(tmp_path, data(), ArchiveLimits(max_files=5, max_file_bytes=1000, max_bytes=FREE_INFLATED_BYTES))
    assert not (tmp_path / "out").exists()


def test_what_is_packed_too_tightly_is_refused_whatever_it_may_hold(tmp_path: Path) -> None:
    data = five_gigabytes()
    with pytest.raises(ArchiveTooLarge, match="200 times"):
        unpacked(tmp_path, data)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../a.png", "a.png"),
        ("C:\\scans\\b.tif", "scans/b.tif"),
        ("/etc/\x00pass\nwd\u202e", "etc/passwd"),
        ("Gr\u00fc\u00dfe \U0001f9fe.png", "Gr\u00fc\u00dfe \U0001f9fe.png"),
        ("\ud800", "?"),
        ("x" * 300 + ".png", "x" * 251 + ".png"),
        ("..", ""),
    ],
)
def test_a_name_is_a_label_that_leads_nowhere(sent: str, shown: str) -> None:
    assert clean_name(sent) == shown
