"""Why recognition failed: one family, each with a stable code, and whether a retry can mend it."""

from typing import ClassVar


class OcrError(Exception):
    """Recognition failed. `code` is stable, `retriable` says whether another attempt can end otherwise."""

    code: ClassVar[str] = "engine_error"
    retriable: ClassVar[bool] = True

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.worker = ""
        """Name of the pool's slot where it happened; set by the pool."""


class EngineError(OcrError):
    """The engine raised something that it does not name."""


class InvalidImage(OcrError):
    """The bytes are of a supported type but cannot be decoded."""

    code = "invalid_image"
    retriable = False


class UnsupportedImage(InvalidImage):
    """The bytes are of no supported image type."""

    code = "unsupported_media_type"


class InvalidDocument(InvalidImage):
    """The document cannot be opened, or one of its pages cannot be drawn."""

    code = "invalid_document"


class PageTooCostly(InvalidImage):
    """The page, or those before it in its file, takes more CPU time than a page may."""

    code = "page_too_costly"


class PasswordRequired(InvalidImage):
    """The document is encrypted, and the password is missing or wrong."""

    code = "password_required"


class TooManyPixels(InvalidImage):
    """The header announces more pixels than the limit."""

    code = "too_many_pixels"


class TooManyPages(InvalidImage):
    """The file holds more pages than the limit."""

    code = "too_many_pages"


class NoSuchPage(InvalidImage):
    """None of the pages that were asked for is in the file."""

    code = "no_such_page"


class ImageMissing(OcrError):
    """The image is not where it was stored."""

    code = "image_missing"
    retriable = False


class JobTimeout(OcrError):
    """Recognition took longer than the limit; its process was killed."""

    code = "timeout"


class WorkerCrashed(OcrError):
    """The process that recognised the image died."""

    code = "worker_crashed"


class OutOfMemory(OcrError):
    """The process that recognised the image was not given the memory for it; it is replaced."""

    code = "out_of_memory"


class PoolUnavailable(OcrError):
    """No worker can be started: a crash loop, or the pool is closed."""

    code = "pool_unavailable"


class WorkersBusy(PoolUnavailable):
    """No worker became free in time; they read something else."""


class InternalError(OcrError):
    """Something of ours broke around the recognition."""

    code = "internal"
