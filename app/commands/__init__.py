"""Commands of `python -m app` that do work of their own beside the service."""
