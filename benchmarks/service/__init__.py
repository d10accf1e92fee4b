"""The whole service, its pool and its store under load."""
