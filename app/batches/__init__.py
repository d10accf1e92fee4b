"""Batches: many files in one request, received one after the other, stored all at once, read and cancelled together."""
