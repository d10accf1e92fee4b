"""Uploads in object storage. Needs the extra `objects`."""
