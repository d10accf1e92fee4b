"""What is needed to call others on behalf of clients: webhooks, and files that are named by URL."""

from collections.abc import Sequence

from msgspec import Struct

from app.delivery.addresses import Addresses
from app.delivery.courier import Courier, CourierLimits, DeliveryEvents
from app.delivery.fetcher import Fetcher
from app.delivery.secrets import Secrets
from app.delivery.sender import Sender
from app.delivery.signature import BadSecret
from app.delivery.webhooks import Webhooks
from app.http.access.keys import Keys
from config.settings import Settings, SettingsError
from persistence.outbox.port import Outbox

ANY_HOST = "*"
"""In INPUT_URL_HOSTS: any public one."""


class Outside(Struct, frozen=True, kw_only=True):
    """What is needed to call others on behalf of clients."""

    addresses: Addresses
    secrets: Secrets
    fetcher: Fetcher


def outside_of(settings: Settings, keys: Keys | None) -> Outside:
    """By the settings. Raises SettingsError."""
    of_keys = (keys.webhook_secrets, keys.any_webhook_secret) if keys else ()
    file, sources = settings.webhook_secrets_file, _listed(settings.input_url_hosts)
    try:
        return Outside(
            addresses=_addresses("WEBHOOK_ALLOWED_HOSTS", _listed(settings.webhook_allowed_hosts)),
            secrets=Secrets(settings.webhook_secrets, file, *of_keys),
            fetcher=Fetcher(
                _addresses("INPUT_URL_HOSTS", [host for host in sources if host != ANY_HOST]),
                enabled=bool(sources),
                any_public=ANY_HOST in sources,
            ),
        )
    except BadSecret as error:
        raise SettingsError([f"WEBHOOK_SECRETS or WEBHOOK_SECRETS_FILE: {error}"]) from error
    except OSError as error:
        raise SettingsError([f"WEBHOOK_SECRETS_FILE={file!r}: {error.strerror}"]) from error


def _listed(hosts: str) -> list[str]:
    return [host.strip() for host in hosts.split(",") if host.strip()]


def _addresses(variable: str, hosts: list[str]) -> Addresses:
    try:
        return Addresses(hosts)
    except ValueError as error:
        raise SettingsError([f"{variable}: {error}"]) from error


def webhooks_of(
    settings: Settings,
    outbox: Outbox,
    events: Sequence[DeliveryEvents],
    limits: CourierLimits,
    keys: Keys | None,
    outside: Outside,
) -> tuple[Courier, Webhooks]:
    """Who sends them, and what clients may ask of them."""
    courier = Courier(
        outbox,
        Sender(outside.addresses, timeout=settings.webhook_timeout_seconds),
        outside.secrets,
        events,
        timeout=settings.webhook_timeout_seconds,
        public_url=settings.public_url,
        limits=limits,
    )
    url_of_key = keys.callback_url if keys else lambda _: ""
    return courier, Webhooks(outbox, outside.addresses, outside.secrets, courier.ring, url_of_key)
