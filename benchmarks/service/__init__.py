"""The whole service, its pool, its store and its cluster under load."""
