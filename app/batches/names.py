"""What a file of a batch is called: a label for people, never a path."""

import re

MAX_NAME_LETTERS = 255
"""As file systems have it; of a longer one the end is kept, which tells what it is."""
_SKIPPED_FOLDERS = {"__MACOSX"}
_SKIPPED_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""What systems put into folders for themselves."""


def clean_name(name: str) -> str:
    """The name without what leads out of a folder, control characters, and what is no text."""
    text = name.encode("utf-8", "replace").decode("utf-8", "replace")
    text = "".join(sign for sign in text if sign.isprintable() or sign == " ")
    steps = [step for step in re.split(r"[/\\]+", text) if step not in ("", ".", "..")]
    if steps and re.fullmatch(r"[A-Za-z]:", steps[0]):
        steps = steps[1:]
    return "/".join(steps)[-MAX_NAME_LETTERS:]


def is_skipped(name: str) -> bool:
    """Is the entry of a ZIP a folder, or something that a system put there for itself?"""
    steps = name.replace("\\", "/").split("/")
    return not steps[-1] or steps[-1] in _SKIPPED_FILES or bool(_SKIPPED_FOLDERS.intersection(steps))
