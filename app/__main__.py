"""`python -m app`: the command line, arguments only. Kept light: every OCR process imports it once more."""

import argparse
import sys


def main(arguments: list[str] | None = None) -> int:
    """Runs the service; 0 after a clean stop, 1 after a failure, 2 with wrong settings, 3 when it cannot start."""
    try:
        from app.commands.read.arguments import configure as configure_read
        from app.http.access.key_command import configure as configure_keys
        from app.http.access.key_command import in_full
        from app.http.access.key_command import run as run_key_command
        from config.documentation import documented
        from config.environment import keys_file
    except ModuleNotFoundError as missing:
        print(
            f"smart-queue-ocr: {missing.name} is not installed for {sys.executable}; `uv run --no-dev python -m app` "
            "installs what the service needs, and runs it",
            file=sys.stderr,
        )
        return 3

    width = max(len(setting.variable) for setting in documented())
    settings_help = "\n".join(
        f"  {setting.variable:<{width}}  {setting.description} [{setting.default}]" for setting in documented()
    )
    parser = argparse.ArgumentParser(
        prog="python -m app",
        description="Smart Queue OCR: upload an image, get a job, read its text.",
        epilog=f"Settings come from the environment:\n{settings_help}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on; overrides HOST")
    parser.add_argument("--port", help="port to listen on; overrides PORT")
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    configure_keys(commands.add_parser("key", help="add, list and revoke the API keys of API_KEYS_FILE"), keys_file())
    configure_read(commands.add_parser("read", help="read files, here or by a service, and write what is in them"))
    commands.add_parser("migrate", help="bring the database of DATABASE_URL up to this version, and exit")
    commands.add_parser("webhook-secret", help="make a secret for WEBHOOK_SECRETS")
    commands.add_parser("backup", help="write a copy of the SQLite database to stdout, while a service uses it")
    options = parser.parse_args(in_full(sys.argv[1:] if arguments is None else arguments))
    if options.command == "key":
        return run_key_command(options)
    if options.command == "read":
        from app.commands.read.command import run as run_read_command

        return run_read_command(options)
    if options.command == "migrate":
        return migrate()
    if options.command == "backup":
        return backup()
    if options.command == "webhook-secret":
        from app.delivery.signature import new_secret

        print(new_secret())
        return 0
    if options.version:
        from app import VERSION

        print(VERSION)
        return 0
    return run({"HOST": options.host, "PORT": options.port})


def migrate() -> int:
    """Does what every start does with the database first; 3 where it cannot be used."""
    import asyncio

    from app.main import settings_or_exit
    from persistence.opening import open_store
    from persistence.store import StoreUnusable

    async def open_and_close(url: str) -> None:
        store = await open_store(url)
        await store.close()

    try:
        asyncio.run(open_and_close(settings_or_exit().database_url))
    except StoreUnusable as error:
        print(f"smart-queue-ocr: {error}", file=sys.stderr)
        return 3
    return 0


def backup() -> int:
    """Writes the database to stdout; 2 where that is no place for it, or it is no file; 3 where it cannot be copied."""
    from pathlib import Path

    from app.main import settings_or_exit
    from config.urls import is_postgres
    from persistence.sqlite.backup import back_up
    from persistence.store import StoreUnusable

    url = settings_or_exit().database_url
    if is_postgres(url) or sys.stdout.isatty():
        reason = "on PostgreSQL use pg_dump" if is_postgres(url) else "stdout is a terminal: add `> backup.db`"
        print(f"smart-queue-ocr: {reason}", file=sys.stderr)
        return 2
    try:
        back_up(Path(url.removeprefix("sqlite:///")), sys.stdout.buffer)
    except StoreUnusable as error:
        print(f"smart-queue-ocr: {error}", file=sys.stderr)
        return 3
    return 0


def run(overrides: dict[str, str | None]) -> int:
    """Runs the service with the environment's settings and these on top."""
    from loguru import logger

    from app.http.access.key_file import BadKeyFile
    from app.http.access.keys import is_loopback
    from app.http.serving.server import serve
    from app.main import create_app, set_up_logging, settings_or_exit, stop_process
    from config.settings import SettingsError

    settings = settings_or_exit({name: value for name, value in overrides.items() if value})
    set_up_logging(settings)
    failures: list[str] = []

    def on_failure(reason: str) -> None:
        failures.append(reason)
        stop_process(reason)

    try:
        app = create_app(settings, on_failure=on_failure)
    except BadKeyFile as error:
        print(f"smart-queue-ocr: API_KEYS_FILE: {error}", file=sys.stderr)
        return 2
    except SettingsError as error:
        print(f"smart-queue-ocr: {error}", file=sys.stderr)
        return 2
    if not settings.api_keys_file and not is_loopback(settings.host):
        logger.bind(event="access.open", host=settings.host).warning(
            "listening beyond this machine without API keys: everybody who reaches the port may use the service"
        )
    serve(app, settings.host, settings.port, settings.max_workers)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
