"""What a format may say of the file that was read, beside its pages."""

from datetime import UTC, datetime

from msgspec import Struct

NAME = "Smart Queue OCR"


class Source(Struct, frozen=True, kw_only=True):
    """The file, and who read it when."""

    file_name: str = ""
    """As it was uploaded; empty where nobody said."""
    read_at: datetime = datetime.fromtimestamp(0, UTC)
    version: str = ""
    """Of the program."""

    @property
    def creator(self) -> str:
        """The program's name and version."""
        return f"{NAME} {self.version}".strip()
