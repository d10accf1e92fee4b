"""How patient a store and a queue are with a database that does not answer, or is away. In seconds."""

from msgspec import Struct


class Patience(Struct, frozen=True, kw_only=True):
    """Of a node with its shared database."""

    command: float = 5.0
    """Longest wait for one answer: what tells a connection whose other end has vanished."""
    connect: float = 5.0
    """Longest wait for a connection."""
    retry: float = 3.0
    """How long work is tried again while the server is away: a restart takes about one second."""
    retry_pause: float = 0.1
    """Between two of these tries."""
    poll: float = 2.0
    """How often a node looks for work of which no notification came."""
    reconnect_pause: float = 1.0
    """Before the queue's engine is started again that has lost its connection."""
