"""Where the letter models are. Apart from them, so that the service can tell which there are without loading numpy."""

from pathlib import Path

FOLDER = Path(__file__).parent / "weights"
SUFFIX = ".letters"
