"""What a measurement was taken on: figures of different machines or versions cannot be compared unawares."""

import platform
from importlib import metadata
from pathlib import Path

from msgspec import Struct

from config.machine import usable_cpus, usable_memory

PACKAGES = (
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "openvino",
    "pillow",
    "rapidfuzz",
    "rapidocr",
    "rapidocr-onnxruntime",
)
"""Distributions whose version can change a figure."""


class Package(Struct, frozen=True):
    """An installed distribution."""

    name: str
    version: str


class Machine(Struct, frozen=True, kw_only=True):
    """The machine's fingerprint; it stands in every report."""

    cpu: str
    """Model name."""
    cores_usable: int
    """By affinity mask and cgroup quota, not what the machine has."""
    memory: int
    """Bytes that may be used."""
    system: str
    python: str
    packages: tuple[Package, ...]


def fingerprint() -> Machine:
    """This machine, this Python and what is installed in it."""
    return Machine(
        cpu=_cpu_model(),
        cores_usable=usable_cpus(),
        memory=usable_memory(),
        system=platform.platform(),
        python=platform.python_version(),
        packages=tuple(package for name in PACKAGES if (package := _installed(name))),
    )


def _installed(name: str) -> Package | None:
    try:
        return Package(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return None


def _cpu_model(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
