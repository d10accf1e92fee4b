"""The arguments of `python -m app read`, and what they mean together."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from app.commands.read.outputs import BETWEEN
from app.commands.read.reading import Asked
from app.jobs.page_selection import BadSelection, PageSelection
from app.results.stored_run import DETAILS, ROWS
from config.client import KEY_VARIABLE, service_key
from ocr_engine.formats import EVERY_FORMAT, Format, TextFormat
from ocr_engine.options import TEXT_LAYERS

STDIN = "-"
OPTIONS = ("rotate", "min_confidence", "reading_order", "regions", "ignore", "timeout")
"""Options of the API that decide how files are read and have no argument of their own."""
JOINABLE = tuple(BETWEEN)
"""Formats of which several files can follow each other in one stream."""

EPILOG = f"""\
what is read of several files without --output follows each other on stdout, in their order, pages and files of text
apart by form feeds; other formats than {", ".join(JOINABLE)} take --output then.

exit codes:
  0    every file was read, or its output was there
  1    some could not be read; a line on stderr says for each why. Where only pages of one are lacking, the rest of it
       is in NAME.partial, and the next run reads it again
  2    wrong arguments or settings; nothing was read
  3    no worker could be started, or the service cannot be reached, or refused the key
  4    the output cannot be written
  130  interrupted (Ctrl-C); 143 terminated; 141 nobody reads stdout any more

examples:
  python -m app read scan.jpg                                     text on stdout
  python -m app read invoices/ --output texts/ --format text,pdf  a folder; run again, it reads what is new
  curl -s https://example.org/a.pdf | python -m app read - --pages 1-3 --format markdown
  {KEY_VARIABLE}=sq_... python -m app read scans/ --output out/ --url https://ocr.example.org
"""


class Order(Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    sources: tuple[str, ...]
    """Files, folders and STDIN."""
    formats: tuple[Format, ...]
    output: Path | None
    """None: stdout."""
    asked: Asked
    url: str
    """Of the service that reads; empty: this machine does."""
    key: str
    jobs: int | None
    force: bool
    quiet: bool

    def __repr__(self) -> str:
        """Without secrets."""
        return f"{type(self).__name__}(sources={self.sources!r}, url={self.url!r})"


class BadArguments(Exception):
    """They contradict each other, or name what there is not."""


def configure(read: argparse.ArgumentParser) -> None:
    """Gives the parser of `read` its arguments."""
    read.formatter_class = argparse.RawDescriptionHelpFormatter
    read.description = "Reads images and documents, here or by a service, and writes what is in them."
    read.epilog = EPILOG
    read.add_argument("sources", nargs="+", metavar="FILE|DIR|-", help="files; folders, with all below; `-` for stdin")
    read.add_argument("--format", "-f", default="text", type=_formats, metavar="F", help=_formats_help())
    read.add_argument("--output", "-o", type=Path, metavar="DIR", help="folder for the outputs, made where it lacks")
    read.add_argument("--pages", "-p", default="", type=_pages, help="of every file, as 1-3,7,20-; else all")
    read.add_argument("--language", "-l", default="", metavar="TAGS", help="what they are written in: de or de,fr")
    read.add_argument("--text-layer", choices=TEXT_LAYERS, default=TEXT_LAYERS[0], help="auto: take sound text of PDFs")
    read.add_argument(
        "--option",
        action="append",
        default=[],
        type=_option,
        metavar="N=V",
        help=f"as the API has it: {', '.join(OPTIONS)}",
    )
    read.add_argument("--password", default="", help="opens encrypted PDFs; other users of the machine may see it")
    read.add_argument("--password-file", type=Path, metavar="FILE", help="the same, as the first line of a file")
    read.add_argument("--detail", choices=DETAILS, help="of json: `words` has a box for each")
    read.add_argument("--rows", choices=ROWS, help="of text: `apart` gives each line that was found one of its own")
    read.add_argument("--jobs", "-j", type=_count, metavar="N", help="pages read at once; by a service: files (4)")
    read.add_argument("--force", action="store_true", help="read again what has its output already")
    read.add_argument("--quiet", "-q", action="store_true", help="no progress on the terminal")
    read.add_argument("--url", default="", help="a service that reads, in place of this machine")
    read.add_argument("--key-file", type=Path, metavar="FILE", help=f"its API key; else {KEY_VARIABLE}")


def order_of(options: argparse.Namespace) -> Order:
    """What the parsed arguments mean. Raises BadArguments."""
    if options.sources.count(STDIN) > 1:
        raise BadArguments("stdin can be read once only")
    if options.url and (urlsplit(options.url).scheme not in ("http", "https") or not urlsplit(options.url).hostname):
        raise BadArguments(f"--url {options.url}: not the address of a service, as http://localhost:8000")
    if options.key_file and not options.url:
        raise BadArguments("--key-file goes with --url")
    if options.password and options.password_file:
        raise BadArguments("one of --password and --password-file")
    names = [each.name for each in options.format]
    if options.detail and "json" not in names:
        raise BadArguments("--detail goes with --format json")
    if options.rows and "text" not in names:
        raise BadArguments("--rows goes with --format text")
    if options.output is None:
        _fit_for_stdout(options.format)
    return Order(
        sources=tuple(options.sources),
        formats=options.format,
        output=options.output,
        asked=Asked(
            pages=options.pages,
            languages=options.language,
            text_layer=options.text_layer,
            options=tuple(options.option),
            password=_first_line(options.password_file) or options.password,
            detail=options.detail,
            rows=options.rows,
        ),
        url=options.url.rstrip("/"),
        key=(_first_line(options.key_file) or service_key()) if options.url else "",
        jobs=options.jobs,
        force=options.force,
        quiet=options.quiet,
    )


def _fit_for_stdout(formats: Sequence[Format]) -> None:
    first, *others = formats
    if others:
        raise BadArguments("several formats take --output")
    if not isinstance(first, TextFormat) and sys.stdout.isatty():
        raise BadArguments(f"stdout is a terminal: add `> FILE{first.suffix}`, or --output")


def _first_line(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        line = file.read_text().partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise BadArguments(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    if not line:
        raise BadArguments(f"{file}: its first line is empty")
    return line


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if name not in OPTIONS or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE of one of {', '.join(OPTIONS)}")
    return name, value


def _formats(text: str) -> tuple[Format, ...]:
    names = dict.fromkeys(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in EVERY_FORMAT]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(EVERY_FORMAT)}")
    return tuple(EVERY_FORMAT[name] for name in names)


def _formats_help() -> str:
    return f"{', '.join(EVERY_FORMAT)}; with --output several, with commas between [text]"


def _pages(text: str) -> str:
    try:
        return str(PageSelection.parsed(text))
    except BadSelection as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:6]) <= 1024:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1024")
    return int(text)
