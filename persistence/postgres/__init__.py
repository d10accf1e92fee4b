"""Jobs and their queue in PostgreSQL, for several nodes. Needs the extra `cluster`."""
