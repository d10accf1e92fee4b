"""What XML can hold."""

import re
from xml.sax.saxutils import escape, quoteattr

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, written out or as a reference."""


def content(text: str) -> str:
    """The text between tags."""
    return escape(_NO_XML.sub("\ufffd", text))


def attribute(value: object) -> str:
    """The value in quotes."""
    return quoteattr(_NO_XML.sub("\ufffd", str(value)))


def attributes(**values: object) -> str:
    """` NAME="value"` of each."""
    return "".join(f" {name}={attribute(value)}" for name, value in values.items())
