"""How the service behaves: HTTP on top, intake, queue and dispatchers beneath."""
