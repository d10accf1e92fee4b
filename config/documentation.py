"""The settings as documentation shows them: the README's table, and the command line's help."""

from typing import Any

import msgspec
from msgspec import Meta, Struct

from config.settings import Settings


class SettingDoc(Struct, frozen=True):
    """One setting as documentation shows it."""

    variable: str
    default: str
    description: str


def documented() -> list[SettingDoc]:
    """Every setting in the order of definition."""
    return [
        SettingDoc(
            field.name.upper(),
            "auto" if field.name == "max_workers" else _shown(field.default),
            _description(field.type),
        )
        for field in msgspec.structs.fields(Settings)
    ]


def _shown(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default) or "empty"


def _description(annotation: Any) -> str:
    descriptions = [meta.description for meta in annotation.__metadata__ if isinstance(meta, Meta) and meta.description]
    return str(descriptions[-1])
