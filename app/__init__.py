"""How the service behaves: HTTP on top, intake, queue and dispatchers beneath."""

VERSION = "0.1.0"
