"""The settings as the environment has them: read, judged, and held against what was meant."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from config import machine, spelling
from config.settings import Settings, SettingsError
from config.urls import is_postgres, url_faults


def load(overrides: Mapping[str, str]) -> Settings:
    """The settings of this process's environment with `overrides` on top. Raises SettingsError."""
    return from_environment({**os.environ, **overrides})


def keys_file() -> str:
    """What API_KEYS_FILE says, whatever is wrong with other variables; empty where it says nothing."""
    return os.environ.get("API_KEYS_FILE", "").strip()


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that an environment asks for. Raises SettingsError with every fault, not only the first."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in msgspec.structs.fields(Settings):
        variable = field.name.upper()
        text = environment.get(variable, "").strip()
        if field.name == "max_workers" and text in ("", "auto"):
            values[field.name] = machine.default_workers()
        elif text:
            try:
                values[field.name] = msgspec.convert(text, field.type, strict=False)
            except msgspec.ValidationError as fault:
                or_auto = "Expected `auto` or a number from 1" if field.name == "max_workers" else ""
                faults.append(f"{variable}={text!r}: {or_auto or _choices(field.type) or fault}")
    faults += url_faults({name.upper(): value for name, value in values.items()})
    if values.get("role", "all") != "all" and not is_postgres(values.get("database_url", "")):
        faults.append(f"ROLE={values['role']!r}: other nodes reach its jobs on PostgreSQL only; set DATABASE_URL")
    if faults:
        raise SettingsError(faults)
    return Settings(**values)


def misspelt(environment: Mapping[str, str] | None = None) -> list[str]:
    """A sentence for each variable of `environment` (None: this process's) that is no setting, but nearly one."""
    names = os.environ if environment is None else environment
    known = [field.name.upper() for field in msgspec.structs.fields(Settings)]
    return [f"{name} is no setting; did you mean {setting}?" for name, setting in spelling.nearly(names, known)]


def _choices(annotation: Any) -> str:
    """What may stand there, where that can be counted; otherwise empty."""
    kind = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
    if kind is bool:
        return "Expected `true` or `false`"
    if get_origin(kind) is Literal:
        *others, last = (f"`{choice}`" for choice in get_args(kind))
        return f"Expected {', '.join(others)} or {last}"
    return ""
