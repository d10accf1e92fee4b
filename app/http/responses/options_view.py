"""What was asked of a file, as its job shows it."""

from typing import Annotated

from msgspec import Meta, Struct

from ocr_engine.options import TextLayer
from ocr_engine.result import Area
from persistence.job import JobOptions, Priority


class OptionsView(Struct, frozen=True, kw_only=True):
    """The options of a job by the names that uploads use; null or empty: as the service has it."""

    pages: Annotated[str, Meta(description="As `1-3,7`; empty: all.")]
    text_layer: TextLayer
    rotate: Annotated[str, Meta(description="`auto`, or degrees clockwise.")]
    min_confidence: float | None
    reading_order: str
    regions: tuple[Area, ...]
    ignore: tuple[Area, ...]
    check_boxes: bool
    detail: str
    priority: Annotated[Priority, Meta(description="Which it got.")]
    dedupe: str
    timeout: float | None
    language: tuple[str, ...]
    expires_in: int | None
    delete_after_read: bool
    keep_upload: Annotated[float | None, Meta(description="Hours.")]


def options_view(options: JobOptions) -> OptionsView:
    """The options as clients see them."""
    return OptionsView(
        pages=options.pages,
        text_layer=options.text_layer,
        rotate=options.rotate,
        min_confidence=options.min_confidence,
        reading_order=options.reading_order,
        regions=options.regions,
        ignore=options.ignore,
        check_boxes=options.check_boxes,
        detail=options.detail,
        priority=options.priority,
        dedupe=options.dedupe,
        timeout=options.timeout,
        language=options.languages,
        expires_in=options.expires_in,
        delete_after_read=options.delete_after_read,
        keep_upload=options.keep_hours,
    )
