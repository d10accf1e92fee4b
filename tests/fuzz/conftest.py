"""What the fuzzing borrows: the running application, and the real server as a process."""

from tests.e2e.conftest import start
from tests.integration.conftest import run, settings, tuning

__all__ = ["run", "settings", "start", "tuning"]
