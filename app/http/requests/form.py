"""What comes in a multipart body: its parts, piece by piece, and the fields beside files."""

from collections.abc import AsyncGenerator, AsyncIterator

from multipart import MultipartSegment, ParserError, ParserLimitReached, PushMultipartParser

from app.http.problems import ApiError
from app.http.requests.options.asked import JSON_PART, MAX_JSON_BYTES, NAMES, Asked, Place
from app.http.requests.options.table import max_letters
from app.http.requests.strict import refuse_unknown

MAX_PARTS = 32
"""Parts of a multipart body that are looked at before it is refused; few are wanted."""
FORM_FIELDS = (JSON_PART, *NAMES)
"""What may come beside `file`."""


async def parts(
    stream: AsyncIterator[bytes], boundary: str, max_parts: int = MAX_PARTS
) -> AsyncGenerator[MultipartSegment | bytearray | None, None]:
    """A part where it begins, the pieces of it, and None where it ends. Raises ApiError.

    Litestar's own multipart handling answers 500 to several kinds of bad input and spools to disk, so the body goes
    through the push parser that it is built on.
    """
    if not boundary:
        raise ApiError("malformed_request", "multipart/form-data without a boundary")
    try:
        # latin-1 takes any byte: a file's name comes in whatever a client's system writes
        with PushMultipartParser(
            boundary.encode(errors="replace"), max_segment_count=max_parts, header_charset="latin-1"
        ) as parser:
            async for chunk in stream:
                for event in parser.parse(chunk):
                    yield event
    except ParserLimitReached as error:
        raise ApiError("malformed_request", f"multipart body beyond the limits: {error}") from None
    except ParserError as error:
        raise ApiError("malformed_request", f"multipart body cannot be parsed: {error}") from None


class FormFields:
    """What comes in a multipart body beside files."""

    def __init__(self) -> None:
        self.came: list[str] = []
        """The names of all parts."""
        self._values: dict[str, bytearray] = {}

    def begin(self, name: str) -> None:
        """A part without a file. Raises ApiError where it is not known, or came before."""
        self.note(name)
        refuse_unknown("form field", [name], ["file", *FORM_FIELDS])

    def note(self, name: str) -> None:
        """A part of that name came. Raises ApiError where it is a field that came before."""
        if name in self.came and name in FORM_FIELDS:
            raise ApiError("malformed_request", f"more than one part `{name}`; send it once")
        self.came.append(name)

    def add(self, name: str, data: bytes | bytearray) -> None:
        """A piece of it. Raises ApiError."""
        if name not in FORM_FIELDS:
            return
        value = self._values.setdefault(name, bytearray())
        value += data
        most = MAX_JSON_BYTES if name == JSON_PART else 4 * max_letters(name)  # no letter takes more bytes
        if len(value) > most:
            raise ApiError("malformed_request", f"the form field `{name}` has more than {most} bytes")

    def told(self, asked: Asked) -> None:
        """Adds what came to what is asked. Raises ApiError."""
        asked.add_json(self._values.pop(JSON_PART, b""))
        for name, value in self._values.items():
            try:
                asked.add(Place.FORM, name, value.decode())
            except UnicodeDecodeError:
                raise ApiError("malformed_request", f"the form field `{name}` is not UTF-8") from None
