"""`python -m app read`: files read here, by processes of its own, or by a service; nothing is stored."""
