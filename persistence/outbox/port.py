"""The port Outbox: what is still to be told to receivers outside. Every JobStore has one, in its own database."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol, Self

from msgspec import Struct

from persistence.cursor import Cursor, cut
from persistence.outbox.delivery import Delivery, DeliveryState


class DeliveryListing(Struct, frozen=True, kw_only=True):
    """Some deliveries of a longer list."""

    deliveries: tuple[Delivery, ...]
    next: Cursor | None
    """Where to go on, by `created_at`; None: nothing follows."""

    @classmethod
    def of(cls, found: Sequence[Delivery], limit: int) -> Self:
        """The first `limit` of `found`, of which there is one more where anything follows."""
        shown, following = cut(found, limit, lambda each: Cursor(updated_at=each.created_at, id=each.id))
        return cls(deliveries=shown, next=following)


class Undelivered(Struct, frozen=True, kw_only=True):
    """What is still to be told."""

    pending: int
    oldest: datetime | None
    """When what the oldest of them tells of happened; None where there is none."""
    failed: int
    """Given up, and neither sent again nor forgotten with what they tell of."""


Receiver = tuple[str, str]
"""An owner, and a host that its deliveries go to."""


class Outbox(Protocol):
    """Deliveries, written with what they tell of. Errors, durability and cancellation are as in JobStore."""

    async def claim(
        self,
        now: datetime,
        until: datetime,
        *,
        but_receivers: Collection[Receiver] = (),
        but_owners: Collection[str] = (),
    ) -> Delivery | None:
        """The delivery that has been due for longest, claimed until then; None where none is due.

        Of several senders at once each gets another one. Those of the named receivers and owners are passed over.
        """

    async def replace(self, old: Delivery, new: Delivery) -> bool:
        """Stores `new`, which a verb made of `old`, if the store still holds `old` (by revision); else False."""

    async def get(self, delivery_id: str) -> Delivery | None:
        """None where the id is unknown."""

    async def of_subject(self, kind: str, subject_id: str) -> list[Delivery]:
        """All of one subject, oldest first. They are forgotten together with it."""

    async def listed(
        self,
        *,
        owner: str | None = None,
        status: DeliveryState | None = None,
        after: Cursor | None = None,
        limit: int = 50,
    ) -> DeliveryListing:
        """At most `limit` (1 or more), newest first: by `created_at`, then by id."""

    async def undelivered(self) -> Undelivered:
        """How much there is to be told, of everybody."""


def receiver_names(receivers: Collection[Receiver]) -> list[str]:
    """As the statements have them: neither owners nor hosts have spaces."""
    return [f"{owner} {host}" for owner, host in receivers]
