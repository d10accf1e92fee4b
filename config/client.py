"""What the environment says to the command line as a client of a service; no setting of the service itself."""

import os

KEY_VARIABLE = "SMART_QUEUE_OCR_KEY"
"""Holds an API key: arguments can be seen by other users of the machine, a process's environment cannot."""


def service_key() -> str:
    """The key; empty where there is none."""
    return os.environ.get(KEY_VARIABLE, "").strip()
