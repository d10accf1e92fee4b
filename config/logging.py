"""Logging: one JSON object a line on stdout, or coloured lines for people."""

import inspect
import logging
import sys
import warnings
from datetime import UTC
from typing import TYPE_CHECKING, Any, Literal, TextIO

import msgspec
from loguru import logger

if TYPE_CHECKING:
    from loguru import Message

CONSOLE_FORMAT = "<green>{time:HH:mm:ss.SSS}</green> <level>{level: <7}</level> {message} <dim>{extra}</dim>{exception}"
_encoder = msgspec.json.Encoder(enc_hook=str)


def set_up(level: str, form: Literal["json", "console"], stream: TextIO | None = None) -> None:
    """Sends everything to one place: our own events, the standard library's records, and warnings."""
    stream = stream or sys.stdout
    logger.remove()
    # diagnose=True, loguru's default, would print the values of variables: secrets and images
    if form == "json":
        logger.add(_json_sink(stream), level=level, format="{message}", backtrace=False, diagnose=False)
    else:
        logger.add(stream, level=level, format=CONSOLE_FORMAT, backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_ToLoguru()], level=level, force=True)
    logging.captureWarnings(True)
    for name in list(logging.root.manager.loggerDict):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for name in ("httpx", "httpcore", "asyncio", "PIL"):
        logging.getLogger(name).setLevel(logging.WARNING)
    warnings.simplefilter("default")


def _json_sink(stream: TextIO) -> Any:
    def write(message: "Message") -> None:
        record = message.record
        extra = dict(record["extra"])
        entry: dict[str, Any] = {
            "time": record["time"].astimezone(UTC).isoformat(timespec="milliseconds"),
            "level": record["level"].name,
            "event": extra.pop("event", record["name"]),
            "message": record["message"],
            **extra,
        }
        if record["exception"] is not None:
            # loguru has already rendered it behind the message
            entry["exception"] = str(message).removeprefix(record["message"]).strip()
        stream.write(_encoder.encode(entry).decode() + "\n")
        stream.flush()

    return write


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
