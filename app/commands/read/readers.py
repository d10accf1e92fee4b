"""Who reads the files of an order: processes of this machine, as its settings say, or a service."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.commands.read.arguments import BadArguments, Order
from app.commands.read.here import ReaderHere, started
from app.commands.read.plan import Item
from app.commands.read.reading import Asked, FileReader
from app.commands.read.service import ReaderByService
from ocr_engine.errors import InvalidImage
from ocr_engine.image import probe
from ocr_engine.image.mapped import MappedFile, map_file
from persistence.job import JobOptions

if TYPE_CHECKING:
    from config.settings import Settings

MAX_CLAIMED_PIXELS = 2**62
"""Whatever a header claims: the engine judges, here only pages count."""
FILES_AT_ONCE = 4
"""Of a service that others use, too."""


@asynccontextmanager
async def reader_of(order: Order, items: Sequence[Item]) -> AsyncIterator[FileReader]:
    """Ready to read; whatever it has begun ends with the context. Raises BadArguments, CannotGoOn."""
    if order.url:
        yield ReaderByService(order.url, order.key, order.asked, at_once=order.jobs or FILES_AT_ONCE)
        return
    # not at the top: for a service that reads nothing of all this is loaded
    from app.processes import engine_options, processes
    from config.environment import load
    from config.settings import SettingsError

    try:
        settings = load({})
        options = engine_options(settings)
    except SettingsError as error:
        raise BadArguments(f"wrong settings: {'; '.join(error.faults)}") from error
    asked = options_of(order.asked, settings)
    workers = pages_at_most(items, order.jobs or settings.max_workers)
    pool = processes(settings, options, workers, lambda _: None)
    async with started(pool):
        yield ReaderHere(
            pool, order.asked, asked, workers=workers, max_attempts=settings.max_attempts, settings=str(options)
        )


def options_of(asked: Asked, settings: "Settings") -> JobOptions:
    """What is asked, as a service with these settings would understand it. Raises BadArguments."""
    from app.http.problems import ApiError
    from app.http.requests.options.table import job_options

    try:
        return job_options(
            {**dict(asked.options), "language": asked.languages, "text_layer": asked.text_layer}, settings
        )
    except ApiError as error:
        raise BadArguments(f"--{error.detail}") from error


def pages_at_most(items: Sequence[Item], enough: int) -> int:
    """How many pages they may have, counted until there are `enough`: a picture needs one worker, a PDF any number."""
    pages = 0
    for item in items:
        pages += _pages(item.source) or enough
        if pages >= enough:
            return enough
    return max(1, pages)


def _pages(file: Path) -> int:
    """As its header says; 0 where only a worker can tell."""
    try:
        mapped = map_file(file)
    except OSError:
        return 1
    try:
        return probe(mapped, max_pixels=MAX_CLAIMED_PIXELS).pages
    except InvalidImage:
        return 1
    finally:
        if isinstance(mapped, MappedFile):
            mapped.close()
