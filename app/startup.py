"""Failures of a start: logged in one line for whoever runs the service, without a traceback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from loguru import logger

from ocr_engine.errors import PoolUnavailable
from persistence.store import StoreError, StoreUnusable


class CannotStart(Exception):
    """The start failed for a reason outside the program, which the log names in one line."""


@asynccontextmanager
async def start_failures_logged() -> AsyncIterator[None]:
    """What keeps the parts within from starting is logged. Raises CannotStart for it."""
    try:
        yield
    except (StoreError, StoreUnusable, PoolUnavailable) as error:
        logger.bind(event="service.start_failed").critical(f"the service cannot start: {error}")
        raise CannotStart from error


def is_start_failure(error: BaseException | None) -> bool:
    """True for CannotStart, for the end of a start that a signal ended, and for a group of nothing else."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_start_failure(one) for one in error.exceptions)
    return isinstance(error, CannotStart | asyncio.CancelledError)
