"""Compiles the modules that the service loads, into a tree of their own: `python compile.py /compiled`, in the image.

Only these: what is never imported would be half of the files. By hash, unchecked: the image does not change,
and the root file system may be read-only. Importing all of them is a first trial of what trim.py has left.
"""

import importlib
import importlib.util
import pkgutil
import py_compile
import sys
from pathlib import Path

ROOMS = ("app", "ocr_engine", "persistence", "config", "samples")


def load_service() -> None:
    """Imports every module of ours, and makes the application once."""
    for room in ROOMS:
        for module in pkgutil.walk_packages(importlib.import_module(room).__path__, f"{room}."):
            importlib.import_module(module.name)
    from app.main import create_app
    from config.settings import Settings

    create_app(Settings()).openapi_schema.to_schema()


def compile_loaded(target: Path) -> int:
    """Compiles the loaded modules of this folder and of the virtual environment below `target`; how many there were."""
    sources = {Path(module.__file__) for module in sys.modules.values() if getattr(module, "__file__", None)}
    ours = sorted(file for file in sources if file.suffix == ".py" and _is_ours(file))
    for file in ours:
        compiled = target / Path(importlib.util.cache_from_source(str(file))).relative_to("/")
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(str(file), str(compiled), doraise=True, invalidation_mode=mode)
    return len(ours)


def _is_ours(file: Path) -> bool:
    return file.is_relative_to(sys.prefix) or file.is_relative_to(Path.cwd())


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    load_service()
    print(f"{compile_loaded(Path(sys.argv[1]))} modules compiled")
