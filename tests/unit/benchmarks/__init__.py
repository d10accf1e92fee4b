"""How the measurements count and report."""
