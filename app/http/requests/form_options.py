"""What is asked of a file beside it, as text of form fields -> JobOptions."""

import re
from collections.abc import Mapping

import msgspec

from app.http.problems import ApiError
from app.http.requests.languages import languages_told
from app.jobs.page_selection import PageSelection
from config.settings import Settings
from ocr_engine.options import TEXT_LAYERS
from ocr_engine.recognition.letters.languages import UnknownLanguage
from persistence.job import JobOptions

MAX_TAG_LETTERS = 200
MAX_EXPIRY_SECONDS = 10 * 366 * 24 * 3600
"""Ten years."""
KEPT_HOURS = 24.0
"""What `keep_upload=true` asks for where uploads are not kept otherwise."""
KEPT_PATTERN = r"^(true|false|[0-9]{1,6}(\.[0-9]{1,6})?)?$"
KEPT = re.compile(KEPT_PATTERN, re.ASCII)


def job_options(fields: Mapping[str, str], settings: Settings) -> JobOptions:
    """The options of fields by name, for a service with these settings; an empty one is as none.

    Raises ApiError or BadSelection.
    """
    text_layer = fields.get("text_layer") or TEXT_LAYERS[0]
    if text_layer not in TEXT_LAYERS:
        raise _wrong("text_layer", f"{text_layer[:64]!r} is none of {', '.join(map(repr, TEXT_LAYERS))}")
    return JobOptions(
        pages=str(PageSelection.parsed(fields.get("pages", ""))),
        text_layer=text_layer,
        languages=_languages(fields.get("language", ""), settings),
        tag=_tag(fields.get("tag", "")),
        metadata=_metadata(fields.get("metadata", "")),
        expires_in=_seconds(fields.get("expires_in", "")),
        keep_hours=_kept_hours(fields.get("keep_upload", ""), settings),
    )


def _languages(tags: str, settings: Settings) -> tuple[str, ...]:
    try:
        return languages_told(tags, settings)
    except UnknownLanguage as error:
        raise _wrong("language", str(error)) from None


def _tag(text: str) -> str:
    if len(text) > MAX_TAG_LETTERS or any(ord(sign) < 0x20 or ord(sign) == 0x7F for sign in text):
        raise _wrong("tag", f"at most {MAX_TAG_LETTERS} letters, and no control characters")
    return text


def _metadata(text: str) -> Mapping[str, str]:
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, str])
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise _wrong("metadata", 'not a JSON object whose values are texts, as {"invoice": "2026-17"}') from None


def _seconds(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:12]) <= MAX_EXPIRY_SECONDS:
        raise _wrong("expires_in", f"not a whole number of seconds from 1 to {MAX_EXPIRY_SECONDS}")
    return int(text)


def _kept_hours(text: str, settings: Settings) -> float | None:
    """None: as KEEP_UPLOADS_HOURS says."""
    most = max(settings.keep_uploads_hours, settings.max_keep_uploads_hours)
    if not text or (text == "true" and settings.keep_uploads_hours > 0):
        return None
    if text == "true" and most > 0:
        return min(most, KEPT_HOURS)
    hours = 0.0 if text == "false" else float(text) if KEPT.fullmatch(text) else None
    if hours is None or hours > most:
        raise _wrong("keep_upload", f"neither `true`, `false` nor a number of hours from 0 to {most:g}")
    return hours


def _wrong(field: str, why: str) -> ApiError:
    return ApiError("malformed_request", f"{field}: {why}")
