"""The Prometheus metrics of webhooks, in the registry of all. See docs/operations.md."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.delivery.courier import DeliveryEvents
from persistence.outbox.delivery import Delivery, DeliveryAttempt, DeliveryState
from persistence.outbox.port import Undelivered

OUTCOMES = ("delivered", "rejected", "unsigned", "timeout", "refused", "protocol", "tls", "connection")
"""Of an attempt; see DeliveryEvents."""


class WebhookMetrics(DeliveryEvents):
    """What became of attempts, and what is left to be told."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "ocr_webhook_attempts_total",
            "Attempts at webhooks, by outcome: delivered, rejected (another status than 2xx), or why no answer came.",
            ["outcome"],
            registry=registry,
        )
        self._ended = Counter(
            "ocr_webhooks_ended_total", "Webhooks that were delivered or given up.", ["status"], registry=registry
        )
        self._left = Gauge(
            "ocr_webhooks", "Webhooks in the store that are not delivered, by status.", ["status"], registry=registry
        )
        self._oldest = Gauge(
            "ocr_oldest_webhook_age_seconds", "Age of the oldest webhook to be delivered; 0 without.", registry=registry
        )
        # so that series exist, at 0, before the first event
        for outcome in OUTCOMES:
            self._attempts.labels(outcome)
        for status in (DeliveryState.DELIVERED, DeliveryState.FAILED):
            self._ended.labels(status)

    def attempted(self, delivery: Delivery, attempt: DeliveryAttempt, outcome: str) -> None:
        """See DeliveryEvents."""
        self._attempts.labels(outcome).inc()
        if delivery.status is not DeliveryState.PENDING:
            self._ended.labels(delivery.status).inc()

    def show(self, left: Undelivered, at: datetime) -> None:
        """The gauges of a scrape."""
        self._left.labels(DeliveryState.PENDING).set(left.pending)
        self._left.labels(DeliveryState.FAILED).set(left.failed)
        self._oldest.set(max(0.0, (at - left.oldest).total_seconds()) if left.oldest else 0.0)
