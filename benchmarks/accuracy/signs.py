"""Texts as the figures for search compare them: what transcribers choose between at will becomes the same."""

import re
import unicodedata

_ALIKE = {
    "'": "‘’′`",
    '"': "“”„«»″",
    ",": "‚",
    "-": "–—‐‑−―",
    "·": "•●∙・",
    "...": "…",
}
_AS_ONE = str.maketrans({sign: plain for plain, signs in _ALIKE.items() for sign in signs})
"""Signs that transcribers choose between at will."""
_WORD = re.compile(r"[A-Za-z0-9]+")


def normalise(text: str) -> str:
    """Text as it is compared: NFKC, one sign for those that look alike, no underscores, no white space."""
    plain = unicodedata.normalize("NFKC", text.translate(_AS_ONE)).translate(_AS_ONE)
    return "".join(plain.replace("_", "").split())


def ascii_words(text: str) -> list[str]:
    """The runs of ASCII letters and digits."""
    return _WORD.findall(unicodedata.normalize("NFKC", text))
