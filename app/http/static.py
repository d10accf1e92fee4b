"""The static files of the page and of the API's documentation; `app/web/README.md` describes them."""

from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "web"
FILES = {path.relative_to(WEB): path for path in WEB.rglob("*") if path.is_file()}
"""Every file that is served. Looked up rather than opened by name: no path of a client ever reaches the disk."""
