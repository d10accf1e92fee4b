"""Batches: files that came in one request, each with a job or a problem of its own; the port, and each store's part."""
