"""Jobs in one SQLite file."""

import sys
from types import ModuleType
from typing import cast

_modules = cast("dict[str, ModuleType | None]", sys.modules)
if "numpy" not in _modules:
    # sqlite-utils imports it where it can, to know how its types are stored: a fifth of a second and 20 MB, for values
    # that never come here
    _modules["numpy"] = None
    try:
        import sqlite_utils  # noqa: F401
    finally:
        del _modules["numpy"]
