"""Logging: one JSON object a line on stdout, or coloured lines for people."""

import inspect
import logging
import sys
import warnings
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec
from loguru import logger

from config.outlet import Outlet, OutletLimits

if TYPE_CHECKING:
    from loguru import Message

CONSOLE_FORMAT = "<green>{time:HH:mm:ss.SSS}</green> <level>{level: <7}</level> {message} <dim>{extra}</dim>{exception}"
_encoder = msgspec.json.Encoder(enc_hook=str)


def set_up(level: str, form: Literal["json", "console"], limits: OutletLimits = OutletLimits()) -> None:
    """Sends everything to stdout: our own events, the standard library's records, and warnings. Never waits for it."""
    logger.remove()
    sink: Any = _JsonLines(limits) if form == "json" else Outlet(sys.stdout, _dropped_for_people, limits)
    # diagnose=True, loguru's default, would print the values of variables: secrets and images
    logger.add(
        sink, level=level, format="{message}" if form == "json" else CONSOLE_FORMAT, backtrace=False, diagnose=False
    )
    logging.basicConfig(handlers=[_ToLoguru()], level=level, force=True)
    logging.captureWarnings(True)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in ("httpx", "httpcore", "asyncio", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.simplefilter("default")


class _JsonLines(Outlet):
    """One object a line."""

    def __init__(self, limits: OutletLimits) -> None:
        super().__init__(sys.stdout, _dropped_for_programs, limits)

    def write(self, message: str) -> None:
        """Of loguru's messages, which carry their record."""
        record = cast("Message", message).record  # loguru's own kind of str
        extra = dict(record["extra"])
        entry: dict[str, Any] = {
            "time": _time(record["time"]),
            "level": record["level"].name,
            "event": extra.pop("event", record["name"]),
            "message": record["message"],
            **extra,
        }
        if record["exception"] is not None:
            # loguru has already rendered it behind the message
            entry["exception"] = str(message).removeprefix(record["message"]).strip()
        super().write(_line(entry))


def _dropped_for_people(lines: int) -> str:
    return f"{lines} log lines were dropped here: nobody read them\n"


def _dropped_for_programs(lines: int) -> str:
    entry = dict(event="log.dropped", lines=lines, message=_dropped_for_people(lines).strip())  # noqa: C408
    return _line({"time": _time(datetime.now(UTC)), "level": "WARNING", **entry})


def _line(entry: dict[str, Any]) -> str:
    return _encoder.encode(entry).decode() + "\n"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


class _ToLoguru(logging.Handler):
    """Hands records of the standard library to loguru (the recipe of loguru's documentation)."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        frame, depth = inspect.currentframe(), 0
        while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
            frame, depth = frame.f_back, depth + 1
        event = "warning" if record.name == "py.warnings" else record.name
        logger.bind(event=event).opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())
