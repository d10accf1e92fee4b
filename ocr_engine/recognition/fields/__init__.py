"""Texts with a law of their own, put right by it: machine-readable zones, account numbers, dates and amounts."""
